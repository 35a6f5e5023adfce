/* SPDX-License-Identifier: BSD-2-Clause */
/* lanes: several of one instance, taking turns on the test host. At the same time: test_wg_threads.c. */
#include "wg_pair.h"

static struct ref *two_lanes(struct world *w)
{
	world_init(w);
	w->setup.n_lanes = 2;
	return world_peer(w, "192.0.2.1:51820", "10.0.1.0/24");
}

static void recv_on(struct world *w, const struct ref *r, uint32_t lane, const struct bytes *msg)
{
	assert_true(testhost_recv(w->stage, lane, msg->data, msg->len, &r->at));
}

static void send_on(struct world *w, const struct ref *r, uint32_t lane)
{
	struct bytes packet;
	world_udp(&packet, w->inside, r->inside, 20, 1);
	assert_true(testhost_send(w->stage, lane, packet.data, packet.len));
}

static void take_down(struct world *w, uint32_t lane, uint32_t type, struct bytes *out)
{
	const struct testhost_record *r = testhost_next(w->stage, lane, VPN_DOWN);
	assert_non_null(r);
	assert_int_equal(wg_load_le32(r->data), type);
	memcpy(out->data, r->data, r->len);
	out->len = r->len;
}

static void hear_on(struct world *w, struct ref *r, uint32_t lane, uint64_t *ret_counter)
{
	struct bytes msg, plain;
	take_down(w, lane, WG_TYPE_DATA, &msg);
	assert_true(ref_open(&r->session, &msg, &plain));
	*ret_counter = wg_load_le64(msg.data + 8);
}

static void silent_on(struct world *w, uint32_t lane)
{
	assert_int_equal(testhost_waiting(w->stage, lane, VPN_DOWN), 0);
}

static void a_session_made_on_one_lane_is_used_by_the_other(void **state)
{
	(void)state;
	struct world w;
	struct ref *r = two_lanes(&w);
	struct bytes packet, msg;
	uint64_t first, second;
	world_start(&w);
	world_join(&w, r);
	send_on(&w, r, 1);
	hear_on(&w, r, 1, &first);
	send_on(&w, r, 0);
	hear_on(&w, r, 0, &second);
	assert_true(first != second);
	world_udp(&packet, r->inside, w.inside, 20, 1);
	ref_data(r, packet.data, packet.len, &msg);
	recv_on(&w, r, 1, &msg);
	assert_int_equal(testhost_waiting(w.stage, 1, VPN_UP), 1);
	world_only_drop(&w, WG_COUNTERS, 0);
	world_end(&w);
}

static void a_handshake_may_come_to_any_lane(void **state)
{
	(void)state;
	struct world w;
	struct ref *r = two_lanes(&w);
	struct bytes msg;
	uint64_t counter;
	world_start(&w);
	ref_initiation(r, &msg);
	recv_on(&w, r, 1, &msg);
	take_down(&w, 1, WG_TYPE_RESPONSE, &msg);
	assert_true(ref_consume(r, &msg));
	ref_data(r, "", 0, &msg);
	recv_on(&w, r, 0, &msg); /* and its confirmation to another */
	testhost_run(w.host);
	send_on(&w, r, 0);
	hear_on(&w, r, 0, &counter);
	assert_int_equal(world_count(&w, SESSIONS), 1);
	world_end(&w);
}

static void what_is_staged_on_one_lane_goes_when_another_has_the_answer(void **state)
{
	(void)state;
	struct world w;
	struct ref *r = two_lanes(&w);
	struct bytes initiation, msg, plain;
	uint64_t counter;
	world_start(&w);
	send_on(&w, r, 1);
	send_on(&w, r, 1);
	take_down(&w, 1, WG_TYPE_INITIATION, &initiation);
	silent_on(&w, 1);
	ref_response(r, &initiation, &msg);
	recv_on(&w, r, 0, &msg);
	take_down(&w, 0, WG_TYPE_DATA, &msg); /* lane 0 has nothing: a keepalive */
	assert_true(ref_open(&r->session, &msg, &plain));
	assert_int_equal(plain.len, 0);
	silent_on(&w, 1); /* it has not been woken yet */
	testhost_run(w.host);
	hear_on(&w, r, 1, &counter);
	hear_on(&w, r, 1, &counter);
	silent_on(&w, 1);
	assert_null(w.wg->lanes[1].staging.first);
	world_only_drop(&w, WG_COUNTERS, 0);
	world_end(&w);
}

