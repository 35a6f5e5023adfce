/* SPDX-License-Identifier: BSD-2-Clause */
/* test_wg_handshake: both roles against the reference peer, message by message. */
#include "wg_world.h"

#include <stdio.h>

static struct world w;
static struct ref *r;

static int set_up(void **state)
{
	(void)state;
	world_init(&w);
	r = world_peer(&w, "192.0.2.1:51820", "10.0.1.0/24");
	return 0;
}

static int tear_down(void **state)
{
	(void)state;
	world_end(&w);
	return 0;
}

/* ---- as the initiator ---- */

static void a_packet_begins_a_handshake_and_follows_it(void **state)
{
	(void)state;
	struct bytes packet, msg, plain;
	world_start(&w);
	world_silent(&w); /* nobody has asked for anything */
	world_udp(&packet, w.inside, r->inside, 100, 1);
	world_send(&w, &packet);
	const struct testhost_record *sent = world_expect(&w, WG_TYPE_INITIATION, &msg);
	assert_true(sent->has_endpoint);
	assert_int_equal(sent->endpoint.port, 51820);
	assert_memory_equal(sent->endpoint.addr, r->at.addr, 4);
	world_silent(&w);
	ref_response(r, &msg, &msg);
	world_recv(&w, r, &msg);
	world_hear(&w, r, &plain);
	assert_memory_equal(plain.data, packet.data, packet.len);
	world_silent(&w); /* the packet is the confirmation: no keepalive as well */
	assert_int_equal(world_grown(&w, INITIATIONS_SENT), 1);
	assert_int_equal(world_grown(&w, SESSIONS), 1);
	assert_int_equal(world_grown(&w, KEEPALIVES_SENT), 0);
	world_only_drop(&w, WG_COUNTERS, 0);
}

static void an_initiation_is_answered_to_where_it_came_from(void **state)
{
	(void)state;
	struct bytes msg;
	world_start(&w);
	ref_initiation(r, &msg);
	world_recv_from(&w, "198.51.100.7:999", &msg);
	const struct testhost_record *sent = world_expect(&w, WG_TYPE_RESPONSE, &msg);
	assert_int_equal(sent->endpoint.port, 999);
	assert_int_equal(sent->endpoint.addr[0], 198);
	assert_true(ref_consume(r, &msg));
	assert_int_equal(world_grown(&w, RESPONSES_SENT), 1);
	assert_int_equal(world_grown(&w, ROAMED), 1);
	world_silent(&w);
	world_only_drop(&w, WG_COUNTERS, 0);
}

static void the_responder_does_not_send_under_an_unconfirmed_session(void **state)
{
	(void)state;
	struct bytes msg, plain;
	world_start(&w);
	ref_initiation(r, &msg);
	world_recv(&w, r, &msg);
	world_expect(&w, WG_TYPE_RESPONSE, &msg);
	assert_true(ref_consume(r, &msg));
	world_send_to(&w, r, 50, 1);
	testhost_run(w.host);
	world_silent(&w); /* neither data nor a handshake of its own */
	assert_int_equal(world_grown(&w, SESSIONS), 0);
	ref_data(r, "", 0, &msg);
	world_recv(&w, r, &msg);
	world_hear(&w, r, &plain);
	assert_true(plain.len >= 78);
	assert_int_equal(world_grown(&w, SESSIONS), 1);
	assert_int_equal(world_grown(&w, KEEPALIVES_RECEIVED), 1);
	world_silent(&w);
	world_nothing_up(&w);
}

static void data_confirms_a_session_as_well(void **state)
{
	(void)state;
	struct bytes msg, plain;
	world_start(&w);
	ref_initiation(r, &msg);
	world_recv(&w, r, &msg);
	world_expect(&w, WG_TYPE_RESPONSE, &msg);
	assert_true(ref_consume(r, &msg));
	world_send_to(&w, r, 50, 1);
	world_say(&w, r, r->inside, w.inside, 10, 2);
	world_hear(&w, r, &plain);
	assert_int_equal(testhost_waiting(w.stage, 0, VPN_UP), 1);
	assert_int_equal(world_grown(&w, SESSIONS), 1);
}

