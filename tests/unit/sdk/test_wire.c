/* SPDX-License-Identifier: BSD-2-Clause */
/* test_wire: the wire between two stages does what its setup says, the same in every run. */
#include "puppet.h"

#include <string.h>

static struct testhost_stage *a, *b;

static struct testhost_wire *joined(const struct testhost_wire_setup *setup)
{
	a = running();
	b = running();
	return testhost_join(a, b, setup);
}

/* Sends n numbered packets from `a`, one each microsecond. */
static void send_numbers(uint32_t n)
{
	for (uint32_t i = 0; i < n; i++) {
		assert_true(testhost_send(a, 0, &i, sizeof(i)));
		testhost_advance(host, 1000);
	}
}

static uint32_t next_number(void)
{
	uint32_t number;
	const struct testhost_record *r = testhost_next(b, 0, VPN_UP);
	assert_non_null(r);
	assert_int_equal(r->len, sizeof(number));
	memcpy(&number, r->data, sizeof(number));
	return number;
}

static void a_plain_wire_keeps_number_and_order(void **state)
{
	(void)state;
	struct testhost_wire *w = joined(NULL);
	send_numbers(100);
	for (uint32_t i = 0; i < 100; i++)
		assert_int_equal(next_number(), i);
	assert_int_equal(testhost_wire_stats(w, a).delivered, 100);
	assert_int_equal(testhost_wire_stats(w, b).delivered, 0);
	assert_int_equal(testhost_waiting(a, 0, VPN_DOWN), 0);
}

static void delivers_after_the_delay_and_not_before(void **state)
{
	(void)state;
	joined(&(struct testhost_wire_setup){.delay_ns = 5000});
	testhost_send(a, 0, "x", 1);
	uint64_t sent = testhost_now(host);
	assert_int_equal(testhost_next_event(host), sent + 5000);
	testhost_advance(host, 4999);
	assert_int_equal(testhost_waiting(b, 0, VPN_UP), 0);
	testhost_advance(host, 1);
	assert_int_equal(testhost_next(b, 0, VPN_UP)->at_ns, sent + 5000);
}

static void packets_of_one_moment_come_in_one_batch(void **state)
{
	(void)state;
	joined(NULL);
	for (int i = 0; i < 5; i++)
		testhost_send(a, 0, "x", 1);
	testhost_run(host);
	for (int i = 0; i < 5; i++)
		assert_int_equal(testhost_next(b, 0, VPN_UP)->push, 1);
}

static void loses_the_share_that_was_asked_for(void **state)
{
	(void)state;
	struct testhost_wire *w = joined(&(struct testhost_wire_setup){.loss_ppm = 250000});
	send_numbers(2000);
	struct testhost_wire_stats stats = testhost_wire_stats(w, a);
	assert_in_range(stats.lost, 400, 600);
	assert_int_equal(stats.lost + stats.delivered, 2000);
	assert_int_equal(testhost_waiting(b, 0, VPN_UP), stats.delivered);
}

static void loses_all_or_nothing_at_the_ends_of_the_scale(void **state)
{
	(void)state;
	struct testhost_wire *w = joined(&(struct testhost_wire_setup){.loss_ppm = TESTHOST_PPM});
	send_numbers(50);
	assert_int_equal(testhost_waiting(b, 0, VPN_UP), 0);
	testhost_wire_set(w, NULL);
	send_numbers(50);
	assert_int_equal(testhost_waiting(b, 0, VPN_UP), 50);
}

static void duplicates_come_out_twice(void **state)
{
	(void)state;
	joined(&(struct testhost_wire_setup){.duplicate_ppm = TESTHOST_PPM});
	send_numbers(10);
	for (uint32_t i = 0; i < 20; i++)
		assert_int_equal(next_number(), i / 2);
}

static void reordering_changes_order_and_loses_nothing(void **state)
{
	(void)state;
	struct testhost_wire *w = joined(
		&(struct testhost_wire_setup){.reorder_ppm = 200000, .reorder_ns = 3500});
	bool seen[200] = {false};
	uint32_t backwards = 0, last = 0;
	send_numbers(200);
	testhost_advance(host, 10000);
	for (int i = 0; i < 200; i++) {
		uint32_t number = next_number();
		assert_in_range(number, 0, 199);
		assert_false(seen[number]);
		seen[number] = true;
		backwards += number < last;
		last = number;
	}
	assert_true(backwards > 0);
	assert_true(testhost_wire_stats(w, a).reordered > 0);
}

static void corruption_flips_one_bit(void **state)
{
	(void)state;
	static const uint8_t zeros[64];
	joined(&(struct testhost_wire_setup){.corrupt_ppm = TESTHOST_PPM});
	testhost_send(a, 0, zeros, sizeof(zeros));
	testhost_run(host);
	const struct testhost_record *r = testhost_next(b, 0, VPN_UP);
	int bits = 0;
	for (uint32_t i = 0; i < r->len; i++)
		bits += __builtin_popcount(r->data[i]);
	assert_int_equal(bits, 1);
}

