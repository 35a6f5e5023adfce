/* SPDX-License-Identifier: BSD-2-Clause */
#include "ends.h"

#include <stdlib.h>
#include <string.h>

#define ROOM        64u /* in front of an engine's headroom, for layers that are not here; never touched */
#define FILL        0xa5u
#define FLIGHTS_MAX 1000000u

struct ends_flight {
	uint64_t at_us, serial;
	uint32_t to; /* index of the end */
	uint32_t len;
	uint8_t data[];
};

/* ---- chance ---- */

uint64_t ends_random(struct ends *w)
{
	/* splitmix64, public domain */
	uint64_t z = w->rng += UINT64_C(0x9e3779b97f4a7c15);
	z = (z ^ z >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
	z = (z ^ z >> 27) * UINT64_C(0x94d049bb133111eb);
	return z ^ z >> 31;
}

uint64_t ends_below(struct ends *w, uint64_t n)
{
	return ends_random(w) % n;
}

bool ends_chance(struct ends *w, uint32_t share)
{
	return share != 0 && ends_below(w, ENDS_PPM) < share;
}

/* ---- packets: each a piece of memory of exactly the size that was promised ---- */

static struct vpn_packet *make_packet(struct end *e, uint32_t front, uint32_t room)
{
	struct vpn_packet *p = calloc(1, sizeof(*p));
	assert_non_null(p);
	p->cap = front + room;
	p->buf = malloc(p->cap != 0 ? p->cap : 1);
	assert_non_null(p->buf);
	memset(p->buf, FILL, p->cap);
	p->off = front;
	p->host_private = (uint64_t)(uintptr_t)e;
	e->packets++;
	return p;
}

static void free_packet(struct end *e, struct vpn_packet *p)
{
	assert_ptr_equal((void *)(uintptr_t)p->host_private, e);
	assert_int_not_equal(e->packets, 0);
	e->packets--;
	free(p->buf);
	free(p);
}

static void check_front(const struct vpn_packet *p, uint32_t n)
{
	assert_in_range(p->off, n, p->cap);
	assert_in_range(p->len, 1, p->cap - p->off);
	for (uint32_t i = 0; i < n; i++)
		assert_int_equal(p->buf[i], FILL);
}

/* ---- the line ---- */

static bool sooner(const struct ends_flight *a, const struct ends_flight *b)
{
	return a->at_us != b->at_us ? a->at_us < b->at_us : a->serial < b->serial;
}

static void swap(struct ends *w, uint32_t i, uint32_t j)
{
	struct ends_flight *f = w->heap[i];
	w->heap[i] = w->heap[j];
	w->heap[j] = f;
}

static void add_flight(struct ends *w, struct ends_flight *f)
{
	if (w->n_flights == w->room) {
		assert_true(w->room < FLIGHTS_MAX);
		w->room = w->room != 0 ? 2 * w->room : 64;
		w->heap = realloc(w->heap, w->room * sizeof(struct ends_flight *));
		assert_non_null(w->heap);
	}
	uint32_t i = w->n_flights++;
	w->heap[i] = f;
	for (; i != 0 && sooner(w->heap[i], w->heap[(i - 1) / 2]); i = (i - 1) / 2)
		swap(w, i, (i - 1) / 2);
}

static struct ends_flight *take_flight(struct ends *w)
{
	struct ends_flight *f = w->heap[0];
	w->heap[0] = w->heap[--w->n_flights];
	for (uint32_t i = 0;;) {
		uint32_t least = i, left = 2 * i + 1;
		for (uint32_t k = left; k < left + 2 && k < w->n_flights; k++)
			if (sooner(w->heap[k], w->heap[least]))
				least = k;
		if (least == i)
			return f;
		swap(w, i, least);
		i = least;
	}
}

static void fly(struct ends *w, uint32_t to, const uint8_t *data, uint32_t len, uint64_t after_us)
{
	struct ends_flight *f = malloc(sizeof(*f) + len);
	assert_non_null(f);
	*f = (struct ends_flight){
		.at_us = w->now_us + after_us > w->line.still_until_us ? w->now_us + after_us
								       : w->line.still_until_us,
		.serial = w->serial++,
		.to = to,
		.len = len,
	};
	memcpy(f->data, data, len);
	if (ends_chance(w, w->line.damaged))
		f->data[ends_below(w, len)] ^= (uint8_t)(1u << ends_below(w, 8));
	add_flight(w, f);
}

static void throw(struct end * e, const uint8_t *data, uint32_t len)
{
	struct ends *w = e->world;
	const struct ends_line *l = &w->line;
	uint32_t to = e == &w->end[0] ? 1 : 0;
	if (l->cut || ends_chance(w, l->loss)) {
		w->lost++;
		return;
	}
	uint32_t copies = ends_chance(w, l->twice) ? 2 : 1;
	for (uint32_t i = 0; i < copies; i++) {
		uint64_t after = l->delay_us;
		if (l->jitter_us != 0)
			after += ends_below(w, l->jitter_us);
		if (ends_chance(w, l->late))
			after += l->late_by_us;
		fly(w, to, data, len, after);
	}
}

/* ---- outlet ---- */

static struct vpn_packet *fresh(void *ctx, enum kcp_fresh what)
{
	struct end *e = ctx;
	if (ends_chance(e->world, e->no_packet))
		return NULL;
	uint32_t front = what == KCP_FRESH_UP ? 0 : ROOM;
	return make_packet(e, front, what == KCP_FRESH_UP ? e->message : e->mtu);
}

static void emit(void *ctx, struct vpn_packet *p)
{
	struct end *e = ctx;
	assert_false(e->below_full);
	check_front(p, ROOM);
	assert_in_range(p->len, 1, e->mtu);
	uint8_t *data = vpn_packet_data(p);
	e->sent++;
	e->sent_bytes += p->len;
	if (e->tap != NULL)
		e->tap(e, data, p->len);
	throw(e, data, p->len);
	free_packet(e, p);
}

static bool deliver(void *ctx, struct vpn_packet *p)
{
	struct end *e = ctx;
	if (e->above_full)
		return false;
	assert_in_range(p->len, 1, e->message);
	if (e->got != NULL)
		e->got(e, vpn_packet_data(p), p->len);
	free_packet(e, p);
	return true;
}

static bool can_deliver(void *ctx)
{
	const struct end *e = ctx;
	return !e->above_full;
}

static bool can_emit(void *ctx)
{
	const struct end *e = ctx;
	return !e->below_full;
}

static void release(void *ctx, struct vpn_packet *p)
{
	free_packet(ctx, p);
}

static void count(void *ctx, enum kcp_count what, uint64_t n)
{
	struct end *e = ctx;
	assert_in_range(what, 0, KCP_N_COUNTS - 1);
	e->counts[what] += n;
}

static void writable(void *ctx)
{
	struct end *e = ctx;
	e->refused = false;
}

static void restarted(void *ctx)
{
	struct end *e = ctx;
	e->restarted = true;
}

/* ---- the two ---- */

void ends_init(struct ends *w, uint64_t seed)
{
	*w = (struct ends){.rng = seed, .now_us = 7 * ENDS_SECOND};
	for (int i = 0; i < 2; i++) {
		struct end *e = &w->end[i];
		e->world = w;
		e->mtu = 1400;
		e->message = ENDS_MESSAGE;
		e->conv = 0x11223344;
		e->initiator = i == 0;
		e->settings = (struct kcp_settings){
			.reliability = KCP_RELIABLE,
			.congestion = KCP_CONGESTION_NONE,
			.resend = 2,
			.ack_no_delay = true,
			.snd_wnd = 256,
			.rcv_wnd = 256,
			.interval_us = 30000,
		};
	}
}

static void create(struct end *e)
{
	struct kcp_engine_setup setup = {
		.settings = &e->settings,
		.outlet = {e, fresh, emit, deliver, can_deliver, can_emit, release, count, writable,
			   restarted},
		.cells = &e->cells,
		.conv = e->conv,
		.mtu = e->mtu,
		.message = e->message,
		.initiator = e->initiator,
		.seed = ends_random(e->world),
		.now_us = e->world->now_us,
	};
	e->engine = e->ops->create(&setup);
	assert_non_null(e->engine);
	e->due_us = e->world->now_us;
	e->refused = false;
	e->restarted = false;
}

void ends_start(struct ends *w, const struct kcp_engine_ops *ops)
{
	for (int i = 0; i < 2; i++) {
		struct end *e = &w->end[i];
		e->ops = ops;
		kcp_cells_init(&e->cells, e->mtu > e->message ? e->mtu : e->message, ENDS_CELLS);
		create(e);
	}
}

static void destroy(struct end *e)
{
	e->ops->destroy(e->engine);
	e->engine = NULL;
	assert_int_equal(e->packets, 0);
	assert_int_equal(e->cells.n_out, 0);
}

void ends_restart(struct end *e, uint32_t conv)
{
	destroy(e);
	e->conv = conv;
	create(e);
}

void ends_clear(struct ends *w)
{
	for (int i = 0; i < 2; i++) {
		if (w->end[i].engine == NULL)
			continue;
		destroy(&w->end[i]);
		kcp_cells_clear(&w->end[i].cells);
	}
	while (w->n_flights != 0)
		free(take_flight(w));
	free(w->heap);
	*w = (struct ends){0};
}

static void flush(struct end *e)
{
	e->due_us = e->ops->flush(e->engine, e->world->now_us);
	assert_true(e->due_us != 0);
}

bool ends_send(struct end *e, const void *data, uint32_t len)
{
	uint32_t front = ROOM + e->ops->headroom;
	struct vpn_packet *p = make_packet(e, front, len + e->ops->tailroom);
	p->len = len;
	memcpy(vpn_packet_data(p), data, len);
	bool taken = e->ops->send(e->engine, p, e->world->now_us);
	if (!taken) {
		e->refused = true;
		free_packet(e, p);
	}
	flush(e);
	return taken;
}

bool ends_input(struct end *e, const void *data, uint32_t len)
{
	struct vpn_packet *p = make_packet(e, 0, len);
	p->len = len;
	memcpy(p->buf, data, len);
	bool valid = e->ops->input(e->engine, p, false, e->world->now_us);
	flush(e);
	return valid;
}

void ends_set_above(struct end *e, bool full)
{
	bool opens = e->above_full && !full;
	e->above_full = full;
	if (!opens)
		return;
	e->ops->resume(e->engine, e->world->now_us);
	flush(e);
}

void ends_set_below(struct end *e, bool full)
{
	bool opens = e->below_full && !full;
	e->below_full = full;
	if (opens)
		flush(e);
}

/* ---- time ---- */

static uint64_t next_event(const struct ends *w)
{
	uint64_t next = w->n_flights != 0 ? w->heap[0]->at_us : KCP_NEVER;
	for (int i = 0; i < 2; i++)
		if (w->end[i].due_us < next)
			next = w->end[i].due_us;
	return next;
}

static void arrive(struct ends *w)
{
	struct ends_flight *f = take_flight(w);
	w->delivered++;
	(void)ends_input(&w->end[f->to], f->data, f->len);
	free(f);
}

void ends_run(struct ends *w, uint64_t us)
{
	uint64_t until = w->now_us + us;
	uint32_t still = 0;
	for (uint64_t next; (next = next_event(w)) <= until;) {
		/* an engine that wants to be called all the time would stop the clock */
		still = next <= w->now_us ? still + 1 : 0;
		assert_in_range(still, 0, 10000);
		if (next > w->now_us)
			w->now_us = next;
		if (w->n_flights != 0 && w->heap[0]->at_us <= w->now_us)
			arrive(w);
		for (int i = 0; i < 2; i++)
			if (w->end[i].due_us <= w->now_us)
				flush(&w->end[i]);
	}
	w->now_us = until;
}
