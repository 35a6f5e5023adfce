/* SPDX-License-Identifier: BSD-2-Clause */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include <string.h>

#include "flow_door.h"

#define SECOND 1000000u

static const struct vpn_endpoint here = {
	.family = VPN_AF_INET, .port = 4500, .addr = {192, 0, 2, 1}};

static struct kcp_flow_door new_door(uint8_t seed)
{
	struct kcp_flow_door d;
	uint8_t secret[32];
	memset(secret, seed, sizeof(secret));
	kcp_flow_door_init(&d, secret);
	return d;
}

static void make_hello(uint8_t *data, uint64_t sender, const uint8_t *cookie)
{
	struct kcp_frame_hello h = {.kind = KCP_FRAME_HELLO,
				    .version = KCP_FRAME_VERSION,
				    .mode = KCP_FRAME_MODE_DEADLINE,
				    .sender = sender,
				    .window = 4096};
	if (cookie != NULL)
		memcpy(h.cookie, cookie, sizeof(h.cookie));
	kcp_frame_write_hello(data, &h);
}

struct asked {
	enum kcp_flow_verdict verdict;
	uint32_t len;
	uint8_t answer[KCP_FRAME_HELLO_LEN];
	struct kcp_frame_hello hello;
};

static struct asked ask(struct kcp_flow_door *d, const struct vpn_endpoint *from,
			const uint8_t *data, uint32_t len, uint64_t now)
{
	struct asked a = {.len = 0};
	a.verdict = kcp_flow_door_hello(d, from, data, len, now, a.answer, &a.len, &a.hello);
	return a;
}

/* The cookie that this endpoint gets for the id. */
static void get_cookie(struct kcp_flow_door *d, const struct vpn_endpoint *from, uint64_t sender,
		       uint64_t now, uint8_t *cookie)
{
	uint8_t data[KCP_FRAME_HELLO_LEN];
	struct kcp_frame_hello h;
	make_hello(data, sender, NULL);
	struct asked a = ask(d, from, data, sizeof(data), now);
	assert_int_equal(a.verdict, KCP_DOOR_ANSWER);
	assert_int_equal(a.len, sizeof(data)); /* not a byte more than the question */
	assert_true(kcp_frame_parse_hello(a.answer, &h));
	assert_int_equal(h.kind, KCP_FRAME_COOKIE);
	assert_true(h.receiver == sender);
	assert_int_equal(h.number, (uint32_t)sender);
	assert_true(h.sender == 0);
	memcpy(cookie, h.cookie, sizeof(h.cookie));
}

static enum kcp_flow_verdict come_with(struct kcp_flow_door *d, const struct vpn_endpoint *from,
				       uint64_t sender, const uint8_t *cookie, uint64_t now)
{
	uint8_t data[KCP_FRAME_HELLO_LEN];
	make_hello(data, sender, cookie);
	return ask(d, from, data, sizeof(data), now).verdict;
}

static void who_brings_the_cookie_is_admitted(void **state)
{
	struct kcp_flow_door d = new_door(1);
	uint8_t cookie[KCP_FRAME_COOKIE_LEN];
	(void)state;
	get_cookie(&d, &here, 0x1234567800000009, SECOND, cookie);
	assert_int_equal(come_with(&d, &here, 0x1234567800000009, cookie, 2 * SECOND),
			 KCP_DOOR_ADMIT);
	get_cookie(&d, NULL, 9, SECOND, cookie);
	assert_int_equal(come_with(&d, NULL, 9, cookie, 2 * SECOND), KCP_DOOR_ADMIT);
}

static void a_cookie_is_good_for_its_endpoint_only(void **state)
{
	struct kcp_flow_door d = new_door(1);
	struct vpn_endpoint there = here;
	uint8_t cookie[KCP_FRAME_COOKIE_LEN];
	(void)state;
	get_cookie(&d, &here, 9, SECOND, cookie);
	there.port++;
	assert_int_equal(come_with(&d, &there, 9, cookie, SECOND), KCP_DOOR_ANSWER);
	there = here;
	there.addr[3]++;
	assert_int_equal(come_with(&d, &there, 9, cookie, SECOND), KCP_DOOR_ANSWER);
	there = here;
	there.local[0] = 7; /* where we were reached does not matter */
	assert_int_equal(come_with(&d, &there, 9, cookie, SECOND), KCP_DOOR_ADMIT);
}

static void a_cookie_is_good_for_its_id_only(void **state)
{
	struct kcp_flow_door d = new_door(1);
	uint8_t cookie[KCP_FRAME_COOKIE_LEN];
	(void)state;
	get_cookie(&d, &here, 9, SECOND, cookie);
	assert_int_equal(come_with(&d, &here, 10, cookie, SECOND), KCP_DOOR_ANSWER);
	assert_int_equal(come_with(&d, &here, 0x100000009, cookie, SECOND), KCP_DOOR_ANSWER);
	cookie[15] ^= 1;
	assert_int_equal(come_with(&d, &here, 9, cookie, SECOND), KCP_DOOR_ANSWER);
}

