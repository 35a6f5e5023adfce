/* SPDX-License-Identifier: BSD-2-Clause */
/* The lane's services under a real loop and thread, through a pipeline of fake components. */
#include <poll.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

#include "fake.h"
#include "fault.h"
#include "pipeline.h"

#define WAIT_MS 10000

static struct manifest manifest;
static struct graph graph;
static struct pipeline *pipeline;

static void up(uint32_t lanes, int middle)
{
	struct vpn_error err = VPN_ERROR_INIT;
	fake_reset();
	fake_graph(&manifest, &graph, lanes, middle, NULL, NULL);
	pipeline = pipeline_new(&graph, NULL, &err);
	assert_non_null(pipeline);
}

static void run(void)
{
	struct vpn_error err = VPN_ERROR_INIT;
	assert_int_equal(pipeline_start(pipeline, &err), VPN_OK);
}

static int teardown(void **state)
{
	(void)state;
	pipeline = pipeline_free(pipeline, NULL);
	for (int i = 0; i < FAKE_LANES; i++)
		if (fake_log.outer[i] >= 0)
			close(fake_log.outer[i]);
	return fake_log.created == fake_log.destroyed ? 0 : -1;
}

static void wait_for(atomic_int *counter, int at_least)
{
	for (int ms = 0; ms < WAIT_MS && *counter < at_least; ms++)
		nanosleep(&(struct timespec){.tv_nsec = 1000000}, NULL);
	assert_true(*counter >= at_least);
}

static void expect_back(int fd, const char *text)
{
	char got[2000];
	struct pollfd p = {.fd = fd, .events = POLLIN};
	assert_int_equal(poll(&p, 1, WAIT_MS), 1);
	ssize_t n = recv(fd, got, sizeof(got), 0);
	assert_int_equal(n, strlen(text));
	assert_memory_equal(got, text, (size_t)n);
}

static void packets_go_down_and_come_back_in_order(void **state)
{
	char text[48];
	(void)state;
	up(1, 1);
	run();
	for (int round = 0; round < 50; round++) {
		for (int i = 0; i < 30; i++) {
			snprintf(text, sizeof(text), "packet %d of %d", i, round);
			assert_int_equal(send(fake_log.outer[0], text, strlen(text), 0),
					 strlen(text));
		}
		for (int i = 0; i < 30; i++) {
			snprintf(text, sizeof(text), "packet %d of %d", i, round);
			expect_back(fake_log.outer[0], text);
		}
	}
}

static void lanes_carry_their_own_packets(void **state)
{
	char text[48];
	(void)state;
	up(FAKE_LANES, 1);
	run();
	for (int i = 0; i < 200; i++) {
		snprintf(text, sizeof(text), "lane %d", i % FAKE_LANES);
		assert_int_equal(send(fake_log.outer[i % FAKE_LANES], text, strlen(text), 0),
				 strlen(text));
	}
	for (int i = 0; i < 200; i++) {
		snprintf(text, sizeof(text), "lane %d", i % FAKE_LANES);
		expect_back(fake_log.outer[i % FAKE_LANES], text);
	}
}

static void what_was_not_taken_goes_when_the_stage_is_writable(void **state)
{
	(void)state;
	up(1, 1);
	fake_log.take_limit = 1;
	run();
	for (int i = 0; i < 6; i++)
		assert_int_equal(send(fake_log.outer[0], "x", 1, 0), 1);
	for (int i = 0; i < 6; i++)
		expect_back(fake_log.outer[0], "x");
	/* unless each came alone, the bottom refused some, and took them after its timer */
	if (fake_log.timers != 0)
		wait_for(&fake_log.writables, 1);
}

static void nothing_moves_while_the_bottom_takes_nothing(void **state)
{
	(void)state;
	up(1, 0);
	fake_log.take_limit = 0;
	run();
	assert_int_equal(send(fake_log.outer[0], "late", 4, 0), 4);
	expect_back(fake_log.outer[0], "late"); /* after the timer has opened it */
	assert_true(fake_log.timers >= 1);
	assert_true(fake_log.writables >= 1);
}

