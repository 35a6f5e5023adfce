/* SPDX-License-Identifier: BSD-2-Clause */
/* flow_repair: what is sent for the sake of what was lost: messages again, parity, probes and pings. */
#include <string.h>

#include "flow_parts.h"

bool flow_repair_ping(struct kcp_flow *f, uint64_t now_us)
{
	if (!flow_tx_has_room(&f->tx) || !f->out.can_emit(f->out.ctx))
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
bool flow_repair_send(struct kcp_flow *f, uint64_t now_us)
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

bool flow_repair_parity(struct kcp_flow *f, uint64_t now_us)
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
void flow_repair_probe(struct kcp_flow *f, uint64_t now_us)
{
	struct flow_tx *tx = &f->tx;
	uint64_t id = tx->next_id - 1;
	if (!flow_tx_has_room(tx) || !f->out.can_emit(f->out.ctx))
		return;
	tx->wants_probe = false;
	if (f->is_deadline && id >= tx->floor && flow_message_at(f, id)->state == FLOW_AWAY &&
	    flow_message_at(f, id)->cell != NULL && emit_again(f, id, now_us))
		return;
	tx->wants_ping = !flow_repair_ping(f, now_us);
}
