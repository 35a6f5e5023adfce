/* SPDX-License-Identifier: BSD-2-Clause */
/* test_obfs_awg: the mode as a stage: what it agrees on with wireguard, what goes out ahead of initiations,
 * what it drops, and what the log says. */
#include "obfs_world.h"

#include "awg_options.h"

#define SECONDS UINT64_C(1000000000)

static struct world w;
static struct awg_options awg[2];
static struct vpn_wireguard_types told;
static vpn_status answer;
static int wireguard;

static vpn_status set_types(void *inst, const struct vpn_wireguard_types *types,
			    struct vpn_error *err)
{
	assert_ptr_equal(inst, &wireguard);
	told = *types;
	err->status = answer;
	strcpy(err->text, answer != VPN_OK ? "as the test wants it" : "");
	return answer;
}

static const struct vpn_wireguard_types_ext ext = {.size = sizeof(ext), .set = set_types};

static int set_up(void **state)
{
	(void)state;
	world_init(&w, OBFS_AWG);
	testhost_serve(w.host, VPN_EXT_WIREGUARD_TYPES, &ext, &wireguard);
	answer = VPN_OK;
	for (uint32_t i = 0; i < 2; i++) {
		awg[i] = (struct awg_options){.s = {20, 30, 41, 5},
					      .h = {"100-200", "7", "8", "1000-2000"}};
		w.options[i].awg = &awg[i];
		w.setup[i].above = "wireguard";
		w.setup[i].max_batch = 256;
		w.setup[i].tailroom = 700;
	}
	return 0;
}

static int tear_down(void **state)
{
	(void)state;
	world_end(&w);
	return 0;
}

static void begin(void)
{
	world_start(&w, 0);
	world_start(&w, 1);
}

static struct vpn_error refused(void)
{
	struct vpn_error err = {.size = sizeof(err)};
	assert_null(testhost_add(w.host, world_component(), &w.setup[0], &err));
	return err;
}

/* A message of wireguard above: `len` bytes that begin with a word. */
static void say(uint32_t side, uint32_t word, uint32_t len)
{
	uint8_t msg[2048];
	memset(msg, 0x5a, sizeof(msg));
	for (uint32_t i = 0; i < 4; i++)
		msg[i] = (uint8_t)(word >> 8 * i);
	msg[14] = msg[15] = 0; /* a counter of data */
	assert_true(testhost_send(w.stage[side], 0, msg, len));
}

static void hear(uint32_t side, uint32_t word, uint32_t len)
{
	const struct testhost_record *got = world_next(&w, side, VPN_UP);
	assert_int_equal(got->len, len);
	assert_int_equal(got->data[0] | got->data[1] << 8, word);
	for (uint32_t i = 4; i < len; i++)
		assert_int_equal(got->data[i], i / 2 == 7 ? 0 : 0x5a);
}

static void tells_wireguard_the_words(void **state)
{
	(void)state;
	world_start(&w, 0);
	assert_int_equal(told.size, sizeof(told));
	assert_int_equal(told.initiation.first, 100);
	assert_int_equal(told.initiation.last, 200);
	assert_int_equal(told.response.first, 7);
	assert_int_equal(told.cookie.last, 8);
	assert_int_equal(told.data.last, 2000);
}

static void stands_below_wireguard_alone(void **state)
{
	(void)state;
	w.setup[0].above = "kcp";
	struct vpn_error err = refused();
	assert_string_equal(err.where, "/mode");
	assert_string_equal(err.text,
			    "mode \"awg\" disguises WireGuard's messages: the stage directly "
			    "above has to be \"wireguard\"");
	w.setup[0].above = NULL;
	assert_string_equal(refused().where, "/mode");
}

static void does_not_start_when_wireguard_refuses(void **state)
{
	struct vpn_error err = {.size = sizeof(err)};
	(void)state;
	answer = VPN_EBUSY;
	w.stage[0] = testhost_add(w.host, world_component(), &w.setup[0], &err);
	assert_non_null(w.stage[0]);
	assert_int_equal(testhost_start(w.stage[0], &err), VPN_EBUSY);
}

static void does_not_start_beside_a_wireguard_that_is_too_old(void **state)
{
	struct vpn_error err = {.size = sizeof(err)};
	(void)state;
	testhost_serve(w.host, VPN_EXT_WIREGUARD_TYPES, NULL, NULL);
	w.stage[0] = testhost_add(w.host, world_component(), &w.setup[0], &err);
	assert_non_null(w.stage[0]);
	assert_int_equal(testhost_start(w.stage[0], &err), VPN_ENOTSUP);
	assert_string_equal(err.where, "/mode");
}

