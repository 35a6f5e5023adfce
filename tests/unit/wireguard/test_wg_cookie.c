/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * mac1, mac2 and cookie replies.
 *
 * Expected bytes come from a second implementation in Python: hashlib.blake2s, HChaCha20 written from
 * its draft, and ChaCha20-Poly1305 of the package "cryptography". The message is the initiation of
 * test_wg_noise.c, from the initiator with key 01 02 .. to the responder with key 41 42 ...
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <sodium.h>

#include "cookie.h"

#define NOW  (1000 * WG_SECOND)
#define LIFE WG_COOKIE_LIFETIME

static const char initiation[] = "0100000004030201883186b800b41d5cf0429695da9b3cc4f328ebcd184a6e48"
				 "2fa578c103f06c77fa6ff1a71203eaf305dc6260f1911ba7d914db25d127ce39"
				 "ef62f6c6467fb8a777377a28376c744882e58802dabbe0882d2440df2e6d468f"
				 "54929ae005cdfc703e6fd9cde342f92c57ec1720e832be57598343dd634f11a6"
				 "29bd719d00000000000000000000000000000000";
static const char responder_public[] =
	"64b101b1d0be5a8704bd078f9895001fc03e8e9f9522f188dd128d9846d48466";
static const char expected_reply[] =
	"0300000004030201606162636465666768696a6b6c6d6e6f7071727374757677"
	"85c75cda9c01183e448c2ac445a0d2d7328eddc9b0faa985c2d0fd8ce19f7631";

/* A host that draws a secret of 5a's and nonces that count from 60, and after that other ones. */
struct source {
	struct vpn_host host;
	uint32_t secrets;
	uint32_t nonces;
};

static void draw(const struct vpn_host *host, void *buf, size_t len)
{
	struct source *s = host->ctx;
	uint8_t *p = buf;
	if (len == WG_XNONCE_LEN) {
		for (size_t i = 0; i < len; i++)
			p[i] = (uint8_t)(0x60 + i + s->nonces);
		s->nonces++;
	} else {
		assert_int_equal(len, WG_HASH_LEN);
		memset(p, 0x5a + (int)s->secrets, len);
		s->secrets++;
	}
}

struct fixture {
	struct source source;
	struct wg_cookie_checker checker;
	struct wg_cookie_maker maker;
	struct wg_msg_initiation msg; /* with mac1 */
	struct wg_msg_cookie reply;
};

static void from_hex(void *out, size_t len, const char *text)
{
	assert_int_equal(sodium_hex2bin(out, len, text, strlen(text), NULL, NULL, NULL), 0);
}

static void assert_hex(const void *got, size_t len, const char *expected)
{
	char text[2 * 64 + 1];
	assert_string_equal(sodium_bin2hex(text, sizeof(text), got, len), expected);
}

static int set_up(void **state)
{
	struct fixture *f = test_calloc(1, sizeof(*f));
	uint8_t key[WG_KEY_LEN];
	f->source.host.random = draw;
	f->source.host.ctx = &f->source;
	from_hex(key, sizeof(key), responder_public);
	wg_cookie_checker_init(&f->checker, key);
	wg_cookie_maker_init(&f->maker, key);
	from_hex(&f->msg, sizeof(f->msg), initiation);
	*state = f;
	return 0;
}

static int tear_down(void **state)
{
	test_free(*state);
	return 0;
}

static struct vpn_endpoint v4(void)
{
	struct vpn_endpoint e = {.family = VPN_AF_INET, .port = 51820, .addr = {192, 0, 2, 1}};
	return e;
}

static struct vpn_endpoint v6(void)
{
	struct vpn_endpoint e = {
		.family = VPN_AF_INET6, .port = 51820, .addr = {0x20, 0x01, 0x0d, 0xb8, [15] = 1}};
	return e;
}

static enum wg_cookie_verdict check(const struct fixture *f, const struct vpn_endpoint *from,
				    uint64_t now_ns)
{
	return wg_cookie_check(&f->checker, &f->msg, sizeof(f->msg), from, now_ns, true);
}

static void send(struct fixture *f, uint64_t now_ns)
{
	wg_cookie_add_macs(&f->maker, &f->msg, sizeof(f->msg), now_ns);
}

static void answer(struct fixture *f, const struct vpn_endpoint *from, uint64_t now_ns)
{
	wg_cookie_reply(&f->checker, &f->source.host, &f->msg, sizeof(f->msg), from, now_ns,
			&f->reply);
}