static void what_does_not_verify_confirms_nothing(void **state)
{
	(void)state;
	struct bytes msg;
	world_start(&w);
	ref_initiation(r, &msg);
	world_recv(&w, r, &msg);
	world_expect(&w, WG_TYPE_RESPONSE, &msg);
	assert_true(ref_consume(r, &msg));
	world_send_to(&w, r, 50, 1);
	ref_data(r, "", 0, &msg);
	msg.data[msg.len - 1] ^= 1;
	world_recv(&w, r, &msg);
	world_silent(&w);
	assert_int_equal(world_grown(&w, SESSIONS), 0);
}

static void a_keepalive_confirms_when_nothing_waits(void **state)
{
	(void)state;
	struct bytes msg;
	w.peer_options[0].keepalive = 25;
	world_start(&w); /* the keepalive that is due at once needs a session */
	world_expect(&w, WG_TYPE_INITIATION, &msg);
	ref_response(r, &msg, &msg);
	world_recv(&w, r, &msg);
	world_hear_keepalive(&w, r);
	world_silent(&w);
	assert_int_equal(world_grown(&w, KEEPALIVES_SENT), 1);
}

static void a_keepalive_is_not_answered_with_one(void **state)
{
	(void)state;
	struct bytes msg;
	world_start(&w);
	world_call(&w, r);
	for (int i = 0; i < 5; i++) {
		ref_data(r, "", 0, &msg);
		world_recv(&w, r, &msg);
	}
	world_advance(&w, 60 * WG_SECOND);
	world_silent(&w);
	assert_int_equal(world_grown(&w, KEEPALIVES_RECEIVED), 5);
	assert_int_equal(world_grown(&w, KEEPALIVES_SENT), 0);
	world_nothing_up(&w);
}

static void staged_packets_follow_in_their_order(void **state)
{
	(void)state;
	struct bytes msg, plain;
	world_start(&w);
	for (uint32_t i = 0; i < WG_STAGED_MAX; i++) {
		world_send_to(&w, r, 20, (uint8_t)i);
		testhost_run(w.host);
	}
	world_expect(&w, WG_TYPE_INITIATION, &msg);
	world_silent(&w);
	ref_response(r, &msg, &msg);
	world_recv(&w, r, &msg);
	for (uint32_t i = 0; i < WG_STAGED_MAX; i++) {
		world_hear(&w, r, &plain);
		assert_int_equal(plain.data[28], i);
	}
	world_silent(&w);
	world_only_drop(&w, WG_COUNTERS, 0);
}

/* Whatever makes the lane look at them meanwhile. */
static void staged_packets_keep_their_order_when_the_lane_is_woken(void **state)
{
	(void)state;
	struct bytes msg, plain;
	world_start(&w);
	for (uint32_t i = 0; i < 100; i++)
		world_send_to(&w, r, 20, (uint8_t)i);
	wg_wake_all(w.wg);
	testhost_run(w.host);
	world_expect(&w, WG_TYPE_INITIATION, &msg);
	ref_response(r, &msg, &msg);
	world_recv(&w, r, &msg);
	for (uint32_t i = 0; i < 100; i++) {
		world_hear(&w, r, &plain);
		assert_int_equal(plain.data[28], i);
	}
}

/* ---- preshared keys ---- */

static void a_preshared_key_goes_into_both_roles(void **state)
{
	(void)state;
	struct bytes msg;
	world_psk(r, 0x55);
	world_start(&w);
	world_call(&w, r);
	world_advance(&w, WG_SECOND);
	world_join(&w, r);
	world_silent(&w);
	(void)msg;
	assert_int_equal(world_grown(&w, SESSIONS), 2);
	world_only_drop(&w, WG_COUNTERS, 0);
}

