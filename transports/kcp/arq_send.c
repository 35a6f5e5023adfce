/* SPDX-License-Identifier: BSD-2-Clause */
/* arq_send: segments on their way out. */
#include <string.h>

#include "arq_parts.h"

#define MS          UINT64_C(1000)
#define PROBE_FIRST (500 * MS) /* as kcp-go; ikcp.c waits 5 s */
#define PROBE_MOST  (120000 * MS)
#define COPY_LEAST  (2 * MS)
#define QUEUE_LEAST (5 * MS) /* what the machine's own scheduling adds is less */
#define COPY_MOST   (8 * MS)

static uint32_t wire_clock(uint64_t now_us)
{
	return (uint32_t)(now_us / MS);
}

static void fill_header(struct kcp_arq *a, uint8_t *at, struct kcp_segment *s)
{
	s->conv = a->conv;
	s->wnd = kcp_recvwin_free(&a->received);
	s->una = a->received.nxt;
	a->was_full = s->wnd == 0;
	kcp_segment_write(at, s);
}

static void note_question(struct kcp_arq *a, uint64_t now_us)
{
	if (a->asked_us == 0)
		a->asked_us = now_us;
}

/* ---- data ---- */

static bool may_go(const struct kcp_arq *a, uint64_t now_us)
{
	return kcp_congestion_may_send(&a->congestion) && kcp_pacer_may_send(&a->pacer, now_us) &&
	       kcp_arq_can_emit(a);
}

/* When a copy follows: far enough behind not to share the fate of what it repeats in a burst of loss, and
 * with another time in its header, so that its acknowledgement is not taken for the other's. */
static uint64_t copy_time(const struct kcp_arq *a, uint64_t now_us)
{
	uint64_t wait = a->rtt.srtt_us / 8;
	if (wait < COPY_LEAST)
		wait = COPY_LEAST;
	return now_us + (wait < COPY_MOST ? wait : COPY_MOST);
}

/* The path takes clearly longer than it needs: something waits in it, and what is lost was lost for want of
 * room. More of the same would be as well. */
static bool has_queue(const struct kcp_arq *a)
{
	const struct kcp_rtt *r = &a->rtt;
	uint64_t margin = r->min_us / 4 > QUEUE_LEAST ? r->min_us / 4 : QUEUE_LEAST;
	return kcp_rtt_is_known(r) && r->latest_us > r->min_us + margin;
}

static void plan_copies(struct kcp_arq *a, const struct kcp_sent *s, uint64_t now_us)
{
	kcp_copies_plan(&a->copies, kcp_sendwin_number(&a->window, s), s->xmit, s->len,
			has_queue(a) ? KCP_NEVER : copy_time(a, now_us));
}

/* Writes the header of a data segment, and notes that it is on its way. */
static void depart(struct kcp_arq *a, struct kcp_sent *s, uint8_t *at, bool is_copy,
		   uint64_t now_us)
{
	struct kcp_segment header = {
		.cmd = KCP_CMD_PUSH,
		.frg = s->frg,
		.ts = wire_clock(now_us),
		.sn = kcp_sendwin_number(&a->window, s),
		.len = s->len,
	};
	uint32_t bytes = KCP_SEGMENT_BYTES + s->len;
	uint64_t wait = s->rto_us;
	fill_header(a, at, &header);
	if (s->xmit == 0 && a->settings->nodelay == 0)
		wait += wait / 8;
	if (is_copy) {
		kcp_congestion_forgotten(&a->congestion, &s->rate);
		kcp_sendwin_copied(&a->window, s, now_us, now_us + wait);
	} else {
		kcp_sendwin_transmitted(&a->window, s, now_us, now_us + wait);
		plan_copies(a, s, now_us);
	}
	kcp_congestion_sent(&a->congestion, &s->rate, bytes, !kcp_arq_has_more(a), now_us);
	kcp_pacer_sent(&a->pacer, bytes, now_us);
	kcp_arq_count(a, s->xmit == 1 && !is_copy ? KCP_SEGMENTS_SENT : KCP_SEGMENTS_RESENT, 1);
	note_question(a, now_us);
	if (a->timeout_us == 0)
		a->timeout_us = now_us;
}

