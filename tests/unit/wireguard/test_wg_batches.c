/* SPDX-License-Identifier: BSD-2-Clause */
/* test_wg_batches: what comes in one push leaves in one push, in its order, whoever it is for. */
#include "wg_world.h"

#include <stdio.h>

#define BATCH 64u

static struct world w;
static struct ref *r, *other;
static struct vpn_packet *pkts[VPN_BATCH_MAX];
static uint32_t n_pkts;

static int set_up(void **state)
{
	(void)state;
	world_init(&w);
	w.setup.max_batch = VPN_BATCH_MAX;
	r = world_peer(&w, "192.0.2.1:51820", "10.0.1.0/24");
	other = world_peer(&w, "192.0.2.2:51821", "10.0.2.0/24");
	n_pkts = 0;
	return 0;
}

static int tear_down(void **state)
{
	(void)state;
	world_end(&w);
	return 0;
}

static void start(void)
{
	world_start(&w);
	world_join(&w, r);
	world_join(&w, other);
	world_advance(&w, WG_SECOND);
	world_mark(&w);
}

static void add_up(const struct bytes *msg, const struct ref *from)
{
	struct vpn_packet *p = testhost_packet(w.stage, 0, VPN_UP, msg->data, msg->len);
	testhost_packet_from(w.stage, p, &from->at);
	pkts[n_pkts++] = p;
}

static void add_said(struct ref *from, uint8_t fill)
{
	struct bytes packet, msg;
	world_udp(&packet, from->inside, w.inside, 10, fill);
	ref_data(from, packet.data, packet.len, &msg);
	add_up(&msg, from);
}

static void add_down(const char *dst, uint8_t fill)
{
	struct bytes packet;
	world_udp(&packet, w.inside, dst, 10, fill);
	pkts[n_pkts++] = testhost_packet(w.stage, 0, VPN_DOWN, packet.data, packet.len);
}

static void offer(uint32_t direction)
{
	assert_int_equal(testhost_offer(w.stage, 0, direction, pkts, n_pkts), n_pkts);
	n_pkts = 0;
}

static void expect_up(uint8_t fill, uint64_t push)
{
	const struct testhost_record *rec = testhost_next(w.stage, 0, VPN_UP);
	assert_non_null(rec);
	assert_int_equal(rec->data[28], fill);
	assert_true(rec->push == push);
}

static void hear(struct ref *from, uint8_t fill, uint64_t *push)
{
	struct bytes msg, plain;
	const struct testhost_record *rec = world_expect(&w, WG_TYPE_DATA, &msg);
	assert_true(ref_open(&from->session, &msg, &plain));
	assert_int_equal(plain.data[28], fill);
	assert_int_equal(rec->endpoint.port, from->at.port);
	if (*push == 0)
		*push = rec->push;
	assert_true(rec->push == *push);
}

/* ---- upwards ---- */

static void good_packets_keep_their_order_between_all_others(void **state)
{
	(void)state;
	struct bytes msg;
	start();
	for (uint32_t i = 0; i < BATCH; i++) {
		add_said(i % 3 == 0 ? other : r, (uint8_t)i);
		switch (i % 5) {
		case 0: /* does not verify */
			ref_data(r, "x", 1, &msg);
			msg.data[20] ^= 1;
			break;
		case 1: /* unknown index */
			ref_data(r, "x", 1, &msg);
			msg.data[4] ^= 1;
			break;
		case 2: /* no IP */
			ref_data(other, "garbage", 7, &msg);
			break;
		case 3: /* a keepalive */
			ref_data(other, "", 0, &msg);
			break;
		default: /* no type */
			memset(msg.data, 0xff, sizeof(msg.data));
			msg.len = 200;
			break;
		}
		add_up(&msg, r);
	}
	offer(VPN_UP);
	for (uint32_t i = 0; i < BATCH; i++)
		expect_up((uint8_t)i, 1);
	world_nothing_up(&w);
	assert_int_equal(world_grown(&w, DROP_BAD_TAG), 13);
	assert_int_equal(world_grown(&w, DROP_UNKNOWN_INDEX), 13);
	assert_int_equal(world_grown(&w, DROP_MALFORMED), 13);
	assert_int_equal(world_grown(&w, KEEPALIVES_RECEIVED), 13);
	assert_int_equal(world_grown(&w, DROP_BAD_TYPE), 12);
	assert_true(testhost_drops(w.stage) == 13 * 3 + 12);
}

