/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Models of congestion control on a simulated path: greedy senders, one bottleneck with a queue that
 * drops at its tail, loss by chance, acknowledgements after the round trip, in bunches if wanted.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>
#include <stdlib.h>
#include <string.h>

#include "congestion.h"
#include "pacer.h"

#define DATAGRAM  1400u
#define MS        1000u
#define SECOND    1000000u
#define MBIT      125000u /* bytes/s */
#define MOST_AWAY 65536u

struct event {
	uint64_t at_us, sent_us;
	uint32_t flow;
	bool is_lost;
	struct kcp_congestion_sent sent;
};

struct flow {
	struct kcp_congestion cc;
	struct kcp_pacer pacer;
	struct kcp_rtt rtt;
	uint64_t delivered;  /* bytes */
	uint64_t rate_limit; /* bytes/s that it has to send, 0 = always more */
	uint64_t offered;    /* bytes */
	uint64_t from_us;
	uint64_t queued_us; /* sum of the waiting times */
	uint64_t sent, lost;
};

struct path {
	uint64_t bytes_per_s, queue_bytes, rtt_us, bunch_us;
	uint32_t loss_ppm;
	uint64_t now_us, busy_us, rng;
	struct flow flows[4];
	uint32_t n_flows;
	struct event *events; /* a ring: the path keeps the order */
	uint32_t head, tail;
};

static struct path *new_path(uint64_t bytes_per_s, uint64_t rtt_us, uint64_t queue_bytes,
			     uint32_t loss_ppm)
{
	struct path *p = calloc(1, sizeof(*p));
	assert_non_null(p);
	p->bytes_per_s = bytes_per_s;
	p->rtt_us = rtt_us;
	p->queue_bytes = queue_bytes;
	p->loss_ppm = loss_ppm;
	p->now_us = SECOND;
	p->rng = 88172645463325252u;
	p->events = calloc(MOST_AWAY, sizeof(*p->events));
	assert_non_null(p->events);
	return p;
}

static void free_path(struct path *p)
{
	free(p->events);
	free(p);
}

static struct flow *add(struct path *p, enum kcp_congestion_kind kind)
{
	struct flow *f = &p->flows[p->n_flows++];
	struct kcp_congestion_setup setup = {
		.kind = kind, .datagram = DATAGRAM, .window = 16384, .seed = p->n_flows * 7919};
	kcp_congestion_init(&f->cc, &setup, p->now_us);
	kcp_pacer_init(&f->pacer, DATAGRAM);
	kcp_pacer_set_rate(&f->pacer, kcp_congestion_pace(&f->cc));
	kcp_rtt_init(&f->rtt);
	f->from_us = p->now_us;
	return f;
}

static bool chance(struct path *p, uint32_t ppm)
{
	p->rng ^= p->rng << 13;
	p->rng ^= p->rng >> 7;
	p->rng ^= p->rng << 17;
	return p->rng % SECOND < ppm;
}

static void transmit(struct path *p, struct flow *f, bool app_limited)
{
	struct event *e = &p->events[p->tail % MOST_AWAY];
	uint64_t start = p->busy_us > p->now_us ? p->busy_us : p->now_us;
	*e = (struct event){.sent_us = p->now_us, .flow = (uint32_t)(f - p->flows)};
	e->is_lost = (start - p->now_us) * p->bytes_per_s / SECOND > p->queue_bytes;
	if (!e->is_lost) {
		p->busy_us = start + (uint64_t)DATAGRAM * SECOND / p->bytes_per_s;
		e->is_lost = chance(p, p->loss_ppm);
	}
	e->at_us = (p->busy_us > p->now_us ? p->busy_us : p->now_us) + p->rtt_us;
	if (p->bunch_us != 0)
		e->at_us = (e->at_us + p->bunch_us - 1) / p->bunch_us * p->bunch_us;
	kcp_congestion_sent(&f->cc, &e->sent, DATAGRAM, app_limited, p->now_us);
	kcp_pacer_sent(&f->pacer, DATAGRAM, p->now_us);
	f->sent++;
	p->tail++;
	assert_true(p->tail - p->head < MOST_AWAY);
}

