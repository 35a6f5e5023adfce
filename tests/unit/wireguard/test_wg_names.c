/* SPDX-License-Identifier: BSD-2-Clause */
/* names: endpoints given by name, with a resolver that says what the test wants. */
#include "wg_world.h"

#define NAME "peer.example"

static struct ref *named_peer(struct world *w)
{
	world_init(w);
	return world_peer(w, NAME ":51820", "10.0.1.0/24");
}

static void answer(struct world *w, const char *first, const char *second)
{
	struct vpn_endpoint list[2];
	uint32_t n = 0;
	if (first != NULL)
		list[n++] = testhost_endpoint(first);
	if (second != NULL)
		list[n++] = testhost_endpoint(second);
	testhost_answer(w->host, NAME, n != 0 ? VPN_OK : VPN_EADDR, list, n);
}

static uint32_t asked(const struct world *w)
{
	return testhost_resolve_calls(w->host, NAME);
}

static bool is_at(struct world *w, const struct ref *r, const char *where)
{
	struct vpn_endpoint e, want = testhost_endpoint(where);
	if (!wg_endpoint_get(&world_peer_of(w, r)->endpoint, &e))
		return false;
	return e.family == want.family && e.port == want.port &&
	       memcmp(e.addr, want.addr, sizeof(e.addr)) == 0;
}

static bool is_nowhere(struct world *w, const struct ref *r)
{
	struct vpn_endpoint e;
	return !wg_endpoint_get(&world_peer_of(w, r)->endpoint, &e);
}

static void a_name_is_looked_up_at_the_start(void **state)
{
	(void)state;
	struct world w;
	struct ref *r = named_peer(&w);
	answer(&w, "192.0.2.7:51820", "192.0.2.8:51820");
	world_start(&w);
	assert_int_equal(asked(&w), 1);
	assert_true(is_at(&w, r, "192.0.2.7:51820"));
	world_silent(&w); /* nobody has asked for a session */
	world_send_to(&w, r, 10, 1);
	const struct testhost_record *sent = world_expect(&w, WG_TYPE_INITIATION, NULL);
	struct vpn_endpoint want = testhost_endpoint("192.0.2.7:51820");
	assert_true(sent->has_endpoint);
	assert_memory_equal(&sent->endpoint, &want, sizeof(want));
	world_end(&w);
}

static void the_port_is_that_of_the_option(void **state)
{
	(void)state;
	struct world w;
	struct ref *r = named_peer(&w);
	struct vpn_endpoint e = testhost_endpoint("192.0.2.7:1");
	e.port = 0; /* as the question had it */
	testhost_answer(w.host, NAME, VPN_OK, &e, 1);
	world_start(&w);
	assert_true(is_at(&w, r, "192.0.2.7:51820"));
	world_end(&w);
}

static void an_address_is_not_looked_up(void **state)
{
	(void)state;
	struct world w;
	world_init(&w);
	struct ref *r = world_peer(&w, "[2001:db8::7]:51820", "10.0.1.0/24");
	world_start(&w);
	world_advance(&w, 100 * WG_SECOND);
	assert_int_equal(testhost_resolve_calls(w.host, "2001:db8::7"), 0);
	assert_true(is_at(&w, r, "[2001:db8::7]:51820"));
	world_end(&w);
}

static void asks_again_after_1_2_4_and_at_most_60_seconds(void **state)
{
	(void)state;
	static const uint32_t waits[] = {1, 2, 4, 8, 16, 32, 60, 60, 60};
	struct world w;
	struct ref *r = named_peer(&w);
	answer(&w, NULL, NULL);
	world_start(&w);
	for (uint32_t i = 0; i < sizeof(waits) / sizeof(waits[0]); i++) {
		assert_int_equal(asked(&w), i + 1);
		assert_true(is_nowhere(&w, r));
		world_advance(&w, waits[i] * WG_SECOND - 1);
		assert_int_equal(asked(&w), i + 1);
		world_advance(&w, 1);
	}
	assert_true(testhost_logged(w.host, VPN_LOG_WARN, NAME));
	answer(&w, "192.0.2.7:51820", NULL);
	world_advance(&w, 60 * WG_SECOND);
	assert_true(is_at(&w, r, "192.0.2.7:51820"));
	uint32_t n = asked(&w);
	world_advance(&w, 600 * WG_SECOND);
	assert_int_equal(asked(&w), n);
	world_end(&w);
}

static void asks_again_when_the_host_cannot_ask(void **state)
{
	(void)state;
	struct world w;
	struct ref *r = named_peer(&w);
	answer(&w, "192.0.2.7:51820", NULL);
	testhost_fail_service(w.host, 1, VPN_ENOMEM);
	world_start(&w);
	assert_int_equal(asked(&w), 0);
	world_advance(&w, WG_SECOND - 1);
	assert_int_equal(asked(&w), 0);
	world_advance(&w, 1);
	assert_int_equal(asked(&w), 1);
	assert_true(is_at(&w, r, "192.0.2.7:51820"));
	world_end(&w);
}

