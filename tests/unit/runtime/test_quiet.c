/* SPDX-License-Identifier: BSD-2-Clause */
/* When memory is given back: seen by the pages of constants of this test. */
#include <poll.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

#include "fake.h"
#include "fault.h"
#include "present.h"
#include "quiet.h"

#define BYTES    65536u
#define AFTER_MS 5u
#define WAIT_NS  UINT64_C(10000000000)

static struct manifest manifest;
static struct graph graph;
static struct pipeline *pipeline;
static uv_loop_t loop;
static struct quiet quiet;
static const unsigned char *constants;

static void on_stirred(void *ctx)
{
	quiet_stir(ctx);
}

static int setup(void **state)
{
	const struct pipeline_events events = {.stirred = on_stirred, .ctx = &quiet};
	struct vpn_error err = VPN_ERROR_INIT;
	(void)state;
	assert_int_equal(uv_loop_init(&loop), 0);
	assert_int_equal(quiet_init(&quiet, &loop), 0);
	fake_reset();
	fake_graph(&manifest, &graph, 2, 1, NULL, NULL);
	pipeline = pipeline_new(&graph, &events, &err);
	assert_non_null(pipeline);
	assert_int_equal(pipeline_start(pipeline, &err), VPN_OK);
	constants = use_constants();
	return 0;
}

static void close_handle(uv_handle_t *handle, void *arg)
{
	(void)arg;
	uv_close(handle, NULL);
}

static int teardown(void **state)
{
	(void)state;
	pipeline = pipeline_free(pipeline, NULL);
	for (int i = 0; i < FAKE_LANES; i++)
		if (fake_log.outer[i] >= 0)
			close(fake_log.outer[i]);
	uv_walk(&loop, close_handle, NULL);
	uv_run(&loop, UV_RUN_DEFAULT);
	return uv_loop_close(&loop);
}

static void touch_constants(void)
{
	for (size_t i = 0; i < BYTES; i += 4096)
		assert_int_equal(((const volatile unsigned char *)constants)[i], 0x5a);
	assert_true(count_present(constants, BYTES) > 0);
}

/* Runs the loop until their pages are gone. */
static void wait_for_trim(void)
{
	uint64_t end = uv_hrtime() + WAIT_NS;
	while (count_present(constants, BYTES) != 0 && uv_hrtime() < end)
		uv_run(&loop, UV_RUN_ONCE); /* there is a timer or a lane that stirs */
	assert_int_equal(count_present(constants, BYTES), 0);
}

/* Through the pipeline and back. */
static void send_one(int lane)
{
	char got[16];
	struct pollfd p = {.fd = fake_log.outer[lane], .events = POLLIN};
	assert_int_equal(send(fake_log.outer[lane], "stir", 4, 0), 4);
	assert_int_equal(poll(&p, 1, 10000), 1);
	assert_int_equal(recv(fake_log.outer[lane], got, sizeof(got), 0), 4);
}

static void trims_when_it_begins_and_when_nothing_moves(void **state)
{
	(void)state;
	quiet_watch(&quiet, pipeline, AFTER_MS);
	assert_int_equal(count_present(constants, BYTES), 0);
	touch_constants();
	wait_for_trim();
	assert_false(uv_is_active((uv_handle_t *)&quiet.timer)); /* and does no more */
}

static void trims_again_after_a_lane_has_worked(void **state)
{
	(void)state;
	quiet_watch(&quiet, pipeline, AFTER_MS);
	touch_constants();
	wait_for_trim();
	for (int lane = 0; lane < 2; lane++) {
		touch_constants();
		send_one(lane);
		wait_for_trim();
	}
}

static void lanes_give_up_the_memory_of_their_packets(void **state)
{
	(void)state;
	quiet_watch(&quiet, pipeline, AFTER_MS);
	send_one(1);
	touch_constants();
	wait_for_trim();
	/* two timers have passed since, and the lane works on one thing after another */
	send_one(0);
	send_one(1);
	const struct pool_stack *s = &pipeline->lanes[1]->pool.stacks[VPN_POOL_TX];
	assert_true(s->n_made > 0);
	touch_constants();
	wait_for_trim();
	pipeline_stop(pipeline,
		      &(struct vpn_error)VPN_ERROR_INIT); /* from here on it can be read */
	assert_int_equal(pool_outstanding(&pipeline->lanes[1]->pool), 0);
	assert_int_equal(s->n_made, 0);
}

static void is_silent_when_it_has_ended(void **state)
{
	(void)state;
	quiet_watch(&quiet, pipeline, AFTER_MS);
	quiet_end(&quiet);
	touch_constants();
	send_one(0);
	uv_run(&loop, UV_RUN_NOWAIT);
	assert_false(uv_is_active((uv_handle_t *)&quiet.timer));
	assert_true(count_present(constants, BYTES) > 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(trims_when_it_begins_and_when_nothing_moves, setup,
						teardown),
		cmocka_unit_test_setup_teardown(trims_again_after_a_lane_has_worked, setup,
						teardown),
		cmocka_unit_test_setup_teardown(lanes_give_up_the_memory_of_their_packets, setup,
						teardown),
		cmocka_unit_test_setup_teardown(is_silent_when_it_has_ended, setup, teardown),
	};
	return cmocka_run_group_tests_name("quiet", tests, NULL, NULL);
}
