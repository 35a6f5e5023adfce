/* SPDX-License-Identifier: BSD-2-Clause */
/* flow: the engine of "datagram" and "deadline", put together. */
#include "flow.h"

#include <stdlib.h>

#include "flow_parts.h"

enum kcp_flow_peeked kcp_flow_peek(const uint8_t *data, uint32_t len, uint32_t *ret_number)
{
	switch (kcp_frame_peek(data, len, ret_number)) {
	case 0:
		return KCP_FLOW_NONE;
	case KCP_FRAME_HELLO:
		return KCP_FLOW_HELLO;
	case KCP_FRAME_RESET:
		return KCP_FLOW_RESET;
	default:
		return KCP_FLOW_SESSION;
	}
}

static void destroy(void *engine)
{
	struct kcp_flow *f = engine;
	if (f == NULL)
		return;
	flow_tx_clear(f);
	flow_rx_clear(f);
	free(f);
}

static void *create(const struct kcp_engine_setup *setup)
{
	struct kcp_flow *f = calloc(1, sizeof(*f));
	if (f == NULL)
		return NULL;
	f->settings = setup->settings;
	f->out = setup->outlet;
	f->cells = setup->cells;
	f->mtu = setup->mtu;
	f->message = setup->message;
	f->is_deadline = setup->settings->reliability == KCP_DEADLINE;
	f->own_id = setup->conv;
	f->rng = setup->seed;
	f->heard_us = setup->now_us;
	if (!flow_tx_init(f) || !flow_rx_init(f)) {
		destroy(f);
		return NULL;
	}
	flow_begin_ask(f, setup->now_us); /* chooses the id; who is asked does not ask itself */
	if (!setup->initiator)
		f->state = FLOW_CLOSED;
	return f;
}

static bool send(void *engine, struct vpn_packet *message, uint64_t now_us)
{
	return flow_queue_add(engine, message, now_us);
}

static bool refuse(struct kcp_flow *f, struct vpn_packet *p, enum kcp_count reason)
{
	flow_drop(f, p, reason);
	return false;
}

static bool input(void *engine, struct vpn_packet *p, bool recovered, uint64_t now_us)
{
	struct kcp_flow *f = engine;
	uint32_t number = 0;
	uint8_t kind = kcp_frame_peek(vpn_packet_data(p), p->len, &number);
	(void)recovered; /* the outer FEC is not for this wire */
	if (kind == 0)
		return refuse(f, p, KCP_DROP_FRAME);
	if (kind >= KCP_FRAME_HELLO) {
		bool good = flow_begin_input(f, kind, vpn_packet_data(p), now_us);
		if (good && kind != KCP_FRAME_RESET) {
			f->heard_us = now_us;
			f->unheard_us = 0;
		}
		if (good)
			f->out.release(f->out.ctx, p);
		else
			flow_drop(f, p, KCP_DROP_HELLO);
		return good;
	}
	if (f->state != FLOW_OPEN)
		return refuse(f, p, KCP_DROP_NOT_OPEN);
	if (number != (uint32_t)f->own_id)
		return refuse(f, p, KCP_DROP_STRAY);
	bool good;
	if (kind == KCP_FRAME_ACK) {
		good = flow_fate_ack(f, vpn_packet_data(p), p->len, now_us);
		if (good)
			f->out.release(f->out.ctx, p);
		else
			flow_drop(f, p, KCP_DROP_FRAME);
	} else {
		good = flow_rx_input(f, p, now_us);
	}
	if (good) {
		f->heard_us = now_us;
		f->unheard_us = 0;
	}
	return good;
}

static uint64_t earlier(uint64_t a, uint64_t b)
{
	return a < b ? a : b;
}

static uint64_t flush(void *engine, uint64_t now_us)
{
	struct kcp_flow *f = engine;
	flow_queue_expire(f, now_us);
	uint64_t next = flow_begin_flush(f, now_us);
	if (f->state != FLOW_OPEN)
		return next;
	flow_fate_timers(f, now_us);
	flow_rx_flush(f, now_us);
	flow_tx_flush(f, now_us);
	next = earlier(flow_fate_next(f), flow_rx_next(f));
	next = earlier(next, flow_tx_next(f, now_us));
	/* what could not be done now for want of a packet or of the network is not a reason to spin */
	return next > now_us ? next : now_us + 1000;
}

static void resume(void *engine, uint64_t now_us)
{
	(void)now_us;
	flow_arrival_resume(engine);
}

static void probe(void *engine, uint64_t now_us)
{
	struct kcp_flow *f = engine;
	(void)now_us;
	f->tx.wants_ping = f->state == FLOW_OPEN;
}

static void state(const void *engine, struct kcp_engine_state *out)
{
	const struct kcp_flow *f = engine;
	*out = (struct kcp_engine_state){
		.srtt_us = f->rtt.srtt_us,
		.unheard_us = f->unheard_us,
		.rate_bps = kcp_congestion_pace(&f->congestion) * 8,
		.in_flight = f->tx.n_flying,
		.queued = kcp_backlog_count(&f->tx.backlog),
		.window = (uint32_t)(kcp_congestion_window(&f->congestion) / f->mtu),
		.loss_ppm = kcp_group_plan_loss_ppm(&f->tx.plan),
		.has_proof = f->state == FLOW_OPEN,
	};
}

const struct kcp_engine_ops kcp_flow_ops = {
	.name = "flow",
	.headroom = KCP_FRAME_HEAD_LEN,
	.tailroom = 0,
	.create = create,
	.destroy = destroy,
	.send = send,
	.input = input,
	.flush = flush,
	.resume = resume,
	.probe = probe,
	.state = state,
};
