/* SPDX-License-Identifier: BSD-2-Clause */
#include "session.h"

#include <stdlib.h>
#include <string.h>

#include "flow.h"
#include "kcp.h"

#define SECOND           UINT64_C(1000000)
#define UNPROVEN_US      (10 * SECOND) /* a peer that never answers is no peer */
#define REVIEW_MOST      (10 * SECOND)
#define REVIEW_LEAST     (SECOND / 10)
#define PROBES_PER_DEATH 3u /* signs of life asked for within dead_after */

/* ---- the engine's outlet ---- */

static struct vpn_packet *outlet_fresh(void *ctx, enum kcp_fresh what)
{
	struct kcp_session *s = ctx;
	struct vpn_packet *p = NULL;
	uint32_t pool = what == KCP_FRESH_DATA ? VPN_POOL_TX : VPN_POOL_RX;
	return s->k->host->alloc(s->k->lane, pool, &p, 1) == 1 ? p : NULL;
}

static void send_parity(struct kcp_session *s, uint32_t n)
{
	uint32_t len = kcp_fec_parity_len(s->encoder);
	for (uint32_t i = 0; i < n; i++) {
		struct vpn_packet *p = outlet_fresh(s, KCP_FRESH_DATA);
		if (p == NULL)
			return; /* it protects, and is not missed */
		p->off -= KCP_FEC_HEADER;
		p->len = len;
		kcp_fec_parity(s->encoder, i, vpn_packet_data(p));
		p->endpoint = s->by_default ? NULL : &s->endpoint;
		s->credit -= p->len;
		kcp_batch_down(s->k, p);
		kcp_count(s->k, KCP_PARITY_SENT, 1);
	}
}

static void outlet_emit(void *ctx, struct vpn_packet *p)
{
	struct kcp_session *s = ctx;
	uint32_t n_parity = 0;
	if (s->leaving) {
		kcp_batch_answer(s->k, p, s->by_default ? NULL : &s->endpoint);
		return;
	}
	if (s->encoder != NULL) {
		n_parity = kcp_fec_encode(s->encoder, vpn_packet_data(p), p->len, kcp_now_us(s->k));
		p->off -= KCP_FEC_HEADER;
		p->len += KCP_FEC_HEADER;
	}
	p->endpoint = s->by_default ? NULL : &s->endpoint;
	s->credit -= p->len;
	kcp_batch_down(s->k, p);
	if (n_parity != 0)
		send_parity(s, n_parity);
}

static bool outlet_can_emit(void *ctx)
{
	struct kcp_session *s = ctx;
	return (s->credit > 0 || s->leaving) && kcp_batch_accepts(&s->k->down);
}

static bool outlet_can_deliver(void *ctx)
{
	struct kcp_session *s = ctx;
	return kcp_batch_accepts(&s->k->up);
}

static bool outlet_deliver(void *ctx, struct vpn_packet *p)
{
	struct kcp_session *s = ctx;
	if (!kcp_batch_accepts(&s->k->up))
		return false;
	s->data_us = kcp_now_us(s->k);
	p->endpoint = &s->from;
	kcp_batch_up(s->k, p);
	return true;
}

static void outlet_release(void *ctx, struct vpn_packet *p)
{
	struct kcp_session *s = ctx;
	s->k->host->release(s->k->lane, &p, 1);
}

static void outlet_count(void *ctx, enum kcp_count what, uint64_t n)
{
	struct kcp_session *s = ctx;
	kcp_count(s->k, what, n);
}

static void outlet_writable(void *ctx)
{
	struct kcp_session *s = ctx;
	struct kcp *k = s->k;
	if (!k->above_waits)
		return;
	k->above_waits = false;
	k->host->writable(k->lane, VPN_DOWN);
}

static void outlet_restarted(void *ctx)
{
	struct kcp_session *s = ctx;
	s->restarting = true;
}

/* ---- life ---- */

static void *new_engine(struct kcp_session *s)
{
	struct kcp *k = s->k;
	struct kcp_engine_setup setup = {
		.settings = &k->settings,
		.outlet =
			{
				.ctx = s,
				.fresh = outlet_fresh,
				.emit = outlet_emit,
				.deliver = outlet_deliver,
				.can_deliver = outlet_can_deliver,
				.can_emit = outlet_can_emit,
				.release = outlet_release,
				.count = outlet_count,
				.writable = outlet_writable,
				.restarted = outlet_restarted,
			},
		.cells = &k->cells,
		.conv = s->number,
		.mtu = k->mtu,
		.message = k->host->mtu_above,
		.initiator = s->initiator,
		.now_us = kcp_now_us(k),
	};
	k->host->random(k->host, &setup.seed, sizeof(setup.seed));
	return k->ops->create(&setup);
}

