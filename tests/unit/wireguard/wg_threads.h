/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * wg_threads: a small host with real threads, one for each lane, for two instances whose packets go to
 * and fro through queues in memory. What one pushes down comes to any lane of the other, some of it
 * twice, and none when its queue is full. Time is a number that moves on with the work.
 *
 * Each lane sends packets that are numbered, as fast as it can. What comes up is checked there: it
 * was sent, and it has not come before; anything else ends the program.
 */
#ifndef TEST_WG_THREADS_H
#define TEST_WG_THREADS_H

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <vpncore/plugin.h>

#include "config.h"
#include "options.h"

#define THREAD_LANES   3u
#define THREAD_NUMBERS 131072u /* packets of one lane */
#define THREAD_QUEUE   64u
#define THREAD_MESSAGE 256u

extern const struct vpn_plugin vpncore_plugin_v1; /* the component's */

struct message {
	uint32_t len;
	uint8_t data[THREAD_MESSAGE];
};

struct node;

/* One lane of one instance, and its thread. */
struct thread_lane {
	struct node *node;
	struct vpn_lane pub;
	struct vpn_link up, down;
	pthread_t thread;
	_Atomic bool woken;
	uint64_t deadline;
	uint64_t produced; /* when it last sent a batch */
	bool blocked;      /* a push was not taken whole */
	uint64_t random;   /* state of a generator */
	_Atomic uint32_t sent;
	_Atomic uint64_t reached; /* the time that its last turn was at */
	/* what is on its way to here */
	pthread_mutex_t lock;
	uint32_t head, count;
	struct message queue[THREAD_QUEUE];
};

struct node {
	struct threads *all;
	struct node *other;
	struct vpn_host host;
	struct vpn_needs needs;
	struct wg_options options;
	struct vpn_device_info device; /* by the thread that controls */
	void (*changed)(void *ctx);
	void *changed_ctx;
	struct wg *wg;
	uint8_t inside[4];
	struct vpn_endpoint at;
	_Atomic uint64_t got;
	uint64_t counters[THREAD_LANES][64];
	struct thread_lane lanes[THREAD_LANES];
	/* of the other's lanes: what has come */
	_Atomic uint8_t seen[THREAD_LANES][THREAD_NUMBERS];
};

struct threads {
	uint32_t n_lanes;
	bool cut; /* nothing arrives, and lanes send without end; set before they run */
	_Atomic uint64_t now;
	_Atomic bool ended;
	_Atomic int64_t packets; /* that exist */
	_Atomic uint32_t limit;  /* how many each lane sends */
	struct node a, b;
};

/* Makes and starts both; `a` and `b` have their private keys and nothing else. */
struct threads *threads_new(uint32_t n_lanes, const uint8_t a[WG_KEY_LEN],
			    const uint8_t b[WG_KEY_LEN]);
void threads_run(struct threads *t);

/* True when every lane has sent its packets. */
bool threads_done(struct threads *t);

/* Joins the threads, stops and destroys both; a packet that is missing ends the program. */
void threads_end(struct threads *t);

/* The device of a node goes up or down; [main] as the plugin sees it. */
void threads_set_device(struct node *n, bool up);

uint64_t threads_random(uint64_t *state);

#define CHECK(what) \
	do { \
		if (!(what)) \
			threads_die(__FILE__, __LINE__, #what); \
	} while (0)
void threads_die(const char *file, int line, const char *what) __attribute__((noreturn));

#endif
