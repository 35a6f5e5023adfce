/* SPDX-License-Identifier: BSD-2-Clause */
/* Two instances and half an hour: sessions follow each other, and nothing is lost but on the wire. */
#include "wg_pair.h"

#define MINUTE (60 * WG_SECOND)

/* Both have had what was on its way. */
static void settle(struct pair *p)
{
	pair_advance(p, WG_SECOND / 2);
}

static uint64_t sessions(const struct pair *p)
{
	return pair_count(&p->a, SESSIONS) + pair_count(&p->b, SESSIONS);
}

/* What one side has sent and what its peer has got, by WireGuard's own accounts. */
static void bytes_add_up(struct pair *p)
{
	struct wg_peer_view a, b;
	wg_config_lock(p->a.wg);
	wg_config_peer_view(p->a.wg, wg_config_first_peer(p->a.wg), &a);
	wg_config_unlock(p->a.wg);
	wg_config_lock(p->b.wg);
	wg_config_peer_view(p->b.wg, wg_config_first_peer(p->b.wg), &b);
	wg_config_unlock(p->b.wg);
	assert_int_equal(a.tx_bytes, b.rx_bytes);
	assert_int_equal(b.tx_bytes, a.rx_bytes);
}

static void talks_for_half_an_hour(void **state)
{
	(void)state;
	struct pair p;
	pair_init(&p);
	pair_start(&p, &(struct testhost_wire_setup){.delay_ns = 20 * WG_MS});
	for (uint32_t i = 0; i < 1800; i++) {
		pair_send(&p, &p.a);
		if (i != 0) /* so that only one begins */
			pair_send(&p, &p.b);
		pair_advance(&p, WG_SECOND);
	}
	settle(&p);
	assert_int_equal(p.a.got, 1799);
	assert_int_equal(p.b.got, 1800);
	assert_int_equal(testhost_drops(p.a.stage), 0);
	assert_int_equal(testhost_drops(p.b.stage), 0);
	/* one every 120 s, begun by who has begun the first */
	assert_int_equal(pair_count(&p.a, INITIATIONS_SENT), 15);
	assert_int_equal(pair_count(&p.b, INITIATIONS_SENT), 0);
	assert_int_equal(sessions(&p), 2 * 15);
	assert_int_equal(pair_count(&p.a, KEEPALIVES_SENT) + pair_count(&p.b, KEEPALIVES_SENT),
			 pair_count(&p.a, KEEPALIVES_RECEIVED) +
				 pair_count(&p.b, KEEPALIVES_RECEIVED));
	bytes_add_up(&p);
	pair_end(&p);
}

static void loses_only_what_the_wire_loses(void **state)
{
	(void)state;
	struct pair p;
	struct testhost_wire_setup wire = {.delay_ns = 20 * WG_MS,
					   .jitter_ns = 10 * WG_MS,
					   .loss_ppm = 50000,
					   .duplicate_ppm = 20000,
					   .reorder_ppm = 20000,
					   .reorder_ns = 100 * WG_MS,
					   .corrupt_ppm = 10000};
	pair_init(&p);
	pair_start(&p, &wire);
	for (uint32_t i = 0; i < 1800 * 2; i++) {
		pair_send(&p, &p.a);
		pair_send(&p, &p.b);
		pair_advance(&p, WG_SECOND / 2);
	}
	settle(&p);
	struct side *sides[2] = {&p.a, &p.b};
	for (uint32_t i = 0; i < 2; i++) {
		struct side *to = sides[i], *from = sides[1 - i];
		struct testhost_wire_stats wire_of = testhost_wire_stats(p.wire, from->stage);
		assert_true(to->got <= from->sent);
		/* nothing waits or was dropped by the sender */
		assert_int_equal(
			testhost_drops(from->stage) - pair_count(from, DROP_REPLAY) -
				pair_count(from, DROP_BAD_TAG) - pair_count(from, DROP_BAD_MAC1) -
				pair_count(from, DROP_BAD_TYPE) -
				pair_count(from, DROP_UNKNOWN_INDEX) -
				pair_count(from, DROP_OLD_TIMESTAMP) -
				pair_count(from, DROP_TOO_SOON) - pair_count(from, DROP_UNEXPECTED),
			0);
		assert_int_equal(from->wg->lanes[0].staging.count, 0);
		/* what did not arrive was lost or damaged on the wire */
		assert_true(from->sent - to->got <= wire_of.lost + wire_of.corrupted);
		assert_true(wire_of.lost != 0 && wire_of.corrupted != 0);
		/* what came twice came twice on the wire */
		assert_true(pair_count(to, DROP_REPLAY) <= wire_of.duplicated);
		assert_true(pair_count(to, DROP_REPLAY) != 0);
	}
	assert_in_range(pair_count(&p.a, SESSIONS), 14, 20);
	assert_in_range(pair_count(&p.b, SESSIONS), 14, 20);
	pair_end(&p);
}

