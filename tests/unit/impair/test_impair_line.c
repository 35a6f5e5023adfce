/* SPDX-License-Identifier: BSD-2-Clause */
/* When datagrams depart: link, queue, delay, order. */
#include "line.h"

#include "cases.h"

#define MS    1000000u
#define BEGIN (1000ull * MS)

static struct line line_of(struct line_model m)
{
	struct line l;
	line_init(&l, &m);
	return l;
}

static uint64_t enter(struct line *l, uint64_t at, uint32_t bytes)
{
	uint64_t left = 0;
	assert_true(line_enter(l, at, bytes, &left));
	return left;
}

static void without_a_rate_nothing_waits(void **state)
{
	struct line l = line_of((struct line_model){0});
	(void)state;
	for (uint64_t i = 0; i < 100; i++)
		assert_true(enter(&l, BEGIN + i / 2, 1500) == BEGIN + i / 2);
}

static void a_link_takes_its_time_for_every_bit(void **state)
{
	struct line l = line_of((struct line_model){.rate = 100000000, .queue_ns = 100 * MS});
	(void)state;
	/* 1250 bytes at 100 Mbit/s are 100 us */
	assert_true(enter(&l, BEGIN, 1250) == BEGIN + 100000);
	assert_true(enter(&l, BEGIN, 1250) == BEGIN + 200000);
	assert_true(enter(&l, BEGIN + 150000, 1250) == BEGIN + 300000);
	/* idle since 300 us */
	assert_true(enter(&l, BEGIN + MS, 1250) == BEGIN + MS + 100000);
}

static void no_fraction_of_a_nanosecond_is_lost(void **state)
{
	/* 7 bytes at 3 Gbit/s are 18 2/3 ns */
	struct line l = line_of((struct line_model){.rate = 3000000000u, .queue_ns = MS});
	uint64_t left = 0;
	(void)state;
	assert_true(enter(&l, BEGIN, 7) == BEGIN + 19);
	for (int i = 1; i < 3000; i++)
		left = enter(&l, BEGIN, 7);
	assert_true(left == BEGIN + 56000);
}

static void the_fraction_of_a_busy_time_is_forgotten_when_the_link_was_idle(void **state)
{
	struct line l = line_of((struct line_model){.rate = 3000000000u, .queue_ns = MS});
	(void)state;
	for (uint64_t i = 1; i < 100; i++)
		assert_true(enter(&l, BEGIN * i, 7) == BEGIN * i + 19);
}

static void who_would_wait_too_long_is_refused(void **state)
{
	struct line l = line_of((struct line_model){.rate = 100000000, .queue_ns = MS});
	uint64_t left = 77;
	(void)state;
	/* each of these takes 100 us; the eleventh waits for 1 ms */
	for (int i = 0; i < 11; i++)
		enter(&l, BEGIN, 1250);
	assert_false(line_enter(&l, BEGIN, 1250, &left));
	assert_false(line_enter(&l, BEGIN + 99999, 1250, &left));
	assert_true(left == 77);
	assert_true(enter(&l, BEGIN + 100000, 1250) == BEGIN + 1200000);
}

static void an_empty_link_takes_what_is_larger_than_its_queue(void **state)
{
	struct line l = line_of((struct line_model){.rate = 1000, .queue_ns = 0});
	uint64_t left;
	(void)state;
	assert_true(enter(&l, BEGIN, 1500) == BEGIN + 12000ull * MS);
	assert_false(line_enter(&l, BEGIN + 1, 1, &left));
}

static void delay_jitter_and_hold_add_up(void **state)
{
	struct line l = line_of((struct line_model){.delay_ns = 30 * MS});
	uint64_t latest = 0;
	(void)state;
	assert_true(line_depart(&l, BEGIN, 0, 0, &latest) == BEGIN + 30 * MS);
	assert_true(line_depart(&l, BEGIN, 5, 0, &latest) == BEGIN + 30 * MS + 5);
	assert_true(line_depart(&l, BEGIN, 5, 7, &latest) == BEGIN + 30 * MS + 12);
}

static void jitter_keeps_the_order_unless_it_is_free(void **state)
{
	struct line kept = line_of((struct line_model){.delay_ns = MS});
	struct line loose = line_of((struct line_model){.delay_ns = MS, .free = true});
	uint64_t latest = 0;
	(void)state;
	assert_true(line_depart(&kept, BEGIN, 500, 0, &latest) == BEGIN + MS + 500);
	assert_true(line_depart(&kept, BEGIN + 10, 0, 0, &latest) == BEGIN + MS + 500);
	assert_true(line_depart(&kept, BEGIN + 600, 0, 0, &latest) == BEGIN + MS + 600);
	latest = 0;
	assert_true(line_depart(&loose, BEGIN, 500, 0, &latest) == BEGIN + MS + 500);
	assert_true(line_depart(&loose, BEGIN + 10, 0, 0, &latest) == BEGIN + MS + 10);
}

static void one_that_is_held_delays_nobody(void **state)
{
	struct line l = line_of((struct line_model){.delay_ns = MS});
	uint64_t latest = 0;
	(void)state;
	assert_true(line_depart(&l, BEGIN, 0, 10 * MS, &latest) == BEGIN + 11 * MS);
	assert_true(line_depart(&l, BEGIN + 1, 0, 0, &latest) == BEGIN + MS + 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(without_a_rate_nothing_waits),
		cmocka_unit_test(a_link_takes_its_time_for_every_bit),
		cmocka_unit_test(no_fraction_of_a_nanosecond_is_lost),
		cmocka_unit_test(the_fraction_of_a_busy_time_is_forgotten_when_the_link_was_idle),
		cmocka_unit_test(who_would_wait_too_long_is_refused),
		cmocka_unit_test(an_empty_link_takes_what_is_larger_than_its_queue),
		cmocka_unit_test(delay_jitter_and_hold_add_up),
		cmocka_unit_test(jitter_keeps_the_order_unless_it_is_free),
		cmocka_unit_test(one_that_is_held_delays_nobody),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
