/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * batch: packets on their way out of the component, in both directions. What sessions emit and deliver
 * is collected here and pushed whole: sealed together, one push for all. What a neighbour does not take
 * stays here, and nothing more is accepted until it does. [lane]
 *
 * A push may come back to us (plugin.h section 8). So nothing is pushed while an engine is at work, and
 * what is collected during a push goes behind what is under way.
 */
#ifndef KCP_BATCH_H
#define KCP_BATCH_H

#include <stdbool.h>
#include <vpncore/plugin.h>

#define KCP_BATCH_ROOM (2 * VPN_BATCH_MAX)

struct kcp;

#define KCP_ANSWERS 16u /* packets without a session that may wait to be pushed */

struct kcp_batch {
	struct vpn_packet *pkts[KCP_BATCH_ROOM];
	uint32_t n;
	uint32_t n_sealed; /* down: of these, from the first on */
	bool blocked;      /* the neighbour takes no more */
	bool pushing;
	struct vpn_endpoint answers[KCP_ANSWERS]; /* down: where those packets go to */
	uint32_t n_answers;
};

/* Takes a packet. What there is no room for is dropped and counted: see kcp_batch_accepts(). */
void kcp_batch_down(struct kcp *k, struct vpn_packet *p);
void kcp_batch_up(struct kcp *k, struct vpn_packet *p);

/* A packet down that belongs to no session; `to` is copied, NULL: the stage below chooses. */
void kcp_batch_answer(struct kcp *k, struct vpn_packet *p, const struct vpn_endpoint *to);

/* True while the neighbour takes packets and there is room for a few: parity comes in one go. */
static inline bool kcp_batch_accepts(const struct kcp_batch *b)
{
	return !b->blocked && b->n < VPN_BATCH_MAX;
}

/* True when there is no room, and a push makes some. */
static inline bool kcp_batch_is_full(const struct kcp_batch *b)
{
	return !b->blocked && b->n >= VPN_BATCH_MAX;
}

/* Pushes what is there. */
void kcp_batch_push_down(struct kcp *k);
void kcp_batch_push_up(struct kcp *k);

/* The session that these endpoints belong to ends: its packets are released. */
void kcp_batch_forget(struct kcp *k, const struct vpn_endpoint *first,
		      const struct vpn_endpoint *second);

/* Releases everything, uncounted. [main], in stop() */
void kcp_batch_clear(struct kcp *k);

#endif
