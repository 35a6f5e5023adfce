/* SPDX-License-Identifier: BSD-2-Clause */
/* arq_loss: what is taken for lost: by its timeout as in KCP, or because later ones have arrived. */
#include "arq_parts.h"

#define MS UINT64_C(1000)

/* Figures of ikcp.c. */
#define RTO_FLOOR_NODELAY (30 * MS)
#define RTO_FLOOR         (100 * MS)
#define RTO_INITIAL       (200 * MS)

uint32_t kcp_arq_timeout(const struct kcp_arq *a)
{
	uint64_t floor = a->settings->nodelay != 0 ? RTO_FLOOR_NODELAY : RTO_FLOOR;
	return (uint32_t)kcp_rtt_timeout(&a->rtt, a->settings->interval_us, floor,
					 KCP_ARQ_RTO_CEILING, RTO_INITIAL);
}

void kcp_arq_begin_round(struct kcp_arq *a)
{
	if (a->round_open)
		return;
	a->round_open = true;
	kcp_congestion_ack_begin(&a->congestion);
}

void kcp_arq_end_round(struct kcp_arq *a, uint64_t now_us)
{
	if (!a->round_open)
		return;
	a->round_open = false;
	kcp_congestion_ack_end(&a->congestion, &a->rtt, now_us);
}

static void lose(struct kcp_arq *a, struct kcp_sent *s, uint64_t now_us)
{
	kcp_arq_begin_round(a);
	kcp_congestion_lost(&a->congestion, &s->rate, now_us);
	kcp_copies_learn(&a->copies, true);
	kcp_sendwin_lose(&a->window, s);
}

static uint32_t longer(const struct kcp_arq *a, uint32_t rto_us)
{
	uint32_t path = kcp_arq_timeout(a);
	uint64_t next = rto_us;
	if (a->settings->nodelay == 0)
		next += rto_us > path ? rto_us : path;
	else
		next += (a->settings->nodelay == 1 ? rto_us : path) / 2;
	return (uint32_t)(next < KCP_ARQ_RTO_CEILING ? next : KCP_ARQ_RTO_CEILING);
}

/*
 * When an answer is due, judged by the newest that has come. While a queue on the way grows every answer is
 * later than the round trips before it said, and those that wait behind one another are no sign of loss. Not
 * for what later ones have overtaken.
 */
static uint64_t expected(const struct kcp_arq *a, const struct kcp_sent *s)
{
	if (a->newest_heard_us == 0 || (int32_t)(a->newest_order - s->order) >= 0)
		return 0;
	uint64_t margin = 4 * a->rtt.var_us > a->settings->interval_us ? 4 * a->rtt.var_us
								       : a->settings->interval_us;
	return a->newest_heard_us + (s->sent_us - a->newest_sent_us) + margin;
}

void kcp_arq_find_expired(struct kcp_arq *a, uint64_t now_us)
{
	struct kcp_sent *s;
	while ((s = kcp_sendwin_expired(&a->window, now_us)) != NULL) {
		uint64_t later_us = expected(a, s);
		if (later_us > now_us) {
			kcp_sendwin_postpone(&a->window, s, later_us);
			continue;
		}
		/* what the peer has no room for it has dropped: that says nothing of the path */
		if (kcp_arq_is_covered(a, s))
			s->rto_us = longer(a, s->rto_us);
		lose(a, s, now_us);
		kcp_arq_count(a, KCP_RESENT_TIMEOUT, 1);
	}
	uint64_t patience = 4 * (uint64_t)kcp_arq_timeout(a);
	if (a->timeout_us == 0 || now_us - a->timeout_us < patience)
		return;
	a->timeout_us = now_us;
	kcp_congestion_timeout(&a->congestion, now_us);
}

/* Whether a flying segment is overtaken by so many datagrams' worth of acknowledgements. With nothing left
 * to send there will be no more of those: one is enough then, after a while that allows for reordering. */
static bool is_overtaken(const struct kcp_arq *a, const struct kcp_sent *s, uint64_t now_us,
			 uint64_t *ret_later_us)
{
	uint32_t needed = a->settings->resend;
	if (needed == 0 || a->n_tops == 0)
		return false;
	if (a->n_tops >= needed && (int32_t)(a->tops[needed - 1] - s->order) > 0)
		return true;
	if (kcp_arq_has_more(a) || (int32_t)(a->tops[0] - s->order) <= 0)
		return false;
	uint64_t due = s->sent_us + a->rtt.srtt_us + a->rtt.srtt_us / 8;
	if (due <= now_us)
		return true;
	*ret_later_us = due;
	return false;
}

uint64_t kcp_arq_find_overtaken(struct kcp_arq *a, uint64_t now_us)
{
	uint64_t later = KCP_NEVER;
	struct kcp_sent *s;
	while ((s = kcp_sendwin_first(&a->window, &a->window.flying)) != NULL &&
	       is_overtaken(a, s, now_us, &later)) {
		lose(a, s, now_us);
		kcp_arq_count(a, KCP_RESENT_FAST, 1);
	}
	return later;
}
