/* SPDX-License-Identifier: BSD-2-Clause */
/* The data path. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <vpncore/tcpip.h>

#include "rig.h"

static struct rig rig;

static void run(enum model_os os, enum bsd_layer_kind layer)
{
	model_boot(os);
	rig_init(&rig, layer);
	rig_add_address(&rig, "10.78.0.1/24");
	rig_must_start(&rig);
}

static void end(void)
{
	rig_stop(&rig);
	rig_check_clean();
}

static uint32_t af_inet6(enum model_os os)
{
	return os == MODEL_FREEBSD || os == MODEL_DRAGONFLY ? 28 : 24;
}

static uint32_t frame(uint8_t *p, uint32_t len)
{
	memset(p, 0xff, 6);
	memset(p + 6, 2, 6);
	tcpip_store_be16(p + 12, TCPIP_ETHERTYPE_IPV4);
	rig_packet(p + TCPIP_ETH_LEN, 4, len - TCPIP_ETH_LEN);
	return len;
}

static void packets_go_down_without_their_head(void **state)
{
	uint8_t p4[RIG_MTU], p6[100];
	(void)state;
	for (enum model_os os = 0; os < MODEL_SYSTEMS; os++) {
		run(os, BSD_IP);
		const char *name = rig_if(&rig)->name;
		rig_packet(p4, 4, sizeof(p4));
		p4[1] = 0xb8;
		model_send(name, p4, sizeof(p4));
		model_send(name, p6, rig_packet(p6, 6, sizeof(p6)));
		assert_int_equal(rig_read(&rig), VPN_IDLE);
		assert_int_equal(rig.fake.pushes, 1); /* one batch */
		assert_int_equal(rig.fake.n_captured, 2);
		assert_int_equal(rig.fake.captured[0].len, sizeof(p4));
		assert_memory_equal(rig.fake.captured[0].data, p4, sizeof(p4));
		assert_int_equal(rig.fake.captured[0].flags >> 24, 0xb8);
		assert_memory_equal(rig.fake.captured[1].data, p6, sizeof(p6));
		assert_int_equal(rig.fake.captured[1].len, sizeof(p6));
		end();
	}
}

static void packets_come_up_with_the_kernels_number_of_their_family(void **state)
{
	uint8_t p4[200], p6[300];
	(void)state;
	for (enum model_os os = 0; os < MODEL_SYSTEMS; os++) {
		run(os, BSD_IP);
		rig_write(&rig, p4, rig_packet(p4, 4, sizeof(p4)), 0);
		rig_write(&rig, p6, rig_packet(p6, 6, sizeof(p6)), 0);
		const struct model_if *f = rig_if(&rig);
		assert_int_equal(f->n_out, 2);
		assert_int_equal(f->out_family[0], 2);
		assert_int_equal(f->out_family[1], af_inet6(os));
		assert_int_equal(f->out[0].len, sizeof(p4));
		assert_memory_equal(f->out[0].data, p4, sizeof(p4));
		assert_int_equal(f->out[1].len, sizeof(p6));
		assert_memory_equal(f->out[1].data, p6, sizeof(p6));
		end();
	}
}

static void frames_go_both_ways_as_they_are(void **state)
{
	uint8_t p[RIG_MTU + BSD_ETHERNET_ROOM];
	(void)state;
	for (enum model_os os = 0; os < MODEL_SYSTEMS; os++) {
		run(os, BSD_ETHERNET);
		frame(p, sizeof(p));
		model_send(rig_if(&rig)->name, p, sizeof(p));
		rig_read(&rig);
		assert_int_equal(rig.fake.n_captured, 1);
		assert_int_equal(rig.fake.captured[0].len, sizeof(p));
		assert_memory_equal(rig.fake.captured[0].data, p, sizeof(p));
		rig_write(&rig, p, 100, 0);
		assert_int_equal(rig_if(&rig)->out[0].len, 100);
		assert_memory_equal(rig_if(&rig)->out[0].data, p, 100);
		end();
	}
}

