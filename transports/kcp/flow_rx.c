/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * flow_rx: the receiver: what datagrams hold. Messages go on to flow_arrival.c, parity to flow_parity.c,
 * acknowledgements come from flow_ack.c.
 */
#include <stdlib.h>
#include <string.h>

#include "flow_parts.h"

#define WINDOW_LEAST 128u
#define WINDOW_MOST  16384u

static uint32_t power_of_two(uint32_t n)
{
	uint32_t p = 1;
	while (p < n)
		p *= 2;
	return p;
}

bool flow_rx_init(struct kcp_flow *f)
{
	uint32_t wanted = f->settings->rcv_wnd;
	if (wanted < WINDOW_LEAST)
		wanted = WINDOW_LEAST;
	if (wanted > WINDOW_MOST)
		wanted = WINDOW_MOST;
	uint32_t size = power_of_two(wanted + FLOW_KEEP);
	f->rx.mask = size - 1;
	f->rx.window = size - FLOW_KEEP;
	kcp_group_pending_init(&f->rx.pending, f->cells);
	f->rx.arrivals = calloc(size, sizeof(*f->rx.arrivals));
	f->rx.ready = calloc(size, sizeof(*f->rx.ready));
	return f->rx.arrivals != NULL && f->rx.ready != NULL;
}

void flow_rx_clear(struct kcp_flow *f)
{
	if (f->rx.arrivals != NULL)
		flow_arrival_forget(f);
	kcp_group_pending_clear(&f->rx.pending);
	free(f->rx.arrivals);
	free(f->rx.ready);
}

void flow_rx_reset(struct kcp_flow *f, uint64_t now_us)
{
	struct flow_rx *rx = &f->rx;
	flow_arrival_forget(f);
	kcp_group_pending_clear(&rx->pending);
	kcp_group_pending_init(&rx->pending, f->cells);
	rx->next = rx->floor = rx->tail = FLOW_FIRST_ID;
	rx->ready_head = rx->ready_tail = 0;
	uint64_t first = FLOW_FIRST_ID + flow_begin_first_pn(f->peer_id, f->own_id);
	kcp_ranges_init(&rx->pns, first);
	rx->largest_us = now_us;
	rx->ack_us = KCP_NEVER;
	rx->acked_us = 0;
	rx->measuring_us = 0;
	rx->unacked = 0;
}

/* ---- datagrams ---- */

static bool take_data(struct kcp_flow *f, const struct kcp_frame *h, struct vpn_packet *p,
		      uint64_t now_us)
{
	struct flow_incoming in = {
		.id = kcp_frame_expand(f->rx.next, h->id),
		.head = {.back = h->word, .lane = h->small},
		.payload = vpn_packet_data(p) + KCP_FRAME_HEAD_LEN,
		.packet = p,
		.is_covered = (h->flags & KCP_FRAME_COVERED) != 0,
	};
	uint32_t len = p->len - KCP_FRAME_HEAD_LEN;
	if (in.id > f->rx.next + FLOW_AHEAD || len > f->message) {
		flow_drop(f, p, KCP_DROP_FRAME);
		return false;
	}
	in.head.len = (uint16_t)len;
	p->off += KCP_FRAME_HEAD_LEN;
	p->len = len;
	if (flow_arrival_take(f, &in, now_us))
		flow_parity_check(f, in.id, now_us);
	return true;
}

static bool take_multi(struct kcp_flow *f, const struct kcp_frame *h, struct vpn_packet *p,
		       uint64_t now_us)
{
	const uint8_t *at = vpn_packet_data(p) + KCP_FRAME_HEAD_LEN;
	uint32_t left = p->len - KCP_FRAME_HEAD_LEN;
	struct flow_incoming in = {
		.id = kcp_frame_expand(f->rx.next, h->id),
		.is_covered = (h->flags & KCP_FRAME_COVERED) != 0,
	};
	if (h->small == 0 || in.id > f->rx.next + FLOW_AHEAD) {
		flow_drop(f, p, KCP_DROP_FRAME);
		return false;
	}
	for (uint32_t i = 0; i < h->small; i++) {
		if (!kcp_frame_parse_shard(at, left, &in.head) || in.head.len > f->message) {
			flow_drop(f, p, KCP_DROP_FRAME);
			return i != 0;
		}
		in.payload = at + KCP_FRAME_SHARD_LEN;
		if (flow_arrival_take(f, &in, now_us))
			flow_parity_check(f, in.id, now_us);
		at += KCP_FRAME_SHARD_LEN + in.head.len;
		left -= KCP_FRAME_SHARD_LEN + in.head.len;
		in.id++;
	}
	f->out.release(f->out.ctx, p);
	return true;
}

static bool take_ping(struct kcp_flow *f, const struct kcp_frame *h, struct vpn_packet *p,
		      uint64_t now_us)
{
	uint64_t floor = kcp_frame_expand(f->rx.next, h->id);
	bool good = floor <= f->rx.next + FLOW_AHEAD;
	if (good) {
		flow_arrival_hear_of(f, floor, now_us);
		flow_arrival_raise_floor(f, floor);
	}
	if (good)
		f->out.release(f->out.ctx, p);
	else
		flow_drop(f, p, KCP_DROP_FRAME);
	return good;
}

/* ---- the engine's turn ---- */

void flow_rx_flush(struct kcp_flow *f, uint64_t now_us)
{
	flow_arrival_resume(f);
	flow_arrival_expire(f, now_us);
	if (f->rx.ack_us <= now_us && f->out.can_emit(f->out.ctx)) {
		flow_ack_measure(f, now_us);
		(void)flow_ack_emit(f, now_us); /* without a packet: in the next flush */
	}
}

uint64_t flow_rx_next(const struct kcp_flow *f)
{
	const struct flow_rx *rx = &f->rx;
	uint64_t next = rx->ready_head == rx->ready_tail ? rx->ack_us : 0; /* soon */
	if (rx->floor < rx->next) {
		uint64_t hold = flow_arrival_at(f, rx->floor)->noticed_us + flow_arrival_hold(f);
		next = hold < next ? hold : next;
	}
	return next;
}

bool flow_rx_input(struct kcp_flow *f, struct vpn_packet *p, uint64_t now_us)
{
	struct kcp_frame h;
	kcp_frame_parse(vpn_packet_data(p), &h);
	uint64_t pn = kcp_frame_expand(f->rx.pns.largest, h.pn);
	enum kcp_ranges_result how = kcp_ranges_add(&f->rx.pns, pn, FLOW_AHEAD);
	if (how == KCP_RANGES_OUTSIDE) {
		flow_drop(f, p, KCP_DROP_OUTSIDE);
		return false;
	}
	if (how <= KCP_RANGES_AHEAD)
		f->rx.largest_us = now_us;
	flow_ack_want(f, how, pn, now_us);
	if (how == KCP_RANGES_REPEATED) {
		flow_drop(f, p, KCP_DROP_REPEATED);
		return true;
	}
	switch (h.kind) {
	case KCP_FRAME_DATA:
		return take_data(f, &h, p, now_us);
	case KCP_FRAME_MULTI:
		return take_multi(f, &h, p, now_us);
	case KCP_FRAME_PARITY:
		return flow_parity_take(f, &h, p, now_us);
	default:
		return take_ping(f, &h, p, now_us);
	}
}
