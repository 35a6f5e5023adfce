/* SPDX-License-Identifier: BSD-2-Clause */
/* Under which key, with which text, and how that is recognised again. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "common/name.h"
#include "key.h"
#include "split.h"

static char key[RESOLVCONF_KEY_MAX];
static bool sorted;

static const char *make(enum resolvconf_kind kind, const char *device, const char *order)
{
	struct vpn_error err = {.size = sizeof(err)};
	sorted = false;
	if (resolvconf_key_make(kind, device, order, key, &sorted, &err) == VPN_OK)
		return key;
	assert_int_equal(err.status, VPN_EINVAL);
	assert_non_null(strstr(err.text, "cannot be a key"));
	return NULL;
}

static void openresolv_has_the_device_with_our_name(void **state)
{
	(void)state;
	assert_string_equal(make(RESOLVCONF_OPENRESOLV, "vpn0", NULL), "vpn0.vpncore");
	assert_true(sorted);
}

static void debian_has_the_first_word_with_a_star(void **state)
{
	(void)state;
	assert_string_equal(make(RESOLVCONF_DEBIAN, "vpn0", NULL), "tun.vpn0");
	assert_string_equal(make(RESOLVCONF_DEBIAN, "vpn0", "lo.inet6\nlo\ntun*\ntap*\n"),
			    "tun.vpn0");
	assert_true(sorted);
	assert_string_equal(make(RESOLVCONF_DEBIAN, "vpn0", "#x*\nlo.!(a)\n  vpn-* # first\ntun*"),
			    "vpn-.vpn0");
	assert_string_equal(make(RESOLVCONF_DEBIAN, "vpn0", "tap*"), "tap.vpn0");
	assert_string_equal(make(RESOLVCONF_DEBIAN, "vpn0", "~a*\n.b*\n-c*\na/b*\nhso*\r\n"),
			    "hso.vpn0");
}

static void debian_without_such_a_word_is_not_sorted(void **state)
{
	static const char *const orders[] = {
		"",        "*",           "eth*([^.]).inet\n@(br|eth)*([^.])\n*\n",
		"tun**\n", "tun*.inet\n", "\n\n"};
	(void)state;
	for (size_t i = 0; i < sizeof(orders) / sizeof(orders[0]); i++) {
		assert_string_equal(make(RESOLVCONF_DEBIAN, "vpn0", orders[i]), "tun.vpn0");
		assert_false(sorted);
	}
}

static void refuses_what_a_shell_would_take_apart(void **state)
{
	static const char *const names[] = {"a b",  "a*",       "$(id)", "a/b", "`x`", "a;b",
					    "a\nb", "\xc3\xa4", "~a",    ".a",  "-a"};
	(void)state;
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		assert_null(make(RESOLVCONF_OPENRESOLV, names[i], NULL));
	assert_null(make(RESOLVCONF_DEBIAN, "a*", NULL));
	assert_null(make(RESOLVCONF_OPENRESOLV,
			 "a123456789a123456789a123456789a123456789a123456789a123456789a123456789a"
			 "123456789",
			 NULL));
	assert_false(resolvconf_key_is_sound(""));
	assert_false(resolvconf_key_is_sound("-d"));
	assert_true(resolvconf_key_is_sound("tun.vpn-0_x"));
}

/* ---- the text ---- */

static const struct vpn_address servers[] = {
	{.family = VPN_AF_INET, .addr = {10, 78, 0, 1}},
	{.family = VPN_AF_INET6, .addr = {0x20, 0x01, 0x0d, 0xb8, 0, 0, 0, 1, [15] = 1}},
};
static const char *const search[] = {"corp.example.", "Home.example"};
static const char *const domains[] = {"~lab.example", "office.example."};

static struct dns_options options(void)
{
	struct dns_options o = {
		.servers = {servers, 2, sizeof(servers[0])},
		.search = {search, 2, sizeof(search[0])},
		.domains = {domains, 2, sizeof(domains[0])},
	};
	return o;
}

static void writes_what_resolvconf_reads(void **state)
{
	static char text[RESOLVCONF_TEXT_MAX];
	struct dns_options o = options();
	(void)state;
	size_t n = resolvconf_key_text(&o, false, text);
	assert_int_equal(n, strlen(text));
	assert_string_equal(text, "search corp.example Home.example\n"
				  "nameserver 10.78.0.1\nnameserver 2001:db8:0:1::1\n");
	n = resolvconf_key_text(&o, true, text);
	assert_int_equal(n, strlen(text));
	assert_string_equal(text, "search corp.example Home.example lab.example office.example\n"
				  "nameserver 10.78.0.1\nnameserver 2001:db8:0:1::1\n");
}

