/* SPDX-License-Identifier: BSD-2-Clause */
/* From the manifest to what systemd-resolved is told, and to the journal and back. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
/* cmocka wants the four above */
#include <cmocka.h>
#include <net/if.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/name.h"
#include "options.h"
#include "settings.h"
#include "undo.h"
#include "view.h"

static const struct vpn_device_info device = {.size = sizeof(device), .ifindex = 7, .name = "wg0"};
static struct vpn_address servers[2] = {{VPN_AF_INET, {0}, {10, 78, 0, 1}},
					{VPN_AF_INET6, {0}, {0xfd, 0x78, [15] = 1}}};
static struct resolved_settings s;

static struct dns_options options(const char **search, uint32_t n_search, const char **domains,
				  uint32_t n_domains)
{
	return (struct dns_options){.servers = {servers, 2, sizeof(servers[0])},
				    .search = {search, n_search, sizeof(search[0])},
				    .domains = {domains, n_domains, sizeof(domains[0])}};
}

static void has(const char *const *expected)
{
	const char *d = resolved_settings_next(&s, NULL);
	for (; *expected != NULL; expected++, d = resolved_settings_next(&s, d)) {
		assert_non_null(d);
		assert_string_equal(d, *expected);
	}
	assert_null(d);
}

static void a_full_tunnel_takes_the_root(void **state)
{
	const struct dns_options o = options(NULL, 0, NULL, 0);
	(void)state;
	resolved_settings_make(&s, &o, &device);
	has((const char *[]){"~.", NULL});
	assert_int_equal(s.default_route, 1);
	assert_int_equal(s.n_servers, 2);
	assert_int_equal(s.ifindex, 7);
	assert_string_equal(s.ifname, "wg0");
}

static void a_split_one_takes_its_domains_and_no_more(void **state)
{
	const char *search[] = {"lab.example."}, *domains[] = {"corp.example", "~10.in-addr.arpa."};
	const struct dns_options o = options(search, 1, domains, 2);
	(void)state;
	resolved_settings_make(&s, &o, &device);
	has((const char *[]){"lab.example", "~corp.example", "~10.in-addr.arpa", NULL});
	assert_int_equal(s.default_route, 0);
}

/* Told twice, it would be what was told last. */
static void a_domain_in_both_lists_is_searched(void **state)
{
	const char *search[] = {"Corp.Example"}, *domains[] = {"~corp.example", "~."};
	const struct dns_options o = options(search, 1, domains, 2);
	(void)state;
	resolved_settings_make(&s, &o, &device);
	has((const char *[]){"Corp.Example", "~.", NULL});
	assert_int_equal(s.default_route, 1);
}

static void the_longest_lists_fit(void **state)
{
	static char names[2 * DNS_DOMAINS_MAX][DNS_NAME_MAX + 1];
	const char *search[DNS_DOMAINS_MAX], *domains[DNS_DOMAINS_MAX];
	uint32_t n = 0;
	(void)state;
	for (uint32_t i = 0; i < 2 * DNS_DOMAINS_MAX; i++) {
		memset(names[i], 'a', DNS_NAME_MAX);
		for (uint32_t k = 63; k < DNS_NAME_MAX; k += 64)
			names[i][k] = '.';
		snprintf(names[i], 4, "%03u", i);
		names[i][3] = 'a';
		*(i < DNS_DOMAINS_MAX ? &search[i] : &domains[i - DNS_DOMAINS_MAX]) = names[i];
	}
	const struct dns_options o = options(search, DNS_DOMAINS_MAX, domains, DNS_DOMAINS_MAX);
	resolved_settings_make(&s, &o, &device);
	for (const char *d = resolved_settings_next(&s, NULL); d != NULL;
	     d = resolved_settings_next(&s, d))
		n++;
	assert_int_equal(n, 2 * DNS_DOMAINS_MAX);
	assert_int_equal(s.n_domains, n);
	assert_true(resolved_settings_len(&s) <= VPN_JOURNAL_BYTES_MAX);
}

static void refuses_itself_as_a_server(void **state)
{
	struct dns_options o = options(NULL, 0, NULL, 0);
	struct vpn_address own[2] = {servers[0], {VPN_AF_INET, {0}, {127, 0, 0, 53}}};
	struct vpn_error err = {.size = sizeof(err)};
	(void)state;
	assert_int_equal(resolved_options_validate(&o, &err), VPN_OK);
	o.servers.items = own;
	assert_int_equal(resolved_options_validate(&o, &err), VPN_EINVAL);
	assert_string_equal(err.where, "/servers/1");
}

