/* SPDX-License-Identifier: BSD-2-Clause */
/* arq_input: what comes from the peer. Nothing of it is trusted. */
#include <string.h>

#include "arq_parts.h"

/* A peer that has begun anew says an una that we have left behind, again and again, and nothing else. */
#define STALE_US    UINT64_C(1000000)
#define STALE_LEAST 8u

/* ---- acknowledgements ---- */

static void note_order(struct kcp_arq *a, const struct kcp_sent *s, uint64_t now_us)
{
	if (!a->has_heard || (int32_t)(s->order - a->heard_order) > 0)
		a->heard_order = s->order;
	a->has_heard = true;
	if (a->newest_heard_us != 0 && (int32_t)(s->order - a->newest_order) <= 0)
		return;
	a->newest_order = s->order;
	a->newest_sent_us = s->sent_us;
	a->newest_heard_us = now_us;
}

/* The segment has arrived. Which of its transmissions has is known when there was one only, without copy, or
 * when the acknowledgement bears the time of the last. */
static void arrived(struct kcp_arq *a, struct kcp_sent *s, bool is_last, uint64_t now_us)
{
	if (is_last || (s->xmit == 1 && !s->copied))
		note_order(a, s, now_us);
	kcp_arq_begin_round(a);
	if (s->fate == KCP_FATE_FLYING)
		kcp_congestion_acked(&a->congestion, &s->rate, now_us);
	kcp_copies_learn(&a->copies, false);
	kcp_sendwin_retire(&a->window, s);
}

static void acknowledge(struct kcp_arq *a, const struct kcp_segment *in, uint64_t now_us)
{
	if (!kcp_sendwin_covers(&a->window, in->sn)) {
		if (kcp_segment_distance(in->sn, a->window.nxt) >= 0)
			kcp_arq_count(a, KCP_ACKS_FORGED, 1);
		return;
	}
	struct kcp_sent *s = kcp_sendwin_at(&a->window, in->sn);
	if (s->fate == KCP_FATE_GONE)
		return;
	bool is_last = in->ts == (uint32_t)(s->sent_us / 1000);
	if (is_last)
		kcp_rtt_sample(&a->rtt, now_us - s->sent_us, now_us);
	arrived(a, s, is_last, now_us);
	kcp_sendwin_advance(&a->window);
}

/* Whether all before una was sent at all. One that is older than what we know says nothing. */
static bool is_possible(const struct kcp_arq *a, uint32_t una)
{
	return una - a->window.una <= a->window.nxt - a->window.una ||
	       kcp_segment_distance(una, a->window.una) < 0;
}

/* All before una has arrived. */
static void take_una(struct kcp_arq *a, uint32_t una, uint64_t now_us)
{
	if (una - a->window.una > a->window.nxt - a->window.una)
		return;
	while (a->window.una != una) {
		struct kcp_sent *s = kcp_sendwin_at(&a->window, a->window.una);
		if (s->fate != KCP_FATE_GONE)
			arrived(a, s, false, now_us);
		a->window.una++;
	}
	kcp_sendwin_advance(&a->window);
}

/* What this datagram tells of transmissions before the newest that it acknowledges. */
static void conclude(struct kcp_arq *a)
{
	uint32_t most = a->settings->resend != 0 ? a->settings->resend : 1;
	uint32_t at = a->n_tops;
	if (!a->has_heard)
		return;
	a->has_heard = false;
	while (at != 0 && (int32_t)(a->heard_order - a->tops[at - 1]) > 0)
		at--;
	if (at >= most)
		return;
	if (a->n_tops < most)
		a->n_tops++;
	memmove(&a->tops[at + 1], &a->tops[at], (a->n_tops - 1 - at) * sizeof(a->tops[0]));
	a->tops[at] = a->heard_order;
}

/* The newest word counts: while una stays the same, a window only grows. */
static void take_window(struct kcp_arq *a, const struct kcp_segment *in)
{
	int32_t ahead = kcp_segment_distance(in->una, a->peer_una);
	if (ahead < 0 || (ahead == 0 && in->wnd <= a->peer_wnd && a->has_proof))
		return;
	a->peer_una = in->una;
	a->peer_wnd = in->wnd;
}

/* ---- data ---- */