static void an_address_that_comes_late_begins_the_handshake_of_a_keepalive(void **state)
{
	(void)state;
	struct world w;
	struct ref *r = named_peer(&w);
	w.peer_options[0].keepalive = 25;
	testhost_fail_service(w.host, 1, VPN_ENOMEM);
	answer(&w, "192.0.2.7:51820", NULL);
	world_start(&w);
	testhost_clear(w.stage, 0,
		       VPN_DOWN); /* without an endpoint: the stage below may know one */
	world_advance(&w, 6 * WG_SECOND);
	assert_true(is_at(&w, r, "192.0.2.7:51820"));
	const struct testhost_record *sent = world_expect(&w, WG_TYPE_INITIATION, NULL);
	assert_int_equal(sent->endpoint.port, 51820);
	world_end(&w);
}

static void asks_again_while_the_handshake_fails_not_too_often(void **state)
{
	(void)state;
	struct world w;
	struct ref *r = named_peer(&w);
	answer(&w, "192.0.2.7:51820", NULL);
	world_start(&w);
	world_advance(&w, 100 * WG_SECOND); /* the first look-up is long ago */
	assert_int_equal(asked(&w), 1);
	uint64_t began = testhost_now(w.host), last = 0;
	uint32_t before = asked(&w);
	world_send_to(&w, r, 10, 1);
	assert_int_equal(asked(&w), 1); /* it has not failed yet */
	for (uint32_t i = 0; i < 90 * 4; i++) {
		world_advance(&w, WG_SECOND / 4);
		if (asked(&w) == before)
			continue;
		assert_int_equal(asked(&w), before + 1);
		uint64_t now = testhost_now(w.host);
		if (last == 0)
			assert_in_range(now - began, WG_REKEY_TIMEOUT,
					WG_REKEY_TIMEOUT + WG_REKEY_JITTER + WG_SECOND / 4);
		else
			assert_in_range(now - last, 15 * WG_SECOND - WG_SECOND / 4, 21 * WG_SECOND);
		last = now;
		before = asked(&w);
	}
	assert_in_range(before, 5, 7);
	world_end(&w);
}

static void does_not_ask_for_a_peer_that_answers(void **state)
{
	(void)state;
	struct world w;
	struct ref *r = named_peer(&w);
	struct bytes msg;
	answer(&w, "192.0.2.1:51820", NULL);
	world_start(&w);
	for (uint32_t i = 0; i < 10; i++) {
		world_call(&w, r);
		ref_data(r, "", 0, &msg);
		world_recv(&w, r, &msg);
		world_advance(&w, 200 * WG_SECOND);
		world_silent(&w);
	}
	assert_int_equal(asked(&w), 1);
	world_end(&w);
}

/* Begins a handshake that fails, so that the name is looked up once more. */
static void let_fail(struct world *w, struct ref *r)
{
	uint32_t n = asked(w);
	world_advance(w, 20 * WG_SECOND);
	world_send_to(w, r, 10, 1);
	world_advance(w, 6 * WG_SECOND);
	assert_int_equal(asked(w), n + 1);
}

static void the_only_address_is_kept(void **state)
{
	(void)state;
	struct world w;
	struct ref *r = named_peer(&w);
	answer(&w, "192.0.2.7:51820", NULL);
	world_start(&w);
	uint64_t generation = atomic_load(&w.wg->generation);
	let_fail(&w, r);
	assert_true(is_at(&w, r, "192.0.2.7:51820"));
	assert_int_equal(atomic_load(&w.wg->generation), generation);
	world_end(&w);
}

static void several_addresses_are_tried_in_turn(void **state)
{
	(void)state;
	struct world w;
	struct ref *r = named_peer(&w);
	answer(&w, "192.0.2.7:51820", "192.0.2.8:51820");
	world_start(&w);
	assert_true(is_at(&w, r, "192.0.2.7:51820"));
	let_fail(&w, r);
	assert_true(is_at(&w, r, "192.0.2.8:51820"));
	answer(&w, "192.0.2.8:51820", "192.0.2.7:51820"); /* their order may change */
	let_fail(&w, r);
	assert_true(is_at(&w, r, "192.0.2.7:51820"));
	world_end(&w);
}

