/* SPDX-License-Identifier: BSD-2-Clause */
/* Datagrams over lo, with the system calls of Linux and with those that every system has. */
#include "world.h"

#include <string.h>
#include <unistd.h>

static struct world a, b;

static void two_instances(const char *host)
{
	world_init(&a);
	world_init(&b);
	a.options.listen = world_at(host, 0);
	world_must_start(&a);
	b.options.listen = world_at(host, 0);
	b.options.remote = world_at(host, world_port(&a));
	world_must_start(&b);
}

static void send_sizes(struct world *w, const uint32_t *sizes, uint32_t n,
		       const struct vpn_endpoint *to)
{
	struct vpn_packet *pkts[VPN_BATCH_MAX];
	for (uint32_t i = 0; i < n; i++)
		pkts[i] = world_packet(w, sizes[i], (uint8_t)i, to);
	world_send(w, pkts, n);
}

static void expect_sizes(struct world *w, const uint32_t *sizes, uint32_t n)
{
	world_await(w, n);
	assert_int_equal(w->n_arrived, n);
	for (uint32_t i = 0; i < n; i++)
		world_check(w, i, sizes[i], (uint8_t)i);
}

static void round_trip(const char *host, uint8_t family)
{
	const uint32_t there[] = {1, 1472, 60};
	const uint32_t back[] = {1300, 20};
	two_instances(host);
	send_sizes(&b, there, 3, NULL);
	expect_sizes(&a, there, 3);
	struct vpn_endpoint from = a.arrived[0].from;
	assert_int_equal(from.family, family);
	assert_int_equal(from.port, world_port(&b));
	send_sizes(&a, back, 2, &from);
	expect_sizes(&b, back, 2);
	world_end(&b);
	world_end(&a);
}

static void goes_there_and_back_over_ipv4(void **state)
{
	(void)state;
	round_trip("127.0.0.1", VPN_AF_INET);
}

static void goes_there_and_back_over_ipv6(void **state)
{
	(void)state;
	round_trip("::1", VPN_AF_INET6);
}

static void long_runs_arrive_whole_and_in_order(void **state)
{
	uint32_t sizes[200];
	(void)state;
	for (uint32_t i = 0; i < 200; i++)
		sizes[i] = 1400;
	sizes[199] = 33;
	two_instances("127.0.0.1");
	send_sizes(&b, sizes, 200, NULL);
	expect_sizes(&a, sizes, 200);
	world_end(&b);
	world_end(&a);
}

static void mixed_sizes_arrive_whole_and_in_order(void **state)
{
	uint32_t sizes[200];
	(void)state;
	for (uint32_t i = 0; i < 200; i++)
		sizes[i] = 1 + (i / 5 * 977 + (i % 5 == 4 ? 31 : 0)) % 1472;
	two_instances("::1");
	send_sizes(&b, sizes, 200, NULL);
	expect_sizes(&a, sizes, 200);
	world_end(&b);
	world_end(&a);
}

static void without_offload_the_same_arrives(void **state)
{
	uint32_t sizes[130];
	(void)state;
	for (uint32_t i = 0; i < 130; i++)
		sizes[i] = 700;
	world_init(&a);
	world_init(&b);
	a.options.listen = world_at("127.0.0.1", 0);
	a.options.offload = UDP_OFFLOAD_OFF;
	world_must_start(&a);
	b.options.remote = world_at("127.0.0.1", world_port(&a));
	b.options.offload = UDP_OFFLOAD_OFF;
	world_must_start(&b);
	send_sizes(&b, sizes, 130, NULL);
	expect_sizes(&a, sizes, 130);
	assert_false(a.udp->lanes[0].sockets[0].coalesces);
	assert_false(b.udp->lanes[0].sockets[0].segments);
	world_end(&b);
	world_end(&a);
}

