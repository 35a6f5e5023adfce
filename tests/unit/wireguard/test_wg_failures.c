/* SPDX-License-Identifier: BSD-2-Clause */
/* test_wg_failures: each allocation of the component fails once, at each place. */
#include "wg_world.h"

#include <errno.h>

/* Of the test host: what is allocated while it is set counts as the component's. */
extern _Thread_local int testhost_in_component;

static struct world w;
static struct ref *r;

static int set_up(void **state)
{
	(void)state;
	world_init(&w);
	r = world_peer(&w, "192.0.2.1:51820", "10.0.1.0/24");
	world_prefix(r, "fd00:1::/64");
	world_prefix(r, "10.0.1.128/25");
	world_peer(&w, "peer.example:51821", "10.0.2.0/24");
	return 0;
}

static int tear_down(void **state)
{
	(void)state;
	testhost_fail_memory(0);
	world_end(&w);
	return 0;
}

static void making_an_instance_survives_each_failure(void **state)
{
	(void)state;
	struct vpn_error err;
	uint32_t n = 1;
	for (;; n++) {
		assert_true(n < 1000);
		testhost_fail_memory(n);
		struct testhost_stage *s = world_add(&w, &err);
		if (s != NULL && testhost_start(s, &err) == VPN_OK)
			testhost_run(w.host);
		bool failed = testhost_memory_failed();
		testhost_fail_memory(0);
		if (!failed)
			break;
		assert_true(s == NULL || err.status == VPN_OK);
		if (s == NULL)
			assert_int_equal(err.status, VPN_ENOMEM);
		testhost_remove(s);
	}
	assert_true(n > 15); /* so many it needs at least */
	world_join(&w, r);
}

/* A handshake that finds no memory is as if it had been lost. */
static void handshakes_survive_each_failure(void **state)
{
	(void)state;
	struct bytes msg, plain;
	world_start(&w);
	for (uint32_t n = 1; n < 8; n++) {
		world_advance(&w, 200 * WG_SECOND); /* the session before is over */
		testhost_clear(w.stage, 0, VPN_DOWN);
		testhost_fail_memory(n);
		ref_initiation(r, &msg);
		world_recv(&w, r, &msg);
		if (testhost_waiting(w.stage, 0, VPN_DOWN) != 0) {
			world_expect(&w, WG_TYPE_RESPONSE, &msg);
			assert_true(ref_consume(r, &msg));
			ref_data(r, "", 0, &msg);
			world_recv(&w, r, &msg);
		} else {
			assert_true(testhost_memory_failed());
		}
		testhost_fail_memory(0);
		world_advance(&w, WG_SECOND);
		world_join(&w, r);
		world_send_to(&w, r, 10, 1);
		testhost_run(w.host);
		world_hear(&w, r, &plain);
	}
}

static void initiations_survive_each_failure(void **state)
{
	(void)state;
	struct bytes msg, plain;
	for (uint32_t n = 1; n < 6; n++) {
		if (n != 1) {
			world_end(&w);
			(void)set_up(state);
		}
		world_start(&w);
		testhost_fail_memory(n);
		world_send_to(&w, r, 10, 1);
		testhost_fail_memory(0);
		if (testhost_waiting(w.stage, 0, VPN_DOWN) == 0)
			world_send_to(&w, r, 10, 1); /* nothing is planned, so the next one asks */
		world_expect(&w, WG_TYPE_INITIATION, &msg);
		ref_response(r, &msg, &msg);
		world_recv(&w, r, &msg);
		world_hear(&w, r, &plain);
	}
}

static void changes_survive_each_failure(void **state)
{
	(void)state;
	world_start(&w);
	for (uint32_t n = 1;; n++) {
		uint8_t key[WG_KEY_LEN];
		bool created = false;
		int e = 0;
		struct vpn_prefix p;
		assert_true(n < 100);
		assert_true(wg_text_parse_prefix("10.44.0.0/16", &p));
		memset(key, (int)(0x80 + n), sizeof(key));
		wg_config_lock(w.wg);
		uint32_t before = w.wg->peers.count;
		testhost_fail_memory(n);
		testhost_in_component = 1;
		struct wg_peer *peer = wg_config_peer(w.wg, key, true, &created, &e);
		if (peer == NULL) {
			assert_int_equal(e, ENOMEM);
			assert_int_equal(w.wg->peers.count, before);
		} else {
			(void)wg_config_peer_add_allowed(w.wg, peer, &p);
			wg_config_peer_done(w.wg, peer);
			wg_config_peer_remove(w.wg, peer);
		}
		testhost_in_component = 0;
		wg_config_unlock(w.wg);
		bool failed = testhost_memory_failed();
		testhost_fail_memory(0);
		testhost_run(w.host);
		if (!failed)
			break;
	}
	world_join(&w, r);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(making_an_instance_survives_each_failure),
		TEST(handshakes_survive_each_failure),
		TEST(initiations_survive_each_failure),
		TEST(changes_survive_each_failure),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
