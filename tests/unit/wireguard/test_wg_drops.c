/* SPDX-License-Identifier: BSD-2-Clause */
/* test_wg_drops: whatever is wrong is counted as what it is, once, and has no other effect: nothing goes
 * up, nothing goes down, and the session works as before. */
#include "wg_world.h"

static struct world w;
static struct ref *r, *other;

static int set_up(void **state)
{
	(void)state;
	world_init(&w);
	r = world_peer(&w, "192.0.2.1:51820", "10.0.1.0/24");
	other = world_peer(&w, "192.0.2.2:51821", "10.0.2.0/24");
	world_prefix(r, "fd00:1::/64");
	world_prefix(r, "10.0.2.64/26");
	world_start(&w);
	world_join(&w, r);
	world_advance(&w, WG_SECOND);
	world_mark(&w);
	return 0;
}

/* ... and the session works still. */
static int tear_down(void **state)
{
	(void)state;
	struct bytes plain;
	testhost_clear(w.stage, 0, VPN_UP);
	testhost_clear(w.stage, 0, VPN_DOWN);
	if (testhost_now(w.host) < world_peer_of(&w, r)->current->created_ns + WG_SECOND * 100) {
		world_send_to(&w, r, 10, 1);
		world_hear(&w, r, &plain);
		world_say(&w, r, r->inside, w.inside, 10, 2);
		assert_int_equal(testhost_waiting(w.stage, 0, VPN_UP), 1);
	}
	world_end(&w);
	return 0;
}

static void dropped(const struct bytes *msg, enum wg_count reason)
{
	world_mark(&w);
	world_recv_from(&w, "198.51.100.66:666", msg);
	world_only_drop(&w, reason, 1);
	world_silent(&w);
	world_nothing_up(&w);
	assert_int_equal(world_grown(&w, ROAMED), 0);
}

static void dropped_with_length(const struct bytes *msg, uint32_t len)
{
	struct bytes cut = *msg;
	cut.len = len;
	dropped(&cut, DROP_SHORT);
}

/* ---- form ---- */

static void data_shorter_than_header_and_tag(void **state)
{
	(void)state;
	struct bytes msg;
	ref_seal(&r->session, 900, "", 0, &msg);
	for (uint32_t len = 0; len < WG_DATA_OVERHEAD; len++)
		dropped_with_length(&msg, len);
}

static void handshakes_of_another_length_than_theirs(void **state)
{
	(void)state;
	struct bytes msg;
	ref_initiation(other, &msg);
	memset(msg.data + msg.len, 0, 100);
	dropped_with_length(&msg, 147);
	dropped_with_length(&msg, 149);
	dropped_with_length(&msg, 92);
	msg.data[0] = WG_TYPE_RESPONSE;
	dropped_with_length(&msg, 91);
	dropped_with_length(&msg, 93);
	msg.data[0] = WG_TYPE_COOKIE;
	dropped_with_length(&msg, 63);
	dropped_with_length(&msg, 65);
}

static void messages_of_no_known_type(void **state)
{
	(void)state;
	struct bytes msg;
	static const uint8_t types[] = {0, 5, 6, 127, 128, 255};
	ref_seal(&r->session, 900, "", 0, &msg);
	for (size_t i = 0; i < sizeof(types); i++) {
		msg.data[0] = types[i];
		dropped(&msg, DROP_BAD_TYPE);
	}
}

static void reserved_bytes_that_are_not_zero(void **state)
{
	(void)state;
	struct bytes data, initiation;
	ref_seal(&r->session, 900, "", 0, &data);
	ref_initiation(other, &initiation);
	for (int i = 1; i < 4; i++) {
		struct bytes bad = data;
		bad.data[i] = 1;
		dropped(&bad, DROP_BAD_TYPE);
		bad = initiation;
		bad.data[i] = 1;
		ref_sign(other, &bad);
		dropped(&bad, DROP_BAD_TYPE);
	}
}

/* ---- handshakes ---- */

