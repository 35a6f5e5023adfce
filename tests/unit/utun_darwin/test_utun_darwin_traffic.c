/* SPDX-License-Identifier: BSD-2-Clause */
/* Packets both ways: in batches and one by one, and what becomes of those that do not fit. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <errno.h>
#include <string.h>

#include "rig.h"
#include "utun_options.h"

static struct rig rig;
static struct utun_options options;
static uint8_t packet[2048];

static int setup(void **state)
{
	(void)state;
	model_reset();
	memset(&rig, 0, sizeof(rig));
	options = (struct utun_options){.common.name = "utun3", .common.up = 1, .fd = -1};
	return 0;
}

static void send_marked(uint32_t n)
{
	for (uint32_t i = 0; i < n; i++) {
		rig_packet(packet, 100 + i, i % 2 != 0 ? 6 : 4, (uint8_t)i);
		assert_true(model_send("utun3", packet, 100 + i));
	}
}

static void expect_marked(uint32_t n)
{
	assert_int_equal(rig.fake.n_captured, n);
	for (uint32_t i = 0; i < n; i++) {
		rig_packet(packet, 100 + i, i % 2 != 0 ? 6 : 4, (uint8_t)i);
		assert_int_equal(rig.fake.captured[i].len, 100 + i);
		assert_memory_equal(rig.fake.captured[i].data, packet, 100 + i);
	}
}

static const struct model_packet *received(uint32_t i)
{
	assert_true(i < model_find("utun3")->n_received);
	return &model_find("utun3")->received[i];
}

/* ---- down ---- */

static void reads_in_batches_without_the_header(void **state)
{
	(void)state;
	rig_must_start(&rig, &options, RIG_MTU);
	send_marked(200);
	rig_turn(&rig);
	expect_marked(200);
	assert_true(model.receive_calls <= 8);
	assert_true(rig.fake.pushes <= 8);
	rig_stop(&rig);
}

static void reads_one_by_one_when_told_or_without_the_calls(void **state)
{
	(void)state;
	for (int i = 0; i < 2; i++) {
		options.batch = i == 0 ? UTUN_BATCH_OFF : UTUN_BATCH_AUTO;
		model.has_recvmsg_x = i == 0;
		rig_must_start(&rig, &options, RIG_MTU);
		send_marked(70);
		rig_turn(&rig);
		expect_marked(70);
		assert_int_equal(model.receive_calls, 0);
		rig_stop(&rig);
	}
}

static void goes_on_singly_when_the_kernel_refuses_the_calls(void **state)
{
	static const int refusals[] = {ENOSYS, EINVAL, EOPNOTSUPP};
	(void)state;
	for (int i = 0; i < 3; i++) {
		model.batch_errno = refusals[i];
		model.receive_calls = model.send_calls = 0;
		options.batch = UTUN_BATCH_ON;
		rig_must_start(&rig, &options, RIG_MTU);
		send_marked(10);
		rig_turn(&rig);
		expect_marked(10);
		rig_packet(packet, 60, 4, 9);
		rig_up(&rig, packet, 60, 0, 5);
		rig_up(&rig, packet, 60, 0, 5);
		assert_int_equal(model_find("utun3")->n_received, 10);
		assert_int_equal(model.receive_calls, 1);
		assert_int_equal(model.send_calls, 1);
		assert_true(rig_logged(&rig, "refuses recvmsg_x()"));
		assert_true(rig_logged(&rig, "refuses sendmsg_x()"));
		rig_stop(&rig);
	}
}

static void fails_when_batches_are_demanded_and_not_there(void **state)
{
	(void)state;
	model.has_sendmsg_x = false;
	options.batch = UTUN_BATCH_ON;
	rig_must_refuse(&rig, &options, VPN_ENOTSUP, "/batch", "sendmsg_x");
	options.batch = UTUN_BATCH_READ;
	rig_must_start(&rig, &options, RIG_MTU);
	rig_stop(&rig);
	model.has_recvmsg_x = false;
	rig_must_refuse(&rig, &options, VPN_ENOTSUP, "/batch", "recvmsg_x");
}

