/* SPDX-License-Identifier: BSD-2-Clause */
/* Many peers on one socket: who may begin, who is who, who moves, who goes. */
#include <string.h>

#include "kcp_world.h"

static struct world w;

static struct vpn_endpoint peer(uint16_t port)
{
	struct vpn_endpoint e = testhost_endpoint("192.0.2.7:1");
	e.port = port;
	return e;
}

static void begin(uint32_t accept)
{
	world_init(&w);
	world_listen(&w, 0, accept);
	world_start(&w, 0);
	world_mark(&w);
}

static void say(uint16_t port, uint32_t conv, uint32_t sn)
{
	struct kcp_segment s = {
		.conv = conv, .cmd = KCP_CMD_PUSH, .wnd = 128, .sn = sn, .len = 100};
	struct vpn_endpoint from = peer(port);
	world_say(&w, 0, &from, &s, sn);
}

/* Acknowledges all that the component has sent to this conversation. */
static void acknowledge(uint16_t port, uint32_t conv, uint32_t una)
{
	struct kcp_segment s = {.conv = conv, .cmd = KCP_CMD_WINS, .wnd = 128, .una = una};
	struct vpn_endpoint from = peer(port);
	world_say(&w, 0, &from, &s, 0);
}

static void a_peers_first_data_begins_a_session(void **state)
{
	const struct testhost_record *r;
	struct kcp_segment s;
	struct vpn_endpoint to;
	(void)state;
	begin(2);
	say(10, 1000, 0);
	r = testhost_next(w.stage[0], 0, VPN_UP);
	assert_non_null(r);
	assert_true(r->has_endpoint);
	assert_int_equal(r->endpoint.port, 10);
	assert_true(world_heard(&w, 0, &s, &to));
	assert_int_equal(s.cmd, KCP_CMD_ACK);
	assert_int_equal(s.conv, 1000);
	assert_int_equal(to.port, 10);
	assert_int_equal(world_count(&w, 0, KCP_SESSIONS_BEGUN), 1);
	world_end(&w);
}

static void peers_with_the_same_number_are_not_mixed_up(void **state)
{
	struct vpn_endpoint one = peer(10), two = peer(11), to;
	struct kcp_segment s;
	(void)state;
	begin(2);
	say(10, 1000, 0);
	say(11, 1000, 0);
	testhost_clear(w.stage[0], 0, VPN_DOWN);
	assert_true(world_send_to(&w, 0, &two, 0, 100));
	assert_true(world_heard(&w, 0, &s, &to));
	assert_int_equal(to.port, 11);
	assert_true(world_send_to(&w, 0, &one, 0, 100));
	assert_true(world_heard(&w, 0, &s, &to));
	assert_int_equal(to.port, 10);
	world_end(&w);
}

static void no_more_are_accepted_than_may(void **state)
{
	(void)state;
	begin(2);
	say(10, 1000, 0);
	say(11, 1001, 0);
	for (uint16_t i = 0; i < 100; i++)
		say((uint16_t)(20 + i), 2000u + i, 0);
	world_only_drop(&w, 0, KCP_DROP_ACCEPT, 100);
	assert_int_equal(w.k[0]->sessions.count, 2);
	world_end(&w);
}

static void nobody_is_accepted_without_accept(void **state)
{
	(void)state;
	begin(0);
	say(10, 1000, 0);
	world_only_drop(&w, 0, KCP_DROP_ACCEPT, 1);
	assert_int_equal(w.k[0]->sessions.count, 0);
	world_end(&w);
}

static void the_middle_of_a_conversation_begins_nothing(void **state)
{
	struct kcp_segment s = {.conv = 5, .cmd = KCP_CMD_ACK, .wnd = 128};
	struct vpn_endpoint from = peer(10);
	(void)state;
	begin(2);
	say(10, 5, 5000);
	world_say(&w, 0, &from, &s, 0);
	s.cmd = KCP_CMD_WINS;
	world_say(&w, 0, &from, &s, 0);
	s.cmd = KCP_CMD_PUSH;
	s.una = 7;
	world_say(&w, 0, &from, &s, 0);
	world_only_drop(&w, 0, KCP_DROP_CONV, 4);
	assert_int_equal(w.k[0]->sessions.count, 0);
	world_end(&w);
}