static void a_cookie_ends_after_twenty_seconds(void **state)
{
	struct kcp_flow_door d = new_door(1);
	uint8_t cookie[KCP_FRAME_COOKIE_LEN];
	(void)state;
	get_cookie(&d, &here, 9, 100 * SECOND, cookie);
	assert_int_equal(come_with(&d, &here, 9, cookie, 119 * SECOND), KCP_DOOR_ADMIT);
	assert_int_equal(come_with(&d, &here, 9, cookie, 120 * SECOND), KCP_DOOR_ANSWER);
}

static void a_cookie_of_another_secret_is_none(void **state)
{
	struct kcp_flow_door d = new_door(1);
	struct kcp_flow_door e = new_door(2);
	uint8_t cookie[KCP_FRAME_COOKIE_LEN];
	(void)state;
	get_cookie(&d, &here, 9, SECOND, cookie);
	assert_int_equal(come_with(&e, &here, 9, cookie, SECOND), KCP_DOOR_ANSWER);
}

static void malformed_ones_get_no_answer(void **state)
{
	struct kcp_flow_door d = new_door(1);
	uint8_t data[KCP_FRAME_HELLO_LEN + 1] = {0};
	(void)state;
	make_hello(data, 9, NULL);
	for (uint32_t len = 0; len <= sizeof(data); len++)
		if (len != KCP_FRAME_HELLO_LEN)
			assert_int_equal(ask(&d, &here, data, len, SECOND).verdict,
					 KCP_DOOR_IGNORE);
	static const uint8_t places[] = {1, 3, 4, 16, 23, 40, 47};
	for (uint32_t i = 0; i < sizeof(places); i++) {
		make_hello(data, 9, NULL);
		data[places[i]] ^= 0x80;
		assert_int_equal(ask(&d, &here, data, KCP_FRAME_HELLO_LEN, SECOND).verdict,
				 KCP_DOOR_IGNORE);
	}
	make_hello(data, UINT64_C(9) << 32, NULL); /* no number to answer to */
	assert_int_equal(ask(&d, &here, data, KCP_FRAME_HELLO_LEN, SECOND).verdict,
			 KCP_DOOR_IGNORE);
}

static void answers_are_limited_and_admission_is_not(void **state)
{
	struct kcp_flow_door d = new_door(1);
	uint8_t cookie[KCP_FRAME_COOKIE_LEN];
	uint32_t answers = 0;
	(void)state;
	get_cookie(&d, &here, 9, 2 * SECOND, cookie);
	for (uint64_t i = 0; i < 10000; i++)
		answers += come_with(&d, &here, 100 + i, NULL, 3 * SECOND + i * 50) ==
			   KCP_DOOR_ANSWER;
	assert_int_equal(answers, 5000);
	assert_int_equal(come_with(&d, &here, 9, cookie, 3 * SECOND + 500000), KCP_DOOR_ADMIT);
	assert_int_equal(come_with(&d, &here, 100, NULL, 5 * SECOND), KCP_DOOR_ANSWER);
}

static void strays_are_answered_with_less(void **state)
{
	struct kcp_flow_door d = new_door(1);
	uint8_t data[64] = {0};
	uint8_t answer[KCP_FRAME_HELLO_LEN];
	uint32_t len = 0;
	(void)state;
	kcp_store_le32(data + 4, 0x11223344);
	kcp_store_le32(data + 8, 0x55667788);
	for (uint32_t kind = 1; kind < 16; kind++) {
		uint32_t size = kind == 5 || kind == 11 ? 16 : kind == 12 ? 24 : 64;
		data[0] = (uint8_t)(kind << 4);
		enum kcp_flow_verdict v = kcp_flow_door_stray(&d, data, size, SECOND, answer, &len);
		/* data, several, parity and ping: never an answer to an answer */
		bool answered = kind == 1 || kind == 2 || kind == 3 || kind == 5;
		assert_int_equal(v, answered ? KCP_DOOR_ANSWER : KCP_DOOR_IGNORE);
		if (!answered)
			continue;
		assert_true(len <= size);
		assert_int_equal(answer[0], KCP_FRAME_RESET);
		assert_int_equal(kcp_load_le32(answer + 4), 0);
		assert_int_equal(kcp_load_le32(answer + 8), 0x11223344);
		assert_int_equal(kcp_load_le32(answer + 12), 0x55667788);
	}
}

static void clearing_wipes_the_secret(void **state)
{
	struct kcp_flow_door d = new_door(7);
	struct kcp_flow_door zero;
	(void)state;
	memset(&zero, 0, sizeof(zero));
	kcp_flow_door_clear(&d);
	assert_memory_equal(d.secret, zero.secret, sizeof(d.secret));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(who_brings_the_cookie_is_admitted),
		cmocka_unit_test(a_cookie_is_good_for_its_endpoint_only),
		cmocka_unit_test(a_cookie_is_good_for_its_id_only),
		cmocka_unit_test(a_cookie_ends_after_twenty_seconds),
		cmocka_unit_test(a_cookie_of_another_secret_is_none),
		cmocka_unit_test(malformed_ones_get_no_answer),
		cmocka_unit_test(answers_are_limited_and_admission_is_not),
		cmocka_unit_test(strays_are_answered_with_less),
		cmocka_unit_test(clearing_wipes_the_secret),
	};
	return cmocka_run_group_tests_name("kcp flow door", tests, NULL, NULL);
}