/* A segment whose data is in its cell. False: there is no packet. */
static bool copy_out(struct kcp_arq *a, struct kcp_sent *s, bool is_copy, uint64_t now_us)
{
	uint8_t *at = kcp_packer_room(&a->packer, KCP_SEGMENT_BYTES + s->len, KCP_FRESH_DATA);
	if (at == NULL)
		return false;
	memcpy(at + KCP_SEGMENT_BYTES, s->cell, s->len);
	depart(a, s, at, is_copy, now_us);
	return true;
}

/* Those that the peer has no room for stay in the list, and are passed over. */
static bool resend_lost(struct kcp_arq *a, uint64_t now_us)
{
	struct kcp_sent *s = kcp_sendwin_first(&a->window, &a->window.lost), *next;
	a->lost_waits = false;
	for (; s != NULL; s = next) {
		next = kcp_sendwin_after(&a->window, s);
		if (!kcp_arq_is_covered(a, s))
			continue;
		a->lost_waits = true;
		if (!may_go(a, now_us))
			return true;
		if (!copy_out(a, s, false, now_us))
			return false;
		a->lost_waits = false;
	}
	return true;
}

/* Not those that have been acknowledged, or lost once more, in the meantime. */
static bool send_copies(struct kcp_arq *a, uint64_t now_us)
{
	const struct kcp_copy *copy;
	while ((copy = kcp_copies_first(&a->copies, now_us)) != NULL) {
		struct kcp_sent *s = kcp_sendwin_at(&a->window, copy->sn);
		if (!kcp_sendwin_covers(&a->window, copy->sn) || s->fate != KCP_FATE_FLYING ||
		    s->xmit != copy->xmit || !kcp_arq_is_covered(a, s)) {
			kcp_copies_pop(&a->copies);
			continue;
		}
		if (!may_go(a, now_us)) {
			a->lost_waits = true;
			return true;
		}
		if (!copy_out(a, s, true, now_us))
			return false;
		kcp_arq_count(a, KCP_RESENT_COPIES, 1);
		kcp_copies_sent(&a->copies, copy_time(a, now_us));
	}
	return true;
}

/* The next message, oldest first, without those that have waited too long. */
static struct vpn_packet *next_message(struct kcp_arq *a, uint64_t now_us)
{
	struct kcp_backlog_item item;
	for (;;) {
		switch (kcp_backlog_pop(&a->backlog, now_us, &item)) {
		case KCP_BACKLOG_EMPTY:
			return NULL;
		case KCP_BACKLOG_SEND:
			return item.what;
		case KCP_BACKLOG_DROP:
			kcp_arq_count(a, KCP_DROP_QUEUE_OLD, 1);
			a->outlet.release(a->outlet.ctx, item.what);
			break;
		}
	}
}

/* A message that is one segment. It goes in its own packet, unless it is small and has company. */
static bool send_whole(struct kcp_arq *a, struct vpn_packet *p, uint8_t *cell, uint64_t now_us)
{
	uint32_t bytes = KCP_SEGMENT_BYTES + p->len;
	memcpy(cell, vpn_packet_data(p), p->len);
	struct kcp_sent *s = kcp_sendwin_add(&a->window, cell, p->len, 0);
	s->rto_us = kcp_arq_timeout(a);
	bool company = kcp_packer_fits(&a->packer, bytes) || kcp_arq_has_more(a);
	if (bytes <= a->mtu / 2 && company && copy_out(a, s, false, now_us)) {
		a->outlet.release(a->outlet.ctx, p);
		return true;
	}
	p->off -= KCP_SEGMENT_BYTES;
	p->len += KCP_SEGMENT_BYTES;
	depart(a, s, vpn_packet_data(p), false, now_us);
	kcp_packer_whole(&a->packer, p);
	return true;
}

