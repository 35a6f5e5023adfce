/* SPDX-License-Identifier: BSD-2-Clause */
/* The parts of mode veil, each alone. Vectors come from a reference in Python (hashlib's BLAKE2b, PyNaCl's
 * XChaCha20-Poly1305 and Argon2id, SipHash written from its paper), as docs/protocols/veil.md has them. */
#include <stdlib.h>
#include <string.h>

#include "key.h"
#include "obfs_world.h"
#include "veil_key.h"
#include "veil_length.h"
#include "veil_mask.h"
#include "veil_replay.h"

static struct testhost *host;

static int setup(void **state)
{
	(void)state;
	TESTHOST_USE_CMOCKA();
	host = testhost_new(3);
	return host == NULL;
}

static int teardown(void **state)
{
	(void)state;
	host = testhost_free(host);
	return 0;
}

static void same_hex(const uint8_t *got, uint32_t len, const char *hex)
{
	uint8_t want[64];
	assert_int_equal(world_hex(hex, want), len);
	TESTHOST_SAME_BYTES(got, len, want, len);
}

static void derive(struct veil_keys *keys)
{
	uint8_t root[OBFS_KEY_LEN];
	for (uint32_t i = 0; i < sizeof(root); i++)
		root[i] = (uint8_t)i;
	veil_key_derive(root, keys);
}

/* ---- keys ---- */

static void stretches_a_password_as_rfc_9106_says(void **state)
{
	const struct obfs_options o = {.password = "correct horse"};
	uint8_t root[OBFS_KEY_LEN];
	(void)state;
	assert_int_equal(obfs_key(&o, root, NULL), VPN_OK);
	same_hex(root, sizeof(root),
		 "a8def24f83e220a40c6f9debf3994e90fe3bc201a3535918ce6397b64eeed523");
}

static void derives_the_keys_of_the_protocol(void **state)
{
	struct veil_keys keys;
	(void)state;
	derive(&keys);
	same_hex(keys.seal, sizeof(keys.seal),
		 "b2af69d21ba419d5145a902261a1e886bbb782f7769bb55ad0602b45ec409f96");
	same_hex(keys.mask, sizeof(keys.mask), "fc2888210519543cd8992da05f929c8d");
	same_hex(keys.length, sizeof(keys.length),
		 "4360c2e61a9f6565e82b6ffaadc59c96107306471a56cdab5e647d2e83cdf6f7");
}

/* ---- masks ---- */

/* receiver 11 22 33 44, counter 01 .. 08, ciphertext 80 81 .. */
static void a_message(uint8_t *out, uint32_t len)
{
	uint8_t header[16] = {4, 0, 0, 0, 0x11, 0x22, 0x33, 0x44, 1, 2, 3, 4, 5, 6, 7, 8};
	memcpy(out, header, sizeof(header));
	for (uint32_t i = sizeof(header); i < len; i++)
		out[i] = (uint8_t)(0x80 + i - sizeof(header));
}

static void masks_a_header_as_the_vector_has_it(void **state)
{
	struct veil_keys keys;
	uint8_t message[48];
	(void)state;
	derive(&keys);
	a_message(message, sizeof(message));
	veil_mask_put(keys.mask, message, 5);
	same_hex(message, 16, "6390e96061742b9e7f187eadd97b6b77");
	assert_int_equal(message[16], 0x80);
}

static void takes_masks_away_and_finds_the_tail(void **state)
{
	struct veil_keys keys;
	uint8_t plain[1452 + VEIL_LENGTH_MOST], wire[sizeof(plain)];
	(void)state;
	derive(&keys);
	for (uint32_t len = VEIL_MASK_SHORTEST; len <= 1452; len += 13) {
		for (uint32_t tail = 0; tail <= VEIL_LENGTH_MOST; tail += 64) {
			uint32_t got = 0;
			a_message(plain, sizeof(plain));
			memcpy(wire, plain, sizeof(wire));
			veil_mask_put(keys.mask, wire, tail);
			assert_true(veil_mask_take(keys.mask, wire, len + tail, &got));
			assert_int_equal(got, len);
			TESTHOST_SAME_BYTES(wire, len, plain, len);
		}
	}
}

