/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * test_kcp_property: the engine of plain KCP, with settings, a line and disturbances that a seed chooses:
 * every message arrives once, in order and unchanged, in both directions; afterwards nothing is under
 * way and nothing is left in memory. KCP_TEST_SEEDS sets how many seeds are tried, KCP_TEST_SEED a
 * single one.
 */
#include "ends.h"

#include <stdlib.h>
#include <string.h>

#include "arq.h"

#define SEEDS         3000u
#define MESSAGES_MOST 120u
#define PATIENCE \
	(3600 * ENDS_SECOND) /* for all of it: timeouts grow to a minute, and a third is lost */
#define DISTURBED (150 * ENDS_SECOND)

/* What one end sends and expects. */
struct traffic {
	uint32_t side;
	uint32_t n_own, n_theirs; /* messages in all */
	uint32_t sent, got;
	uint32_t largest;
	uint64_t seed;
};

struct run {
	struct ends w;
	struct traffic traffic[2];
	uint32_t gap_us;  /* between bursts of messages */
	uint32_t trouble; /* share of steps in which a device is full or free again, */
	uint32_t pauses;  /* and in which the line begins to stand still for a while */
	uint64_t seed;
};

static uint64_t mix(uint64_t a, uint64_t b)
{
	uint64_t z = (a + 1) * UINT64_C(0x9e3779b97f4a7c15) ^
		     (b + 1) * UINT64_C(0xd6e8feb86659fd93);
	z = (z ^ z >> 32) * UINT64_C(0xd6e8feb86659fd93);
	return z ^ z >> 32;
}

/* Message `number` of a side; its length follows from the seed: many small ones, some of several segments. */
static uint32_t make_message(const struct traffic *t, uint32_t side, uint32_t number, uint8_t *out)
{
	uint64_t r = mix(t->seed * 2 + side, number);
	uint32_t len = 1 + (uint32_t)(r >> 8) % ((r & 3) == 0 ? t->largest : 200);
	if (len > t->largest)
		len = t->largest;
	for (uint32_t i = 0; i < len; i++)
		out[i] = (uint8_t)(r >> (i % 5 * 8) ^ i ^ number);
	return len;
}

static void got_next(struct end *e, const uint8_t *data, uint32_t len)
{
	struct traffic *t = e->user;
	uint8_t want[ENDS_MESSAGE];
	assert_true(t->got < t->n_theirs);
	uint32_t n = make_message(t, 1 - t->side, t->got, want);
	assert_int_equal(len, n);
	assert_memory_equal(data, want, n);
	t->got++;
}

static uint32_t pick(struct ends *w, const uint32_t *from, uint32_t n)
{
	return from[ends_below(w, n)];
}

#define PICK(w, ...) \
	pick(w, (const uint32_t[]){__VA_ARGS__}, \
	     sizeof((uint32_t[]){__VA_ARGS__}) / sizeof(uint32_t))

static void choose_settings(struct ends *w, struct kcp_settings *s)
{
	s->congestion = (enum kcp_congestion_name)PICK(w, KCP_CONGESTION_NONE, KCP_CONGESTION_RENO,
						       KCP_CONGESTION_RATE);
	s->nodelay = PICK(w, 0, 1, 2);
	s->resend = PICK(w, 0, 1, 2, 3, KCP_RESEND_MOST);
	s->interval_us = PICK(w, 5000, 10000, 40000, 100000);
	s->ack_no_delay = PICK(w, 0, 1) != 0;
	s->snd_wnd = PICK(w, 4, 16, 100, 256, 2048);
	s->rcv_wnd = PICK(w, 16, 17, 64, 256, 2048);
	s->rate_bps = PICK(w, 0, 0, 0, 2000000);
}

static void choose_line(struct ends *w)
{
	struct ends_line *l = &w->line;
	l->delay_us = PICK(w, 0, 100, 5000, 30000, 150000);
	l->jitter_us = PICK(w, 0, 0, 500, 20000);
	l->loss = PICK(w, 0, 0, 10000, 50000, 100000, 300000);
	l->twice = PICK(w, 0, 0, 20000, 200000);
	l->late = PICK(w, 0, 0, 50000, 300000);
	l->late_by_us = PICK(w, 1000, 40000, 500000);
}

