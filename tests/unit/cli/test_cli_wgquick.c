/* SPDX-License-Identifier: BSD-2-Clause */
/* The parser of wg-quick files and the writer of manifests; whole files are tested by test_import.py. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <jansson.h>
#include <sodium.h>

#include "wgquick.h"
#include "wgquick_manifest.h"

#define KEY_A  "oK56DE9Ue9zK76rAc8pBl6opph+1v36lm7cXXsQKrQM="
#define KEY_B  "GtL7fZc/bLnqZldpVofMCD6hDjrK28SsdLxevJ+qtKU="
#define START  "[Interface]\nPrivateKey=" KEY_A "\n"
#define PEER_B "[Peer]\nPublicKey=" KEY_B "\n"

static void keep_line(void *ctx, const char *text)
{
	char *all = ctx;
	size_t at = strlen(all);
	snprintf(all + at, 4096 - at, "%s\n", text);
}

/* Parses and collects what is said. */
static struct wgquick *parse(const char *text, size_t len, char said[4096])
{
	struct problems problems;
	problems_init(&problems, "f");
	struct wgquick *w = wgquick_parse(text, len, &problems);
	assert_int_equal(w == NULL, problems.n_errors > 0);
	said[0] = '\0';
	problems_print(&problems, keep_line, said);
	problems_clear(&problems);
	return w;
}

static void refuse(const char *text, const char *expected)
{
	char said[4096];
	struct wgquick *w = parse(text, strlen(text), said);
	if (w != NULL)
		fail_msg("taken: %s", text);
	assert_string_equal(said, expected);
}

static struct wgquick *take(const char *text, const char *expected)
{
	char said[4096];
	struct wgquick *w = parse(text, strlen(text), said);
	assert_string_equal(said, expected);
	assert_non_null(w);
	return w;
}

static void an_empty_file_has_no_interface(void **state)
{
	(void)state;
	refuse("", "f: has no [Interface] section\n");
	refuse("\n\n# nothing\n", "f: has no [Interface] section\n");
	refuse("\xef\xbb\xbf", "f: has no [Interface] section\n");
	refuse("[Interface]", "f:1:1: [Interface] has no PrivateKey; a key that PostUp sets has to "
			      "be written into the file or into the manifest\n");
}

static void takes_a_mark_of_byte_order_and_carriage_returns(void **state)
{
	struct wgquick *w = take(
		"\xef\xbb\xbf[Interface]\r\nPrivateKey = " KEY_A "\r\n\r\nListenPort = 7\r\n", "");
	(void)state;
	assert_int_equal(w->listen_port, 7);
	wgquick_free(w);
}

static void refuses_a_nul_byte(void **state)
{
	static const char text[] = START "MTU=1400\0\n";
	char said[4096];
	(void)state;
	assert_null(parse(text, sizeof(text) - 1, said));
	assert_string_equal(said, "f: is not text: it has a NUL byte\n");
}

static void reads_a_file_of_the_largest_size_and_no_more(void **state)
{
	char said[4096];
	char *text = malloc(WGQUICK_BYTES_MAX + 1);
	(void)state;
	assert_non_null(text);
	memset(text, '#', WGQUICK_BYTES_MAX + 1);
	memcpy(text, START, sizeof(START) - 1);
	struct wgquick *w = parse(text, WGQUICK_BYTES_MAX, said);
	assert_string_equal(said, "");
	wgquick_free(w);
	assert_null(parse(text, WGQUICK_BYTES_MAX + 1, said));
	assert_string_equal(said, "f: is larger than 16777216 bytes\n");
	free(text);
}

