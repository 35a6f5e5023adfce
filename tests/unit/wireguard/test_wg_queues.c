/* SPDX-License-Identifier: BSD-2-Clause */
/* test_wg_queues: packets that have to wait: for a session, for the stage below, for memory; and what
 * happens to them when that does not come. */
#include "wg_world.h"

#include <stdio.h>

static struct world w;
static struct ref *r, *other;

static int set_up(void **state)
{
	(void)state;
	world_init(&w);
	r = world_peer(&w, "192.0.2.1:51820", "10.0.1.0/24");
	other = world_peer(&w, "192.0.2.2:51821", "10.0.2.0/24");
	return 0;
}

static int tear_down(void **state)
{
	(void)state;
	testhost_fail_alloc(w.host, 0, false);
	world_end(&w);
	return 0;
}

static void start(void)
{
	world_start(&w);
	world_join(&w, r);
	world_advance(&w, WG_SECOND);
	world_mark(&w);
}

/* Sends packets that are numbered from `first` on: in the two first bytes of their payload. */
static void send_numbered(uint32_t lane, const struct ref *to, uint32_t first, uint32_t n)
{
	struct bytes packet;
	for (uint32_t i = first; i < first + n; i++) {
		world_udp(&packet, w.inside, to->inside, 10, 0);
		packet.data[28] = (uint8_t)(i >> 8);
		packet.data[29] = (uint8_t)i;
		assert_true(testhost_send(w.stage, lane, packet.data, packet.len));
	}
}

static void hear_numbered(uint32_t lane, struct ref *from, uint32_t first, uint32_t n)
{
	struct bytes msg, plain;
	for (uint32_t i = first; i < first + n; i++) {
		const struct testhost_record *rec = testhost_next(w.stage, lane, VPN_DOWN);
		assert_non_null(rec);
		memcpy(msg.data, rec->data, rec->len);
		msg.len = rec->len;
		assert_true(ref_open(&from->session, &msg, &plain));
		assert_int_equal((uint32_t)plain.data[28] << 8 | plain.data[29], i);
		assert_true(rec->has_endpoint);
		assert_int_equal(rec->endpoint.port, from->at.port);
	}
	assert_int_equal(testhost_waiting(w.stage, lane, VPN_DOWN), 0);
}

/* The initiation that waits below is answered. */
static void answer(struct ref *from)
{
	struct bytes msg;
	world_expect(&w, WG_TYPE_INITIATION, &msg);
	ref_response(from, &msg, &msg);
	world_recv(&w, from, &msg);
	testhost_run(w.host);
}

/* ---- for a session ---- */

static void of_too_many_for_a_peer_the_oldest_go(void **state)
{
	(void)state;
	world_start(&w);
	send_numbered(0, r, 0, 300);
	world_only_drop(&w, DROP_STAGED, 300 - WG_STAGED_MAX);
	answer(r);
	hear_numbered(0, r, 300 - WG_STAGED_MAX, WG_STAGED_MAX);
}

/* Answers, and tells how many packets come: the newest of those that were sent, without a gap. */
static uint32_t answer_and_count(struct ref *from, const struct bytes *initiation)
{
	struct bytes msg;
	ref_response(from, initiation, &msg);
	world_recv(&w, from, &msg);
	testhost_run(w.host);
	uint32_t n = testhost_waiting(w.stage, 0, VPN_DOWN);
	hear_numbered(0, from, WG_STAGED_MAX - n, n);
	return n;
}

static void of_too_many_for_a_lane_who_has_most_loses_the_oldest(void **state)
{
	(void)state;
	struct bytes first, second, third;
	struct ref *last = world_peer(&w, "192.0.2.3:51822", "10.0.3.0/24");
	world_start(&w);
	send_numbered(0, r, 0, WG_STAGED_MAX);
	world_expect(&w, WG_TYPE_INITIATION, &first);
	send_numbered(0, other, 0, WG_STAGED_MAX);
	world_expect(&w, WG_TYPE_INITIATION, &second);
	world_only_drop(&w, DROP_STAGED, 0);
	assert_int_equal(w.wg->lanes[0].staging.count, WG_STAGED_LANE_MAX);
	send_numbered(0, last, WG_STAGED_MAX - 10, 10);
	world_expect(&w, WG_TYPE_INITIATION, &third);
	world_only_drop(&w, DROP_STAGED, 10);
	assert_int_equal(w.wg->lanes[0].staging.count, WG_STAGED_LANE_MAX);
	assert_int_equal(answer_and_count(last, &third), 10);
	assert_int_equal(answer_and_count(r, &first), WG_STAGED_MAX - 5);
	assert_int_equal(answer_and_count(other, &second), WG_STAGED_MAX - 5);
	assert_int_equal(w.wg->lanes[0].staging.count, 0);
	world_only_drop(&w, DROP_STAGED, 10);
}