static void who_never_answers_makes_room_for_others(void **state)
{
	(void)state;
	begin(2);
	say(10, 1000, 0);
	say(11, 1001, 0);
	struct vpn_endpoint to = peer(10);
	assert_true(world_send_to(&w, 0, &to, 0, 100));
	acknowledge(10, 1000, 1);
	testhost_advance(w.host, 5 * WORLD_SECOND);
	say(12, 1002, 0);
	assert_int_equal(w.k[0]->sessions.count, 2);
	assert_non_null(kcp_sessions_number(&w.k[0]->sessions, 1000));
	assert_null(kcp_sessions_number(&w.k[0]->sessions, 1001));
	world_end(&w);
}

static void a_live_conversation_is_not_replaced(void **state)
{
	(void)state;
	begin(2);
	say(10, 1000, 0);
	world_mark(&w);
	say(10, 2000, 0);
	world_only_drop(&w, 0, KCP_DROP_CONV, 1);
	assert_non_null(kcp_sessions_number(&w.k[0]->sessions, 1000));
	world_end(&w);
}

static void a_peer_that_begins_anew_replaces_its_silent_self(void **state)
{
	(void)state;
	begin(2);
	say(10, 1000, 0);
	testhost_advance(w.host, 2 * WORLD_SECOND);
	/* it may only have had nothing to say: it is asked */
	say(10, 2000, 0);
	assert_non_null(kcp_sessions_number(&w.k[0]->sessions, 1000));
	testhost_advance(w.host, 2 * WORLD_SECOND);
	say(10, 2000, 0);
	assert_int_equal(w.k[0]->sessions.count, 1);
	assert_non_null(kcp_sessions_number(&w.k[0]->sessions, 2000));
	assert_int_equal(world_count(&w, 0, KCP_PEER_RESTARTS), 1);
	world_expect(&w, 0, 0, 100);
	world_expect(&w, 0, 0, 100);
	world_end(&w);
}

/* Offers packets until one is refused; that one, still ours. */
static struct vpn_packet *fill_up(const struct vpn_endpoint *to)
{
	static const uint8_t bytes[1000] = {1};
	for (;;) {
		struct vpn_packet *p = testhost_packet(w.stage[0], 0, VPN_DOWN, bytes,
						       sizeof(bytes));
		testhost_packet_from(w.stage[0], p, to);
		if (testhost_offer(w.stage[0], 0, VPN_DOWN, &p, 1) == 0)
			return p;
	}
}

static void a_refused_packet_keeps_its_endpoint(void **state)
{
	struct vpn_endpoint to = peer(10);
	(void)state;
	begin(2);
	say(10, 1000, 0);
	struct vpn_packet *p = fill_up(&to);
	assert_non_null(p->endpoint);
	assert_int_equal(p->endpoint->port, 10);
	testhost_drop(w.stage[0], p);
	world_end(&w);
}

static void a_restart_lets_a_waiting_device_go_on(void **state)
{
	struct vpn_endpoint to = peer(10);
	(void)state;
	begin(2);
	say(10, 1000, 0);
	testhost_drop(w.stage[0], fill_up(&to));
	assert_true(w.k[0]->above_waits);
	testhost_advance(w.host, 2 * WORLD_SECOND);
	say(10, 2000, 0);
	testhost_advance(w.host, 2 * WORLD_SECOND);
	say(10, 2000, 0);
	assert_int_equal(world_count(&w, 0, KCP_PEER_RESTARTS), 1);
	assert_false(w.k[0]->above_waits);
	assert_true(world_send_to(&w, 0, &to, 0, 100));
	world_end(&w);
}