static void refuses_messages_that_the_stack_cannot_carry(void **state)
{
	(void)state;
	awg[0].s[AWG_RESPONSE] = 1280;
	w.setup[0].mtu_below = 1371;
	assert_string_equal(refused().where, "/awg/s2");
	w.setup[0].mtu_below = 1372;
	world_start(&w, 0);
}

static void messages_pass_unchanged(void **state)
{
	(void)state;
	begin();
	world_join(&w);
	say(0, 150, 148);
	say(0, 7, 92);
	say(0, 8, 64);
	testhost_run(w.host);
	hear(1, 150, 148);
	hear(1, 7, 92);
	hear(1, 8, 64);
	for (uint32_t len = 32; len < 1400; len += 7) {
		say(0, 1000, len);
		testhost_run(w.host);
		const struct testhost_record *got = world_next(&w, 1, VPN_UP);
		assert_int_equal(got->len, len);
		assert_in_range(got->data[0] | got->data[1] << 8, 1000, 2000);
	}
	assert_int_equal(testhost_drops(w.stage[0]) + testhost_drops(w.stage[1]), 0);
	assert_int_equal(testhost_counter(w.stage[0], "awg_lead"), 0);
}

/* The next datagram down. */
static const struct testhost_record *sent(void)
{
	const struct testhost_record *got = world_next(&w, 0, VPN_DOWN);
	assert_true(got->has_endpoint);
	assert_int_equal(got->endpoint.port, 51820);
	return got;
}

static void send_to_a_peer(uint32_t word, uint32_t len)
{
	struct vpn_endpoint to = testhost_endpoint("192.0.2.9:51820");
	uint8_t msg[256] = {(uint8_t)word};
	struct vpn_packet *p = testhost_packet(w.stage[0], 0, VPN_DOWN, msg, len);
	testhost_packet_from(w.stage[0], p, &to);
	assert_int_equal(testhost_offer(w.stage[0], 0, VPN_DOWN, &p, 1), 1);
	testhost_run(w.host);
}

static void an_initiation_is_led_by_packets_and_junk(void **state)
{
	(void)state;
	awg[0].i[0] = "<b 0xc0ffee>";
	awg[0].i[2] = "<b 0x00><t>";
	awg[0].jc = 3;
	awg[0].jmin = 50;
	awg[0].jmax = 60;
	testhost_set_wall(w.host, 0x01020304 * SECONDS);
	begin();
	for (uint64_t round = 1; round <= 2; round++) {
		send_to_a_peer(150, 148);
		assert_memory_equal(sent()->data, "\xc0\xff\xee", 3);
		const struct testhost_record *got = sent();
		assert_int_equal(got->len, 5);
		assert_memory_equal(got->data, "\x00\x01\x02\x03\x04", 5);
		for (uint32_t i = 0; i < 3; i++)
			assert_in_range(sent()->len, 50, 60);
		assert_int_equal(sent()->len, 20 + 148);
		assert_int_equal(testhost_waiting(w.stage[0], 0, VPN_DOWN), 0);
		assert_int_equal(testhost_counter(w.stage[0], "awg_lead"), 5 * round);
	}
}

static void nothing_else_is_led(void **state)
{
	(void)state;
	awg[0].i[0] = "<r 10>";
	awg[0].jc = AWG_JUNK_MOST;
	awg[0].jmin = awg[0].jmax = 10;
	begin();
	send_to_a_peer(7, 92);
	assert_int_equal(sent()->len, 30 + 92);
	send_to_a_peer(8, 64);
	assert_int_equal(sent()->len, 41 + 64);
	assert_int_equal(testhost_waiting(w.stage[0], 0, VPN_DOWN), 0);
	send_to_a_peer(150, 148);
	assert_int_equal(testhost_waiting(w.stage[0], 0, VPN_DOWN), AWG_JUNK_MOST + 2);
}

static void sizes_of_junk_are_drawn_evenly(void **state)
{
	uint32_t seen[5] = {0};
	(void)state;
	awg[0].jc = 100;
	awg[0].jmin = 10;
	awg[0].jmax = 14;
	begin();
	for (uint32_t round = 0; round < 50; round++) {
		send_to_a_peer(150, 148);
		for (uint32_t i = 0; i < 100; i++) {
			uint32_t len = sent()->len;
			assert_in_range(len, 10, 14);
			seen[len - 10]++;
		}
		(void)sent();
	}
	for (uint32_t i = 0; i < 5; i++)
		assert_in_range(seen[i], 830, 1170); /* six standard deviations around 1000 */
}