/* A file of nothing but mistakes costs neither memory nor a screen for each. */
static void gives_up_on_a_file_full_of_mistakes(void **state)
{
	struct problems problems;
	char *text = malloc(WGQUICK_BYTES_MAX);
	(void)state;
	assert_non_null(text);
	for (size_t i = 0; i < WGQUICK_BYTES_MAX; i++)
		text[i] = i % 2 == 0 ? 'x' : '\n';
	problems_init(&problems, "f");
	assert_null(wgquick_parse(text, WGQUICK_BYTES_MAX, &problems));
	assert_in_range(problems.n, WGQUICK_PROBLEMS_MAX, WGQUICK_PROBLEMS_MAX + 8);
	problems_clear(&problems);
	for (size_t i = 0; i + 7 <= WGQUICK_BYTES_MAX; i += 7)
		memcpy(text + i, "[Peer]\n", 7);
	problems_init(&problems, "f");
	assert_null(wgquick_parse(text, WGQUICK_BYTES_MAX, &problems));
	assert_in_range(problems.n, WGQUICK_PROBLEMS_MAX, WGQUICK_PROBLEMS_MAX + 8);
	problems_clear(&problems);
	free(text);
}

static void finds_a_peer_that_stands_twice(void **state)
{
	(void)state;
	refuse(START PEER_B
	       "[Peer]\nPublicKey=xTIBA5rboUvnH4htodjb6e697QjLERt1NAB4mZqp8Dg=\n" PEER_B,
	       "f:8:11: the peer with this key stands at line 3 already: make one [Peer] of "
	       "both\n");
}

static void finds_its_own_public_key(void **state)
{
	uint8_t private_key[KEYS_LEN], public_key[KEYS_LEN];
	char own[KEYS_TEXT], text[256];
	(void)state;
	assert_null(keys_decode(KEY_A, KEYS_TEXT - 1, private_key));
	keys_public(private_key, public_key);
	snprintf(text, sizeof(text), START "[Peer]\nPublicKey = %s\n",
		 keys_encode(public_key, own));
	refuse(text, "f:4:13: this is the public key of the interface itself: a peer is somebody "
		     "else\n");
}

/* Whatever is wrong with a line, what may be a key is not repeated. */
static void never_shows_a_key(void **state)
{
	static const char *const lines[] = {
		"PrivateKey = %sA",
		"PrivateKey %s",
		"%s",
		"Private%s = x",
		"[Peer]\nPresharedKey = A%s",
		"[%s]",
		"PrivatKey = %s",
		"PrivateKey = = %s",
	};
	char text[512], said[4096];
	(void)state;
	for (size_t i = 0; i < sizeof(lines) / sizeof(lines[0]); i++) {
		int n = snprintf(text, sizeof(text), "[Interface]\n%.*s%s%s\n",
				 (int)(strstr(lines[i], "%s") - lines[i]), lines[i], KEY_A,
				 strstr(lines[i], "%s") + 2);
		assert_null(parse(text, (size_t)n, said));
		assert_null(strstr(said, "oK56DE9U"));
	}
}

static void numbers_are_whole_and_in_range(void **state)
{
	static const struct {
		const char *line;
		const char *why;
	} wrong[] = {
		{"ListenPort = 65536", "f:3:14: \"65536\" is no port: a number from 0 to 65535\n"},
		{"ListenPort = -1", "f:3:14: \"-1\" is no port: a number from 0 to 65535\n"},
		{"ListenPort = 0x10", "f:3:14: \"0x10\" is no port: a number from 0 to 65535\n"},
		{"ListenPort = 1 2", "f:3:14: \"1 2\" is no port: a number from 0 to 65535\n"},
		{"ListenPort =", "f:3:1: ListenPort has no value\n"},
		{"FwMark = 4294967296",
		 "f:3:10: \"4294967296\" is no mark: a number up to 0xffffffff, or off\n"},
		{"FwMark = 0x", "f:3:10: \"0x\" is no mark: a number up to 0xffffffff, or off\n"},
		{"FwMark = 0x1g",
		 "f:3:10: \"0x1g\" is no mark: a number up to 0xffffffff, or off\n"},
		{"MTU = 67", "f:3:7: \"67\" is no MTU: a number from 68 to 65455\n"},
		{"MTU = 65456", "f:3:7: \"65456\" is no MTU: a number from 68 to 65455\n"},
		{"MTU = 18446744073709551716",
		 "f:3:7: \"18446744073709551716\" is no MTU: a number from 68 to 65455\n"},
		{PEER_B "PersistentKeepalive = 65536",
		 "f:5:23: \"65536\" is no interval: seconds from 0 to 65535, or off\n"},
		{PEER_B "PersistentKeepalive = on",
		 "f:5:23: \"on\" is no interval: seconds from 0 to 65535, or off\n"},
	};
	char text[512];
	(void)state;
	for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
		snprintf(text, sizeof(text), START "%s", wrong[i].line);
		refuse(text, wrong[i].why);
	}
	struct wgquick *w = take(START "FwMark = 0XFFFFFFFF\nListenPort=65535\nMTU=65455\n" PEER_B
				       "PersistentKeepalive = OFF\n",
				 "");
	assert_int_equal(w->fwmark, UINT32_MAX);
	assert_int_equal(w->mtu, 65455);
	assert_int_equal(w->peers[0].keepalive, 0);
	wgquick_free(w);
	w = take(START "fwmark = off\n", "");
	assert_int_equal(w->fwmark, 0);
	wgquick_free(w);
}

