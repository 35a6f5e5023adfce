/* SPDX-License-Identifier: BSD-2-Clause */
/* flow_begin: how a session begins and begins anew; flow_door.h has the other half. */
#include <string.h>

#include "flow_parts.h"

#define FIRST_WAIT_US 500000u
#define MOST_WAIT_US  4000000u

static uint64_t next_random(struct kcp_flow *f)
{
	f->rng += UINT64_C(0x9e3779b97f4a7c15); /* splitmix64: Steele, Lea, Flood 2014 */
	uint64_t z = f->rng;
	z = (z ^ z >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
	z = (z ^ z >> 27) * UINT64_C(0x94d049bb133111eb);
	return z ^ z >> 31;
}

/* Both sides know it as soon as they know both ids, and nobody who has seen neither. */
uint32_t flow_begin_first_pn(uint64_t sender, uint64_t receiver)
{
	return (uint32_t)(sender >> 32) ^ (uint32_t)receiver;
}

static void forget_peer(struct kcp_flow *f, uint64_t now_us)
{
	flow_tx_reset(f, now_us);
	flow_rx_reset(f, now_us);
	f->peer_id = 0;
	f->unheard_us = 0;
	f->wants_welcome = false;
}

void flow_begin_ask(struct kcp_flow *f, uint64_t now_us)
{
	/* the number stays, by it we are found; the rest tells this beginning from others */
	f->own_id = (next_random(f) << 32) | (uint32_t)f->own_id;
	forget_peer(f, now_us);
	f->state = FLOW_ASKING;
	f->hello_us = now_us;
	f->hello_sent_us = 0;
	f->hello_wait_us = FIRST_WAIT_US;
	memset(f->cookie, 0, sizeof(f->cookie));
}

static void open_with(struct kcp_flow *f, const struct kcp_frame_hello *h, uint64_t now_us)
{
	f->peer_id = h->sender;
	f->peer_message = h->message;
	f->peer_window = h->window;
	f->peer_budget_us = h->budget_us;
	f->state = FLOW_OPEN;
	flow_tx_reset(f, now_us);
	flow_rx_reset(f, now_us);
	f->heard_us = now_us;
	f->unheard_us = 0;
	f->measured_us = 0;
}

bool kcp_flow_adopt(void *engine, const struct kcp_frame_hello *hello, uint64_t now_us)
{
	struct kcp_flow *f = engine;
	if ((uint32_t)hello->sender == 0 || hello->sender == f->own_id)
		return false;
	f->wants_welcome = true;
	if (f->state == FLOW_OPEN && hello->sender == f->peer_id)
		return true;
	if (f->state == FLOW_OPEN)
		flow_count(f, KCP_PEER_RESTARTS, 1);
	open_with(f, hello, now_us);
	return true;
}

static bool take_cookie(struct kcp_flow *f, const struct kcp_frame_hello *h, uint64_t now_us)
{
	/* one answer to each question: a COOKIE that comes again asks nothing */
	if (f->state != FLOW_ASKING || h->receiver != f->own_id || f->hello_sent_us == 0)
		return false;
	if (memcmp(f->cookie, h->cookie, sizeof(f->cookie)) == 0)
		return false;
	memcpy(f->cookie, h->cookie, sizeof(f->cookie));
	f->hello_us = now_us;
	return true;
}

static bool take_welcome(struct kcp_flow *f, const struct kcp_frame_hello *h, uint64_t now_us)
{
	if (h->receiver != f->own_id || (uint32_t)h->sender == 0 || h->sender == f->own_id)
		return false;
	if (f->state == FLOW_OPEN)
		return h->sender == f->peer_id;
	if (f->state != FLOW_ASKING || f->hello_sent_us == 0)
		return false;
	uint64_t sent_us = f->hello_sent_us;
	open_with(f, h, now_us);
	/* the last HELLO may not be the one that it answers: then the sample is too small, and later
	 * ones correct it */
	kcp_rtt_sample(&f->rtt, now_us - sent_us, now_us);
	f->measured_us = now_us;
	return true;
}

/* The peer does not know this session: it is asked again, if it has really seen what we sent. */
static bool take_reset(struct kcp_flow *f, const uint8_t *data, uint64_t now_us)
{
	uint32_t number = kcp_load_le32(data + 8);
	uint64_t pn = kcp_frame_expand(f->tx.next_pn, kcp_load_le32(data + 12));
	if (f->state != FLOW_OPEN || number != flow_peer_number(f))
		return false;
	if (pn >= f->tx.next_pn || f->tx.next_pn - pn > f->tx.sent_mask + 1u)
		return false;
	flow_count(f, KCP_RESETS, 1);
	flow_begin_ask(f, now_us);
	return true;
}

static bool take_close(struct kcp_flow *f, const uint8_t *data)
{
	if (f->state != FLOW_OPEN || kcp_load_le64(data + 8) != f->own_id ||
	    kcp_load_le64(data + 16) != f->peer_id)
		return false;
	f->is_closed = true;
	return true;
}

bool flow_begin_input(struct kcp_flow *f, uint8_t kind, const uint8_t *data, uint64_t now_us)
{
	struct kcp_frame_hello h;
	switch (kind) {
	case KCP_FRAME_RESET:
		return take_reset(f, data, now_us);
	case KCP_FRAME_CLOSE:
		return take_close(f, data);
	case KCP_FRAME_COOKIE:
		return kcp_frame_parse_hello(data, &h) && take_cookie(f, &h, now_us);
	case KCP_FRAME_WELCOME:
		return kcp_frame_parse_hello(data, &h) && take_welcome(f, &h, now_us);
	default:
		return false; /* HELLO goes to the door */
	}
}

static bool emit_hello(struct kcp_flow *f, uint8_t kind)
{
	struct vpn_packet *p = f->out.fresh(f->out.ctx, KCP_FRESH_ANSWER);
	if (p == NULL)
		return false;
	struct kcp_frame_hello h = {
		.kind = kind,
		.version = KCP_FRAME_VERSION,
		.mode = f->is_deadline ? KCP_FRAME_MODE_DEADLINE : KCP_FRAME_MODE_DATAGRAM,
		.sender = f->own_id,
		.window = f->rx.window,
		.budget_us = f->is_deadline ? (uint32_t)f->settings->deadline_us : 0,
		.message = f->message,
	};
	if (kind == KCP_FRAME_WELCOME) {
		h.number = flow_peer_number(f);
		h.receiver = f->peer_id;
		h.first_pn = flow_begin_first_pn(f->own_id, f->peer_id);
	} else {
		memcpy(h.cookie, f->cookie, sizeof(h.cookie));
	}
	kcp_frame_write_hello(vpn_packet_data(p), &h);
	p->len = KCP_FRAME_HELLO_LEN;
	f->out.emit(f->out.ctx, p);
	return true;
}

uint64_t flow_begin_flush(struct kcp_flow *f, uint64_t now_us)
{
	if (f->wants_welcome && f->out.can_emit(f->out.ctx))
		f->wants_welcome = !emit_hello(f, KCP_FRAME_WELCOME);
	if (f->state != FLOW_ASKING)
		return KCP_NEVER;
	if (now_us < f->hello_us)
		return f->hello_us;
	if (f->out.can_emit(f->out.ctx) && emit_hello(f, KCP_FRAME_HELLO)) {
		f->hello_sent_us = now_us;
		if (f->unheard_us == 0)
			f->unheard_us = now_us;
	}
	f->hello_us = now_us + f->hello_wait_us;
	f->hello_wait_us *= 2;
	if (f->hello_wait_us > MOST_WAIT_US)
		f->hello_wait_us = MOST_WAIT_US;
	return f->hello_us;
}

void kcp_flow_close(void *engine, uint8_t reason, uint64_t now_us)
{
	struct kcp_flow *f = engine;
	(void)now_us;
	if (f->state != FLOW_OPEN || f->is_closed || !f->out.can_emit(f->out.ctx))
		return;
	struct vpn_packet *p = f->out.fresh(f->out.ctx, KCP_FRESH_ANSWER);
	if (p == NULL)
		return;
	uint8_t *data = vpn_packet_data(p);
	data[0] = KCP_FRAME_CLOSE;
	data[1] = reason;
	kcp_store_le16(data + 2, 0);
	kcp_store_le32(data + 4, flow_peer_number(f));
	kcp_store_le64(data + 8, f->peer_id);
	kcp_store_le64(data + 16, f->own_id);
	p->len = KCP_FRAME_CLOSE_LEN;
	f->out.emit(f->out.ctx, p);
}

bool kcp_flow_is_closed(const void *engine)
{
	const struct kcp_flow *f = engine;
	return f->is_closed;
}
