/* SPDX-License-Identifier: BSD-2-Clause */
/* test_wg_load: floods of handshakes, cookies in both directions, and the limit for each address. */
#include "wg_world.h"

#define BATCH 256u

static struct world w;
static struct ref *r, *other;

static int set_up(void **state)
{
	(void)state;
	world_init(&w);
	w.setup.max_batch = BATCH;
	w.setup.pool_size = 4096;
	r = world_peer(&w, "192.0.2.1:51820", "10.0.1.0/24");
	other = world_peer(&w, "192.0.2.2:51821", "10.0.2.0/24");
	world_start(&w);
	return 0;
}

static int tear_down(void **state)
{
	(void)state;
	world_end(&w);
	return 0;
}

/* The same message n times in one push. */
static void flood(const struct bytes *msg, uint32_t n, const struct vpn_endpoint *from)
{
	struct vpn_packet *pkts[BATCH];
	for (uint32_t i = 0; i < n; i++) {
		pkts[i] = testhost_packet(w.stage, 0, VPN_UP, msg->data, msg->len);
		testhost_packet_from(w.stage, pkts[i], from);
	}
	assert_int_equal(testhost_offer(w.stage, 0, VPN_UP, pkts, n), n);
}

/* Load, for a second from now on; nothing is left in the queue. */
static void make_load(void)
{
	struct bytes msg;
	struct vpn_endpoint from = testhost_endpoint("203.0.113.1:5");
	ref_initiation(other, &msg);
	flood(&msg, WG_UNDER_LOAD_QUEUE, &from);
	testhost_run(w.host);
	testhost_clear(w.stage, 0, VPN_DOWN);
	world_mark(&w);
}

static void a_long_queue_is_answered_with_cookies(void **state)
{
	(void)state;
	struct bytes msg, cookie;
	ref_initiation(r, &msg);
	flood(&msg, WG_UNDER_LOAD_QUEUE, &r->at);
	testhost_run(w.host);
	for (uint32_t i = 0; i < WG_UNDER_LOAD_QUEUE; i++) {
		const struct testhost_record *sent = world_expect(&w, WG_TYPE_COOKIE, &cookie);
		assert_int_equal(sent->len, sizeof(struct wg_msg_cookie));
		assert_int_equal(sent->endpoint.port, r->at.port);
		assert_memory_equal(cookie.data + 4, msg.data + 4, 4);
	}
	world_silent(&w);
	world_only_drop(&w, DROP_NO_COOKIE, WG_UNDER_LOAD_QUEUE);
	assert_int_equal(world_grown(&w, COOKIES_SENT), WG_UNDER_LOAD_QUEUE);
	assert_int_equal(world_grown(&w, UNDER_LOAD), 1);
	assert_int_equal(world_grown(&w, RESPONSES_SENT), 0);
}

static void a_shorter_queue_is_no_load(void **state)
{
	(void)state;
	struct bytes msg;
	ref_initiation(r, &msg);
	flood(&msg, WG_UNDER_LOAD_QUEUE - 1, &r->at);
	testhost_run(w.host);
	world_expect(&w, WG_TYPE_RESPONSE, NULL);
	world_silent(&w);
	assert_int_equal(world_grown(&w, UNDER_LOAD), 0);
	world_only_drop(&w, DROP_OLD_TIMESTAMP, WG_UNDER_LOAD_QUEUE - 2);
}

static void garbage_gets_no_cookie(void **state)
{
	(void)state;
	struct bytes msg;
	ref_initiation(r, &msg);
	msg.data[120] ^= 1; /* in mac1 */
	flood(&msg, BATCH, &r->at);
	testhost_run(w.host);
	world_silent(&w);
	world_only_drop(&w, DROP_BAD_MAC1, BATCH);
}

static void get_cookie(void)
{
	struct bytes msg, cookie;
	ref_initiation(r, &msg);
	world_recv(&w, r, &msg);
	world_expect(&w, WG_TYPE_COOKIE, &cookie);
	assert_true(wg_cookie_consume(&r->maker, (const void *)cookie.data, testhost_now(w.host)));
}

