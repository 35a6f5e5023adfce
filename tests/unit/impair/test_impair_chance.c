/* SPDX-License-Identifier: BSD-2-Clause */
/* Random numbers from a seed: the same everywhere, and evenly spread. */
#include "chance.h"

#include "cases.h"

#define DRAWS 1000000

static void is_splitmix64(void **state)
{
	/* the generator's first numbers from the state 1234567, as its authors' program gives them */
	static const uint64_t published[] = {6457827717110365317u, 3203168211198807973u,
					     9817491932198370423u, 4593380528125082431u,
					     16408922859458223821u};
	struct chance c = {.state = 1234567};
	(void)state;
	for (size_t i = 0; i < sizeof(published) / sizeof(published[0]); i++)
		assert_true(chance_draw(&c) == published[i]);
}

static void the_same_seed_gives_the_same_numbers(void **state)
{
	struct chance a, b;
	(void)state;
	chance_init(&a, 7, 3);
	chance_init(&b, 7, 3);
	for (int i = 0; i < 1000; i++)
		assert_true(chance_draw(&a) == chance_draw(&b));
}

/* Of many streams and seeds no two begin alike. */
static void seeds_and_streams_differ(void **state)
{
	static uint64_t first[64 * 16];
	size_t n = 0;
	(void)state;
	for (uint64_t seed = 0; seed < 64; seed++) {
		for (uint32_t stream = 0; stream < 16; stream++) {
			struct chance c;
			chance_init(&c, seed, stream);
			first[n] = chance_draw(&c);
			for (size_t i = 0; i < n; i++)
				assert_true(first[i] != first[n]);
			n++;
		}
	}
}

static void hits_never_at_0_and_always_at_1(void **state)
{
	struct chance c;
	(void)state;
	chance_init(&c, 1, 1);
	for (int i = 0; i < DRAWS; i++) {
		assert_false(chance_hits(&c, 0));
		assert_true(chance_hits(&c, 1));
	}
}

/* Within five standard deviations of the share, which a true generator leaves once in a million. */
static void hits_as_often_as_the_share_says(void **state)
{
	static const double shares[] = {0.001, 0.01, 0.05, 0.1, 0.5, 0.9};
	(void)state;
	for (size_t i = 0; i < sizeof(shares) / sizeof(shares[0]); i++) {
		struct chance c;
		double expected = DRAWS * shares[i], variance = expected * (1 - shares[i]);
		double hits = 0;
		chance_init(&c, 42, (uint32_t)i);
		for (int k = 0; k < DRAWS; k++)
			hits += chance_hits(&c, shares[i]);
		assert_true((hits - expected) * (hits - expected) < 25 * variance);
	}
}

static void below_n_every_number_comes_equally_often(void **state)
{
	uint32_t seen[10] = {0};
	double chi_square = 0;
	struct chance c;
	(void)state;
	chance_init(&c, 9, 9);
	for (int i = 0; i < DRAWS; i++) {
		uint64_t n = chance_below(&c, 10);
		assert_true(n < 10);
		seen[n]++;
	}
	for (int i = 0; i < 10; i++) {
		double off = seen[i] - DRAWS / 10.;
		chi_square += off * off / (DRAWS / 10.);
	}
	assert_true(chi_square < 27.9); /* 9 degrees of freedom: 0.1 % exceed it */
	assert_true(chance_below(&c, 0) == 0);
	assert_true(chance_below(&c, 1) == 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(is_splitmix64),
		cmocka_unit_test(the_same_seed_gives_the_same_numbers),
		cmocka_unit_test(seeds_and_streams_differ),
		cmocka_unit_test(hits_never_at_0_and_always_at_1),
		cmocka_unit_test(hits_as_often_as_the_share_says),
		cmocka_unit_test(below_n_every_number_comes_equally_often),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
