/* SPDX-License-Identifier: BSD-2-Clause */
/* What only Linux does: coalesced arrivals, sticky IPv4 addresses, traffic class, lanes, overflow. */
#include "world.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

static struct world a, b;

static int fresh(void **state)
{
	(void)state;
	world_init(&a);
	world_init(&b);
	return 0;
}

static int done(void **state)
{
	(void)state;
	world_end(&b);
	world_end(&a);
	return 0;
}

static void connect_two(void)
{
	a.options.listen = world_at("127.0.0.1", 0);
	world_must_start(&a);
	b.options.remote = world_at("127.0.0.1", world_port(&a));
	world_must_start(&b);
}

static void send_run(struct world *w, uint32_t len, uint32_t n)
{
	struct vpn_packet *pkts[VPN_BATCH_MAX];
	for (uint32_t i = 0; i < n; i++)
		pkts[i] = world_packet(w, len, (uint8_t)i, NULL);
	world_send(w, pkts, n);
}

static void a_coalesced_message_goes_up_in_one_push(void **state)
{
	(void)state;
	connect_two();
	send_run(&b, 1000, 60);
	world_await(&a, 60);
	assert_int_equal(a.lanes[0].pushes, 1);
	assert_int_equal(a.lanes[0].largest_push, 60);
	for (uint32_t i = 0; i < 60; i++)
		world_check(&a, i, 1000, (uint8_t)i);
}

static void several_messages_go_up_in_one_push(void **state)
{
	(void)state;
	connect_two();
	send_run(&b, 1000, 180);
	world_await(&a, 180);
	assert_int_equal(a.lanes[0].pushes, 1);
}

static void no_push_is_larger_than_the_lane_allows(void **state)
{
	(void)state;
	connect_two();
	a.lanes[0].pub.max_batch = 50;
	send_run(&b, 1000, 180);
	world_await(&a, 180);
	assert_int_equal(a.lanes[0].largest_push, 50);
	for (uint32_t i = 0; i < 180; i++)
		world_check(&a, i, 1000, (uint8_t)i);
}

static void answers_over_ipv4_from_the_address_that_was_asked(void **state)
{
	struct vpn_endpoint from;
	(void)state;
	int peer = peer_open("127.0.0.1", 0);
	world_must_start(&a);
	peer_send(peer, "10.9.0.1", world_port(&a), 10, 3);
	world_await(&a, 1);
	const struct vpn_endpoint *e = &a.arrived[0].from;
	struct vpn_endpoint asked = endpoint_at("10.9.0.1", world_port(&a));
	assert_memory_equal(e->local, asked.addr, 4);
	assert_int_equal(e->ifindex, 1);
	struct vpn_packet *p = world_packet(&a, 41, 9, e);
	world_send(&a, &p, 1);
	peer_expect(peer, 41, 9, &from);
	assert_true(udp_address_is_peer(&asked, &from));
	close(peer);
}

static void the_configured_remote_gets_sticky_answers(void **state)
{
	struct vpn_endpoint from;
	(void)state;
	int peer = peer_open("127.0.0.1", 0);
	struct vpn_endpoint asked;
	a.options.remote = world_at("127.0.0.1", peer_port(peer));
	world_must_start(&a);
	asked = endpoint_at("10.9.0.1", world_port(&a));
	peer_send(peer, "10.9.0.1", world_port(&a), 10, 3);
	world_await(&a, 1);
	struct vpn_packet *p = world_packet(&a, 41, 9, NULL);
	world_send(&a, &p, 1);
	peer_expect(peer, 41, 9, &from);
	assert_true(udp_address_is_peer(&asked, &from));
	/* after a silence the system chooses again */
	a.now_ns += 16 * UDP_SECOND;
	p = world_packet(&a, 42, 9, NULL);
	world_send(&a, &p, 1);
	peer_expect(peer, 42, 9, &from);
	assert_false(udp_address_is_peer(&asked, &from));
	close(peer);
}

static void not_sticky_leaves_the_choice_to_the_system(void **state)
{
	struct vpn_endpoint from;
	(void)state;
	int peer = peer_open("127.0.0.1", 0);
	a.options.sticky = 0;
	world_must_start(&a);
	peer_send(peer, "10.9.0.1", world_port(&a), 10, 3);
	world_await(&a, 1);
	assert_false(udp_address_has_local(&a.arrived[0].from));
	struct vpn_packet *p = world_packet(&a, 41, 9, &a.arrived[0].from);
	world_send(&a, &p, 1);
	peer_expect(peer, 41, 9, &from);
	struct vpn_endpoint usual = endpoint_at("127.0.0.1", world_port(&a));
	assert_true(udp_address_is_peer(&usual, &from));
	close(peer);
}

static void carries_class(const char *host)
{
	a.options.carry_ecn = 1;
	b.options.carry_dscp = 1;
	b.options.carry_ecn = 1;
	world_must_start(&a);
	b.options.remote = world_at(host, world_port(&a));
	world_must_start(&b);
	struct vpn_packet *p = world_packet(&b, 100, 1, NULL);
	vpn_packet_set_class(p, 46 << 2 | 1);
	world_send(&b, &p, 1);
	world_await(&a, 1);
	assert_true((a.arrived[0].flags & VPN_PACKET_HAS_CLASS) != 0);
	assert_int_equal(a.arrived[0].flags >> 24, 46 << 2 | 1);
}