static void what_exceeds_the_stack_is_dropped_and_counted(void **state)
{
	uint8_t p[RIG_MTU + 1];
	(void)state;
	for (enum model_os os = 0; os < MODEL_SYSTEMS; os++) {
		run(os, BSD_IP);
		const char *name = rig_if(&rig)->name;
		model_send(name, p, rig_packet(p, 4, RIG_MTU + 1));
		model_send(name, p, rig_packet(p, 4, RIG_MTU));
		rig_read(&rig);
		assert_int_equal(rig.fake.n_captured, 1);
		assert_int_equal(rig_count(&rig, "drop_too_big"), 1);
		end();
	}
}

static void what_is_no_packet_is_dropped_and_counted(void **state)
{
	uint8_t p[64] = {0x30};
	(void)state;
	run(MODEL_FREEBSD, BSD_IP);
	model_send("vpn0", p, 64);
	model_send("vpn0", p, 0);
	p[0] = 0x45;
	model_send("vpn0", p, 19);
	rig_read(&rig);
	assert_int_equal(rig.fake.n_captured, 0);
	assert_int_equal(rig_count(&rig, "drop_not_ip"), 3);
	rig_write(&rig, p, 19, 0);
	p[0] = 0x60;
	rig_write(&rig, p, 39, 0);
	p[0] = 0xf0;
	rig_write(&rig, p, 64, 0);
	assert_int_equal(rig_count(&rig, "drop_malformed"), 3);
	assert_int_equal(rig_if(&rig)->n_out, 0);
	end();
}

static void a_batch_is_as_large_as_the_lane_says(void **state)
{
	uint8_t p[64];
	(void)state;
	run(MODEL_OPENBSD, BSD_IP);
	rig.fake.lanes[0].max_batch = 8;
	for (int i = 0; i < 20; i++)
		model_send("tun0", p, rig_packet(p, 4, 64));
	assert_int_equal(rig_read(&rig), VPN_MORE);
	assert_int_equal(rig.fake.n_captured, 8);
	assert_int_equal(rig_read(&rig), VPN_MORE);
	assert_int_equal(rig_read(&rig), VPN_IDLE);
	assert_int_equal(rig.fake.n_captured, 20);
	assert_int_equal(rig.fake.pushes, 3);
	end();
}

static void a_full_stage_below_stops_the_reading(void **state)
{
	const struct vpn_flow *flow = rig_component()->flow;
	uint8_t p[64];
	(void)state;
	run(MODEL_OPENBSD, BSD_IP);
	const int fd = rig_if(&rig)->fd;
	for (int i = 0; i < 10; i++)
		model_send("tun0", p, rig_packet(p, 4, 64));
	rig.fake.accept = 3;
	assert_int_equal(rig_read(&rig), VPN_IDLE);
	assert_int_equal(rig_count(&rig, "blocked"), 1);
	assert_int_equal(fake_watched(&rig.fake, fd), 0);
	assert_int_equal(rig_read(&rig), VPN_IDLE); /* a wake that was on its way */
	assert_int_equal(rig.fake.n_captured, 3);
	rig.fake.accept = 2;
	flow->writable(rig.inst, &rig.fake.lanes[0], VPN_DOWN);
	assert_int_equal(rig.fake.n_captured, 5);
	assert_int_equal(fake_watched(&rig.fake, fd), 0);
	rig.fake.accept = UINT32_MAX;
	flow->writable(rig.inst, &rig.fake.lanes[0], VPN_DOWN);
	assert_int_equal(rig.fake.n_captured, 10);
	assert_int_equal(fake_watched(&rig.fake, fd), VPN_POLLIN);
	flow->writable(rig.inst, &rig.fake.lanes[0], VPN_DOWN);
	flow->writable(rig.inst, &rig.fake.lanes[0], VPN_UP);
	end();
}

static void an_empty_pool_is_asked_again(void **state)
{
	const struct vpn_flow *flow = rig_component()->flow;
	uint8_t p[64];
	(void)state;
	run(MODEL_NETBSD, BSD_IP);
	for (int i = 0; i < 10; i++)
		model_send("tun0", p, rig_packet(p, 4, 64));
	rig.fake.pool = 4;
	rig.fake.accept = 0;
	assert_int_equal(rig_read(&rig), VPN_IDLE);
	assert_int_equal(rig_count(&rig, "starved"), 1);
	assert_true(rig.fake.deadline[0] != 0);
	rig.fake.pool = 100;
	rig.fake.accept = UINT32_MAX;
	/* blocked and starved: both have to end */
	flow->timer(rig.inst, &rig.fake.lanes[0], 0);
	assert_int_equal(fake_watched(&rig.fake, rig_if(&rig)->fd), 0);
	flow->writable(rig.inst, &rig.fake.lanes[0], VPN_DOWN);
	assert_int_equal(fake_watched(&rig.fake, rig_if(&rig)->fd), VPN_POLLIN);
	rig_read(&rig);
	assert_int_equal(rig.fake.n_captured, 10);
	end();
}