static void endpoints_are_what_a_manifest_takes(void **state)
{
	static const char *const good[] = {"192.0.2.1:1", "[2001:db8::1]:65535", "vpn.example.:7",
					   "[fe80::1%eth0]:51820", "a_b-c.example:51820"};
	static const char *const bad[] = {
		"192.0.2.1",     "192.0.2.1:",    "192.0.2.1:0",    ":51820",          "*:51820",
		"2001:db8::1:7", "[2001:db8::1]", "[192.0.2.1]:7",  "192.0.2.256:7",   "a b:7",
		"host:65536",    "host:http",     "[fe80::1%\"]:7", "[fe80::1%a/b]:7", "host:7 x",
	};
	char text[512], said[4096];
	(void)state;
	for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++) {
		snprintf(text, sizeof(text), START PEER_B "Endpoint = %s\n", good[i]);
		struct wgquick *w = take(text, "");
		assert_string_equal(w->peers[0].endpoint, good[i]);
		wgquick_free(w);
	}
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		int n = snprintf(text, sizeof(text), START PEER_B "Endpoint = %s\n", bad[i]);
		if (parse(text, (size_t)n, said) != NULL)
			fail_msg("taken: %s", bad[i]);
		assert_non_null(strstr(said, "is no endpoint"));
		assert_memory_equal(said, "f:5:12:", 7);
	}
}

static void an_endpoint_that_stands_twice_is_the_last_one(void **state)
{
	struct wgquick *w = take(START PEER_B "Endpoint=192.0.2.1:1\nEndpoint=192.0.2.2:2\n",
				 "f:6:1: warning: Endpoint stands twice; the last one counts\n");
	(void)state;
	assert_string_equal(w->peers[0].endpoint, "192.0.2.2:2");
	wgquick_free(w);
}

/* Each peer counts for itself, and an [Interface] in two parts is one. */
static void sections_may_come_in_parts(void **state)
{
	struct wgquick *w = take(
		"[Interface]\nAddress=10.0.0.1/8\n" PEER_B
		"AllowedIPs=10.0.0.2\n[Interface]\nPrivateKey=" KEY_A
		"\n[Peer]\nPublicKey=xTIBA5rboUvnH4htodjb6e697QjLERt1NAB4mZqp8Dg=\n"
		"AllowedIPs=10.0.0.3, 10.0.0.4\nAllowedIPs=\n",
		"");
	(void)state;
	assert_int_equal(w->n_peers, 2);
	assert_int_equal(w->peers[1].first_allowed, 1);
	assert_int_equal(w->peers[1].n_allowed, 2);
	wgquick_free(w);
}

static void a_prefix_leads_to_one_peer(void **state)
{
	(void)state;
	refuse(START "Table=off\n" PEER_B "AllowedIPs=10.0.0.0/8,fd00::/8\n"
		     "[Peer]\nPublicKey=xTIBA5rboUvnH4htodjb6e697QjLERt1NAB4mZqp8Dg=\n"
		     "AllowedIPs=10.0.0.0/16, 10.0.0.0/8\n",
	       "f:9:25: 10.0.0.0/8 leads to the peer of 6:12 already: a prefix leads to one "
	       "peer\n");
}

