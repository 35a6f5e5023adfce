/* SPDX-License-Identifier: BSD-2-Clause */
/* test_rules: the test host reports each broken rule of packets, pushes and states, and nothing
 * else. */
#include "puppet.h"

#include <string.h>
#include <unistd.h>

/* A loose packet that a move keeps for later. */
static struct vpn_packet *kept;

static void a_plain_stage_causes_no_report(void **state)
{
	(void)state;
	struct testhost_stage *s = running();
	assert_true(testhost_send(s, 0, "down", 4));
	assert_true(testhost_recv(s, 0, "up", 2, NULL));
	assert_int_equal(testhost_next(s, 0, VPN_DOWN)->len, 4);
	assert_memory_equal(testhost_next(s, 0, VPN_UP)->data, "up", 2);
	assert_null(testhost_next(s, 0, VPN_UP));
	assert_int_equal(reports, 0);
}

static uint32_t release_twice(struct vpn_lane *lane, struct vpn_packet **pkts, uint32_t n)
{
	struct vpn_packet *p = pkts[0];
	services->release(lane, &p, 1);
	services->release(lane, &p, 1);
	return n;
}

static void reports_a_packet_released_twice(void **state)
{
	(void)state;
	moves.send = release_twice;
	testhost_send(running(), 0, "x", 1);
	expect_report("pushed or released before");
}

static uint32_t push_then_release(struct vpn_lane *lane, struct vpn_packet **pkts, uint32_t n)
{
	struct vpn_packet *p = pkts[0];
	vpn_push(lane->down, pkts, n);
	services->release(lane, &p, 1);
	return n;
}

static void reports_a_packet_released_after_its_push(void **state)
{
	(void)state;
	moves.send = push_then_release;
	testhost_send(running(), 0, "x", 1);
	expect_report("pushed or released before");
}

static uint32_t push_one_twice(struct vpn_lane *lane, struct vpn_packet **pkts, uint32_t n)
{
	struct vpn_packet *two[2] = {pkts[0], pkts[0]};
	(void)n;
	return vpn_push(lane->down, two, 2) != 0;
}

static void reports_a_packet_that_stands_twice_in_a_batch(void **state)
{
	(void)state;
	moves.send = push_one_twice;
	struct testhost_stage *s = running();
	testhost_send(s, 0, "x", 1);
	expect_report("stands twice");
	assert_int_equal(testhost_waiting(s, 0, VPN_DOWN), 1);
}

static uint32_t keep_one(struct vpn_lane *lane, struct vpn_packet **pkts, uint32_t n)
{
	(void)lane;
	kept = pkts[0];
	return n;
}

static void reports_packets_held_after_stop(void **state)
{
	(void)state;
	moves.recv = keep_one;
	struct testhost_stage *s = running();
	testhost_recv(s, 0, "x", 1, NULL);
	assert_int_equal(reports, 0); /* keeping is allowed while it runs */
	testhost_stop(s);
	expect_report("1 packets are still held");
}

static void reports_what_the_test_itself_leaks(void **state)
{
	(void)state;
	struct testhost_stage *s = running();
	testhost_packet(s, 0, VPN_DOWN, "x", 1);
	testhost_remove(s);
	expect_report("the test still owns 1 packets");
}

static uint32_t write_in_front(struct vpn_lane *lane, struct vpn_packet **pkts, uint32_t n)
{
	uint32_t off = pkts[0]->off;
	pkts[0]->off -= 4; /* needs() has asked for 3: wraps around */
	uint32_t taken = vpn_push(lane->down, pkts, n);
	if (taken == 0)
		pkts[0]->off = off;
	return taken;
}

static void reports_more_headroom_used_than_asked_for(void **state)
{
	(void)state;
	moves.needs.headroom = 3;
	moves.send = write_in_front;
	assert_false(testhost_send(running(), 0, "data", 4));
	expect_report("go beyond");
}

static uint32_t grow_behind(struct vpn_lane *lane, struct vpn_packet **pkts, uint32_t n)
{
	pkts[0]->len += 17;
	uint32_t taken = vpn_push(lane->down, pkts, n);
	if (taken == 0)
		pkts[0]->len -= 17;
	return taken;
}

