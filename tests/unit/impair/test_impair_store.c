/* SPDX-License-Identifier: BSD-2-Clause */
/* The bytes of datagrams: kept as they were, in no more room than was promised. */
#include "store.h"

#include <string.h>

#include "cases.h"
#include "chance.h"

#define BLOCKS 64

static int set_up(void **state)
{
	static struct store s;
	assert_true(store_init(&s, BLOCKS));
	*state = &s;
	return 0;
}

static int tear_down(void **state)
{
	store_done(*state);
	return 0;
}

static void fill(uint8_t *bytes, uint32_t len, uint32_t seed)
{
	for (uint32_t i = 0; i < len; i++)
		bytes[i] = (uint8_t)(i * 31 + i / 256 + seed);
}

static void check(const struct store *s, uint32_t first, uint32_t len, uint32_t seed)
{
	static uint8_t expected[65535];
	struct iovec iov[STORE_IOVEC_MAX];
	uint32_t n = store_gather(s, first, len, iov), at = 0;
	fill(expected, len, seed);
	for (uint32_t i = 0; i < n; i++) {
		assert_true(at + iov[i].iov_len <= len);
		assert_memory_equal(iov[i].iov_base, expected + at, iov[i].iov_len);
		at += (uint32_t)iov[i].iov_len;
	}
	assert_int_equal(at, len);
}

static void keeps_every_size(void **state)
{
	static const uint32_t sizes[] = {0,    1,    1400, 2047, 2048,  2049,
					 4095, 4096, 4097, 9000, 65507, 65535};
	static uint8_t bytes[65535];
	struct store *s = *state;
	for (uint32_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
		fill(bytes, sizes[i], i);
		uint32_t first = store_put(s, bytes, sizes[i]);
		assert_int_not_equal(first, STORE_NONE);
		check(s, first, sizes[i], i);
		store_drop(s, first);
		assert_int_equal(s->n_used, 0);
	}
}

static void is_full_at_its_last_block(void **state)
{
	static uint8_t bytes[65535];
	struct store *s = *state;
	uint32_t first[BLOCKS];
	for (uint32_t i = 0; i < BLOCKS; i++) {
		first[i] = store_put(s, bytes, i % 2 == 0 ? 0 : STORE_BLOCK);
		assert_int_not_equal(first[i], STORE_NONE);
	}
	assert_int_equal(store_put(s, bytes, 0), STORE_NONE);
	store_drop(s, first[7]);
	assert_int_equal(store_put(s, bytes, STORE_BLOCK + 1), STORE_NONE);
	assert_int_equal(s->n_used, BLOCKS - 1);
	assert_int_equal(store_put(s, bytes, STORE_BLOCK), first[7]);
}

static void stays_whole_when_datagrams_of_all_sizes_come_and_go(void **state)
{
	static uint8_t bytes[65535];
	struct store *s = *state;
	struct kept {
		uint32_t first, len, seed;
	} kept[BLOCKS];
	struct chance c;
	uint32_t n = 0, refused = 0;
	chance_init(&c, 3, 3);
	for (uint32_t i = 0; i < 20000; i++) {
		if (n > 0 && (n == BLOCKS || chance_hits(&c, 0.45))) {
			uint32_t at = (uint32_t)chance_below(&c, n);
			check(s, kept[at].first, kept[at].len, kept[at].seed);
			store_drop(s, kept[at].first);
			kept[at] = kept[--n];
			continue;
		}
		struct kept k = {.len = (uint32_t)chance_below(&c, 9000), .seed = i};
		fill(bytes, k.len, k.seed);
		k.first = store_put(s, bytes, k.len);
		if (k.first == STORE_NONE)
			refused++;
		else
			kept[n++] = k;
	}
	assert_true(refused > 0);
	while (n > 0)
		store_drop(s, kept[--n].first);
	assert_int_equal(s->n_used, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(keeps_every_size, set_up, tear_down),
		cmocka_unit_test_setup_teardown(is_full_at_its_last_block, set_up, tear_down),
		cmocka_unit_test_setup_teardown(stays_whole_when_datagrams_of_all_sizes_come_and_go,
						set_up, tear_down),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