static void leaves_alone_what_is_no_masked_message(void **state)
{
	struct veil_keys keys;
	uint8_t wire[VEIL_MASK_SHORTEST + 20], before[sizeof(wire)];
	uint32_t got = 77;
	(void)state;
	derive(&keys);
	/* a tail that would eat the message, and one that is longer than any */
	static const uint32_t tails[] = {21, VEIL_LENGTH_MOST + 1, 0xffff};
	for (uint32_t i = 0; i < 3; i++) {
		a_message(wire, sizeof(wire));
		veil_mask_put(keys.mask, wire, tails[i]);
		memcpy(before, wire, sizeof(wire));
		assert_false(veil_mask_take(keys.mask, wire, sizeof(wire), &got));
		TESTHOST_SAME_BYTES(wire, sizeof(wire), before, sizeof(wire));
	}
	/* another type; a byte that has to be zero */
	for (uint32_t at = 0; at < 4; at += 3) {
		a_message(wire, sizeof(wire));
		wire[at]++;
		veil_mask_put(keys.mask, wire, 0);
		assert_false(veil_mask_take(keys.mask, wire, sizeof(wire), &got));
	}
	a_message(wire, sizeof(wire));
	veil_mask_put(keys.mask, wire, 0);
	assert_false(veil_mask_take(keys.mask, wire, VEIL_MASK_SHORTEST - 1, &got));
	assert_int_equal(got, 77);
}

/* Random datagrams, as strangers send: one of 2^23 passes. */
static void chance_passes_seldom(void **state)
{
	struct veil_keys keys;
	uint32_t passed = 0, got;
	uint8_t wire[600];
	(void)state;
	derive(&keys);
	for (uint32_t i = 0; i < sizeof(wire); i++)
		wire[i] = (uint8_t)testhost_random(host);
	for (uint32_t i = 0; i < 200000; i++) {
		uint64_t sample = testhost_random(host);
		memcpy(wire + 16, &sample, sizeof(sample));
		passed += veil_mask_take(keys.mask, wire, sizeof(wire), &got);
	}
	assert_in_range(passed, 0, 3); /* 0.02 of them are expected */
}

/* ---- lengths ---- */

static void draws_lengths_within_bounds_and_limit(void **state)
{
	struct veil_lengths l;
	struct veil_keys keys;
	(void)state;
	derive(&keys);
	veil_length_init(&l, keys.length);
	for (uint32_t kind = 0; kind < VEIL_N_KINDS; kind++) {
		uint32_t most = l.of[kind].width * VEIL_LENGTH_STEPS, seen = 0;
		for (uint32_t i = 0; i < 100000; i++) {
			uint32_t random = (uint32_t)testhost_random(host);
			uint32_t len = veil_length_draw(&l, (enum veil_kind)kind, random, 5000);
			assert_in_range(len, 0, most - 1);
			seen = len > seen ? len : seen;
			assert_in_range(veil_length_draw(&l, (enum veil_kind)kind, random, 20), 0,
					20);
			assert_int_equal(veil_length_draw(&l, (enum veil_kind)kind, random, 0), 0);
		}
		assert_int_equal(seen, most - 1);
		assert_in_range(most, 0, VEIL_LENGTH_MOST);
		assert_int_equal(veil_length_draw(&l, (enum veil_kind)kind, UINT32_MAX, 5000),
				 most - 1);
	}
}

static void no_length_is_frequent(void **state)
{
	struct veil_lengths l;
	struct veil_keys keys;
	(void)state;
	derive(&keys);
	veil_length_init(&l, keys.length);
	for (uint32_t kind = 0; kind < VEIL_N_KINDS; kind++) {
		uint32_t counts[VEIL_LENGTH_MOST] = {0}, width = l.of[kind].width;
		for (uint32_t i = 0; i < 100000; i++)
			counts[veil_length_draw(&l, (enum veil_kind)kind,
						(uint32_t)testhost_random(host), 5000)]++;
		/* no step has more than 318 / (318 + 15 * 64) of all, and its lengths share that */
		for (uint32_t i = 0; i < VEIL_LENGTH_MOST; i++)
			assert_in_range(counts[i], 0, 100000 / 4 / width + 300);
	}
}