/* Bytes of the stream out of the message at hand, its length first. */
static uint32_t pour(struct kcp_arq *a, uint8_t *out, uint32_t room)
{
	const struct vpn_packet *p = a->cutting;
	const uint8_t prefix[KCP_STREAM_PREFIX] = {(uint8_t)p->len, (uint8_t)(p->len >> 8)};
	uint32_t n = 0;
	while (a->cut < KCP_STREAM_PREFIX && n < room)
		out[n++] = prefix[a->cut++];
	uint32_t from = a->cut - KCP_STREAM_PREFIX;
	if (a->cut < KCP_STREAM_PREFIX)
		return n;
	uint32_t len = p->len - from < room - n ? p->len - from : room - n;
	memcpy(out + n, vpn_packet_data(p) + from, len);
	a->cut += len;
	return n + len;
}

static void end_cutting(struct kcp_arq *a)
{
	a->outlet.release(a->outlet.ctx, a->cutting);
	a->cutting = NULL;
	a->cut = 0;
}

/* As much of the stream as a segment holds. */
static uint32_t fill_from_stream(struct kcp_arq *a, uint8_t *cell, uint64_t now_us)
{
	uint32_t len = 0;
	while (len < a->mss) {
		if (a->cutting == NULL)
			a->cutting = next_message(a, now_us);
		if (a->cutting == NULL)
			break;
		len += pour(a, cell + len, a->mss - len);
		if (a->cut == a->cutting->len + KCP_STREAM_PREFIX)
			end_cutting(a);
	}
	return len;
}

/* The next fragment of the message at hand. */
static uint32_t fill_fragment(struct kcp_arq *a, uint8_t *cell, uint8_t *ret_frg)
{
	const struct vpn_packet *p = a->cutting;
	uint32_t left = p->len - a->cut;
	uint32_t len = left < a->mss ? left : a->mss;
	memcpy(cell, vpn_packet_data(p) + a->cut, len);
	*ret_frg = (uint8_t)((left - 1) / a->mss);
	a->cut += len;
	if (a->cut == p->len)
		end_cutting(a);
	return len;
}

/* Sends one segment of new data, for which there is a cell. False: nothing is left, or no packet: then the
 * segment counts as lost and goes when there is one. */
static bool send_next(struct kcp_arq *a, uint8_t *cell, uint64_t now_us)
{
	uint8_t frg = 0;
	uint32_t len;
	if (a->settings->stream) {
		len = fill_from_stream(a, cell, now_us);
	} else {
		if (a->cutting == NULL) {
			struct vpn_packet *p = next_message(a, now_us);
			if (p != NULL && p->len <= a->mss)
				return send_whole(a, p, cell, now_us);
			a->cutting = p;
		}
		len = a->cutting != NULL ? fill_fragment(a, cell, &frg) : 0;
	}
	if (len == 0) {
		kcp_cells_give(a->cells, cell);
		return false;
	}
	struct kcp_sent *s = kcp_sendwin_add(&a->window, cell, len, frg);
	s->rto_us = kcp_arq_timeout(a);
	if (copy_out(a, s, false, now_us))
		return true;
	kcp_sendwin_lose(&a->window, s);
	return false;
}

/* False: something is missing that comes back by itself, so try again soon. */
static bool send_new(struct kcp_arq *a, uint64_t now_us)
{
	while (kcp_arq_has_more(a) && kcp_arq_has_room(a) && may_go(a, now_us)) {
		uint8_t *cell = kcp_cells_take(a->cells);
		if (cell == NULL)
			return false;
		if (!send_next(a, cell, now_us))
			return !kcp_arq_has_more(a);
	}
	return true;
}

bool kcp_arq_send_data(struct kcp_arq *a, uint64_t now_us)
{
	return resend_lost(a, now_us) && send_copies(a, now_us) && send_new(a, now_us);
}

/* ---- answers and questions ---- */

static bool put_segment(struct kcp_arq *a, struct kcp_segment *s)
{
	uint8_t *at = kcp_packer_room(&a->packer, KCP_SEGMENT_BYTES, KCP_FRESH_ANSWER);
	if (at == NULL)
		return false;
	fill_header(a, at, s);
	return true;
}

