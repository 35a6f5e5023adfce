/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * ends: two engines of kcp (engine.h) joined by a line that delays, loses, reorders, doubles and damages
 * datagrams by a seed, on a clock of its own. Devices may be full and packets may run out for a while.
 * Every packet and cell is accounted for.
 *
 *	struct ends w;
 *	ends_init(&w, seed);
 *	...                          settings of w.end[0], w.end[1], w.line
 *	ends_start(&w, &kcp_arq_ops);
 *	ends_send(&w.end[0], data, len);
 *	ends_run(&w, 1000);          a millisecond
 *	ends_clear(&w);              fails the test when anything leaked
 */
#ifndef KCP_TEST_ENDS_H
#define KCP_TEST_ENDS_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "cells.h"
#include "engine.h"

#define ENDS_CELLS   8192u
#define ENDS_PPM     1000000u
#define ENDS_SECOND  UINT64_C(1000000) /* us */
#define ENDS_MESSAGE 4096u             /* most bytes of a message */

/* Shares in parts of a million. */
struct ends_line {
	uint64_t delay_us, jitter_us; /* jitter by chance: datagrams overtake each other */
	uint32_t loss, twice, late, damaged;
	uint64_t late_by_us;
	bool cut; /* nothing arrives any more */
	uint64_t
		still_until_us; /* what is sent before arrives then at the earliest, in its order */
};

struct ends;

struct end {
	struct ends *world;
	const struct kcp_engine_ops *ops;
	void *engine;
	struct kcp_settings settings;
	struct kcp_cells cells;
	uint32_t mtu, conv, message;
	bool initiator;
	uint64_t counts[KCP_N_COUNTS];
	uint64_t due_us;  /* of flush() */
	uint32_t packets; /* that exist on this side */
	uint64_t sent;    /* datagrams */
	uint64_t sent_bytes;
	bool above_full, below_full;
	uint32_t no_packet; /* share of fresh() that gives nothing */
	bool refused;       /* send() has, writable() is awaited */
	bool restarted;
	/* gets each message that arrives, in the order of delivery */
	void (*got)(struct end *e, const uint8_t *data, uint32_t len);
	/* if set, sees each datagram before the line does, and may change it */
	void (*tap)(struct end *e, uint8_t *data, uint32_t len);
	void *user;
};

struct ends_flight; /* a datagram under way */

struct ends {
	struct end end[2];
	struct ends_line line;
	uint64_t now_us;
	uint64_t rng;
	struct ends_flight **heap;
	uint32_t n_flights, room;
	uint64_t serial;
	uint64_t delivered, lost; /* by the line, both directions */
};

/* Defaults: fast, windows 256, mtu 1400, messages of ENDS_MESSAGE, no congestion control, no queue limit. */
void ends_init(struct ends *w, uint64_t seed);
void ends_start(struct ends *w, const struct kcp_engine_ops *ops);

/* Destroys both engines and what is under way; fails the test when packets or cells are left. */
void ends_clear(struct ends *w);

/* This side alone begins anew: its engine is destroyed and another one created, with this conv. */
void ends_restart(struct end *e, uint32_t conv);

/* One message into send(), and a flush. False: refused, the message is forgotten. */
bool ends_send(struct end *e, const void *data, uint32_t len);

/* Offers bytes as a datagram of the peer, in a packet with no room beyond them. */
bool ends_input(struct end *e, const void *data, uint32_t len);

/* Time passes, with all that happens meanwhile. */
void ends_run(struct ends *w, uint64_t us);

/* The device takes messages again, or does not. */
void ends_set_above(struct end *e, bool full);
void ends_set_below(struct end *e, bool full);

uint64_t ends_random(struct ends *w);
/* Below n; n > 0. */
uint64_t ends_below(struct ends *w, uint64_t n);
/* True in `share` of a million cases. */
bool ends_chance(struct ends *w, uint32_t share);

#endif