/* All of one flow that is due now is one acknowledgement. */
static void acknowledge(struct path *p, uint32_t flow)
{
	struct flow *f = &p->flows[flow];
	kcp_congestion_ack_begin(&f->cc);
	while (p->head != p->tail) {
		struct event *e = &p->events[p->head % MOST_AWAY];
		if (e->at_us > p->now_us || e->flow != flow)
			break;
		if (e->is_lost) {
			kcp_congestion_lost(&f->cc, &e->sent, p->now_us);
			f->lost++;
		} else {
			kcp_congestion_acked(&f->cc, &e->sent, p->now_us);
			kcp_rtt_sample(&f->rtt, p->now_us - e->sent_us, p->now_us);
			f->queued_us += p->now_us - e->sent_us - p->rtt_us;
			f->delivered += DATAGRAM;
		}
		p->head++;
	}
	kcp_congestion_ack_end(&f->cc, &f->rtt, p->now_us);
	kcp_pacer_set_rate(&f->pacer, kcp_congestion_pace(&f->cc));
}

static bool has_more(const struct path *p, const struct flow *f)
{
	if (f->rate_limit == 0)
		return true;
	return f->sent * DATAGRAM <= (p->now_us - f->from_us) * f->rate_limit / SECOND;
}

static void run(struct path *p, uint64_t us)
{
	for (uint64_t end = p->now_us + us; p->now_us < end; p->now_us += 100) {
		while (p->head != p->tail && p->events[p->head % MOST_AWAY].at_us <= p->now_us)
			acknowledge(p, p->events[p->head % MOST_AWAY].flow);
		for (uint32_t i = 0; i < p->n_flows; i++) {
			struct flow *f = &p->flows[i];
			while (has_more(p, f) && kcp_congestion_may_send(&f->cc) &&
			       kcp_pacer_may_send(&f->pacer, p->now_us))
				transmit(p, f, f->rate_limit != 0);
		}
	}
}

/* Share of the path that the flow got within the time, percent. */
static uint64_t share_in(struct path *p, struct flow *f, uint64_t us)
{
	uint64_t before = f->delivered;
	run(p, us);
	return (f->delivered - before) * 100u / (p->bytes_per_s * us / SECOND);
}

/* ---- none ---- */

static void none_keeps_its_window_and_is_paced(void **state)
{
	struct kcp_congestion c;
	struct kcp_congestion_sent s;
	struct kcp_rtt r;
	struct kcp_congestion_setup setup = {
		.kind = KCP_CC_NONE, .datagram = DATAGRAM, .window = 100};
	(void)state;
	kcp_congestion_init(&c, &setup, SECOND);
	kcp_rtt_init(&r);
	assert_int_equal(kcp_congestion_window(&c), 100 * DATAGRAM);
	for (uint32_t i = 0; i < 100; i++) {
		assert_true(kcp_congestion_may_send(&c));
		kcp_congestion_sent(&c, &s, DATAGRAM, false, SECOND);
	}
	assert_false(kcp_congestion_may_send(&c));
	kcp_rtt_sample(&r, 50 * MS, SECOND + 50 * MS);
	kcp_congestion_ack_begin(&c);
	kcp_congestion_lost(&c, &s, SECOND + 50 * MS);
	kcp_congestion_ack_end(&c, &r, SECOND + 50 * MS);
	assert_true(kcp_congestion_may_send(&c));
	assert_int_equal(kcp_congestion_window(&c), 100 * DATAGRAM);
	/* a window in a round trip, and a quarter more */
	assert_int_equal(kcp_congestion_pace(&c), 100 * DATAGRAM * 20 * 125 / 100);
}

static void a_cap_is_never_exceeded(void **state)
{
	(void)state;
	for (int kind = KCP_CC_NONE; kind <= KCP_CC_RATE; kind++) {
		struct kcp_congestion c;
		struct kcp_congestion_setup setup = {.kind = (enum kcp_congestion_kind)kind,
						     .datagram = DATAGRAM,
						     .window = 1000,
						     .bytes_per_s = 5000};
		kcp_congestion_init(&c, &setup, SECOND);
		assert_int_equal(kcp_congestion_pace(&c), 5000);
	}
}

static void in_flight_never_goes_below_zero(void **state)
{
	struct kcp_congestion c;
	struct kcp_congestion_sent s;
	struct kcp_congestion_setup setup = {
		.kind = KCP_CC_RENO, .datagram = DATAGRAM, .window = 1000};
	(void)state;
	kcp_congestion_init(&c, &setup, SECOND);
	kcp_congestion_sent(&c, &s, DATAGRAM, false, SECOND);
	kcp_congestion_forgotten(&c, &s);
	kcp_congestion_forgotten(&c, &s);
	assert_int_equal(c.in_flight, 0);
}

