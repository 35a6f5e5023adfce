/* SPDX-License-Identifier: BSD-2-Clause */
/* Addresses, prefixes and MACs as text. */
#include "support.h"

static void ipv4_text_goes_there_and_back(void **state)
{
	static const char *const good[] = {"0.0.0.0", "255.255.255.255", "10.78.0.1", "1.20.100.9"};
	uint8_t addr[4];
	char text[TCPIP_ADDR_TEXT_MAX];

	(void)state;
	for (size_t i = 0; i < N_OF(good); i++) {
		assert_int_equal(tcpip_addr4_parse(good[i], addr), TCPIP_OK);
		assert_int_equal(tcpip_addr4_format(addr, text, sizeof(text)), strlen(good[i]));
		assert_string_equal(text, good[i]);
	}
}

static void refuses_loose_ipv4_text(void **state)
{
	static const char *const bad[] = {"",          "1",          "1.2.3",      "1.2.3.4.5",
					  "1.2.3.256", "01.2.3.4",   "1.2.3.04",   "1.2.3.00",
					  "1.2.3.4 ",  " 1.2.3.4",   "1.2.3.-4",   "0x1.2.3.4",
					  "1..3.4",    "1.2.3.4.",   "1.2.3.4/24", "a.b.c.d",
					  "1.2.3.+4",  "1.2.3.4444", "localhost"};
	uint8_t addr[4];

	(void)state;
	for (size_t i = 0; i < N_OF(bad); i++)
		assert_int_equal(tcpip_addr4_parse(bad[i], addr), TCPIP_ETEXT);
}

/* The examples of RFC 5952 sections 4 and 5, and edges of the compression. */
static void ipv6_is_printed_as_rfc5952_has_it(void **state)
{
	static const char *const cases[][2] = {
		{"2001:0db8::0001", "2001:db8::1"},
		{"2001:db8:0:0:0:0:2:1", "2001:db8::2:1"},
		{"2001:db8:0:1:1:1:1:1", "2001:db8:0:1:1:1:1:1"},
		{"2001:0:0:1:0:0:0:1", "2001:0:0:1::1"},
		{"2001:db8:0:0:1:0:0:1", "2001:db8::1:0:0:1"},
		{"2001:DB8::AbCd", "2001:db8::abcd"},
		{"0:0:0:0:0:0:0:0", "::"},
		{"0:0:0:0:0:0:0:1", "::1"},
		{"1:0:0:0:0:0:0:0", "1::"},
		{"0:0:0:0:0:0:1:2", "::1:2"},
		{"1:2:3:4:5:6:0:0", "1:2:3:4:5:6::"},
		{"::ffff:192.0.2.128", "::ffff:192.0.2.128"},
		{"::ffff:c000:280", "::ffff:192.0.2.128"},
		{"64:ff9b::192.0.2.33", "64:ff9b::c000:221"},
		{"ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff",
		 "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff"},
		{"1000:200:30:4:0:1000:200:30", "1000:200:30:4:0:1000:200:30"},
	};
	uint8_t addr[16], again[16];
	char text[TCPIP_ADDR_TEXT_MAX];

	(void)state;
	for (size_t i = 0; i < N_OF(cases); i++) {
		assert_int_equal(tcpip_addr6_parse(cases[i][0], addr), TCPIP_OK);
		assert_true(tcpip_addr6_format(addr, text, sizeof(text)) > 0);
		assert_string_equal(text, cases[i][1]);
		assert_int_equal(tcpip_addr6_parse(text, again), TCPIP_OK);
		assert_memory_equal(addr, again, 16);
	}
}

static void random_ipv6_goes_there_and_back(void **state)
{
	struct rng rng = {31};
	uint8_t addr[16], again[16];
	char text[TCPIP_ADDR_TEXT_MAX];

	(void)state;
	for (int i = 0; i < 20000; i++) {
		for (size_t k = 0; k < 16; k += 2)
			tcpip_store_be16(addr + k,
					 (uint16_t)(rng_below(&rng, 3) ? 0 : rng_next(&rng)));
		assert_true(tcpip_addr6_format(addr, text, sizeof(text)) > 0);
		assert_int_equal(tcpip_addr6_parse(text, again), TCPIP_OK);
		assert_memory_equal(addr, again, 16);
	}
}

static void refuses_loose_ipv6_text(void **state)
{
	static const char *const bad[] = {"",
					  ":",
					  ":::",
					  "1:2:3:4:5:6:7",
					  "1::2::3",
					  "12345::",
					  "g::",
					  "1:2:3:4:5:6:7:8:9",
					  "fe80::1%eth0",
					  "::1 ",
					  "::ffff:1.2.3",
					  "::ffff:1.2.3.04",
					  "[::1]",
					  "1:2:3:4:5:6:7:8::x"};
	uint8_t addr[16];

	(void)state;
	for (size_t i = 0; i < N_OF(bad); i++)
		assert_int_equal(tcpip_addr6_parse(bad[i], addr), TCPIP_ETEXT);
}