static void one_side_without_offload_understands_the_other(void **state)
{
	uint32_t sizes[130];
	(void)state;
	for (uint32_t i = 0; i < 130; i++)
		sizes[i] = 1200;
	world_init(&a);
	world_init(&b);
	a.options.listen = world_at("127.0.0.1", 0);
	a.options.offload = UDP_OFFLOAD_OFF;
	world_must_start(&a);
	b.options.remote = world_at("127.0.0.1", world_port(&a));
	world_must_start(&b);
	send_sizes(&b, sizes, 130, NULL);
	expect_sizes(&a, sizes, 130);
	world_end(&b);
	world_end(&a);
}

static void both_families_share_a_port(void **state)
{
	(void)state;
	world_init(&a);
	world_must_start(&a);
	int v4 = peer_open("127.0.0.1", 0);
	int v6 = peer_open("::1", 0);
	peer_send(v4, "127.0.0.1", world_port(&a), 100, 1);
	world_await(&a, 1);
	peer_send(v6, "::1", world_port(&a), 200, 2);
	world_await(&a, 2);
	world_check(&a, 0, 100, 1);
	world_check(&a, 1, 200, 2);
	struct vpn_packet *pkts[] = {
		world_packet(&a, 50, 3, &a.arrived[0].from),
		world_packet(&a, 60, 4, &a.arrived[1].from),
		world_packet(&a, 70, 5, &a.arrived[0].from),
	};
	world_send(&a, pkts, 3);
	peer_expect(v4, 50, 3, NULL);
	peer_expect(v4, 70, 5, NULL);
	peer_expect(v6, 60, 4, NULL);
	close(v4);
	close(v6);
	world_end(&a);
}

static void only_the_remote_is_heard(void **state)
{
	(void)state;
	int peer = peer_open("127.0.0.1", 0);
	int stranger = peer_open("127.0.0.1", 0);
	int impostor = peer_open("10.9.0.1", peer_port(peer));
	world_init(&a);
	a.options.remote = world_at("127.0.0.1", peer_port(peer));
	world_must_start(&a);
	peer_send(stranger, "127.0.0.1", world_port(&a), 10, 1);
	peer_send(impostor, "10.9.0.1", world_port(&a), 10, 2);
	peer_send(peer, "127.0.0.1", world_port(&a), 10, 3);
	world_await(&a, 1);
	assert_int_equal(a.n_arrived, 1);
	world_check(&a, 0, 10, 3);
	assert_int_equal(world_counted(&a, DROP_UNEXPECTED_SOURCE), 2);
	close(peer);
	close(stranger);
	close(impostor);
	world_end(&a);
}

static void without_remote_nothing_is_sent_to_nobody(void **state)
{
	(void)state;
	int peer = peer_open("127.0.0.1", 0);
	world_init(&a);
	world_must_start(&a);
	peer_send(peer, "127.0.0.1", world_port(&a), 10, 3);
	world_await(&a, 1);
	struct vpn_packet *pkts[] = {world_packet(&a, 50, 3, NULL), world_packet(&a, 51, 3, NULL)};
	world_send(&a, pkts, 2);
	assert_int_equal(world_counted(&a, DROP_NO_ENDPOINT), 2);
	assert_true(peer_is_silent(peer));
	close(peer);
	world_end(&a);
}

static void learns_the_last_source_when_told_to(void **state)
{
	(void)state;
	int first = peer_open("127.0.0.1", 0);
	int second = peer_open("127.0.0.1", 0);
	world_init(&a);
	a.options.learn = 1;
	world_must_start(&a);
	struct vpn_packet *p = world_packet(&a, 40, 9, NULL);
	world_send(&a, &p, 1);
	assert_int_equal(world_counted(&a, DROP_NO_ENDPOINT), 1);
	peer_send(first, "127.0.0.1", world_port(&a), 10, 3);
	world_await(&a, 1);
	p = world_packet(&a, 41, 9, NULL);
	world_send(&a, &p, 1);
	peer_expect(first, 41, 9, NULL);
	peer_send(second, "127.0.0.1", world_port(&a), 10, 3);
	world_await(&a, 2);
	p = world_packet(&a, 42, 9, NULL);
	world_send(&a, &p, 1);
	peer_expect(second, 42, 9, NULL);
	assert_true(peer_is_silent(first));
	assert_int_equal(world_counted(&a, REMOTE_CHANGED), 1);
	close(first);
	close(second);
	world_end(&a);
}