static void drops_what_exceeds_the_stack(void **state)
{
	(void)state;
	for (int batch = 0; batch < 2; batch++) {
		options.batch = batch ? UTUN_BATCH_AUTO : UTUN_BATCH_OFF;
		rig_must_start(&rig, &options, 500);
		rig_packet(packet, 600, 4, 1);
		assert_true(model_send("utun3", packet, 500));
		assert_true(model_send("utun3", packet, 501));
		assert_true(model_send("utun3", packet, 600));
		assert_true(model_send("utun3", packet, 1600));
		assert_true(model_send("utun3", packet, 499));
		rig_turn(&rig);
		assert_int_equal(rig.fake.n_captured, 2);
		assert_int_equal(rig.fake.captured[0].len, 500);
		assert_int_equal(rig.fake.captured[1].len, 499);
		assert_int_equal(rig_count(&rig, "drop_too_big"), 3);
		rig_stop(&rig);
	}
}

static void marks_the_traffic_class(void **state)
{
	(void)state;
	rig_must_start(&rig, &options, RIG_MTU);
	rig_packet(packet, 60, 4, 0);
	packet[1] = 0xb9;
	assert_true(model_send("utun3", packet, 60));
	rig_packet(packet, 60, 6, 0);
	packet[0] = 0x6b;
	packet[1] = 0x80;
	assert_true(model_send("utun3", packet, 60));
	rig_turn(&rig);
	for (int i = 0; i < 2; i++) {
		assert_true((rig.fake.captured[i].flags & VPN_PACKET_HAS_CLASS) != 0);
		assert_int_equal(rig.fake.captured[i].flags >> 24, i == 0 ? 0xb9 : 0xb8);
	}
	rig_stop(&rig);
}

static void stops_reading_while_the_stage_below_is_full(void **state)
{
	const struct vpn_flow *flow = rig_component()->flow;
	(void)state;
	rig_must_start(&rig, &options, RIG_MTU);
	int fd = model_find("utun3")->owner;
	rig.fake.accept = 10;
	send_marked(50);
	rig_turn(&rig);
	assert_int_equal(rig.fake.n_captured, 10);
	assert_int_equal(fake_watched(&rig.fake, fd), 0);
	assert_int_equal(rig_count(&rig, "blocked"), 1);
	rig.fake.accept = 5; /* not enough for what is held: stays blocked */
	flow->writable(rig.inst, &rig.fake.lanes[0], VPN_DOWN);
	assert_int_equal(rig.fake.n_captured, 15);
	assert_int_equal(fake_watched(&rig.fake, fd), 0);
	rig.fake.accept = UINT32_MAX;
	flow->writable(rig.inst, &rig.fake.lanes[0], VPN_UP);
	assert_int_equal(rig.fake.n_captured, 15);
	flow->writable(rig.inst, &rig.fake.lanes[0], VPN_DOWN);
	rig_turn(&rig);
	expect_marked(50);
	rig_stop(&rig);
}

static void waits_for_an_empty_pool(void **state)
{
	const struct vpn_flow *flow = rig_component()->flow;
	(void)state;
	rig_must_start(&rig, &options, RIG_MTU);
	uint32_t pool = rig.fake.pool;
	rig.fake.pool = 0;
	send_marked(20);
	rig_turn(&rig);
	assert_int_equal(rig.fake.n_captured, 0);
	assert_int_equal(rig_count(&rig, "starved"), 1);
	assert_true(rig.fake.deadline[0] != 0);
	rig.fake.pool = pool;
	flow->timer(rig.inst, &rig.fake.lanes[0], rig.fake.deadline[0]);
	rig_turn(&rig);
	expect_marked(20);
	rig_stop(&rig);
}

static void gives_back_what_it_holds_when_it_is_stopped(void **state)
{
	(void)state;
	rig_must_start(&rig, &options, RIG_MTU);
	rig.fake.accept = 3;
	send_marked(50);
	rig_turn(&rig);
	assert_int_equal(rig.fake.n_captured, 3);
	rig_stop(&rig);
}