static void initiations_with_a_wrong_mac1(void **state)
{
	(void)state;
	struct bytes msg, bad;
	ref_initiation(other, &msg);
	for (uint32_t i = 4; i < 132; i += 7) {
		bad = msg;
		bad.data[i] ^= 0x80;
		dropped(&bad, DROP_BAD_MAC1);
	}
	world_recv(&w, other, &msg); /* it was good, and still is */
	world_expect(&w, WG_TYPE_RESPONSE, NULL);
}

static void responses_with_a_wrong_mac1(void **state)
{
	(void)state;
	struct bytes msg, bad;
	world_send_to(&w, other, 10, 1);
	world_expect(&w, WG_TYPE_INITIATION, &msg);
	ref_response(other, &msg, &msg);
	bad = msg;
	bad.data[60] ^= 1;
	dropped(&bad, DROP_BAD_MAC1);
	bad = msg;
	bad.data[4] ^= 1;
	dropped(&bad, DROP_BAD_MAC1);
	world_recv(&w, other, &msg);
	world_expect(&w, WG_TYPE_DATA, NULL);
}

static void a_mac2_that_is_not_asked_for_does_not_matter(void **state)
{
	(void)state;
	struct bytes msg;
	ref_initiation(other, &msg);
	memset(msg.data + 132, 0xee, WG_MAC_LEN);
	world_recv(&w, other, &msg);
	world_expect(&w, WG_TYPE_RESPONSE, NULL);
	world_only_drop(&w, WG_COUNTERS, 0);
}

static void initiations_of_a_stranger(void **state)
{
	(void)state;
	struct bytes msg;
	struct wg_identity id;
	uint8_t key[WG_KEY_LEN];
	memset(key, 0x33, sizeof(key));
	wg_identity_set(&id, key);
	other->id = id;
	wg_noise_init(&other->noise, &id, w.public_key, NULL);
	ref_initiation(other, &msg);
	dropped(&msg, DROP_UNKNOWN_PEER);
}

static void initiations_with_our_own_key(void **state)
{
	(void)state;
	struct bytes msg;
	wg_identity_set(&other->id, w.private_key);
	wg_noise_init(&other->noise, &other->id, w.public_key, NULL);
	ref_initiation(other, &msg);
	dropped(&msg, DROP_UNKNOWN_PEER);
}

static void initiations_of_a_peer_that_is_not_complete(void **state)
{
	(void)state;
	struct bytes msg;
	bool created;
	int e;
	wg_config_lock(w.wg);
	wg_config_peer_remove(w.wg, world_peer_of(&w, other));
	assert_non_null(wg_config_peer(w.wg, other->public_key, true, &created, &e));
	wg_config_unlock(w.wg);
	testhost_run(w.host);
	ref_initiation(other, &msg);
	dropped(&msg, DROP_UNKNOWN_PEER);
}

static void initiations_whose_parts_do_not_verify(void **state)
{
	(void)state;
	struct bytes msg, bad;
	static const uint32_t places[] = {8, 39, 40, 71, 87, 88, 99, 115};
	ref_initiation(other, &msg);
	for (size_t i = 0; i < sizeof(places) / sizeof(places[0]); i++) {
		bad = msg;
		bad.data[places[i]] ^= 2;
		ref_sign(other, &bad);
		dropped(&bad, DROP_BAD_HANDSHAKE);
	}
	world_recv(&w, other, &msg);
	world_expect(&w, WG_TYPE_RESPONSE, NULL);
}

static void initiations_that_were_sent_again(void **state)
{
	(void)state;
	struct bytes first, second;
	ref_initiation(other, &first);
	ref_initiation(other, &second);
	world_recv(&w, other, &second);
	world_expect(&w, WG_TYPE_RESPONSE, NULL);
	world_advance(&w, WG_SECOND);
	dropped(&second, DROP_OLD_TIMESTAMP);
	dropped(&first, DROP_OLD_TIMESTAMP);
}

static void initiations_that_come_too_fast(void **state)
{
	(void)state;
	struct bytes msg;
	ref_initiation(other, &msg);
	world_recv(&w, other, &msg);
	world_expect(&w, WG_TYPE_RESPONSE, NULL);
	world_advance(&w, WG_INITIATION_INTERVAL - 1);
	ref_initiation(other, &msg);
	dropped(&msg, DROP_TOO_SOON);
	world_advance(&w, 1);
	world_recv(&w, other, &msg); /* nothing of it was taken: it may come again */
	world_expect(&w, WG_TYPE_RESPONSE, NULL);
}