static void begin(struct run *r, uint64_t seed)
{
	struct ends *w = &r->w;
	ends_init(w, seed);
	r->seed = seed;
	bool stream = PICK(w, 0, 0, 1) != 0;
	uint32_t largest = PICK(w, 200, 1400, ENDS_MESSAGE);
	choose_line(w);
	r->gap_us = PICK(w, 0, 200, 2000, 20000);
	r->trouble = PICK(w, 0, 0, 50000, 200000);
	r->pauses = PICK(w, 0, 0, 0, 1000, 10000);
	for (uint32_t i = 0; i < 2; i++) {
		struct end *e = &w->end[i];
		choose_settings(w, &e->settings);
		e->settings.stream = stream;
		e->mtu = PICK(w, 256, 576, 1200, 1400);
		e->no_packet = PICK(w, 0, 0, 20000);
		e->got = got_next;
		e->user = &r->traffic[i];
		r->traffic[i] = (struct traffic){
			.side = i,
			.n_own = (uint32_t)ends_below(w, MESSAGES_MOST),
			.largest = largest,
			.seed = seed,
		};
	}
	r->traffic[0].n_theirs = r->traffic[1].n_own;
	r->traffic[1].n_theirs = r->traffic[0].n_own;
	ends_start(w, &kcp_arq_ops);
}

static void send_some(struct run *r, struct end *e)
{
	struct traffic *t = e->user;
	uint8_t data[ENDS_MESSAGE];
	for (uint32_t n = PICK(&r->w, 1, 1, 3, 20); n != 0 && t->sent < t->n_own; n--) {
		if (e->refused)
			return;
		uint32_t len = make_message(t, t->side, t->sent, data);
		if (!ends_send(e, data, len))
			return;
		t->sent++;
	}
}

static bool is_done(const struct run *r)
{
	for (int i = 0; i < 2; i++) {
		const struct end *e = &r->w.end[i];
		const struct traffic *t = &r->traffic[i];
		struct kcp_engine_state state;
		e->ops->state(e->engine, &state);
		if (t->sent != t->n_own || t->got != t->n_theirs)
			return false;
		if (state.in_flight != 0 || state.queued != 0)
			return false;
	}
	return true;
}

/* Neither side has something that it may send now. */
static bool has_to_wait(const struct run *r)
{
	for (int i = 0; i < 2; i++)
		if (r->traffic[i].sent != r->traffic[i].n_own && !r->w.end[i].refused)
			return false;
	return true;
}

static void disturb(struct run *r)
{
	for (int i = 0; i < 2; i++) {
		struct end *e = &r->w.end[i];
		if (ends_chance(&r->w, r->trouble))
			ends_set_above(e, !e->above_full);
		if (ends_chance(&r->w, r->trouble))
			ends_set_below(e, !e->below_full);
	}
}

static void calm(struct run *r)
{
	r->trouble = 0;
	r->pauses = 0;
	for (int i = 0; i < 2; i++) {
		ends_set_above(&r->w.end[i], false);
		ends_set_below(&r->w.end[i], false);
	}
}

static void describe(const struct run *r)
{
	for (int i = 0; i < 2; i++) {
		const struct end *e = &r->w.end[i];
		const struct traffic *t = &r->traffic[i];
		struct kcp_engine_state s;
		e->ops->state(e->engine, &s);
		print_error("seed %llu, side %d: sent %u of %u, got %u of %u; in flight %u, "
			    "queued %u; cells %u, datagrams %llu\n",
			    (unsigned long long)r->seed, i, t->sent, t->n_own, t->got, t->n_theirs,
			    s.in_flight, s.queued, e->cells.n_out, (unsigned long long)e->sent);
	}
}

