/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * mode: what one mode of the transport is. obfs.c is the stage: it owns queues, pushes and counters; a
 * mode changes packets where they are, and says what becomes of them.
 *
 * Functions are called on the lane whose struct obfs_lane is given; a mode pushes nothing and so is never
 * entered twice. Lanes share what create() made, which does not change afterwards (or by atomics alone);
 * `own` belongs to one lane. Endpoints are passed on untouched: several peers may share one socket.
 */
#ifndef OBFS_MODE_H
#define OBFS_MODE_H

#include <stddef.h>
#include <vpncore/plugin.h>

#include "counts.h"
#include "options.h"
#include "queue.h"
#include "random.h"
#include "report.h"

#define OBFS_LEAD_MOST 160u /* datagrams that before() may put in front of a packet */

/* What becomes of a packet: OBFS_PASS when a batch is given to the mode. */
#define OBFS_PASS     0u   /* goes on */
#define OBFS_KEPT     253u /* seal: the mode owns it now, and gives it to obfs_emit() later */
#define OBFS_LEAD     254u /* seal: goes on, behind what before() makes */
#define OBFS_CONSUMED 255u /* ends here, as it should: junk. The mode has counted it */
/* Dropped, under this reason. */
#define OBFS_DROP(count) ((uint8_t)((count) + 1u))

/* One lane of an instance. */
struct obfs_lane {
	const struct vpn_host *host;
	struct vpn_lane *lane;
	void *mode;                /* what create() made */
	void *own;                 /* lane_size bytes of this lane */
	struct obfs_random random; /* of this lane */
	/* the stage's */
	struct obfs_queue queue[2]; /* by direction: what a neighbour did not take */
	struct obfs_report report;  /* of what did not fit */
};

struct obfs_mode {
	const char *name;

	/* What the option table cannot say of this mode. Pure. [main] */
	vpn_status (*check)(const struct obfs_options *o, struct vpn_error *err);

	/* headroom, tailroom, overhead; flags are added to what the stage has set. Pure. [main] */
	void (*needs)(const struct obfs_options *o, struct vpn_needs *out);

	/* *state is given to destroy() also when this fails; NULL is fine. [main] */
	vpn_status (*create)(const struct vpn_host *host, const struct obfs_options *o,
			     void **state, struct vpn_error *err);
	void (*destroy)(void *state); /* wipes keys; accepts NULL. [main] */

	/* The other stages are made, those above have not been started: what has to be agreed on with
	 * them. May be NULL. [main] */
	vpn_status (*start)(const struct vpn_host *host, void *state, struct vpn_error *err);

	/* Of a lane: `own` is zeroed and aligned as malloc() does; freed by the stage. May be NULL.
	 * [main], within start() and stop() */
	size_t lane_size;
	void (*lane_start)(struct obfs_lane *l);
	void (*lane_stop)(struct obfs_lane *l);

	/* A whole batch down, a whole batch up, in place; n <= VPN_BATCH_MAX. Says in fates[i] what
	 * becomes of pkts[i], which has its endpoint; what is dropped on the way up keeps the length that
	 * it came with, for the log. seal() finds the room that needs() asked for.
	 * [lane] */
	void (*seal)(struct obfs_lane *l, struct vpn_packet **pkts, uint32_t n, uint8_t *fates);
	void (*open)(struct obfs_lane *l, struct vpn_packet **pkts, uint32_t n, uint8_t *fates);

	/* Makes the datagrams that go out just before a packet whose fate is OBFS_LEAD: takes them from
	 * VPN_POOL_TX, fills them ready for the wire, at most `most`; returns how many. The stage gives
	 * them the packet's endpoint, stamp and class. p is sealed already; its scratch is as seal() left
	 * it. May be NULL. [lane] */
	uint32_t (*before)(struct obfs_lane *l, const struct vpn_packet *p, struct vpn_packet **out,
			   uint32_t most);

	/* The deadline that the mode has given to host->arm(). May be NULL. [lane] */
	void (*timer)(struct obfs_lane *l, uint64_t now_ns);
};

/* By enum obfs_mode_id. */
extern const struct obfs_mode *const obfs_modes[OBFS_N_MODES];
extern const struct obfs_mode obfs_salamander;
extern const struct obfs_mode obfs_veil;
extern const struct obfs_mode obfs_mimic;
extern const struct obfs_mode obfs_awg;

/* Sends a datagram of the mode's own, or one that it has kept, ready for the wire, as soon as seal() (ahead of
 * its batch), open() or timer() has returned, which alone may call this. `to` is copied, NULL: the stage
 * below chooses. What there is no room for is dropped
 * and counted. [lane] */
void obfs_emit(struct obfs_lane *l, struct vpn_packet *p, const struct vpn_endpoint *to);

/* Whether what comes from above is of the component `id`; false where the host does not tell. [any] */
static inline bool obfs_is_above(const struct vpn_host *host, const char *id)
{
	return VPN_HAS(host, struct vpn_host, above) && host->above != NULL &&
	       strcmp(host->above, id) == 0;
}

static inline void obfs_count(struct obfs_lane *l, enum obfs_count which, uint64_t n)
{
	vpn_count(l->lane, (uint32_t)which, n);
}

#endif
