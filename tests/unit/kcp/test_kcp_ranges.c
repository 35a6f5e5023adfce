/* SPDX-License-Identifier: BSD-2-Clause */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include <stdlib.h>
#include <string.h>

#include "ranges.h"

#define FIRST 1000000u
#define AHEAD 65536u

static void nothing_has_come_at_first(void **state)
{
	struct kcp_ranges r;
	(void)state;
	kcp_ranges_init(&r, FIRST);
	assert_true(kcp_ranges_is_empty(&r));
	assert_int_equal(kcp_ranges_add(&r, FIRST, AHEAD), KCP_RANGES_NEXT);
	assert_false(kcp_ranges_is_empty(&r));
}

static void tells_new_from_repeated(void **state)
{
	struct kcp_ranges r;
	(void)state;
	kcp_ranges_init(&r, FIRST);
	assert_int_equal(kcp_ranges_add(&r, FIRST + 5, AHEAD), KCP_RANGES_AHEAD);
	assert_int_equal(kcp_ranges_add(&r, FIRST + 6, AHEAD), KCP_RANGES_NEXT);
	assert_int_equal(kcp_ranges_add(&r, FIRST + 5, AHEAD), KCP_RANGES_REPEATED);
	assert_int_equal(kcp_ranges_add(&r, FIRST + 2, AHEAD), KCP_RANGES_BETWEEN);
	assert_int_equal(kcp_ranges_add(&r, FIRST + 2, AHEAD), KCP_RANGES_REPEATED);
	assert_int_equal(kcp_ranges_add(&r, FIRST - 1, AHEAD), KCP_RANGES_OUTSIDE);
}

static void believes_nothing_outside_of_its_window(void **state)
{
	struct kcp_ranges r;
	(void)state;
	kcp_ranges_init(&r, FIRST);
	assert_int_equal(kcp_ranges_add(&r, FIRST + AHEAD, AHEAD), KCP_RANGES_OUTSIDE);
	assert_int_equal(kcp_ranges_add(&r, FIRST + AHEAD - 1, AHEAD), KCP_RANGES_AHEAD);
	assert_int_equal(kcp_ranges_add(&r, FIRST + AHEAD - 1 - KCP_RANGES_WINDOW, AHEAD),
			 KCP_RANGES_OUTSIDE);
	assert_int_equal(kcp_ranges_add(&r, FIRST + AHEAD - KCP_RANGES_WINDOW, AHEAD),
			 KCP_RANGES_BETWEEN);
}

static void places_are_clean_when_the_window_moves_on(void **state)
{
	struct kcp_ranges r;
	(void)state;
	kcp_ranges_init(&r, FIRST);
	for (uint32_t i = 0; i < KCP_RANGES_WINDOW; i++)
		(void)kcp_ranges_add(&r, FIRST + i, AHEAD);
	uint64_t n = FIRST + KCP_RANGES_WINDOW + 100;
	assert_int_equal(kcp_ranges_add(&r, n, AHEAD), KCP_RANGES_AHEAD);
	for (uint32_t i = 1; i <= 100; i++)
		assert_int_equal(kcp_ranges_add(&r, n - i, AHEAD), KCP_RANGES_BETWEEN);
	assert_int_equal(kcp_ranges_add(&r, n - 101, AHEAD), KCP_RANGES_REPEATED);
}

/* Reads runs into a set of flags relative to `base`; returns how many runs. */
static uint32_t read_runs(const uint8_t *data, uint32_t len, uint64_t largest, uint64_t base,
			  uint8_t *flags, uint32_t n_flags)
{
	struct kcp_runs it;
	uint64_t low, high;
	uint32_t n = 0;
	kcp_runs_init(&it, data, len, largest);
	for (; kcp_runs_next(&it, &low, &high); n++)
		for (uint64_t i = low; i <= high; i++)
			if (i >= base && i - base < n_flags)
				flags[i - base] = 1;
	assert_false(it.is_bad);
	return n;
}

