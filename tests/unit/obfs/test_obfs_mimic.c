/* SPDX-License-Identifier: BSD-2-Clause */
/* Mode mimic between two sides: the handshake, who is answered and who is not, what waits and what goes. */
#include <string.h>

#include "key.h"
#include "mimic_dtls.h"
#include "mimic_hold.h"
#include "mimic_options.h"
#include "mimic_rtp.h"
#include "obfs_world.h"
#include "veil_options.h"

#define MS         UINT64_C(1000000)
#define SECOND     (1000 * MS)
#define LARGEST    1600u
#define INITIATION 148u

struct datagram {
	uint8_t data[LARGEST];
	uint32_t len;
};

static struct world w;
static struct mimic_options mimic;
static struct veil_options veil;
static struct vpn_endpoint at[2]; /* where each side is */
static uint8_t key[2][OBFS_KEY_LEN];

static void begin(enum mimic_claim as)
{
	world_init(&w, OBFS_MIMIC);
	memset(key, 7, sizeof(key));
	mimic.as = as;
	veil = (struct veil_options){.window = 60 * SECOND, .junk_min = 64, .junk_max = 512};
	at[0] = testhost_endpoint("192.0.2.1:1000");
	at[1] = testhost_endpoint("192.0.2.2:2000");
	for (uint32_t i = 0; i < 2; i++) {
		w.options[i].password = NULL;
		w.options[i].key = (struct vpn_bytes){key[i], OBFS_KEY_LEN, 0};
		w.options[i].mimic = &mimic;
		w.options[i].veil = &veil;
		w.setup[i].above = "wireguard";
		w.setup[i].mtu_above = 1420;
	}
}

static int setup(void **state)
{
	(void)state;
	begin(MIMIC_DTLS);
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	world_end(&w);
	return 0;
}

static void start(void)
{
	world_start(&w, 0);
	world_start(&w, 1);
}

/* A message of WireGuard's first type, of which byte 4 says which one it is. */
static void message(uint8_t out[INITIATION], uint8_t which)
{
	memset(out, 0x5a, INITIATION);
	memset(out, 0, 4);
	out[0] = 1;
	out[4] = which;
}

static void say(uint32_t side, uint8_t which)
{
	uint8_t m[INITIATION];
	message(m, which);
	struct vpn_packet *p = testhost_packet(w.stage[side], 0, VPN_DOWN, m, sizeof(m));
	testhost_packet_from(w.stage[side], p, &at[1 - side]);
	assert_int_equal(testhost_offer(w.stage[side], 0, VPN_DOWN, &p, 1), 1);
}

/* The next datagram of a side. */
static struct datagram next(uint32_t side)
{
	struct datagram d;
	const struct testhost_record *r = world_next(&w, side, VPN_DOWN);
	assert_true(r->len <= sizeof(d.data));
	memcpy(d.data, r->data, r->len);
	d.len = r->len;
	return d;
}

static enum mimic_dtls_kind kind_of(const struct datagram *d)
{
	struct mimic_dtls_flight f;
	mimic_dtls_parse(d->data, d->len, &f);
	return f.kind;
}

static void give(uint32_t side, const struct datagram *d)
{
	assert_true(testhost_recv(w.stage[side], 0, d->data, d->len, &at[1 - side]));
}

static void is_silent(uint32_t side)
{
	assert_int_equal(testhost_waiting(w.stage[side], 0, VPN_DOWN), 0);
}

static void hears(uint32_t side, uint8_t which)
{
	uint8_t m[INITIATION];
	message(m, which);
	const struct testhost_record *r = world_next(&w, side, VPN_UP);
	TESTHOST_SAME_BYTES(r->data, r->len, m, sizeof(m));
}

/* Moves datagrams until both are silent. */
static void exchange(void)
{
	bool moved = true;
	while (moved) {
		moved = false;
		for (uint32_t side = 0; side < 2; side++) {
			while (testhost_waiting(w.stage[side], 0, VPN_DOWN) != 0) {
				struct datagram d = next(side);
				give(1 - side, &d);
				moved = true;
			}
		}
	}
}