/* One side only listens; `caller` has begun the session. */
static void one_way(struct pair *p, struct side *from, struct side *to, bool listener_calls)
{
	pair_start(p, &(struct testhost_wire_setup){.delay_ns = 5 * WG_MS});
	uint32_t called = listener_calls ? 1 : 0;
	if (listener_calls)
		pair_send(p, to);
	pair_advance(p, WG_SECOND);
	for (uint32_t i = 0; i < 1800; i++) {
		pair_send(p, from);
		pair_advance(p, WG_SECOND);
	}
	settle(p);
	assert_int_equal(to->got, 1800);
	assert_int_equal(from->got, called);
	assert_int_equal(testhost_drops(from->stage), 0);
	assert_int_equal(testhost_drops(to->stage), 0);
	/* a keepalive every ten seconds or so tells the sender that it is heard */
	assert_in_range(pair_count(to, KEEPALIVES_SENT), 150, 200);
	assert_in_range(pair_count(to, SESSIONS), 14, 16);
	bytes_add_up(p);
}

static void serves_who_only_listens(void **state)
{
	(void)state;
	struct pair p;
	pair_init(&p);
	one_way(&p, &p.a, &p.b, false);
	pair_end(&p);
}

static void renews_the_session_of_who_only_listens_and_has_begun_it(void **state)
{
	(void)state;
	struct pair p;
	pair_init(&p);
	one_way(&p, &p.a, &p.b, true);
	/* the listener's keepalives renew it */
	assert_in_range(pair_count(&p.b, INITIATIONS_SENT), 14, 16);
	assert_int_equal(pair_count(&p.a, INITIATIONS_SENT), 0);
	pair_end(&p);
}

static void nothing_passes_in_an_idle_tunnel(void **state)
{
	(void)state;
	struct pair p;
	pair_init(&p);
	pair_start(&p, NULL);
	pair_send(&p, &p.a);
	pair_advance(&p, 30 * WG_SECOND);
	uint64_t before = testhost_wire_stats(p.wire, p.a.stage).sent +
			  testhost_wire_stats(p.wire, p.b.stage).sent;
	pair_advance(&p, 60 * MINUTE);
	assert_int_equal(testhost_wire_stats(p.wire, p.a.stage).sent +
				 testhost_wire_stats(p.wire, p.b.stage).sent,
			 before);
	assert_int_equal(testhost_deadline(p.a.stage, 0), 0);
	assert_int_equal(testhost_deadline(p.b.stage, 0), 0);
	pair_end(&p);
}

static void goes_on_when_a_peer_that_vanished_is_back(void **state)
{
	(void)state;
	struct pair p;
	struct testhost_wire_setup wire = {.delay_ns = 5 * WG_MS};
	pair_init(&p);
	pair_start(&p, &wire);
	for (uint32_t i = 0; i < 30; i++) {
		pair_send(&p, &p.a);
		pair_send(&p, &p.b);
		pair_advance(&p, WG_SECOND);
	}
	assert_int_equal(p.a.got, 30);
	wire.loss_ppm = TESTHOST_PPM;
	testhost_wire_set(p.wire, &wire);
	for (uint32_t i = 0; i < 600; i++) {
		pair_send(&p, &p.a);
		pair_advance(&p, WG_SECOND);
	}
	assert_int_equal(p.b.got, 30);
	assert_in_range(p.a.wg->lanes[0].staging.count, 1, WG_STAGED_MAX);
	wire.loss_ppm = 0;
	testhost_wire_set(p.wire, &wire);
	uint32_t staged = p.a.wg->lanes[0].staging.count;
	for (uint32_t i = 0; i < 6; i++) { /* a retransmission and its jitter */
		pair_send(&p, &p.a);
		pair_advance(&p, WG_SECOND);
	}
	assert_in_range(p.b.got, 30 + staged, 30 + staged + 6);
	assert_int_equal(p.a.wg->lanes[0].staging.count, 0);
	pair_send(&p, &p.b);
	pair_advance(&p, WG_SECOND);
	assert_int_equal(p.a.got, 31);
	pair_end(&p);
}