static void what_is_written_is_read(void **state)
{
	static uint8_t came[3 * KCP_RANGES_WINDOW], told[3 * KCP_RANGES_WINDOW];
	static uint8_t data[3 * KCP_RANGES_WINDOW];
	(void)state;
	for (uint32_t seed = 1; seed < 60; seed++) {
		struct kcp_ranges r;
		uint32_t n = 1 + seed * 401 % (3 * KCP_RANGES_WINDOW - 1);
		memset(came, 0, sizeof(came));
		memset(told, 0, sizeof(told));
		kcp_ranges_init(&r, FIRST);
		srand(seed);
		uint32_t last = 0;
		for (uint32_t i = 0; i < n; i++) {
			if ((uint32_t)rand() % 100 < seed)
				continue;
			came[i] = 1;
			last = i;
			(void)kcp_ranges_add(&r, FIRST + i, AHEAD);
		}
		if (kcp_ranges_is_empty(&r))
			continue;
		uint32_t len = kcp_ranges_write(&r, data, sizeof(data), UINT32_MAX);
		(void)read_runs(data, len, r.largest, FIRST, told, sizeof(told));
		uint32_t from = last + 1 > KCP_RANGES_WINDOW ? last + 1 - KCP_RANGES_WINDOW : 0;
		assert_memory_equal(came + from, told + from, n - from);
	}
}

static void limits_hold_and_the_newest_are_told(void **state)
{
	struct kcp_ranges r;
	uint8_t data[256];
	uint8_t told[1000] = {0};
	(void)state;
	kcp_ranges_init(&r, FIRST);
	for (uint32_t i = 0; i < 1000; i += 2)
		(void)kcp_ranges_add(&r, FIRST + i, AHEAD);
	uint32_t len = kcp_ranges_write(&r, data, sizeof(data), 7);
	assert_int_equal(read_runs(data, len, r.largest, FIRST, told, 1000), 7);
	assert_int_equal(told[998], 1);
	assert_int_equal(told[997], 0);
	assert_int_equal(told[986], 1);
	assert_int_equal(told[984], 0);
	for (uint32_t cap = 6; cap < 60; cap++)
		assert_true(kcp_ranges_write(&r, data, cap, UINT32_MAX) <= cap);
}

static void a_clean_line_takes_few_bytes(void **state)
{
	struct kcp_ranges r;
	uint8_t data[64];
	(void)state;
	kcp_ranges_init(&r, FIRST);
	for (uint32_t i = 0; i < 100000; i++)
		(void)kcp_ranges_add(&r, FIRST + i, AHEAD);
	assert_int_equal(kcp_ranges_write(&r, data, sizeof(data), 48), 2);
}

static bool is_refused(const uint8_t *data, uint32_t len, uint64_t largest)
{
	struct kcp_runs it;
	uint64_t low, high;
	kcp_runs_init(&it, data, len, largest);
	while (kcp_runs_next(&it, &low, &high))
		assert_true(low <= high && high <= largest);
	return it.is_bad;
}

static void refuses_malformed_runs(void **state)
{
	(void)state;
	assert_true(is_refused((const uint8_t *)"", 0, 100));
	assert_true(is_refused((const uint8_t *)"\x80", 1, 100));
	assert_true(is_refused((const uint8_t *)"\x80\x80\x80\x01", 4, UINT64_MAX / 2));
	assert_true(is_refused((const uint8_t *)"\x80\x00", 2, 100)); /* not the shortest form */
	assert_true(is_refused((const uint8_t *)"\x01\x00", 2, 100)); /* a gap without a run */
	assert_true(is_refused((const uint8_t *)"\x05", 1, 5));       /* down to 0 and beyond */
	assert_true(is_refused((const uint8_t *)"\x00\xff\x7f\x00", 4, 100));
	assert_false(is_refused((const uint8_t *)"\x05", 1, 6));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(nothing_has_come_at_first),
		cmocka_unit_test(tells_new_from_repeated),
		cmocka_unit_test(believes_nothing_outside_of_its_window),
		cmocka_unit_test(places_are_clean_when_the_window_moves_on),
		cmocka_unit_test(what_is_written_is_read),
		cmocka_unit_test(limits_hold_and_the_newest_are_told),
		cmocka_unit_test(a_clean_line_takes_few_bytes),
		cmocka_unit_test(refuses_malformed_runs),
	};
	return cmocka_run_group_tests_name("kcp ranges", tests, NULL, NULL);
}