static void a_deadline_fires_once(void **state)
{
	(void)state;
	up(1, 0);
	struct vpn_lane *lane = pipeline->instances[0].lanes[0];
	fake_log.device_host->arm(lane,
				  fake_log.device_host->now_ns(fake_log.device_host) + 2000000);
	run();
	wait_for(&fake_log.timers, 1);
	nanosleep(&(struct timespec){.tv_nsec = 20000000}, NULL);
	assert_int_equal(fake_log.timers, 1);
}

static void a_deadline_in_the_past_fires(void **state)
{
	(void)state;
	up(1, 0);
	fake_log.device_host->arm(pipeline->instances[0].lanes[0], 1);
	run();
	wait_for(&fake_log.timers, 1);
}

static void a_removed_deadline_does_not_fire(void **state)
{
	(void)state;
	up(1, 0);
	struct vpn_lane *lane = pipeline->instances[0].lanes[0];
	fake_log.device_host->arm(lane, 1);
	fake_log.device_host->arm(lane, 0);
	run();
	fake_log.device_host->wake(fake_log.device_host, 0);
	wait_for(&fake_log.wakes, 1); /* the loop has turned */
	assert_int_equal(fake_log.timers, 0);
}

/* Between the event and the call for it a deadline comes, and it was the only call to make. */
static void a_timer_may_end_the_watch_that_is_next(void **state)
{
	int pair[2];
	(void)state;
	assert_int_equal(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_NONBLOCK, 0, pair), 0);
	assert_int_equal(send(pair[1], "x", 1, 0), 1);
	up(1, 0);
	struct vpn_lane *lane = pipeline->instances[0].lanes[0];
	fake_log.unwatched = pair[0];
	assert_int_equal(fake_log.device_host->watch(lane, pair[0], VPN_POLLIN, 0), VPN_OK);
	fake_log.device_host->arm(lane, 1);
	run();
	wait_for(&fake_log.timers, 1);
	assert_int_equal(send(fake_log.outer[0], "x", 1, 0), 1);
	expect_back(fake_log.outer[0], "x");
	close(pair[0]);
	close(pair[1]);
}

static void wake_reaches_the_lane_from_any_thread(void **state)
{
	(void)state;
	up(2, 0);
	run();
	fake_log.device_host->wake(fake_log.device_host, 1);
	wait_for(&fake_log.wakes, 1);
	fake_log.device_host->wake(fake_log.device_host, 0);
	wait_for(&fake_log.wakes, 2);
	fake_log.device_host->wake(fake_log.device_host, 7); /* no such lane: nothing happens */
}

static void literals_resolve_and_nonsense_does_not(void **state)
{
	(void)state;
	up(1, 0);
	struct vpn_lane *lane = pipeline->instances[0].lanes[0];
	assert_int_equal(fake_log.device_host->resolve(lane, "127.0.0.1", 9, 0, 42), VPN_OK);
	assert_int_equal(fake_log.device_host->resolve(lane, "127.0.0.1", 9, VPN_AF_INET, 42),
			 VPN_OK);
	assert_int_equal(fake_log.device_host->resolve(lane, "not a name", 9, 0, 42), VPN_OK);
	run();
	wait_for(&fake_log.resolved, 2);
	wait_for(&fake_log.resolve_failed, 1);
	assert_int_equal(fake_log.resolved, 2);
}

static void who_cannot_hear_the_answer_may_not_ask(void **state)
{
	(void)state;
	up(1, 0);
	struct vpn_lane *lane = pipeline->instances[1].lanes[0];
	assert_int_equal(fake_log.bottom_host->resolve(lane, "127.0.0.1", 9, 0, 42), VPN_EINVAL);
}

