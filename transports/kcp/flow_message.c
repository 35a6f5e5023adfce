/* SPDX-License-Identifier: BSD-2-Clause */
/* flow_message: new messages on their way: their number, lane and group, and the datagram that they go in. */
#include <string.h>

#include "flow_parts.h"

#define SMALL      256u /* bytes: two that wait share a datagram */
#define MULTI_MOST 32u  /* messages */

/* ---- groups ---- */

void flow_message_close_group(struct kcp_flow *f)
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
		flow_message_close_group(f);
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

static bool fits_along(const struct kcp_flow *f, uint32_t len)
{
	const struct kcp_backlog_item *item = kcp_backlog_peek(&f->tx.backlog);
	return item != NULL && item->bytes <= SMALL &&
	       len + KCP_FRAME_SHARD_LEN + item->bytes <= f->mtu && flow_tx_has_window(f);
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
		uint8_t *cell = flow_queue_cell(item);
		uint8_t *shard = data + p->len;
		memcpy(shard + KCP_FRAME_SHARD_LEN,
		       cell != NULL ? cell : vpn_packet_data(item->what), item->bytes);
		uint64_t id = number(f, item, cell, shard + KCP_FRAME_SHARD_LEN, &head, now_us);
		flow_queue_release(f, item);
		kcp_frame_write_shard(shard, &head);
		covered |= cover(f, id, shard, &head, now_us);
		p->len += KCP_FRAME_SHARD_LEN + head.len;
		what.count++;
	} while (what.count < MULTI_MOST && fits_along(f, p->len) &&
		 flow_queue_next(f, item, now_us));
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
bool flow_message_send(struct kcp_flow *f, uint64_t now_us)
{
	struct flow_tx *tx = &f->tx;
	const struct kcp_backlog_item *head = kcp_backlog_peek(&tx->backlog);
	struct kcp_backlog_item item;
	struct vpn_packet *spare = NULL;
	if (head == NULL)
		return false;
	bool small = two_are_small(&tx->backlog);
	if (small || flow_queue_cell(head) != NULL) {
		spare = f->out.fresh(f->out.ctx, KCP_FRESH_DATA);
		if (spare == NULL)
			return false;
	}
	if (!flow_queue_next(f, &item, now_us)) {
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
	uint8_t *cell = flow_queue_cell(&item);
	if (cell != NULL && spare == NULL) {
		spare = f->out.fresh(f->out.ctx, KCP_FRESH_DATA);
		if (spare == NULL) {
			flow_queue_drop(f, &item, KCP_DROP_NO_MEMORY);
			return false;
		}
	}
	emit_data(f, &item, cell, spare, now_us);
	if (spare != NULL && cell == NULL)
		f->out.release(f->out.ctx, spare);
	return true;
}