static void gives_exactly_the_tailroom_that_was_asked_for(void **state)
{
	(void)state;
	moves.send = grow_behind;
	moves.needs.tailroom = 17;
	assert_true(testhost_send(running(), 0, "data", 4));
	assert_int_equal(reports, 0);
	moves.needs.tailroom = 16;
	assert_false(testhost_send(running(), 0, "data", 4));
	expect_report("go beyond");
}

static uint32_t change_buf(struct vpn_lane *lane, struct vpn_packet **pkts, uint32_t n)
{
	pkts[0]->cap++;
	return vpn_push(lane->down, pkts, n);
}

static void reports_a_changed_storage(void **state)
{
	(void)state;
	moves.send = change_buf;
	testhost_send(running(), 0, "data", 4);
	expect_report("buf, cap or host_private");
}

static uint32_t change_and_refuse(struct vpn_lane *lane, struct vpn_packet **pkts, uint32_t n)
{
	(void)lane;
	(void)n;
	vpn_packet_data(pkts[0])[0] ^= 1;
	return 0;
}

static void reports_a_refused_packet_that_was_changed(void **state)
{
	(void)state;
	moves.send = change_and_refuse;
	assert_false(testhost_send(running(), 0, "data", 4));
	expect_report("not taken has been changed");
}

static uint32_t push_and_refuse(struct vpn_lane *lane, struct vpn_packet **pkts, uint32_t n)
{
	struct vpn_packet *p = pkts[n - 1];
	vpn_push(lane->down, &p, 1);
	return 0;
}

static void reports_a_refused_packet_that_was_pushed(void **state)
{
	(void)state;
	moves.send = push_and_refuse;
	struct testhost_stage *s = running();
	struct vpn_packet *p = testhost_packet(s, 0, VPN_DOWN, "data", 4);
	assert_int_equal(testhost_offer(s, 0, VPN_DOWN, &p, 1), 0);
	expect_report("has been pushed or released");
}

static uint32_t take_too_many(struct vpn_lane *lane, struct vpn_packet **pkts, uint32_t n)
{
	return vpn_push(lane->down, pkts, n) + 1;
}

static void reports_more_taken_than_offered(void **state)
{
	(void)state;
	moves.send = take_too_many;
	testhost_send(running(), 0, "data", 4);
	expect_report("took 2 of 1");
}

static uint32_t push_nothing(struct vpn_lane *lane, struct vpn_packet **pkts, uint32_t n)
{
	vpn_push(lane->down, pkts, 0);
	return vpn_push(lane->down, pkts, n);
}

static void reports_an_empty_push(void **state)
{
	(void)state;
	moves.send = push_nothing;
	testhost_send(running(), 0, "data", 4);
	expect_report("0 packets");
}

static uint32_t push_foreign(struct vpn_lane *lane, struct vpn_packet **pkts, uint32_t n)
{
	static struct vpn_packet own;
	struct vpn_packet *p = &own;
	vpn_push(lane->down, &p, 1);
	return vpn_push(lane->down, pkts, n);
}

static void reports_a_pointer_that_is_no_packet(void **state)
{
	(void)state;
	moves.send = push_foreign;
	testhost_send(running(), 0, "data", 4);
	expect_report("no packet of this host");
}

static uint32_t swap_lanes(struct vpn_lane *lane, struct vpn_packet **pkts, uint32_t n)
{
	if (lane->index == 0) {
		kept = pkts[0];
		return n;
	}
	vpn_push(lane->down, &kept, 1);
	return vpn_push(lane->down, pkts, n);
}

static void reports_a_packet_on_another_lane(void **state)
{
	(void)state;
	moves.send = swap_lanes;
	moves.needs.flags = VPN_LANE_AWARE;
	struct testhost_stage *s = testhost_add(host, &puppet,
						&(struct testhost_setup){.n_lanes = 2}, NULL);
	testhost_start(s, NULL);
	testhost_send(s, 0, "data", 4);
	testhost_send(s, 1, "data", 4);
	expect_report("a packet of lane 0 on lane 1");
	testhost_stop(s);
	expect_report("still held");
}

static void reports_lanes_for_a_component_that_is_not_aware(void **state)
{
	(void)state;
	testhost_add(host, &puppet, &(struct testhost_setup){.n_lanes = 2}, NULL);
	expect_report("not lane-aware");
}

static vpn_status alloc_in_start(struct vpn_lane *const *lanes, struct vpn_error *err)
{
	struct vpn_packet *p;
	(void)err;
	services->alloc(lanes[0], VPN_POOL_TX, &p, 1);
	services->release(lanes[0], &p, 1);
	return VPN_OK;
}