/* A peer that does not answer keeps nobody's pool. */
static void packets_for_a_peer_that_does_not_answer_are_dropped(void **state)
{
	(void)state;
	world_start(&w);
	send_numbered(0, r, 0, 20);
	world_advance(&w, 90 * WG_SECOND);
	assert_int_equal(world_grown(&w, DROP_UNANSWERED), 0);
	world_advance(&w, 20 * WG_SECOND);
	world_only_drop(&w, DROP_UNANSWERED, 20);
	assert_int_equal(testhost_notified(w.stage, VPN_EVENT_PEER_DEAD, NULL), 1);
	/* the next one asks again */
	testhost_clear(w.stage, 0, VPN_DOWN);
	send_numbered(0, r, 100, 1);
	answer(r);
	hear_numbered(0, r, 100, 1);
}

static void packets_for_a_peer_that_is_removed_are_dropped(void **state)
{
	(void)state;
	world_start(&w);
	send_numbered(0, r, 0, 20);
	send_numbered(0, other, 0, 20);
	wg_config_lock(w.wg);
	wg_config_peer_remove(w.wg, world_peer_of(&w, r));
	wg_config_unlock(w.wg);
	testhost_run(w.host);
	world_only_drop(&w, DROP_DOWN, 20);
	(void)testhost_next(w.stage, 0, VPN_DOWN);
	answer(other);
	hear_numbered(0, other, 0, 20);
}

static void stop_gives_back_what_waits(void **state)
{
	(void)state;
	world_start(&w);
	send_numbered(0, r, 0, 128);
	send_numbered(0, other, 0, 50);
	world_advance(&w, WG_SECOND);
	testhost_stop(w.stage); /* reports what is held */
	assert_int_equal(w.wg->lanes[0].staging.count, 0);
}

static void each_lane_flushes_its_own(void **state)
{
	(void)state;
	w.setup.n_lanes = 3;
	world_start(&w);
	for (uint32_t lane = 0; lane < 3; lane++)
		send_numbered(lane, r, lane * 100, 70);
	answer(r); /* on lane 0 */
	for (uint32_t lane = 0; lane < 3; lane++)
		hear_numbered(lane, r, lane * 100, 70);
	world_only_drop(&w, WG_COUNTERS, 0);
}

/* A lane whose wake has not come yet is offered the next packet: it goes behind those that wait. */
static void nothing_overtakes_what_waits(void **state)
{
	(void)state;
	struct bytes msg;
	w.setup.n_lanes = 2;
	world_start(&w);
	send_numbered(0, r, 0, 1);
	send_numbered(1, r, 0, 70);
	world_expect(&w, WG_TYPE_INITIATION, &msg);
	ref_response(r, &msg, &msg);
	world_recv(&w, r, &msg);
	send_numbered(1, r, 70, 10);
	testhost_run(w.host);
	hear_numbered(1, r, 0, 80);
}

static void a_handshake_may_be_answered_on_another_lane(void **state)
{
	(void)state;
	struct bytes msg;
	w.setup.n_lanes = 2;
	world_start(&w);
	send_numbered(0, r, 0, 10);
	world_expect(&w, WG_TYPE_INITIATION, &msg);
	ref_response(r, &msg, &msg);
	assert_true(testhost_recv(w.stage, 1, msg.data, msg.len, &r->at));
	testhost_run(w.host);
	hear_numbered(0, r, 0, 10);
	/* that lane has confirmed by a keepalive of its own */
	assert_int_equal(testhost_waiting(w.stage, 1, VPN_DOWN), 1);
	assert_int_equal(world_grown(&w, KEEPALIVES_SENT), 1);
}

/* ---- for the stage below ---- */

