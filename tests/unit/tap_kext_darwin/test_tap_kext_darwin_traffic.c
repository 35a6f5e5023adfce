/* SPDX-License-Identifier: BSD-2-Clause */
/* Frames both ways, by kevent and by the thread in select(). */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <errno.h>
#include <string.h>

#include "rig.h"
#include "tap_options.h"

#define ETHERNET_MTU (RIG_MTU + DARWIN_ETHERNET_ROOM)

static struct rig rig;
static struct tap_options options;
static uint8_t frame[2048];

static int setup(void **state)
{
	(void)state;
	model_reset();
	memset(&rig, 0, sizeof(rig));
	model.loaded[0] = "net.tunnelblick.tap";
	options = (struct tap_options){.common.name = "tap4", .common.up = 1};
	return 0;
}

/* 0: kevent, 1: select, 2: select because kevent is refused */
static void choose(int way)
{
	static const uint32_t readiness[] = {TAP_READY_KEVENT, TAP_READY_SELECT, TAP_READY_AUTO};
	options.readiness = readiness[way];
	model.kqueue_refuses = way == 2;
}

static void make_frame(uint32_t len, uint8_t mark)
{
	memset(frame, mark, len);
	frame[12] = 0x08;
	frame[13] = 0x06;
}

static void send_frames(uint32_t n)
{
	for (uint32_t i = 0; i < n; i++) {
		make_frame(60 + i, (uint8_t)i);
		assert_true(model_send("tap4", frame, 60 + i));
	}
}

static void expect_frames(uint32_t first, uint32_t n)
{
	for (uint32_t i = 0; i < n; i++) {
		make_frame(60 + i, (uint8_t)i);
		assert_int_equal(rig.fake.captured[first + i].len, 60 + i);
		assert_memory_equal(rig.fake.captured[first + i].data, frame, 60 + i);
	}
}

static void reads_frames_however_it_waits(void **state)
{
	(void)state;
	for (int way = 0; way < 3; way++) {
		choose(way);
		rig_must_start(&rig, &options, ETHERNET_MTU);
		assert_true(rig_logged(&rig, way == 0 ? "waits by kevent" : "waits by select"));
		for (uint32_t turn = 0; turn < 5; turn++) {
			send_frames(90);
			rig_until_captured(&rig, (turn + 1) * 90);
			expect_frames(turn * 90, 90);
		}
		rig_stop(&rig);
	}
}

static void comes_to_rest_when_nothing_is_there(void **state)
{
	(void)state;
	choose(0);
	rig_must_start(&rig, &options, ETHERNET_MTU);
	send_frames(3);
	rig_turn(&rig); /* fails when it goes on for ever */
	uint32_t reads = model.read_calls;
	rig_turn(&rig);
	assert_int_equal(model.read_calls, reads);
	rig_stop(&rig);
}

static void fails_when_kevent_is_demanded_and_refused(void **state)
{
	(void)state;
	model.kqueue_refuses = true;
	options.readiness = TAP_READY_KEVENT;
	rig_must_refuse(&rig, &options, VPN_ENOTSUP, "/readiness", "auto");
}

static void waits_by_select_when_the_host_cannot_watch_a_kqueue(void **state)
{
	(void)state;
	rig.refuses_queue = true;
	rig_must_start(&rig, &options, ETHERNET_MTU);
	assert_true(rig_logged(&rig, "waits by select"));
	send_frames(20);
	rig_until_captured(&rig, 20);
	rig_stop(&rig);
	options.readiness = TAP_READY_KEVENT;
	rig_must_refuse(&rig, &options, VPN_ENOTSUP, "/readiness", "auto");
}

static void stops_reading_while_the_stage_below_is_full(void **state)
{
	const struct vpn_flow *flow = rig_component()->flow;
	(void)state;
	for (int way = 0; way < 2; way++) {
		choose(way);
		rig_must_start(&rig, &options, ETHERNET_MTU);
		rig.fake.accept = 10;
		send_frames(50);
		rig_until_captured(&rig, 10);
		rig_turn(&rig);
		assert_int_equal(rig.fake.n_captured, 10);
		rig.fake.accept = UINT32_MAX;
		flow->writable(rig.inst, &rig.fake.lanes[0], VPN_DOWN);
		rig_until_captured(&rig, 50);
		expect_frames(0, 50);
		send_frames(20);
		rig_until_captured(&rig, 70);
		rig_stop(&rig);
	}
}