/* A message that a cookie from `from` vouches for. */
static void exchange(struct fixture *f, const struct vpn_endpoint *from)
{
	send(f, NOW);
	answer(f, from, NOW);
	assert_true(wg_cookie_consume(&f->maker, &f->reply, NOW));
	send(f, NOW);
}

static void writes_mac1_byte_for_byte_and_no_mac2(void **state)
{
	struct fixture *f = *state;
	struct wg_msg_initiation expected = f->msg;
	memset(f->msg.mac1, 0xee, 2 * WG_MAC_LEN);
	send(f, NOW);
	assert_memory_equal(&f->msg, &expected, sizeof(expected));
}

static void writes_the_macs_of_a_response_too(void **state)
{
	struct fixture *f = *state;
	struct wg_msg_response msg = {.type = {WG_TYPE_RESPONSE}};
	wg_cookie_add_macs(&f->maker, &msg, sizeof(msg), NOW);
	assert_int_equal(wg_cookie_check(&f->checker, &msg, sizeof(msg), NULL, NOW, true),
			 WG_COOKIE_MAC1_ONLY);
	msg.encrypted_nothing[15] ^= 1;
	assert_int_equal(wg_cookie_check(&f->checker, &msg, sizeof(msg), NULL, NOW, true),
			 WG_COOKIE_BAD_MAC1);
}

static void refuses_each_flip_under_mac1(void **state)
{
	struct fixture *f = *state;
	uint8_t *bytes = (uint8_t *)&f->msg;
	for (size_t at = 0; at < sizeof(f->msg); at++)
		for (uint32_t bit = 0; bit < 8; bit++) {
			bytes[at] ^= (uint8_t)(1 << bit);
			/* mac1 does not cover mac2 */
			assert_int_equal(check(f, NULL, NOW),
					 at < offsetof(struct wg_msg_initiation, mac2)
						 ? WG_COOKIE_BAD_MAC1
						 : WG_COOKIE_MAC1_ONLY);
			bytes[at] ^= (uint8_t)(1 << bit);
		}
	assert_int_equal(check(f, NULL, NOW), WG_COOKIE_MAC1_ONLY);
}

static void refuses_what_is_for_another_key_or_too_short(void **state)
{
	struct fixture *f = *state;
	for (size_t len = 0; len < sizeof(f->msg); len++)
		assert_int_equal(wg_cookie_check(&f->checker, &f->msg, len, NULL, NOW, true),
				 WG_COOKIE_BAD_MAC1);
	uint8_t key[WG_KEY_LEN];
	from_hex(key, sizeof(key), responder_public);
	key[0] ^= 1;
	wg_cookie_checker_init(&f->checker, key);
	assert_int_equal(check(f, NULL, NOW), WG_COOKIE_BAD_MAC1);
}

static void replies_byte_for_byte(void **state)
{
	struct fixture *f = *state;
	struct vpn_endpoint from = v4();
	answer(f, &from, NOW);
	assert_hex(&f->reply, sizeof(f->reply), expected_reply);
}

static void binds_the_cookie_to_the_sender_byte_for_byte(void **state)
{
	struct fixture *f = *state;
	struct vpn_endpoint opaque = {.family = VPN_AF_OPAQUE, .id = 7};
	struct vpn_endpoint a = v4();
	struct vpn_endpoint b = v6();
	exchange(f, &a);
	assert_hex(f->msg.mac2, WG_MAC_LEN, "15324e4ab475a840908cf655dc85bae8");
	exchange(f, &b);
	assert_hex(f->msg.mac2, WG_MAC_LEN, "98f1fdaf9b1bb973c6d6ab4c31935ee5");
	exchange(f, NULL);
	assert_hex(f->msg.mac2, WG_MAC_LEN, "9af7045eafc70f99e8f4607004513b3c");
	exchange(f, &opaque);
	assert_int_equal(check(f, &opaque, NOW), WG_COOKIE_BOTH);
	opaque.id = (uint64_t)7 << 56;
	assert_int_equal(check(f, &opaque, NOW), WG_COOKIE_MAC1_ONLY);
}