static void finds_a_restarted_peer_by_itself(void **state)
{
	(void)state;
	struct pair p;
	pair_init(&p);
	pair_start(&p, NULL);
	pair_send(&p, &p.a);
	pair_advance(&p, WG_SECOND);
	pair_kill(&p, &p.b);
	pair_advance(&p, WG_SECOND);
	pair_revive(&p, &p.b);
	uint32_t before = p.b.got;
	pair_send(&p, &p.a); /* lost: the new one does not know this session */
	pair_advance(&p, 16 * WG_SECOND);
	assert_int_equal(p.b.got, before);
	assert_int_equal(pair_count(&p.b, DROP_UNKNOWN_INDEX), 1);
	assert_int_equal(pair_count(&p.b, SESSIONS), 1);
	pair_send(&p, &p.a);
	pair_send(&p, &p.b);
	pair_advance(&p, WG_SECOND);
	assert_int_equal(p.b.got, before + 1);
	assert_int_equal(p.a.got, 1);
	pair_end(&p);
}

static void is_found_at_once_by_a_restarted_peer(void **state)
{
	(void)state;
	struct pair p;
	pair_init(&p);
	pair_start(&p, NULL);
	pair_send(&p, &p.a);
	pair_advance(&p, WG_SECOND);
	pair_kill(&p, &p.b);
	pair_revive(&p, &p.b);
	pair_advance(&p, WG_SECOND);
	pair_send(&p, &p.b);
	pair_take(&p);
	assert_int_equal(p.a.got, 1);
	pair_send(&p, &p.a);
	pair_take(&p);
	assert_int_equal(p.b.got, 2);
	assert_int_equal(testhost_drops(p.a.stage), 0);
	pair_end(&p);
}

static void both_may_begin_at_once(void **state)
{
	(void)state;
	struct pair p;
	pair_init(&p);
	pair_start(&p, &(struct testhost_wire_setup){.delay_ns = 50 * WG_MS});
	pair_send(&p, &p.a);
	pair_send(&p, &p.b);
	/* each has answered the other and given its own up; jitter parts them sooner or later */
	for (uint32_t i = 0; i < 60 && p.a.got + p.b.got != 2; i++)
		pair_advance(&p, WG_SECOND);
	assert_int_equal(p.a.got, 1);
	assert_int_equal(p.b.got, 1);
	assert_int_equal(pair_count(&p.a, SESSIONS), pair_count(&p.b, SESSIONS));
	pair_end(&p);
}

static void staged_packets_keep_their_order(void **state)
{
	(void)state;
	struct pair p;
	struct testhost_wire_setup wire = {.loss_ppm = TESTHOST_PPM};
	pair_init(&p);
	pair_start(&p, &wire);
	for (uint32_t i = 0; i < WG_STAGED_MAX; i++)
		pair_send(&p, &p.a);
	wg_wake_all(p.a.wg); /* a look at them in between changes nothing */
	pair_advance(&p, WG_SECOND);
	testhost_wire_set(p.wire, NULL);
	testhost_advance(p.host, 5 * WG_SECOND);
	for (uint32_t i = 0; i < WG_STAGED_MAX; i++) {
		const struct testhost_record *r = testhost_next(p.b.stage, 0, VPN_UP);
		assert_non_null(r);
		assert_int_equal(wg_load_le32(r->data + 28), i);
	}
	assert_null(testhost_next(p.b.stage, 0, VPN_UP));
	pair_end(&p);
}

static void a_preshared_key_that_differs_makes_no_session(void **state)
{
	(void)state;
	struct pair p;
	static const uint8_t psk[WG_KEY_LEN] = {9};
	pair_init(&p);
	p.a.peer.preshared_key = (struct vpn_bytes){.data = psk, .len = WG_KEY_LEN};
	pair_start(&p, NULL);
	pair_send(&p, &p.a);
	pair_advance(&p, 3 * WG_SECOND);
	assert_int_equal(p.b.got, 0);
	assert_int_equal(sessions(&p), 0);
	assert_int_equal(pair_count(&p.a, DROP_BAD_HANDSHAKE), 1);
	struct wg_peer *peer = pair_peer_of(&p, &p.b);
	wg_config_lock(p.b.wg);
	wg_config_peer_set_psk(p.b.wg, peer, psk);
	wg_config_unlock(p.b.wg);
	pair_advance(&p, 3 * WG_SECOND);
	assert_int_equal(p.b.got, 1);
	pair_end(&p);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(talks_for_half_an_hour),
		cmocka_unit_test(loses_only_what_the_wire_loses),
		cmocka_unit_test(serves_who_only_listens),
		cmocka_unit_test(renews_the_session_of_who_only_listens_and_has_begun_it),
		cmocka_unit_test(nothing_passes_in_an_idle_tunnel),
		cmocka_unit_test(goes_on_when_a_peer_that_vanished_is_back),
		cmocka_unit_test(finds_a_restarted_peer_by_itself),
		cmocka_unit_test(is_found_at_once_by_a_restarted_peer),
		cmocka_unit_test(both_may_begin_at_once),
		cmocka_unit_test(staged_packets_keep_their_order),
		cmocka_unit_test(a_preshared_key_that_differs_makes_no_session),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