/* One that fits nowhere: a counter, and silence. */
static void refuses(uint32_t side, const struct datagram *d, const char *reason)
{
	uint64_t before = testhost_counter(w.stage[side], reason);
	give(side, d);
	is_silent(side);
	assert_int_equal(testhost_waiting(w.stage[side], 0, VPN_UP), 0);
	assert_int_equal(testhost_counter(w.stage[side], reason), before + 1);
}

/* ---- the handshake ---- */

static void a_handshake_comes_before_the_data(void **state)
{
	(void)state;
	start();
	say(0, 1);
	say(0, 2);
	struct datagram hello = next(0);
	is_silent(0);
	assert_int_equal(kind_of(&hello), MIMIC_DTLS_CLIENT_HELLO);
	give(1, &hello);
	struct datagram answer = next(1);
	is_silent(1);
	assert_int_equal(kind_of(&answer), MIMIC_DTLS_SERVER_HELLO);
	give(0, &answer);
	struct datagram finished = next(0);
	assert_int_equal(kind_of(&finished), MIMIC_DTLS_CLIENT_FINISHED);
	give(1, &finished);
	is_silent(1);
	for (uint32_t i = 1; i <= 2; i++) {
		struct datagram d = next(0);
		assert_true(mimic_dtls_is_data(d.data, d.len));
		assert_int_equal(d.data[10], i); /* the number of the record */
		give(1, &d);
		hears(1, (uint8_t)i);
	}
	say(1, 3);
	struct datagram back = next(1);
	assert_true(mimic_dtls_is_data(back.data, back.len));
	assert_int_equal(back.data[10], 1);
	give(0, &back);
	hears(0, 3);
	assert_int_equal(testhost_drops(w.stage[0]) + testhost_drops(w.stage[1]), 0);
}

static void numbers_advance_for_each_peer(void **state)
{
	struct vpn_endpoint third = testhost_endpoint("192.0.2.3:3000");
	(void)state;
	start();
	say(0, 1);
	exchange();
	hears(1, 1);
	for (uint8_t i = 2; i < 200; i++) {
		say(0, i);
		struct datagram d = next(0);
		assert_int_equal(d.data[10], i);
		if (i % 10 == 0) { /* another peer has numbers of its own */
			at[1] = third;
			say(0, 0);
			testhost_clear(w.stage[0], 0, VPN_DOWN);
			at[1] = testhost_endpoint("192.0.2.2:2000");
		}
	}
}

static void a_lost_hello_is_sent_again_and_answered_again(void **state)
{
	(void)state;
	start();
	say(0, 1);
	struct datagram first = next(0);
	testhost_advance(w.host, 990 * MS);
	is_silent(0);
	testhost_advance(w.host, 20 * MS);
	struct datagram second = next(0);
	assert_int_equal(second.data[10], 1);
	first.data[10] = 1; /* the record's number alone is another */
	assert_memory_equal(first.data, second.data, first.len);
	give(1, &second);
	struct datagram lost = next(1);
	testhost_advance(w.host, 2010 * MS);
	struct datagram third = next(0);
	give(1, &third);
	struct datagram again = next(1);
	assert_int_equal(lost.len, again.len);
	assert_memory_equal(lost.data, again.data, lost.len);
	give(0, &again);
	exchange();
	hears(1, 1);
}

static void a_client_gives_up_and_begins_anew_with_the_next_packet(void **state)
{
	(void)state;
	start();
	say(0, 1);
	for (uint32_t i = 0; i < 6; i++) {
		struct datagram d = next(0);
		assert_int_equal(kind_of(&d), MIMIC_DTLS_CLIENT_HELLO);
		is_silent(0);
		testhost_advance(w.host, (SECOND << i) + 10 * MS);
	}
	is_silent(0);
	assert_int_equal(testhost_counter(w.stage[0], "drop_not_ready"), 1);
	say(0, 2);
	exchange();
	hears(1, 2);
}