/* The peer's FEC, which it need not announce, and ours. Here and not with the first packet that has some: once
 * traffic flows nothing is allocated. False: no memory. */
static bool add_fec(struct kcp_session *s)
{
	const struct kcp_settings *o = &s->k->settings;
	s->decoder = kcp_fec_decoder_create(o->fec_data, o->fec_parity, s->k->cells.size,
					    KCP_FEC_SLOTS);
	if (o->fec_data != 0)
		s->encoder = kcp_fec_encoder_create(o->fec_data, o->fec_parity, s->k->mtu);
	return s->decoder != NULL && (o->fec_data == 0 || s->encoder != NULL);
}

struct kcp_session *kcp_session_new(struct kcp *k, const struct vpn_endpoint *endpoint,
				    uint32_t number, bool initiator)
{
	struct kcp_session *s = calloc(1, sizeof(*s));
	if (s == NULL)
		return NULL;
	s->k = k;
	s->number = number;
	s->initiator = initiator;
	s->by_default = endpoint == NULL;
	if (endpoint != NULL)
		s->endpoint = s->from = *endpoint;
	s->begun_us = kcp_now_us(k);
	s->data_us = s->begun_us;
	s->engine_due_us = KCP_NEVER;
	s->engine = new_engine(s);
	const struct kcp_settings *o = &k->settings;
	if (s->engine == NULL || (o->reliability == KCP_RELIABLE && !add_fec(s))) {
		kcp_session_free(s);
		return NULL;
	}
	return s;
}

void kcp_session_free(struct kcp_session *s)
{
	if (s == NULL)
		return;
	s->k->ops->destroy(s->engine);
	kcp_fec_encoder_destroy(s->encoder);
	kcp_fec_decoder_destroy(s->decoder);
	free(s);
}

bool kcp_session_renew(struct kcp_session *s, uint32_t number)
{
	struct kcp *k = s->k;
	k->ops->destroy(s->engine);
	kcp_sessions_set_number(&k->sessions, s, number);
	s->begun_us = kcp_now_us(k);
	s->data_us = s->begun_us;
	s->heard_us = 0;
	s->probed_us = 0;
	s->proven = false;
	s->restarting = false;
	s->engine = new_engine(s);
	if (s->engine == NULL)
		return false;
	outlet_writable(s); /* the old engine owed it */
	return true;
}

/* ---- datagrams ---- */

static bool input(struct kcp_session *s, struct vpn_packet *p, bool recovered)
{
	return s->k->ops->input(s->engine, p, recovered, kcp_now_us(s->k));
}

static bool input_recovered(struct kcp_session *s, uint32_t n)
{
	bool any = false;
	for (uint32_t i = 0; i < n; i++) {
		uint32_t len;
		const uint8_t *data = kcp_fec_recovered(s->decoder, i, &len);
		struct vpn_packet *p = outlet_fresh(s, KCP_FRESH_UP);
		if (p == NULL || len > p->cap - p->off) {
			kcp_count(s->k, KCP_DROP_NO_MEMORY, 1);
			if (p != NULL)
				outlet_release(s, p);
			continue;
		}
		memcpy(vpn_packet_data(p), data, len);
		p->len = len;
		kcp_count(s->k, KCP_FEC_RECOVERED, 1);
		any |= input(s, p, true);
	}
	return any;
}

/* A packet with a FEC header. */
static bool input_shard(struct kcp_session *s, struct vpn_packet *p)
{
	struct kcp_fec_input in;
	if (!kcp_fec_decode(s->decoder, vpn_packet_data(p), p->len, &in)) {
		kcp_drop(s->k, p, KCP_DROP_FEC);
		return false;
	}
	/* what was missing comes before what has just come */
	bool any = in.n_recovered != 0 && input_recovered(s, in.n_recovered);
	switch (in.type) {
	case KCP_FEC_DATA:
		p->off = (uint32_t)(in.payload - p->buf);
		p->len = in.len;
		return input(s, p, false) || any;
	case KCP_FEC_OOB:
		kcp_drop(s->k, p, KCP_DROP_OOB);
		return any;
	default:
		kcp_count(s->k, KCP_PARITY_RECEIVED, 1);
		outlet_release(s, p);
		return any;
	}
}

