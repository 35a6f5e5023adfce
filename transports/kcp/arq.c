/* SPDX-License-Identifier: BSD-2-Clause */
/* arq: the life of the engine. */
#include "arq_parts.h"

#include <stdlib.h>
#include <string.h>

#define PEER_WINDOW 32u            /* until the peer says: kcp-go has this by default, ikcp.c 128 */
#define RETRY       UINT64_C(1000) /* us, when there was no packet or cell */

/* ---- life ---- */

static void init_congestion(struct kcp_arq *a, uint64_t seed, uint64_t now_us)
{
	static const enum kcp_congestion_kind kinds[] = {
		[KCP_CONGESTION_AUTO] = KCP_CC_RATE,
		[KCP_CONGESTION_NONE] = KCP_CC_NONE,
		[KCP_CONGESTION_RENO] = KCP_CC_RENO,
		[KCP_CONGESTION_RATE] = KCP_CC_RATE,
	};
	struct kcp_congestion_setup setup = {
		.kind = kinds[a->settings->congestion],
		.datagram = a->mtu,
		.window = a->settings->snd_wnd,
		.bytes_per_s = a->settings->rate_bps / 8,
		.seed = seed,
	};
	kcp_congestion_init(&a->congestion, &setup, now_us);
	kcp_pacer_init(&a->pacer, a->mtu);
}

static void destroy(void *engine)
{
	struct kcp_arq *a = engine;
	struct kcp_backlog_item item;
	if (a == NULL)
		return;
	while (a->backlog.items != NULL && kcp_backlog_take(&a->backlog, &item)) {
		a->outlet.count(a->outlet.ctx, KCP_DROP_SESSION_ENDED, 1);
		a->outlet.release(a->outlet.ctx, item.what);
	}
	if (a->cutting != NULL) {
		a->outlet.count(a->outlet.ctx, KCP_DROP_SESSION_ENDED, 1);
		a->outlet.release(a->outlet.ctx, a->cutting);
	}
	if (a->packer.open != NULL)
		a->outlet.release(a->outlet.ctx, a->packer.open);
	kcp_backlog_clear(&a->backlog);
	kcp_sendwin_clear(&a->window);
	kcp_recvwin_clear(&a->received);
	kcp_reader_clear(&a->reader);
	free(a);
}

static void *create(const struct kcp_engine_setup *setup)
{
	const struct kcp_settings *s = setup->settings;
	struct kcp_arq *a = calloc(1, sizeof(*a));
	if (a == NULL)
		return NULL;
	a->settings = s;
	a->outlet = setup->outlet;
	a->cells = setup->cells;
	a->conv = setup->conv;
	a->mtu = setup->mtu;
	a->mss = setup->mtu - KCP_SEGMENT_BYTES;
	a->message = setup->message;
	a->peer_wnd = PEER_WINDOW;
	a->heard_us = setup->now_us;
	a->packer = (struct kcp_packer){.outlet = &a->outlet, .mtu = a->mtu};
	kcp_rtt_init(&a->rtt);
	init_congestion(a, setup->seed, setup->now_us);
	if (!kcp_backlog_init(&a->backlog, KCP_ARQ_WAITING_MOST, s->queue_us, a->mtu) ||
	    !kcp_sendwin_init(&a->window, s->snd_wnd, a->cells, setup->now_us) ||
	    !kcp_recvwin_init(&a->received, s->rcv_wnd, a->cells) ||
	    !kcp_reader_init(&a->reader, &a->outlet, s->stream, a->message)) {
		destroy(a);
		return NULL;
	}
	return a;
}

/* ---- flush ---- */

static uint64_t sooner(uint64_t a, uint64_t b)
{
	return a < b ? a : b;
}

static uint64_t next_flush(const struct kcp_arq *a, uint64_t now_us, bool complete)
{
	bool waits = a->lost_waits || (kcp_arq_has_more(a) && kcp_arq_has_room(a));
	uint64_t next = kcp_wheel_next(&a->window.wheel);
	if (!a->lost_waits)
		next = sooner(next, kcp_copies_next(&a->copies));
	if (a->probe_us != 0)
		next = sooner(next, a->probe_us);
	if (a->ack_due_us != 0)
		next = sooner(next, a->ack_due_us);
	bool stuck = kcp_recvwin_first(&a->received) != NULL &&
		     a->outlet.can_deliver(a->outlet.ctx);
	if (!complete || stuck)
		next = sooner(next, now_us + RETRY);
	else if (waits && kcp_congestion_may_send(&a->congestion))
		next = sooner(next, kcp_pacer_next(&a->pacer, now_us));
	return next;
}