static void what_is_sealed_is_held_while_below_is_full(void **state)
{
	(void)state;
	struct bytes packet;
	start();
	testhost_limit(w.stage, 0, VPN_DOWN, 0);
	send_numbered(0, r, 0, 1);
	world_silent(&w);
	world_udp(&packet, w.inside, r->inside, 10, 0);
	assert_false(testhost_send(w.stage, 0, packet.data, packet.len));
	assert_int_equal(testhost_writable_calls(w.stage, 0, VPN_DOWN), 0);
	testhost_limit(w.stage, 0, VPN_DOWN, UINT32_MAX);
	(void)testhost_writable(w.stage, 0, VPN_DOWN);
	assert_int_equal(testhost_writable_calls(w.stage, 0, VPN_DOWN), 1);
	hear_numbered(0, r, 0, 1);
	send_numbered(0, r, 1, 1);
	hear_numbered(0, r, 1, 1);
	world_only_drop(&w, WG_COUNTERS, 0);
}

static void a_batch_that_is_half_taken_goes_on_where_it_stopped(void **state)
{
	(void)state;
	struct vpn_packet *pkts[64];
	struct bytes packet;
	start();
	for (uint32_t i = 0; i < 64; i++) {
		world_udp(&packet, w.inside, r->inside, 10, 0);
		packet.data[29] = (uint8_t)i;
		pkts[i] = testhost_packet(w.stage, 0, VPN_DOWN, packet.data, packet.len);
	}
	testhost_limit(w.stage, 0, VPN_DOWN, 10);
	assert_int_equal(testhost_offer(w.stage, 0, VPN_DOWN, pkts, 64), 64);
	assert_int_equal(testhost_waiting(w.stage, 0, VPN_DOWN), 10);
	for (uint32_t i = 0; i < 5; i++) {
		testhost_limit(w.stage, 0, VPN_DOWN, 10);
		(void)testhost_writable(w.stage, 0, VPN_DOWN);
		assert_int_equal(testhost_writable_calls(w.stage, 0, VPN_DOWN), 0);
	}
	testhost_limit(w.stage, 0, VPN_DOWN, 10);
	(void)testhost_writable(w.stage, 0, VPN_DOWN); /* the last four */
	assert_int_equal(testhost_writable_calls(w.stage, 0, VPN_DOWN), 1);
	hear_numbered(0, r, 0, 64);
	world_only_drop(&w, WG_COUNTERS, 0);
}

static void staged_packets_that_below_does_not_take_are_held(void **state)
{
	(void)state;
	struct bytes msg;
	world_start(&w);
	send_numbered(0, r, 0, 128);
	world_expect(&w, WG_TYPE_INITIATION, &msg);
	ref_response(r, &msg, &msg);
	testhost_limit(w.stage, 0, VPN_DOWN, 70);
	world_recv(&w, r, &msg);
	testhost_run(w.host);
	assert_int_equal(testhost_waiting(w.stage, 0, VPN_DOWN), 70);
	testhost_limit(w.stage, 0, VPN_DOWN, UINT32_MAX);
	(void)testhost_writable(w.stage, 0, VPN_DOWN);
	hear_numbered(0, r, 0, 128);
	world_only_drop(&w, WG_COUNTERS, 0);
}

static void handshakes_are_held_behind_data(void **state)
{
	(void)state;
	struct bytes msg;
	start();
	testhost_limit(w.stage, 0, VPN_DOWN, 0);
	send_numbered(0, r, 0, 1);
	ref_initiation(other, &msg);
	world_recv(&w, other, &msg);
	world_silent(&w);
	testhost_limit(w.stage, 0, VPN_DOWN, UINT32_MAX);
	(void)testhost_writable(w.stage, 0, VPN_DOWN);
	world_expect(&w, WG_TYPE_DATA, NULL);
	assert_int_equal(world_expect(&w, WG_TYPE_RESPONSE, &msg)->endpoint.port, other->at.port);
	assert_true(ref_consume(other, &msg));
	world_only_drop(&w, WG_COUNTERS, 0);
}

/* What is held has an end. */
static void more_than_a_batch_is_not_held(void **state)
{
	(void)state;
	struct bytes msg;
	start();
	testhost_limit(w.stage, 0, VPN_DOWN, 0);
	for (uint32_t i = 0; i < VPN_BATCH_MAX + 44; i++) {
		world_advance(&w, WG_INITIATION_INTERVAL);
		ref_initiation(other, &msg);
		world_recv(&w, other, &msg);
	}
	assert_int_equal(world_grown(&w, RESPONSES_SENT), VPN_BATCH_MAX + 44);
	assert_in_range(world_grown(&w, DROP_BELOW_FULL), 44, 46);
	testhost_limit(w.stage, 0, VPN_DOWN, UINT32_MAX);
	(void)testhost_writable(w.stage, 0, VPN_DOWN);
	assert_int_equal(testhost_waiting(w.stage, 0, VPN_DOWN), VPN_BATCH_MAX);
}

