/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * arq_parts: what the files of the engine share.
 *
 *   arq.c        its life, and flush()
 *   arq_input.c  what comes from the peer
 *   arq_loss.c   what is taken for lost, and when
 *   arq_send.c   segments on their way out: data, again and for the first time, answers, questions
 */
#ifndef KCP_ARQ_PARTS_H
#define KCP_ARQ_PARTS_H

#include "arq.h"

#define KCP_ARQ_RTO_CEILING UINT64_C(60000000) /* us: ikcp.c, IKCP_RTO_MAX */

static inline void kcp_arq_count(const struct kcp_arq *a, enum kcp_count what, uint64_t n)
{
	if (n != 0)
		a->outlet.count(a->outlet.ctx, what, n);
}

static inline bool kcp_arq_can_emit(const struct kcp_arq *a)
{
	return a->outlet.can_emit(a->outlet.ctx);
}

/* Whether a message, or a part of one, waits to be sent. */
static inline bool kcp_arq_has_more(const struct kcp_arq *a)
{
	return a->cutting != NULL || kcp_backlog_count(&a->backlog) != 0;
}

/* Whether both windows have room for one more segment. The peer's counts from the una it came with. */
static inline bool kcp_arq_has_room(const struct kcp_arq *a)
{
	return kcp_sendwin_count(&a->window) < a->settings->snd_wnd &&
	       a->window.nxt - a->peer_una < a->peer_wnd;
}

/* Whether the peer's window has room for a segment that was sent: it may not have told us before. */
static inline bool kcp_arq_is_covered(const struct kcp_arq *a, const struct kcp_sent *s)
{
	return kcp_sendwin_number(&a->window, s) - a->peer_una < a->peer_wnd;
}

/* arq_input.c: see kcp_engine_ops. */
bool kcp_arq_input(void *engine, struct vpn_packet *datagram, bool recovered, uint64_t now_us);
/* Delivers what is in order. */
void kcp_arq_drain(struct kcp_arq *a);

/* arq_loss.c: the timeout for a segment that is sent now, us. */
uint32_t kcp_arq_timeout(const struct kcp_arq *a);
/* Brackets of what acknowledgements say to the congestion control: see congestion.h. begin() may be called
 * again. */
void kcp_arq_begin_round(struct kcp_arq *a);
void kcp_arq_end_round(struct kcp_arq *a, uint64_t now_us);
/* Puts the segments whose timeout has passed into the list of lost ones. */
void kcp_arq_find_expired(struct kcp_arq *a, uint64_t now_us);
/* And those that were overtaken. Returns when one more will be, if nothing comes; KCP_NEVER: none. */
uint64_t kcp_arq_find_overtaken(struct kcp_arq *a, uint64_t now_us);

/* arq_send.c: lost segments, then new data, as far as windows and pace allow. False: a packet or cell is
 * missing; try again soon. */
bool kcp_arq_send_data(struct kcp_arq *a, uint64_t now_us);
/* Acknowledgements that are due, the question for the peer's window, the answer about ours. */
void kcp_arq_send_control(struct kcp_arq *a, uint64_t now_us);
/* All acknowledgements that are owed. */
void kcp_arq_send_acks(struct kcp_arq *a);

#endif