static void a_wrong_preshared_key_makes_no_session(void **state)
{
	(void)state;
	struct bytes msg;
	world_psk(r, 0x55);
	world_start(&w);
	r->noise.psk[31] ^= 1;
	world_send_to(&w, r, 10, 1);
	world_expect(&w, WG_TYPE_INITIATION, &msg);
	ref_response(r, &msg, &msg);
	world_recv(&w, r, &msg);
	world_silent(&w);
	world_only_drop(&w, DROP_BAD_HANDSHAKE, 1);
	ref_initiation(r, &msg);
	world_recv(&w, r, &msg);
	world_expect(&w, WG_TYPE_RESPONSE, &msg);
	assert_false(ref_consume(r, &msg));
}

static void a_new_preshared_key_leaves_the_session_and_counts_for_the_next(void **state)
{
	(void)state;
	struct bytes plain;
	uint8_t psk[WG_KEY_LEN];
	memset(psk, 0x77, sizeof(psk));
	world_psk(r, 0x55);
	world_start(&w);
	world_call(&w, r);
	wg_config_lock(w.wg);
	wg_config_peer_set_psk(w.wg, world_peer_of(&w, r), psk);
	wg_config_unlock(w.wg);
	testhost_run(w.host);
	world_silent(&w);
	world_send_to(&w, r, 10, 1);
	world_hear(&w, r, &plain);
	world_say(&w, r, r->inside, w.inside, 10, 2);
	assert_int_equal(testhost_waiting(w.stage, 0, VPN_UP), 1);
	memcpy(r->noise.psk, psk, sizeof(psk));
	world_join(&w, r);
	assert_int_equal(world_grown(&w, SESSIONS), 2);
	world_only_drop(&w, WG_COUNTERS, 0);
}

/* ---- what goes wrong on the way ---- */

static void a_lost_initiation_is_sent_again_under_another_index(void **state)
{
	(void)state;
	struct bytes first, second, msg, plain;
	world_start(&w);
	world_send_to(&w, r, 10, 1);
	world_expect(&w, WG_TYPE_INITIATION, &first);
	world_advance(&w, WG_REKEY_TIMEOUT - 1);
	world_silent(&w);
	world_advance(&w, WG_REKEY_JITTER + 1);
	world_expect(&w, WG_TYPE_INITIATION, &second);
	world_silent(&w);
	assert_memory_not_equal(first.data + 4, second.data + 4, 4);
	assert_memory_not_equal(first.data + 8, second.data + 8, WG_KEY_LEN);
	/* the answer to the first one comes too late */
	struct ref late = *r;
	ref_response(&late, &first, &msg);
	world_recv(&w, r, &msg);
	world_only_drop(&w, DROP_UNKNOWN_INDEX, 1);
	ref_response(r, &second, &msg);
	world_recv(&w, r, &msg);
	world_hear(&w, r, &plain);
	assert_int_equal(world_grown(&w, SESSIONS), 1);
}

static void indices_are_random(void **state)
{
	(void)state;
	struct bytes msg;
	uint32_t last = 0, near = 0;
	world_start(&w);
	for (int i = 0; i < 16; i++) {
		ref_initiation(r, &msg);
		world_recv(&w, r, &msg);
		world_expect(&w, WG_TYPE_RESPONSE, &msg);
		uint32_t index = wg_load_le32(msg.data + 4);
		assert_int_not_equal(index, 0);
		assert_int_not_equal(index, last);
		near += index - last < 0x10000u || last - index < 0x10000u;
		last = index;
		world_advance(&w, 20 * WG_MS);
	}
	assert_true(near < 4);
}

static void handshakes_have_a_class_of_their_own(void **state)
{
	(void)state;
	struct bytes msg;
	world_start(&w);
	world_send_to(&w, r, 10, 1);
	const struct testhost_record *sent = world_expect(&w, WG_TYPE_INITIATION, &msg);
	assert_int_equal(sent->flags >> 24, 0x88);
	assert_true((sent->flags & VPN_PACKET_HAS_CLASS) != 0);
	ref_initiation(r, &msg);
	world_recv(&w, r, &msg);
	assert_int_equal(world_expect(&w, WG_TYPE_RESPONSE, &msg)->flags >> 24, 0x88);
}