static void who_shows_the_cookie_is_served_under_load(void **state)
{
	(void)state;
	struct bytes msg;
	make_load();
	get_cookie();
	ref_initiation(r, &msg);
	world_recv(&w, r, &msg);
	world_expect(&w, WG_TYPE_RESPONSE, &msg);
	assert_true(ref_consume(r, &msg));
	world_silent(&w);
	world_only_drop(&w, DROP_NO_COOKIE, 1);
}

static void a_cookie_is_good_from_one_address_and_port_only(void **state)
{
	(void)state;
	struct bytes msg;
	make_load();
	get_cookie();
	ref_initiation(r, &msg);
	world_mark(&w);
	world_recv_from(&w, "192.0.2.1:51821", &msg);
	world_expect(&w, WG_TYPE_COOKIE, NULL);
	world_recv_from(&w, "192.0.2.3:51820", &msg);
	world_expect(&w, WG_TYPE_COOKIE, NULL);
	world_recv_from(&w, "[2001:db8::1]:51820", &msg);
	world_expect(&w, WG_TYPE_COOKIE, NULL);
	world_only_drop(&w, DROP_NO_COOKIE, 3);
	world_recv(&w, r, &msg);
	world_expect(&w, WG_TYPE_RESPONSE, NULL);
}

static void a_cookie_is_good_for_two_minutes(void **state)
{
	(void)state;
	struct bytes msg;
	make_load();
	get_cookie();
	struct wg_cookie_maker maker = r->maker;
	world_advance(&w, WG_COOKIE_LIFETIME);
	make_load();
	maker.cookie_ns = testhost_now(w.host); /* it believes in it still */
	r->maker = maker;
	ref_initiation(r, &msg);
	world_recv(&w, r, &msg);
	world_expect(&w, WG_TYPE_COOKIE, NULL);
	world_only_drop(&w, DROP_NO_COOKIE, 1);
}

static void responses_need_a_cookie_as_well(void **state)
{
	(void)state;
	struct bytes msg, cookie, plain;
	world_send_to(&w, r, 10, 1);
	world_expect(&w, WG_TYPE_INITIATION, &msg);
	make_load();
	ref_response(r, &msg, &msg);
	world_recv(&w, r, &msg);
	world_expect(&w, WG_TYPE_COOKIE, &cookie);
	world_only_drop(&w, DROP_NO_COOKIE, 1);
	assert_true(wg_cookie_consume(&r->maker, (const void *)cookie.data, testhost_now(w.host)));
	ref_sign(r, &msg);
	world_recv(&w, r, &msg);
	world_hear(&w, r, &plain);
}

static void more_than_a_few_from_one_address_are_limited(void **state)
{
	(void)state;
	struct bytes msg;
	make_load();
	get_cookie();
	uint32_t answered = 0;
	for (uint32_t i = 0; i < 20; i++) {
		world_advance(&w, 1); /* no time for more tokens */
		ref_initiation(r, &msg);
		world_recv(&w, r, &msg);
		answered += testhost_next(w.stage, 0, VPN_DOWN) != NULL;
	}
	/* the first is served, the others of the burst come too soon for one peer */
	assert_int_equal(answered, 1);
	assert_int_equal(world_grown(&w, DROP_TOO_SOON), 4);
	assert_int_equal(world_grown(&w, DROP_RATE_LIMITED), 15);
	assert_int_equal(world_grown(&w, COOKIES_SENT), 1);
	/* another address has its own */
	assert_true(other->at.addr[3] != r->at.addr[3]);
	world_mark(&w);
	ref_initiation(other, &msg);
	world_recv(&w, other, &msg);
	world_expect(&w, WG_TYPE_COOKIE, &msg);
	assert_true(wg_cookie_consume(&other->maker, (const void *)msg.data, testhost_now(w.host)));
	ref_initiation(other, &msg);
	world_recv(&w, other, &msg);
	world_expect(&w, WG_TYPE_RESPONSE, NULL);
	assert_int_equal(world_grown(&w, DROP_RATE_LIMITED), 0);
}