/* ---- up ---- */

static void writes_with_the_right_header(void **state)
{
	(void)state;
	for (int batch = 0; batch < 2; batch++) {
		options.batch = batch ? UTUN_BATCH_ON : UTUN_BATCH_AUTO;
		model.send_calls = 0;
		rig_must_start(&rig, &options, RIG_MTU);
		rig_packet(packet, 80, 4, 1);
		rig_up(&rig, packet, 80, 0, 100);
		rig_packet(packet, 90, 6, 2);
		rig_up(&rig, packet, 90, 0, 1);
		assert_int_equal(model_find("utun3")->n_received, 101);
		assert_int_equal(received(0)->len, 80);
		assert_int_equal(received(100)->len, 90);
		assert_memory_equal(received(100)->data, packet, 90);
		assert_int_equal(model.send_calls, batch ? 2 : 0); /* 64 and 36 */
		rig_stop(&rig);
	}
}

static void goes_on_after_a_batch_that_was_taken_in_part(void **state)
{
	(void)state;
	options.batch = UTUN_BATCH_ON;
	model.send_at_most = 7;
	rig_must_start(&rig, &options, RIG_MTU);
	rig_packet(packet, 80, 4, 1);
	rig_up(&rig, packet, 80, 0, 30);
	assert_int_equal(model_find("utun3")->n_received, 30);
	rig_stop(&rig);
}

static void counts_what_the_kernel_does_not_take(void **state)
{
	static const struct {
		int e;
		const char *counter;
	} cases[] = {{ENOBUFS, "drop_no_buffers"},
		     {EAGAIN, "drop_busy"},
		     {EMSGSIZE, "drop_refused"},
		     {ENETDOWN, "drop_down"}};
	(void)state;
	for (int i = 0; i < 4; i++) {
		rig_must_start(&rig, &options, RIG_MTU);
		model.write_errno = cases[i].e;
		rig_packet(packet, 80, 4, 1);
		rig_up(&rig, packet, 80, 0, 4);
		assert_int_equal(rig_count(&rig, cases[i].counter), 4);
		assert_false(rig.fake.failed);
		model.write_errno = 0;
		rig_stop(&rig);
	}
}

static void drops_what_is_no_ip_packet(void **state)
{
	(void)state;
	rig_must_start(&rig, &options, RIG_MTU);
	rig_packet(packet, 80, 4, 1);
	rig_up(&rig, packet, 19, 0, 1);
	packet[0] = 0x60;
	rig_up(&rig, packet, 39, 0, 1);
	packet[0] = 0x55;
	rig_up(&rig, packet, 80, 0, 1);
	rig_up(&rig, packet, 0, 0, 1);
	assert_int_equal(rig_count(&rig, "drop_malformed"), 4);
	assert_int_equal(model_find("utun3")->n_received, 0);
	rig_stop(&rig);
}

static void carries_congestion_marks_over(void **state)
{
	(void)state;
	rig_must_start(&rig, &options, RIG_MTU);
	rig_packet(packet, 80, 4, 0);
	packet[1] = 2; /* ECT(0) inside, CE outside */
	rig_up(&rig, packet, 80, VPN_PACKET_HAS_CLASS | 3u << 24, 1);
	assert_int_equal(received(0)->data[1] & 3, 3);
	packet[1] = 0; /* cannot bear it */
	rig_up(&rig, packet, 80, VPN_PACKET_HAS_CLASS | 3u << 24, 1);
	assert_int_equal(rig_count(&rig, "drop_ecn"), 1);
	rig_packet(packet, 80, 6, 0);
	packet[1] = 0x20;
	rig_up(&rig, packet, 80, VPN_PACKET_HAS_CLASS | 1u << 24, 1);
	assert_int_equal(received(1)->data[1], 0x10);
	rig_stop(&rig);
}