static void the_most_that_options_can_say_fits(void **state)
{
	static char text[RESOLVCONF_TEXT_MAX];
	static char name[DNS_NAME_MAX + 1];
	const char *names[DNS_DOMAINS_MAX];
	struct vpn_address many[DNS_SERVERS_MAX];
	struct dns_options o = {.servers = {many, DNS_SERVERS_MAX, sizeof(many[0])},
				.search = {names, DNS_DOMAINS_MAX, sizeof(names[0])},
				.domains = {names, DNS_DOMAINS_MAX, sizeof(names[0])}};
	(void)state;
	memset(name, 'a', DNS_NAME_MAX);
	for (size_t i = 0; i < DNS_DOMAINS_MAX; i++)
		names[i] = name;
	for (size_t i = 0; i < DNS_SERVERS_MAX; i++) {
		many[i].family = VPN_AF_INET6;
		memset(many[i].addr, 0xff, sizeof(many[i].addr));
	}
	size_t n = resolvconf_key_text(&o, true, text);
	assert_int_equal(n, strlen(text));
	assert_int_equal(n, strlen("search\n") + 2 * DNS_DOMAINS_MAX * (DNS_NAME_MAX + 1) +
				    DNS_SERVERS_MAX * strlen("nameserver ffff:ffff:ffff:ffff:ffff:"
							     "ffff:ffff:ffff\n"));
}

static bool same(const char *a, const char *b)
{
	struct dns_resolv x, y;
	assert_int_equal(dns_resolv_parse(a, strlen(a), &x), 0);
	assert_int_equal(dns_resolv_parse(b, strlen(b), &y), 0);
	bool result = resolvconf_key_same(&x, &y);
	dns_resolv_clear(&x);
	dns_resolv_clear(&y);
	return result;
}

static void recognises_its_text_in_every_spelling(void **state)
{
	(void)state;
	assert_true(same("nameserver 2001:db8:0:1:1:1:1:1\n", "nameserver 2001:db8::1:1:1:1:1\n"));
	assert_true(same("search a.example b\nnameserver 10.0.0.1\n",
			 "# resolv.conf from x\nnameserver 10.0.0.1\nsearch A.example. b\n\n"));
	assert_false(same("nameserver 10.0.0.1\n", "nameserver 10.0.0.2\n"));
	assert_false(same("nameserver 10.0.0.1\n", ""));
	assert_false(same("nameserver 10.0.0.1\nnameserver 10.0.0.2\n",
			  "nameserver 10.0.0.2\nnameserver 10.0.0.1\n"));
	assert_false(same("nameserver 10.0.0.1\n", "nameserver 10.0.0.1\nsearch a\n"));
	assert_false(same("nameserver 10.0.0.1\n", "nameserver ::ffff:10.0.0.1\n"));
}

/* ---- split DNS ---- */

static const char *file_of(const char *config)
{
	static char file[RESOLVCONF_PATH_MAX];
	for (size_t i = 0; i < RESOLVCONF_SPLIT_FILES; i++)
		if (resolvconf_split_file(config, i, file))
			return file;
	return "";
}

static void finds_the_file_of_a_local_resolver(void **state)
{
	(void)state;
	assert_string_equal(file_of("a=b\nunbound_conf=/etc/u.conf\n"), "/etc/u.conf");
	assert_string_equal(file_of("  dnsmasq_conf=\"/etc/d.conf\" # ours"), "/etc/d.conf");
	assert_string_equal(file_of("named_zones='/etc/n'"), "/etc/n");
	assert_string_equal(file_of("unbound_conf=/a\nunbound_conf=/b"), "/b");
	assert_string_equal(file_of("#unbound_conf=/a\n"), "");
	assert_string_equal(file_of("unbound_conf=\nunbound_conf_x=/a\nunbound=/b\n"), "");
	assert_string_equal(file_of("dnsmasq_resolv=/a\n"), "");
	assert_string_equal(file_of(""), "");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(openresolv_has_the_device_with_our_name),
		cmocka_unit_test(debian_has_the_first_word_with_a_star),
		cmocka_unit_test(debian_without_such_a_word_is_not_sorted),
		cmocka_unit_test(refuses_what_a_shell_would_take_apart),
		cmocka_unit_test(writes_what_resolvconf_reads),
		cmocka_unit_test(the_most_that_options_can_say_fits),
		cmocka_unit_test(recognises_its_text_in_every_spelling),
		cmocka_unit_test(finds_the_file_of_a_local_resolver),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