static void reports_services_that_are_not_legal_in_a_state(void **state)
{
	(void)state;
	moves.start = alloc_in_start;
	running();
	expect_report("alloc() is called in a state");
}

static int fds[2];

static vpn_status watch_in_start(struct vpn_lane *const *lanes, struct vpn_error *err)
{
	(void)err;
	return services->watch(lanes[0], fds[0], VPN_POLLIN, 5);
}

static void reports_a_watch_that_outlives_stop(void **state)
{
	(void)state;
	assert_int_equal(pipe(fds), 0);
	moves.start = watch_in_start;
	testhost_stop(running());
	expect_report("still watched after stop()");
	close(fds[0]);
	close(fds[1]);
}

static vpn_status fail_silently(struct vpn_lane *const *lanes, struct vpn_error *err)
{
	(void)lanes;
	(void)err;
	return VPN_EIO;
}

static void reports_a_failure_without_a_reason(void **state)
{
	(void)state;
	moves.start = fail_silently;
	struct testhost_stage *s = testhost_add(host, &puppet, NULL, NULL);
	assert_int_equal(testhost_start(s, NULL), VPN_EIO);
	expect_report("without saying so");
}

static uint32_t write_lane(struct vpn_lane *lane, struct vpn_packet **pkts, uint32_t n)
{
	lane->user = &kept; /* allowed */
	uint32_t taken = vpn_push(lane->down, pkts, n);
	lane->max_batch = 1;
	return taken;
}

static void reports_a_lane_that_was_written_to(void **state)
{
	(void)state;
	moves.send = write_lane;
	struct testhost_stage *s = running();
	testhost_send(s, 0, "data", 4);
	expect_report("other than user");
	assert_ptr_equal(testhost_lane(s, 0)->user, &kept);
	assert_int_equal(testhost_lane(s, 0)->max_batch, 64);
}

static void again_at_once(struct vpn_lane *lane, uint64_t now_ns)
{
	services->arm(lane, now_ns);
}

static vpn_status arm_in_start(struct vpn_lane *const *lanes, struct vpn_error *err)
{
	(void)err;
	services->arm(lanes[0], lanes[0]->now_ns + 1);
	return VPN_OK;
}

static void reports_a_timer_that_spins(void **state)
{
	(void)state;
	moves.start = arm_in_start;
	moves.timer = again_at_once;
	running();
	testhost_advance(host, 10);
	expect_reports("does not come to rest");
}

static void differing_bytes_are_shown(void **state)
{
	(void)state;
	assert_true(TESTHOST_SAME_BYTES("abc", 3, "abc", 3));
	assert_true(TESTHOST_SAME_BYTES(NULL, 0, NULL, 0));
	assert_int_equal(reports, 0);
	assert_false(TESTHOST_SAME_BYTES("abd", 3, "abc", 3));
	expect_report("61 62 64");
	assert_false(TESTHOST_SAME_BYTES("abc", 2, "abc", 3));
	expect_report("got 2, want 3");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(a_plain_stage_causes_no_report),
		TEST(reports_a_packet_released_twice),
		TEST(reports_a_packet_released_after_its_push),
		TEST(reports_a_packet_that_stands_twice_in_a_batch),
		TEST(reports_packets_held_after_stop),
		TEST(reports_what_the_test_itself_leaks),
		TEST(reports_more_headroom_used_than_asked_for),
		TEST(gives_exactly_the_tailroom_that_was_asked_for),
		TEST(reports_a_changed_storage),
		TEST(reports_a_refused_packet_that_was_changed),
		TEST(reports_a_refused_packet_that_was_pushed),
		TEST(reports_more_taken_than_offered),
		TEST(reports_an_empty_push),
		TEST(reports_a_pointer_that_is_no_packet),
		TEST(reports_a_packet_on_another_lane),
		TEST(reports_lanes_for_a_component_that_is_not_aware),
		TEST(reports_services_that_are_not_legal_in_a_state),
		TEST(reports_a_watch_that_outlives_stop),
		TEST(reports_a_failure_without_a_reason),
		TEST(reports_a_lane_that_was_written_to),
		TEST(reports_a_timer_that_spins),
		TEST(differing_bytes_are_shown),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