static void responses_that_nothing_waits_for(void **state)
{
	(void)state;
	struct bytes initiation, response, plain;
	world_send_to(&w, other, 10, 1);
	world_expect(&w, WG_TYPE_INITIATION, &initiation);
	ref_response(other, &initiation, &response);
	world_recv(&w, other, &response);
	world_hear(&w, other, &plain);
	dropped(&response, DROP_UNEXPECTED); /* its number is the session's now */
}

static void responses_to_a_handshake_that_is_not_there(void **state)
{
	(void)state;
	struct bytes initiation, response, bad;
	world_send_to(&w, other, 10, 1);
	world_expect(&w, WG_TYPE_INITIATION, &initiation);
	ref_response(other, &initiation, &response);
	bad = response;
	bad.data[8] ^= 0x10;
	ref_sign(other, &bad);
	dropped(&bad, DROP_UNKNOWN_INDEX);
}

static void responses_whose_parts_do_not_verify(void **state)
{
	(void)state;
	struct bytes initiation, response, bad;
	static const uint32_t places[] = {12, 43, 44, 59};
	world_send_to(&w, other, 10, 1);
	world_expect(&w, WG_TYPE_INITIATION, &initiation);
	ref_response(other, &initiation, &response);
	for (size_t i = 0; i < sizeof(places) / sizeof(places[0]); i++) {
		bad = response;
		bad.data[places[i]] ^= 2;
		ref_sign(other, &bad);
		dropped(&bad, DROP_BAD_HANDSHAKE);
	}
	world_recv(&w, other, &response);
	world_expect(&w, WG_TYPE_DATA, NULL);
}

/* The right answer, but by somebody else. */
static void responses_of_another_peer(void **state)
{
	(void)state;
	struct bytes initiation, response;
	world_send_to(&w, other, 10, 1);
	world_expect(&w, WG_TYPE_INITIATION, &initiation);
	ref_response(other, &initiation, &response);
	ref_initiation(r, &initiation); /* r knows our key, and so our mac1 */
	memcpy(response.data + 12, initiation.data + 8, WG_KEY_LEN);
	ref_sign(r, &response);
	dropped(&response, DROP_BAD_HANDSHAKE);
}

static void cookies_that_answer_nothing(void **state)
{
	(void)state;
	struct bytes msg, cookie, bad;
	world_send_to(&w, other, 10, 1);
	world_expect(&w, WG_TYPE_INITIATION, &msg);
	ref_cookie(other, &msg, &cookie);
	bad = cookie;
	bad.data[63] ^= 1;
	dropped(&bad, DROP_BAD_HANDSHAKE);
	bad = cookie;
	bad.data[5] ^= 1;
	dropped(&bad, DROP_UNKNOWN_INDEX);
	world_recv(&w, other, &cookie);
	assert_int_equal(world_grown(&w, COOKIES_RECEIVED), 1);
	dropped(&cookie, DROP_BAD_HANDSHAKE); /* one for each message of ours */
}

/* ---- data ---- */

static void data_for_a_session_that_is_not_there(void **state)
{
	(void)state;
	struct bytes msg;
	ref_seal(&r->session, 900, "", 0, &msg);
	msg.data[4] ^= 1;
	dropped(&msg, DROP_UNKNOWN_INDEX);
	memset(msg.data + 4, 0, 4);
	dropped(&msg, DROP_UNKNOWN_INDEX);
}

static void data_for_a_handshake_that_is_no_session_yet(void **state)
{
	(void)state;
	struct bytes msg, initiation;
	world_send_to(&w, other, 10, 1);
	world_expect(&w, WG_TYPE_INITIATION, &initiation);
	ref_seal(&r->session, 900, "", 0, &msg);
	memcpy(msg.data + 4, initiation.data + 4, 4);
	dropped(&msg, DROP_UNKNOWN_INDEX);
}

