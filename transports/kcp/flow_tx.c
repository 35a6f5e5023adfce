/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * flow_tx: the sender. In each flush: a probe if one is due, what is lost and still of use, parity, then
 * new messages, as far as window and pace allow.
 */
#include <stdlib.h>
#include <string.h>

#include "flow_parts.h"

#define BACKLOG_MOST   1024u /* messages */
#define HELD_MOST      192u  /* of these as packets: the device needs packets as well */
#define WAIT_MOST_US   1000000u
#define SMALL          256u /* bytes: two that wait share a datagram */
#define MULTI_MOST     32u  /* messages */
#define GROUP_MOST_US  8000u
#define GROUP_LEAST_US 1000u
#define RETRY_US       1000u /* when packets have run out */
#define IS_CELL        1u    /* in the low bit of a backlog item's pointer */
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

static void drop_item(struct kcp_flow *f, const struct kcp_backlog_item *item,
		      enum kcp_count reason)
{
	uintptr_t what = (uintptr_t)item->what;
	flow_count(f, reason, 1);
	if ((what & IS_CELL) != 0) {
		kcp_cells_give(f->cells, (uint8_t *)(what & ~(uintptr_t)IS_CELL));
	} else {
		f->tx.n_held--;
		f->out.release(f->out.ctx, item->what);
	}
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
		drop_item(f, &item, KCP_DROP_SESSION_ENDED);
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

/* ---- what waits ---- */

bool flow_tx_queue(struct kcp_flow *f, struct vpn_packet *p, uint64_t now_us)
{
	struct flow_tx *tx = &f->tx;
	struct kcp_backlog_item old;
	uint32_t len = p->len;
	if (len == 0 || len > f->message || (f->state == FLOW_OPEN && len > f->peer_message)) {
		flow_drop(f, p, len == 0 ? KCP_DROP_EMPTY : KCP_DROP_TOO_BIG);
		return true;
	}
	/* the oldest makes room: what is new is of more use */
	if (kcp_backlog_is_full(&tx->backlog) && kcp_backlog_take(&tx->backlog, &old))
		drop_item(f, &old, KCP_DROP_QUEUE_FULL);
	uint32_t lane = flow_lane_of(vpn_packet_data(p), len, f->message / 4 * 3);
	if (tx->n_held < HELD_MOST) {
		tx->n_held++;
		(void)kcp_backlog_push(&tx->backlog, p, len, lane, now_us);
		return true;
	}
	uint8_t *cell = kcp_cells_take(f->cells);
	if (cell == NULL) {
		flow_drop(f, p, KCP_DROP_NO_MEMORY);
		return true;
	}
	memcpy(cell, vpn_packet_data(p), len);
	f->out.release(f->out.ctx, p);
	(void)kcp_backlog_push(&tx->backlog, (void *)((uintptr_t)cell | IS_CELL), len, lane,
			       now_us);
	return true;
}

void flow_tx_expire(struct kcp_flow *f, uint64_t now_us)
{
	struct flow_tx *tx = &f->tx;
	const struct kcp_backlog_item *head;
	struct kcp_backlog_item item;
	uint64_t most = f->is_deadline && f->settings->deadline_us < WAIT_MOST_US
				? f->settings->deadline_us
				: WAIT_MOST_US;
	/* while the session begins there is nothing that would be too late yet */
	if (f->state != FLOW_OPEN)
		most = WAIT_MOST_US;
	while ((head = kcp_backlog_peek(&tx->backlog)) != NULL && now_us - head->at_us > most) {
		(void)kcp_backlog_take(&tx->backlog, &item);
		drop_item(f, &item, KCP_DROP_QUEUE_OLD);
	}
}

/* ---- datagrams ---- */

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

static bool has_room(const struct flow_tx *tx)
{
	return tx->next_pn - tx->low_pn < tx->sent_mask;
}

static bool may_send(const struct kcp_flow *f, uint64_t now_us)
{
	return kcp_congestion_may_send(&f->congestion) && kcp_pacer_may_send(&f->pacer, now_us) &&
	       has_room(&f->tx) && f->out.can_emit(f->out.ctx);
}

static bool emit_ping(struct kcp_flow *f, uint64_t now_us)
{
	if (!has_room(&f->tx) || !f->out.can_emit(f->out.ctx))
		return false;
	struct vpn_packet *p = f->out.fresh(f->out.ctx, KCP_FRESH_ANSWER);
	if (p == NULL)
		return false;
	uint64_t floor = f->is_deadline ? f->tx.floor : FLOW_FIRST_ID;
	struct flow_sent what = {.what = FLOW_IS_PING};
	struct kcp_frame h = {
		.kind = KCP_FRAME_PING,
		.number = flow_peer_number(f),
		.pn = (uint32_t)flow_tx_account(f, &what, KCP_FRAME_HEAD_LEN, now_us),
		.id = (uint32_t)floor,
	};
	kcp_frame_write(vpn_packet_data(p), &h);
	p->len = KCP_FRAME_HEAD_LEN;
	f->tx.told_floor = floor;
	f->tx.has_given_up = false;
	f->tx.wants_ping = false;
	f->out.emit(f->out.ctx, p);
	return true;
}

/* ---- groups ---- */

static void close_group(struct kcp_flow *f)
{
	struct flow_tx *tx = &f->tx;
	uint32_t n = tx->group.n;
	uint32_t len = tx->group.len;
	uint32_t rows = kcp_group_plan_rows(&tx->plan, n);
	if (rows > tx->group.rows)
		rows = tx->group.rows;
	struct flow_group *g = &tx->groups[tx->group_now];
	g->rows = (uint8_t)rows;
	for (uint32_t i = 0; i < rows; i++) {
		if (tx->parity_tail - tx->parity_head == FLOW_PARITY_MOST) {
			kcp_cells_give(f->cells, tx->group.parity[i]);
			g->lost_parity++;
			continue;
		}
		tx->parity[tx->parity_tail++ % FLOW_PARITY_MOST] = (struct flow_parity){
			.cell = tx->group.parity[i],
			.base = g->base,
			.len = len,
			.group = tx->group_now,
			.n = (uint8_t)n,
			.row = (uint8_t)i,
		};
	}
	kcp_group_close(&tx->group, rows);
	tx->group_open = false;
	flow_fate_closed(f, tx->group_now);
}

static uint64_t group_time(const struct kcp_flow *f)
{
	uint64_t t = f->rtt.srtt_us / 8;
	if (t < GROUP_LEAST_US)
		return GROUP_LEAST_US;
	return t < GROUP_MOST_US ? t : GROUP_MOST_US;
}

/* The group of the message that goes next; FLOW_NO_GROUP = none. */
static uint16_t group_for(struct kcp_flow *f, uint64_t id, uint64_t now_us)
{
	struct flow_tx *tx = &f->tx;
	if (tx->group_open)
		return tx->group_now;
	if (!kcp_group_plan_is_on(&tx->plan) ||
	    !kcp_group_open(&tx->group, id, kcp_group_plan_ahead(&tx->plan), now_us))
		return FLOW_NO_GROUP;
	tx->group_open = true;
	tx->group_now = (uint16_t)((tx->group_now + 1) % FLOW_GROUPS);
	tx->groups[tx->group_now] = (struct flow_group){.base = id,
							.rows = (uint8_t)tx->group.rows};
	return tx->group_now;
}

/* Adds a shard to the group that group_for() gave. */
static void add_to_group(struct kcp_flow *f, const uint8_t *shard, uint32_t len)
{
	struct flow_tx *tx = &f->tx;
	kcp_group_add(&tx->group, shard, len);
	tx->groups[tx->group_now].n++;
	if (tx->group.n == KCP_GROUP_DATA)
		close_group(f);
}

/* ---- messages ---- */

/* How far back the one is that this has to stay behind. That it has arrived is no reason to leave it out: it
 * may be waiting there itself. */
static uint16_t back_of(struct kcp_flow *f, uint8_t lane, uint64_t id)
{
	uint64_t before = f->tx.lane_last[lane];
	if (lane == 0)
		return 0;
	f->tx.lane_last[lane] = id;
	return before != 0 && id - before <= KCP_FRAME_BACK_MAX ? (uint16_t)(id - before) : 0;
}

/* Numbers a message. Its cell, if it comes from one, is kept or given back. */
static uint64_t number(struct kcp_flow *f, const struct kcp_backlog_item *item, uint8_t *cell,
		       const uint8_t *payload, struct kcp_frame_shard *ret_head, uint64_t now_us)
{
	struct flow_tx *tx = &f->tx;
	uint64_t id = tx->next_id++;
	*ret_head = (struct kcp_frame_shard){.len = (uint16_t)item->bytes,
					     .lane = (uint8_t)item->tag};
	ret_head->back = back_of(f, ret_head->lane, id);
	flow_count(f, KCP_DATA_SENT, 1);
	if (!f->is_deadline) {
		tx->floor = tx->next_id;
		kcp_cells_give(f->cells, cell);
		return id;
	}
	if (cell == NULL) {
		cell = kcp_cells_take(f->cells);
		if (cell != NULL)
			memcpy(cell, payload, item->bytes);
	}
	*flow_message_at(f, id) = (struct flow_message){
		.cell = cell,
		.first_us = now_us,
		.len = ret_head->len,
		.back = ret_head->back,
		.group = FLOW_NO_GROUP,
		.lane = ret_head->lane,
		.state = FLOW_AWAY,
		.tries = 1,
		.copies = 1,
		.in_line = flow_message_at(f, id)->in_line,
	};
	return id;
}

static uint8_t *cell_of(const struct kcp_backlog_item *item)
{
	uintptr_t what = (uintptr_t)item->what;
	return (what & IS_CELL) != 0 ? (uint8_t *)(what & ~(uintptr_t)IS_CELL) : NULL;
}

/* The group covers the message whose shard stands at data. True: it has parity to come. */
static bool cover(struct kcp_flow *f, uint64_t id, uint8_t *shard,
		  const struct kcp_frame_shard *head, uint64_t now_us)
{
	uint16_t group = group_for(f, id, now_us);
	if (group == FLOW_NO_GROUP)
		return false;
	bool has_parity = f->tx.group.rows != 0;
	if (f->is_deadline)
		flow_message_at(f, id)->group = group;
	kcp_frame_write_shard(shard, head);
	add_to_group(f, shard, KCP_FRAME_SHARD_LEN + head->len);
	return has_parity;
}

/* One message in a datagram of its own: the packet that it is, or one in a cell, which goes in the empty
 * packet `spare`. */
static void emit_data(struct kcp_flow *f, const struct kcp_backlog_item *item, uint8_t *cell,
		      struct vpn_packet *spare, uint64_t now_us)
{
	struct vpn_packet *p = cell != NULL ? spare : item->what;
	struct kcp_frame_shard head;
	if (cell != NULL) {
		memcpy(vpn_packet_data(p) + KCP_FRAME_HEAD_LEN, cell, item->bytes);
		p->off += KCP_FRAME_HEAD_LEN;
		p->len = item->bytes;
	} else {
		f->tx.n_held--;
	}
	uint8_t *payload = vpn_packet_data(p);
	uint64_t id = number(f, item, cell, payload, &head, now_us);
	/* the shard's head stands where the frame's head will be */
	bool covered = cover(f, id, payload - KCP_FRAME_SHARD_LEN, &head, now_us);
	struct flow_sent what = {.what = FLOW_IS_MESSAGES, .id = (uint32_t)id, .count = 1};
	p->off -= KCP_FRAME_HEAD_LEN;
	p->len += KCP_FRAME_HEAD_LEN;
	struct kcp_frame h = {
		.kind = KCP_FRAME_DATA,
		.flags = covered ? KCP_FRAME_COVERED : 0,
		.small = head.lane,
		.word = head.back,
		.number = flow_peer_number(f),
		.pn = (uint32_t)flow_tx_account(f, &what, p->len, now_us),
		.id = (uint32_t)id,
	};
	kcp_frame_write(vpn_packet_data(p), &h);
	f->out.emit(f->out.ctx, p);
}

static void release_item(struct kcp_flow *f, const struct kcp_backlog_item *item)
{
	if (cell_of(item) != NULL)
		return; /* number() has seen to it */
	f->tx.n_held--;
	f->out.release(f->out.ctx, item->what);
}

static bool has_window(const struct kcp_flow *f)
{
	const struct flow_tx *tx = &f->tx;
	uint64_t away = tx->next_id - tx->floor;
	return !f->is_deadline || (away <= tx->message_mask && away < f->peer_window);
}

/* The next item that CoDel lets through; false: none. */
static bool next_item(struct kcp_flow *f, struct kcp_backlog_item *out, uint64_t now_us)
{
	for (;;) {
		switch (kcp_backlog_pop(&f->tx.backlog, now_us, out)) {
		case KCP_BACKLOG_EMPTY:
			return false;
		case KCP_BACKLOG_SEND:
			return true;
		case KCP_BACKLOG_DROP:
			drop_item(f, out, KCP_DROP_QUEUE_OLD);
			break;
		}
	}
}

static bool fits_along(const struct kcp_flow *f, uint32_t len)
{
	const struct kcp_backlog_item *item = kcp_backlog_peek(&f->tx.backlog);
	return item != NULL && item->bytes <= SMALL &&
	       len + KCP_FRAME_SHARD_LEN + item->bytes <= f->mtu && has_window(f);
}

/* Small messages that wait together, from `first` on, in one datagram. p is empty. */
static void emit_multi(struct kcp_flow *f, struct kcp_backlog_item *item, struct vpn_packet *p,
		       uint64_t now_us)
{
	uint8_t *data = vpn_packet_data(p);
	struct flow_sent what = {.what = FLOW_IS_MESSAGES, .id = (uint32_t)f->tx.next_id};
	bool covered = false;
	p->len = KCP_FRAME_HEAD_LEN;
	do {
		struct kcp_frame_shard head;
		uint8_t *cell = cell_of(item);
		uint8_t *shard = data + p->len;
		memcpy(shard + KCP_FRAME_SHARD_LEN,
		       cell != NULL ? cell : vpn_packet_data(item->what), item->bytes);
		uint64_t id = number(f, item, cell, shard + KCP_FRAME_SHARD_LEN, &head, now_us);
		release_item(f, item);
		kcp_frame_write_shard(shard, &head);
		covered |= cover(f, id, shard, &head, now_us);
		p->len += KCP_FRAME_SHARD_LEN + head.len;
		what.count++;
	} while (what.count < MULTI_MOST && fits_along(f, p->len) && next_item(f, item, now_us));
	struct kcp_frame h = {
		.kind = KCP_FRAME_MULTI,
		.flags = covered ? KCP_FRAME_COVERED : 0,
		.small = what.count,
		.number = flow_peer_number(f),
		.pn = (uint32_t)flow_tx_account(f, &what, p->len, now_us),
		.id = what.id,
	};
	kcp_frame_write(data, &h);
	f->out.emit(f->out.ctx, p);
}

static bool two_are_small(const struct kcp_backlog *b)
{
	const struct kcp_backlog_item *first = kcp_backlog_peek(b);
	return kcp_backlog_count(b) > 1 && first->bytes <= SMALL &&
	       b->items[(b->head + 1) & b->mask].bytes <= SMALL;
}

/* False: nothing more can be sent now. */
static bool send_next(struct kcp_flow *f, uint64_t now_us)
{
	struct flow_tx *tx = &f->tx;
	const struct kcp_backlog_item *head = kcp_backlog_peek(&tx->backlog);
	struct kcp_backlog_item item;
	struct vpn_packet *spare = NULL;
	if (head == NULL)
		return false;
	bool small = two_are_small(&tx->backlog);
	if (small || cell_of(head) != NULL) {
		spare = f->out.fresh(f->out.ctx, KCP_FRESH_DATA);
		if (spare == NULL)
			return false;
	}
	if (!next_item(f, &item, now_us)) {
		if (spare != NULL)
			f->out.release(f->out.ctx, spare);
		return false;
	}
	if (small && spare != NULL && item.bytes <= SMALL &&
	    fits_along(f, KCP_FRAME_HEAD_LEN + KCP_FRAME_SHARD_LEN + item.bytes)) {
		emit_multi(f, &item, spare, now_us);
		return true;
	}
	/* drops may have brought one in a cell to the head */
	uint8_t *cell = cell_of(&item);
	if (cell != NULL && spare == NULL) {
		spare = f->out.fresh(f->out.ctx, KCP_FRESH_DATA);
		if (spare == NULL) {
			drop_item(f, &item, KCP_DROP_NO_MEMORY);
			return false;
		}
	}
	emit_data(f, &item, cell, spare, now_us);
	if (spare != NULL && cell == NULL)
		f->out.release(f->out.ctx, spare);
	return true;
}

/* ---- again ---- */

/* False: no packet now. */
static bool emit_again(struct kcp_flow *f, uint64_t id, uint64_t now_us)
{
	struct flow_message *m = flow_message_at(f, id);
	struct vpn_packet *p = f->out.fresh(f->out.ctx, KCP_FRESH_DATA);
	if (p == NULL)
		return false;
	struct flow_sent what = {.what = FLOW_IS_MESSAGES, .id = (uint32_t)id, .count = 1};
	uint8_t *data = vpn_packet_data(p);
	bool covered = m->group != FLOW_NO_GROUP && f->tx.groups[m->group].base <= id &&
		       !f->tx.groups[m->group].is_done;
	p->len = KCP_FRAME_HEAD_LEN + m->len;
	struct kcp_frame h = {
		.kind = KCP_FRAME_DATA,
		.flags = covered ? KCP_FRAME_COVERED : 0,
		.small = m->lane,
		.word = m->back,
		.number = flow_peer_number(f),
		.pn = (uint32_t)flow_tx_account(f, &what, p->len, now_us),
		.id = (uint32_t)id,
	};
	kcp_frame_write(data, &h);
	memcpy(data + KCP_FRAME_HEAD_LEN, m->cell, m->len);
	m->copies++;
	flow_count(f, KCP_DATA_RESENT, 1);
	f->out.emit(f->out.ctx, p);
	return true;
}

/* Sends the first in line once. A message that was sent again before gets a copy for each time, so that
 * the last chances are not left to luck; they stand at the end of the line. */
static bool send_from_line(struct kcp_flow *f, uint64_t now_us)
{
	struct flow_tx *tx = &f->tx;
	uint64_t id = kcp_frame_expand(tx->next_id, tx->line[tx->line_head & tx->message_mask]);
	struct flow_message *m = flow_message_at(f, id);
	bool wanted = id >= tx->floor && m->cell != NULL &&
		      (m->state == FLOW_RESEND || (m->state == FLOW_AWAY && m->more != 0));
	if (wanted && m->state == FLOW_RESEND && !flow_fate_is_in_time(f, m, now_us)) {
		flow_fate_give_up(f, id);
		wanted = false;
	}
	if (wanted && !emit_again(f, id, now_us))
		return false;
	tx->line_head++;
	m->in_line = false;
	if (!wanted)
		return true;
	if (m->state == FLOW_RESEND) {
		m->state = FLOW_AWAY;
		m->tries++;
	}
	if (m->more != 0 && --m->more != 0) {
		m->in_line = true;
		tx->line[tx->line_tail++ & tx->message_mask] = (uint32_t)id;
	}
	return true;
}

static bool send_parity(struct kcp_flow *f, uint64_t now_us)
{
	struct flow_tx *tx = &f->tx;
	const struct flow_parity *y = &tx->parity[tx->parity_head % FLOW_PARITY_MOST];
	struct vpn_packet *p = f->out.fresh(f->out.ctx, KCP_FRESH_DATA);
	if (p == NULL)
		return false;
	struct flow_sent what = {
		.what = FLOW_IS_PARITY, .id = (uint32_t)y->base, .group = y->group};
	uint8_t *data = vpn_packet_data(p);
	tx->parity_head++;
	p->len = KCP_FRAME_HEAD_LEN + y->len;
	struct kcp_frame h = {
		.kind = KCP_FRAME_PARITY,
		.small = y->n,
		.word = y->row,
		.number = flow_peer_number(f),
		.pn = (uint32_t)flow_tx_account(f, &what, p->len, now_us),
		.id = (uint32_t)y->base,
	};
	kcp_frame_write(data, &h);
	memcpy(data + KCP_FRAME_HEAD_LEN, y->cell, y->len);
	kcp_cells_give(f->cells, y->cell);
	flow_count(f, KCP_PARITY_SENT, 1);
	f->out.emit(f->out.ctx, p);
	return true;
}

/* Nothing was heard for long: the last message again, because it is the one whose loss nobody has seen;
 * a ping if there is none. Windows do not hold it back. */
static void send_probe(struct kcp_flow *f, uint64_t now_us)
{
	struct flow_tx *tx = &f->tx;
	uint64_t id = tx->next_id - 1;
	if (!has_room(tx) || !f->out.can_emit(f->out.ctx))
		return;
	tx->wants_probe = false;
	if (f->is_deadline && id >= tx->floor && flow_message_at(f, id)->state == FLOW_AWAY &&
	    flow_message_at(f, id)->cell != NULL && emit_again(f, id, now_us))
		return;
	tx->wants_ping = !emit_ping(f, now_us);
}

void flow_tx_flush(struct kcp_flow *f, uint64_t now_us)
{
	struct flow_tx *tx = &f->tx;
	if (tx->group_open && now_us - tx->group.opened_us >= group_time(f))
		close_group(f);
	if (tx->wants_probe)
		send_probe(f, now_us);
	while (tx->line_head != tx->line_tail && may_send(f, now_us))
		if (!send_from_line(f, now_us))
			break;
	while (tx->parity_head != tx->parity_tail && may_send(f, now_us))
		if (!send_parity(f, now_us))
			break;
	while (may_send(f, now_us) && has_window(f))
		if (!send_next(f, now_us))
			break;
	flow_fate_advance(f, now_us);
	if (tx->wants_ping || (tx->has_given_up && tx->floor > tx->told_floor))
		(void)emit_ping(f, now_us);
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
	    !has_room(tx) || !has_window(f))
		return next;
	uint64_t paced = kcp_pacer_next(&f->pacer, now_us);
	if (paced <= now_us)
		paced = now_us + RETRY_US; /* packets have run out */
	return paced < next ? paced : next;
}