static void delivers_what_exceeds_our_mtu(void **state)
{
	(void)state;
	rig_must_start(&rig, &options, 500);
	rig_packet(packet, 900, 4, 1);
	rig_up(&rig, packet, 900, 0, 1);
	assert_int_equal(received(0)->len, 900);
	assert_int_equal(rig_count(&rig, "oversize"), 1);
	rig_stop(&rig);
}

/* ---- the end of a device ---- */

static void ends_the_pipeline_when_the_device_is_gone(void **state)
{
	(void)state;
	for (int i = 0; i < 4; i++) {
		options.batch = i % 2 != 0 ? UTUN_BATCH_OFF : UTUN_BATCH_AUTO;
		rig_must_start(&rig, &options, RIG_MTU);
		rig_packet(packet, 80, 4, 1);
		assert_true(model_send("utun3", packet, 80));
		model_find("utun3")->gone = i < 2;
		model.eof = i >= 2;
		rig_turn(&rig);
		assert_true(rig.fake.failed);
		assert_int_equal(rig.fake.failure.status, VPN_ECLOSED);
		assert_non_null(strstr(rig.fake.failure.text, "utun3"));
		rig_up(&rig, packet, 80, 0, 3);
		assert_int_equal(rig_count(&rig, "drop_down"), 3);
		model.eof = false;
		rig_stop(&rig);
	}
}

static void tries_again_after_a_read_that_fails_strangely(void **state)
{
	(void)state;
	for (int batch = 0; batch < 2; batch++) {
		options.batch = batch ? UTUN_BATCH_AUTO : UTUN_BATCH_OFF;
		rig_must_start(&rig, &options, RIG_MTU);
		send_marked(3);
		model.fail_at = model.calls + 1;
		model.fail_errno = EDEADLK;
		rig_turn(&rig);
		assert_false(rig.fake.failed);
		assert_int_equal(rig_count(&rig, "read_errors"), 1);
		assert_int_equal(rig.fake.n_captured, 0);
		rig_retry(&rig);
		expect_marked(3);
		rig_stop(&rig);
	}
}

static void ends_it_once_when_a_write_finds_out(void **state)
{
	(void)state;
	options.batch = UTUN_BATCH_ON;
	rig_must_start(&rig, &options, RIG_MTU);
	model_find("utun3")->gone = true;
	rig_packet(packet, 80, 4, 1);
	rig_up(&rig, packet, 80, 0, 10);
	assert_true(rig.fake.failed);
	assert_int_equal(rig_count(&rig, "drop_down"), 10);
	rig_stop(&rig);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(reads_in_batches_without_the_header, setup),
		cmocka_unit_test_setup(reads_one_by_one_when_told_or_without_the_calls, setup),
		cmocka_unit_test_setup(goes_on_singly_when_the_kernel_refuses_the_calls, setup),
		cmocka_unit_test_setup(fails_when_batches_are_demanded_and_not_there, setup),
		cmocka_unit_test_setup(drops_what_exceeds_the_stack, setup),
		cmocka_unit_test_setup(marks_the_traffic_class, setup),
		cmocka_unit_test_setup(stops_reading_while_the_stage_below_is_full, setup),
		cmocka_unit_test_setup(waits_for_an_empty_pool, setup),
		cmocka_unit_test_setup(gives_back_what_it_holds_when_it_is_stopped, setup),
		cmocka_unit_test_setup(writes_with_the_right_header, setup),
		cmocka_unit_test_setup(goes_on_after_a_batch_that_was_taken_in_part, setup),
		cmocka_unit_test_setup(counts_what_the_kernel_does_not_take, setup),
		cmocka_unit_test_setup(drops_what_is_no_ip_packet, setup),
		cmocka_unit_test_setup(carries_congestion_marks_over, setup),
		cmocka_unit_test_setup(delivers_what_exceeds_our_mtu, setup),
		cmocka_unit_test_setup(ends_the_pipeline_when_the_device_is_gone, setup),
		cmocka_unit_test_setup(tries_again_after_a_read_that_fails_strangely, setup),
		cmocka_unit_test_setup(ends_it_once_when_a_write_finds_out, setup),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
