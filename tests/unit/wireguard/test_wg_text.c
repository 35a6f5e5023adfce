/* SPDX-License-Identifier: BSD-2-Clause */
/* Keys, endpoints, prefixes and numbers as text. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>
#include <net/if.h>

#include "text.h"

#define DIGITS "000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f"

static void fill(uint8_t key[WG_KEY_LEN])
{
	for (unsigned int i = 0; i < WG_KEY_LEN; i++)
		key[i] = (uint8_t)i;
}

static void writes_a_key_as_base64_and_hex(void **state)
{
	uint8_t key[WG_KEY_LEN];
	char base64[WG_KEY_TEXT], hex[WG_KEY_HEX];
	(void)state;
	fill(key);
	assert_string_equal(wg_text_key(key, base64),
			    "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=");
	wg_text_key_hex(key, hex);
	assert_string_equal(hex, DIGITS);
}

static void reads_a_key_of_exactly_64_digits(void **state)
{
	uint8_t key[WG_KEY_LEN], want[WG_KEY_LEN];
	char text[] = DIGITS "00";
	(void)state;
	fill(want);
	assert_true(wg_text_parse_key_hex(DIGITS, 64, key));
	assert_memory_equal(key, want, sizeof(key));
	for (char *p = text; *p != '\0'; p++)
		if (*p >= 'a')
			*p = (char)(*p - 'a' + 'A');
	assert_true(wg_text_parse_key_hex(text, 64, key));
	assert_memory_equal(key, want, sizeof(key));
	for (size_t len = 0; len < sizeof(text); len++)
		assert_int_equal(wg_text_parse_key_hex(text, len, key), len == 64);
}

static void refuses_a_key_with_any_other_character_anywhere(void **state)
{
	static const char bad[] = "gG/:@`z -=\n\0\x80";
	static const uint8_t zero[WG_KEY_LEN];
	(void)state;
	for (size_t at = 0; at < 64; at++) {
		for (size_t i = 0; i < sizeof(bad); i++) {
			char text[] = DIGITS;
			uint8_t key[WG_KEY_LEN];
			text[at] = bad[i];
			assert_false(wg_text_parse_key_hex(text, 64, key));
			assert_memory_equal(key, zero, sizeof(key));
		}
	}
}

static void endpoints_go_both_ways(void **state)
{
	static const char *const texts[] = {
		"192.0.2.1:51820",
		"0.0.0.0:1",
		"255.255.255.255:65535",
		"[2001:db8::1]:7",
		"[::]:51820",
		"[fe80::1%4294967295]:1",
		"[fe80::abcd%7]:443",
		"[::ffff:192.0.2.1]:80",
		"[2001:db8:1:2:3:4:5:6]:65535",
	};
	(void)state;
	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
		struct vpn_endpoint e;
		char out[WG_ENDPOINT_TEXT];
		assert_true(wg_text_parse_endpoint(texts[i], &e));
		assert_string_equal(wg_text_endpoint(&e, out), texts[i]);
	}
}

static void an_endpoint_has_its_bytes_in_network_order(void **state)
{
	static const uint8_t v4[16] = {192, 0, 2, 1};
	struct vpn_endpoint e;
	(void)state;
	assert_true(wg_text_parse_endpoint("192.0.2.1:258", &e));
	assert_int_equal(e.family, VPN_AF_INET);
	assert_int_equal(e.port, 258);
	assert_memory_equal(e.addr, v4, sizeof(v4));
	assert_int_equal(e.scope, 0);
}

static void a_zone_may_be_an_interfaces_name(void **state)
{
	char name[IF_NAMESIZE];
	char text[WG_ENDPOINT_TEXT];
	struct vpn_endpoint e;
	(void)state;
	assert_non_null(if_indextoname(1, name));
	snprintf(text, sizeof(text), "[fe80::1%%%s]:5", name);
	assert_true(wg_text_parse_endpoint(text, &e));
	assert_int_equal(e.scope, 1);
}

static void refuses_what_is_no_endpoint(void **state)
{
	static const char *const texts[] = {
		"",
		":",
		"192.0.2.1",
		"192.0.2.1:",
		"192.0.2.1:0",
		"192.0.2.1:65536",
		"192.0.2.1:-1",
		"192.0.2.1:+1",
		"192.0.2.1: 1",
		"192.0.2.1:1 ",
		"192.0.2.1:0x10",
		" 192.0.2.1:1",
		"192.0.2:1",
		"192.0.2.1.5:1",
		"192.0.2.256:1",
		"192.0.2.1%1:1",
		"[192.0.2.1]:1",
		"2001:db8::1:51820",
		"2001:db8::1",
		"[2001:db8::1]",
		"[2001:db8::1]:",
		"[2001:db8::1]51820",
		"[2001:db8::1:1",
		"2001:db8::1]:1",
		"[[2001:db8::1]]:1",
		"[]:1",
		"[:1",
		"[%1]:1",
		"[fe80::1%]:1",
		"[fe80::1%0]:1",
		"[fe80::1%4294967296]:1",
		"[fe80::1%no such one]:1",
		"[fe80::1%1%1]:1",
		"[fe80::12345]:1",
		"vpn.example.org:51820",
		"opaque:7",
		"none",
		"192.0.2.1:99999999999999999999999999999",
		"[fe80::1%012345678901234567890123456789012345678901234567890123456789012345]:1",
	};
	static const struct vpn_endpoint zero;
	(void)state;
	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
		struct vpn_endpoint e;
		if (wg_text_parse_endpoint(texts[i], &e))
			fail_msg("\"%s\" was taken", texts[i]);
		assert_memory_equal(&e, &zero, sizeof(e));
	}
}

static void endpoints_without_an_address_have_a_text(void **state)
{
	struct vpn_endpoint e = {0};
	char text[WG_ENDPOINT_TEXT];
	(void)state;
	assert_string_equal(wg_text_endpoint(&e, text), "none");
	e.family = VPN_AF_OPAQUE;
	e.id = UINT64_MAX;
	assert_string_equal(wg_text_endpoint(&e, text), "opaque:18446744073709551615");
}

static void the_longest_endpoint_fits(void **state)
{
	struct vpn_endpoint e = {.family = VPN_AF_INET6, .port = 65535, .scope = UINT32_MAX};
	char text[WG_ENDPOINT_TEXT];
	(void)state;
	memset(e.addr, 0xff, sizeof(e.addr));
	assert_string_equal(wg_text_endpoint(&e, text),
			    "[ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff%4294967295]:65535");
}

static void addresses_are_of_either_family_and_nothing_else(void **state)
{
	struct vpn_address a;
	(void)state;
	assert_true(wg_text_parse_address("10.0.0.1", &a));
	assert_int_equal(a.family, VPN_AF_INET);
	assert_true(wg_text_parse_address("fd00::1", &a));
	assert_int_equal(a.family, VPN_AF_INET6);
	assert_false(wg_text_parse_address("10.0.0.1/8", &a));
	assert_false(wg_text_parse_address("fe80::1%1", &a));
	assert_false(wg_text_parse_address("010.0.0.1", &a));
	assert_false(wg_text_parse_address("", &a));
	assert_int_equal(a.family, VPN_AF_NONE);
}

static void prefixes_lose_their_host_bits(void **state)
{
	static const struct {
		const char *in, *out;
	} cases[] = {
		{"10.1.2.3/8", "10.0.0.0/8"},
		{"10.255.255.255/11", "10.224.0.0/11"},
		{"255.255.255.255/0", "0.0.0.0/0"},
		{"255.255.255.255/31", "255.255.255.254/31"},
		{"192.0.2.1/32", "192.0.2.1/32"},
		{"192.0.2.1", "192.0.2.1/32"},
		{"2001:db8:ffff::1/33", "2001:db8:8000::/33"},
		{"ffff::ffff/127", "ffff::fffe/127"},
		{"::1", "::1/128"},
		{"ffff::/0", "::/0"},
		{"ffff:ffff:ffff:ffff:ffff:ffff:255.255.255.255/128",
		 "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff/128"},
	};
	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct vpn_prefix p;
		char text[WG_PREFIX_TEXT];
		assert_true(wg_text_parse_prefix(cases[i].in, &p));
		assert_string_equal(wg_text_prefix(&p, text), cases[i].out);
	}
}

static void every_length_of_a_prefix_masks_as_a_loop_over_bits_does(void **state)
{
	(void)state;
	for (unsigned int length = 0; length <= 128; length++) {
		struct vpn_prefix p;
		char text[WG_PREFIX_TEXT];
		snprintf(text, sizeof(text), "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff/%u", length);
		assert_true(wg_text_parse_prefix(text, &p));
		assert_int_equal(p.length, length);
		for (unsigned int bit = 0; bit < 128; bit++)
			assert_int_equal(p.addr[bit / 8] >> (7 - bit % 8) & 1, bit < length);
	}
}

static void refuses_what_is_no_prefix(void **state)
{
	static const char *const texts[] = {
		"",
		"/",
		"/8",
		"10.0.0.0/",
		"10.0.0.0/33",
		"10.0.0.0/-1",
		"10.0.0.0/+8",
		"10.0.0.0/08",
		"10.0.0.0/00",
		"10.0.0.0/8 ",
		"10.0.0.0/ 8",
		"10.0.0.0 /8",
		" 10.0.0.0/8",
		"10.0.0.0/8/8",
		"10.0.0.0//8",
		"10.0.0/8",
		"10.0.0.0/0x8",
		"::/129",
		"::/4294967296",
		"::/18446744073709551616",
		"fe80::%1/64",
		"fe80::/64%1",
		"[fe80::]/64",
		"-10.0.0.0/8",
		"any",
		"10.0.0.0/255.0.0.0",
		"ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff/128",
	};
	(void)state;
	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
		struct vpn_prefix p;
		if (wg_text_parse_prefix(texts[i], &p))
			fail_msg("\"%s\" was taken", texts[i]);
	}
}

static void numbers_are_digits_up_to_a_limit(void **state)
{
	static const char *const bad[] = {"",   "-1", "+1",  " 1",    "1 ",
					  "1a", "a",  "0x1", "65536", "18446744073709551617"};
	uint32_t n = 77;
	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		assert_false(wg_text_parse_number(bad[i], 65535, &n));
	assert_int_equal(n, 77);
	assert_true(wg_text_parse_number("0", 65535, &n));
	assert_int_equal(n, 0);
	assert_true(wg_text_parse_number("65535", 65535, &n));
	assert_int_equal(n, 65535);
	assert_true(wg_text_parse_number("0000000000000000000000000012", 65535, &n));
	assert_int_equal(n, 12);
	assert_true(wg_text_parse_number("4294967295", UINT32_MAX, &n));
	assert_true(n == UINT32_MAX);
	assert_false(wg_text_parse_number("4294967296", UINT32_MAX, &n));
}

/* ---- faults and log lines ---- */

