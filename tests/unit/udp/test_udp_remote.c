/* SPDX-License-Identifier: BSD-2-Clause */
/* Where "remote" is: names and their look-ups on a clock that the test turns. */
#include "world.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

static struct world w;
static int peer, second;

static int fresh(void **state)
{
	(void)state;
	peer = peer_open("127.0.0.1", 0);
	second = peer_open("10.9.0.1", peer_port(peer));
	world_init(&w);
	w.options.remote = world_at("vpn.example", peer_port(peer));
	return 0;
}

static int done(void **state)
{
	(void)state;
	world_end(&w);
	close(peer);
	close(second);
	return 0;
}

static void answer(const struct vpn_endpoint *found, uint32_t n)
{
	world_component()->flow->resolved(w.udp, &w.lanes[0].pub, 0, n != 0 ? VPN_OK : VPN_EADDR,
					  found, n);
}

static void answer_one(const char *host)
{
	struct vpn_endpoint e = endpoint_at(host, peer_port(peer));
	answer(&e, 1);
}

static void send_one(uint32_t len)
{
	struct vpn_packet *p = world_packet(&w, len, 1, NULL);
	world_send(&w, &p, 1);
}

/* Has the deadline that is armed pass; returns how long that took, in seconds. */
static uint64_t pass_deadline(void)
{
	uint64_t before = w.now_ns;
	uint64_t at = w.lanes[0].deadline_ns;
	assert_true(at > before);
	world_tick(&w, at - 1);
	world_tick(&w, at);
	return (at - before) / UDP_SECOND;
}

static void trouble(void)
{
	udp_remote_trouble(&w.udp->lanes[0]);
	world_serve(&w, 0);
}

static void a_literal_is_not_looked_up(void **state)
{
	(void)state;
	w.options.remote.host = "127.0.0.1";
	world_must_start(&w);
	assert_int_equal(w.asked, 0);
	send_one(50);
	peer_expect(peer, 50, 1, NULL);
	trouble();
	assert_int_equal(w.asked, 0);
}

static void a_name_is_looked_up_and_used(void **state)
{
	(void)state;
	world_must_start(&w);
	assert_int_equal(w.asked, 1);
	assert_string_equal(w.asked_name, "vpn.example");
	assert_int_equal(w.asked_family, 0);
	send_one(49);
	assert_int_equal(world_counted(&w, DROP_NO_ENDPOINT), 1);
	answer_one("127.0.0.1");
	send_one(50);
	peer_expect(peer, 50, 1, NULL);
}

static void before_the_answer_nobody_is_heard(void **state)
{
	(void)state;
	world_must_start(&w);
	peer_send(peer, "127.0.0.1", world_port(&w), 10, 1);
	world_await_count(&w, DROP_UNEXPECTED_SOURCE, 1);
	assert_int_equal(w.n_arrived, 0);
}

static void only_families_with_a_socket_are_asked_for_and_used(void **state)
{
	(void)state;
	w.options.family = UDP_FAMILY_IPV4;
	world_must_start(&w);
	assert_int_equal(w.asked_family, VPN_AF_INET);
	struct vpn_endpoint found[] = {endpoint_at("::1", peer_port(peer)),
				       endpoint_at("127.0.0.1", peer_port(peer))};
	answer(found, 2);
	send_one(50);
	peer_expect(peer, 50, 1, NULL);
}

static void a_name_that_does_not_resolve_is_tried_again_ever_more_rarely(void **state)
{
	const uint64_t waits[] = {1, 2, 4, 8, 16, 32, 64, 128, 256, 300, 300};
	(void)state;
	world_must_start(&w);
	for (uint32_t i = 0; i < 11; i++) {
		assert_int_equal(w.asked, i + 1);
		answer(NULL, 0);
		assert_int_equal(pass_deadline(), waits[i]);
	}
	assert_int_equal(w.warnings, 11);
	answer_one("127.0.0.1");
	send_one(50);
	peer_expect(peer, 50, 1, NULL);
	assert_int_equal(w.lanes[0].deadline_ns, 0);
}

static void a_resolver_that_refuses_is_tried_again(void **state)
{
	(void)state;
	w.resolve_status = VPN_EADDR;
	world_must_start(&w);
	assert_int_equal(w.asked, 1);
	assert_int_equal(pass_deadline(), 1);
	assert_int_equal(w.asked, 2);
	w.resolve_status = VPN_OK;
	assert_int_equal(pass_deadline(), 2);
	answer_one("127.0.0.1");
	send_one(50);
	peer_expect(peer, 50, 1, NULL);
}

static void trouble_has_the_name_looked_up_again_but_not_at_once(void **state)
{
	(void)state;
	world_must_start(&w);
	answer_one("127.0.0.1");
	trouble();
	trouble();
	assert_int_equal(w.asked, 1);
	assert_int_equal(pass_deadline(), 10);
	assert_int_equal(w.asked, 2);
	send_one(50);
	peer_expect(peer, 50, 1, NULL); /* the old address serves until then */
	answer_one("10.9.0.1");
	assert_int_equal(world_counted(&w, REMOTE_CHANGED), 1);
	send_one(51);
	peer_expect(second, 51, 1, NULL);
	assert_true(peer_is_silent(peer));
}