static void a_peer_that_answers_during_the_look_up_stays_where_it_is(void **state)
{
	(void)state;
	struct world w;
	struct ref *r = named_peer(&w);
	answer(&w, "192.0.2.7:51820", NULL);
	world_start(&w);
	world_advance(&w, 100 * WG_SECOND);
	answer(&w, "192.0.2.8:51820", NULL);
	struct wg_peer *p = world_peer_of(&w, r);
	wg_config_lock(w.wg);
	wg_names_doubt(w.wg, p, testhost_now(w.host));
	wg_config_unlock(w.wg);
	testhost_ready(w.stage, 0, VPN_TOKEN_WAKE, 0);
	assert_int_equal(asked(&w), 2);
	r->at = testhost_endpoint("203.0.113.77:7");
	world_join(&w, r); /* the answer comes behind it */
	assert_true(is_at(&w, r, "203.0.113.77:7"));
	assert_false(p->name->running);
	world_end(&w);
}

static void a_new_address_takes_the_place_of_the_old_one(void **state)
{
	(void)state;
	struct world w;
	struct ref *r = named_peer(&w);
	answer(&w, "192.0.2.7:51820", NULL);
	world_start(&w);
	answer(&w, "198.51.100.9:51820", NULL);
	uint64_t generation = atomic_load(&w.wg->generation);
	let_fail(&w, r);
	assert_true(is_at(&w, r, "198.51.100.9:51820"));
	assert_true(atomic_load(&w.wg->generation) != generation);
	testhost_clear(w.stage, 0, VPN_DOWN);
	world_advance(&w, 6 * WG_SECOND);
	const struct testhost_record *sent = world_expect(&w, WG_TYPE_INITIATION, NULL);
	struct vpn_endpoint want = testhost_endpoint("198.51.100.9:51820");
	assert_memory_equal(sent->endpoint.addr, want.addr, sizeof(want.addr));
	world_end(&w);
}

static void the_old_address_serves_while_there_is_no_new_one(void **state)
{
	(void)state;
	struct world w;
	struct ref *r = named_peer(&w);
	answer(&w, "192.0.2.7:51820", NULL);
	world_start(&w);
	answer(&w, NULL, NULL);
	let_fail(&w, r);
	assert_true(is_at(&w, r, "192.0.2.7:51820"));
	uint32_t n = asked(&w);
	world_advance(&w, 8 * WG_SECOND); /* 1, 2, 4: begun anew */
	assert_in_range(asked(&w), n + 2, n + 3);
	assert_true(is_at(&w, r, "192.0.2.7:51820"));
	world_end(&w);
}

static void an_answer_makes_the_waits_short_again(void **state)
{
	(void)state;
	struct world w;
	struct ref *r = named_peer(&w);
	answer(&w, NULL, NULL);
	world_start(&w);
	world_advance(&w, 20 * WG_SECOND); /* 1, 2, 4, 8 */
	answer(&w, "192.0.2.7:51820", NULL);
	world_advance(&w, 20 * WG_SECOND);
	assert_true(is_at(&w, r, "192.0.2.7:51820"));
	answer(&w, NULL, NULL);
	let_fail(&w, r);
	uint32_t n = asked(&w);
	world_advance(&w, WG_SECOND);
	assert_int_equal(asked(&w), n + 1);
	world_end(&w);
}

static void an_endpoint_that_is_set_ends_the_name(void **state)
{
	(void)state;
	struct world w;
	struct ref *r = named_peer(&w);
	answer(&w, NULL, NULL);
	world_start(&w);
	struct wg_peer *p = world_peer_of(&w, r);
	struct vpn_endpoint e = testhost_endpoint("203.0.113.5:5");
	uint32_t n = asked(&w);
	wg_config_lock(w.wg);
	wg_config_peer_set_endpoint(w.wg, p, &e);
	wg_config_unlock(w.wg);
	answer(&w, "192.0.2.7:51820", NULL);
	world_send_to(&w, r, 10, 1);
	world_advance(&w, 200 * WG_SECOND);
	assert_int_equal(asked(&w), n);
	assert_true(is_at(&w, r, "203.0.113.5:5"));
	assert_null(p->name);
	world_end(&w);
}

/* The question has been put, and its answer not been brought. */
static void start_with_a_question(struct world *w)
{
	struct vpn_error err;
	assert_non_null(world_add(w, &err));
	assert_int_equal(testhost_start(w->stage, NULL), VPN_OK);
	testhost_ready(w->stage, 0, VPN_TOKEN_WAKE, 0);
	assert_int_equal(asked(w), 1);
}

static void an_endpoint_that_is_set_during_the_look_up_stays(void **state)
{
	(void)state;
	struct world w;
	struct ref *r = named_peer(&w);
	answer(&w, "192.0.2.7:51820", NULL);
	start_with_a_question(&w);
	struct wg_peer *p = world_peer_of(&w, r);
	struct vpn_endpoint e = testhost_endpoint("203.0.113.5:5");
	wg_config_lock(w.wg);
	wg_config_peer_set_endpoint(w.wg, p, &e);
	wg_config_unlock(w.wg);
	testhost_run(w.host);
	assert_true(is_at(&w, r, "203.0.113.5:5"));
	world_end(&w);
}

