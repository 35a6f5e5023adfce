/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * wg_pair: two instances of the component on one test host, joined by a wire. Both send numbered UDP
 * packets, and take note of which have arrived:
 *
 *	pair_init(&p);
 *	p.a.peer.keepalive = 25;                   options, before the start
 *	pair_start(&p, NULL);                      makes, starts and joins both
 *	pair_send(&p, &p.a);                       the next packet of a, to b
 *	pair_advance(&p, WG_SECOND);               moves the clock and takes in what has arrived
 *	assert_int_equal(p.b.got, 1);
 *	pair_end(&p);
 */
#ifndef TEST_WG_PAIR_H
#define TEST_WG_PAIR_H

#include "wg_world.h"

#define PAIR_NUMBERS 8192u

struct side {
	struct testhost_stage *stage;
	struct wg *wg;
	struct wg_options options;
	struct wg_peer_options peer; /* the other side, as this one has it */
	struct vpn_prefix prefix;    /* what is behind the other side */
	uint8_t private_key[WG_KEY_LEN];
	uint8_t public_key[WG_KEY_LEN];
	const char *inside; /* its own address in the tunnel */
	const char *host;   /* where it is on the wire */
	uint16_t port;
	uint32_t sent;
	uint32_t got;
	uint8_t seen[PAIR_NUMBERS]; /* of the other side's: how often each has come */
};

struct pair {
	struct testhost *host;
	struct testhost_setup setup; /* of both */
	struct testhost_wire *wire;
	struct testhost_wire_setup wire_setup;
	struct side a, b;
};

void pair_init(struct pair *p);
void pair_start(struct pair *p, const struct testhost_wire_setup *wire);
void pair_end(struct pair *p);

/* The two parts of a restart. */
void pair_kill(struct pair *p, struct side *s);
void pair_revive(struct pair *p, struct side *s);

/* The next packet of a side for the other one, from its device on this lane. False: it was not taken. */
bool pair_send_on(struct pair *p, struct side *from, uint32_t lane);
void pair_send(struct pair *p, struct side *from);

/* Moves the clock and takes what came up on both sides; a packet that came twice or is not what was
 * sent fails the test. */
void pair_advance(struct pair *p, uint64_t ns);
/* The same with the clock where it is. */
void pair_take(struct pair *p);

/* A side's peer, which is the other side; NULL when it is not configured. */
struct wg_peer *pair_peer_of(struct pair *p, struct side *s);

uint64_t pair_count(const struct side *s, enum wg_count what);

#endif
