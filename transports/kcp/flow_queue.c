/* SPDX-License-Identifier: BSD-2-Clause */
/* flow_queue: messages that wait to be sent, as packets or in cells, bounded by number and time. */
#include <string.h>

#include "flow_parts.h"

#define HELD_MOST    192u /* as packets: the device needs packets as well */
#define WAIT_MOST_US 1000000u
#define IS_CELL      1u /* in the low bit of a backlog item's pointer */

uint8_t *flow_queue_cell(const struct kcp_backlog_item *item)
{
	uintptr_t what = (uintptr_t)item->what;
	return (what & IS_CELL) != 0 ? (uint8_t *)(what & ~(uintptr_t)IS_CELL) : NULL;
}

void flow_queue_drop(struct kcp_flow *f, const struct kcp_backlog_item *item, enum kcp_count reason)
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

void flow_queue_release(struct kcp_flow *f, const struct kcp_backlog_item *item)
{
	if (flow_queue_cell(item) != NULL)
		return; /* number() has seen to it */
	f->tx.n_held--;
	f->out.release(f->out.ctx, item->what);
}

bool flow_queue_add(struct kcp_flow *f, struct vpn_packet *p, uint64_t now_us)
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
		flow_queue_drop(f, &old, KCP_DROP_QUEUE_FULL);
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

void flow_queue_expire(struct kcp_flow *f, uint64_t now_us)
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
		flow_queue_drop(f, &item, KCP_DROP_QUEUE_OLD);
	}
}

/* The next item that CoDel lets through; false: none. */
bool flow_queue_next(struct kcp_flow *f, struct kcp_backlog_item *out, uint64_t now_us)
{
	for (;;) {
		switch (kcp_backlog_pop(&f->tx.backlog, now_us, out)) {
		case KCP_BACKLOG_EMPTY:
			return false;
		case KCP_BACKLOG_SEND:
			return true;
		case KCP_BACKLOG_DROP:
			flow_queue_drop(f, out, KCP_DROP_QUEUE_OLD);
			break;
		}
	}
}