static void a_lost_finished_holds_nothing_up(void **state)
{
	(void)state;
	start();
	say(0, 1);
	struct datagram hello = next(0);
	give(1, &hello);
	say(1, 9); /* waits: the client has not finished */
	struct datagram answer = next(1);
	is_silent(1);
	give(0, &answer);
	(void)next(0); /* Finished is lost */
	struct datagram d = next(0);
	give(1, &d);
	hears(1, 1);
	exchange();
	hears(0, 9);
}

static void what_waits_for_a_client_goes_out_in_the_end(void **state)
{
	(void)state;
	start();
	say(0, 1);
	struct datagram hello = next(0);
	give(1, &hello);
	(void)next(1);
	say(1, 9);
	is_silent(1);
	testhost_advance(w.host, 3100 * MS);
	struct datagram d = next(1);
	assert_true(mimic_dtls_is_data(d.data, d.len));
}

static void both_at_once_end_with_one_session(void **state)
{
	(void)state;
	start();
	say(0, 1);
	say(1, 2);
	struct datagram hellos[2] = {next(0), next(1)};
	give(0, &hellos[1]);
	give(1, &hellos[0]);
	exchange();
	hears(1, 1);
	hears(0, 2);
	assert_int_equal(testhost_drops(w.stage[0]) + testhost_drops(w.stage[1]), 0);
}

static void a_silent_peer_is_greeted_anew_before_an_initiation(void **state)
{
	(void)state;
	start();
	say(0, 1);
	exchange();
	hears(1, 1);
	testhost_advance(w.host, 10 * SECOND);
	say(0, 2);
	struct datagram d = next(0);
	assert_true(mimic_dtls_is_data(d.data, d.len));
	testhost_advance(w.host, 6 * SECOND);
	say(0, 3);
	d = next(0);
	assert_int_equal(kind_of(&d), MIMIC_DTLS_CLIENT_HELLO);
	give(1, &d);
	exchange();
	hears(1, 3);
}

/* The stage above forgets its own address when the machine has another way out. */
static void a_greeting_leaves_from_where_the_stage_above_says_last(void **state)
{
	(void)state;
	start();
	at[1].ifindex = 2;
	say(0, 1);
	exchange();
	hears(1, 1);
	testhost_advance(w.host, 16 * SECOND);
	for (uint32_t way = 3; way <= 4; way++) {
		at[1].ifindex = way;
		say(0, (uint8_t)way);
		if (way == 4) /* while the hello is not answered */
			testhost_advance(w.host, 1010 * MS);
		assert_int_equal(world_next(&w, 0, VPN_DOWN)->endpoint.ifindex, way);
		is_silent(0);
	}
}

/* As behind a range of ports that udp hops over: what comes from any of them comes from its first one, while
 * the stage above may have named another. */
static void an_answer_may_come_from_another_address(void **state)
{
	struct vpn_endpoint named = at[1];
	(void)state;
	start();
	say(0, 1);
	struct datagram hello = next(0);
	give(1, &hello);
	struct datagram answer = next(1), bad = answer;
	at[1] = testhost_endpoint("192.0.2.2:1999");
	bad.data[bad.len - 1] ^= 1;
	refuses(0, &bad, "drop_foreign");
	give(0, &answer);
	at[1] = named;
	const struct testhost_record *r = world_next(&w, 0, VPN_DOWN);
	assert_int_equal(r->endpoint.port, 2000);
	struct datagram finished = {.len = r->len};
	memcpy(finished.data, r->data, r->len);
	assert_int_equal(kind_of(&finished), MIMIC_DTLS_CLIENT_FINISHED);
	give(1, &finished);
	exchange();
	hears(1, 1);
}

static void what_waits_is_bounded(void **state)
{
	(void)state;
	start();
	for (uint32_t i = 0; i < MIMIC_HOLD_ROOM + 5; i++)
		say(0, (uint8_t)i);
	assert_int_equal(testhost_counter(w.stage[0], "drop_not_ready"), 5);
	exchange();
	for (uint32_t i = 5; i < MIMIC_HOLD_ROOM + 5; i++)
		hears(1, (uint8_t)i);
}

