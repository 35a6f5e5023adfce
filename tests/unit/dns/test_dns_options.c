/* SPDX-License-Identifier: BSD-2-Clause */
/* Tests of the options that all backends of dns share. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "common/name.h"
#include "common/options.h"

static const struct vpn_address server4 = {.family = VPN_AF_INET, .addr = {10, 78, 0, 1}};

#define LIST(array, n) \
	{ \
		(array), (n), sizeof((array)[0]) \
	}

static void check_servers(const struct vpn_address *servers, uint32_t n, const char *where)
{
	const struct dns_options o = {.servers = LIST(servers, n)};
	struct vpn_error err = {.size = sizeof(err)};
	vpn_status status = dns_options_validate(&o, &err);
	assert_int_equal(status, where == NULL ? VPN_OK : VPN_EINVAL);
	assert_string_equal(err.where, where != NULL ? where : "");
}

static void check_domains(const char *const *domains, uint32_t n, const char *where)
{
	const struct dns_options o = {.servers = LIST(&server4, 1), .domains = LIST(domains, n)};
	struct vpn_error err = {.size = sizeof(err)};
	vpn_status status = dns_options_validate(&o, &err);
	assert_int_equal(status, where == NULL ? VPN_OK : VPN_EINVAL);
	assert_string_equal(err.where, where != NULL ? where : "");
}

static void refuses_servers_that_cannot_answer(void **state)
{
	(void)state;
	const struct vpn_address two[] = {server4,
					  {.family = VPN_AF_INET6, .addr = {0xfd, [15] = 1}}};
	const struct vpn_address twice[] = {two[1], server4, two[1]};
	static const struct vpn_address wrong[] = {
		{.family = VPN_AF_INET},
		{.family = VPN_AF_INET6},
		{.family = VPN_AF_INET, .addr = {224, 0, 0, 251}},
		{.family = VPN_AF_INET, .addr = {255, 255, 255, 255}},
		{.family = VPN_AF_INET6, .addr = {0xff, 2, [15] = 0xfb}},
		{.family = VPN_AF_INET6, .addr = {0xfe, 0x80, [15] = 1}},
	};
	check_servers(two, 2, NULL);
	check_servers(twice, 3, "/servers/2");
	for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
		const struct vpn_address list[] = {server4, wrong[i]};
		check_servers(list, 2, "/servers/1");
	}
}

#define LABEL63 "aaaaaaaaaabbbbbbbbbbccccccccccddddddddddeeeeeeeeeeffffffffff123"
#define NAME253 LABEL63 "." LABEL63 "." LABEL63 "." LABEL63

static void knows_domain_names(void **state)
{
	(void)state;
	static const char *const good[] = {
		"example",     "corp.example",          "corp.example.", "a",
		"_tcp.x-y.Z9", "xn--bcher-kva.example", LABEL63,         NULL};
	static const char *const bad[] = {"",
					  ".",
					  "..",
					  ".a",
					  "a..b",
					  "a b",
					  "a/b",
					  "-a.b",
					  "a.b-",
					  "a.b..",
					  "b\xc3\xbc"
					  "cher",
					  LABEL63 "x",
					  "a\nb",
					  "#",
					  NULL};
	char long_name[260];
	for (size_t i = 0; good[i] != NULL; i++)
		assert_null(dns_name_wrong(good[i], false));
	for (size_t i = 0; bad[i] != NULL; i++)
		assert_non_null(dns_name_wrong(bad[i], false));
	assert_null(dns_name_wrong(".", true));
	assert_non_null(dns_name_wrong("", true));
	snprintf(long_name, sizeof(long_name), "%.253s", NAME253);
	assert_null(dns_name_wrong(long_name, false));
	snprintf(long_name, sizeof(long_name), "%.253s.", NAME253);
	assert_null(dns_name_wrong(long_name, false));
	snprintf(long_name, sizeof(long_name), "%.254s", NAME253);
	assert_non_null(dns_name_wrong(long_name, false));
}

static void compares_domain_names(void **state)
{
	(void)state;
	assert_true(dns_name_equal("corp.Example", "~CORP.example."));
	assert_true(dns_name_equal("~.", "."));
	assert_false(dns_name_equal("corp.example", "corp.exampl"));
	assert_true(dns_name_is_root("~.") && dns_name_is_root("."));
	assert_false(dns_name_is_root("~a.") || dns_name_is_root("~"));
}

static void refuses_domains_that_are_none(void **state)
{
	(void)state;
	static const char *const good[] = {"corp.example", "~lab.example.", "~."};
	static const char *const bad[] = {"corp.example", "~"};
	static const char *const twice[] = {"a.example", "b.example", "~A.example."};
	check_domains(good, 3, NULL);
	check_domains(bad, 2, "/domains/1");
	check_domains(twice, 3, "/domains/2");
}

static void searches_no_routing_domain(void **state)
{
	(void)state;
	static const char *const search[] = {"a.example", "~b.example"};
	static const char *const root[] = {"."};
	struct dns_options o = {.servers = LIST(&server4, 1), .search = LIST(search, 2)};
	struct vpn_error err = {.size = sizeof(err)};
	assert_int_equal(dns_options_validate(&o, &err), VPN_EINVAL);
	assert_string_equal(err.where, "/search/1");
	o.search = (struct vpn_list)LIST(root, 1);
	assert_int_equal(dns_options_validate(&o, &err), VPN_EINVAL);
	assert_string_equal(err.where, "/search/0");
}

static void knows_when_all_names_are_meant(void **state)
{
	(void)state;
	static const char *const split[] = {"corp.example", "lab.example"};
	static const char *const all[] = {"corp.example", "~."};
	struct dns_options o = {.domains = LIST(split, 2)};
	struct vpn_error err = {.size = sizeof(err)};
	assert_int_equal(dns_options_refuse_split(&o, &err), VPN_ENOTSUP);
	assert_string_equal(err.where, "/domains");
	assert_non_null(strstr(err.text, "resolved"));
	o.domains = (struct vpn_list)LIST(all, 2);
	assert_int_equal(dns_options_refuse_split(&o, &err), VPN_OK);
	o.domains.count = 0;
	assert_true(dns_options_is_everything(&o));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(refuses_servers_that_cannot_answer),
		cmocka_unit_test(knows_domain_names),
		cmocka_unit_test(compares_domain_names),
		cmocka_unit_test(refuses_domains_that_are_none),
		cmocka_unit_test(searches_no_routing_domain),
		cmocka_unit_test(knows_when_all_names_are_meant),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