static void without_load_nobody_is_limited(void **state)
{
	(void)state;
	struct bytes msg;
	for (uint32_t i = 0; i < 40; i++) {
		world_advance(&w, WG_INITIATION_INTERVAL);
		ref_initiation(r, &msg);
		world_recv(&w, r, &msg);
		world_expect(&w, WG_TYPE_RESPONSE, NULL);
	}
	world_only_drop(&w, WG_COUNTERS, 0);
}

static void load_ends_after_a_second(void **state)
{
	(void)state;
	struct bytes msg;
	make_load();
	world_advance(&w, WG_UNDER_LOAD_TIME - 1);
	ref_initiation(r, &msg);
	world_recv(&w, r, &msg);
	world_expect(&w, WG_TYPE_COOKIE, NULL);
	world_advance(&w, 1);
	world_recv(&w, r, &msg);
	world_expect(&w, WG_TYPE_RESPONSE, NULL);
}

static void data_passes_under_load(void **state)
{
	(void)state;
	struct bytes plain;
	world_join(&w, r);
	world_advance(&w, WG_SECOND);
	make_load();
	world_say(&w, r, r->inside, w.inside, 10, 1);
	assert_int_equal(testhost_waiting(w.stage, 0, VPN_UP), 1);
	world_send_to(&w, r, 10, 2);
	world_hear(&w, r, &plain);
	world_only_drop(&w, WG_COUNTERS, 0);
}

/* Data that comes in one batch with a flood goes first. */
static void data_does_not_wait_behind_a_flood(void **state)
{
	(void)state;
	struct vpn_packet *pkts[BATCH];
	struct bytes msg, packet, data;
	world_join(&w, r);
	ref_initiation(other, &msg);
	world_udp(&packet, r->inside, w.inside, 10, 1);
	ref_data(r, packet.data, packet.len, &data);
	for (uint32_t i = 0; i < BATCH; i++) {
		const struct bytes *one = i == BATCH - 1 ? &data : &msg;
		pkts[i] = testhost_packet(w.stage, 0, VPN_UP, one->data, one->len);
		testhost_packet_from(w.stage, pkts[i], &other->at);
	}
	assert_int_equal(testhost_offer(w.stage, 0, VPN_UP, pkts, BATCH), BATCH);
	world_expect_up(&w, &packet);
}

/* As many messages as that wait, however fast they are served otherwise. */
static void queue_up(const struct bytes *msg, uint32_t n)
{
	for (uint32_t i = 0; i < n; i++) {
		struct vpn_packet *p = testhost_packet(w.stage, 0, VPN_UP, msg->data, msg->len);
		testhost_packet_from(w.stage, p, &r->at);
		wg_handshake_queue_put(&w.wg->lanes[0], p, WG_TYPE_INITIATION);
		testhost_drop(w.stage, p);
	}
}

static void a_full_queue_drops_what_comes(void **state)
{
	(void)state;
	struct bytes msg;
	ref_initiation(r, &msg);
	queue_up(&msg, WG_HANDSHAKE_QUEUE + 10);
	world_only_drop(&w, DROP_HANDSHAKE_FULL, 10);
	world_recv(&w, r, &msg);
	assert_int_equal(world_grown(&w, DROP_HANDSHAKE_FULL), 11);
	testhost_run(w.host);
	assert_int_equal(w.wg->lanes[0].queue.count, 0);
	assert_int_equal(testhost_waiting(w.stage, 0, VPN_DOWN), WG_HANDSHAKE_QUEUE);
	assert_int_equal(world_grown(&w, COOKIES_SENT), WG_HANDSHAKE_QUEUE);
	assert_int_equal(world_grown(&w, DROP_NO_COOKIE), WG_HANDSHAKE_QUEUE);
	assert_int_equal(world_grown(&w, UNDER_LOAD), 1);
	assert_int_equal(world_grown(&w, DROP_BELOW_FULL), 0);
}