bool kcp_session_input(struct kcp_session *s, struct vpn_packet *p)
{
	bool layered = s->k->settings.reliability == KCP_RELIABLE &&
		       kcp_fec_type(vpn_packet_data(p), p->len) != KCP_FEC_NOT;
	return layered ? input_shard(s, p) : input(s, p, false);
}

void kcp_session_say_close(struct kcp_session *s)
{
	if (s->k->settings.reliability == KCP_RELIABLE)
		return;
	s->leaving = true;
	kcp_flow_close(s->engine, KCP_FRAME_CLOSE_IDLE, kcp_now_us(s->k));
}

bool kcp_session_is_closed(const struct kcp_session *s)
{
	return s->k->settings.reliability != KCP_RELIABLE && kcp_flow_is_closed(s->engine);
}

/* ---- time ---- */

void kcp_session_flush(struct kcp_session *s)
{
	s->engine_due_us = s->k->ops->flush(s->engine, kcp_now_us(s->k));
	/* it may have stopped for want of room, or because its turn is over: it goes on behind a push, or
	 * behind the others */
	if (s->credit <= 0 || !kcp_batch_accepts(&s->k->down) || kcp_batch_is_full(&s->k->up))
		kcp_sessions_touch(&s->k->sessions, s);
	kcp_session_plan(s);
}

uint64_t kcp_session_silence(const struct kcp_session *s)
{
	uint64_t since = s->heard_us > s->begun_us ? s->heard_us : s->begun_us;
	return kcp_now_us(s->k) - since;
}

static uint64_t later_of(uint64_t a, uint64_t b)
{
	return a > b ? a : b;
}

/* For how long a question has had no answer. */
static uint64_t unanswered(const struct kcp_session *s, const struct kcp_engine_state *state)
{
	uint64_t now = kcp_now_us(s->k);
	if (state->unheard_us == 0)
		return 0;
	return now - later_of(state->unheard_us, s->heard_us);
}

static void ask(struct kcp_session *s, const struct kcp_engine_state *state)
{
	const struct kcp_settings *o = &s->k->settings;
	uint64_t now = kcp_now_us(s->k);
	uint64_t wait = o->dead_us / PROBES_PER_DEATH;
	bool in_use = o->idle_us == 0 || now - s->data_us < o->idle_us;
	(void)state;
	if (o->dead_us == 0 || !in_use || kcp_session_silence(s) < wait ||
	    now - later_of(s->probed_us, s->begun_us) < wait)
		return;
	s->probed_us = now;
	s->k->ops->probe(s->engine, now);
	kcp_sessions_touch(&s->k->sessions, s);
}

/* KCP has no word for the end of a conversation. So who has begun it leaves it first: the other side goes on
 * while it is asked for signs of life, and is not found gone by the next data. */
static uint64_t used_us(const struct kcp_session *s)
{
	if (s->k->settings.reliability != KCP_RELIABLE || s->initiator)
		return s->data_us;
	return later_of(s->data_us, s->heard_us);
}

enum kcp_session_end kcp_session_review(struct kcp_session *s)
{
	const struct kcp_settings *o = &s->k->settings;
	uint64_t now = kcp_now_us(s->k);
	struct kcp_engine_state state;
	s->k->ops->state(s->engine, &state);
	s->proven |= state.has_proof;
	if (kcp_session_is_closed(s))
		return KCP_SESSION_CLOSED;
	if (o->dead_us != 0 && unanswered(s, &state) >= o->dead_us)
		return KCP_SESSION_DEAD;
	if (s->accepted && !s->proven && kcp_session_silence(s) >= UNPROVEN_US)
		return KCP_SESSION_IDLE;
	if (!s->by_default && o->idle_us != 0 && now - used_us(s) >= o->idle_us)
		return KCP_SESSION_IDLE;
	ask(s, &state);
	return KCP_SESSION_GOES_ON;
}

/* Often enough for the shortest of the times that review() looks at; nothing of them is sharp. */
void kcp_session_plan(struct kcp_session *s)
{
	const struct kcp_settings *o = &s->k->settings;
	uint64_t every = REVIEW_MOST;
	if (o->dead_us != 0 && o->dead_us / 8 < every)
		every = o->dead_us / 8;
	if (o->idle_us != 0 && o->idle_us / 4 < every)
		every = o->idle_us / 4;
	every = later_of(every, REVIEW_LEAST);
	uint64_t due = kcp_now_us(s->k) + every;
	kcp_sessions_plan(&s->k->sessions, s, s->engine_due_us < due ? s->engine_due_us : due);
}