static void larger_packets_than_the_mtu_are_lost(void **state)
{
	(void)state;
	static const uint8_t data[101];
	struct testhost_wire *w = joined(&(struct testhost_wire_setup){.mtu = 100});
	testhost_send(a, 0, data, 100);
	testhost_send(a, 0, data, 101);
	testhost_run(host);
	assert_int_equal(testhost_waiting(b, 0, VPN_UP), 1);
	assert_int_equal(testhost_wire_stats(w, a).too_big, 1);
}

static void a_full_queue_overflows(void **state)
{
	(void)state;
	struct testhost_wire *w = joined(
		&(struct testhost_wire_setup){.delay_ns = 1000000, .queue = 10});
	for (int i = 0; i < 15; i++)
		testhost_send(a, 0, "x", 1);
	assert_int_equal(testhost_wire_stats(w, a).overflowed, 5);
	testhost_advance(host, 1000000);
	assert_int_equal(testhost_waiting(b, 0, VPN_UP), 10);
}

static void the_receiver_sees_where_a_packet_came_from(void **state)
{
	(void)state;
	struct vpn_endpoint moved = testhost_endpoint("[2001:db8::5]:55");
	struct testhost_wire *w = joined(NULL);
	testhost_send(b, 0, "x", 1);
	testhost_run(host);
	const struct testhost_record *r = testhost_next(a, 0, VPN_UP);
	struct vpn_endpoint first = testhost_endpoint("192.0.2.2:1002");
	const uint8_t own[4] = {192, 0, 2, 1};
	assert_memory_equal(r->endpoint.addr, first.addr, 16);
	assert_int_equal(r->endpoint.port, first.port);
	assert_memory_equal(r->endpoint.local, own, 4);
	testhost_wire_move(w, b, &moved);
	testhost_send(b, 0, "x", 1);
	testhost_run(host);
	r = testhost_next(a, 0, VPN_UP);
	assert_int_equal(r->endpoint.family, VPN_AF_INET6);
	assert_memory_equal(r->endpoint.addr, moved.addr, 16);
}

static uint32_t read_endpoint_later(struct vpn_lane *lane, struct vpn_packet **pkts, uint32_t n)
{
	static struct vpn_packet *late;
	if (late == NULL) {
		late = pkts[0];
		return n;
	}
	vpn_push(lane->up, &late, 1); /* its endpoint is gone */
	late = NULL;
	return vpn_push(lane->up, pkts, n);
}

static void an_endpoint_is_gone_when_the_push_has_returned(void **state)
{
	(void)state;
	moves.recv = read_endpoint_later;
	joined(NULL);
	testhost_send(a, 0, "x", 1);
	testhost_run(host);
	testhost_send(a, 0, "x", 1);
	testhost_run(host);
	expect_report("returned long ago");
}

static uint64_t run_and_hash(uint64_t seed)
{
	const struct testhost_wire_setup setup = {.delay_ns = 2000,
						  .jitter_ns = 5000,
						  .loss_ppm = 100000,
						  .duplicate_ppm = 100000,
						  .reorder_ppm = 100000,
						  .corrupt_ppm = 100000};
	uint64_t hash = 1;
	const struct testhost_record *r;
	testhost_free(host);
	host = testhost_new(seed);
	joined(&setup);
	send_numbers(300);
	testhost_advance(host, 10000000);
	while ((r = testhost_next(b, 0, VPN_UP)) != NULL)
		for (uint32_t i = 0; i < r->len; i++)
			hash = (hash ^ r->data[i] ^ r->at_ns) * UINT64_C(0x100000001b3);
	return hash;
}

static void equal_seeds_give_equal_runs(void **state)
{
	(void)state;
	uint64_t first = run_and_hash(5);
	assert_true(first == run_and_hash(5));
	assert_true(first != run_and_hash(6));
}

static void packets_to_a_stopped_stage_are_lost(void **state)
{
	(void)state;
	struct testhost_wire *w = joined(NULL);
	testhost_stop(b);
	testhost_send(a, 0, "x", 1);
	testhost_run(host);
	assert_int_equal(testhost_wire_stats(w, a).refused, 1);
	testhost_remove(b); /* the wire goes with it: packets of `a` are recorded again */
	testhost_send(a, 0, "x", 1);
	assert_int_equal(testhost_waiting(a, 0, VPN_DOWN), 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(a_plain_wire_keeps_number_and_order),
		TEST(delivers_after_the_delay_and_not_before),
		TEST(packets_of_one_moment_come_in_one_batch),
		TEST(loses_the_share_that_was_asked_for),
		TEST(loses_all_or_nothing_at_the_ends_of_the_scale),
		TEST(duplicates_come_out_twice),
		TEST(reordering_changes_order_and_loses_nothing),
		TEST(corruption_flips_one_bit),
		TEST(larger_packets_than_the_mtu_are_lost),
		TEST(a_full_queue_overflows),
		TEST(the_receiver_sees_where_a_packet_came_from),
		TEST(an_endpoint_is_gone_when_the_push_has_returned),
		TEST(equal_seeds_give_equal_runs),
		TEST(packets_to_a_stopped_stage_are_lost),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