static void a_replay_within_one_batch_is_seen(void **state)
{
	(void)state;
	struct bytes packet, msg;
	start();
	world_udp(&packet, r->inside, w.inside, 10, 7);
	ref_data(r, packet.data, packet.len, &msg);
	for (int i = 0; i < 5; i++)
		add_up(&msg, r);
	offer(VPN_UP);
	expect_up(7, 1);
	world_nothing_up(&w);
	world_only_drop(&w, DROP_REPLAY, 4);
}

static void reordered_messages_are_taken_in_the_order_they_come(void **state)
{
	(void)state;
	struct bytes packet, msg;
	start();
	for (uint32_t i = 0; i < 50; i++) {
		world_udp(&packet, r->inside, w.inside, 10, (uint8_t)i);
		ref_seal(&r->session, 100 - i, packet.data, packet.len, &msg);
		add_up(&msg, r);
	}
	offer(VPN_UP);
	for (uint32_t i = 0; i < 50; i++)
		expect_up((uint8_t)i, 1);
	world_only_drop(&w, WG_COUNTERS, 0);
}

static void sources_are_checked_for_each_packet(void **state)
{
	(void)state;
	static const char *const sources[] = {"10.0.1.2", "10.0.2.2", "10.0.1.2",
					      "10.0.1.3", "10.0.3.3", "10.0.1.3"};
	struct bytes packet, msg;
	start();
	for (uint32_t i = 0; i < 6; i++) {
		world_udp(&packet, sources[i], w.inside, 10, (uint8_t)i);
		ref_data(r, packet.data, packet.len, &msg);
		add_up(&msg, r);
	}
	/* of another peer, the same source */
	world_udp(&packet, "10.0.1.3", w.inside, 10, 9);
	ref_data(other, packet.data, packet.len, &msg);
	add_up(&msg, other);
	offer(VPN_UP);
	expect_up(0, 1);
	expect_up(2, 1);
	expect_up(3, 1);
	expect_up(5, 1);
	world_nothing_up(&w);
	world_only_drop(&w, DROP_DISALLOWED_SOURCE, 3);
}

static void the_first_data_of_a_session_and_more_come_in_one_batch(void **state)
{
	(void)state;
	struct bytes msg, plain;
	world_start(&w);
	ref_initiation(r, &msg);
	world_recv(&w, r, &msg);
	world_expect(&w, WG_TYPE_RESPONSE, &msg);
	assert_true(ref_consume(r, &msg));
	world_send_to(&w, r, 10, 77);
	for (uint32_t i = 0; i < 10; i++)
		add_said(r, (uint8_t)i);
	offer(VPN_UP);
	for (uint32_t i = 0; i < 10; i++)
		expect_up((uint8_t)i, 1);
	world_hear(&w, r, &plain);
	assert_int_equal(plain.data[28], 77);
	world_silent(&w);
}

static void two_sessions_of_a_peer_in_one_batch(void **state)
{
	(void)state;
	struct bytes packet, msg;
	start();
	struct ref_session old = r->session;
	world_join(&w, r);
	world_mark(&w);
	for (uint32_t i = 0; i < 20; i++) {
		struct ref_session *s = i % 2 == 0 ? &old : &r->session;
		world_udp(&packet, r->inside, w.inside, 10, (uint8_t)i);
		ref_seal(s, s->sent++, packet.data, packet.len, &msg);
		add_up(&msg, r);
	}
	offer(VPN_UP);
	for (uint32_t i = 0; i < 20; i++)
		expect_up((uint8_t)i, 1);
	world_only_drop(&w, WG_COUNTERS, 0);
}

static void a_handshake_between_data_is_answered_after_it(void **state)
{
	(void)state;
	struct bytes msg;
	start();
	add_said(r, 1);
	ref_initiation(other, &msg);
	add_up(&msg, other);
	add_said(r, 2);
	offer(VPN_UP);
	expect_up(1, 1);
	expect_up(2, 1);
	world_expect(&w, WG_TYPE_RESPONSE, &msg);
	assert_true(ref_consume(other, &msg));
}

