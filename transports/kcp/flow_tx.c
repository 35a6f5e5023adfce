/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * flow_tx: the sender. In each flush: a probe if one is due, what is lost and still of use, parity, then
 * new messages, as far as window and pace allow. What waits is in flow_queue.c, how messages go out in
 * flow_message.c and flow_repair.c, what becomes of them in flow_fate.c.
 */
#include <stdlib.h>
#include <string.h>

#include "flow_parts.h"

#define BACKLOG_MOST   1024u /* messages */
#define GROUP_MOST_US  8000u
#define GROUP_LEAST_US 1000u
#define RETRY_US       1000u /* when packets have run out */
#define AIM            0.01  /* of what is lost: each one that stays lost stalls a lane */
#define MESSAGES_LEAST 64u
#define MESSAGES_MOST  8192u

static uint32_t power_of_two(uint32_t n)
{
	uint32_t p = 1;
	while (p < n)
		p *= 2;
	return p;
}

static uint32_t clamp(uint32_t n, uint32_t least, uint32_t most)
{
	return n < least ? least : n < most ? n : most;
}

bool flow_tx_init(struct kcp_flow *f)
{
	struct flow_tx *tx = &f->tx;
	uint32_t window = clamp(f->settings->snd_wnd, MESSAGES_LEAST, MESSAGES_MOST);
	uint32_t messages = power_of_two(window);
	uint32_t sent = clamp(2 * messages, FLOW_SENT_LEAST, FLOW_SENT_MOST);
	tx->message_mask = messages - 1;
	tx->sent_mask = sent - 1;
	tx->sent = calloc(sent, sizeof(*tx->sent));
	tx->watched = calloc(sent / 64, sizeof(*tx->watched));
	if (f->is_deadline) {
		tx->messages = calloc(messages, sizeof(*tx->messages));
		tx->line = calloc(messages, sizeof(*tx->line));
		if (tx->messages == NULL || tx->line == NULL)
			return false;
	}
	kcp_group_prepare();
	kcp_group_tx_init(&tx->group, f->cells);
	return tx->sent != NULL && tx->watched != NULL &&
	       kcp_backlog_init(&tx->backlog, BACKLOG_MOST, f->settings->queue_us, f->mtu);
}

/* Gives back what is kept of what was sent. */
static void forget_sent(struct kcp_flow *f)
{
	struct flow_tx *tx = &f->tx;
	for (; tx->messages != NULL && tx->floor < tx->next_id; tx->floor++)
		kcp_cells_give(f->cells, flow_message_at(f, tx->floor)->cell);
	for (; tx->parity_head != tx->parity_tail; tx->parity_head++)
		kcp_cells_give(f->cells, tx->parity[tx->parity_head % FLOW_PARITY_MOST].cell);
	kcp_group_close(&tx->group, 0);
	tx->group_open = false;
}

void flow_tx_clear(struct kcp_flow *f)
{
	struct flow_tx *tx = &f->tx;
	struct kcp_backlog_item item;
	while (tx->backlog.items != NULL && kcp_backlog_take(&tx->backlog, &item))
		flow_queue_drop(f, &item, KCP_DROP_SESSION_ENDED);
	forget_sent(f);
	kcp_backlog_clear(&tx->backlog);
	free(tx->sent);
	free(tx->watched);
	free(tx->messages);
	free(tx->line);
}

static enum kcp_congestion_kind model_of(const struct kcp_settings *s)
{
	switch (s->congestion) {
	case KCP_CONGESTION_NONE:
		return KCP_CC_NONE;
	case KCP_CONGESTION_RENO:
		return KCP_CC_RENO;
	default:
		return KCP_CC_RATE;
	}
}