static void tell_writable(struct kcp_arq *a)
{
	if (!a->refused || kcp_backlog_count(&a->backlog) > KCP_ARQ_WAITING_MOST / 2)
		return;
	a->refused = false;
	a->outlet.writable(a->outlet.ctx);
}

static uint64_t flush(void *engine, uint64_t now_us)
{
	struct kcp_arq *a = engine;
	if (kcp_recvwin_first(&a->received) != NULL)
		kcp_arq_drain(a);
	kcp_arq_find_expired(a, now_us);
	uint64_t overtaken = kcp_arq_find_overtaken(a, now_us);
	kcp_arq_end_round(a, now_us);
	kcp_pacer_set_rate(&a->pacer, kcp_congestion_pace(&a->congestion));
	if (!kcp_arq_can_emit(a))
		return KCP_NEVER;
	bool complete = kcp_arq_send_data(a, now_us);
	/* behind the data: the last datagram of a run may be shorter, and goes with it as one message */
	kcp_arq_send_control(a, now_us);
	kcp_packer_finish(&a->packer);
	tell_writable(a);
	return sooner(overtaken, next_flush(a, now_us, complete));
}

/* ---- the rest of the engine ---- */

void kcp_arq_renumber(void *engine, uint32_t conv)
{
	struct kcp_arq *a = engine;
	struct kcp_sent *s;
	a->conv = conv;
	while ((s = kcp_sendwin_first(&a->window, &a->window.flying)) != NULL) {
		kcp_congestion_forgotten(&a->congestion, &s->rate);
		kcp_sendwin_lose(&a->window, s);
	}
}

static bool send_message(void *engine, struct vpn_packet *message, uint64_t now_us)
{
	struct kcp_arq *a = engine;
	enum kcp_count reason = KCP_N_COUNTS;
	if (message->len == 0)
		reason = KCP_DROP_EMPTY;
	else if (message->len > a->message ||
		 (!a->settings->stream && message->len > a->mss * KCP_ARQ_FRAGMENTS))
		reason = KCP_DROP_TOO_BIG;
	if (reason != KCP_N_COUNTS) {
		kcp_arq_count(a, reason, 1);
		a->outlet.release(a->outlet.ctx, message);
		return true;
	}
	if (kcp_backlog_push(&a->backlog, message, message->len, 0, now_us))
		return true;
	if (!a->refused)
		kcp_arq_count(a, KCP_SEND_BLOCKED, 1);
	a->refused = true;
	return false;
}

static void resume(void *engine, uint64_t now_us)
{
	(void)now_us;
	kcp_arq_drain(engine);
}

static void probe(void *engine, uint64_t now_us)
{
	struct kcp_arq *a = engine;
	(void)now_us;
	a->ask = true;
}

static void state(const void *engine, struct kcp_engine_state *out)
{
	const struct kcp_arq *a = engine;
	const struct kcp_congestion *c = &a->congestion;
	uint64_t all = c->delivered + c->lost;
	*out = (struct kcp_engine_state){
		.srtt_us = a->rtt.srtt_us,
		.unheard_us = a->asked_us,
		.rate_bps = a->pacer.rate * 8,
		.in_flight = kcp_sendwin_count(&a->window),
		.queued = kcp_backlog_count(&a->backlog),
		.window = a->settings->snd_wnd,
		.loss_ppm = all != 0 ? (uint32_t)(c->lost * 1000000 / all) : 0,
		.has_proof = a->has_proof,
	};
}

const struct kcp_engine_ops kcp_arq_ops = {
	.name = "kcp",
	.headroom = KCP_SEGMENT_BYTES,
	.create = create,
	.destroy = destroy,
	.send = send_message,
	.input = kcp_arq_input,
	.flush = flush,
	.resume = resume,
	.probe = probe,
	.state = state,
};