static void owe_ack(struct kcp_arq *a, const struct kcp_segment *in, uint64_t now_us)
{
	if (a->n_acks == KCP_ARQ_ACKS_MOST && kcp_arq_can_emit(a))
		kcp_arq_send_acks(a);
	if (a->n_acks == KCP_ARQ_ACKS_MOST)
		a->n_acks--; /* who misses it sends again */
	a->acks[a->n_acks++] = (struct kcp_arq_ack){
		.sn = in->sn, .ts = in->ts, .twice = in->len >= KCP_SEGMENT_BYTES};
	bool full = a->n_acks * KCP_SEGMENT_BYTES >= a->mtu;
	if (a->settings->ack_no_delay || full)
		a->ack_due_us = now_us;
	else if (a->ack_due_us == 0)
		a->ack_due_us = now_us + a->settings->interval_us;
}

void kcp_arq_drain(struct kcp_arq *a)
{
	const struct kcp_received *r;
	while ((r = kcp_recvwin_first(&a->received)) != NULL) {
		bool done;
		a->read += kcp_reader_take(&a->reader, r->frg, r->cell, r->len, a->read, &done);
		if (!done)
			break;
		a->read = 0;
		kcp_recvwin_pop(&a->received);
	}
	if (a->was_full && kcp_recvwin_free(&a->received) != 0) {
		a->was_full = false;
		a->tell = true;
	}
}

/* A message that is the last of its datagram goes up in the datagram's own packet. */
static bool deliver_itself(struct kcp_arq *a, struct vpn_packet *p, const uint8_t *data,
			   uint32_t len)
{
	uint32_t off = p->off, had = p->len;
	if (!a->outlet.can_deliver(a->outlet.ctx))
		return false;
	p->off = (uint32_t)(data - p->buf);
	p->len = len;
	if (a->outlet.deliver(a->outlet.ctx, p))
		return true;
	p->off = off;
	p->len = had;
	return false;
}

/* A segment in its turn, while nothing waits before it. True when it has been read. */
static bool pass_through(struct kcp_arq *a, struct vpn_packet **datagram, const uint8_t *data,
			 const struct kcp_segment *in)
{
	const struct vpn_packet *p = *datagram;
	bool is_tail = data + in->len == vpn_packet_data(p) + p->len;
	bool done = false;
	if (is_tail && kcp_reader_is_whole(&a->reader, in->frg, in->len)) {
		if (!deliver_itself(a, *datagram, data, in->len))
			return false;
		*datagram = NULL;
		done = true;
	} else {
		/* part of it may have been read when there was no room to keep the rest */
		a->read += kcp_reader_take(&a->reader, in->frg, data, in->len, a->read, &done);
	}
	if (!done)
		return false;
	a->read = 0;
	kcp_recvwin_pass(&a->received);
	return true;
}

/* *datagram becomes NULL when it was delivered itself. */
static void take_data(struct kcp_arq *a, struct vpn_packet **datagram, const uint8_t *data,
		      const struct kcp_segment *in, uint64_t now_us)
{
	struct kcp_recvwin *w = &a->received;
	switch (kcp_recvwin_place(w, in->sn)) {
	case KCP_PLACE_OLD:
		kcp_arq_count(a, KCP_SEGMENTS_REPEATED, 1);
		owe_ack(a, in, now_us);
		return;
	case KCP_PLACE_OUTSIDE:
		kcp_arq_count(a, KCP_SEGMENTS_OUTSIDE, 1);
		return;
	case KCP_PLACE_NEW:
		break;
	}
	bool turn = in->sn == w->nxt && w->head == w->nxt;
	if (!turn || !pass_through(a, datagram, data, in)) {
		/* a segment that is larger than what we keep has to come in its turn */
		if (in->len > a->cells->size ||
		    !kcp_recvwin_store(w, in->sn, in->frg, data, in->len)) {
			kcp_arq_count(a, KCP_DROP_NO_MEMORY, 1);
			return;
		}
	}
	kcp_arq_count(a, KCP_SEGMENTS_RECEIVED, 1);
	owe_ack(a, in, now_us);
	if (kcp_recvwin_first(w) != NULL)
		kcp_arq_drain(a);
}

/* ---- datagrams ---- */

static void heard(struct kcp_arq *a, uint64_t now_us)
{
	bool answered = !kcp_sendwin_is_empty(&a->window);
	a->heard_us = now_us;
	a->asked_us = answered ? now_us : 0;
	a->timeout_us = answered ? now_us : 0;
}