/* One turn does not serve all of them: data has its turn in between. */
static void a_long_queue_is_served_in_turns(void **state)
{
	(void)state;
	struct bytes msg, data, packet;
	world_join(&w, r);
	world_advance(&w, WG_SECOND);
	ref_initiation(r, &msg);
	queue_up(&msg, WG_HANDSHAKE_QUEUE);
	world_udp(&packet, r->inside, w.inside, 10, 1);
	ref_data(r, packet.data, packet.len, &data);
	world_recv(&w, r, &data);
	assert_true(w.wg->lanes[0].queue.count != 0);
	world_expect_up(&w, &packet);
	testhost_run(w.host);
	assert_int_equal(w.wg->lanes[0].queue.count, 0);
}

static void a_queue_that_is_not_served_ends_with_stop(void **state)
{
	(void)state;
	struct bytes msg;
	ref_initiation(r, &msg);
	queue_up(&msg, 100);
	testhost_stop(w.stage);
	assert_int_equal(w.wg->lanes[0].queue.count, 0);
}

/* ---- the other way round ---- */

static void our_next_initiation_shows_the_cookie_that_we_got(void **state)
{
	(void)state;
	static const uint8_t none[WG_MAC_LEN];
	struct bytes first, second, cookie;
	struct vpn_endpoint us = testhost_endpoint("203.0.113.9:4500");
	world_send_to(&w, r, 10, 1);
	world_expect(&w, WG_TYPE_INITIATION, &first);
	assert_memory_equal(first.data + 132, none, WG_MAC_LEN);
	ref_cookie(r, &first, &cookie);
	world_recv(&w, r, &cookie);
	world_silent(&w); /* the retransmission carries it, nothing is sent for it */
	world_advance(&w, WG_REKEY_TIMEOUT + WG_REKEY_JITTER);
	world_expect(&w, WG_TYPE_INITIATION, &second);
	assert_int_equal(wg_cookie_check(&r->checker, second.data, second.len, &us,
					 testhost_now(w.host), true),
			 WG_COOKIE_BOTH);
	us.port++;
	assert_int_equal(wg_cookie_check(&r->checker, second.data, second.len, &us,
					 testhost_now(w.host), true),
			 WG_COOKIE_MAC1_ONLY);
}

static void our_response_shows_it_as_well(void **state)
{
	(void)state;
	struct bytes msg, cookie;
	struct vpn_endpoint us = testhost_endpoint("203.0.113.9:4500");
	ref_initiation(r, &msg);
	world_recv(&w, r, &msg);
	world_expect(&w, WG_TYPE_RESPONSE, &msg);
	ref_cookie(r, &msg, &cookie);
	world_recv(&w, r, &cookie);
	assert_int_equal(world_grown(&w, COOKIES_RECEIVED), 1);
	world_advance(&w, WG_SECOND);
	ref_initiation(r, &msg);
	world_recv(&w, r, &msg);
	world_expect(&w, WG_TYPE_RESPONSE, &msg);
	assert_int_equal(
		wg_cookie_check(&r->checker, msg.data, msg.len, &us, testhost_now(w.host), true),
		WG_COOKIE_BOTH);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(a_long_queue_is_answered_with_cookies),
		TEST(a_shorter_queue_is_no_load),
		TEST(garbage_gets_no_cookie),
		TEST(who_shows_the_cookie_is_served_under_load),
		TEST(a_cookie_is_good_from_one_address_and_port_only),
		TEST(a_cookie_is_good_for_two_minutes),
		TEST(responses_need_a_cookie_as_well),
		TEST(more_than_a_few_from_one_address_are_limited),
		TEST(without_load_nobody_is_limited),
		TEST(load_ends_after_a_second),
		TEST(data_passes_under_load),
		TEST(data_does_not_wait_behind_a_flood),
		TEST(a_full_queue_drops_what_comes),
		TEST(a_long_queue_is_served_in_turns),
		TEST(a_queue_that_is_not_served_ends_with_stop),
		TEST(our_next_initiation_shows_the_cookie_that_we_got),
		TEST(our_response_shows_it_as_well),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