static void data_under_a_session_that_is_over(void **state)
{
	(void)state;
	struct bytes msg;
	world_advance(&w, WG_REJECT_AFTER_TIME - WG_SECOND - 1);
	testhost_clear(w.stage, 0, VPN_DOWN);
	world_mark(&w);
	ref_data(r, "", 0, &msg);
	world_recv(&w, r, &msg);
	world_only_drop(&w, WG_COUNTERS, 0); /* its last nanosecond */
	assert_int_equal(world_grown(&w, KEEPALIVES_RECEIVED), 1);
	world_advance(&w, 1);
	testhost_clear(w.stage, 0, VPN_DOWN);
	ref_data(r, "", 0, &msg);
	dropped(&msg, DROP_EXPIRED);
}

static void counters_at_their_end(void **state)
{
	(void)state;
	struct bytes msg;
	ref_seal(&r->session, WG_REJECT_AFTER_MESSAGES, "", 0, &msg);
	dropped(&msg, DROP_EXHAUSTED);
	ref_seal(&r->session, UINT64_MAX, "", 0, &msg);
	dropped(&msg, DROP_EXHAUSTED);
}

static void data_that_does_not_verify(void **state)
{
	(void)state;
	struct bytes packet, msg, bad;
	world_udp(&packet, r->inside, w.inside, 10, 1);
	ref_data(r, packet.data, packet.len, &msg);
	for (uint32_t i = 8; i < msg.len; i++) {
		bad = msg;
		bad.data[i] ^= 1;
		if (i == 15) /* a counter beyond the end is seen first: 2^56 is not */
			continue;
		dropped(&bad, DROP_BAD_TAG);
	}
	dropped_with_length(&msg, 31);
	msg.len--;
	dropped(&msg, DROP_BAD_TAG);
	msg.len += 2;
	dropped(&msg, DROP_BAD_TAG);
}

/* A forged counter does not move the window. */
static void a_forged_counter_shuts_nothing_out(void **state)
{
	(void)state;
	struct bytes msg;
	ref_seal(&r->session, UINT64_C(1) << 40, "", 0, &msg);
	msg.data[msg.len - 1] ^= 1;
	dropped(&msg, DROP_BAD_TAG);
	ref_data(r, "", 0, &msg);
	world_recv(&w, r, &msg);
	assert_int_equal(world_grown(&w, KEEPALIVES_RECEIVED), 1);
}

static void data_that_came_before(void **state)
{
	(void)state;
	struct bytes packet, msg;
	world_udp(&packet, r->inside, w.inside, 10, 1);
	ref_data(r, packet.data, packet.len, &msg);
	world_recv(&w, r, &msg);
	world_expect_up(&w, &packet);
	dropped(&msg, DROP_REPLAY);
	ref_data(r, "", 0, &msg);
	world_recv(&w, r, &msg);
	dropped(&msg, DROP_REPLAY);
}

static void data_too_old_to_tell(void **state)
{
	(void)state;
	struct bytes msg;
	struct ref_session s = r->session;
	ref_seal(&s, 20000, "", 0, &msg);
	world_recv(&w, r, &msg);
	ref_seal(&s, 20000 - WG_REPLAY_WINDOW - 1, "", 0, &msg);
	dropped(&msg, DROP_REPLAY);
	ref_seal(&s, 20000 - WG_REPLAY_WINDOW, "", 0, &msg);
	world_mark(&w);
	world_recv(&w, r, &msg);
	world_only_drop(&w, WG_COUNTERS, 0);
	assert_int_equal(world_grown(&w, KEEPALIVES_RECEIVED), 1);
	r->session.sent = 20001;
}

/* The whole counter is the nonce: what only differs above bit 32 is another message. */
static void counters_have_64_bits(void **state)
{
	(void)state;
	struct bytes msg;
	struct ref_session s = r->session;
	static const uint64_t counters[] = {UINT64_C(0x100000001), UINT64_C(0x200000001),
					    UINT64_C(0xff00000000000001),
					    WG_REJECT_AFTER_MESSAGES - 1};
	for (size_t i = 0; i < 4; i++) {
		ref_seal(&s, counters[i], "", 0, &msg);
		world_mark(&w);
		world_recv(&w, r, &msg);
		assert_int_equal(world_grown(&w, KEEPALIVES_RECEIVED), 1);
	}
	r->session.sent = WG_REJECT_AFTER_MESSAGES - 100;
}