static void dscp_and_ecn_arrive_over_ipv4(void **state)
{
	(void)state;
	carries_class("127.0.0.1");
}

static void dscp_and_ecn_arrive_over_ipv6(void **state)
{
	(void)state;
	carries_class("::1");
}

static void a_fixed_dscp_arrives_and_no_class_is_told_unasked(void **state)
{
	(void)state;
	a.options.carry_dscp = 1;
	world_must_start(&a);
	b.options.dscp = 10;
	b.options.remote = world_at("::1", world_port(&a));
	world_must_start(&b);
	send_run(&b, 100, 1);
	world_await(&a, 1);
	assert_int_equal(a.arrived[0].flags >> 24, 10 << 2);
	struct vpn_packet *p = world_packet(&a, 100, 1, &a.arrived[0].from);
	world_send(&a, &p, 1);
	world_await(&b, 1);
	assert_int_equal(b.arrived[0].flags, 0);
}

static void two_lanes_share_the_port(void **state)
{
	(void)state;
	assert_int_equal(world_start(&a, 2), VPN_OK);
	int peers[32];
	for (uint32_t i = 0; i < 32; i++) {
		peers[i] = peer_open(i % 2 == 0 ? "127.0.0.1" : "::1", 0);
		peer_send(peers[i], i % 2 == 0 ? "127.0.0.1" : "::1", world_port(&a), 100,
			  (uint8_t)i);
	}
	world_await(&a, 32);
	assert_true(a.lanes[0].pushes > 0 && a.lanes[1].pushes > 0);
	for (uint32_t i = 0; i < 32; i++)
		close(peers[i]);
}

static void what_one_lane_learns_all_lanes_know(void **state)
{
	(void)state;
	int peer = peer_open("127.0.0.1", 0);
	a.options.learn = 1;
	assert_int_equal(world_start(&a, 2), VPN_OK);
	peer_send(peer, "127.0.0.1", world_port(&a), 100, 1);
	world_await(&a, 1);
	for (uint32_t i = 0; i < 2; i++) {
		struct vpn_packet *p = world_packet(&a, 50 + i, 2, NULL);
		assert_int_equal(world_component()->flow->send(a.udp, &a.lanes[i].pub, &p, 1), 1);
		peer_expect(peer, 50 + i, 2, NULL);
	}
	close(peer);
}

static void a_full_receive_buffer_is_counted(void **state)
{
	const uint32_t n = 200;
	(void)state;
	a.options.buffer = 4096;
	a.options.listen = world_at("127.0.0.1", 0);
	world_must_start(&a);
	int peer = peer_open("127.0.0.1", 0);
	for (uint32_t i = 0; i < n; i++)
		peer_send(peer, "127.0.0.1", world_port(&a), 1000, (uint8_t)i);
	world_await(&a, 1);
	while (a.n_arrived != 0) {
		uint32_t before = a.n_arrived;
		world_serve(&a, 0);
		if (a.n_arrived == before)
			break;
	}
	/* the number travels with the next datagram */
	uint32_t before = a.n_arrived;
	peer_send(peer, "127.0.0.1", world_port(&a), 1000, 1);
	world_await(&a, before + 1);
	assert_true(world_counted(&a, DROP_SOCKET_FULL) > 0);
	assert_int_equal(world_counted(&a, DROP_SOCKET_FULL) + before, n);
	close(peer);
}

static void ten_batches_at_once_wait_in_the_buffer(void **state)
{
	(void)state;
	a.options.buffer = 7 << 20; /* as by default: holds them all */
	connect_two();
	for (int i = 0; i < 10; i++)
		send_run(&b, 1472, 200);
	world_await(&a, 2000);
	for (uint32_t i = 0; i < 2000; i++)
		world_check(&a, i, 1472, (uint8_t)(i % 200));
}

#define CASE(name) cmocka_unit_test_setup_teardown(name, fresh, done)

int main(void)
{
	const struct CMUnitTest tests[] = {
		CASE(a_coalesced_message_goes_up_in_one_push),
		CASE(several_messages_go_up_in_one_push),
		CASE(no_push_is_larger_than_the_lane_allows),
		CASE(answers_over_ipv4_from_the_address_that_was_asked),
		CASE(the_configured_remote_gets_sticky_answers),
		CASE(not_sticky_leaves_the_choice_to_the_system),
		CASE(dscp_and_ecn_arrive_over_ipv4),
		CASE(dscp_and_ecn_arrive_over_ipv6),
		CASE(a_fixed_dscp_arrives_and_no_class_is_told_unasked),
		CASE(two_lanes_share_the_port),
		CASE(what_one_lane_learns_all_lanes_know),
		CASE(a_full_receive_buffer_is_counted),
		CASE(ten_batches_at_once_wait_in_the_buffer),
	};
	return cmocka_run_group_tests_name("udp on Linux", tests, world_enter, NULL);
}
