/* SPDX-License-Identifier: BSD-2-Clause */
/* What mode veil does not take: silence, and a counter for each reason. */
#include <string.h>

#include "veil_world.h"

#define MS     UINT64_C(1000000)
#define SECOND (1000 * MS)

static struct veil_world v;

static int setup(void **state)
{
	(void)state;
	veil_world_init(&v);
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	veil_world_end(&v);
	return 0;
}

/* The side says nothing, up or down, and counts one more of `reason`. */
static void refuses(uint32_t side, const uint8_t *wire, uint32_t len, const char *reason)
{
	struct testhost_stage *s = v.w.stage[side];
	uint64_t before = testhost_counter(s, reason), drops = testhost_drops(s);
	assert_true(testhost_recv(s, 0, wire, len, NULL));
	assert_int_equal(testhost_waiting(s, 0, VPN_UP), 0);
	assert_int_equal(testhost_waiting(s, 0, VPN_DOWN), 0);
	assert_int_equal(testhost_counter(s, reason), before + 1);
	assert_int_equal(testhost_drops(s), drops + 1);
}

static void takes(uint32_t side, const uint8_t *wire, uint32_t len)
{
	assert_true(testhost_recv(v.w.stage[side], 0, wire, len, NULL));
	assert_non_null(testhost_next(v.w.stage[side], 0, VPN_UP));
}

static void a_sealed_packet_with_any_bit_flipped(void **state)
{
	uint8_t wire[MTU_ABOVE];
	(void)state;
	veil_world_start(&v);
	uint32_t len = veil_world_sealed(&v, 0, INITIATION, 148, wire);
	for (uint32_t bit = 0; bit < 8 * len; bit++) {
		wire[bit / 8] ^= (uint8_t)(1u << bit % 8);
		refuses(1, wire, len, "drop_foreign");
		wire[bit / 8] ^= (uint8_t)(1u << bit % 8);
	}
	takes(1, wire, len);
}

static void a_sealed_packet_cut_or_lengthened(void **state)
{
	uint8_t wire[MTU_ABOVE + 8] = {0};
	(void)state;
	veil_world_start(&v);
	uint32_t len = veil_world_sealed(&v, 0, INITIATION, 148, wire);
	for (uint32_t cut = 0; cut < len; cut++)
		refuses(1, wire, cut, cut < VEIL_OVERHEAD ? "drop_short" : "drop_foreign");
	for (uint32_t more = 1; more <= 8; more++)
		refuses(1, wire, len + more, "drop_foreign");
	takes(1, wire, len);
}

/* WireGuard's own tag covers the rest: veil sees to it that a changed header goes up as changed, or not. */
static void a_masked_packet_with_a_bit_flipped_is_not_the_same(void **state)
{
	uint8_t message[600], wire[MTU_ABOVE], changed[MTU_ABOVE];
	(void)state;
	veil_world_start(&v);
	veil_world_message(&v, message, DATA, sizeof(message));
	uint32_t len = veil_world_seal(&v, 0, message, sizeof(message), wire);
	for (uint32_t bit = 0; bit < 8 * sizeof(message); bit++) {
		memcpy(changed, wire, len);
		changed[bit / 8] ^= (uint8_t)(1u << bit % 8);
		assert_true(testhost_recv(v.w.stage[1], 0, changed, len, NULL));
		const struct testhost_record *r = testhost_next(v.w.stage[1], 0, VPN_UP);
		if (r != NULL)
			assert_true(r->len != sizeof(message) ||
				    memcmp(r->data, message, r->len) != 0);
		/* the type, and the bytes that have to be zero */
		if (bit < 8 || (bit >= 24 && bit < 32))
			assert_null(r);
	}
}

static void what_came_before(void **state)
{
	uint8_t wire[3][MTU_ABOVE];
	uint32_t len[3];
	(void)state;
	veil_world_start(&v);
	for (uint32_t i = 0; i < 3; i++)
		len[i] = veil_world_sealed(&v, 0, INITIATION, 148, wire[i]);
	takes(1, wire[2], len[2]);
	takes(1, wire[0], len[0]);
	refuses(1, wire[0], len[0], "drop_replay");
	refuses(1, wire[2], len[2], "drop_replay");
	takes(1, wire[1], len[1]);
	for (uint32_t i = 0; i < 3; i++)
		refuses(1, wire[i], len[i], "drop_replay");
	testhost_advance(v.w.host, 60 * SECOND);
	refuses(1, wire[0], len[0], "drop_replay");
	testhost_advance(v.w.host, MS);
	refuses(1, wire[0], len[0], "drop_stale");
}

static void twice_in_one_batch(void **state)
{
	uint8_t wire[MTU_ABOVE];
	struct vpn_packet *pkts[5];
	(void)state;
	veil_world_start(&v);
	uint32_t len = veil_world_sealed(&v, 0, INITIATION, 148, wire);
	for (uint32_t i = 0; i < 5; i++)
		pkts[i] = testhost_packet(v.w.stage[1], 0, VPN_UP, wire, len);
	assert_int_equal(testhost_offer(v.w.stage[1], 0, VPN_UP, pkts, 5), 5);
	assert_int_equal(testhost_waiting(v.w.stage[1], 0, VPN_UP), 1);
	assert_int_equal(testhost_counter(v.w.stage[1], "drop_replay"), 4);
}

