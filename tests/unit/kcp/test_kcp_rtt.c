/* SPDX-License-Identifier: BSD-2-Clause */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "rtt.h"

#define MS 1000u

static void knows_nothing_at_first(void **state)
{
	struct kcp_rtt r;
	(void)state;
	kcp_rtt_init(&r);
	assert_false(kcp_rtt_is_known(&r));
	assert_int_equal(kcp_rtt_timeout(&r, MS, 30 * MS, 60000 * MS, 200 * MS), 200 * MS);
}

/* RFC 6298 section 2.2: SRTT = R, RTTVAR = R/2, RTO = SRTT + max(G, 4 * RTTVAR). */
static void first_sample_gives_three_times_itself(void **state)
{
	struct kcp_rtt r;
	(void)state;
	kcp_rtt_init(&r);
	kcp_rtt_sample(&r, 100 * MS, 1);
	assert_int_equal(r.srtt_us, 100 * MS);
	assert_int_equal(r.var_us, 50 * MS);
	assert_int_equal(kcp_rtt_timeout(&r, 10 * MS, 0, 60000 * MS, 0), 300 * MS);
}

/* RFC 6298 section 2.3, by hand: RTTVAR = 3/4 * 50 + 1/4 * |100 - 180|, SRTT = 7/8 * 100 + 1/8 * 180. */
static void second_sample_is_smoothed(void **state)
{
	struct kcp_rtt r;
	(void)state;
	kcp_rtt_init(&r);
	kcp_rtt_sample(&r, 100 * MS, 1);
	kcp_rtt_sample(&r, 180 * MS, 2);
	assert_int_equal(r.var_us, 57500);
	assert_int_equal(r.srtt_us, 110 * MS);
}

static void timeout_keeps_its_limits(void **state)
{
	struct kcp_rtt r;
	(void)state;
	kcp_rtt_init(&r);
	for (uint32_t i = 0; i < 100; i++)
		kcp_rtt_sample(&r, 5 * MS, i + 1);
	assert_in_range(kcp_rtt_timeout(&r, 10 * MS, 0, 60000 * MS, 0), 15 * MS - 10, 15 * MS);
	assert_int_equal(kcp_rtt_timeout(&r, 10 * MS, 100 * MS, 60000 * MS, 0), 100 * MS);
	assert_int_equal(kcp_rtt_timeout(&r, 100 * MS, 0, 50 * MS, 0), 50 * MS);
}

static void absurd_samples_are_bounded(void **state)
{
	struct kcp_rtt r;
	(void)state;
	kcp_rtt_init(&r);
	kcp_rtt_sample(&r, 0, 1);
	assert_true(kcp_rtt_is_known(&r));
	kcp_rtt_sample(&r, UINT64_MAX, 2);
	assert_int_equal(r.latest_us, KCP_RTT_MOST_US);
	assert_true(r.srtt_us <= KCP_RTT_MOST_US);
}

static void the_least_is_forgotten_after_ten_seconds(void **state)
{
	struct kcp_rtt r;
	uint64_t now = 1;
	(void)state;
	kcp_rtt_init(&r);
	kcp_rtt_sample(&r, 20 * MS, now);
	for (; now < KCP_RTT_MIN_WINDOW_US; now += 100 * MS) {
		kcp_rtt_sample(&r, 50 * MS, now);
		assert_int_equal(r.min_us, 20 * MS);
	}
	for (uint32_t i = 0; i < 3; i++) {
		now += 100 * MS;
		kcp_rtt_sample(&r, 70 * MS, now);
	}
	/* not the latest: the least since the middle of the window */
	assert_int_equal(r.min_us, 50 * MS);
}

static void a_smaller_one_becomes_the_least_at_once(void **state)
{
	struct kcp_rtt r;
	(void)state;
	kcp_rtt_init(&r);
	kcp_rtt_sample(&r, 50 * MS, 1);
	kcp_rtt_sample(&r, 30 * MS, 2);
	assert_int_equal(r.min_us, 30 * MS);
	assert_int_equal(r.min_at_us, 2);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(knows_nothing_at_first),
		cmocka_unit_test(first_sample_gives_three_times_itself),
		cmocka_unit_test(second_sample_is_smoothed),
		cmocka_unit_test(timeout_keeps_its_limits),
		cmocka_unit_test(absurd_samples_are_bounded),
		cmocka_unit_test(the_least_is_forgotten_after_ten_seconds),
		cmocka_unit_test(a_smaller_one_becomes_the_least_at_once),
	};
	return cmocka_run_group_tests_name("kcp rtt", tests, NULL, NULL);
}
