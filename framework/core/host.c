/* SPDX-License-Identifier: BSD-2-Clause */
#include "host.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "log.h"

static struct instance *instance_of(const struct vpn_host *host)
{
	return host->ctx;
}

/* A component may say something on a thread of its own. */
static void host_log(const struct vpn_host *host, uint32_t level, const char *text)
{
	const struct instance *in = instance_of(host);
	log_to(in != NULL ? in->pipeline->events.log : NULL, level, host->name, text);
}

static uint64_t host_now_ns(const struct vpn_host *host)
{
	(void)host;
	return lane_now_ns();
}

static uint64_t host_wall_ns(const struct vpn_host *host)
{
	struct timespec now;
	(void)host;
	clock_gettime(CLOCK_REALTIME, &now);
	return (uint64_t)now.tv_sec * UINT64_C(1000000000) + (uint64_t)now.tv_nsec;
}

static void host_random(const struct vpn_host *host, void *buf, size_t len)
{
	(void)host;
	/* without randomness no key is safe: there is nothing to go on with */
	if (uv_random(NULL, NULL, buf, len, 0, NULL) != 0)
		abort();
}

static void host_wake(const struct vpn_host *host, uint32_t index)
{
	struct instance *in = instance_of(host);
	if (in->parts != NULL && index < in->pipeline->n_lanes)
		lane_wake(in->parts[index]);
}

static const char *event_text(uint32_t event)
{
	switch (event) {
	case VPN_EVENT_LINK_UP:
		return "link is up";
	case VPN_EVENT_LINK_DOWN:
		return "link is down";
	case VPN_EVENT_MTU:
		return "MTU has changed";
	case VPN_EVENT_PEER_DEAD:
		return "peer does not answer";
	default:
		return "event";
	}
}

static void host_notify(const struct vpn_host *host, uint32_t event, uint64_t value)
{
	const struct pipeline_events *events = &instance_of(host)->pipeline->events;
	char text[64];
	snprintf(text, sizeof(text), "%s (%llu)", event_text(event), (unsigned long long)value);
	log_to(events->log, VPN_LOG_DEBUG, host->name, text);
	if (events->event != NULL)
		events->event(events->ctx, host->name, event, value);
}

static void say_why(const struct log_sink *log, const char *name, const struct vpn_error *err)
{
	char text[sizeof(err->text) + 96];
	const bool os = err->os_errno != 0;
	snprintf(text, sizeof(text), "%s%s%s%s", err->text, os ? " (" : "",
		 os ? strerror(err->os_errno) : "", os ? ")" : "");
	log_to(log, VPN_LOG_ERROR, name, text);
}

static void host_fail(const struct vpn_host *host, const struct vpn_error *err)
{
	struct pipeline *p = instance_of(host)->pipeline;
	pthread_mutex_lock(&p->lock);
	bool first = !p->failed;
	if (first) {
		size_t known = err->size < sizeof(p->error) ? err->size : sizeof(p->error);
		p->failed = true;
		memcpy(&p->error, err, known);
		p->error.size = sizeof(p->error);
		p->error.text[sizeof(p->error.text) - 1] = '\0';
	}
	pthread_mutex_unlock(&p->lock);
	if (!first)
		return;
	say_why(p->events.log, host->name, &p->error); /* nobody changes it any more */
	if (p->events.failed != NULL)
		p->events.failed(p->events.ctx);
}

static const void *own_service(struct instance *in, const char *id, void **ret_inst)
{
	const bool journal = strcmp(id, VPN_EXT_JOURNAL) == 0;
	*ret_inst = journal ? (void *)in : (void *)&in->main;
	if (journal)
		return in->pipeline->journal.journal != NULL ? &journal_service_ext : NULL;
	if (in->main.loop != NULL && strcmp(id, VPN_EXT_LOOP) == 0)
		return &mainloop_ext;
	if (in->main.loop != NULL && strcmp(id, VPN_EXT_RECONCILE) == 0)
		return &reconcile_ext;
	return NULL;
}

static const void *host_get_service(const struct vpn_host *host, const char *id, void **ret_inst)
{
	struct pipeline *p = instance_of(host)->pipeline;
	const void *own = own_service(instance_of(host), id, ret_inst);
	if (own != NULL)
		return own;
	for (size_t i = 0; i < p->n_instances; i++) {
		struct instance *in = &p->instances[i];
		const struct vpn_lifecycle *life = in->component->lifecycle;
		if (in == instance_of(host) || !in->created || life->get_extension == NULL)
			continue; /* the loader has seen that the field is there */
		const void *found = life->get_extension(in->inst, id);
		if (found == NULL)
			continue;
		*ret_inst = in->inst;
		return found;
	}
	return NULL;
}

/* The id of the component above; NULL for the device and outside of the pipeline. */
static const char *above(const struct graph *graph, const struct graph_stage *stage)
{
	if (stage == NULL || stage == graph->stages)
		return NULL;
	return stage[-1].part->loaded->component->id;
}

void host_init(struct instance *in, const struct graph *graph, const struct graph_stage *stage)
{
	in->host = (struct vpn_host){
		.size = sizeof(in->host),
		.abi_major = VPN_ABI_MAJOR,
		.abi_minor = VPN_ABI_MINOR,
		.n_lanes = stage != NULL ? graph->n_lanes : 0,
		.log_level = log_level(),
		.mtu_above = stage != NULL ? stage->mtu_above : 0,
		.mtu_below = stage != NULL ? stage->mtu_below : 0,
		.flags = graph->layer,
		.name = in->part->name,
		.pipeline = graph->manifest->name,
		.ctx = in,
		.log = host_log,
		.now_ns = host_now_ns,
		.wall_ns = host_wall_ns,
		.random = host_random,
		.alloc = lane_alloc,
		.release = lane_release,
		.split = lane_split,
		.watch = lane_watch,
		.arm = lane_arm,
		.wake = host_wake,
		.resolve = lane_resolve,
		.writable = lane_writable,
		.notify = host_notify,
		.fail = host_fail,
		.get_service = host_get_service,
		.above = above(graph, stage),
	};
}

void host_init_bare(struct vpn_host *host, const char *name, const char *pipeline)
{
	*host = (struct vpn_host){
		.size = sizeof(*host),
		.abi_major = VPN_ABI_MAJOR,
		.abi_minor = VPN_ABI_MINOR,
		.log_level = log_level(),
		.name = name,
		.pipeline = pipeline,
		.log = host_log,
		.now_ns = host_now_ns,
		.wall_ns = host_wall_ns,
		.random = host_random,
	};
}