/* ---- who is not answered ---- */

static void hellos_of_strangers_are_not_answered(void **state)
{
	(void)state;
	key[0][3] ^= 1;
	start();
	say(0, 1);
	struct datagram hello = next(0);
	refuses(1, &hello, "drop_foreign");
}

static void a_hello_is_answered_once(void **state)
{
	struct vpn_endpoint peer = at[0];
	(void)state;
	start();
	say(0, 1);
	struct datagram hello = next(0);
	give(1, &hello);
	struct datagram answer = next(1);
	at[0] = testhost_endpoint("198.51.100.7:9");
	refuses(1, &hello, "drop_replay"); /* from elsewhere */
	at[0] = peer;
	give(0, &answer);
	exchange();
	hears(1, 1);
	refuses(1, &hello, "drop_replay"); /* after the handshake */
	testhost_advance(w.host, 61 * SECOND);
	refuses(1, &hello, "drop_stale");
}

static void a_hello_of_ours_is_not_answered(void **state)
{
	(void)state;
	start();
	say(0, 1);
	struct datagram hello = next(0);
	refuses(0, &hello, "drop_reflected");
}

static void changed_flights_are_not_answered(void **state)
{
	(void)state;
	start();
	say(0, 1);
	struct datagram hello = next(0);
	for (uint32_t i = 0; i < hello.len; i++) {
		struct datagram bad = hello;
		bad.data[i] ^= 0x10;
		bool random = (i >= 27 && i < 59) || (i >= 60 && i < 92);
		if (i < 7 || i > 10) /* a record's number may be any */
			refuses(1, &bad, random ? "drop_foreign" : "drop_header");
	}
	give(1, &hello);
	struct datagram answer = next(1);
	for (uint32_t i = 0; i < answer.len; i++) {
		struct datagram bad = answer;
		bad.data[i] ^= 0x10;
		uint64_t before = testhost_drops(w.stage[0]);
		give(0, &bad);
		is_silent(0);
		assert_int_equal(testhost_drops(w.stage[0]), before + 1);
	}
	give(0, &answer);
	exchange();
	hears(1, 1);
	refuses(0, &answer, "drop_foreign"); /* nobody waits for it any more */
}

static void other_datagrams_are_dropped_by_their_headers(void **state)
{
	struct datagram d;
	(void)state;
	start();
	say(0, 1);
	exchange();
	hears(1, 1);
	say(0, 2);
	struct datagram good = next(0);
	static const uint32_t fixed[] = {0, 1, 2, 3, 4, 11, 12};
	for (uint32_t i = 0; i < sizeof(fixed) / sizeof(fixed[0]); i++) {
		d = good;
		d.data[fixed[i]] ^= 1;
		refuses(1, &d, "drop_header");
	}
	for (uint32_t cut = 1; cut < good.len; cut++) {
		d = good;
		d.len = cut;
		refuses(1, &d, "drop_header");
	}
	d = good;
	d.data[30] ^= 1;
	refuses(1, &d, "drop_foreign"); /* veil */
	give(1, &good);
	hears(1, 2);
	refuses(1, &good, "drop_replay");
}

/* ---- SRTP ---- */

static void srtp_has_no_handshake(void **state)
{
	uint32_t number = 0;
	(void)state;
	mimic.as = MIMIC_SRTP;
	start();
	for (uint8_t i = 0; i < 50; i++) {
		say(0, i);
		struct datagram d = next(0);
		is_silent(0);
		assert_true(mimic_rtp_is_data(d.data, d.len));
		uint32_t now = (uint32_t)(d.data[2] << 8 | d.data[3]);
		if (i > 1 && (d.data[1] & 0x7f) == MIMIC_RTP_PICTURE)
			assert_int_equal(now, (number + 1) & 0xffff);
		if ((d.data[1] & 0x7f) == MIMIC_RTP_PICTURE)
			number = now;
		else if (i == 0)
			number = 0;
		give(1, &d);
		hears(1, i);
		is_silent(1);
	}
	assert_int_equal(testhost_drops(w.stage[0]) + testhost_drops(w.stage[1]), 0);
}