static void the_last_source_of_a_batch_counts(void **state)
{
	(void)state;
	struct bytes msg;
	start();
	struct ref moved = *r;
	moved.at = testhost_endpoint("198.51.100.1:1");
	for (uint32_t i = 0; i < 6; i++) {
		ref_data(r, "", 0, &msg);
		add_up(&msg, i < 3 ? r : &moved);
	}
	/* what does not verify is no sign of life */
	ref_data(r, "", 0, &msg);
	msg.data[17] ^= 1;
	add_up(&msg, other);
	offer(VPN_UP);
	assert_int_equal(world_grown(&w, ROAMED), 1);
	world_send_to(&w, r, 10, 1);
	assert_int_equal(world_expect(&w, WG_TYPE_DATA, NULL)->endpoint.port, 1);
}

/* ---- downwards ---- */

static void a_batch_for_one_peer_is_one_push(void **state)
{
	(void)state;
	uint64_t push = 0;
	start();
	for (uint32_t i = 0; i < VPN_BATCH_MAX; i++)
		add_down("10.0.1.2", (uint8_t)i);
	offer(VPN_DOWN);
	for (uint32_t i = 0; i < VPN_BATCH_MAX; i++)
		hear(r, (uint8_t)i, &push);
	world_silent(&w);
}

static void a_mixed_batch_is_one_push_in_order_for_each_peer(void **state)
{
	(void)state;
	struct bytes msg, plain;
	static const char *const to[] = {"10.0.1.2", "10.0.2.2", "10.66.0.1", "10.0.2.9",
					 "10.0.1.3"};
	uint32_t next[2] = {0, 0}, heard = 0;
	uint64_t push = 0, counters[2] = {0, 0};
	start();
	for (uint32_t i = 0; i < BATCH; i++)
		add_down(to[i % 5], (uint8_t)i);
	pkts[n_pkts++] = testhost_packet(w.stage, 0, VPN_DOWN, "no ip", 5);
	offer(VPN_DOWN);
	const struct testhost_record *rec;
	while ((rec = testhost_next(w.stage, 0, VPN_DOWN)) != NULL) {
		memcpy(msg.data, rec->data, rec->len);
		msg.len = rec->len;
		bool first = ref_open(&r->session, &msg, &plain);
		assert_true(first || ref_open(&other->session, &msg, &plain));
		assert_int_equal(rec->endpoint.port, first ? r->at.port : other->at.port);
		assert_true(plain.data[28] >= next[first]);
		next[first] = plain.data[28] + 1u;
		assert_true(wg_load_le64(msg.data + 8) == counters[first]++);
		assert_true(push == 0 || rec->push == push);
		push = rec->push;
		heard++;
	}
	assert_int_equal(heard, 51);
	assert_int_equal(world_grown(&w, DROP_NO_PEER), 13);
	assert_int_equal(world_grown(&w, DROP_NOT_IP), 1);
	assert_int_equal(world_grown(&w, UNREACHABLE_SENT), 1);
}

static void who_has_a_session_does_not_wait_for_who_has_none(void **state)
{
	(void)state;
	struct bytes msg, plain;
	uint64_t push = 0;
	world_start(&w);
	world_join(&w, r);
	for (uint32_t i = 0; i < 20; i++)
		add_down(i % 2 == 0 ? "10.0.2.2" : "10.0.1.2", (uint8_t)i);
	offer(VPN_DOWN);
	world_expect(&w, WG_TYPE_INITIATION, &msg);
	for (uint32_t i = 1; i < 20; i += 2)
		hear(r, (uint8_t)i, &push);
	ref_response(other, &msg, &msg);
	world_recv(&w, other, &msg);
	for (uint32_t i = 0; i < 20; i += 2) {
		world_hear(&w, other, &plain);
		assert_int_equal(plain.data[28], i);
	}
}

static void long_batches_for_many_peers(void **state)
{
	(void)state;
	struct ref *all[6];
	char text[32];
	all[0] = r;
	all[1] = other;
	for (int i = 2; i < 6; i++) {
		snprintf(text, sizeof(text), "10.0.%d.0/24", i + 1);
		all[i] = world_peer(&w, "192.0.2.9:51820", text);
		all[i]->at.port = (uint16_t)(1000 + i);
	}
	world_start(&w);
	for (int i = 0; i < 6; i++)
		world_join(&w, all[i]);
	for (uint32_t i = 0; i < VPN_BATCH_MAX; i++)
		add_down(all[i * 7 % 6]->inside, (uint8_t)i);
	offer(VPN_DOWN);
	assert_int_equal(testhost_waiting(w.stage, 0, VPN_DOWN), VPN_BATCH_MAX);
	world_only_drop(&w, WG_COUNTERS, 0);
}