static void a_fault_fills_the_error_and_cuts_what_is_too_long(void **state)
{
	char pointer[200], text[400];
	struct vpn_error err = {.size = sizeof(err)};
	(void)state;
	assert_int_equal(wg_fault(&err, VPN_EBUSY, 98, "/peers/3", "port %d", 7), VPN_EBUSY);
	assert_int_equal(err.status, VPN_EBUSY);
	assert_int_equal(err.os_errno, 98);
	assert_string_equal(err.where, "/peers/3");
	assert_string_equal(err.text, "port 7");
	memset(pointer, 'p', sizeof(pointer) - 1);
	memset(text, 't', sizeof(text) - 1);
	pointer[sizeof(pointer) - 1] = '\0';
	text[sizeof(text) - 1] = '\0';
	(void)wg_fault(&err, VPN_EIO, 0, pointer, "%s", text);
	assert_int_equal(strlen(err.where), sizeof(err.where) - 1);
	assert_int_equal(strlen(err.text), sizeof(err.text) - 1);
}

static unsigned int logged;
static char last_line[300];

static void keep(const struct vpn_host *host, uint32_t level, const char *text)
{
	(void)host;
	(void)level;
	logged++;
	snprintf(last_line, sizeof(last_line), "%s", text);
}

static void logs_what_is_wanted_and_no_more(void **state)
{
	struct vpn_host host = {.log_level = VPN_LOG_INFO, .log = keep};
	(void)state;
	logged = 0;
	wg_log(&host, VPN_LOG_DEBUG, "%d", 1);
	assert_int_equal(logged, 0);
	wg_log(&host, VPN_LOG_INFO, "peer %s", "x");
	assert_int_equal(logged, 1);
	assert_string_equal(last_line, "peer x");
	wg_log(&host, VPN_LOG_ERROR, "%1000d", 5);
	assert_int_equal(logged, 2);
	assert_int_equal(strlen(last_line), 255);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(writes_a_key_as_base64_and_hex),
		cmocka_unit_test(reads_a_key_of_exactly_64_digits),
		cmocka_unit_test(refuses_a_key_with_any_other_character_anywhere),
		cmocka_unit_test(endpoints_go_both_ways),
		cmocka_unit_test(an_endpoint_has_its_bytes_in_network_order),
		cmocka_unit_test(a_zone_may_be_an_interfaces_name),
		cmocka_unit_test(refuses_what_is_no_endpoint),
		cmocka_unit_test(endpoints_without_an_address_have_a_text),
		cmocka_unit_test(the_longest_endpoint_fits),
		cmocka_unit_test(addresses_are_of_either_family_and_nothing_else),
		cmocka_unit_test(prefixes_lose_their_host_bits),
		cmocka_unit_test(every_length_of_a_prefix_masks_as_a_loop_over_bits_does),
		cmocka_unit_test(refuses_what_is_no_prefix),
		cmocka_unit_test(numbers_are_digits_up_to_a_limit),
		cmocka_unit_test(a_fault_fills_the_error_and_cuts_what_is_too_long),
		cmocka_unit_test(logs_what_is_wanted_and_no_more),
	};
	return cmocka_run_group_tests_name("wireguard text", tests, NULL, NULL);
}