static void stop_gives_back_what_is_held(void **state)
{
	(void)state;
	start();
	testhost_limit(w.stage, 0, VPN_DOWN, 0);
	send_numbered(0, r, 0, 1);
	testhost_stop(w.stage);
	assert_int_equal(w.wg->lanes[0].held.n, 0);
}

/* ---- for the stage above ---- */

static void what_above_does_not_take_is_dropped(void **state)
{
	(void)state;
	struct vpn_packet *pkts[10];
	struct bytes packet, msg;
	start();
	for (uint32_t i = 0; i < 10; i++) {
		world_udp(&packet, r->inside, w.inside, 10, (uint8_t)i);
		ref_data(r, packet.data, packet.len, &msg);
		pkts[i] = testhost_packet(w.stage, 0, VPN_UP, msg.data, msg.len);
	}
	testhost_limit(w.stage, 0, VPN_UP, 3);
	assert_int_equal(testhost_offer(w.stage, 0, VPN_UP, pkts, 10), 10);
	world_only_drop(&w, DROP_ABOVE_FULL, 7);
	for (uint32_t i = 0; i < 3; i++)
		assert_int_equal(testhost_next(w.stage, 0, VPN_UP)->data[28], i);
	testhost_limit(w.stage, 0, VPN_UP, UINT32_MAX);
	world_say(&w, r, r->inside, w.inside, 10, 1);
	assert_int_equal(testhost_waiting(w.stage, 0, VPN_UP), 1);
}

/* ---- for packets of our own ---- */

static void an_initiation_without_a_packet_is_tried_again(void **state)
{
	(void)state;
	world_start(&w);
	testhost_fail_alloc(w.host, 1, true);
	send_numbered(0, r, 0, 5);
	world_silent(&w);
	assert_int_equal(world_grown(&w, DROP_NO_PACKETS), 1);
	assert_int_equal(world_grown(&w, INITIATIONS_SENT), 0);
	testhost_fail_alloc(w.host, 0, false);
	world_advance(&w, WG_REKEY_TIMEOUT + WG_REKEY_JITTER);
	answer(r);
	hear_numbered(0, r, 0, 5);
	world_only_drop(&w, DROP_NO_PACKETS, 1);
}

static void a_response_without_a_packet_is_counted_as_lost(void **state)
{
	(void)state;
	struct bytes msg;
	world_start(&w);
	testhost_fail_alloc(w.host, 1, true);
	ref_initiation(r, &msg);
	world_recv(&w, r, &msg);
	world_silent(&w);
	world_only_drop(&w, DROP_NO_PACKETS, 1);
	assert_int_equal(world_grown(&w, RESPONSES_SENT), 0);
	testhost_fail_alloc(w.host, 0, false);
	world_advance(&w, WG_SECOND);
	world_join(&w, r);
	send_numbered(0, r, 0, 1);
	hear_numbered(0, r, 0, 1);
}

static void a_peer_has_sent_no_bytes_that_there_was_no_packet_for(void **state)
{
	(void)state;
	struct wg_peer_view view;
	struct bytes msg;
	world_start(&w);
	testhost_fail_alloc(w.host, 1, true);
	ref_initiation(r, &msg);
	world_recv(&w, r, &msg);
	send_numbered(0, other, 0, 1);
	for (uint32_t i = 0; i < 2; i++) {
		wg_config_lock(w.wg);
		wg_config_peer_view(w.wg, world_peer_of(&w, &w.refs[i]), &view);
		wg_config_unlock(w.wg);
		assert_int_equal(view.tx_bytes, 0);
	}
}

