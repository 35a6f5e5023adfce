/* SPDX-License-Identifier: BSD-2-Clause */
/* Who is in charge of names, by the files of many systems. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
/* cmocka wants the four above */
#include <cmocka.h>
#include <string.h>

#include "common/fit.h"
#include "common/resolv.h"
#include "judge.h"

static bool nss(const char *text)
{
	return resolved_judge_nss(text, strlen(text));
}

static void nsswitch_has_resolve_before_dns(void **state)
{
	(void)state;
	assert_true(nss("hosts: resolve dns\n"));
	assert_true(nss("hosts:\tfiles resolve\n")); /* nothing behind it */
	assert_true(nss("hosts:files resolve"));     /* no end of line */
	/* Ubuntu, Fedora, Arch, Debian with libnss-resolve */
	assert_true(nss("passwd: files systemd\nhosts:          files mdns4_minimal "
			"[NOTFOUND=return] resolve [!UNAVAIL=return] dns mymachines\n"));
	assert_true(nss("hosts: mymachines resolve[!UNAVAIL=return] files myhostname dns\n"));
	assert_true(nss("  hosts : files [ NOTFOUND = return ] resolve dns # dns resolve\n"));
	assert_true(nss("hosts: files dns\nhosts: resolve\n")); /* the last one counts */
	assert_true(nss("hosts: resolve\r\n"));
}

static void nsswitch_has_it_behind_or_nowhere(void **state)
{
	(void)state;
	assert_false(nss(""));
	assert_false(nss("hosts:"));
	assert_false(nss("hosts"));
	assert_false(nss("hosts: files dns\n"));
	assert_false(nss("hosts: files dns resolve\n"));
	assert_false(nss("hosts: files mdns4_minimal [NOTFOUND=return] dns myhostname\n"));
	assert_false(nss("# hosts: resolve dns\nhosts: files dns\n"));
	assert_false(nss("hosts: files # resolve\n"));
	assert_false(nss("hosts: files [resolve] dns\n"));
	assert_false(nss("hosts: files [resolve dns\n")); /* a bracket that is not closed */
	assert_false(nss("hosts: resolved dns\nnetworks: resolve\n"));
	assert_false(nss("hostsdb: resolve\nhosts resolve\n"));
	assert_false(nss("passwd: resolve\n"));
	assert_false(nss("hosts: resolve\nhosts: dns\n"));
}

static void reads_no_byte_behind_the_text(void **state)
{
	static const char text[] = "hosts: [x] files resolve";
	(void)state;
	for (size_t n = 0; n < sizeof(text); n++) {
		char exact[sizeof(text)];
		memset(exact, ' ', sizeof(exact));
		memcpy(exact, text, n);
		assert_int_equal(resolved_judge_nss(exact, n), n >= sizeof(text) - 1);
	}
}

static bool stub(const char *text)
{
	struct dns_resolv r;
	assert_int_equal(dns_resolv_parse(text, strlen(text), &r), 0);
	bool yes = dns_resolv_is_stub(&r);
	dns_resolv_clear(&r);
	return yes;
}

static void resolv_conf_names_the_stub_alone(void **state)
{
	(void)state;
	assert_true(stub("nameserver 127.0.0.53\noptions edns0 trust-ad\nsearch lan\n"));
	assert_true(stub("nameserver 127.0.0.54\n"));
	assert_true(stub("nameserver 127.0.0.53\nnameserver 127.0.0.54\n"));
	assert_false(stub(""));
	assert_false(stub("search lan\n"));
	assert_false(stub("# nameserver 127.0.0.53\n"));
	assert_false(stub("nameserver 127.0.0.53\nnameserver 192.168.1.1\n"));
	assert_false(stub("nameserver 127.0.0.1\n"));
	assert_false(stub("nameserver 127.0.1.53\n"));
	assert_false(stub("nameserver ::1\n"));
}

static uint32_t judge(bool has_bus, bool runs, bool activatable, bool by_nss, bool by_stub)
{
	const struct resolved_signs signs = {has_bus, runs, false, activatable, by_nss, by_stub};
	struct vpn_error why = {.size = sizeof(why)};
	uint32_t fit = resolved_judge(&signs, &why);
	assert_true(why.text[0] != '\0');
	return fit;
}

static void is_taken_only_where_it_is_in_charge(void **state)
{
	(void)state;
	assert_int_equal(judge(true, true, true, true, false), DNS_FIT_IN_CHARGE);
	assert_int_equal(judge(true, true, false, false, true), DNS_FIT_IN_CHARGE);
	assert_int_equal(judge(true, false, true, true, true), DNS_FIT_IN_CHARGE);
	assert_int_equal(judge(true, true, true, false, false), 10);
	/* nss-resolve passes on to `dns` while it does not run */
	assert_int_equal(judge(true, false, true, true, false), 0);
	assert_int_equal(judge(true, false, false, true, true), 0);
	assert_int_equal(judge(false, false, false, true, true), 0);
}

static void is_not_taken_from_another_namespace(void **state)
{
	const struct resolved_signs signs = {
		.has_bus = true, .runs = true, .elsewhere = true, .nss = true, .stub = true};
	struct vpn_error why = {.size = sizeof(why)};
	(void)state;
	assert_int_equal(resolved_judge(&signs, &why), 0);
	assert_non_null(strstr(why.text, "network namespace"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(nsswitch_has_resolve_before_dns),
		cmocka_unit_test(nsswitch_has_it_behind_or_nowhere),
		cmocka_unit_test(reads_no_byte_behind_the_text),
		cmocka_unit_test(resolv_conf_names_the_stub_alone),
		cmocka_unit_test(is_taken_only_where_it_is_in_charge),
		cmocka_unit_test(is_not_taken_from_another_namespace),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
