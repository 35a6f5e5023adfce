/* SPDX-License-Identifier: BSD-2-Clause */
/* What happens to datagrams, by model and seed. */
#include "fate.h"

#include <string.h>

#include "cases.h"

#define DATAGRAMS 100000

struct tally {
	uint32_t lost, in_burst, duplicated, corrupted, reordered;
	uint32_t runs; /* of losses one after the other */
};

static struct tally tally_of(const struct fate_model *m, uint64_t seed, uint32_t direction)
{
	struct tally t = {0};
	struct fates f;
	struct fate fate;
	bool was_lost = false;
	fates_init(&f, m, seed, direction);
	for (int i = 0; i < DATAGRAMS; i++) {
		fates_next(&f, &fate);
		t.lost += fate.end == FATE_LOST;
		t.in_burst += fate.end == FATE_LOST_IN_BURST;
		t.duplicated += fate.duplicated;
		t.corrupted += fate.corrupted;
		t.reordered += fate.reordered;
		t.runs += fate.end != FATE_PASSES && !was_lost;
		was_lost = fate.end != FATE_PASSES;
	}
	return t;
}

/* `n` of DATAGRAMS are `share`, within `tolerance` of that share. */
static void assert_share(uint32_t n, double share, double tolerance)
{
	double found = (double)n / DATAGRAMS;
	if (found < share * (1 - tolerance) || found > share * (1 + tolerance))
		fail_msg("%g of the datagrams, not %g", found, share);
}

static void without_a_model_everything_passes(void **state)
{
	struct fate_model m;
	(void)state;
	fate_model_init(&m);
	struct tally t = tally_of(&m, 1, 0);
	struct tally none = {0};
	assert_memory_equal(&t, &none, sizeof(t));
}

static void everything_is_lost_at_100_percent(void **state)
{
	struct fate_model m;
	(void)state;
	fate_model_init(&m);
	m.loss = 1;
	assert_int_equal(tally_of(&m, 1, 0).lost, DATAGRAMS);
	m.loss = 0;
	m.k = 0;
	assert_int_equal(tally_of(&m, 1, 0).in_burst, DATAGRAMS);
}

static void loses_doubles_corrupts_and_reorders_by_share(void **state)
{
	struct fate_model m;
	(void)state;
	fate_model_init(&m);
	m.loss = 0.05;
	m.duplicate = 0.02;
	m.corrupt = 0.1;
	m.reorder = 0.01;
	struct tally t = tally_of(&m, 7, 0);
	assert_share(t.lost, 0.05, 0.05);
	assert_share(t.duplicated, 0.02, 0.1);
	assert_share(t.corrupted, 0.1, 0.05);
	assert_share(t.reordered, 0.01, 0.15);
	/* losses at random: a run begins with 5 % after each of the 95 % that pass */
	assert_share(t.runs, 0.05 * 0.95, 0.05);
}

/* What a seed decides may never change: figures that were published with it would not hold any more. */
static void a_seed_decides_the_same_for_ever(void **state)
{
	struct fate_model m;
	(void)state;
	fate_model_init(&m);
	m.loss = 0.05;
	m.p = 0.01;
	m.r = 0.25;
	m.duplicate = 0.001;
	m.corrupt = 0.001;
	m.reorder = 0.01;
	struct tally up = tally_of(&m, 7, 0), down = tally_of(&m, 7, 1);
	static const struct tally expected_up = {4922, 3704, 87, 97, 1011, 5349};
	static const struct tally expected_down = {4972, 3518, 100, 98, 1024, 5401};
	assert_memory_equal(&up, &expected_up, sizeof(up));
	assert_memory_equal(&down, &expected_down, sizeof(down));
}

static void another_impairment_changes_no_decision(void **state)
{
	struct fate_model alone, more;
	struct fates a, b;
	(void)state;
	fate_model_init(&alone);
	alone.loss = 0.05;
	more = alone;
	more.duplicate = more.corrupt = more.reorder = 0.3;
	more.p = 0.1;
	more.r = 0.5;
	more.jitter_ns = 1000;
	fates_init(&a, &alone, 3, 0);
	fates_init(&b, &more, 3, 0);
	for (int i = 0; i < DATAGRAMS; i++) {
		struct fate x, y;
		fates_next(&a, &x);
		fates_next(&b, &y);
		assert_int_equal(x.end == FATE_LOST, y.end == FATE_LOST);
	}
}

static void bursts_have_the_share_and_the_length_of_the_model(void **state)
{
	struct fate_model m;
	(void)state;
	fate_model_init(&m);
	m.p = 0.01;
	m.r = 0.25;
	struct tally t = tally_of(&m, 7, 0);
	assert_share(t.in_burst, m.p / (m.p + m.r), 0.1);
	/* a bad line lasts for 1/r datagrams */
	assert_share(t.runs, m.p / (m.p + m.r) * m.r, 0.1);
	assert_int_equal(t.lost, 0);
}