static void table_decides_who_warns_of_routes(void **state)
{
	(void)state;
	wgquick_free(take(START "Table=off\n" PEER_B "AllowedIPs=0.0.0.0/0\n", ""));
	wgquick_free(
		take(START "Table=auto\n" PEER_B "AllowedIPs=0.0.0.0/0\n",
		     "f:6:12: warning: the manifest makes no routes: for that to 0.0.0.0/0 add "
		     "\"routes\": {\"default\": true} to it, or make it by hand\n"));
	wgquick_free(take(START PEER_B "AllowedIPs=10.1.0.0/16,10.2.0.0/16\n",
			  "f:5:12: warning: the manifest makes no routes: for that to 10.1.0.0/16 "
			  "and 1 more add \"routes\": {} to it, or make it by hand\n"));
	wgquick_free(take(START PEER_B "AllowedIPs=10.1.0.0/16,::/0\n",
			  "f:5:12: warning: the manifest makes no routes: for that to 10.1.0.0/16 "
			  "and 1 more add \"routes\": {\"default\": true} to it, or make it by "
			  "hand\n"));
	wgquick_free(
		take(START "Table=51\n" PEER_B "AllowedIPs=0.0.0.0/0\n",
		     "f:3:7: warning: the manifest makes no routes: those of this table have to "
		     "be made by hand, or by a command in its \"on_up\" (ip route add)\n"));
	wgquick_free(take(START "Address=10.0.0.1/24\n" PEER_B "AllowedIPs=10.0.0.9/32\n", ""));
}

/* ---- the manifest ---- */

static void a_manifest_that_does_not_fit_is_refused_at_any_size(void **state)
{
	const struct wgquick_form form = {.device = "wg0"};
	struct wgquick *w = take(START "Address=10.0.0.1/24\nMTU=9000\nFwMark=1\n" PEER_B
				       "PresharedKey=" KEY_A
				       "\nEndpoint=a:1\nAllowedIPs=10.0.0.2,10.0.0.3,10.0.0.4,"
				       "10.0.0.5\nPersistentKeepalive=1\n",
				 "");
	char whole[4096];
	size_t len = wgquick_manifest(w, &form, whole, sizeof(whole));
	(void)state;
	assert_int_not_equal(len, 0);
	for (size_t cap = 0; cap <= len; cap++) {
		char *buf = malloc(cap + 1); /* so that a sanitizer sees every byte too many */
		assert_non_null(buf);
		assert_int_equal(wgquick_manifest(w, &form, buf, cap), 0);
		free(buf);
	}
	char *buf = malloc(len + 1);
	assert_int_equal(wgquick_manifest(w, &form, buf, len + 1), len);
	assert_memory_equal(buf, whole, len);
	json_t *json = json_loadb(buf, len, JSON_REJECT_DUPLICATES, NULL);
	assert_non_null(json);
	json_decref(json);
	free(buf);
	wgquick_free(w);
}

static void names_of_key_files_are_good_json(void **state)
{
	const struct wgquick_form form = {.device = "wg0", .stem = "a\"b\\c\n\xc3\xa4"};
	struct wgquick *w = take(START, "");
	char buf[1024];
	size_t len = wgquick_manifest(w, &form, buf, sizeof(buf));
	(void)state;
	json_t *json = json_loadb(buf, len, 0, NULL);
	json_t *stage = json_array_get(json_object_get(json, "pipeline"), 1);
	json_t *file = json_object_get(json_object_get(stage, "private_key"), "file");
	assert_string_equal(json_string_value(file), "a\"b\\c\n\xc3\xa4.key");
	json_decref(json);
	wgquick_free(w);
}

static void a_device_is_called_like_the_file(void **state)
{
	static const struct {
		const char *file, *name;
		bool good;
	} cases[] = {
		{"wg0.conf", "wg0", true},
		{"/etc/wireguard/a=b_c+d.e-f.conf", "a=b_c+d.e-f", true},
		{"abcdefghijklmno.conf", "abcdefghijklmno", true},
		{"abcdefghijklmnop.conf", "abcdefghijklmno", false},
		{"wg0", "wg0", true},
		{"wg0.CONF", "wg0.CONF", true},
		{"a b%d.conf", "a-b-d", false},
		{"x/", "wg0", false},
		{".conf", ".conf", true},
		{"..", "wg0", false},
		{"..conf", "wg0", false},
		{"\xc3\xa4.conf", "--", false},
	};
	char name[WGQUICK_DEVICE_MAX + 1];
	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		bool good = wgquick_device(cases[i].file, name);
		assert_string_equal(name, cases[i].name);
		assert_int_equal(good, cases[i].good);
	}
}