void flow_tx_reset(struct kcp_flow *f, uint64_t now_us)
{
	struct flow_tx *tx = &f->tx;
	const struct kcp_settings *s = f->settings;
	forget_sent(f);
	memset(tx->sent, 0, (tx->sent_mask + 1u) * sizeof(*tx->sent));
	memset(tx->watched, 0, (tx->sent_mask + 1u) / 64 * sizeof(*tx->watched));
	if (tx->messages != NULL)
		memset(tx->messages, 0, (tx->message_mask + 1u) * sizeof(*tx->messages));
	memset(tx->groups, 0, sizeof(tx->groups));
	memset(tx->lane_last, 0, sizeof(tx->lane_last));
	tx->next_pn = FLOW_FIRST_ID + flow_begin_first_pn(f->own_id, f->peer_id);
	tx->low_pn = tx->watch_pn = tx->next_pn;
	tx->largest_acked = 0;
	tx->n_flying = 0;
	tx->next_id = tx->floor = tx->told_floor = FLOW_FIRST_ID;
	tx->line_head = tx->line_tail = 0;
	tx->parity_head = tx->parity_tail = 0;
	tx->has_given_up = tx->wants_ping = tx->wants_probe = false;
	tx->loss_us = KCP_NEVER;
	tx->probes = 0;
	tx->reorder_pn = 3;
	tx->reorder_8th = 1;
	tx->calm_us = tx->raised_us = now_us;
	kcp_group_plan_init(&tx->plan, s->fec_min, s->fec_max, AIM);
	kcp_rtt_init(&f->rtt);
	kcp_pacer_init(&f->pacer, f->mtu);
	kcp_congestion_init(&f->congestion,
			    &(struct kcp_congestion_setup){.kind = model_of(s),
							   .datagram = f->mtu,
							   .window = s->snd_wnd,
							   .bytes_per_s = s->rate_bps / 8,
							   .seed = f->rng},
			    now_us);
	kcp_pacer_set_rate(&f->pacer, kcp_congestion_pace(&f->congestion));
}

/* ---- room ---- */

static bool has_nothing_to_send(const struct flow_tx *tx)
{
	return kcp_backlog_count(&tx->backlog) == 0 && tx->line_head == tx->line_tail &&
	       tx->parity_head == tx->parity_tail;
}

uint64_t flow_tx_account(struct kcp_flow *f, const struct flow_sent *what, uint32_t bytes,
			 uint64_t now_us)
{
	struct flow_tx *tx = &f->tx;
	uint64_t pn = tx->next_pn++;
	uint64_t at = pn & tx->sent_mask;
	struct flow_sent *s = &tx->sent[at];
	if (tx->next_pn - tx->watch_pn > tx->sent_mask + 1u)
		tx->watch_pn = tx->next_pn - tx->sent_mask - 1;
	*s = *what;
	s->fate = FLOW_FLYING;
	tx->watched[at / 64] |= UINT64_C(1) << (at % 64);
	if (tx->n_flying++ == 0)
		tx->low_pn = pn;
	kcp_congestion_sent(&f->congestion, &s->cc, bytes, has_nothing_to_send(tx), now_us);
	kcp_pacer_sent(&f->pacer, bytes, now_us);
	tx->last_sent_us = now_us;
	if (f->unheard_us == 0)
		f->unheard_us = now_us;
	return pn;
}

/* ---- flush ---- */

static uint64_t group_time(const struct kcp_flow *f)
{
	uint64_t t = f->rtt.srtt_us / 8;
	if (t < GROUP_LEAST_US)
		return GROUP_LEAST_US;
	return t < GROUP_MOST_US ? t : GROUP_MOST_US;
}

void flow_tx_flush(struct kcp_flow *f, uint64_t now_us)
{
	struct flow_tx *tx = &f->tx;
	if (tx->group_open && now_us - tx->group.opened_us >= group_time(f))
		flow_message_close_group(f);
	if (tx->wants_probe)
		flow_repair_probe(f, now_us);
	while (tx->line_head != tx->line_tail && flow_tx_may_send(f, now_us))
		if (!flow_repair_send(f, now_us))
			break;
	while (tx->parity_head != tx->parity_tail && flow_tx_may_send(f, now_us))
		if (!flow_repair_parity(f, now_us))
			break;
	while (flow_tx_may_send(f, now_us) && flow_tx_has_window(f))
		if (!flow_message_send(f, now_us))
			break;
	flow_fate_advance(f, now_us);
	if (tx->wants_ping || (tx->has_given_up && tx->floor > tx->told_floor))
		(void)flow_repair_ping(f, now_us);
}

uint64_t flow_tx_next(const struct kcp_flow *f, uint64_t now_us)
{
	const struct flow_tx *tx = &f->tx;
	uint64_t next = KCP_NEVER;
	if (tx->group_open)
		next = tx->group.opened_us + group_time(f);
	if (has_nothing_to_send(tx) && !tx->wants_ping && !tx->wants_probe)
		return next;
	/* acks and writable() bring a flush by themselves */
	if (!kcp_congestion_may_send(&f->congestion) || !f->out.can_emit(f->out.ctx) ||
	    !flow_tx_has_room(tx) || !flow_tx_has_window(f))
		return next;
	uint64_t paced = kcp_pacer_next(&f->pacer, now_us);
	if (paced <= now_us)
		paced = now_us + RETRY_US; /* packets have run out */
	return paced < next ? paced : next;
}