/* Whichever of all packets is missing: it is counted, and in the end everybody has a session. */
static void any_packet_may_be_missing(void **state)
{
	(void)state;
	struct bytes packet;
	w.peer_options[0].keepalive = 2;
	world_start(&w);
	for (uint32_t n = 1; n < 12; n++) {
		world_mark(&w);
		testhost_fail_alloc(w.host, n, true);
		for (uint32_t i = 0; i < 30; i++) {
			const struct testhost_record *rec;
			struct bytes msg;
			world_udp(&packet, w.inside, "10.99.0.1", 10, 1);
			world_send(&w, &packet);
			world_advance(&w, WG_SECOND);
			ref_initiation(other, &msg);
			world_recv(&w, other, &msg);
			while ((rec = testhost_next(w.stage, 0, VPN_DOWN)) != NULL) {
				memcpy(msg.data, rec->data, rec->len);
				msg.len = rec->len;
				if (wg_load_le32(msg.data) == WG_TYPE_INITIATION) {
					ref_response(r, &msg, &msg);
					world_recv(&w, r, &msg);
				}
			}
			testhost_clear(w.stage, 0, VPN_UP);
		}
		assert_true(world_grown(&w, DROP_NO_PACKETS) > 0);
		testhost_fail_alloc(w.host, 0, false);
	}
	world_advance(&w, WG_SECOND);
	testhost_clear(w.stage, 0, VPN_DOWN);
	world_join(&w, other);
	send_numbered(0, other, 0, 1);
	hear_numbered(0, other, 0, 1);
}

/* Below has room again, and its writable() has not come yet. */
static void nothing_overtakes_what_is_held(void **state)
{
	(void)state;
	struct bytes msg;
	start();
	testhost_limit(w.stage, 0, VPN_DOWN, 0);
	send_numbered(0, r, 0, 1);
	testhost_limit(w.stage, 0, VPN_DOWN, UINT32_MAX);
	ref_initiation(other, &msg);
	world_recv(&w, other, &msg);
	world_silent(&w);
	(void)testhost_writable(w.stage, 0, VPN_DOWN);
	world_expect(&w, WG_TYPE_DATA, NULL);
	world_expect(&w, WG_TYPE_RESPONSE, NULL);
}

/* What could not even ask for a session asks once it can. */
static void packets_that_wait_for_our_key_go_when_it_comes(void **state)
{
	(void)state;
	w.options.private_key = (struct vpn_bytes){0};
	w.options.uapi = WG_UAPI_ON;
	world_start(&w);
	send_numbered(0, r, 0, 70);
	world_advance(&w, WG_SECOND);
	world_silent(&w);
	wg_config_lock(w.wg);
	wg_config_set_private_key(w.wg, w.private_key);
	wg_config_peer_done(w.wg, world_peer_of(&w, r));
	wg_config_unlock(w.wg);
	testhost_run(w.host);
	answer(r);
	hear_numbered(0, r, 0, 70);
	world_only_drop(&w, WG_COUNTERS, 0);
}

/* Being looked at is no new wish: a peer that does not answer is given up all the same. */
static void waking_lanes_does_not_begin_handshakes_anew(void **state)
{
	(void)state;
	world_start(&w);
	send_numbered(0, r, 0, 3);
	for (uint32_t i = 0; i < 1100; i++) {
		world_advance(&w, 100 * WG_MS);
		wg_wake_all(w.wg);
		testhost_run(w.host);
	}
	world_only_drop(&w, DROP_UNANSWERED, 3);
	assert_int_equal(world_grown(&w, INITIATIONS_SENT), 20);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(of_too_many_for_a_peer_the_oldest_go),
		TEST(of_too_many_for_a_lane_who_has_most_loses_the_oldest),
		TEST(packets_for_a_peer_that_does_not_answer_are_dropped),
		TEST(packets_for_a_peer_that_is_removed_are_dropped),
		TEST(stop_gives_back_what_waits),
		TEST(each_lane_flushes_its_own),
		TEST(nothing_overtakes_what_waits),
		TEST(a_handshake_may_be_answered_on_another_lane),
		TEST(what_is_sealed_is_held_while_below_is_full),
		TEST(a_batch_that_is_half_taken_goes_on_where_it_stopped),
		TEST(staged_packets_that_below_does_not_take_are_held),
		TEST(handshakes_are_held_behind_data),
		TEST(more_than_a_batch_is_not_held),
		TEST(stop_gives_back_what_is_held),
		TEST(what_above_does_not_take_is_dropped),
		TEST(an_initiation_without_a_packet_is_tried_again),
		TEST(a_response_without_a_packet_is_counted_as_lost),
		TEST(a_peer_has_sent_no_bytes_that_there_was_no_packet_for),
		TEST(any_packet_may_be_missing),
		TEST(nothing_overtakes_what_is_held),
		TEST(packets_that_wait_for_our_key_go_when_it_comes),
		TEST(waking_lanes_does_not_begin_handshakes_anew),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
