/* SPDX-License-Identifier: BSD-2-Clause */
/* The generator of salts, padding and junk. */
#include <string.h>

#include "obfs_world.h"

static uint32_t seeds;

static void seed(const struct vpn_host *host, void *buf, size_t len)
{
	(void)host;
	memset(buf, (int)++seeds, len);
}

static const struct vpn_host host = {.size = sizeof(host), .random = seed};

static int setup(void **state)
{
	(void)state;
	seeds = 0;
	return 0;
}

static void gives_the_same_bytes_in_any_pieces(void **state)
{
	static uint8_t whole[7000], parts[7000];
	struct obfs_random a, b;
	(void)state;
	obfs_random_init(&a, &host);
	seeds = 0;
	obfs_random_init(&b, &host);
	obfs_random_fill(&a, whole, sizeof(whole));
	for (uint32_t at = 0, len = 1; at < sizeof(parts); at += len, len = len * 2 % 1021) {
		if (len > sizeof(parts) - at)
			len = (uint32_t)sizeof(parts) - at;
		obfs_random_fill(&b, parts + at, len);
	}
	assert_memory_equal(whole, parts, sizeof(whole));
}

/* Neither the key nor what has gone out stays in memory. */
static void forgets_what_it_has_given(void **state)
{
	static const uint8_t zeroes[OBFS_RANDOM_BYTES];
	uint8_t out[900];
	struct obfs_random r;
	(void)state;
	obfs_random_init(&r, &host);
	obfs_random_fill(&r, out, sizeof(out));
	assert_memory_equal(r.stream, zeroes, OBFS_RANDOM_KEY + sizeof(out));
	obfs_random_clear(&r);
	assert_memory_equal(r.stream, zeroes, sizeof(r.stream));
	assert_memory_equal(r.key, zeroes, sizeof(r.key));
}

static void takes_a_fresh_seed_now_and_then(void **state)
{
	static uint8_t out[1 << 16];
	struct obfs_random r;
	(void)state;
	obfs_random_init(&r, &host);
	uint64_t refill = OBFS_RANDOM_BYTES - OBFS_RANDOM_KEY;
	for (uint64_t n = 0; n < OBFS_RANDOM_RESEED * refill; n += sizeof(out))
		obfs_random_fill(&r, out, sizeof(out));
	assert_int_equal(seeds, 2);
}

static void stays_within_bounds_and_reaches_all(void **state)
{
	struct obfs_random r;
	uint32_t below[7] = {0}, between[3] = {0};
	(void)state;
	obfs_random_init(&r, &host);
	for (uint32_t i = 0; i < 7000; i++) {
		below[obfs_random_below(&r, 7)]++;
		between[obfs_random_between(&r, 40, 42) - 40]++;
	}
	for (uint32_t i = 0; i < 7; i++)
		assert_in_range(below[i], 800, 1200);
	for (uint32_t i = 0; i < 3; i++)
		assert_in_range(between[i], 2000, 2700);
	assert_int_equal(obfs_random_below(&r, 1), 0);
	assert_int_equal(obfs_random_between(&r, UINT32_MAX, UINT32_MAX), UINT32_MAX);
	obfs_random_between(&r, 0, UINT32_MAX);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(gives_the_same_bytes_in_any_pieces, setup),
		cmocka_unit_test_setup(forgets_what_it_has_given, setup),
		cmocka_unit_test_setup(takes_a_fresh_seed_now_and_then, setup),
		cmocka_unit_test_setup(stays_within_bounds_and_reaches_all, setup),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
