/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What an observer can count in 10,000 datagrams of mode veil, with a fixed seed. Bounds are those that fair
 * bytes keep but once in a million runs; WireGuard's own messages break each of them, so that the
 * tests can fail.
 */
#include <math.h>
#include <string.h>

#include "veil_world.h"

#define N         10000u
#define POSITIONS 64u

struct census {
	uint32_t bytes[POSITIONS][256]; /* by position */
	uint32_t lengths[MTU_ABOVE + 1];
	uint64_t ones, bits;
};

static struct veil_world v;
static struct census census;

static int setup(void **state)
{
	(void)state;
	memset(&census, 0, sizeof(census));
	veil_world_init(&v);
	veil_world_start(&v);
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	veil_world_end(&v);
	return 0;
}

static void count(const uint8_t *data, uint32_t len)
{
	census.lengths[len]++;
	for (uint32_t i = 0; i < len && i < POSITIONS; i++)
		census.bytes[i][data[i]]++;
	for (uint32_t i = 0; i < len; i++)
		census.ones += (uint32_t)__builtin_popcount(data[i]);
	census.bits += 8 * len;
}

/* Chi-square over 255 degrees of freedom: mean 255, deviation sqrt(2 * 255) = 22.6. With 64 positions six
 * deviations are passed by chance once in some millions. */
static uint32_t biased_positions(void)
{
	uint32_t biased = 0;
	for (uint32_t i = 0; i < POSITIONS; i++) {
		double sum = 0, chi = 0;
		for (uint32_t b = 0; b < 256; b++)
			sum += census.bytes[i][b];
		double expected = sum / 256;
		for (uint32_t b = 0; b < 256; b++) {
			double d = census.bytes[i][b] - expected;
			chi += d * d / expected;
		}
		biased += fabs(chi - 255) > 6 * 22.6;
	}
	return biased;
}

/* Of fair bits, half are ones; six deviations of a sum of that many. */
static bool is_even(void)
{
	double bits = (double)census.bits;
	return fabs((double)census.ones - bits / 2) < 6 * sqrt(bits) / 2;
}

static uint32_t most_frequent_length(void)
{
	uint32_t most = 0;
	for (uint32_t i = 0; i <= MTU_ABOVE; i++)
		most = census.lengths[i] > most ? census.lengths[i] : most;
	return most;
}

/* Sends N messages, plain or through the stage. */
static void send(uint32_t (*draw)(uint32_t i, uint32_t *ret_type), bool plain)
{
	uint8_t message[MTU_ABOVE], wire[MTU_ABOVE];
	for (uint32_t i = 0; i < N; i++) {
		uint32_t type, len = draw(i, &type);
		veil_world_message(&v, message, type, len);
		if (plain)
			count(message, len);
		else
			count(wire, veil_world_seal(&v, 0, message, len, wire));
	}
}

static uint32_t handshakes(uint32_t i, uint32_t *ret_type)
{
	static const uint32_t lens[] = {148, 92, 64, 32};
	*ret_type = i % 4 + 1;
	return lens[i % 4];
}

/* Bare acknowledgements of TCP, as many as a download sends. */
static uint32_t acks(uint32_t i, uint32_t *ret_type)
{
	(void)i;
	*ret_type = DATA;
	return 96;
}

/* Middling data, as of a page or a call. */
static uint32_t middling(uint32_t i, uint32_t *ret_type)
{
	(void)i;
	*ret_type = DATA;
	return (uint32_t)(16 * (20 + testhost_random(v.w.host) % 60));
}

static uint32_t bulk(uint32_t i, uint32_t *ret_type)
{
	(void)i;
	*ret_type = DATA;
	return MTU_ABOVE;
}

static void no_byte_is_biased_whatever_is_sent(void **state)
{
	static uint32_t (*const kinds[])(uint32_t, uint32_t *) = {handshakes, acks, middling, bulk};
	(void)state;
	for (uint32_t k = 0; k < 4; k++) {
		memset(&census, 0, sizeof(census));
		send(kinds[k], true);
		assert_in_range(biased_positions(), 3, 4);
		memset(&census, 0, sizeof(census));
		send(kinds[k], false);
		assert_int_equal(biased_positions(), 0);
		assert_true(is_even());
	}
}

static void handshakes_have_no_sizes_of_their_own(void **state)
{
	(void)state;
	send(handshakes, true);
	assert_int_equal(most_frequent_length(), N / 4);
	memset(&census, 0, sizeof(census));
	send(handshakes, false);
	assert_in_range(most_frequent_length(), 1, N / 100);
}

static void small_data_has_no_size_of_its_own(void **state)
{
	(void)state;
	send(acks, false);
	assert_in_range(most_frequent_length(), 1, N * 6 / 100);
}

static void lengths_are_no_multiples_of_sixteen(void **state)
{
	uint32_t multiples = 0;
	(void)state;
	send(middling, false);
	for (uint32_t i = 0; i <= MTU_ABOVE; i += 16)
		multiples += census.lengths[i];
	assert_in_range(multiples, N / 16 - N / 40, N / 16 + N / 40);
	assert_in_range(most_frequent_length(), 1, N / 100);
}

/* An observer may take them together: no two packets share a block anywhere near their beginning. */
static void nothing_repeats(void **state)
{
	static uint64_t words[N];
	uint8_t wire[MTU_ABOVE];
	(void)state;
	for (uint32_t i = 0; i < N; i++) {
		/* one message again and again, as no session would */
		uint8_t message[148] = {i % 2 == 0 ? INITIATION : DATA};
		veil_world_seal(&v, 0, message, sizeof(message), wire);
		memcpy(&words[i], wire + 40, sizeof(words[i]));
	}
	for (uint32_t i = 1; i < N; i++)
		for (uint32_t k = i > 200 ? i - 200 : 0; k < i; k++)
			assert_true(words[i] != words[k]);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(no_byte_is_biased_whatever_is_sent),
		TEST(handshakes_have_no_sizes_of_their_own),
		TEST(small_data_has_no_size_of_its_own),
		TEST(lengths_are_no_multiples_of_sixteen),
		TEST(nothing_repeats),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