/* ---- the journal ---- */

static void a_record_comes_back_as_it_was(void **state)
{
	const char *domains[] = {"corp.example", "~b.example"};
	const struct dns_options o = options(NULL, 0, domains, 2);
	static struct resolved_settings back;
	(void)state;
	resolved_settings_make(&s, &o, &device);
	assert_true(resolved_settings_read(&back, &s, resolved_settings_len(&s)));
	assert_memory_equal(&back, &s, sizeof(s));
	assert_true(resolved_settings_same_servers(&back, &s));
	assert_true(resolved_settings_same_domains(&back, &s));
}

static bool reads(const void *record, size_t len)
{
	static struct resolved_settings back;
	void *exact = malloc(len); /* so that a byte too far is seen */
	memcpy(exact, record, len);
	bool sound = resolved_settings_read(&back, exact, len);
	free(exact);
	return sound;
}

static void refuses_a_record_that_is_none(void **state)
{
	const struct dns_options o = options(NULL, 0, NULL, 0);
	static struct resolved_settings bad;
	(void)state;
	resolved_settings_make(&s, &o, &device);
	const size_t len = resolved_settings_len(&s);
	assert_true(reads(&s, len));
	for (size_t n = 1; n < len; n++)
		assert_false(reads(&s, n));
	assert_false(reads(&s, len + 1));
#define SPOIL(field, value) \
	do { \
		bad = s; \
		bad.field = (value); \
		assert_false(reads(&bad, len)); \
	} while (0)
	SPOIL(version, 2);
	SPOIL(ifindex, 0);
	SPOIL(n_servers, DNS_SERVERS_MAX + 1);
	SPOIL(n_domains, 2);
	SPOIL(domain_bytes, UINT32_MAX);
	SPOIL(domains[2], 'x');
#undef SPOIL
	bad = s;
	memset(bad.ifname, 'x', sizeof(bad.ifname));
	assert_false(reads(&bad, len));
}

static void undoing_is_done_when_the_interface_is_gone(void **state)
{
	const struct dns_options o = options(NULL, 0, NULL, 0);
	struct vpn_device_info gone = {.size = sizeof(gone), .ifindex = 1, .name = "not-lo"};
	struct vpn_error err = {.size = sizeof(err)};
	const struct vpn_host host = {.size = sizeof(host)};
	(void)state;
	setenv("DBUS_SYSTEM_BUS_ADDRESS", "nonsense:", 1); /* it is not asked */
	resolved_settings_make(&s, &o, &gone);
	assert_int_equal(resolved_undo(&host, 0, &s, (uint32_t)resolved_settings_len(&s), &err),
			 VPN_OK);
	assert_int_equal(resolved_undo(&host, 0, &s, 9, &err), VPN_EINVAL);
	assert_true(err.text[0] != '\0');
}

/* ---- others ---- */

static char seen[256];

static void on_rival(void *ctx, const char *domain, uint32_t ifindex)
{
	size_t at = strlen(seen);
	(void)ctx;
	snprintf(seen + at, sizeof(seen) - at, "%s@%u ", domain, ifindex);
}

static void names_those_who_are_asked_too(void **state)
{
	struct resolved_view_server have[] = {{.ifindex = 0}, {.ifindex = 2}, {.ifindex = 7}};
	char root[] = "~.", corp[] = "corp.example", same[] = "~Corp.Example";
	struct resolved_view_domain domains[] = {
		{0, root}, {2, corp}, {3, same}, {7, same}, {7, root}};
	const struct resolved_view view = {
		.servers = have, .n_servers = 3, .domains = domains, .n_domains = 5};
	const char *wanted[] = {"corp.example", "~."};
	const struct dns_options o = options(NULL, 0, wanted, 2);
	(void)state;
	resolved_settings_make(&s, &o, &device);
	seen[0] = '\0';
	resolved_view_rivals(&view, &s, on_rival, NULL);
	/* 3 has no servers, 7 is ours */
	assert_string_equal(seen, "corp.example@2 .@0 ");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_full_tunnel_takes_the_root),
		cmocka_unit_test(a_split_one_takes_its_domains_and_no_more),
		cmocka_unit_test(a_domain_in_both_lists_is_searched),
		cmocka_unit_test(the_longest_lists_fit),
		cmocka_unit_test(refuses_itself_as_a_server),
		cmocka_unit_test(a_record_comes_back_as_it_was),
		cmocka_unit_test(refuses_a_record_that_is_none),
		cmocka_unit_test(undoing_is_done_when_the_interface_is_gone),
		cmocka_unit_test(names_those_who_are_asked_too),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