static void either_family_is_told_by_its_text(void **state)
{
	uint8_t addr[16];
	char text[TCPIP_ADDR_TEXT_MAX];

	(void)state;
	memset(addr, 0xff, sizeof(addr));
	assert_int_equal(tcpip_addr_parse("192.0.2.7", addr), 4);
	assert_int_equal(addr[3], 7);
	assert_int_equal(addr[4], 0);
	assert_int_equal(tcpip_addr_format(4, addr, text, sizeof(text)), 9);
	assert_int_equal(tcpip_addr_parse("fd78::1", addr), 6);
	assert_int_equal(tcpip_addr_format(6, addr, text, sizeof(text)), 7);
	assert_string_equal(text, "fd78::1");
	assert_int_equal(tcpip_addr_parse("example.org", addr), TCPIP_ETEXT);
	assert_int_equal(tcpip_addr_format(5, addr, text, sizeof(text)), TCPIP_ERANGE);
}

static void text_that_does_not_fit_is_not_written(void **state)
{
	static const uint8_t a4[4] = {10, 0, 0, 1}, a6[16] = {0xfd}, mac[6] = {2};
	char text[8] = "marker";
	struct tcpip_prefix p = {.family = 4, .len = 8, .addr = {10}};

	(void)state;
	assert_int_equal(tcpip_addr4_format(a4, text, 8), TCPIP_ESPACE);
	assert_int_equal(tcpip_addr6_format(a6, text, 6), TCPIP_ESPACE);
	assert_int_equal(tcpip_mac_format(mac, text, 8), TCPIP_ESPACE);
	assert_int_equal(tcpip_prefix_format(&p, text, 8), TCPIP_ESPACE);
	assert_int_equal(tcpip_addr4_format(a4, text, 0), TCPIP_ESPACE);
	assert_string_equal(text, "marker");
	assert_int_equal(tcpip_addr6_format(a6, text, 7), 6);
}

static void prefixes_go_there_and_back_with_host_bits(void **state)
{
	static const char *const cases[][2] = {
		{"10.78.0.1/24", "10.78.0.1/24"},
		{"0.0.0.0/0", "0.0.0.0/0"},
		{"192.0.2.1", "192.0.2.1/32"},
		{"fd78::1/64", "fd78::1/64"},
		{"::/0", "::/0"},
		{"fd78::1", "fd78::1/128"},
		{"2001:db8::/100", "2001:db8::/100"},
		{"2001:db8::/9", "2001:db8::/9"},
	};
	struct tcpip_prefix p;
	char text[TCPIP_PREFIX_TEXT_MAX];

	(void)state;
	for (size_t i = 0; i < N_OF(cases); i++) {
		assert_int_equal(tcpip_prefix_parse(cases[i][0], &p), TCPIP_OK);
		assert_int_equal(tcpip_prefix_format(&p, text, sizeof(text)), strlen(cases[i][1]));
		assert_string_equal(text, cases[i][1]);
	}
	p.family = 4;
	p.len = 33;
	assert_int_equal(tcpip_prefix_format(&p, text, sizeof(text)), TCPIP_ERANGE);
}

static void refuses_loose_prefixes(void **state)
{
	static const char *const bad[] = {"10.0.0.0/33",
					  "::/129",
					  "10.0.0.0/",
					  "/24",
					  "10.0.0.0/-1",
					  "10.0.0.0/08",
					  "10.0.0.0/8 ",
					  "10.0.0/8",
					  "10.0.0.0/8/8",
					  "10.0.0.0/4294967304",
					  "10.0.0.0/x",
					  "",
					  "1111:2222:3333:4444:5555:6666:7777:8888:9999:aaaa/64"};
	struct tcpip_prefix p;

	(void)state;
	for (size_t i = 0; i < N_OF(bad); i++)
		assert_int_equal(tcpip_prefix_parse(bad[i], &p), TCPIP_ETEXT);
}

static struct tcpip_prefix prefix(const char *text)
{
	struct tcpip_prefix p;

	assert_int_equal(tcpip_prefix_parse(text, &p), TCPIP_OK);
	return p;
}

static void masks_clear_the_host_bits(void **state)
{
	static const char *const cases[][2] = {
		{"10.78.5.77/22", "10.78.4.0/22"}, {"255.255.255.255/0", "0.0.0.0/0"},
		{"10.0.0.1/32", "10.0.0.1/32"},    {"fd78::ffff/113", "fd78::8000/113"},
		{"ffff::/1", "8000::/1"},
	};
	char text[TCPIP_PREFIX_TEXT_MAX];

	(void)state;
	for (size_t i = 0; i < N_OF(cases); i++) {
		struct tcpip_prefix p = prefix(cases[i][0]);
		bool already = strcmp(cases[i][0], cases[i][1]) == 0;

		assert_true(tcpip_prefix_is_network(&p) == already);
		tcpip_prefix_mask(&p);
		assert_true(tcpip_prefix_is_network(&p));
		tcpip_prefix_format(&p, text, sizeof(text));
		assert_string_equal(text, cases[i][1]);
	}
}