static void its_own_packets(void **state)
{
	uint8_t wire[MTU_ABOVE];
	(void)state;
	veil_world_start(&v);
	uint32_t len = veil_world_sealed(&v, 0, INITIATION, 148, wire);
	refuses(0, wire, len, "drop_reflected");
	takes(1, wire, len);
}

static void another_key(void **state)
{
	uint8_t wire[MTU_ABOVE];
	(void)state;
	v.key[1][31] ^= 1;
	veil_world_start(&v);
	for (uint32_t type = INITIATION; type <= COOKIE; type++) {
		uint32_t len = veil_world_sealed(&v, 0, type, 148, wire);
		refuses(1, wire, len, "drop_foreign");
	}
	for (uint32_t size = 32; size < MTU_ABOVE; size += 4) {
		uint32_t len = veil_world_sealed(&v, 1, DATA, size, wire);
		refuses(0, wire, len, "drop_foreign");
	}
	assert_true(testhost_logged(v.w.host, VPN_LOG_WARN, "mode \"veil\""));
}

/* Packets of the other side at this time, seen by ours at that one. */
static void seen_at(uint64_t sent_ns, uint64_t seen_ns, const char *reason)
{
	uint8_t wire[MTU_ABOVE];
	testhost_set_wall(v.w.host, sent_ns);
	uint32_t len = veil_world_sealed(&v, 0, INITIATION, 148, wire);
	testhost_set_wall(v.w.host, seen_ns);
	if (reason != NULL)
		refuses(1, wire, len, reason);
	else
		takes(1, wire, len);
}

static void clocks_that_are_too_far_apart(void **state)
{
	uint64_t now = UINT64_C(1700000000) * SECOND;
	(void)state;
	testhost_set_wall(v.w.host, now);
	veil_world_start(&v);
	now += 600 * SECOND; /* long after the start */
	seen_at(now + 60 * SECOND, now, NULL);
	seen_at(now + 60 * SECOND + MS, now, "drop_stale");
	seen_at(now - 60 * SECOND, now, NULL);
	seen_at(now - 60 * SECOND - MS, now, "drop_stale");
	seen_at(now - 86400 * SECOND, now, "drop_stale");
}

static void the_window_is_an_option(void **state)
{
	uint64_t now = UINT64_C(1700000000) * SECOND;
	(void)state;
	v.veil[1].window = 5 * SECOND;
	testhost_set_wall(v.w.host, now);
	veil_world_start(&v);
	now += 600 * SECOND;
	seen_at(now - 5 * SECOND, now, NULL);
	seen_at(now - 5 * SECOND - MS, now, "drop_stale");
}

/* Recorded, and sent again after a restart, which has forgotten it. */
static void what_came_before_a_restart(void **state)
{
	uint8_t wire[MTU_ABOVE], next[MTU_ABOVE];
	(void)state;
	veil_world_start(&v);
	uint32_t len = veil_world_sealed(&v, 0, INITIATION, 148, wire);
	takes(1, wire, len);
	testhost_advance(v.w.host, 2 * SECOND + MS);
	v.w.stage[1] = testhost_remove(v.w.stage[1]);
	world_start(&v.w, 1);
	refuses(1, wire, len, "drop_stale");
	/* the peer that lives on is heard at once */
	uint32_t next_len = veil_world_sealed(&v, 0, INITIATION, 148, next);
	takes(1, next, next_len);
	refuses(1, next, next_len, "drop_replay");
	refuses(1, wire, len, "drop_stale"); /* that its sender is known now does not help it */
}

static void random_datagrams_of_any_length(void **state)
{
	uint8_t wire[MTU_ABOVE];
	(void)state;
	veil_world_start(&v);
	for (uint32_t i = 0; i < 20000; i++) {
		uint32_t len = (uint32_t)(testhost_random(v.w.host) % sizeof(wire));
		for (uint32_t k = 0; k < len; k += 1 + k / 64)
			wire[k] = (uint8_t)testhost_random(v.w.host);
		assert_true(testhost_recv(v.w.stage[1], 0, wire, len, NULL));
	}
	assert_int_equal(testhost_waiting(v.w.stage[1], 0, VPN_UP), 0);
	assert_int_equal(testhost_waiting(v.w.stage[1], 0, VPN_DOWN), 0);
	assert_int_equal(testhost_drops(v.w.stage[1]), 20000);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(a_sealed_packet_with_any_bit_flipped),
		TEST(a_sealed_packet_cut_or_lengthened),
		TEST(a_masked_packet_with_a_bit_flipped_is_not_the_same),
		TEST(what_came_before),
		TEST(twice_in_one_batch),
		TEST(its_own_packets),
		TEST(another_key),
		TEST(clocks_that_are_too_far_apart),
		TEST(the_window_is_an_option),
		TEST(what_came_before_a_restart),
		TEST(random_datagrams_of_any_length),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