static void junk_is_as_long_as_data_at_most(void **state)
{
	(void)state;
	awg[0].jc = 20;
	awg[0].jmin = awg[0].jmax = 1452;
	w.setup[0].mtu_above = 1420 + 27;
	w.setup[0].mtu_below = 1452;
	w.setup[0].tailroom = 0; /* what needs() has asked for */
	begin();
	send_to_a_peer(150, 148);
	for (uint32_t i = 0; i < 20; i++)
		assert_int_equal(sent()->len, 1452);
}

static void junk_ends_on_the_other_side(void **state)
{
	(void)state;
	awg[0].jc = 30;
	awg[0].jmin = 1;
	awg[0].jmax = 30; /* shorter than any message */
	begin();
	world_join(&w);
	say(0, 150, 148);
	testhost_run(w.host);
	hear(1, 150, 148);
	assert_int_equal(testhost_waiting(w.stage[1], 0, VPN_UP), 0);
	assert_int_equal(testhost_counter(w.stage[1], "drop_awg_unknown"), 30);
}

static void an_initiation_goes_out_though_packets_are_short(void **state)
{
	(void)state;
	awg[0].jc = 4;
	awg[0].jmin = awg[0].jmax = 10;
	begin();
	testhost_fail_alloc(w.host, 1, false);
	send_to_a_peer(150, 148);
	assert_int_equal(sent()->len, 168);
	assert_int_equal(testhost_counter(w.stage[0], "awg_lead"), 0);
}

static void what_is_no_message_does_not_go_out(void **state)
{
	(void)state;
	begin();
	say(0, 1, 148);    /* a word that was not agreed on */
	say(0, 150, 147);  /* another length */
	say(0, 999, 1000); /* data likewise */
	say(0, 1000, 31);
	assert_int_equal(testhost_waiting(w.stage[0], 0, VPN_DOWN), 0);
	assert_int_equal(testhost_counter(w.stage[0], "drop_awg_above"), 4);
}

static void cookies_can_be_kept_back(void **state)
{
	(void)state;
	awg[0].disable_cookies = 1;
	begin();
	say(0, 8, 64);
	assert_int_equal(testhost_waiting(w.stage[0], 0, VPN_DOWN), 0);
	assert_int_equal(testhost_counter(w.stage[0], "drop_awg_cookie"), 1);
	say(0, 7, 92);
	assert_int_equal(world_next(&w, 0, VPN_DOWN)->len, 122);
}

static void trailers_stay_within_the_window(void **state)
{
	uint32_t longest = 0;
	(void)state;
	awg[0].random_trailers = 1;
	awg[1].random_trailers = 1;
	begin();
	for (int i = 0; i < 3000; i++) {
		say(0, 7, 92);
		uint32_t len = world_next(&w, 0, VPN_DOWN)->len;
		assert_in_range(len, 122, 499);
		longest = len > longest ? len : longest;
	}
	assert_in_range(longest, 490, 499);
	say(0, 1000, 700); /* data of 705 bytes widen it */
	(void)world_next(&w, 0, VPN_DOWN);
	for (int i = 0; i < 3000; i++) {
		say(0, 7, 92);
		uint32_t len = world_next(&w, 0, VPN_DOWN)->len;
		assert_in_range(len, 122, 704);
		longest = len > longest ? len : longest;
	}
	assert_in_range(longest, 690, 704);
}

static void trailers_are_taken_away(void **state)
{
	(void)state;
	awg[0].random_trailers = 1;
	awg[1].random_trailers = 1;
	begin();
	world_join(&w);
	for (int i = 0; i < 100; i++) {
		say(0, 150, 148);
		testhost_run(w.host);
		hear(1, 150, 148);
	}
}

/* ---- what the log says when nothing fits ---- */

static void receive(uint32_t word_at, uint32_t word, uint32_t len)
{
	struct vpn_endpoint from = testhost_endpoint("192.0.2.9:51820");
	uint8_t msg[256] = {0};
	msg[word_at] = (uint8_t)word;
	assert_true(testhost_recv(w.stage[0], 0, msg, len, &from));
}