static void each_key_has_lengths_of_its_own(void **state)
{
	struct veil_lengths a, b;
	struct veil_keys keys;
	(void)state;
	derive(&keys);
	veil_length_init(&a, keys.length);
	veil_length_init(&b, keys.length);
	assert_memory_equal(&a, &b, sizeof(a));
	veil_length_init(&b, keys.seal);
	for (uint32_t kind = 0; kind < VEIL_N_KINDS; kind++)
		assert_memory_not_equal(a.of[kind].until, b.of[kind].until,
					sizeof(a.of[kind].until));
}

/* ---- replays ---- */

#define NOW    UINT64_C(1700000000000)
#define WINDOW UINT64_C(60000)

static enum veil_verdict check(struct veil_replay *r, uint64_t sender, uint64_t number,
			       uint64_t time)
{
	veil_replay_lock(r);
	enum veil_verdict verdict = veil_replay_check(r, sender, number, time, NOW);
	veil_replay_unlock(r);
	return verdict;
}

static void takes_nothing_twice(void **state)
{
	struct veil_replay *r = veil_replay_new(4, WINDOW, 0);
	(void)state;
	assert_int_equal(check(r, 1, 0, NOW), VEIL_NEW);
	assert_int_equal(check(r, 1, 0, NOW), VEIL_REPLAYED);
	assert_int_equal(check(r, 2, 0, NOW), VEIL_NEW);
	assert_int_equal(check(r, 1, 70, NOW), VEIL_NEW);
	assert_int_equal(check(r, 1, 69, NOW), VEIL_NEW);
	assert_int_equal(check(r, 1, 69, NOW), VEIL_REPLAYED);
	assert_int_equal(check(r, 1, UINT64_MAX, NOW), VEIL_NEW);
	assert_int_equal(check(r, 1, UINT64_MAX, NOW), VEIL_REPLAYED);
	assert_int_equal(check(r, 1, 70, NOW), VEIL_REPLAYED);
	veil_replay_free(r);
}

static void the_window_of_numbers_ends_where_it_should(void **state)
{
	struct veil_replay *r = veil_replay_new(4, WINDOW, 0);
	uint64_t top = 1000000;
	(void)state;
	assert_int_equal(check(r, 1, top, NOW), VEIL_NEW);
	assert_int_equal(check(r, 1, top - VEIL_REPLAY_WINDOW, NOW), VEIL_REPLAYED);
	assert_int_equal(check(r, 1, top - VEIL_REPLAY_WINDOW + 1, NOW), VEIL_NEW);
	assert_int_equal(check(r, 1, top - VEIL_REPLAY_WINDOW + 1, NOW), VEIL_REPLAYED);
	veil_replay_free(r);
}

static void hears_nobody_outside_of_the_window_of_time(void **state)
{
	struct veil_replay *r = veil_replay_new(4, WINDOW, 0);
	(void)state;
	assert_int_equal(check(r, 1, 0, NOW - WINDOW), VEIL_NEW);
	assert_int_equal(check(r, 1, 1, NOW + WINDOW), VEIL_NEW);
	assert_int_equal(check(r, 1, 2, NOW - WINDOW - 1), VEIL_STALE);
	assert_int_equal(check(r, 1, 3, NOW + WINDOW + 1), VEIL_STALE);
	assert_int_equal(check(r, 1, 4, 0), VEIL_STALE);
	assert_int_equal(check(r, 1, 5, UINT64_MAX), VEIL_STALE);
	veil_replay_free(r);
}

static void hears_no_stranger_from_before_the_floor(void **state)
{
	struct veil_replay *r = veil_replay_new(4, WINDOW, NOW - 100);
	(void)state;
	assert_int_equal(check(r, 1, 0, NOW - 101), VEIL_STALE);
	assert_int_equal(check(r, 1, 0, NOW - 100), VEIL_NEW);
	/* nor what is older of one that has become known since */
	assert_int_equal(check(r, 1, 1, NOW - 101), VEIL_STALE);
	assert_int_equal(check(r, 1, 1, NOW - 100), VEIL_NEW);
	veil_replay_free(r);
}