/* The component answers; its packets wait for the other side's first message. */
static void what_is_staged_goes_when_another_lane_has_the_confirmation(void **state)
{
	(void)state;
	for (uint32_t lane = 0; lane < 2; lane++) {
		struct world w;
		struct ref *r = two_lanes(&w);
		struct bytes msg;
		uint64_t a, b;
		world_start(&w);
		ref_initiation(r, &msg);
		recv_on(&w, r, 0, &msg);
		take_down(&w, 0, WG_TYPE_RESPONSE, &msg);
		send_on(&w, r, 0);
		send_on(&w, r, 1);
		testhost_run(w.host);
		silent_on(&w, 0);
		silent_on(&w, 1);
		assert_true(ref_consume(r, &msg));
		ref_data(r, "", 0, &msg);
		recv_on(&w, r, lane, &msg);
		testhost_run(w.host);
		hear_on(&w, r, 0, &a);
		hear_on(&w, r, 1, &b);
		assert_true(a != b);
		world_end(&w);
	}
}

static void a_counter_is_taken_once_over_all_lanes(void **state)
{
	(void)state;
	struct world w;
	struct ref *r = two_lanes(&w);
	struct bytes packet, msg[3];
	world_start(&w);
	world_join(&w, r);
	world_udp(&packet, r->inside, w.inside, 20, 1);
	for (uint32_t i = 0; i < 3; i++)
		ref_data(r, packet.data, packet.len, &msg[i]);
	recv_on(&w, r, 0, &msg[2]);
	recv_on(&w, r, 1, &msg[2]);
	world_only_drop(&w, DROP_REPLAY, 1);
	recv_on(&w, r, 1, &msg[0]);
	recv_on(&w, r, 0, &msg[0]);
	world_only_drop(&w, DROP_REPLAY, 2);
	recv_on(&w, r, 1, &msg[1]);
	assert_int_equal(testhost_waiting(w.stage, 0, VPN_UP), 1);
	assert_int_equal(testhost_waiting(w.stage, 1, VPN_UP), 2);
	world_end(&w);
}

static void the_deadlines_of_every_lane_are_kept(void **state)
{
	(void)state;
	struct world w;
	struct ref *r = two_lanes(&w);
	struct bytes packet, msg;
	uint64_t counter;
	world_start(&w);
	world_join(&w, r);
	world_udp(&packet, r->inside, w.inside, 20, 1);
	ref_data(r, packet.data, packet.len, &msg);
	recv_on(&w, r, 1, &msg); /* a keepalive must go within 10 s */
	world_advance(&w, 10 * WG_SECOND);
	hear_on(&w, r, 0, &counter);
	send_on(&w, r, 1); /* an answer must come within 15 s */
	hear_on(&w, r, 1, &counter);
	world_advance(&w, WG_NEW_HANDSHAKE_TIME + WG_REKEY_JITTER);
	take_down(&w, 0, WG_TYPE_INITIATION, &msg);
	assert_int_equal(testhost_deadline(w.stage, 1), 0);
	world_end(&w);
}

static void an_initiation_of_one_lane_is_sent_again_by_lane_0(void **state)
{
	(void)state;
	struct world w;
	struct ref *r = two_lanes(&w);
	struct bytes msg;
	world_start(&w);
	send_on(&w, r, 1);
	take_down(&w, 1, WG_TYPE_INITIATION, &msg);
	send_on(&w, r, 0); /* the spacing is the peer's, not the lane's */
	silent_on(&w, 0);
	world_advance(&w, WG_REKEY_TIMEOUT + WG_REKEY_JITTER);
	take_down(&w, 0, WG_TYPE_INITIATION, &msg);
	silent_on(&w, 1);
	world_advance(&w, 200 * WG_SECOND); /* given up: each lane drops its own */
	world_only_drop(&w, DROP_UNANSWERED, 2);
	world_end(&w);
}

