/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * lane: a thread with an event loop and packet pools, and its part of every instance in the pipeline.
 *
 * A turn of the loop: poll descriptors -> run what became ready, each about one batch at a time and
 * in turn, until nothing is left or the budget is spent -> program the next deadline -> poll again
 * (without waiting, when the budget was spent).
 */
#ifndef VPNCORE_CORE_LANE_H
#define VPNCORE_CORE_LANE_H

#include <stdatomic.h>
#include <stdbool.h>
#include <uv.h>
#include <vpncore/plugin.h>

#include "deadline.h"
#include "link.h"
#include "pool.h"

/* How long tasks go on before the loop polls: what has come meanwhile at other descriptors waits that
 * long, beside one call. A poll takes about 1 us, a call with a full batch 30 to 200 us. */
#define LANE_BUDGET_NS UINT64_C(50000)

/* A lane goes on polling for a moment after work before it sleeps: what answers to it often comes at once,
 * and to wake a processor that sleeps takes longer than that (docs/performance.md has the figures). It
 * gives way to whoever else wants the processor, and lingers for a small share of the time only. */
#define LANE_LINGER_NS    UINT64_C(100000)
#define LANE_LINGER_SHARE 16u               /* one part in so many, in the long run */
#define LANE_LINGER_MOST  UINT64_C(2000000) /* ns that can be saved up */

struct lane;
struct lane_part;

enum task_kind { TASK_READY, TASK_WRITABLE_UP, TASK_WRITABLE_DOWN };

/* Something that a part shall do in the next turn. */
struct task {
	struct task *next;
	struct lane_part *part;
	struct watch *watch; /* TASK_READY of a descriptor; NULL after wake() */
	uint32_t events;
	enum task_kind kind;
	bool queued;
};

struct watch {
	uv_poll_t poll;
	struct watch *next;
	struct task task;
	uint64_t token;
	int fd;
	uint32_t wanted; /* VPN_POLL*, 0 = not polled at present */
	bool stopped;    /* libuv has stopped polling it after an error */
};

struct lookup {
	uv_getaddrinfo_t request;
	struct lookup *next;
	struct lane_part *part; /* NULL when nobody waits any more */
	uint64_t token;
	uint16_t port;
};

/* What an instance has on one lane. */
struct lane_part {
	struct vpn_lane pub; /* pub.host_private points back here */
	struct lane *lane;
	const struct vpn_flow *flow;
	void *inst;
	const char *name;
	struct lane_part *above, *below;
	struct link link_up, link_down; /* from here to the neighbours */
	uint64_t *counters;
	uint64_t deadline_ns;
	struct watch *watches;
	struct task wake, writable_up, writable_down;
	atomic_bool woken;
};

struct lane {
	uv_loop_t loop;
	uint32_t index;
	struct pool pool;
	struct lane_part *parts; /* device first */
	size_t n_parts;
	struct task *first, **last;
	struct deadline deadline;
	uv_prepare_t prepare;
	uv_check_t check;
	uv_idle_t idle; /* active while work is left over: the poll does not wait */
	uv_async_t async;
	atomic_bool stopping;
	atomic_bool resting; /* what the packets need not is to be given back */
	atomic_bool stirred; /* the lane has worked since lane_quiet() was asked */
	void (*on_stir)(void *ctx);
	void *on_stir_ctx;
	uv_thread_t thread;
	bool has_loop, has_async, has_thread;
	struct lane_linger {
		uint64_t worked_ns; /* when something was last done */
		uint64_t seen_ns;   /* when this was last looked at */
		uint64_t credit_ns;
		bool on;
	} linger;
	bool expired;
	struct lookup *lookups;
};

/* Makes a lane with `n_parts` empty parts. NULL and *err on failure. [main] */
struct lane *lane_new(uint32_t index, size_t n_parts, const struct pool_shape *shape,
		      struct vpn_error *err);

/* Puts an instance into part i, between its neighbours. The instance's flow and counters are the
 * component's; flows of the neighbours must be set already or later by the same call. [main] */
vpn_status lane_set_part(struct lane *l, size_t i, const char *name, const struct vpn_flow *flow,
			 void *inst, uint32_t n_counters, uint32_t max_batch);

/* Wires the links between the parts, once all are set. [main] */
void lane_wire(struct lane *l);

/* From now on on_stir(ctx) is told when the lane works for the first time after a lane_quiet(). It is
 * called by the lane and should only wake somebody. Before lane_run(). [main] */
void lane_tell_stir(struct lane *l, void (*on_stir)(void *ctx), void *ctx);

/* Whether the lane has done nothing since this was last asked. [main] */
bool lane_quiet(struct lane *l);

/* The lane gives back the memory of its packets, soon: pool_rest(). [main] */
void lane_rest(struct lane *l);

vpn_status lane_run(struct lane *l, struct vpn_error *err); /* starts the thread. [main] */
void lane_halt(struct lane *l);                             /* stops and joins it. [main] */

/* Frees everything; the instances have been stopped. Returns NULL. A lookup that the resolver has
 * not finished keeps the loop's memory; *ret_busy then becomes true. [main] */
struct lane *lane_free(struct lane *l, bool *ret_busy);

/* The services of plugin.h section 10 that belong to a lane. */
uint32_t lane_alloc(struct vpn_lane *pub, uint32_t pool, struct vpn_packet **out, uint32_t n);
void lane_release(struct vpn_lane *pub, struct vpn_packet **pkts, uint32_t n);
uint32_t lane_split(struct vpn_lane *pub, struct vpn_packet *parent, uint32_t piece_len,
		    struct vpn_packet **out, uint32_t n);
vpn_status lane_watch(struct vpn_lane *pub, int fd, uint32_t events, uint64_t token);
void lane_arm(struct vpn_lane *pub, uint64_t deadline_ns);
vpn_status lane_resolve(struct vpn_lane *pub, const char *name, uint16_t port, uint32_t family,
			uint64_t token);
void lane_writable(struct vpn_lane *pub, uint32_t direction);
void lane_wake(struct lane_part *part); /* [any] */

uint64_t lane_now_ns(void); /* [any] */

#endif
