/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * staging: packets that wait for a session, on the lane that they came from. Each peer has a queue on
 * each lane, linked through the packets' scratch words; the lane has the list of peers that have one.
 * A peer in that list is referenced.
 */
#ifndef WG_STAGING_H
#define WG_STAGING_H

#include <stdbool.h>
#include <vpncore/plugin.h>

#include "constants.h"

struct wg_lane;
struct wg_peer;

#define WG_STAGED_LANE_MAX \
	256u /* of all peers: the rest of the pool stays for those that can send */

struct wg_staging {
	struct wg_peer *first; /* by wg_peer_lane.next_staged */
	uint32_t count;        /* packets */
};

/* Takes all packets. The oldest of the peer are dropped when it has too many; when the lane has, the
 * oldest of the peer that has the most. [lane] */
void wg_staging_put(struct wg_lane *l, struct wg_peer *peer, struct vpn_packet **pkts, uint32_t n);

/* Sends what waits for this peer, if it has a session now. [lane], not with the lock held */
void wg_staging_flush(struct wg_lane *l, struct wg_peer *peer);

/* Looks at every waiting peer: sends, or drops when it is gone, stopped or has not answered. [lane],
 * not with the lock held */
void wg_staging_review(struct wg_lane *l);

/* Drops everything, uncounted. [main], in stop() */
void wg_staging_clear(struct wg_lane *l);

#endif