static void both_that_begin_at_once_find_together(void **state)
{
	(void)state;
	struct bytes ours, theirs, answer, late, plain;
	world_start(&w);
	world_send_to(&w, r, 10, 9);
	world_expect(&w, WG_TYPE_INITIATION, &ours);
	ref_initiation(r, &theirs);
	world_recv(&w, r, &theirs);
	world_expect(&w, WG_TYPE_RESPONSE, &answer);
	world_silent(&w); /* the packet waits */
	/* the other side does the same: it has answered ours and cannot use our answer */
	ref_response(r, &ours, &late);
	assert_false(ref_consume(r, &answer));
	world_recv(&w, r, &late);
	world_silent(&w);
	assert_int_equal(world_grown(&w, SESSIONS), 0);
	world_advance(&w, WG_REKEY_TIMEOUT + WG_REKEY_JITTER);
	world_expect(&w, WG_TYPE_INITIATION, &ours);
	ref_response(r, &ours, &answer);
	world_recv(&w, r, &answer);
	world_hear(&w, r, &plain);
	assert_int_equal(plain.data[28], 9);
}

/* ---- where the peer is ---- */

static struct vpn_endpoint endpoint_of_peer(void)
{
	struct vpn_endpoint e;
	assert_true(wg_peer_target(world_peer_of(&w, r), &e));
	return e;
}

static void a_response_from_elsewhere_moves_the_peer(void **state)
{
	(void)state;
	struct bytes msg;
	world_start(&w);
	world_send_to(&w, r, 10, 1);
	world_expect(&w, WG_TYPE_INITIATION, &msg);
	ref_response(r, &msg, &msg);
	world_recv_from(&w, "[2001:db8::77]:7", &msg);
	const struct testhost_record *sent = world_expect(&w, WG_TYPE_DATA, NULL);
	assert_int_equal(sent->endpoint.family, VPN_AF_INET6);
	assert_int_equal(sent->endpoint.port, 7);
	assert_int_equal(world_grown(&w, ROAMED), 1);
}

static void a_cookie_reply_from_elsewhere_does_not(void **state)
{
	(void)state;
	struct bytes msg;
	world_start(&w);
	world_send_to(&w, r, 10, 1);
	world_expect(&w, WG_TYPE_INITIATION, &msg);
	ref_cookie(r, &msg, &msg);
	world_recv_from(&w, "198.51.100.7:999", &msg);
	world_silent(&w); /* it is not answered either */
	assert_int_equal(world_grown(&w, COOKIES_RECEIVED), 1);
	assert_int_equal(world_grown(&w, ROAMED), 0);
	assert_int_equal(endpoint_of_peer().port, 51820);
}

static void bad_handshakes_from_elsewhere_do_not(void **state)
{
	(void)state;
	struct bytes initiation, msg;
	world_start(&w);
	ref_initiation(r, &initiation);
	world_recv(&w, r, &initiation);
	world_advance(&w, WG_SECOND);
	world_recv_from(&w, "198.51.100.7:999", &initiation); /* a replay */
	ref_initiation(r, &msg);
	msg.data[100] ^= 1;
	ref_sign(r, &msg);
	world_recv_from(&w, "198.51.100.7:999", &msg);
	assert_int_equal(world_grown(&w, ROAMED), 0);
	assert_int_equal(endpoint_of_peer().port, 51820);
	assert_int_equal(world_grown(&w, DROP_OLD_TIMESTAMP), 1);
	assert_int_equal(world_grown(&w, DROP_BAD_HANDSHAKE), 1);
}

/* ---- our own key ---- */

static void set_private_key(const uint8_t key[WG_KEY_LEN])
{
	wg_config_lock(w.wg);
	wg_config_set_private_key(w.wg, key);
	wg_config_unlock(w.wg);
	testhost_run(w.host);
}