static void a_removed_peer_leaves_every_lane(void **state)
{
	(void)state;
	struct world w;
	struct ref *r = two_lanes(&w);
	world_start(&w);
	for (uint32_t i = 0; i < 4; i++)
		send_on(&w, r, i % 2);
	struct wg_peer *p = world_peer_of(&w, r);
	assert_int_equal(atomic_load(&p->refs), 3);
	wg_config_lock(w.wg);
	wg_config_peer_remove(w.wg, p);
	wg_config_unlock(w.wg);
	/* lane 0 first: the other one still holds it */
	testhost_ready(w.stage, 0, VPN_TOKEN_WAKE, 0);
	assert_int_equal(atomic_load(&p->refs), 1);
	testhost_run(w.host);
	assert_null(w.wg->epoch.first);
	assert_null(w.wg->lanes[0].staging.first);
	assert_null(w.wg->lanes[1].staging.first);
	world_only_drop(&w, DROP_DOWN, 4);
	world_mark(&w);
	send_on(&w, r, 1);
	world_only_drop(&w, DROP_NO_PEER, 1); /* and no more of the other */
	world_end(&w);
}

/* What a lane that is inside of a callback may hold is not freed under it. */
static void nothing_is_freed_while_a_lane_may_use_it(void **state)
{
	(void)state;
	struct world w;
	struct ref *r = two_lanes(&w);
	world_start(&w);
	struct wg_peer *p = world_peer_of(&w, r);
	wg_epoch_enter(&w.wg->epoch, 1);
	wg_config_lock(w.wg);
	wg_config_peer_remove(w.wg, p);
	wg_config_unlock(w.wg);
	world_advance(&w, WG_SECOND);
	assert_non_null(w.wg->epoch.first);
	assert_false(wg_peer_try_ref(p)); /* it is readable, and it is gone */
	wg_epoch_leave(&w.wg->epoch, 1);
	world_advance(&w, WG_SECOND); /* lane 0 tries again by itself */
	assert_null(w.wg->epoch.first);
	assert_int_equal(testhost_deadline(w.stage, 0), 0);
	world_end(&w);
}

static void stop_gives_back_what_every_lane_holds(void **state)
{
	(void)state;
	struct world w;
	struct ref *r = two_lanes(&w);
	struct bytes msg;
	world_start(&w);
	for (uint32_t i = 0; i < 6; i++)
		send_on(&w, r, i % 2);
	ref_initiation(r, &msg);
	testhost_limit(w.stage, 1, VPN_DOWN, 0);
	recv_on(&w, r, 1, &msg); /* its response is held */
	assert_int_equal(w.wg->lanes[1].held.n, 1);
	testhost_stop(w.stage); /* reports what is missing */
	world_end(&w);
}

static void two_instances_talk_over_all_lanes(void **state)
{
	(void)state;
	struct pair p;
	pair_init(&p);
	p.setup.n_lanes = 3;
	pair_start(&p,
		   &(struct testhost_wire_setup){.delay_ns = 10 * WG_MS, .jitter_ns = 5 * WG_MS});
	for (uint32_t i = 0; i < 600; i++) {
		assert_true(pair_send_on(&p, &p.a, i % 3));
		if (i != 0)
			assert_true(pair_send_on(&p, &p.b, i / 2 % 3));
		pair_advance(&p, WG_SECOND);
	}
	pair_advance(&p, WG_SECOND);
	assert_int_equal(p.b.got, 600);
	assert_int_equal(p.a.got, 599);
	assert_int_equal(testhost_drops(p.a.stage), 0);
	assert_int_equal(testhost_drops(p.b.stage), 0);
	assert_int_equal(pair_count(&p.a, INITIATIONS_SENT), 5);
	pair_end(&p);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_session_made_on_one_lane_is_used_by_the_other),
		cmocka_unit_test(a_handshake_may_come_to_any_lane),
		cmocka_unit_test(what_is_staged_on_one_lane_goes_when_another_has_the_answer),
		cmocka_unit_test(what_is_staged_goes_when_another_lane_has_the_confirmation),
		cmocka_unit_test(a_counter_is_taken_once_over_all_lanes),
		cmocka_unit_test(the_deadlines_of_every_lane_are_kept),
		cmocka_unit_test(an_initiation_of_one_lane_is_sent_again_by_lane_0),
		cmocka_unit_test(a_removed_peer_leaves_every_lane),
		cmocka_unit_test(nothing_is_freed_while_a_lane_may_use_it),
		cmocka_unit_test(stop_gives_back_what_every_lane_holds),
		cmocka_unit_test(two_instances_talk_over_all_lanes),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