static void forgets_who_was_silent_longest_and_takes_nothing_of_it_again(void **state)
{
	struct veil_replay *r = veil_replay_new(2, WINDOW, 0);
	(void)state;
	assert_int_equal(check(r, 1, 0, NOW - 30), VEIL_NEW);
	assert_int_equal(check(r, 2, 0, NOW - 20), VEIL_NEW);
	assert_int_equal(check(r, 3, 0, NOW - 10), VEIL_NEW); /* 1 has to go */
	assert_int_equal(check(r, 1, 0, NOW - 30),
			 VEIL_STALE); /* and cannot come again with that */
	assert_int_equal(check(r, 2, 0, NOW - 20), VEIL_REPLAYED);
	assert_int_equal(check(r, 4, 0, NOW - 30), VEIL_STALE); /* nor any stranger of that time */
	assert_int_equal(check(r, 1, 1, NOW - 5), VEIL_NEW);    /* 2 has to go */
	assert_int_equal(check(r, 2, 0, NOW - 20), VEIL_STALE);
	veil_replay_free(r);
}

#define STEPS 20000u

/* Everything that was ever sealed, by sender and number. */
struct model {
	uint64_t time; /* 0: not yet */
	bool taken;
};

/* One run: numbers come out of order, and many again. Times belong to packets, and advance. */
static void run_beside_a_model(struct model (*m)[STEPS], uint32_t senders, uint32_t room)
{
	struct veil_replay *r = veil_replay_new(room, WINDOW, 0);
	uint64_t next[12] = {0};
	uint32_t taken = 0;
	memset(m, 0, 12 * sizeof(*m));
	for (uint32_t step = 0; step < STEPS; step++) {
		uint32_t s = (uint32_t)(testhost_random(host) % senders);
		uint64_t back = testhost_random(host) % 40;
		uint64_t number = back < 20 || next[s] <= back ? next[s]++ : next[s] - back;
		struct model *p = &m[s][number];
		if (p->time == 0)
			p->time = NOW - STEPS + step + testhost_random(host) % 50;
		enum veil_verdict verdict = check(r, s, number, p->time);
		if (p->taken)
			assert_int_not_equal(verdict, VEIL_NEW);
		else if (senders <= room)
			assert_int_equal(verdict, VEIL_NEW);
		p->taken |= verdict == VEIL_NEW;
		taken += verdict == VEIL_NEW;
	}
	assert_in_range(taken, STEPS / 10, STEPS);
	veil_replay_free(r);
}

/* While there is room for all senders, exactly what is new is taken; with more of them than there is room
 * for, nothing is taken twice. */
static void agrees_with_a_plain_model(void **state)
{
	struct model(*m)[STEPS] = malloc(12 * sizeof(*m));
	(void)state;
	assert_non_null(m);
	run_beside_a_model(m, 6, 6);
	run_beside_a_model(m, 7, 6);
	run_beside_a_model(m, 12, 6);
	run_beside_a_model(m, 3, 1);
	free(m);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(stretches_a_password_as_rfc_9106_says),
		TEST(derives_the_keys_of_the_protocol),
		TEST(masks_a_header_as_the_vector_has_it),
		TEST(takes_masks_away_and_finds_the_tail),
		TEST(leaves_alone_what_is_no_masked_message),
		TEST(chance_passes_seldom),
		TEST(draws_lengths_within_bounds_and_limit),
		TEST(no_length_is_frequent),
		TEST(each_key_has_lengths_of_its_own),
		TEST(takes_nothing_twice),
		TEST(the_window_of_numbers_ends_where_it_should),
		TEST(hears_nobody_outside_of_the_window_of_time),
		TEST(hears_no_stranger_from_before_the_floor),
		TEST(forgets_who_was_silent_longest_and_takes_nothing_of_it_again),
		TEST(agrees_with_a_plain_model),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