static void stopping_gives_back_what_was_not_taken(void **state)
{
	uint8_t p[64];
	(void)state;
	run(MODEL_DRAGONFLY, BSD_IP);
	for (int i = 0; i < 10; i++)
		model_send("vpn0", p, rig_packet(p, 4, 64));
	rig.fake.accept = 3;
	rig_read(&rig);
	assert_true(rig.fake.taken > 0);
	end();
}

static void packets_for_a_device_that_is_down_are_counted(void **state)
{
	uint8_t p[200];
	(void)state;
	for (enum bsd_layer_kind layer = BSD_IP; layer <= BSD_ETHERNET; layer++) {
		/* FreeBSD says that it has taken them */
		run(MODEL_FREEBSD, layer);
		rig_if(&rig)->flags &= ~BSD_IFF_UP;
		rig_write(&rig, p, layer == BSD_IP ? rig_packet(p, 4, 200) : frame(p, 200), 0);
		assert_int_equal(rig_count(&rig, "drop_down"), 1);
		end();
	}
	run(MODEL_DRAGONFLY, BSD_ETHERNET);
	rig_if(&rig)->flags &= ~BSD_IFF_UP;
	rig_write(&rig, p, frame(p, 200), 0);
	assert_int_equal(rig_count(&rig, "drop_down"), 1);
	assert_false(rig.fake.failed);
	end();
}

static void a_device_that_is_down_and_readable_is_left_alone_for_a_while(void **state)
{
	const struct vpn_flow *flow = rig_component()->flow;
	uint8_t p[200];
	(void)state;
	run(MODEL_NETBSD, BSD_ETHERNET);
	struct model_if *f = rig_if(&rig);
	model_send(f->name, p, frame(p, 200));
	f->flags &= ~BSD_IFF_UP;
	assert_int_equal(rig_read(&rig), VPN_IDLE);
	assert_int_equal(fake_watched(&rig.fake, f->fd), 0);
	assert_int_equal(rig_count(&rig, "read_errors"), 0);
	f->flags |= BSD_IFF_UP;
	flow->timer(rig.inst, &rig.fake.lanes[0], 0);
	assert_int_equal(fake_watched(&rig.fake, f->fd), VPN_POLLIN);
	rig_read(&rig);
	assert_int_equal(rig.fake.n_captured, 1);
	end();
}

static void each_refusal_is_counted_by_its_reason(void **state)
{
	static const struct {
		int e;
		const char *counter;
	} rows[] = {
		{EAGAIN, "drop_busy"},          {ENOBUFS, "drop_no_buffers"},
		{ENOMEM, "drop_no_buffers"},    {EHOSTDOWN, "drop_down"},
		{EMSGSIZE, "drop_refused"},     {EIO, "drop_refused"},
		{EAFNOSUPPORT, "drop_refused"},
	};
	uint8_t p[64];
	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		run(MODEL_FREEBSD, BSD_IP);
		model.write_errno = rows[i].e;
		rig_write(&rig, p, rig_packet(p, 4, 64), 0);
		assert_int_equal(rig_count(&rig, rows[i].counter), 1);
		assert_false(rig.fake.failed);
		end();
	}
}

static void a_packet_that_no_write_may_hold_is_not_tried(void **state)
{
	static uint8_t p[1501];
	(void)state;
	run(MODEL_NETBSD, BSD_IP);
	rig_write(&rig, p, rig_packet(p, 4, 1500), 0);
	uint32_t calls = model.calls;
	rig_write(&rig, p, rig_packet(p, 4, 1501), 0);
	assert_int_equal(model.calls, calls);
	assert_int_equal(rig_count(&rig, "drop_refused"), 1);
	assert_int_equal(rig_count(&rig, "oversize"), 2); /* than our MTU */
	assert_int_equal(rig_if(&rig)->n_out, 1);
	end();
}