/* An idle tunnel is silent, and its peer is there. */
static void a_forged_opening_does_not_replace_an_idle_peer(void **state)
{
	struct kcp_segment forged = {.conv = 666, .cmd = KCP_CMD_WASK, .wnd = 128};
	struct vpn_endpoint from = peer(10);
	(void)state;
	begin(2);
	say(10, 1000, 0);
	assert_true(world_send_to(&w, 0, &from, 0, 100));
	acknowledge(10, 1000, 1);
	for (uint32_t i = 0; i < 5; i++) {
		testhost_advance(w.host, 3 * WORLD_SECOND);
		world_say(&w, 0, &from, &forged, 0);
		/* it is asked, and answers */
		acknowledge(10, 1000, 1);
		world_say(&w, 0, &from, &forged, 0);
		assert_non_null(kcp_sessions_number(&w.k[0]->sessions, 1000));
	}
	world_mark(&w);
	say(10, 1000, 1);
	assert_int_equal(world_grown(&w, 0, KCP_DROP_CONV), 0);
	assert_int_equal(world_count(&w, 0, KCP_PEER_RESTARTS), 0);
	world_end(&w);
}

static void a_session_moves_when_the_stage_above_sends_there(void **state)
{
	struct vpn_endpoint old = peer(10), new = peer(99), to;
	struct kcp_segment s;
	(void)state;
	begin(2);
	say(10, 1000, 0);
	assert_true(world_send_to(&w, 0, &old, 0, 100));
	acknowledge(10, 1000, 1);
	testhost_clear(w.stage[0], 0, VPN_DOWN);
	say(99, 1000, 1);
	/* it is heard, and still answered where it was */
	assert_true(world_heard(&w, 0, &s, &to));
	assert_int_equal(to.port, 10);
	testhost_clear(w.stage[0], 0, VPN_UP);
	say(99, 1000, 2);
	const struct testhost_record *r = testhost_next(w.stage[0], 0, VPN_UP);
	assert_non_null(r);
	assert_int_equal(r->endpoint.port, 99);
	testhost_clear(w.stage[0], 0, VPN_DOWN);
	assert_true(world_send_to(&w, 0, &new, 1, 100));
	assert_true(world_heard(&w, 0, &s, &to));
	assert_int_equal(to.port, 99);
	assert_int_equal(s.conv, 1000);
	assert_int_equal(world_count(&w, 0, KCP_ROAMED), 1);
	assert_int_equal(w.k[0]->sessions.count, 1);
	world_end(&w);
}

static void without_a_stage_that_chooses_it_follows_a_silent_peer(void **state)
{
	struct kcp_segment s;
	struct vpn_endpoint to;
	(void)state;
	begin(2);
	say(10, 1000, 0);
	testhost_clear(w.stage[0], 0, VPN_DOWN);
	say(99, 1000, 1);
	assert_true(world_heard(&w, 0, &s, &to));
	assert_int_equal(to.port, 10);
	testhost_advance(w.host, 2 * WORLD_SECOND);
	testhost_clear(w.stage[0], 0, VPN_DOWN);
	say(99, 1000, 2);
	assert_true(world_heard(&w, 0, &s, &to));
	assert_int_equal(to.port, 99);
	world_end(&w);
}

static void a_guessed_number_moves_nothing(void **state)
{
	(void)state;
	begin(2);
	say(10, 1000, 0);
	testhost_advance(w.host, 2 * WORLD_SECOND);
	world_mark(&w);
	say(99, 1000, 100000);
	world_only_drop(&w, 0, KCP_DROP_CONV, 1);
	assert_int_equal(world_count(&w, 0, KCP_ROAMED), 0);
	world_end(&w);
}

static void a_packet_without_peer_is_dropped(void **state)
{
	(void)state;
	begin(2);
	assert_true(world_send(&w, 0, 0, 100));
	world_only_drop(&w, 0, KCP_DROP_NO_SESSION, 1);
	world_end(&w);
}