static void an_endpoint_without_socket_is_counted(void **state)
{
	struct vpn_endpoint v6 = endpoint_at("::1", 9);
	struct vpn_endpoint opaque = {.family = VPN_AF_OPAQUE, .id = 1};
	(void)state;
	world_init(&a);
	a.options.listen = world_at("0.0.0.0", 0);
	world_must_start(&a);
	struct vpn_packet *pkts[] = {world_packet(&a, 50, 3, &v6),
				     world_packet(&a, 50, 3, &opaque)};
	world_send(&a, pkts, 2);
	assert_int_equal(world_counted(&a, DROP_NO_SOCKET), 2);
	world_end(&a);
}

static void empty_and_oversized_datagrams_are_counted(void **state)
{
	(void)state;
	int peer = peer_open("127.0.0.1", 0);
	world_init(&a);
	a.options.offload = UDP_OFFLOAD_OFF;
	world_must_start(&a);
	peer_send(peer, "127.0.0.1", world_port(&a), 0, 0);
	peer_send(peer, "127.0.0.1", world_port(&a), WORLD_MTU + 1, 0);
	peer_send(peer, "127.0.0.1", world_port(&a), WORLD_MTU, 5);
	world_await(&a, 1);
	world_check(&a, 0, WORLD_MTU, 5);
	assert_int_equal(world_counted(&a, DROP_EMPTY), 1);
	assert_int_equal(world_counted(&a, DROP_TRUNCATED), 1);
	close(peer);
	world_end(&a);
}

static void a_datagram_too_big_for_udp_is_counted_and_the_next_goes(void **state)
{
	(void)state;
	int peer = peer_open("127.0.0.1", 0);
	world_init(&a);
	a.options.remote = world_at("127.0.0.1", peer_port(peer));
	world_must_start(&a);
	struct vpn_packet *pkts[] = {world_packet(&a, 65508, 1, NULL),
				     world_packet(&a, 100, 2, NULL),
				     world_packet(&a, 65507, 3, NULL)};
	world_send(&a, pkts, 3);
	peer_expect(peer, 100, 2, NULL);
	peer_expect(peer, 65507, 3, NULL);
	assert_int_equal(world_counted(&a, DROP_TOO_BIG), 1);
	assert_int_equal(a.warnings, 1);
	close(peer);
	world_end(&a);
}

static void answers_over_ipv6_from_the_address_that_was_asked(void **state)
{
	struct vpn_endpoint from;
	(void)state;
	int peer = peer_open("::1", 0);
	world_init(&a);
	world_must_start(&a);
	peer_send(peer, "fd09::1", world_port(&a), 10, 3);
	world_await(&a, 1);
	struct vpn_packet *p = world_packet(&a, 41, 9, &a.arrived[0].from);
	world_send(&a, &p, 1);
	peer_expect(peer, 41, 9, &from);
	struct vpn_endpoint expected = endpoint_at("fd09::1", world_port(&a));
	assert_true(udp_address_is_peer(&expected, &from));
	close(peer);
	world_end(&a);
}

