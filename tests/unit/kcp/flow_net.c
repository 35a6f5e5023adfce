/* SPDX-License-Identifier: BSD-2-Clause */
#include "flow_net.h"

#include <stdlib.h>
#include <string.h>

#define HEADROOM 64u

struct flow_net_flight {
	uint64_t at_us, serial;
	uint32_t to;
	uint32_t len;
	uint8_t data[];
};

uint64_t flow_net_random(struct flow_net *n)
{
	n->rng += UINT64_C(0x9e3779b97f4a7c15);
	uint64_t z = n->rng;
	z = (z ^ z >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
	z = (z ^ z >> 27) * UINT64_C(0x94d049bb133111eb);
	return z ^ z >> 31;
}

bool flow_net_chance(struct flow_net *n, uint32_t share)
{
	return share != 0 && flow_net_random(n) % FLOW_NET_PPM < share;
}

/* ---- packets ---- */

static struct vpn_packet *new_packet(struct flow_end *e, uint32_t room)
{
	struct vpn_packet *p = calloc(1, sizeof(*p));
	assert_non_null(p);
	p->buf = malloc(HEADROOM + room);
	assert_non_null(p->buf);
	p->cap = HEADROOM + room;
	p->off = HEADROOM;
	e->packets++;
	return p;
}

static void end_packet(struct flow_end *e, struct vpn_packet *p)
{
	assert_true(e->packets > 0);
	assert_true(p->off + p->len <= p->cap);
	e->packets--;
	free(p->buf);
	free(p);
}

/* ---- the network ---- */

static bool is_before(const struct flow_net_flight *a, const struct flow_net_flight *b)
{
	return a->at_us < b->at_us || (a->at_us == b->at_us && a->serial < b->serial);
}

static void push(struct flow_net *n, struct flow_net_flight *f)
{
	if (n->n_flights == n->room) {
		n->room = n->room != 0 ? 2 * n->room : 256;
		n->heap = realloc(n->heap, n->room * sizeof(struct flow_net_flight *));
		assert_non_null(n->heap);
	}
	uint32_t i = n->n_flights++;
	for (; i != 0 && is_before(f, n->heap[(i - 1) / 2]); i = (i - 1) / 2)
		n->heap[i] = n->heap[(i - 1) / 2];
	n->heap[i] = f;
}

static struct flow_net_flight *pop(struct flow_net *n)
{
	struct flow_net_flight *first = n->heap[0];
	struct flow_net_flight *last = n->heap[--n->n_flights];
	uint32_t i = 0;
	for (;;) {
		uint32_t child = 2 * i + 1;
		if (child >= n->n_flights)
			break;
		if (child + 1 < n->n_flights && is_before(n->heap[child + 1], n->heap[child]))
			child++;
		if (!is_before(n->heap[child], last))
			break;
		n->heap[i] = n->heap[child];
		i = child;
	}
	n->heap[i] = last;
	return first;
}

static bool is_lost(struct flow_net *n, struct flow_line *l)
{
	if (l->is_cut)
		return true;
	l->in_burst = l->in_burst ? !flow_net_chance(n, l->burst_ends)
				  : flow_net_chance(n, l->burst_begins);
	return l->in_burst || flow_net_chance(n, l->loss);
}

static void fly(struct flow_net *n, uint32_t to, const uint8_t *data, uint32_t len, uint64_t at_us)
{
	struct flow_net_flight *f = malloc(sizeof(*f) + len);
	assert_non_null(f);
	f->at_us = at_us;
	f->serial = n->serial++;
	f->to = to;
	f->len = len;
	memcpy(f->data, data, len);
	push(n, f);
}

static void transmit(struct flow_end *e, const uint8_t *data, uint32_t len)
{
	struct flow_net *n = e->net;
	uint32_t side = (uint32_t)(e - n->end);
	struct flow_line *l = &n->line[side];
	uint64_t at = n->now_us;
	l->datagrams++;
	l->bytes += len;
	l->frames[data[0] >> 4]++;
	if (l->bytes_per_s != 0) {
		uint64_t from = l->busy_until_us > at ? l->busy_until_us : at;
		if ((from - at) * l->bytes_per_s / FLOW_NET_SECOND > l->queue_bytes) {
			l->overflowed++;
			return;
		}
		l->busy_until_us = from + (uint64_t)len * FLOW_NET_SECOND / l->bytes_per_s;
		at = l->busy_until_us;
	}
	if (is_lost(n, l)) {
		l->lost++;
		return;
	}
	uint32_t times = flow_net_chance(n, l->twice) ? 2 : 1;
	for (uint32_t i = 0; i < times; i++) {
		uint64_t jitter = l->jitter_us != 0 ? flow_net_random(n) % l->jitter_us : 0;
		fly(n, 1 - side, data, len, at + l->delay_us + jitter);
	}
}

/* ---- outlet ---- */

static struct vpn_packet *fresh(void *ctx, enum kcp_fresh what)
{
	struct flow_end *e = ctx;
	(void)what;
	return e->no_packets ? NULL : new_packet(e, FLOW_NET_MTU);
}

static void emit(void *ctx, struct vpn_packet *p)
{
	struct flow_end *e = ctx;
	assert_true(p->len <= FLOW_NET_MTU);
	assert_true(p->len >= KCP_FRAME_HEAD_LEN);
	assert_false(e->below_full);
	if (e->tap == NULL || e->tap(e, vpn_packet_data(p), p->len))
		transmit(e, vpn_packet_data(p), p->len);
	end_packet(e, p);
}

static bool deliver(void *ctx, struct vpn_packet *p)
{
	struct flow_end *e = ctx;
	if (e->above_full)
		return false;
	e->got_messages++;
	e->got_bytes += p->len;
	e->last_len = p->len;
	if (e->got != NULL)
		e->got(e, vpn_packet_data(p), p->len);
	end_packet(e, p);
	return true;
}

static bool can_deliver(void *ctx)
{
	return !((struct flow_end *)ctx)->above_full;
}

static bool can_emit(void *ctx)
{
	return !((struct flow_end *)ctx)->below_full;
}

static void release(void *ctx, struct vpn_packet *p)
{
	end_packet(ctx, p);
}

static void count(void *ctx, enum kcp_count what, uint64_t n)
{
	((struct flow_end *)ctx)->counts[what] += n;
}

static void nothing(void *ctx)
{
	(void)ctx;
}

/* ---- ends ---- */

static void create(struct flow_end *e, bool begins)
{
	struct kcp_engine_setup setup = {
		.settings = &e->settings,
		.outlet = {.ctx = e,
			   .fresh = fresh,
			   .emit = emit,
			   .deliver = deliver,
			   .can_deliver = can_deliver,
			   .can_emit = can_emit,
			   .release = release,
			   .count = count,
			   .writable = nothing,
			   .restarted = nothing},
		.cells = &e->cells,
		.conv = e->conv,
		.mtu = FLOW_NET_MTU,
		.message = FLOW_NET_MESSAGE,
		.initiator = begins,
		.seed = flow_net_random(e->net),
		.now_us = e->net->now_us,
	};
	e->engine = kcp_flow_ops.create(&setup);
	assert_non_null(e->engine);
	e->due_us = e->net->now_us;
}

void flow_net_init(struct flow_net *n, uint64_t seed)
{
	*n = (struct flow_net){.now_us = FLOW_NET_SECOND, .rng = seed, .traffic_us = UINT64_MAX};
	for (uint32_t i = 0; i < 2; i++) {
		struct flow_end *e = &n->end[i];
		uint8_t secret[32];
		e->net = n;
		e->conv = (uint32_t)flow_net_random(n) | 1;
		e->admits = i == 1;
		e->due_us = UINT64_MAX;
		e->settings = (struct kcp_settings){
			.reliability = KCP_DEADLINE,
			.congestion = KCP_CONGESTION_RATE,
			.snd_wnd = 4096,
			.rcv_wnd = 4096,
			.deadline_us = 300000,
			.queue_us = 50000,
			.fec_min = 0,
			.fec_max = 100,
		};
		n->line[i].delay_us = 30000;
		kcp_cells_init(&e->cells, FLOW_NET_MTU, 65536);
		memset(secret, (int)i + 1, sizeof(secret));
		kcp_flow_door_init(&e->door, secret);
	}
}

void flow_net_start(struct flow_net *n)
{
	create(&n->end[0], true);
}

static void destroy(struct flow_end *e)
{
	kcp_flow_ops.destroy(e->engine);
	e->engine = NULL;
	assert_int_equal(e->packets, 0);
	assert_int_equal(e->cells.n_out, 0);
}

void flow_net_restart(struct flow_end *e, bool begins)
{
	destroy(e);
	e->conv += 2;
	if (begins)
		create(e, true);
}

void flow_net_clear(struct flow_net *n)
{
	for (uint32_t i = 0; i < 2; i++) {
		destroy(&n->end[i]);
		kcp_cells_clear(&n->end[i].cells);
		kcp_flow_door_clear(&n->end[i].door);
	}
	while (n->n_flights != 0)
		free(pop(n));
	free(n->heap);
}

void flow_net_flush(struct flow_end *e)
{
	if (e->engine != NULL)
		e->due_us = kcp_flow_ops.flush(e->engine, e->net->now_us);
}

void flow_net_send(struct flow_end *e, const void *data, uint32_t len, bool flush)
{
	struct vpn_packet *p = new_packet(e, FLOW_NET_MTU);
	memcpy(vpn_packet_data(p), data, len);
	p->len = len;
	assert_true(kcp_flow_ops.send(e->engine, p, e->net->now_us));
	if (flush)
		flow_net_flush(e);
}

static bool at_door(struct flow_end *e, const uint8_t *data, uint32_t len)
{
	uint8_t answer[KCP_FRAME_HELLO_LEN];
	uint32_t answer_len = 0;
	struct kcp_frame_hello hello;
	struct vpn_endpoint from = {.family = VPN_AF_INET, .port = 7, .addr = {192, 0, 2, 1}};
	switch (kcp_flow_door_hello(&e->door, &from, data, len, e->net->now_us, answer, &answer_len,
				    &hello)) {
	case KCP_DOOR_ANSWER:
		assert_true(answer_len <= len);
		transmit(e, answer, answer_len);
		return true;
	case KCP_DOOR_ADMIT:
		if (e->engine == NULL && !e->admits)
			return false;
		if (e->engine == NULL)
			create(e, false);
		return kcp_flow_adopt(e->engine, &hello, e->net->now_us);
	default:
		return false;
	}
}

static void answer_stray(struct flow_end *e, const uint8_t *data, uint32_t len)
{
	uint8_t answer[KCP_FRAME_HELLO_LEN];
	uint32_t answer_len = 0;
	if (kcp_flow_door_stray(&e->door, data, len, e->net->now_us, answer, &answer_len) ==
	    KCP_DOOR_ANSWER) {
		assert_true(answer_len <= len);
		transmit(e, answer, answer_len);
	}
}

bool flow_net_input(struct flow_end *e, const void *data, uint32_t len)
{
	uint32_t number = 0;
	enum kcp_flow_peeked kind = kcp_flow_peek(data, len, &number);
	bool good = false;
	if (kind == KCP_FLOW_NONE)
		return false;
	if (kind == KCP_FLOW_HELLO) {
		good = at_door(e, data, len);
	} else if (e->engine == NULL || (kind == KCP_FLOW_SESSION && number != e->conv)) {
		answer_stray(e, data, len);
		return false;
	} else {
		/* no byte behind the datagram belongs to it */
		struct vpn_packet *p = new_packet(e, len);
		memcpy(vpn_packet_data(p), data, len);
		p->len = len;
		good = kcp_flow_ops.input(e->engine, p, false, e->net->now_us);
	}
	flow_net_flush(e);
	return good;
}

static uint64_t next_time(const struct flow_net *n)
{
	uint64_t t = n->traffic_us;
	if (n->n_flights != 0 && n->heap[0]->at_us < t)
		t = n->heap[0]->at_us;
	for (uint32_t i = 0; i < 2; i++)
		if (n->end[i].engine != NULL && n->end[i].due_us < t)
			t = n->end[i].due_us;
	return t;
}

static void step(struct flow_net *n)
{
	while (n->n_flights != 0 && n->heap[0]->at_us <= n->now_us) {
		struct flow_net_flight *f = pop(n);
		(void)flow_net_input(&n->end[f->to], f->data, f->len);
		free(f);
	}
	if (n->traffic_us <= n->now_us)
		n->traffic(n);
	for (uint32_t i = 0; i < 2; i++)
		if (n->end[i].engine != NULL && n->end[i].due_us <= n->now_us) {
			flow_net_flush(&n->end[i]);
			/* an engine that wants to be called again at once would stop the clock */
			assert_true(n->end[i].due_us > n->now_us);
		}
}

void flow_net_run(struct flow_net *n, uint64_t us)
{
	uint64_t end = n->now_us + us;
	for (uint64_t t = next_time(n); t <= end; t = next_time(n)) {
		n->now_us = t > n->now_us ? t : n->now_us;
		step(n);
	}
	n->now_us = end;
}

bool flow_net_is_open(const struct flow_end *e)
{
	struct kcp_engine_state s;
	if (e->engine == NULL)
		return false;
	kcp_flow_ops.state(e->engine, &s);
	return s.has_proof;
}

void flow_net_open(struct flow_net *n)
{
	uint64_t end = n->now_us + 10 * FLOW_NET_SECOND;
	while (!flow_net_is_open(&n->end[0]) || !flow_net_is_open(&n->end[1])) {
		assert_true(n->now_us < end);
		flow_net_run(n, FLOW_NET_MS);
	}
}