/* ---- reno ---- */

/* One acknowledgement of n datagrams which fill the window. */
static void reno_round(struct kcp_congestion *c, struct kcp_rtt *r, uint64_t *now, bool loss)
{
	static struct kcp_congestion_sent sent[2000];
	uint32_t n = 0;
	while (kcp_congestion_may_send(c))
		kcp_congestion_sent(c, &sent[n++], DATAGRAM, false, *now);
	*now += 100 * MS;
	kcp_rtt_sample(r, 100 * MS, *now);
	kcp_congestion_ack_begin(c);
	for (uint32_t i = 0; i < n; i++) {
		if (loss && i == n / 2)
			kcp_congestion_lost(c, &sent[i], *now);
		else
			kcp_congestion_acked(c, &sent[i], *now);
	}
	kcp_congestion_ack_end(c, r, *now);
}

/* RFC 5681 sections 3.1 and 3.2. */
static void reno_doubles_then_halves_then_adds_one_a_round(void **state)
{
	struct kcp_congestion c;
	struct kcp_rtt r;
	uint64_t now = SECOND;
	struct kcp_congestion_setup setup = {
		.kind = KCP_CC_RENO, .datagram = DATAGRAM, .window = 1000};
	(void)state;
	kcp_congestion_init(&c, &setup, now);
	kcp_rtt_init(&r);
	assert_int_equal(kcp_congestion_window(&c), 10 * DATAGRAM);
	reno_round(&c, &r, &now, false);
	assert_int_equal(kcp_congestion_window(&c), 20 * DATAGRAM);
	reno_round(&c, &r, &now, false);
	reno_round(&c, &r, &now, false);
	assert_int_equal(kcp_congestion_window(&c), 80 * DATAGRAM);
	reno_round(&c, &r, &now, true);
	assert_int_equal(kcp_congestion_window(&c), 40 * DATAGRAM);
	for (uint32_t i = 1; i <= 5; i++) {
		reno_round(&c, &r, &now, false);
		assert_int_equal(kcp_congestion_window(&c), (40 + i) * DATAGRAM);
	}
	kcp_congestion_timeout(&c, now);
	assert_int_equal(kcp_congestion_window(&c), 2 * DATAGRAM);
}

static void reno_pays_once_for_a_round_trip(void **state)
{
	struct kcp_congestion c;
	struct kcp_rtt r;
	struct kcp_congestion_sent sent[40];
	uint64_t now = SECOND;
	struct kcp_congestion_setup setup = {
		.kind = KCP_CC_RENO, .datagram = DATAGRAM, .window = 1000};
	(void)state;
	kcp_congestion_init(&c, &setup, now);
	kcp_rtt_init(&r);
	reno_round(&c, &r, &now, false);
	reno_round(&c, &r, &now, false);
	for (uint32_t i = 0; i < 40; i++)
		kcp_congestion_sent(&c, &sent[i], DATAGRAM, false, now);
	for (uint32_t i = 0; i < 10; i++) {
		now += 10 * MS;
		kcp_congestion_ack_begin(&c);
		kcp_congestion_lost(&c, &sent[i], now);
		kcp_congestion_ack_end(&c, &r, now);
	}
	assert_int_equal(kcp_congestion_window(&c), 20 * DATAGRAM);
}

static void reno_does_not_grow_unused(void **state)
{
	struct kcp_congestion c;
	struct kcp_rtt r;
	struct kcp_congestion_sent s;
	uint64_t now = SECOND;
	struct kcp_congestion_setup setup = {
		.kind = KCP_CC_RENO, .datagram = DATAGRAM, .window = 1000};
	(void)state;
	kcp_congestion_init(&c, &setup, now);
	kcp_rtt_init(&r);
	for (uint32_t i = 0; i < 100; i++) {
		kcp_congestion_sent(&c, &s, DATAGRAM, true, now);
		now += 100 * MS;
		kcp_congestion_ack_begin(&c);
		kcp_congestion_acked(&c, &s, now);
		kcp_congestion_ack_end(&c, &r, now);
	}
	assert_int_equal(kcp_congestion_window(&c), 10 * DATAGRAM);
}

static void reno_fills_a_path_with_a_queue(void **state)
{
	struct path *p = new_path(20 * MBIT, 40 * MS, 20 * MBIT / 25, 0);
	struct flow *f = add(p, KCP_CC_RENO);
	(void)state;
	run(p, 10 * SECOND);
	assert_true(share_in(p, f, 20 * SECOND) >= 80);
	free_path(p);
}