static void netmasks_have_as_many_ones_as_the_prefix_says(void **state)
{
	uint8_t mask[16];
	struct tcpip_prefix p = prefix("10.0.0.0/8");

	(void)state;
	for (uint8_t len = 0; len <= 32; len++) {
		uint32_t want = len ? 0xffffffffu << (32 - len) : 0;

		p.len = len;
		tcpip_prefix_netmask(&p, mask);
		assert_int_equal(tcpip_load_be32(mask), want);
	}
	p = prefix("::/65");
	tcpip_prefix_netmask(&p, mask);
	assert_true(tcpip_load_be64(mask) == UINT64_MAX);
	assert_int_equal(mask[8], 0x80);
	assert_int_equal(mask[9], 0);
}

static bool contains(const char *net, const char *addr)
{
	struct tcpip_prefix p = prefix(net);
	uint8_t a[16];
	int family = tcpip_addr_parse(addr, a);

	assert_true(family > 0);
	return tcpip_prefix_contains(&p, (uint8_t)family, a);
}

static void prefixes_contain_their_addresses_only(void **state)
{
	(void)state;
	assert_true(contains("10.78.0.0/16", "10.78.255.255"));
	assert_false(contains("10.78.0.0/16", "10.79.0.0"));
	assert_true(contains("10.78.0.9/31", "10.78.0.8"));
	assert_true(contains("0.0.0.0/0", "255.1.2.3"));
	assert_false(contains("0.0.0.0/0", "::1"));
	assert_false(contains("::/0", "1.2.3.4"));
	assert_true(contains("fd78::/64", "fd78::ffff:ffff:ffff:ffff"));
	assert_false(contains("fd78::/64", "fd78:0:0:1::"));
}

static bool overlap(const char *x, const char *y)
{
	struct tcpip_prefix a = prefix(x), b = prefix(y);

	assert_true(tcpip_prefix_overlaps(&a, &b) == tcpip_prefix_overlaps(&b, &a));
	return tcpip_prefix_overlaps(&a, &b);
}

static void prefixes_overlap_when_one_contains_the_other(void **state)
{
	(void)state;
	assert_true(overlap("10.0.0.0/8", "10.78.0.0/16"));
	assert_true(overlap("10.78.0.1/16", "10.78.9.9/16"));
	assert_false(overlap("10.78.0.0/16", "10.79.0.0/16"));
	assert_true(overlap("0.0.0.0/0", "8.8.8.8/32"));
	assert_false(overlap("0.0.0.0/0", "::/0"));
	assert_false(overlap("fd00::/16", "fd01::/16"));
}

static void macs_go_there_and_back(void **state)
{
	uint8_t mac[6];
	char text[TCPIP_MAC_TEXT_MAX];

	(void)state;
	assert_int_equal(tcpip_mac_parse("02:00:5E:10:ab:fF", mac), TCPIP_OK);
	assert_int_equal(tcpip_mac_format(mac, text, sizeof(text)), 17);
	assert_string_equal(text, "02:00:5e:10:ab:ff");
	assert_int_equal(tcpip_mac_parse("02-00-5e-10-ab-ff", mac), TCPIP_OK);
}

static void refuses_loose_macs(void **state)
{
	static const char *const bad[] = {"",
					  "02:00:5e:10:ab",
					  "02:00:5e:10:ab:f",
					  "02005e10abff",
					  "02:00:5e:10:ab:fg",
					  "02:00-5e:10:ab:ff",
					  "02:00:5e:10:ab:ff:00",
					  "02.00.5e.10.ab.ff"};
	uint8_t mac[6];

	(void)state;
	for (size_t i = 0; i < N_OF(bad); i++)
		assert_int_equal(tcpip_mac_parse(bad[i], mac), TCPIP_ETEXT);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(ipv4_text_goes_there_and_back),
		cmocka_unit_test(refuses_loose_ipv4_text),
		cmocka_unit_test(ipv6_is_printed_as_rfc5952_has_it),
		cmocka_unit_test(random_ipv6_goes_there_and_back),
		cmocka_unit_test(refuses_loose_ipv6_text),
		cmocka_unit_test(either_family_is_told_by_its_text),
		cmocka_unit_test(text_that_does_not_fit_is_not_written),
		cmocka_unit_test(prefixes_go_there_and_back_with_host_bits),
		cmocka_unit_test(refuses_loose_prefixes),
		cmocka_unit_test(masks_clear_the_host_bits),
		cmocka_unit_test(netmasks_have_as_many_ones_as_the_prefix_says),
		cmocka_unit_test(prefixes_contain_their_addresses_only),
		cmocka_unit_test(prefixes_overlap_when_one_contains_the_other),
		cmocka_unit_test(macs_go_there_and_back),
		cmocka_unit_test(refuses_loose_macs),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
