/* SPDX-License-Identifier: BSD-2-Clause */
/* lane: what an instance has on one lane, and how packets that it makes itself leave. */
#ifndef WG_LANE_H
#define WG_LANE_H

#include <stdbool.h>
#include <vpncore/plugin.h>

#include "aead.h"
#include "handshake.h"
#include "staging.h"

struct wg;

#define WG_OUTBOX 96u /* handshakes and keepalives that one turn of work can make */

/* Packets that are ready to go down, each with its endpoint (family VPN_AF_NONE = none). */
struct wg_outgoing {
	uint32_t n;
	struct vpn_packet *pkts[VPN_BATCH_MAX];
	struct vpn_endpoint to[VPN_BATCH_MAX];
};

struct wg_lane {
	_Alignas(64) struct wg *wg;
	const struct vpn_host *host;
	struct vpn_lane *pub;
	struct wg_aead *aead;
	uint64_t armed_ns;       /* the deadline that the host was given, 0 = none */
	uint64_t unreachable_ns; /* when the last ICMP error was made */
	uint32_t given_up; /* peers that do not answer, to be told when the lock is released */
	struct wg_staging staging;
	struct wg_outgoing outbox; /* made under the lock, to be sent when it is released */
	struct wg_outgoing held;   /* sealed packets that the stage below has not taken */
	struct wg_handshake_queue queue;
};

/* Around every callback. leave() serves what has become due and programs the lane's deadline. Not
 * with the lock held. [lane] */
void wg_lane_enter(struct wg_lane *l);
void wg_lane_leave(struct wg_lane *l);

/* A packet with `len` bytes of data to fill in; NULL is counted. `pool` is VPN_POOL_TX or VPN_POOL_RX
 * (for answers to arrivals). [lane] */
struct vpn_packet *wg_lane_packet(struct wg_lane *l, uint32_t pool, uint32_t len);

/* Puts a packet into the outbox. [lane], also with the lock held */
void wg_lane_post(struct wg_lane *l, struct vpn_packet *p, const struct vpn_endpoint *to);

/* Sends what is in the outbox. Not with the lock held. [lane] */
void wg_lane_flush(struct wg_lane *l);

/* Pushes pkts[0..n) down, which have their endpoints set; what is not taken is held, or dropped and
 * counted when there is no room. [lane] */
void wg_lane_push(struct wg_lane *l, struct vpn_packet **pkts, uint32_t n);

/* The stage below takes packets again. [lane] */
void wg_lane_resume(struct wg_lane *l);

/* Gives back everything that the lane holds. [main], in stop() */
void wg_lane_clear(struct wg_lane *l);

#endif