static bool is_acked_by_una(const struct kcp_arq *a, const struct kcp_arq_ack *k)
{
	return kcp_segment_distance(k->sn, a->received.nxt) < 0;
}

static bool put_ack(struct kcp_arq *a, const struct kcp_arq_ack *k)
{
	struct kcp_segment s = {.cmd = KCP_CMD_ACK, .ts = k->ts, .sn = k->sn};
	if (!put_segment(a, &s))
		return false;
	kcp_arq_count(a, KCP_ACKS_SENT, 1);
	return true;
}

/* What was said last, and no una has said since, once more: a lost datagram of acknowledgements would have
 * all of it sent again. Before the new ones: others measure the trip by the last. Not for segments that are
 * hardly longer than their answer: a stranger would have more sent to whose address he bears than he sends. */
static void repeat_acks(struct kcp_arq *a)
{
	for (uint32_t i = 0; i < a->n_said; i++)
		if (!is_acked_by_una(a, &a->said[i]) && !put_ack(a, &a->said[i]))
			break;
	a->n_said = 0;
}

static void note_said(struct kcp_arq *a, const struct kcp_arq_ack *k)
{
	if (k->twice && a->n_said < KCP_ARQ_SAID_MOST && !is_acked_by_una(a, k))
		a->said[a->n_said++] = *k;
}

/* What una covers needs no acknowledgement of its own; the last one says how long the trip took. */
void kcp_arq_send_acks(struct kcp_arq *a)
{
	repeat_acks(a);
	for (uint32_t i = 0; i < a->n_acks; i++) {
		const struct kcp_arq_ack *k = &a->acks[i];
		if (is_acked_by_una(a, k) && i + 1 != a->n_acks)
			continue;
		if (!put_ack(a, k))
			break; /* the peer asks again by sending again */
		note_said(a, k);
	}
	a->n_acks = 0;
	a->ack_due_us = 0;
}

/* Whether all that is left waits for the peer's window, so that nothing will be answered by itself. */
static bool is_stalled(const struct kcp_arq *a)
{
	const struct kcp_sendwin *w = &a->window;
	if (kcp_sendwin_first(w, &w->flying) != NULL || a->lost_waits)
		return false;
	return kcp_sendwin_first(w, &w->lost) != NULL ||
	       (kcp_arq_has_more(a) && w->nxt - a->peer_una >= a->peer_wnd);
}

static void plan_probe(struct kcp_arq *a, uint64_t now_us)
{
	if (!is_stalled(a)) {
		a->probe_us = 0;
		a->probe_wait_us = 0;
		return;
	}
	if (a->probe_us == 0) {
		kcp_arq_count(a, KCP_WINDOW_STALLS, 1);
		a->probe_wait_us = PROBE_FIRST;
		a->probe_us = now_us + a->probe_wait_us;
	} else if (a->probe_us <= now_us) {
		a->ask = true;
		a->probe_wait_us += a->probe_wait_us / 2;
		if (a->probe_wait_us > PROBE_MOST)
			a->probe_wait_us = PROBE_MOST;
		a->probe_us = now_us + a->probe_wait_us;
	}
}

void kcp_arq_send_control(struct kcp_arq *a, uint64_t now_us)
{
	struct kcp_segment wask = {.cmd = KCP_CMD_WASK, .ts = wire_clock(now_us)};
	struct kcp_segment wins = {.cmd = KCP_CMD_WINS, .ts = wire_clock(now_us)};
	plan_probe(a, now_us);
	if (a->n_acks != 0 && a->ack_due_us <= now_us)
		kcp_arq_send_acks(a);
	if (a->ask && put_segment(a, &wask)) {
		a->ask = false;
		kcp_arq_count(a, KCP_PROBES_SENT, 1);
		note_question(a, now_us);
	}
	if (a->tell && put_segment(a, &wins))
		a->tell = false;
}
