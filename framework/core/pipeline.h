/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * pipeline: a graph brought to life. Makes the instances, gives each the host's services, starts
 * them from the network to the device, runs the lanes, and takes everything down in reverse.
 */
#ifndef VPNCORE_CORE_PIPELINE_H
#define VPNCORE_CORE_PIPELINE_H

#include <pthread.h>
#include <stdbool.h>

#include "graph.h"
#include "journal_service.h"
#include "lane.h"
#include "log.h"
#include "mainloop.h"

struct pipeline;

/* One component of a running pipeline. */
struct instance {
	struct pipeline *pipeline;
	const struct manifest_part *part;
	const struct vpn_component *component;
	void *inst;
	struct vpn_host host;
	struct vpn_lane **lanes;  /* n_lanes of the pipeline; NULL for routes and dns */
	struct lane_part **parts; /* the same, as the host sees them */
	struct mainloop main;
	bool created, started, applied;
};

struct pipeline_events {
	/* A component has failed for good; the owner should call pipeline_stop(). [any] */
	void (*failed)(void *ctx);
	/* Something happened (VPN_EVENT_*). May be NULL. [any] */
	void (*event)(void *ctx, const char *who, uint32_t event, uint64_t value);
	/* A lane works for the first time after a pipeline_quiet(): the one to ask again, later. May be
	 * NULL. [lane] */
	void (*stirred)(void *ctx);
	void *ctx;
	/* Where its lines go; NULL = the process's own log. */
	const struct log_sink *log;
	/* The event loop of [main], which the owner runs; NULL = components have none. */
	uv_loop_t *loop;
};

struct pipeline {
	const struct graph *graph;
	struct pipeline_events events;
	struct instance *instances; /* stages first, as in the graph, then routes and dns */
	size_t n_instances;
	size_t n_stages;
	struct journal_service journal;
	char **hook_env; /* while on_down has to be run */
	uint64_t hook_record;
	struct lane **lanes;
	uint32_t n_lanes;
	pthread_mutex_t lock;
	bool started; /* once: a pipeline that was stopped does not start again */
	bool failed;
	struct vpn_error error; /* why it failed, the first one; under lock */
};

/* Makes all instances; nothing outside of memory changes. The graph must outlive it. [main] */
struct pipeline *pipeline_new(const struct graph *graph, const struct pipeline_events *events,
			      struct vpn_error *err);

/* Starts everything, from the network to the device, then the lanes, then routes and dns. On
 * failure all is taken down again. Once for each pipeline. [main] */
vpn_status pipeline_start(struct pipeline *p, struct vpn_error *err);

/* Stops everything in reverse. Idempotent. *err gets what a revert reported. [main] */
vpn_status pipeline_stop(struct pipeline *p, struct vpn_error *err);

/* Whether no lane has done anything since this was last asked, or since the start. [main] */
bool pipeline_quiet(struct pipeline *p);

/* Lets the lanes give back the memory of their packets: cheap while nothing moves. It is done a moment
 * later. [main] */
void pipeline_rest(struct pipeline *p);

/* Why it failed; false when it has not. [any] */
bool pipeline_error(struct pipeline *p, struct vpn_error *err);

/* Stops and frees; accepts NULL; returns NULL. *ret_lookups_left, when given, becomes true when the
 * resolver is still at work: leave the process by _exit() then, or wait for it in exit(). [main] */
struct pipeline *pipeline_free(struct pipeline *p, bool *ret_lookups_left);

/* What the device calls itself; false before start. [main] */
bool pipeline_device(struct pipeline *p, struct vpn_device_info *out);

/* One line for each lane and stage. [any] while it exists */
void pipeline_counters(const struct pipeline *p, void (*line)(void *ctx, const char *text),
		       void *ctx);

#endif