/* True when the peer has forgotten what it acknowledged before: see STALE_US. */
static bool has_restarted(struct kcp_arq *a, uint32_t una, uint64_t now_us)
{
	if (kcp_segment_distance(una, a->peer_una) >= 0) {
		a->stale_us = 0;
		a->n_stale = 0;
		return false;
	}
	if (a->stale_us == 0)
		a->stale_us = now_us;
	a->n_stale++;
	return a->n_stale >= STALE_LEAST && now_us - a->stale_us >= STALE_US;
}

static enum kcp_count reason_of(enum kcp_segment_fault fault)
{
	switch (fault) {
	case KCP_SEGMENT_SHORT:
		return KCP_DROP_SHORT;
	case KCP_SEGMENT_LENGTH:
		return KCP_DROP_LENGTH;
	default:
		return KCP_DROP_COMMAND;
	}
}

/* One segment. False: it is not valid, nor is what follows. */
static bool take_segment(struct kcp_arq *a, struct vpn_packet **datagram, const uint8_t *at,
			 const struct kcp_segment *in, bool recovered, uint64_t now_us)
{
	uint32_t una = a->window.una;
	if (in->conv != a->conv) {
		kcp_arq_count(a, KCP_DROP_CONV, 1);
		return false;
	}
	if (!is_possible(a, in->una)) {
		kcp_arq_count(a, KCP_ACKS_FORGED, 1);
		return false;
	}
	/* before its una takes the segment away: it says how long the trip took */
	if (in->cmd == KCP_CMD_ACK) {
		kcp_arq_count(a, KCP_ACKS_RECEIVED, 1);
		acknowledge(a, in, now_us);
	}
	take_una(a, in->una, now_us);
	if (!recovered)
		take_window(a, in);
	/* WINS says no more than wnd does */
	if (in->cmd == KCP_CMD_PUSH)
		take_data(a, datagram, at + KCP_SEGMENT_BYTES, in, now_us);
	else if (in->cmd == KCP_CMD_WASK)
		a->tell = true;
	if (a->window.una != una)
		a->has_proof = true;
	return true;
}

bool kcp_arq_input(void *engine, struct vpn_packet *datagram, bool recovered, uint64_t now_us)
{
	struct kcp_arq *a = engine;
	struct kcp_segment in;
	const uint8_t *at = vpn_packet_data(datagram);
	uint32_t left = datagram->len;
	bool any = false, restarted = false;
	struct vpn_packet *p = datagram;
	do {
		enum kcp_segment_fault fault = kcp_segment_read(at, left, &in);
		if (fault != KCP_SEGMENT_OK) {
			kcp_arq_count(a, reason_of(fault), 1);
			break;
		}
		restarted = in.conv == a->conv && !recovered && has_restarted(a, in.una, now_us);
		if (restarted || !take_segment(a, &p, at, &in, recovered, now_us))
			break;
		any = true;
		at += KCP_SEGMENT_BYTES + in.len;
		left -= KCP_SEGMENT_BYTES + in.len;
	} while (left != 0);
	conclude(a);
	if (any)
		heard(a, now_us);
	if (p != NULL)
		a->outlet.release(a->outlet.ctx, p);
	if (restarted)
		a->outlet.restarted(a->outlet.ctx);
	return any;
}

bool kcp_arq_peek(const uint8_t *data, uint32_t len, struct kcp_arq_peek *out)
{
	struct kcp_segment in;
	if (kcp_segment_read(data, len, &in) != KCP_SEGMENT_OK)
		return false;
	*out = (struct kcp_arq_peek){.conv = in.conv, .sn = in.sn, .una = in.una, .cmd = in.cmd};
	return true;
}

bool kcp_arq_fits(const void *engine, const uint8_t *data, uint32_t len)
{
	const struct kcp_arq *a = engine;
	struct kcp_segment in;
	if (kcp_segment_read(data, len, &in) != KCP_SEGMENT_OK || in.conv != a->conv)
		return false;
	/* an una that is late by no more than a window, or none beyond what was sent */
	uint32_t from = a->window.una - a->settings->snd_wnd;
	if (in.una - from > a->window.nxt - from)
		return false;
	/* what we have already as well: after a move the peer sends again what our acks, gone to its old
	 * place, have not told it of */
	uint32_t wnd = a->received.wnd;
	return in.cmd != KCP_CMD_PUSH || in.sn - a->received.head + wnd < 2 * wnd;
}