static int start(void **state)
{
	(void)state;
	return sodium_init() < 0 ? -1 : 0;
}

static void reads_the_parameters_of_amneziawg(void **state)
{
	struct wgquick *w = take(START "jc=0\nJMAX = 32767\nS4=1\nH1=0\nh4=7-4294967295\n"
				       "I2 = <b 0x01=>\nRandomTrailers=OFF\n",
				 "");
	(void)state;
	assert_true(w->awg.used);
	assert_int_equal(w->awg.given, 1u << WGQUICK_JC | 1u << WGQUICK_JMAX | 1u << WGQUICK_S4);
	assert_int_equal(w->awg.numbers[WGQUICK_JMAX], 32767);
	assert_int_equal(w->awg.hidden, 9);
	assert_int_equal(w->awg.headers[0][1], 0);
	assert_int_equal(w->awg.headers[3][0], 7);
	assert_int_equal(w->awg.headers[3][1], UINT32_MAX);
	assert_null(w->awg.packets[0]);
	assert_string_equal(w->awg.packets[1], "<b 0x01=>");
	assert_false(w->awg.random_trailers);
	wgquick_free(w);
}

static void the_last_of_two_packets_counts(void **state)
{
	struct wgquick *w = take(START "I1=<t>\nI1=<r 5>\n",
				 "f:4:1: warning: I1 stands twice; the last one counts\n");
	(void)state;
	assert_string_equal(w->awg.packets[0], "<r 5>");
	wgquick_free(w);
}

static void a_plain_file_has_no_parameters_of_amneziawg(void **state)
{
	struct wgquick *w = take(START, "");
	(void)state;
	assert_false(w->awg.used);
	wgquick_free(w);
}

static void an_interval_may_be_a_range(void **state)
{
	struct wgquick *w = take(
		START PEER_B "PersistentKeepalive=22-30\n",
		"f:5:21: warning: vpncore keeps one interval: the shortest of this "
		"range is taken\n");
	(void)state;
	assert_int_equal(w->peers[0].keepalive, 22);
	wgquick_free(w);
	wgquick_free(take(START PEER_B "PersistentKeepalive=25-25\n", ""));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(an_empty_file_has_no_interface),
		cmocka_unit_test(takes_a_mark_of_byte_order_and_carriage_returns),
		cmocka_unit_test(refuses_a_nul_byte),
		cmocka_unit_test(reads_a_file_of_the_largest_size_and_no_more),
		cmocka_unit_test(gives_up_on_a_file_full_of_mistakes),
		cmocka_unit_test(finds_a_peer_that_stands_twice),
		cmocka_unit_test(finds_its_own_public_key),
		cmocka_unit_test(never_shows_a_key),
		cmocka_unit_test(numbers_are_whole_and_in_range),
		cmocka_unit_test(endpoints_are_what_a_manifest_takes),
		cmocka_unit_test(an_endpoint_that_stands_twice_is_the_last_one),
		cmocka_unit_test(sections_may_come_in_parts),
		cmocka_unit_test(a_prefix_leads_to_one_peer),
		cmocka_unit_test(table_decides_who_warns_of_routes),
		cmocka_unit_test(a_manifest_that_does_not_fit_is_refused_at_any_size),
		cmocka_unit_test(names_of_key_files_are_good_json),
		cmocka_unit_test(a_device_is_called_like_the_file),
		cmocka_unit_test(reads_the_parameters_of_amneziawg),
		cmocka_unit_test(the_last_of_two_packets_counts),
		cmocka_unit_test(a_plain_file_has_no_parameters_of_amneziawg),
		cmocka_unit_test(an_interval_may_be_a_range),
	};
	return cmocka_run_group_tests_name("cli wgquick", tests, start, NULL);
}