static void a_peer_may_be_removed_during_the_look_up(void **state)
{
	(void)state;
	for (uint32_t found = 0; found < 2; found++) {
		struct world w;
		struct ref *r = named_peer(&w);
		answer(&w, found != 0 ? "192.0.2.7:51820" : NULL, NULL);
		start_with_a_question(&w);
		struct wg_peer *p = world_peer_of(&w, r);
		wg_config_lock(w.wg);
		wg_config_peer_remove(w.wg, p);
		wg_config_unlock(w.wg);
		testhost_ready(w.stage, 0, VPN_TOKEN_WAKE, 0); /* and is freed */
		testhost_run(w.host);
		world_advance(&w, 200 * WG_SECOND);
		assert_int_equal(asked(&w), 1);
		world_end(&w);
	}
}

static void an_instance_may_stop_during_the_look_up(void **state)
{
	(void)state;
	struct world w;
	named_peer(&w);
	answer(&w, "192.0.2.7:51820", NULL);
	start_with_a_question(&w);
	testhost_stop(w.stage);
	world_end(&w);
}

static void a_peer_that_roams_is_not_looked_up(void **state)
{
	(void)state;
	struct world w;
	struct ref *r = named_peer(&w);
	answer(&w, "192.0.2.7:51820", NULL);
	world_start(&w);
	r->at = testhost_endpoint("203.0.113.77:7");
	world_join(&w, r);
	assert_true(is_at(&w, r, "203.0.113.77:7"));
	world_advance(&w, 100 * WG_SECOND);
	assert_int_equal(asked(&w), 1);
	/* when it does not answer there any more, its name says where it is */
	world_advance(&w, 100 * WG_SECOND);
	let_fail(&w, r);
	assert_true(is_at(&w, r, "192.0.2.7:51820"));
	world_end(&w);
}

static void several_names_have_their_own_time(void **state)
{
	(void)state;
	struct world w;
	world_init(&w);
	struct vpn_endpoint e = testhost_endpoint("192.0.2.20:20");
	struct ref *a = world_peer(&w, "a.example:10", "10.0.1.0/24");
	struct ref *b = world_peer(&w, "b.example:20", "10.0.2.0/24");
	testhost_answer(w.host, "b.example", VPN_OK, &e, 1);
	world_start(&w);
	assert_true(is_nowhere(&w, a));
	assert_true(is_at(&w, b, "192.0.2.20:20"));
	world_advance(&w, 3 * WG_SECOND);
	assert_int_equal(testhost_resolve_calls(w.host, "a.example"), 3);
	assert_int_equal(testhost_resolve_calls(w.host, "b.example"), 1);
	e.port = 10;
	testhost_answer(w.host, "a.example", VPN_OK, &e, 1);
	world_advance(&w, 4 * WG_SECOND);
	assert_true(is_at(&w, a, "192.0.2.20:10"));
	world_end(&w);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_name_is_looked_up_at_the_start),
		cmocka_unit_test(the_port_is_that_of_the_option),
		cmocka_unit_test(an_address_is_not_looked_up),
		cmocka_unit_test(asks_again_after_1_2_4_and_at_most_60_seconds),
		cmocka_unit_test(asks_again_when_the_host_cannot_ask),
		cmocka_unit_test(an_address_that_comes_late_begins_the_handshake_of_a_keepalive),
		cmocka_unit_test(asks_again_while_the_handshake_fails_not_too_often),
		cmocka_unit_test(does_not_ask_for_a_peer_that_answers),
		cmocka_unit_test(the_only_address_is_kept),
		cmocka_unit_test(several_addresses_are_tried_in_turn),
		cmocka_unit_test(a_peer_that_answers_during_the_look_up_stays_where_it_is),
		cmocka_unit_test(a_new_address_takes_the_place_of_the_old_one),
		cmocka_unit_test(the_old_address_serves_while_there_is_no_new_one),
		cmocka_unit_test(an_answer_makes_the_waits_short_again),
		cmocka_unit_test(an_endpoint_that_is_set_ends_the_name),
		cmocka_unit_test(an_endpoint_that_is_set_during_the_look_up_stays),
		cmocka_unit_test(a_peer_may_be_removed_during_the_look_up),
		cmocka_unit_test(an_instance_may_stop_during_the_look_up),
		cmocka_unit_test(a_peer_that_roams_is_not_looked_up),
		cmocka_unit_test(several_names_have_their_own_time),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
