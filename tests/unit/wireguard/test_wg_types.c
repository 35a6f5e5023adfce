/* SPDX-License-Identifier: BSD-2-Clause */
/* test_wg_types: messages that begin with other words than 1 to 4, as a stage below has asked for. */
#include "wg_world.h"

static const struct vpn_wireguard_types words = {
	.size = sizeof(words),
	.initiation = {4, 1000}, /* also what stands for data elsewhere */
	.response = {0x80000000u, 0x80000000u},
	.cookie = {0, 2},
	.data = {0xfffffff0u, UINT32_MAX},
};

static struct world w;
static struct ref *r;
static const struct vpn_wireguard_types_ext *ext;

static void make(void)
{
	world_init(&w);
	w.setup.max_batch = VPN_BATCH_MAX;
	r = world_peer(&w, "192.0.2.1:51820", "10.0.1.0/24");
	assert_non_null(world_add(&w, NULL));
	ext = world_component()->lifecycle->get_extension(w.wg, VPN_EXT_WIREGUARD_TYPES);
	assert_non_null(ext);
	assert_int_equal(ext->size, sizeof(*ext));
}

static void begin(void)
{
	assert_int_equal(testhost_start(w.stage, NULL), VPN_OK);
	testhost_run(w.host);
	world_mark(&w);
}

static int set_up(void **state)
{
	struct vpn_error err = {.size = sizeof(err)};
	(void)state;
	make();
	assert_int_equal(ext->set(w.wg, &words, &err), VPN_OK);
	begin();
	return 0;
}

static int set_up_not_started(void **state)
{
	(void)state;
	make();
	return 0;
}

static int tear_down(void **state)
{
	(void)state;
	world_end(&w);
	return 0;
}

static bool is_in(uint32_t word, struct vpn_word_range range)
{
	return word >= range.first && word <= range.last;
}

/* The next message down, which begins with a word of this range. */
static void expect(struct vpn_word_range range, struct bytes *out)
{
	const struct testhost_record *sent = testhost_next(w.stage, 0, VPN_DOWN);
	assert_non_null(sent);
	assert_true(is_in(wg_load_le32(sent->data), range));
	memcpy(out->data, sent->data, sent->len);
	out->len = sent->len;
}

static void say_as(struct bytes *msg, uint32_t word)
{
	wg_store_le32(msg->data, word);
	if (msg->len >= sizeof(struct wg_msg_response)) /* with MACs */
		ref_sign(r, msg);
	world_recv(&w, r, msg);
}

static void say_data(uint32_t word, const void *plain, uint32_t len)
{
	struct bytes msg;
	ref_data(r, plain, len, &msg);
	wg_store_le32(msg.data, word);
	world_recv(&w, r, &msg);
}

/* A session that the reference peer has begun and confirmed. */
static void join(void)
{
	struct bytes msg;
	ref_initiation(r, &msg);
	say_as(&msg, words.initiation.first);
	expect(words.response, &msg);
	assert_true(ref_consume(r, &msg));
	say_data(words.data.last, "", 0);
	testhost_run(w.host);
}

static void begins_a_session_with_its_words(void **state)
{
	(void)state;
	struct bytes msg, plain;
	world_send_to(&w, r, 100, 1);
	expect(words.initiation, &msg);
	ref_response(r, &msg, &msg); /* looks at mac1, which covers the word */
	say_as(&msg, words.response.first);
	expect((struct vpn_word_range){words.data.first, words.data.first}, &msg);
	wg_store_le32(msg.data, WG_TYPE_DATA);
	assert_true(ref_open(&r->session, &msg, &plain));
}

static void answers_with_its_words(void **state)
{
	(void)state;
	join();
	assert_int_equal(world_grown(&w, KEEPALIVES_RECEIVED), 1);
	assert_int_equal(world_grown(&w, RESPONSES_SENT), 1);
	world_only_drop(&w, WG_COUNTERS, 0);
}

static void draws_from_the_whole_range(void **state)
{
	(void)state;
	uint32_t low = UINT32_MAX, high = 0;
	uint8_t word[4];
	for (int i = 0; i < 20000; i++) {
		wg_types_write(&w.wg->types, testhost_services(w.stage), WG_TYPE_INITIATION, word);
		uint32_t got = wg_load_le32(word);
		assert_true(is_in(got, words.initiation));
		low = got < low ? got : low;
		high = got > high ? got : high;
	}
	assert_int_equal(low, words.initiation.first);
	assert_int_equal(high, words.initiation.last);
}

static void draws_from_all_words_there_are(void **state)
{
	(void)state;
	struct wg_types all = {.of[WG_TYPE_COOKIE] = {0, UINT32_MAX}};
	bool high = false, low = false;
	uint8_t word[4];
	for (int i = 0; i < 100; i++) {
		wg_types_write(&all, testhost_services(w.stage), WG_TYPE_COOKIE, word);
		high |= wg_load_le32(word) >> 31 != 0;
		low |= wg_load_le32(word) >> 31 == 0;
	}
	assert_true(high && low);
}