static void names_a_plain_wireguard(void **state)
{
	(void)state;
	begin();
	receive(0, 1, 148);
	testhost_advance(w.host, 3 * SECONDS);
	receive(0, 9, 77); /* junk does not cover it */
	assert_false(testhost_logged(w.host, VPN_LOG_WARN, ""));
	testhost_advance(w.host, 2 * SECONDS);
	receive(0, 9, 78);
	assert_true(testhost_logged(
		w.host, VPN_LOG_WARN,
		"3 datagrams did not fit mode \"awg\", and none did; the most telling one, from "
		"192.0.2.9:51820: an initiation of plain WireGuard. Compare s1-s4 and h1-h4, "
		"random_trailers of both sides"));
}

static void names_a_message_with_another_word(void **state)
{
	(void)state;
	begin();
	receive(20, 99, 168);
	testhost_advance(w.host, 12 * SECONDS);
	receive(0, 9, 77);
	assert_true(testhost_logged(w.host, VPN_LOG_WARN,
				    ": 168 bytes, as long as an initiation, but its word 99 is "
				    "not in h1."));
}

static void names_a_length_that_no_message_has(void **state)
{
	(void)state;
	begin();
	receive(0, 9, 77);
	testhost_advance(w.host, 12 * SECONDS);
	receive(0, 9, 78);
	assert_true(
		testhost_logged(w.host, VPN_LOG_WARN, ": 78 bytes, which no handshake has here."));
}

static void is_silent_when_a_message_fits(void **state)
{
	(void)state;
	begin();
	for (int i = 0; i < 10; i++) {
		receive(0, 9, 77);
		testhost_advance(w.host, 3 * SECONDS);
		receive(20, 100, 168); /* the initiation behind its junk */
		testhost_advance(w.host, 3 * SECONDS);
	}
	assert_int_equal(testhost_counter(w.stage[0], "drop_awg_unknown"), 10);
	assert_false(testhost_logged(w.host, VPN_LOG_WARN, ""));
}

/* A port on the internet hears strangers for as long as it is open. */
static void strangers_are_for_debugging_once_something_has_fitted(void **state)
{
	(void)state;
	begin();
	receive(20, 100, 168);
	for (int i = 0; i < 3; i++) {
		receive(0, 9, 77);
		testhost_advance(w.host, 70 * SECONDS);
	}
	assert_false(testhost_logged(w.host, VPN_LOG_WARN, ""));
	assert_true(testhost_logged(w.host, VPN_LOG_DEBUG, "did not fit mode \"awg\""));
}

static void speaks_once_a_minute(void **state)
{
	(void)state;
	begin();
	receive(0, 9, 77);
	testhost_advance(w.host, 12 * SECONDS);
	receive(0, 9, 77);
	for (int i = 0; i < 59; i++) {
		receive(0, 9, 77);
		testhost_advance(w.host, SECONDS);
	}
	assert_false(testhost_logged(w.host, VPN_LOG_WARN, "60 datagrams"));
	testhost_advance(w.host, SECONDS);
	receive(0, 9, 77);
	assert_true(testhost_logged(w.host, VPN_LOG_WARN, "60 datagrams"));
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
	static const struct CMUnitTest tests[] = {
		TEST(tells_wireguard_the_words),
		TEST(stands_below_wireguard_alone),
		TEST(does_not_start_when_wireguard_refuses),
		TEST(does_not_start_beside_a_wireguard_that_is_too_old),
		TEST(refuses_messages_that_the_stack_cannot_carry),
		TEST(messages_pass_unchanged),
		TEST(an_initiation_is_led_by_packets_and_junk),
		TEST(nothing_else_is_led),
		TEST(sizes_of_junk_are_drawn_evenly),
		TEST(junk_is_as_long_as_data_at_most),
		TEST(junk_ends_on_the_other_side),
		TEST(an_initiation_goes_out_though_packets_are_short),
		TEST(what_is_no_message_does_not_go_out),
		TEST(cookies_can_be_kept_back),
		TEST(trailers_stay_within_the_window),
		TEST(trailers_are_taken_away),
		TEST(names_a_plain_wireguard),
		TEST(names_a_message_with_another_word),
		TEST(names_a_length_that_no_message_has),
		TEST(is_silent_when_a_message_fits),
		TEST(strangers_are_for_debugging_once_something_has_fitted),
		TEST(speaks_once_a_minute),
	};
	TESTHOST_USE_CMOCKA();
	return cmocka_run_group_tests(tests, NULL, NULL);
}