static void above_taking_less_pauses_reading(void **state)
{
	uint32_t sizes[20];
	(void)state;
	for (uint32_t i = 0; i < 20; i++)
		sizes[i] = 100;
	two_instances("127.0.0.1");
	a.lanes[0].room = 7;
	send_sizes(&b, sizes, 20, NULL);
	world_await(&a, 7);
	uint64_t dropped = world_counted(&a, DROP_ABOVE_FULL);
	assert_true(dropped >= 1 && dropped <= 13);
	assert_int_equal(world_counted(&a, RECEIVE_PAUSED), 1);
	world_serve(&a, 0);
	assert_int_equal(a.n_arrived, 7);
	a.lanes[0].room = UINT32_MAX;
	world_component()->flow->writable(a.udp, &a.lanes[0].pub, VPN_UP);
	send_sizes(&b, sizes, 1, NULL);
	world_await(&a, 20 - (uint32_t)dropped + 1);
	assert_int_equal(world_counted(&a, RECEIVE_PAUSED), 1);
	world_end(&b);
	world_end(&a);
}

static void reading_resumes_by_itself_after_a_pause(void **state)
{
	const uint32_t size = 100;
	(void)state;
	two_instances("127.0.0.1");
	a.lanes[0].room = 0;
	send_sizes(&b, &size, 1, NULL);
	world_await_count(&a, DROP_ABOVE_FULL, 1);
	a.lanes[0].room = UINT32_MAX;
	assert_true(a.lanes[0].deadline_ns > a.now_ns);
	world_tick(&a, a.lanes[0].deadline_ns);
	send_sizes(&b, &size, 1, NULL);
	world_await(&a, 1);
	world_end(&b);
	world_end(&a);
}

static void without_packets_it_waits_and_loses_nothing(void **state)
{
	const uint32_t size = 100;
	(void)state;
	two_instances("127.0.0.1");
	a.no_packets = true;
	send_sizes(&b, &size, 1, NULL);
	world_await_count(&a, RECEIVE_PAUSED, 1);
	assert_int_equal(a.n_arrived, 0);
	a.no_packets = false;
	world_tick(&a, a.lanes[0].deadline_ns);
	world_await(&a, 1);
	world_check(&a, 0, 100, 0);
	world_end(&b);
	world_end(&a);
}

static void stops_twice_and_is_destroyed_half_built(void **state)
{
	const struct vpn_lifecycle *life = world_component()->lifecycle;
	(void)state;
	life->destroy(NULL);
	two_instances("127.0.0.1");
	life->stop(a.udp);
	world_end(&a);
	world_end(&b);
	world_init(&a);
	void *inst = NULL;
	a.host.n_lanes = 1;
	assert_int_equal(life->create(&a.host, &a.options, &inst, &a.err), VPN_OK);
	life->stop(inst);
	life->destroy(inst);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(goes_there_and_back_over_ipv4),
		cmocka_unit_test(goes_there_and_back_over_ipv6),
		cmocka_unit_test(long_runs_arrive_whole_and_in_order),
		cmocka_unit_test(mixed_sizes_arrive_whole_and_in_order),
		cmocka_unit_test(without_offload_the_same_arrives),
		cmocka_unit_test(one_side_without_offload_understands_the_other),
		cmocka_unit_test(both_families_share_a_port),
		cmocka_unit_test(only_the_remote_is_heard),
		cmocka_unit_test(without_remote_nothing_is_sent_to_nobody),
		cmocka_unit_test(learns_the_last_source_when_told_to),
		cmocka_unit_test(an_endpoint_without_socket_is_counted),
		cmocka_unit_test(empty_and_oversized_datagrams_are_counted),
		cmocka_unit_test(a_datagram_too_big_for_udp_is_counted_and_the_next_goes),
		cmocka_unit_test(answers_over_ipv6_from_the_address_that_was_asked),
		cmocka_unit_test(above_taking_less_pauses_reading),
		cmocka_unit_test(reading_resumes_by_itself_after_a_pause),
		cmocka_unit_test(without_packets_it_waits_and_loses_nothing),
		cmocka_unit_test(stops_twice_and_is_destroyed_half_built),
	};
	return cmocka_run_group_tests_name("udp traffic", tests, world_enter, NULL);
}