static void a_cookie_is_good_only_where_it_was_sent(void **state)
{
	struct fixture *f = *state;
	struct vpn_endpoint from[] = {v4(), v6()};
	for (int i = 0; i < 2; i++) {
		struct vpn_endpoint e = from[i];
		exchange(f, &e);
		assert_int_equal(check(f, &e, NOW), WG_COOKIE_BOTH);
		e.port ^= 1;
		assert_int_equal(check(f, &e, NOW), WG_COOKIE_MAC1_ONLY);
		e.port ^= 0x101;
		assert_int_equal(check(f, &e, NOW), WG_COOKIE_MAC1_ONLY);
		e = from[i];
		e.addr[i == 0 ? 3 : 15] ^= 1;
		assert_int_equal(check(f, &e, NOW), WG_COOKIE_MAC1_ONLY);
		e = from[1 - i];
		assert_int_equal(check(f, &e, NOW), WG_COOKIE_MAC1_ONLY);
		assert_int_equal(check(f, NULL, NOW), WG_COOKIE_MAC1_ONLY);
		/* how we reach it says nothing of who it is */
		e = from[i];
		e.ifindex = 9;
		e.local[0] = 9;
		assert_int_equal(check(f, &e, NOW), WG_COOKIE_BOTH);
	}
}

static void mac2_is_looked_at_only_when_wanted(void **state)
{
	struct fixture *f = *state;
	struct vpn_endpoint from = v4();
	exchange(f, &from);
	assert_int_equal(wg_cookie_check(&f->checker, &f->msg, sizeof(f->msg), &from, NOW, false),
			 WG_COOKIE_MAC1_ONLY);
}

static void refuses_each_flip_of_mac2(void **state)
{
	struct fixture *f = *state;
	struct vpn_endpoint from = v4();
	exchange(f, &from);
	for (size_t at = 0; at < WG_MAC_LEN; at++) {
		f->msg.mac2[at] ^= 0x10;
		assert_int_equal(check(f, &from, NOW), WG_COOKIE_MAC1_ONLY);
		f->msg.mac2[at] ^= 0x10;
	}
	assert_int_equal(check(f, &from, NOW), WG_COOKIE_BOTH);
}

/* Before a secret was drawn it is all zeros, which everybody knows. */
static void no_mac2_is_right_before_a_secret_was_drawn(void **state)
{
	struct fixture *f = *state;
	struct fixture forger = *f;
	struct vpn_endpoint from = v4();
	forger.source.host.ctx = &forger.source;
	forger.checker.secret_ns = NOW; /* so that none is drawn */
	exchange(&forger, &from);
	assert_int_equal(check(&forger, &from, NOW), WG_COOKIE_BOTH);
	f->msg = forger.msg;
	assert_int_equal(check(f, &from, 0), WG_COOKIE_MAC1_ONLY);
	assert_int_equal(check(f, &from, 1), WG_COOKIE_MAC1_ONLY);
	assert_int_equal(check(f, &from, NOW), WG_COOKIE_MAC1_ONLY);
}

static void a_cookie_ends_with_its_secret(void **state)
{
	struct fixture *f = *state;
	struct vpn_endpoint from = v4();
	exchange(f, &from);
	assert_int_equal(check(f, &from, NOW - 1), WG_COOKIE_BOTH); /* another lane's clock */
	assert_int_equal(check(f, &from, NOW + LIFE - 1), WG_COOKIE_BOTH);
	assert_int_equal(check(f, &from, NOW + LIFE), WG_COOKIE_MAC1_ONLY);
}

static void the_secret_is_drawn_anew_after_120_s(void **state)
{
	struct fixture *f = *state;
	struct vpn_endpoint from = v4();
	exchange(f, &from);
	answer(f, &from, NOW + LIFE - 1);
	assert_int_equal(f->source.secrets, 1);
	assert_int_equal(check(f, &from, NOW + LIFE - 1), WG_COOKIE_BOTH);
	answer(f, &from, NOW + LIFE);
	assert_int_equal(f->source.secrets, 2);
	assert_int_equal(f->source.nonces, 3); /* one for each reply */
	assert_int_equal(check(f, &from, NOW + LIFE), WG_COOKIE_MAC1_ONLY);
	/* and cookies of the new one are good */
	send(f, NOW + LIFE);
	answer(f, &from, NOW + LIFE);
	assert_true(wg_cookie_consume(&f->maker, &f->reply, NOW + LIFE));
	send(f, NOW + LIFE);
	assert_int_equal(check(f, &from, NOW + LIFE), WG_COOKIE_BOTH);
}