static void waits_while_the_device_is_down(void **state)
{
	const struct vpn_flow *flow = rig_component()->flow;
	(void)state;
	for (int way = 0; way < 2; way++) {
		choose(way);
		rig_must_start(&rig, &options, ETHERNET_MTU);
		send_frames(5);
		model_set_up("tap4", false); /* with frames left: the kernel says EIO now */
		rig_until_paused(&rig);
		assert_true(rig.fake.deadline[0] != 0);
		assert_false(rig.fake.failed);
		assert_true(fake_saw_event(&rig.fake, VPN_EVENT_LINK_DOWN));
		make_frame(60, 1);
		rig_up(&rig, frame, 60, 0, 2);
		assert_int_equal(rig_count(&rig, "drop_down"), 2);
		model_set_up("tap4", true);
		rig_turn(&rig);
		flow->timer(rig.inst, &rig.fake.lanes[0], rig.fake.deadline[0]);
		rig_until_captured(&rig, 5);
		rig_stop(&rig);
	}
}

static void drops_what_exceeds_the_stack(void **state)
{
	(void)state;
	rig_must_start(&rig, &options, 500);
	make_frame(600, 7);
	assert_true(model_send("tap4", frame, 500));
	assert_true(model_send("tap4", frame, 501));
	assert_true(model_send("tap4", frame, 600));
	assert_true(model_send("tap4", frame, 60));
	rig_turn(&rig);
	assert_int_equal(rig.fake.n_captured, 2);
	assert_int_equal(rig_count(&rig, "drop_too_big"), 2);
	rig_stop(&rig);
}

static void writes_frames_whole_or_not_at_all(void **state)
{
	(void)state;
	options.common.mtu = 1000;
	rig_must_start(&rig, &options, 1000 + DARWIN_ETHERNET_ROOM);
	make_frame(1100, 7);
	rig_up(&rig, frame, 1014, 0, 2);
	rig_up(&rig, frame, 1015, 0, 3); /* the kernel would cut one byte off */
	rig_up(&rig, frame, 13, 0, 1);
	struct model_interface *f = model_find("tap4");
	assert_int_equal(f->n_received, 2);
	assert_int_equal(f->received[0].len, 1014);
	assert_memory_equal(f->received[0].data, frame, 1014);
	assert_int_equal(rig_count(&rig, "drop_oversize"), 3);
	assert_int_equal(rig_count(&rig, "drop_malformed"), 1);
	rig_stop(&rig);
}

static void counts_what_the_kernel_does_not_take(void **state)
{
	(void)state;
	rig_must_start(&rig, &options, ETHERNET_MTU);
	make_frame(60, 7);
	model.write_errno = ENOMEM;
	rig_up(&rig, frame, 60, 0, 2);
	assert_int_equal(rig_count(&rig, "drop_no_buffers"), 2);
	model.write_errno = EIO;
	rig_up(&rig, frame, 60, 0, 2);
	assert_int_equal(rig_count(&rig, "drop_down"), 2);
	assert_false(rig.fake.failed);
	model.write_errno = 0;
	rig_stop(&rig);
}

static void ends_the_pipeline_when_the_device_is_gone(void **state)
{
	(void)state;
	for (int way = 0; way < 2; way++) {
		choose(way);
		rig_must_start(&rig, &options, ETHERNET_MTU);
		send_frames(1);
		model_find("tap4")->gone = true;
		rig_until_failed(&rig);
		assert_int_equal(rig.fake.failure.status, VPN_ECLOSED);
		rig_stop(&rig);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(reads_frames_however_it_waits, setup),
		cmocka_unit_test_setup(comes_to_rest_when_nothing_is_there, setup),
		cmocka_unit_test_setup(fails_when_kevent_is_demanded_and_refused, setup),
		cmocka_unit_test_setup(waits_by_select_when_the_host_cannot_watch_a_kqueue, setup),
		cmocka_unit_test_setup(stops_reading_while_the_stage_below_is_full, setup),
		cmocka_unit_test_setup(waits_while_the_device_is_down, setup),
		cmocka_unit_test_setup(drops_what_exceeds_the_stack, setup),
		cmocka_unit_test_setup(writes_frames_whole_or_not_at_all, setup),
		cmocka_unit_test_setup(counts_what_the_kernel_does_not_take, setup),
		cmocka_unit_test_setup(ends_the_pipeline_when_the_device_is_gone, setup),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
