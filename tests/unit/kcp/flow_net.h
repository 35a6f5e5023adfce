/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * flow_net: two engines of our own wire with their doors, on a clock of their own, joined by a network:
 *
 *	end 0  --- queue, rate --- delay, jitter --- loss, by chance or in bursts ---  end 1
 *
 * in each direction, all from one seed. Every packet and cell is accounted for.
 *
 *	struct flow_net n;
 *	flow_net_init(&n, seed);
 *	...                      settings of n.end[], n.line[]
 *	flow_net_start(&n);      end 0 begins the session
 *	flow_net_run(&n, us);
 *	flow_net_clear(&n);      fails the test when anything leaked
 */
#ifndef KCP_TEST_FLOW_NET_H
#define KCP_TEST_FLOW_NET_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "cells.h"
#include "flow.h"
#include "flow_door.h"

#define FLOW_NET_MTU     1400u
#define FLOW_NET_MESSAGE (FLOW_NET_MTU - KCP_FLOW_OVERHEAD)
#define FLOW_NET_MS      1000u
#define FLOW_NET_SECOND  1000000u
#define FLOW_NET_PPM     1000000u

/* What leaves this end. Shares in parts of a million. */
struct flow_line {
	uint64_t delay_us, jitter_us; /* jitter: datagrams overtake each other */
	uint32_t loss;
	uint32_t burst_begins, burst_ends; /* a burst loses all; Gilbert 1960 */
	uint32_t twice;
	uint64_t bytes_per_s; /* 0 = no bottleneck */
	uint64_t queue_bytes; /* before it; more is lost */
	bool is_cut;
	/* state and tallies */
	bool in_burst;
	uint64_t busy_until_us;
	uint64_t datagrams, bytes, lost, overflowed;
	uint64_t frames[16]; /* by kind */
};

struct flow_net;

struct flow_end {
	struct flow_net *net;
	struct kcp_settings settings;
	struct kcp_cells cells;
	struct kcp_flow_door door;
	void *engine; /* NULL: no session */
	uint32_t conv;
	bool admits; /* HELLO of who has no session */
	uint64_t due_us;
	uint32_t packets; /* that exist on this side */
	uint64_t counts[KCP_N_COUNTS];
	bool above_full, below_full, no_packets;
	uint64_t got_messages, got_bytes;
	uint32_t last_len;
	/* NULL: counted only */
	void (*got)(struct flow_end *e, const uint8_t *data, uint32_t len);
	/* NULL, or sees each datagram before the line does; false: it is lost */
	bool (*tap)(struct flow_end *e, uint8_t *data, uint32_t len);
	void *user;
};

struct flow_net {
	struct flow_end end[2];
	struct flow_line line[2]; /* of what end i sends */
	uint64_t now_us, rng;
	struct flow_net_flight **heap;
	uint32_t n_flights, room;
	uint64_t serial;
	/* traffic: called when its time has come; sets the next, UINT64_MAX = never */
	void (*traffic)(struct flow_net *n);
	uint64_t traffic_us;
	void *user;
};

/* Defaults: deadline 300 ms, windows 4096, FEC 0..100 %, congestion "rate", queue 50 ms, delay 30 ms. */
void flow_net_init(struct flow_net *n, uint64_t seed);
void flow_net_start(struct flow_net *n);
void flow_net_clear(struct flow_net *n);

/* The engine of this end is destroyed and made anew, as after a crash. */
void flow_net_restart(struct flow_end *e, bool begins);

/* One message. Flushes when `flush`. */
void flow_net_send(struct flow_end *e, const void *data, uint32_t len, bool flush);
void flow_net_flush(struct flow_end *e);

/* Offers bytes as a datagram that comes in, as a listener would: to the door or the session. True:
 * something in it was valid. */
bool flow_net_input(struct flow_end *e, const void *data, uint32_t len);

void flow_net_run(struct flow_net *n, uint64_t us);

/* Until both sides are open; fails the test after 10 s. */
void flow_net_open(struct flow_net *n);
bool flow_net_is_open(const struct flow_end *e);

uint64_t flow_net_random(struct flow_net *n);
bool flow_net_chance(struct flow_net *n, uint32_t share);

#endif