static void a_read_that_fails_is_counted_and_tried_later(void **state)
{
	const struct vpn_flow *flow = rig_component()->flow;
	uint8_t p[64];
	(void)state;
	run(MODEL_FREEBSD, BSD_IP);
	model_send("vpn0", p, rig_packet(p, 4, 64));
	model.read_errno = EFAULT;
	assert_int_equal(rig_read(&rig), VPN_IDLE);
	assert_int_equal(rig_count(&rig, "read_errors"), 1);
	assert_int_equal(fake_watched(&rig.fake, rig_if(&rig)->fd), 0);
	assert_false(rig.fake.failed);
	model.read_errno = 0;
	flow->timer(rig.inst, &rig.fake.lanes[0], 0);
	rig_read(&rig);
	assert_int_equal(rig.fake.n_captured, 1);
	end();
}

static void an_interrupted_call_is_made_again(void **state)
{
	uint8_t p[64];
	(void)state;
	run(MODEL_FREEBSD, BSD_IP);
	model_send("vpn0", p, rig_packet(p, 4, 64));
	model.calls = 0;
	model.fail_at = 1;
	model.fail_errno = EINTR;
	rig_read(&rig);
	assert_int_equal(rig.fake.n_captured, 1);
	model.calls = 0;
	rig_write(&rig, p, 64, 0);
	assert_int_equal(rig_if(&rig)->n_out, 1);
	end();
}

static void the_outer_ecn_mark_reaches_the_inner_packet(void **state)
{
	uint8_t p[64];
	(void)state;
	run(MODEL_OPENBSD, BSD_IP);
	rig_packet(p, 6, 64);
	p[1] = 0x20; /* ECT(0) */
	rig_write(&rig, p, 64, 3u << 24 | VPN_PACKET_HAS_CLASS);
	assert_int_equal(rig_if(&rig)->out[0].data[1], 0x30);
	p[1] = 0; /* not ECT: CE over it is impossible */
	rig_write(&rig, p, 64, 3u << 24 | VPN_PACKET_HAS_CLASS);
	assert_int_equal(rig_count(&rig, "drop_ecn"), 1);
	end();
}

static void nothing_on_the_data_path_is_asked_of_the_kernel_beside_packets(void **state)
{
	uint8_t p[64];
	(void)state;
	for (enum model_os os = 0; os < MODEL_SYSTEMS; os++) {
		run(os, BSD_IP);
		for (int i = 0; i < 30; i++)
			model_send(rig_if(&rig)->name, p, rig_packet(p, 4, 64));
		model.calls = 0;
		rig_read(&rig);
		assert_int_equal(model.calls, 31); /* the last one says that there is no more */
		model.calls = 0;
		rig_write(&rig, p, 64, 0);
		assert_int_equal(model.calls, 1);
		end();
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(packets_go_down_without_their_head),
		cmocka_unit_test(packets_come_up_with_the_kernels_number_of_their_family),
		cmocka_unit_test(frames_go_both_ways_as_they_are),
		cmocka_unit_test(what_exceeds_the_stack_is_dropped_and_counted),
		cmocka_unit_test(what_is_no_packet_is_dropped_and_counted),
		cmocka_unit_test(a_batch_is_as_large_as_the_lane_says),
		cmocka_unit_test(a_full_stage_below_stops_the_reading),
		cmocka_unit_test(an_empty_pool_is_asked_again),
		cmocka_unit_test(stopping_gives_back_what_was_not_taken),
		cmocka_unit_test(packets_for_a_device_that_is_down_are_counted),
		cmocka_unit_test(a_device_that_is_down_and_readable_is_left_alone_for_a_while),
		cmocka_unit_test(each_refusal_is_counted_by_its_reason),
		cmocka_unit_test(a_packet_that_no_write_may_hold_is_not_tried),
		cmocka_unit_test(a_read_that_fails_is_counted_and_tried_later),
		cmocka_unit_test(an_interrupted_call_is_made_again),
		cmocka_unit_test(the_outer_ecn_mark_reaches_the_inner_packet),
		cmocka_unit_test(nothing_on_the_data_path_is_asked_of_the_kernel_beside_packets),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