/* What a sound peer sends is never taken for something else. */
static void check_counts(const struct run *r)
{
	static const enum kcp_count none[] = {
		KCP_DROP_SHORT,     KCP_DROP_LENGTH, KCP_DROP_COMMAND,
		KCP_DROP_CONV,      KCP_DROP_EMPTY,  KCP_DROP_TOO_BIG,
		KCP_DROP_QUEUE_OLD, KCP_ACKS_FORGED, KCP_EMPTY_RECEIVED};
	for (int i = 0; i < 2; i++) {
		for (uint32_t k = 0; k < sizeof(none) / sizeof(none[0]); k++)
			assert_int_equal(r->w.end[i].counts[none[k]], 0);
		assert_false(r->w.end[i].restarted);
	}
}

static void try_seed(uint64_t seed)
{
	static struct run r;
	memset(&r, 0, sizeof(r));
	begin(&r, seed);
	uint64_t limit = r.w.now_us + PATIENCE, disturbed = r.w.now_us + DISTURBED;
	while (!is_done(&r)) {
		if (r.w.now_us >= limit) {
			describe(&r);
			fail_msg("seed %llu does not come to its end", (unsigned long long)seed);
		}
		if (ends_chance(&r.w, r.pauses))
			r.w.line.still_until_us = r.w.now_us + 3 * ENDS_SECOND;
		if (r.w.now_us < disturbed)
			disturb(&r);
		else
			calm(&r);
		send_some(&r, &r.w.end[0]);
		send_some(&r, &r.w.end[1]);
		ends_run(&r.w, 1 + r.gap_us + (has_to_wait(&r) ? 1000 : 0));
	}
	check_counts(&r);
	ends_clear(&r.w);
}

static uint64_t from_environment(const char *name, uint64_t otherwise)
{
	const char *text = getenv(name);
	return text != NULL ? strtoull(text, NULL, 10) : otherwise;
}

static void delivers_everything_once_and_in_order_whatever_the_seed(void **state)
{
	(void)state;
	uint64_t one = from_environment("KCP_TEST_SEED", 0);
	uint64_t n = from_environment("KCP_TEST_SEEDS", SEEDS);
	if (one != 0) {
		try_seed(one);
		return;
	}
	for (uint64_t seed = 1; seed <= n; seed++)
		try_seed(seed);
}

/* Sends 300 messages, among which the line stands still for 3 s and then gives all of them at once. */
static void stand_still(enum kcp_congestion_name congestion, uint64_t seed)
{
	static struct run r;
	memset(&r, 0, sizeof(r));
	ends_init(&r.w, seed);
	r.seed = seed;
	r.w.line = (struct ends_line){.delay_us = ends_below(&r.w, 30000), .jitter_us = 500};
	for (uint32_t i = 0; i < 2; i++) {
		struct end *e = &r.w.end[i];
		e->settings.congestion = congestion;
		e->settings.nodelay = 1;
		e->got = got_next;
		e->user = &r.traffic[i];
		r.traffic[i] = (struct traffic){
			.side = i, .n_own = 300, .n_theirs = 300, .largest = 1300, .seed = seed};
	}
	ends_start(&r.w, &kcp_arq_ops);
	uint64_t pause = r.w.now_us + ENDS_SECOND, moves = pause + 3 * ENDS_SECOND;
	while (!is_done(&r) && r.w.now_us < moves + 10 * ENDS_SECOND) {
		if (r.w.now_us >= pause)
			r.w.line.still_until_us = moves;
		send_some(&r, &r.w.end[0]);
		send_some(&r, &r.w.end[1]);
		ends_run(&r.w, 40000);
	}
	if (!is_done(&r)) {
		describe(&r);
		fail_msg("not within 10 s after the line moves again");
	}
	ends_clear(&r.w);
}

static void goes_on_at_once_when_a_line_has_stood_still(void **state)
{
	(void)state;
	for (uint64_t seed = 1; seed <= 200; seed++) {
		stand_still(KCP_CONGESTION_NONE, seed);
		stand_still(KCP_CONGESTION_RENO, seed);
		stand_still(KCP_CONGESTION_RATE, seed);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(goes_on_at_once_when_a_line_has_stood_still),
		cmocka_unit_test(delivers_everything_once_and_in_order_whatever_the_seed),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