/* ---- what is inside ---- */

/* It is authentic: the peer has moved, whatever it sent. */
static void refused_inside(const void *plain, uint32_t len, enum wg_count reason)
{
	struct bytes msg;
	ref_data(r, plain, len, &msg);
	world_mark(&w);
	world_recv(&w, r, &msg);
	world_only_drop(&w, reason, 1);
	world_silent(&w);
	world_nothing_up(&w);
}

static void packets_of_no_known_version(void **state)
{
	(void)state;
	struct bytes packet;
	world_udp(&packet, r->inside, w.inside, 10, 1);
	for (uint32_t version = 0; version < 16; version++) {
		if (version == 4 || version == 6)
			continue;
		packet.data[0] = (uint8_t)(version << 4 | 5);
		refused_inside(packet.data, packet.len, DROP_MALFORMED);
	}
}

static void headers_that_are_cut_off(void **state)
{
	(void)state;
	struct bytes packet;
	world_udp(&packet, r->inside, w.inside, 10, 1);
	for (uint32_t len = 1; len < packet.len; len++)
		refused_inside(packet.data, len, DROP_MALFORMED);
	world_udp(&packet, "fd00:1::2", "fd00::1", 10, 1);
	for (uint32_t len = 1; len < packet.len; len++)
		refused_inside(packet.data, len, DROP_MALFORMED);
}

static void lengths_that_cannot_be(void **state)
{
	(void)state;
	struct bytes packet;
	world_udp(&packet, r->inside, w.inside, 10, 1);
	packet.data[3]++; /* more than there is */
	refused_inside(packet.data, packet.len, DROP_MALFORMED);
	packet.data[3] = 19; /* less than its header */
	refused_inside(packet.data, packet.len, DROP_MALFORMED);
	packet.data[2] = 0xff;
	packet.data[3] = 0xff;
	refused_inside(packet.data, packet.len, DROP_MALFORMED);
	world_udp(&packet, r->inside, w.inside, 10, 1);
	packet.data[0] = 0x44; /* a header of 16 bytes */
	refused_inside(packet.data, packet.len, DROP_MALFORMED);
	packet.data[0] = 0x4f; /* 60, and the packet has 38 */
	refused_inside(packet.data, packet.len, DROP_MALFORMED);
	world_udp(&packet, "fd00:1::2", "fd00::1", 10, 1);
	packet.data[5]++;
	refused_inside(packet.data, packet.len, DROP_MALFORMED);
}

static void addresses_that_are_not_the_peers(void **state)
{
	(void)state;
	struct bytes packet;
	static const char *const sources[][2] = {
		{"10.0.2.2", "10.0.0.1"},   /* another peer's */
		{"10.0.2.63", "10.0.0.1"},  /* just below what is the peer's in there */
		{"10.0.2.128", "10.0.0.1"}, /* just above */
		{"10.9.9.9", "10.0.0.1"},   /* nobody's */
		{"0.0.0.0", "10.0.0.1"},    {"255.255.255.255", "10.0.0.1"},
		{"fd00:2::1", "fd00::1"},   {"fd00:1:0:1::1", "fd00::1"},
	};
	for (size_t i = 0; i < sizeof(sources) / sizeof(sources[0]); i++) {
		world_udp(&packet, sources[i][0], sources[i][1], 10, 1);
		refused_inside(packet.data, packet.len, DROP_DISALLOWED_SOURCE);
	}
}