static void takes_no_other_words(void **state)
{
	(void)state;
	static const uint32_t wrong[] = {3, 1001, 0x7fffffff, 0x80000001, 0xffffffef};
	struct bytes msg;
	for (uint32_t i = 0; i < 5; i++) {
		ref_initiation(r, &msg);
		say_as(&msg, wrong[i]);
	}
	world_silent(&w);
	world_only_drop(&w, DROP_BAD_TYPE, 5);
}

static void a_mac_covers_the_word(void **state)
{
	(void)state;
	struct bytes msg;
	ref_initiation(r, &msg);
	wg_store_le32(msg.data, words.initiation.last);
	world_recv(&w, r, &msg);
	world_silent(&w);
	world_only_drop(&w, DROP_BAD_MAC1, 1);
}

static void cookies_have_its_words(void **state)
{
	(void)state;
	struct vpn_packet *pkts[WG_UNDER_LOAD_QUEUE];
	struct bytes msg, cookie;
	ref_initiation(r, &msg);
	wg_store_le32(msg.data, 77);
	ref_sign(r, &msg);
	for (uint32_t i = 0; i < WG_UNDER_LOAD_QUEUE; i++) {
		pkts[i] = testhost_packet(w.stage, 0, VPN_UP, msg.data, msg.len);
		testhost_packet_from(w.stage, pkts[i], &r->at);
	}
	assert_int_equal(testhost_offer(w.stage, 0, VPN_UP, pkts, WG_UNDER_LOAD_QUEUE),
			 WG_UNDER_LOAD_QUEUE);
	expect(words.cookie, &cookie);
	assert_int_equal(cookie.len, sizeof(struct wg_msg_cookie));
	assert_true(wg_cookie_consume(&r->maker, (const void *)cookie.data, testhost_now(w.host)));
}

static void understands_cookies_with_its_words(void **state)
{
	(void)state;
	struct bytes msg;
	world_send_to(&w, r, 100, 1);
	expect(words.initiation, &msg);
	ref_cookie(r, &msg, &msg);
	say_as(&msg, words.cookie.last);
	assert_int_equal(world_grown(&w, COOKIES_RECEIVED), 1);
}

static void a_padded_keepalive_is_one(void **state)
{
	(void)state;
	static const uint8_t zeros[300];
	join();
	world_mark(&w);
	say_data(words.data.first, zeros, 1);
	say_data(words.data.first, zeros, sizeof(zeros));
	assert_int_equal(world_grown(&w, KEEPALIVES_RECEIVED), 2);
	world_only_drop(&w, WG_COUNTERS, 0);
	world_advance(&w, WG_KEEPALIVE_TIMEOUT + WG_SECOND); /* it is not answered */
	assert_int_equal(world_grown(&w, KEEPALIVES_SENT), 0);
}

static void without_words_zeros_are_malformed(void **state)
{
	(void)state;
	struct bytes msg;
	begin();
	world_join(&w, r);
	world_mark(&w);
	ref_data(r, "\0\0", 2, &msg);
	world_recv(&w, r, &msg);
	world_only_drop(&w, DROP_MALFORMED, 1);
}

static void refuses_ranges_that_overlap(void **state)
{
	(void)state;
	struct vpn_error err = {.size = sizeof(err)};
	struct vpn_wireguard_types bad = words;
	struct bytes msg;
	bad.cookie.last = 4;
	assert_int_equal(ext->set(w.wg, &bad, &err), VPN_EINVAL);
	assert_string_equal(err.text, "the ranges of types 1 and 3 overlap");
	bad = words;
	bad.data.first = 0x80000000u;
	assert_int_equal(ext->set(w.wg, &bad, &err), VPN_EINVAL);
	/* nothing has changed */
	begin();
	world_send_to(&w, r, 100, 1);
	world_expect(&w, WG_TYPE_INITIATION, &msg);
}

static void refuses_a_range_turned_round(void **state)
{
	(void)state;
	struct vpn_error err = {.size = sizeof(err)};
	struct vpn_wireguard_types bad = words;
	bad.response.last = 5000;
	assert_int_equal(ext->set(w.wg, &bad, &err), VPN_EINVAL);
	assert_string_equal(err.text, "the range of type 2 is turned round");
}

static void refuses_words_when_it_runs(void **state)
{
	(void)state;
	struct vpn_error err = {.size = sizeof(err)};
	assert_int_equal(ext->set(w.wg, &words, &err), VPN_EBUSY);
}

int main(void)
{
#define TEST(name)   cmocka_unit_test_setup_teardown(name, set_up, tear_down)
#define BEFORE(name) cmocka_unit_test_setup_teardown(name, set_up_not_started, tear_down)
	static const struct CMUnitTest tests[] = {
		TEST(begins_a_session_with_its_words),
		TEST(answers_with_its_words),
		TEST(draws_from_the_whole_range),
		TEST(draws_from_all_words_there_are),
		TEST(takes_no_other_words),
		TEST(a_mac_covers_the_word),
		TEST(cookies_have_its_words),
		TEST(understands_cookies_with_its_words),
		TEST(a_padded_keepalive_is_one),
		BEFORE(without_words_zeros_are_malformed),
		BEFORE(refuses_ranges_that_overlap),
		BEFORE(refuses_a_range_turned_round),
		TEST(refuses_words_when_it_runs),
	};
	TESTHOST_USE_CMOCKA();
	return cmocka_run_group_tests(tests, NULL, NULL);
}