static void a_new_private_key_begins_anew_at_once(void **state)
{
	(void)state;
	struct bytes msg;
	uint8_t key[WG_KEY_LEN];
	world_start(&w);
	world_call(&w, r);
	struct ref_session old = r->session;
	memset(key, 0x99, sizeof(key));
	set_private_key(key);
	world_expect(&w, WG_TYPE_INITIATION, &msg);
	ref_seal(&old, 100, "", 0, &msg);
	world_mark(&w);
	world_recv(&w, r, &msg);
	world_only_drop(&w, DROP_UNKNOWN_INDEX, 1);
	/* it is another one now */
	struct wg_identity id;
	wg_identity_set(&id, key);
	wg_noise_init(&r->noise, &r->id, id.public_key, NULL);
	wg_cookie_maker_init(&r->maker, id.public_key);
	world_advance(&w, WG_SECOND);
	world_join(&w, r);
	assert_int_equal(world_grown(&w, SESSIONS), 1);
}

static void without_a_private_key_nothing_is_sent_or_taken(void **state)
{
	(void)state;
	static const uint8_t none[WG_KEY_LEN];
	struct bytes msg;
	world_start(&w);
	world_call(&w, r);
	set_private_key(none);
	world_silent(&w);
	world_send_to(&w, r, 10, 1);
	world_advance(&w, 20 * WG_SECOND);
	world_silent(&w);
	world_mark(&w);
	ref_initiation(r, &msg);
	world_recv(&w, r, &msg);
	world_silent(&w);
	assert_int_equal(world_grown(&w, DROP_UNKNOWN_PEER) + world_grown(&w, DROP_BAD_MAC1), 1);
	/* and with it, again */
	world_advance(&w, WG_SECOND);
	set_private_key(w.private_key);
	testhost_clear(w.stage, 0, VPN_DOWN);
	world_join(&w, r);
}

static void the_same_private_key_changes_nothing(void **state)
{
	(void)state;
	struct bytes plain;
	world_start(&w);
	world_call(&w, r);
	set_private_key(w.private_key);
	world_silent(&w);
	world_send_to(&w, r, 10, 1);
	world_hear(&w, r, &plain);
}

static void a_peer_whose_key_becomes_ours_is_removed(void **state)
{
	(void)state;
	world_start(&w);
	set_private_key(r->id.private_key);
	wg_config_lock(w.wg);
	assert_null(wg_peers_find(&w.wg->peers, r->public_key));
	wg_config_unlock(w.wg);
	world_silent(&w);
}

/* ---- keys that are no keys ---- */

/* u-coordinates of low order; the list of cr.yp.to/ecdh.html */
static const uint8_t low_order[7][WG_KEY_LEN] = {
	{0},
	{1},
	{0xe0, 0xeb, 0x7a, 0x7c, 0x3b, 0x41, 0xb8, 0xae, 0x16, 0x56, 0xe3,
	 0xfa, 0xf1, 0x9f, 0xc4, 0x6a, 0xda, 0x09, 0x8d, 0xeb, 0x9c, 0x32,
	 0xb1, 0xfd, 0x86, 0x62, 0x05, 0x16, 0x5f, 0x49, 0xb8, 0x00},
	{0x5f, 0x9c, 0x95, 0xbc, 0xa3, 0x50, 0x8c, 0x24, 0xb1, 0xd0, 0xb1,
	 0x55, 0x9c, 0x83, 0xef, 0x5b, 0x04, 0x44, 0x5c, 0xc4, 0x58, 0x1c,
	 0x8e, 0x86, 0xd8, 0x22, 0x4e, 0xdd, 0xd0, 0x9f, 0x11, 0x57},
	{0xec, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff,
	 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff,
	 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x7f},
	{0xed, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff,
	 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff,
	 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x7f},
	{0xee, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff,
	 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff,
	 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x7f},
};