static void good_and_bad_lines_lose_by_k_and_h(void **state)
{
	struct fate_model m;
	(void)state;
	fate_model_init(&m);
	m.p = 0.1;
	m.r = 0.3;
	m.k = 0.98;
	m.h = 0.4;
	double bad = m.p / (m.p + m.r);
	assert_share(tally_of(&m, 5, 1).in_burst, (1 - bad) * (1 - m.k) + bad * (1 - m.h), 0.05);
}

static void a_line_begins_good_and_stays_bad_with_r_0(void **state)
{
	struct fate_model m;
	struct fates f;
	struct fate fate;
	(void)state;
	fate_model_init(&m);
	m.p = 1;
	fates_init(&f, &m, 1, 0);
	fates_next(&f, &fate);
	assert_int_equal(fate.end, FATE_PASSES);
	for (int i = 0; i < 1000; i++) {
		fates_next(&f, &fate);
		assert_int_equal(fate.end, FATE_LOST_IN_BURST);
	}
}

static void jitter_is_even_from_0_to_the_limit(void **state)
{
	struct fate_model m;
	struct fates f;
	struct fate fate;
	uint64_t low = UINT64_MAX, high = 0, sum = 0, copies = 0;
	(void)state;
	fate_model_init(&m);
	m.jitter_ns = 1000;
	fates_init(&f, &m, 1, 0);
	for (int i = 0; i < DATAGRAMS; i++) {
		fates_next(&f, &fate);
		low = fate.jitter_ns < low ? fate.jitter_ns : low;
		high = fate.jitter_ns > high ? fate.jitter_ns : high;
		sum += fate.jitter_ns;
		copies += fate.copy_jitter_ns;
		assert_true(fate.copy_jitter_ns <= 1000);
	}
	assert_int_equal(low, 0);
	assert_int_equal(high, 1000);
	assert_in_range(sum / DATAGRAMS, 495, 505);
	assert_in_range(copies / DATAGRAMS, 495, 505);
}

static uint32_t bits_turned(const uint8_t *bytes, size_t n)
{
	uint32_t found = 0;
	for (size_t i = 0; i < n; i++)
		found += (uint32_t)__builtin_popcount(bytes[i]);
	return found;
}

static void turns_exactly_so_many_bits_over(void **state)
{
	struct fate_model m;
	struct fates f;
	(void)state;
	fate_model_init(&m);
	for (m.corrupt_bits = 1; m.corrupt_bits <= 64; m.corrupt_bits++) {
		fates_init(&f, &m, m.corrupt_bits, 0);
		for (size_t len = 0; len < 20; len++) {
			uint8_t bytes[20] = {0};
			fates_corrupt(&f, bytes, len);
			uint32_t most = (uint32_t)len * 8;
			assert_int_equal(bits_turned(bytes, sizeof(bytes)),
					 m.corrupt_bits < most ? m.corrupt_bits : most);
			assert_int_equal(bits_turned(bytes + len, sizeof(bytes) - len), 0);
		}
	}
}

static void every_bit_is_turned_over_at_some_time(void **state)
{
	struct fate_model m;
	struct fates f;
	uint8_t ever[100] = {0};
	(void)state;
	fate_model_init(&m);
	fates_init(&f, &m, 1, 0);
	for (int i = 0; i < 20000; i++) {
		uint8_t bytes[100] = {0};
		fates_corrupt(&f, bytes, sizeof(bytes));
		for (size_t k = 0; k < sizeof(bytes); k++)
			ever[k] |= bytes[k];
	}
	assert_int_equal(bits_turned(ever, sizeof(ever)), 800);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(without_a_model_everything_passes),
		cmocka_unit_test(everything_is_lost_at_100_percent),
		cmocka_unit_test(loses_doubles_corrupts_and_reorders_by_share),
		cmocka_unit_test(a_seed_decides_the_same_for_ever),
		cmocka_unit_test(another_impairment_changes_no_decision),
		cmocka_unit_test(bursts_have_the_share_and_the_length_of_the_model),
		cmocka_unit_test(good_and_bad_lines_lose_by_k_and_h),
		cmocka_unit_test(a_line_begins_good_and_stays_bad_with_r_0),
		cmocka_unit_test(jitter_is_even_from_0_to_the_limit),
		cmocka_unit_test(turns_exactly_so_many_bits_over),
		cmocka_unit_test(every_bit_is_turned_over_at_some_time),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