static void a_packet_without_endpoint_goes_to_who_was_heard_last(void **state)
{
	struct kcp_segment s;
	struct vpn_endpoint to;
	(void)state;
	begin(2);
	say(10, 1000, 0);
	say(11, 1001, 0);
	testhost_advance(w.host, WORLD_MS);
	say(10, 1000, 1);
	testhost_clear(w.stage[0], 0, VPN_DOWN);
	assert_true(world_send(&w, 0, 0, 100));
	assert_true(world_heard(&w, 0, &s, &to));
	assert_int_equal(to.port, 10);
	world_end(&w);
}

static void an_endpoint_from_above_begins_a_session(void **state)
{
	struct vpn_endpoint to = peer(50), heard;
	struct kcp_segment s;
	(void)state;
	begin(0);
	assert_true(world_send_to(&w, 0, &to, 0, 100));
	assert_true(world_heard(&w, 0, &s, &heard));
	assert_int_equal(heard.port, 50);
	/* and its answer finds it */
	acknowledge(50, s.conv, 1);
	assert_int_equal(testhost_drops(w.stage[0]), 0);
	world_end(&w);
}

static void an_idle_session_ends(void **state)
{
	(void)state;
	world_init(&w);
	w.options[0].idle = 30 * WORLD_SECOND;
	w.options[0].dead_after = 0;
	world_listen(&w, 0, 2);
	world_start(&w, 0);
	say(10, 1000, 0);
	struct vpn_endpoint to = peer(10);
	assert_true(world_send_to(&w, 0, &to, 0, 100));
	acknowledge(10, 1000, 1);
	testhost_advance(w.host, 29 * WORLD_SECOND);
	assert_int_equal(w.k[0]->sessions.count, 1);
	testhost_advance(w.host, 20 * WORLD_SECOND);
	assert_int_equal(w.k[0]->sessions.count, 0);
	assert_int_equal(world_count(&w, 0, KCP_SESSIONS_IDLE), 1);
	assert_int_equal(testhost_notified(w.stage[0], VPN_EVENT_PEER_DEAD, NULL), 0);
	world_end(&w);
}

static void a_slow_peer_does_not_hold_the_others(void **state)
{
	struct vpn_endpoint slow = peer(10), other = peer(11), to;
	struct kcp_segment s;
	(void)state;
	begin(2);
	say(10, 1000, 0);
	say(11, 1001, 0);
	for (uint32_t i = 0; i < 1000; i++)
		assert_true(world_send_to(&w, 0, &slow, i, 1000));
	assert_true(world_grown(&w, 0, KCP_DROP_QUEUE_FULL) != 0);
	testhost_clear(w.stage[0], 0, VPN_DOWN);
	assert_true(world_send_to(&w, 0, &other, 0, 1000));
	assert_true(world_heard(&w, 0, &s, &to));
	assert_int_equal(to.port, 11);
	world_end(&w);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_peers_first_data_begins_a_session),
		cmocka_unit_test(peers_with_the_same_number_are_not_mixed_up),
		cmocka_unit_test(no_more_are_accepted_than_may),
		cmocka_unit_test(nobody_is_accepted_without_accept),
		cmocka_unit_test(the_middle_of_a_conversation_begins_nothing),
		cmocka_unit_test(who_never_answers_makes_room_for_others),
		cmocka_unit_test(a_live_conversation_is_not_replaced),
		cmocka_unit_test(a_peer_that_begins_anew_replaces_its_silent_self),
		cmocka_unit_test(a_refused_packet_keeps_its_endpoint),
		cmocka_unit_test(a_restart_lets_a_waiting_device_go_on),
		cmocka_unit_test(a_forged_opening_does_not_replace_an_idle_peer),
		cmocka_unit_test(a_session_moves_when_the_stage_above_sends_there),
		cmocka_unit_test(without_a_stage_that_chooses_it_follows_a_silent_peer),
		cmocka_unit_test(a_guessed_number_moves_nothing),
		cmocka_unit_test(a_packet_without_peer_is_dropped),
		cmocka_unit_test(a_packet_without_endpoint_goes_to_who_was_heard_last),
		cmocka_unit_test(an_endpoint_from_above_begins_a_session),
		cmocka_unit_test(an_idle_session_ends),
		cmocka_unit_test(a_slow_peer_does_not_hold_the_others),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