static void trouble_after_a_long_time_asks_at_once(void **state)
{
	(void)state;
	world_must_start(&w);
	answer_one("127.0.0.1");
	world_tick(&w, w.now_ns + 60 * UDP_SECOND);
	trouble();
	assert_int_equal(w.asked, 2);
}

static void look_ups_that_change_nothing_become_rare(void **state)
{
	const uint64_t waits[] = {10, 20, 40, 80, 160, 300, 300}; /* seconds */
	(void)state;
	world_must_start(&w);
	answer_one("127.0.0.1");
	for (uint32_t i = 0; i < 7; i++) {
		trouble();
		assert_int_equal(pass_deadline(), waits[i]);
		assert_int_equal(w.asked, i + 2);
		answer_one("127.0.0.1");
	}
	/* until the peer is heard */
	w.now_ns += 2 * UDP_SECOND;
	peer_send(peer, "127.0.0.1", world_port(&w), 10, 1);
	world_await(&w, 1);
	world_tick(&w, w.now_ns + 301 * UDP_SECOND);
	trouble();
	answer_one("127.0.0.1");
	trouble();
	assert_int_equal(pass_deadline(), 10);
}

static void the_address_in_use_is_kept_while_it_is_an_answer(void **state)
{
	struct vpn_endpoint found[2];
	(void)state;
	world_must_start(&w);
	answer_one("127.0.0.1");
	found[0] = endpoint_at("10.9.0.1", peer_port(peer));
	found[1] = endpoint_at("127.0.0.1", peer_port(peer));
	world_tick(&w, w.now_ns + 60 * UDP_SECOND);
	trouble();
	answer(found, 2);
	assert_int_equal(world_counted(&w, REMOTE_CHANGED), 0);
	send_one(50);
	peer_expect(peer, 50, 1, NULL);
}

static void silence_has_the_name_looked_up(void **state)
{
	(void)state;
	world_must_start(&w);
	answer_one("127.0.0.1");
	w.now_ns += 20 * UDP_SECOND;
	send_one(50);
	world_serve(&w, 0);
	assert_int_equal(w.asked, 1);
	w.now_ns += 20 * UDP_SECOND;
	send_one(50);
	world_serve(&w, 0);
	assert_int_equal(w.asked, 2);
}

static void a_real_refusal_has_the_name_looked_up(void **state)
{
	(void)state;
	world_must_start(&w);
	struct vpn_endpoint nobody = endpoint_at("127.0.0.1", 1);
	answer(&nobody, 1);
	world_tick(&w, w.now_ns + 15 * UDP_SECOND);
	send_one(50);
	world_await_count(&w, ICMP_ERRORS, 1);
	world_serve(&w, 1);
	assert_int_equal(w.asked, 2);
}

static void another_lane_asks_through_lane_0(void **state)
{
	(void)state;
	assert_int_equal(world_start(&w, 2), VPN_OK);
	answer_one("127.0.0.1");
	world_tick(&w, w.now_ns + 60 * UDP_SECOND);
	udp_remote_trouble(&w.udp->lanes[1]);
	assert_int_equal(w.woken[0], 1);
	udp_remote_trouble(&w.udp->lanes[1]);
	assert_int_equal(w.woken[0], 1);
	world_serve(&w, 0);
	assert_int_equal(w.asked, 2);
	answer_one("10.9.0.1");
	struct vpn_packet *p = world_packet(&w, 60, 1, NULL);
	assert_int_equal(world_component()->flow->send(w.udp, &w.lanes[1].pub, &p, 1), 1);
	peer_expect(second, 60, 1, NULL);
}

static void a_zone_that_does_not_exist_is_refused(void **state)
{
	(void)state;
	w.options.remote = world_at("fe80::1%nosuch0", 9);
	assert_int_equal(world_start(&w, 1), VPN_ENOENT);
	assert_string_equal(w.err.where, "/remote");
}

#define CASE(name) cmocka_unit_test_setup_teardown(name, fresh, done)

int main(void)
{
	const struct CMUnitTest tests[] = {
		CASE(a_literal_is_not_looked_up),
		CASE(a_name_is_looked_up_and_used),
		CASE(before_the_answer_nobody_is_heard),
		CASE(only_families_with_a_socket_are_asked_for_and_used),
		CASE(a_name_that_does_not_resolve_is_tried_again_ever_more_rarely),
		CASE(a_resolver_that_refuses_is_tried_again),
		CASE(trouble_has_the_name_looked_up_again_but_not_at_once),
		CASE(trouble_after_a_long_time_asks_at_once),
		CASE(look_ups_that_change_nothing_become_rare),
		CASE(the_address_in_use_is_kept_while_it_is_an_answer),
		CASE(silence_has_the_name_looked_up),
		CASE(a_real_refusal_has_the_name_looked_up),
		CASE(another_lane_asks_through_lane_0),
		CASE(a_zone_that_does_not_exist_is_refused),
	};
	return cmocka_run_group_tests_name("udp remote", tests, world_enter, NULL);
}