static void srtp_drops_other_headers(void **state)
{
	(void)state;
	mimic.as = MIMIC_SRTP;
	start();
	say(0, 1);
	struct datagram good = next(0), d = good;
	d.data[0] ^= 0x20;
	refuses(1, &d, "drop_header");
	d = good;
	d.data[1] ^= 0x02;
	refuses(1, &d, "drop_header");
	d.len = MIMIC_RTP_HEADER;
	refuses(1, &d, "drop_header");
	give(1, &good);
	hears(1, 1);
}

/* ---- options ---- */

static void refuses_options(const char *where, const char *text)
{
	struct vpn_error err = {.size = sizeof(err)};
	assert_null(testhost_add(w.host, world_component(), &w.setup[0], &err));
	assert_string_equal(err.where, where);
	assert_non_null(strstr(err.text, text));
}

static void says_what_is_wrong_with_options(void **state)
{
	(void)state;
	w.setup[0].above = "kcp";
	refuses_options("/veil/cover", "\"whole\"");
	w.setup[0].above = "wireguard";
	veil.junk = 3;
	refuses_options("/veil/junk", "mimic");
	veil.junk = 0;
	static const char *const first[] = {"<r 20>"};
	veil.first = (struct vpn_list){first, 1, sizeof(first[0])};
	refuses_options("/veil/first", "mimic");
	veil.first = (struct vpn_list){0};
	w.setup[0].mtu_below = 300;
	refuses_options("/mode", "takes 300");
	w.setup[0].mtu_below = 0;
	w.options[0].key.data = NULL;
	refuses_options("/password", "needs");
	w.options[0].password = "short";
	refuses_options("/password", "at least 8");
	w.options[0].mode = OBFS_VEIL;
	refuses_options("/mimic", "alone");
}

/* ---- when there is no memory ---- */

static void without_packets_for_a_hello_it_is_sent_later(void **state)
{
	(void)state;
	start();
	testhost_fail_alloc(w.host, 1, false);
	say(0, 1);
	is_silent(0);
	assert_int_equal(testhost_counter(w.stage[0], "mimic_no_packet"), 1);
	testhost_advance(w.host, 1010 * MS);
	exchange();
	hears(1, 1);
}

static void what_waits_is_released_at_the_end(void **state)
{
	(void)state;
	start();
	say(0, 1);
	say(0, 2);
	testhost_clear(w.stage[0], 0, VPN_DOWN);
	testhost_stop(w.stage[0]); /* reports what is still held */
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
	static const struct CMUnitTest tests[] = {
		TEST(a_handshake_comes_before_the_data),
		TEST(numbers_advance_for_each_peer),
		TEST(a_lost_hello_is_sent_again_and_answered_again),
		TEST(a_client_gives_up_and_begins_anew_with_the_next_packet),
		TEST(a_lost_finished_holds_nothing_up),
		TEST(what_waits_for_a_client_goes_out_in_the_end),
		TEST(both_at_once_end_with_one_session),
		TEST(a_silent_peer_is_greeted_anew_before_an_initiation),
		TEST(a_greeting_leaves_from_where_the_stage_above_says_last),
		TEST(an_answer_may_come_from_another_address),
		TEST(what_waits_is_bounded),
		TEST(hellos_of_strangers_are_not_answered),
		TEST(a_hello_is_answered_once),
		TEST(a_hello_of_ours_is_not_answered),
		TEST(changed_flights_are_not_answered),
		TEST(other_datagrams_are_dropped_by_their_headers),
		TEST(srtp_has_no_handshake),
		TEST(srtp_drops_other_headers),
		TEST(says_what_is_wrong_with_options),
		TEST(without_packets_for_a_hello_it_is_sent_later),
		TEST(what_waits_is_released_at_the_end),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