static void a_secret_may_be_drawn_at_time_zero(void **state)
{
	struct fixture *f = *state;
	struct vpn_endpoint from = v4();
	send(f, 0);
	answer(f, &from, 0);
	answer(f, &from, 0);
	assert_int_equal(f->source.secrets, 1);
}

static void our_cookie_is_used_for_115_s(void **state)
{
	struct fixture *f = *state;
	struct vpn_endpoint from = v4();
	uint64_t end = NOW + LIFE - WG_COOKIE_LATENCY;
	exchange(f, &from);
	send(f, end - 1);
	assert_int_equal(check(f, &from, end - 1), WG_COOKIE_BOTH);
	send(f, end);
	assert_true(sodium_is_zero(f->msg.mac2, WG_MAC_LEN));
	send(f, NOW); /* and not again */
	assert_true(sodium_is_zero(f->msg.mac2, WG_MAC_LEN));
	assert_true(sodium_is_zero(f->maker.cookie, WG_COOKIE_LEN));
}

static void refuses_each_flip_of_a_reply(void **state)
{
	struct fixture *f = *state;
	struct vpn_endpoint from = v4();
	send(f, NOW);
	answer(f, &from, NOW);
	struct wg_cookie_maker before = f->maker;
	for (size_t at = offsetof(struct wg_msg_cookie, nonce); at < sizeof(f->reply); at++)
		for (uint32_t bit = 0; bit < 8; bit++) {
			struct wg_msg_cookie forged = f->reply;
			((uint8_t *)&forged)[at] ^= (uint8_t)(1 << bit);
			assert_false(wg_cookie_consume(&f->maker, &forged, NOW));
			assert_memory_equal(&f->maker, &before, sizeof(before));
		}
	assert_true(wg_cookie_consume(&f->maker, &f->reply, NOW));
}

static void refuses_a_reply_to_nothing_or_to_another_message(void **state)
{
	struct fixture *f = *state;
	struct vpn_endpoint from = v4();
	answer(f, &from, NOW);
	assert_false(wg_cookie_consume(&f->maker, &f->reply, NOW)); /* nothing sent */
	send(f, NOW);
	answer(f, &from, NOW);
	f->msg.sender[0] ^= 1;
	send(f, NOW); /* the message that counts is this one */
	assert_false(wg_cookie_consume(&f->maker, &f->reply, NOW));
	assert_false(f->maker.has_cookie);
	answer(f, &from, NOW);
	assert_true(wg_cookie_consume(&f->maker, &f->reply, NOW));
}

static void takes_one_reply_for_one_message(void **state)
{
	struct fixture *f = *state;
	struct vpn_endpoint from = v4();
	send(f, NOW);
	answer(f, &from, NOW);
	assert_true(wg_cookie_consume(&f->maker, &f->reply, NOW));
	assert_false(wg_cookie_consume(&f->maker, &f->reply, NOW + WG_SECOND));
	assert_true(f->maker.cookie_ns == NOW);
}

#define COOKIE_TEST(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		COOKIE_TEST(writes_mac1_byte_for_byte_and_no_mac2),
		COOKIE_TEST(writes_the_macs_of_a_response_too),
		COOKIE_TEST(refuses_each_flip_under_mac1),
		COOKIE_TEST(refuses_what_is_for_another_key_or_too_short),
		COOKIE_TEST(replies_byte_for_byte),
		COOKIE_TEST(binds_the_cookie_to_the_sender_byte_for_byte),
		COOKIE_TEST(a_cookie_is_good_only_where_it_was_sent),
		COOKIE_TEST(mac2_is_looked_at_only_when_wanted),
		COOKIE_TEST(refuses_each_flip_of_mac2),
		COOKIE_TEST(no_mac2_is_right_before_a_secret_was_drawn),
		COOKIE_TEST(a_cookie_ends_with_its_secret),
		COOKIE_TEST(the_secret_is_drawn_anew_after_120_s),
		COOKIE_TEST(a_secret_may_be_drawn_at_time_zero),
		COOKIE_TEST(our_cookie_is_used_for_115_s),
		COOKIE_TEST(refuses_each_flip_of_a_reply),
		COOKIE_TEST(refuses_a_reply_to_nothing_or_to_another_message),
		COOKIE_TEST(takes_one_reply_for_one_message),
	};
	return cmocka_run_group_tests_name("wireguard cookie", tests, NULL, NULL);
}