static void add_by_config(const uint8_t key[WG_KEY_LEN], const char *prefix)
{
	bool created;
	int e;
	struct vpn_prefix p;
	assert_true(wg_text_parse_prefix(prefix, &p));
	wg_config_lock(w.wg);
	struct wg_peer *peer = wg_config_peer(w.wg, key, true, &created, &e);
	assert_non_null(peer);
	assert_true(created);
	assert_int_equal(wg_config_peer_add_allowed(w.wg, peer, &p), 0);
	wg_config_peer_set_endpoint(w.wg, peer, &r->at);
	wg_config_peer_set_keepalive(w.wg, peer, 1);
	wg_config_peer_done(w.wg, peer);
	wg_config_unlock(w.wg);
	testhost_run(w.host);
}

static void peers_of_low_order_are_sent_nothing(void **state)
{
	(void)state;
	struct bytes packet;
	char prefix[32], inside[32];
	world_start(&w);
	for (int i = 0; i < 7; i++) {
		snprintf(prefix, sizeof(prefix), "10.7.%d.0/24", i);
		snprintf(inside, sizeof(inside), "10.7.%d.9", i);
		add_by_config(low_order[i], prefix);
		world_udp(&packet, w.inside, inside, 10, 1);
		world_send(&w, &packet);
	}
	world_advance(&w, 120 * WG_SECOND);
	world_silent(&w);
	assert_int_equal(world_grown(&w, INITIATIONS_SENT), 0);
}

static void ephemeral_keys_of_low_order_are_refused(void **state)
{
	(void)state;
	struct bytes msg, bad, plain;
	world_start(&w);
	for (int i = 0; i < 7; i++) {
		ref_initiation(r, &msg);
		memcpy(msg.data + 8, low_order[i], WG_KEY_LEN);
		ref_sign(r, &msg);
		world_recv(&w, r, &msg);
		world_silent(&w);
		world_only_drop(&w, DROP_BAD_HANDSHAKE, (uint64_t)i + 1);
	}
	world_send_to(&w, r, 10, 1);
	world_expect(&w, WG_TYPE_INITIATION, &msg);
	ref_response(r, &msg, &msg);
	for (int i = 0; i < 7; i++) {
		bad = msg;
		memcpy(bad.data + 12, low_order[i], WG_KEY_LEN);
		ref_sign(r, &bad);
		world_recv(&w, r, &bad);
		world_silent(&w);
		world_only_drop(&w, DROP_BAD_HANDSHAKE, (uint64_t)i + 8);
	}
	world_recv(&w, r, &msg); /* the good one is still waited for */
	world_hear(&w, r, &plain);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(a_packet_begins_a_handshake_and_follows_it),
		TEST(an_initiation_is_answered_to_where_it_came_from),
		TEST(the_responder_does_not_send_under_an_unconfirmed_session),
		TEST(data_confirms_a_session_as_well),
		TEST(what_does_not_verify_confirms_nothing),
		TEST(a_keepalive_confirms_when_nothing_waits),
		TEST(a_keepalive_is_not_answered_with_one),
		TEST(staged_packets_follow_in_their_order),
		TEST(staged_packets_keep_their_order_when_the_lane_is_woken),
		TEST(a_preshared_key_goes_into_both_roles),
		TEST(a_wrong_preshared_key_makes_no_session),
		TEST(a_new_preshared_key_leaves_the_session_and_counts_for_the_next),
		TEST(a_lost_initiation_is_sent_again_under_another_index),
		TEST(indices_are_random),
		TEST(handshakes_have_a_class_of_their_own),
		TEST(both_that_begin_at_once_find_together),
		TEST(a_response_from_elsewhere_moves_the_peer),
		TEST(a_cookie_reply_from_elsewhere_does_not),
		TEST(bad_handshakes_from_elsewhere_do_not),
		TEST(a_new_private_key_begins_anew_at_once),
		TEST(without_a_private_key_nothing_is_sent_or_taken),
		TEST(the_same_private_key_changes_nothing),
		TEST(a_peer_whose_key_becomes_ours_is_removed),
		TEST(peers_of_low_order_are_sent_nothing),
		TEST(ephemeral_keys_of_low_order_are_refused),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