/* ---- two of the component, over a bad wire ---- */

static void two_instances_survive_a_bad_wire(void **state)
{
	(void)state;
	static struct world peer;
	const struct testhost_wire_setup wire = {.delay_ns = 5 * WG_MS,
						 .jitter_ns = 3 * WG_MS,
						 .loss_ppm = 100000,
						 .duplicate_ppm = 100000,
						 .reorder_ppm = 100000,
						 .corrupt_ppm = 50000};
	struct wg_identity id;
	memset(&peer, 0, sizeof(peer));
	memset(peer.private_key, 0x40, sizeof(peer.private_key)); /* it is r */
	wg_identity_set(&id, peer.private_key);
	assert_memory_equal(id.public_key, r->public_key, WG_KEY_LEN);
	struct vpn_prefix all;
	assert_true(wg_text_parse_prefix("10.0.0.0/24", &all));
	struct wg_peer_options o = {
		.public_key = {.data = w.public_key, .len = WG_KEY_LEN},
		.endpoint = {.host = "192.0.2.1", .port = 1001, .port_last = 1001},
		.allowed_ips = {.items = &all, .count = 1, .item_size = sizeof(all)},
	};
	peer.options = (struct wg_options){
		.private_key = {.data = peer.private_key, .len = WG_KEY_LEN},
		.peers = {.items = &o, .count = 1, .item_size = sizeof(o)},
		.uapi_fd = -1,
		.uapi = WG_UAPI_OFF,
	};
	peer.host = w.host;
	world_start(&w);
	assert_non_null(world_add(&peer, NULL));
	assert_int_equal(testhost_start(peer.stage, NULL), VPN_OK);
	testhost_join(w.stage, peer.stage, &wire);
	uint32_t there = 0, back = 0;
	struct bytes ping, pong;
	world_udp(&ping, "10.0.0.1", "10.0.1.2", 100, 1);
	world_udp(&pong, "10.0.1.2", "10.0.0.1", 100, 2);
	for (uint32_t i = 0; i < 4000; i++) { /* 400 s: several sessions */
		world_send(&w, &ping);        /* both at once, from the first moment */
		world_send(&peer, &pong);
		world_advance(&w, 100 * WG_MS);
		while (testhost_waiting(peer.stage, 0, VPN_UP) != 0) {
			world_expect_up(&peer, &ping);
			there++;
		}
		while (testhost_waiting(w.stage, 0, VPN_UP) != 0) {
			world_expect_up(&w, &pong);
			back++;
		}
	}
	/* 85 % arrive; a handshake may take some tries. None twice. */
	assert_in_range(there, 3000, 4000);
	assert_in_range(back, 3000, 4000);
	assert_true(world_count(&w, SESSIONS) >= 3);
	assert_true(world_count(&w, DROP_REPLAY) > 100);
	assert_true(world_count(&w, DROP_BAD_TAG) > 50);
}

static void counters_go_on_from_batch_to_batch(void **state)
{
	(void)state;
	struct bytes msg;
	uint64_t counter = 0;
	start();
	for (uint32_t size = 1; size < 20; size++) {
		for (uint32_t i = 0; i < size; i++)
			add_down("10.0.1.2", (uint8_t)i);
		offer(VPN_DOWN);
		for (uint32_t i = 0; i < size; i++) {
			world_expect(&w, WG_TYPE_DATA, &msg);
			assert_true(wg_load_le64(msg.data + 8) == counter++);
		}
	}
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(good_packets_keep_their_order_between_all_others),
		TEST(a_replay_within_one_batch_is_seen),
		TEST(reordered_messages_are_taken_in_the_order_they_come),
		TEST(sources_are_checked_for_each_packet),
		TEST(the_first_data_of_a_session_and_more_come_in_one_batch),
		TEST(two_sessions_of_a_peer_in_one_batch),
		TEST(a_handshake_between_data_is_answered_after_it),
		TEST(the_last_source_of_a_batch_counts),
		TEST(a_batch_for_one_peer_is_one_push),
		TEST(a_mixed_batch_is_one_push_in_order_for_each_peer),
		TEST(who_has_a_session_does_not_wait_for_who_has_none),
		TEST(long_batches_for_many_peers),
		TEST(two_instances_survive_a_bad_wire),
		TEST(counters_go_on_from_batch_to_batch),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