/* ---- rate ---- */

static void check_rate(uint64_t rate, uint64_t rtt_us, uint32_t loss_ppm, uint64_t least_share)
{
	struct path *p = new_path(rate, rtt_us, rate * rtt_us / SECOND, loss_ppm);
	struct flow *f = add(p, KCP_CC_RATE);
	run(p, 3 * SECOND);
	uint64_t share = share_in(p, f, 20 * SECOND);
	assert_in_range(share, least_share, 100);
	free_path(p);
}

static void rate_fills_paths_of_all_kinds(void **state)
{
	(void)state;
	check_rate(1 * MBIT, 60 * MS, 0, 90);
	check_rate(10 * MBIT, 20 * MS, 0, 90);
	check_rate(100 * MBIT, 60 * MS, 0, 90);
	check_rate(100 * MBIT, 5 * MS, 0, 90);
	check_rate(20 * MBIT, 200 * MS, 0, 85);
}

/* What random loss leaves of the path is 99, 95, 90, 80 %. */
static void rate_is_not_slowed_down_by_random_loss(void **state)
{
	(void)state;
	check_rate(50 * MBIT, 60 * MS, 10000, 88);
	check_rate(50 * MBIT, 60 * MS, 50000, 84);
	check_rate(50 * MBIT, 60 * MS, 100000, 78);
	check_rate(50 * MBIT, 60 * MS, 200000, 66);
}

static void rate_starts_within_a_second(void **state)
{
	struct path *p = new_path(100 * MBIT, 60 * MS, 100 * MBIT / 16, 0);
	struct flow *f = add(p, KCP_CC_RATE);
	(void)state;
	run(p, SECOND);
	assert_true(share_in(p, f, SECOND) >= 80);
	free_path(p);
}

static void rate_leaves_the_queue_short(void **state)
{
	/* a queue of ten round trips: reno fills it, rate does not */
	struct path *p = new_path(20 * MBIT, 40 * MS, 20 * MBIT / 25 * 10, 0);
	struct flow *f = add(p, KCP_CC_RATE);
	(void)state;
	run(p, 5 * SECOND);
	uint64_t queued = f->queued_us;
	uint64_t delivered = f->delivered;
	run(p, 20 * SECOND);
	uint64_t mean = (f->queued_us - queued) / ((f->delivered - delivered) / DATAGRAM);
	assert_true(mean < 15 * MS);
	assert_int_equal(f->lost, 0);
	free_path(p);
}

static void rate_does_not_flood_a_short_queue(void **state)
{
	/* an eighth of a round trip */
	struct path *p = new_path(50 * MBIT, 40 * MS, 50 * MBIT / 25 / 8, 0);
	struct flow *f = add(p, KCP_CC_RATE);
	(void)state;
	run(p, 3 * SECOND);
	uint64_t sent = f->sent;
	uint64_t lost = f->lost;
	assert_true(share_in(p, f, 20 * SECOND) >= 85);
	assert_true((f->lost - lost) * 100 < 5 * (f->sent - sent));
	free_path(p);
}

static void rate_finds_what_becomes_free(void **state)
{
	struct path *p = new_path(10 * MBIT, 40 * MS, 10 * MBIT / 25, 0);
	struct flow *f = add(p, KCP_CC_RATE);
	(void)state;
	run(p, 5 * SECOND);
	p->bytes_per_s = 80 * MBIT;
	p->queue_bytes *= 8;
	run(p, 3 * SECOND);
	assert_true(share_in(p, f, 3 * SECOND) >= 85);
	/* and gives back what is taken away */
	p->bytes_per_s = 10 * MBIT;
	run(p, 5 * SECOND);
	uint64_t sent = f->sent;
	uint64_t lost = f->lost;
	assert_true(share_in(p, f, 5 * SECOND) >= 85);
	assert_true((f->lost - lost) * 100 < 8 * (f->sent - sent));
	free_path(p);
}

