/* SPDX-License-Identifier: BSD-2-Clause */
#include "arq_link.h"

#include <stdlib.h>
#include <string.h>

#define HEADROOM 64u
#define TAILROOM 16u

/* ---- packets ---- */

static struct vpn_packet *new_packet(uint32_t headroom, uint32_t room)
{
	struct vpn_packet *p = calloc(1, sizeof(*p));
	assert_non_null(p);
	p->cap = headroom + room;
	p->buf = malloc(p->cap);
	assert_non_null(p->buf);
	p->off = headroom;
	return p;
}

static void free_packet(struct vpn_packet *p)
{
	free(p->buf);
	free(p);
}

/* ---- randomness: splitmix64 ---- */

uint64_t arq_link_random(struct arq_link *l)
{
	uint64_t z = (l->rng += UINT64_C(0x9e3779b97f4a7c15));
	z = (z ^ z >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
	z = (z ^ z >> 27) * UINT64_C(0x94d049bb133111eb);
	return z ^ z >> 31;
}

static bool happens(struct arq_link *l, uint32_t ppm)
{
	return ppm != 0 && arq_link_random(l) % 1000000 < ppm;
}

/* ---- the network ---- */

static bool is_before(const struct arq_flying *a, const struct arq_flying *b)
{
	return a->at_us < b->at_us || (a->at_us == b->at_us && a->order < b->order);
}

static void heap_put(struct arq_link *l, struct arq_flying f)
{
	uint32_t at = l->n_flying++;
	while (at != 0 && is_before(&f, &l->flying[(at - 1) / 2])) {
		l->flying[at] = l->flying[(at - 1) / 2];
		at = (at - 1) / 2;
	}
	l->flying[at] = f;
}

static struct arq_flying heap_take(struct arq_link *l)
{
	struct arq_flying first = l->flying[0];
	struct arq_flying last = l->flying[--l->n_flying];
	uint32_t at = 0;
	for (uint32_t child = 1; child < l->n_flying; child = 2 * at + 1) {
		if (child + 1 < l->n_flying && is_before(&l->flying[child + 1], &l->flying[child]))
			child++;
		if (!is_before(&l->flying[child], &last))
			break;
		l->flying[at] = l->flying[child];
		at = child;
	}
	l->flying[at] = last;
	return first;
}

static void put_under_way(struct arq_end *from, const uint8_t *data, uint32_t len, uint64_t at_us)
{
	struct arq_link *l = from->l;
	if (l->n_flying == LINK_UNDER)
		return;
	struct arq_flying f = {.at_us = at_us, .order = l->order++, .to = from->other, .len = len};
	f.data = malloc(len);
	assert_non_null(f.data);
	memcpy(f.data, data, len);
	if (happens(l, l->net.corrupt_ppm))
		f.data[arq_link_random(l) % len] ^= (uint8_t)(1u << arq_link_random(l) % 8);
	heap_put(l, f);
}

/* When a datagram leaves the bottleneck; 0: its queue is full. */
static uint64_t departure(struct arq_end *from)
{
	struct arq_link *l = from->l;
	uint64_t *free_us = &l->free_us[from == &l->a];
	uint64_t cost = l->net.us_per_datagram;
	if (cost == 0)
		return l->now_us;
	if (*free_us < l->now_us)
		*free_us = l->now_us;
	if (*free_us - l->now_us > cost * l->net.queue)
		return 0;
	*free_us += cost;
	return *free_us;
}

static void transmit(struct arq_end *from, uint8_t *data, uint32_t len)
{
	struct arq_link *l = from->l;
	if (l->net.filter != NULL && !l->net.filter(l, from, data, len))
		return;
	uint64_t leaves = departure(from);
	if (leaves == 0 || happens(l, l->net.loss_ppm))
		return;
	uint32_t copies = happens(l, l->net.duplicate_ppm) ? 2 : 1;
	for (uint32_t i = 0; i < copies; i++) {
		uint64_t jitter = l->net.jitter_us != 0 ? arq_link_random(l) % l->net.jitter_us : 0;
		put_under_way(from, data, len, leaves + l->net.delay_us + jitter);
	}
}

/* ---- the outlet ---- */

static struct vpn_packet *outlet_fresh(void *ctx, enum kcp_fresh what)
{
	struct arq_end *e = ctx;
	(void)what;
	if (e->fresh_left == 0)
		return NULL;
	if (e->fresh_left != UINT32_MAX)
		e->fresh_left--;
	e->packets++;
	return new_packet(HEADROOM, 2048);
}

static void outlet_release(void *ctx, struct vpn_packet *p)
{
	struct arq_end *e = ctx;
	e->packets--;
	free_packet(p);
}

static void outlet_emit(void *ctx, struct vpn_packet *p)
{
	struct arq_end *e = ctx;
	assert_false(e->mute);
	assert_int_not_equal(p->len, 0);
	assert_in_range(p->len, 1, e->l->mtu);
	e->n_datagrams++;
	e->bytes_emitted += p->len;
	transmit(e, vpn_packet_data(p), p->len);
	outlet_release(e, p);
}

static void fill_message(uint8_t *at, uint32_t number, uint32_t len)
{
	for (uint32_t i = 0; i < len; i++)
		at[i] = (uint8_t)(i < 4 ? number >> (8 * i) : number * 7 + i * 13);
}

static bool outlet_deliver(void *ctx, struct vpn_packet *p)
{
	struct arq_end *e = ctx;
	uint8_t expected[65536];
	uint32_t number = 0;
	if (e->deaf)
		return false;
	const uint8_t *data = vpn_packet_data(p);
	assert_in_range(p->len, 4, e->l->message);
	for (uint32_t i = 0; i < 4; i++)
		number |= (uint32_t)data[i] << (8 * i);
	if (e->gaps)
		assert_true(number >= e->n_delivered);
	else
		assert_int_equal(number, e->n_delivered);
	fill_message(expected, number, p->len);
	assert_memory_equal(data, expected, p->len);
	e->n_delivered = number + 1;
	e->bytes_delivered += p->len;
	outlet_release(e, p);
	return true;
}

static bool outlet_can_deliver(void *ctx)
{
	const struct arq_end *e = ctx;
	return !e->deaf;
}

static bool outlet_can_emit(void *ctx)
{
	const struct arq_end *e = ctx;
	return !e->mute;
}

static void outlet_count(void *ctx, enum kcp_count what, uint64_t n)
{
	struct arq_end *e = ctx;
	e->counts[what] += n;
}

static void outlet_writable(void *ctx)
{
	struct arq_end *e = ctx;
	e->n_writable++;
}

static void outlet_restarted(void *ctx)
{
	struct arq_end *e = ctx;
	e->n_restarted++;
}

/* ---- life ---- */

struct kcp_settings arq_link_settings(void)
{
	return (struct kcp_settings){
		.reliability = KCP_RELIABLE,
		.congestion = KCP_CONGESTION_NONE,
		.nodelay = 1,
		.resend = 2,
		.ack_no_delay = true,
		.snd_wnd = 128,
		.rcv_wnd = 128,
		.interval_us = 10 * MS,
	};
}

static void init_end(struct arq_link *l, struct arq_end *e, struct arq_end *other)
{
	struct kcp_engine_setup setup = {
		.settings = &l->settings,
		.outlet = {.ctx = e,
			   .fresh = outlet_fresh,
			   .emit = outlet_emit,
			   .deliver = outlet_deliver,
			   .can_deliver = outlet_can_deliver,
			   .can_emit = outlet_can_emit,
			   .release = outlet_release,
			   .count = outlet_count,
			   .writable = outlet_writable,
			   .restarted = outlet_restarted},
		.cells = &l->cells[e == &l->b],
		.conv = 0x11223344,
		.mtu = l->mtu,
		.message = l->message,
		.initiator = e == &l->a,
		.seed = arq_link_random(l),
		.now_us = l->now_us,
	};
	*e = (struct arq_end){.l = l, .other = other, .due_us = KCP_NEVER};
	e->fresh_left = UINT32_MAX;
	e->engine = kcp_arq_ops.create(&setup);
	assert_non_null(e->engine);
}

void arq_link_init_sizes(struct arq_link *l, uint64_t seed, const struct kcp_settings *settings,
			 uint32_t mtu, uint32_t message)
{
	l->now_us = LINK_START;
	l->rng = seed;
	l->order = 0;
	l->net = (struct arq_net){.delay_us = 10 * MS};
	l->n_flying = 0;
	memset(l->free_us, 0, sizeof(l->free_us));
	l->settings = *settings;
	l->mtu = mtu != 0 ? mtu : 1400;
	l->message = message != 0 ? message : 1376;
	for (uint32_t i = 0; i < 2; i++)
		kcp_cells_init(&l->cells[i], 1536, 4 * settings->snd_wnd + 4 * settings->rcv_wnd);
	init_end(l, &l->a, &l->b);
	init_end(l, &l->b, &l->a);
}

void arq_link_init(struct arq_link *l, uint64_t seed, const struct kcp_settings *settings)
{
	arq_link_init_sizes(l, seed, settings, 0, 0);
}

void arq_link_end(struct arq_link *l)
{
	while (l->n_flying != 0)
		free(heap_take(l).data);
	kcp_arq_ops.destroy(l->a.engine);
	kcp_arq_ops.destroy(l->b.engine);
	assert_int_equal(l->a.packets, 0);
	assert_int_equal(l->b.packets, 0);
	for (uint32_t i = 0; i < 2; i++) {
		assert_int_equal(l->cells[i].n_out, 0);
		kcp_cells_clear(&l->cells[i]);
	}
}

struct kcp_arq *arq_of(struct arq_end *e)
{
	return e->engine;
}

/* ---- time ---- */

void arq_link_flush(struct arq_end *e)
{
	e->due_us = kcp_arq_ops.flush(e->engine, e->l->now_us);
}

bool arq_link_input(struct arq_end *e, const void *data, uint32_t len)
{
	struct vpn_packet *p = new_packet(HEADROOM, len + TAILROOM);
	memcpy(vpn_packet_data(p), data, len);
	p->len = len;
	e->packets++;
	bool valid = kcp_arq_ops.input(e->engine, p, false, e->l->now_us);
	arq_link_flush(e);
	return valid;
}

static uint64_t next_event(const struct arq_link *l)
{
	uint64_t at = l->n_flying != 0 ? l->flying[0].at_us : KCP_NEVER;
	at = l->a.due_us < at ? l->a.due_us : at;
	return l->b.due_us < at ? l->b.due_us : at;
}

/* One event; false: none until `until`. */
static bool step(struct arq_link *l, uint64_t until)
{
	uint64_t at = next_event(l);
	if (at > until)
		return false;
	if (at > l->now_us)
		l->now_us = at;
	if (l->n_flying != 0 && l->flying[0].at_us <= l->now_us) {
		struct arq_flying f = heap_take(l);
		(void)arq_link_input(f.to, f.data, f.len);
		free(f.data);
	} else {
		arq_link_flush(l->a.due_us <= l->now_us ? &l->a : &l->b);
	}
	return true;
}

void arq_link_run(struct arq_link *l, uint64_t us)
{
	uint64_t until = l->now_us + us;
	while (step(l, until))
		;
	if (next_event(l) != KCP_NEVER)
		l->now_us = until;
}

bool arq_link_run_until(struct arq_end *e, uint32_t n, uint64_t us)
{
	uint64_t until = e->l->now_us + us;
	while (e->n_delivered < n)
		if (!step(e->l, until))
			return false;
	return true;
}

bool arq_link_send(struct arq_end *e, uint32_t len)
{
	struct vpn_packet *p = new_packet(HEADROOM, len + TAILROOM);
	fill_message(vpn_packet_data(p), e->n_sent, len);
	p->len = len;
	e->packets++;
	bool taken = kcp_arq_ops.send(e->engine, p, e->l->now_us);
	if (taken) {
		e->n_sent++;
		return true;
	}
	e->packets--;
	free_packet(p);
	return false;
}

bool arq_link_send_all(struct arq_end *e, uint32_t n, uint32_t len, uint64_t us)
{
	uint64_t until = e->l->now_us + us;
	while (n != 0) {
		if (arq_link_send(e, len)) {
			n--;
			continue;
		}
		arq_link_flush(e);
		if (kcp_backlog_is_full(&arq_of(e)->backlog) && !step(e->l, until))
			return false;
	}
	arq_link_flush(e);
	return true;
}