/* The longest prefix decides: 10.0.2.64/26 is cut out of what the other one has. */
static void the_most_specific_prefix_decides_whose_it_is(void **state)
{
	(void)state;
	struct bytes packet, msg;
	world_udp(&packet, "10.0.2.65", w.inside, 10, 1);
	ref_data(r, packet.data, packet.len, &msg);
	world_recv(&w, r, &msg);
	world_expect_up(&w, &packet);
	world_join(&w, other);
	ref_data(other, packet.data, packet.len, &msg);
	world_mark(&w);
	world_recv(&w, other, &msg);
	world_only_drop(&w, DROP_DISALLOWED_SOURCE, 1);
	world_nothing_up(&w);
	/* and outwards */
	struct bytes plain;
	testhost_clear(w.stage, 0, VPN_DOWN);
	world_udp(&packet, w.inside, "10.0.2.127", 10, 1);
	world_send(&w, &packet);
	world_hear(&w, r, &plain);
	world_udp(&packet, w.inside, "10.0.2.128", 10, 1);
	world_send(&w, &packet);
	world_hear(&w, other, &plain);
}

/* A prefix that is taken away does not count for the next packet any more. */
static void a_prefix_that_was_moved_is_not_the_peers(void **state)
{
	(void)state;
	struct bytes packet;
	struct vpn_prefix p;
	assert_true(wg_text_parse_prefix("10.0.1.0/24", &p));
	world_udp(&packet, "10.0.1.9", w.inside, 10, 1);
	wg_config_lock(w.wg);
	assert_int_equal(wg_config_peer_add_allowed(w.wg, world_peer_of(&w, other), &p), 0);
	wg_config_unlock(w.wg);
	testhost_run(w.host);
	refused_inside(packet.data, packet.len, DROP_DISALLOWED_SOURCE);
	wg_config_lock(w.wg);
	assert_int_equal(wg_config_peer_add_allowed(w.wg, world_peer_of(&w, r), &p), 0);
	wg_config_unlock(w.wg);
}

/* ---- while the device is down ---- */

static void what_comes_for_a_peer_that_is_gone(void **state)
{
	(void)state;
	struct bytes msg, initiation;
	struct ref_session s;
	world_join(&w, other);
	s = other->session;
	world_advance(&w, WG_SECOND);
	ref_initiation(other, &initiation);
	wg_config_lock(w.wg);
	wg_config_peer_remove(w.wg, world_peer_of(&w, other));
	wg_config_unlock(w.wg);
	testhost_run(w.host);
	ref_seal(&s, 900, "", 0, &msg);
	dropped(&msg, DROP_UNKNOWN_INDEX);
	dropped(&initiation, DROP_UNKNOWN_PEER);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(data_shorter_than_header_and_tag),
		TEST(handshakes_of_another_length_than_theirs),
		TEST(messages_of_no_known_type),
		TEST(reserved_bytes_that_are_not_zero),
		TEST(initiations_with_a_wrong_mac1),
		TEST(responses_with_a_wrong_mac1),
		TEST(a_mac2_that_is_not_asked_for_does_not_matter),
		TEST(initiations_of_a_stranger),
		TEST(initiations_with_our_own_key),
		TEST(initiations_of_a_peer_that_is_not_complete),
		TEST(initiations_whose_parts_do_not_verify),
		TEST(initiations_that_were_sent_again),
		TEST(initiations_that_come_too_fast),
		TEST(responses_that_nothing_waits_for),
		TEST(responses_to_a_handshake_that_is_not_there),
		TEST(responses_whose_parts_do_not_verify),
		TEST(responses_of_another_peer),
		TEST(cookies_that_answer_nothing),
		TEST(data_for_a_session_that_is_not_there),
		TEST(data_for_a_handshake_that_is_no_session_yet),
		TEST(data_under_a_session_that_is_over),
		TEST(counters_at_their_end),
		TEST(data_that_does_not_verify),
		TEST(a_forged_counter_shuts_nothing_out),
		TEST(data_that_came_before),
		TEST(data_too_old_to_tell),
		TEST(counters_have_64_bits),
		TEST(packets_of_no_known_version),
		TEST(headers_that_are_cut_off),
		TEST(lengths_that_cannot_be),
		TEST(addresses_that_are_not_the_peers),
		TEST(the_most_specific_prefix_decides_whose_it_is),
		TEST(a_prefix_that_was_moved_is_not_the_peers),
		TEST(what_comes_for_a_peer_that_is_gone),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