/* The queue is a share of a round trip, percent. */
static void two_flows_share(enum kcp_congestion_kind kind, uint64_t rate, uint64_t queue,
			    uint64_t factor)
{
	struct path *p = new_path(rate, 40 * MS, rate / 25 * queue / 100, 0);
	struct flow *a = add(p, kind);
	run(p, 5 * SECOND);
	struct flow *b = add(p, kind);
	run(p, 15 * SECOND);
	uint64_t a0 = a->delivered;
	uint64_t b0 = b->delivered;
	uint64_t sent = a->sent + b->sent;
	uint64_t lost = a->lost + b->lost;
	run(p, 40 * SECOND);
	sent = a->sent + b->sent - sent;
	lost = a->lost + b->lost - lost;
	uint64_t x = a->delivered - a0;
	uint64_t y = b->delivered - b0;
	assert_true(x < factor * y && y < factor * x);
	assert_true((x + y) * 100 / (rate * 40) >= 85);
	assert_true(lost * 100 < 5 * sent);
	free_path(p);
}

static void a_late_comer_gets_its_share(void **state)
{
	(void)state;
	two_flows_share(KCP_CC_RENO, 20 * MBIT, 100, 2);
	two_flows_share(KCP_CC_RATE, 20 * MBIT, 100, 2);
	two_flows_share(KCP_CC_RATE, 100 * MBIT, 100, 2);
	two_flows_share(KCP_CC_RATE, 50 * MBIT, 400, 2);
	two_flows_share(KCP_CC_RATE, 50 * MBIT, 30, 2);
}

static void rate_survives_acks_in_bunches(void **state)
{
	struct path *p = new_path(100 * MBIT, 5 * MS, 100 * MBIT / 50, 0);
	struct flow *f = add(p, KCP_CC_RATE);
	(void)state;
	p->bunch_us = 10 * MS;
	run(p, 3 * SECOND);
	assert_true(share_in(p, f, 10 * SECOND) >= 80);
	free_path(p);
}

/* Who sends little is not taken for a slow path. */
static void rate_is_not_misled_by_little_traffic(void **state)
{
	struct path *p = new_path(100 * MBIT, 60 * MS, 100 * MBIT / 16, 0);
	struct flow *f = add(p, KCP_CC_RATE);
	(void)state;
	run(p, 3 * SECOND);
	f->rate_limit = MBIT / 4;
	f->from_us = p->now_us - f->sent * DATAGRAM * SECOND / f->rate_limit;
	run(p, 30 * SECOND);
	assert_true(kcp_congestion_pace(&f->cc) > 50 * MBIT);
	f->rate_limit = 0;
	assert_true(share_in(p, f, SECOND) >= 70);
	free_path(p);
}

static void a_timeout_begins_carefully(void **state)
{
	struct path *p = new_path(100 * MBIT, 60 * MS, 100 * MBIT / 16, 0);
	struct flow *f = add(p, KCP_CC_RATE);
	(void)state;
	run(p, 3 * SECOND);
	kcp_congestion_ack_begin(&f->cc);
	while (p->head != p->tail)
		kcp_congestion_lost(&f->cc, &p->events[p->head++ % MOST_AWAY].sent, p->now_us);
	kcp_congestion_timeout(&f->cc, p->now_us);
	assert_true(kcp_congestion_window(&f->cc) <= 8 * DATAGRAM);
	run(p, 2 * SECOND);
	assert_true(share_in(p, f, 2 * SECOND) >= 80);
	free_path(p);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(none_keeps_its_window_and_is_paced),
		cmocka_unit_test(a_cap_is_never_exceeded),
		cmocka_unit_test(in_flight_never_goes_below_zero),
		cmocka_unit_test(reno_doubles_then_halves_then_adds_one_a_round),
		cmocka_unit_test(reno_pays_once_for_a_round_trip),
		cmocka_unit_test(reno_does_not_grow_unused),
		cmocka_unit_test(reno_fills_a_path_with_a_queue),
		cmocka_unit_test(rate_fills_paths_of_all_kinds),
		cmocka_unit_test(rate_is_not_slowed_down_by_random_loss),
		cmocka_unit_test(rate_starts_within_a_second),
		cmocka_unit_test(rate_leaves_the_queue_short),
		cmocka_unit_test(rate_does_not_flood_a_short_queue),
		cmocka_unit_test(rate_finds_what_becomes_free),
		cmocka_unit_test(a_late_comer_gets_its_share),
		cmocka_unit_test(rate_survives_acks_in_bunches),
		cmocka_unit_test(rate_is_not_misled_by_little_traffic),
		cmocka_unit_test(a_timeout_begins_carefully),
	};
	return cmocka_run_group_tests_name("kcp congestion", tests, NULL, NULL);
}