static void a_stop_does_not_wait_for_the_resolver(void **state)
{
	(void)state;
	up(1, 0);
	struct vpn_lane *lane = pipeline->instances[0].lanes[0];
	assert_int_equal(fake_log.device_host->resolve(lane, "localhost", 9, 0, 42), VPN_OK);
	/* no thread runs the loop: whatever the resolver has found, nobody is called */
	bool left = false;
	pipeline = pipeline_free(pipeline, &left);
	assert_int_equal(fake_log.resolved + fake_log.resolve_failed, 0);
}

static void watch_refuses_what_is_no_descriptor(void **state)
{
	(void)state;
	up(1, 0);
	struct vpn_lane *lane = pipeline->instances[0].lanes[0];
	assert_int_equal(fake_log.device_host->watch(lane, -1, VPN_POLLIN, 0), VPN_EINVAL);
	assert_int_equal(fake_log.device_host->watch(lane, 9999, VPN_POLLIN, 0), VPN_EIO);
	assert_int_equal(fake_log.device_host->watch(lane, 9999, 0, 0), VPN_OK);
}

static void count_stir(void *ctx)
{
	atomic_fetch_add((atomic_int *)ctx, 1);
}

/* Asks until the lanes have done nothing between two questions. */
static void wait_for_quiet(void)
{
	for (int ms = 0; ms < WAIT_MS && !pipeline_quiet(pipeline); ms++)
		nanosleep(&(struct timespec){.tv_nsec = 1000000}, NULL);
}

static void echo_one(void)
{
	assert_int_equal(send(fake_log.outer[0], "x", 1, 0), 1);
	expect_back(fake_log.outer[0], "x");
}

static void tells_once_that_a_quiet_lane_stirs(void **state)
{
	static atomic_int stirred;
	const struct pipeline_events events = {.stirred = count_stir, .ctx = &stirred};
	struct vpn_error err = VPN_ERROR_INIT;
	(void)state;
	stirred = 0;
	fake_reset();
	fake_graph(&manifest, &graph, 1, 1, NULL, NULL);
	pipeline = pipeline_new(&graph, &events, &err);
	assert_non_null(pipeline);
	run();
	wait_for_quiet();
	assert_true(pipeline_quiet(pipeline));
	for (int round = 1; round <= 3; round++) {
		int before = stirred;
		/* what comes within a turn that has begun before the question stirs nothing */
		for (int i = 0; i < WAIT_MS && stirred == before; i++)
			echo_one();
		for (int i = 0; i < 3; i++)
			echo_one();
		assert_int_equal(stirred, before + 1);
		assert_false(pipeline_quiet(pipeline));
		wait_for_quiet();
		assert_true(pipeline_quiet(pipeline));
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_teardown(packets_go_down_and_come_back_in_order, teardown),
		cmocka_unit_test_teardown(lanes_carry_their_own_packets, teardown),
		cmocka_unit_test_teardown(what_was_not_taken_goes_when_the_stage_is_writable,
					  teardown),
		cmocka_unit_test_teardown(nothing_moves_while_the_bottom_takes_nothing, teardown),
		cmocka_unit_test_teardown(a_deadline_fires_once, teardown),
		cmocka_unit_test_teardown(a_deadline_in_the_past_fires, teardown),
		cmocka_unit_test_teardown(a_removed_deadline_does_not_fire, teardown),
		cmocka_unit_test_teardown(a_timer_may_end_the_watch_that_is_next, teardown),
		cmocka_unit_test_teardown(wake_reaches_the_lane_from_any_thread, teardown),
		cmocka_unit_test_teardown(literals_resolve_and_nonsense_does_not, teardown),
		cmocka_unit_test_teardown(who_cannot_hear_the_answer_may_not_ask, teardown),
		cmocka_unit_test_teardown(a_stop_does_not_wait_for_the_resolver, teardown),
		cmocka_unit_test_teardown(watch_refuses_what_is_no_descriptor, teardown),
		cmocka_unit_test_teardown(tells_once_that_a_quiet_lane_stirs, teardown),
	};
	return cmocka_run_group_tests_name("lane", tests, NULL, NULL);
}
