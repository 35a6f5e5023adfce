/* SPDX-License-Identifier: BSD-2-Clause */
/* Tests of choice, through manifests: which component "auto" takes. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "fault.h"
#include "lines.h"
#include "manifest.h"

static struct loader *loader;
static struct lines lines;

static int set_up(void **state)
{
	(void)state;
	struct vpn_error err = VPN_ERROR_INIT;
	setenv("VPNCORE_PLUGIN_PATH", TEST_PLUGINS "/good:" TEST_PLUGINS "/choice", 1);
	loader = loader_new(&err);
	return loader == NULL;
}

static int tear_down(void **state)
{
	(void)state;
	loader_free(loader);
	return 0;
}

static struct manifest *parse(const char *dns, const char *fit_a, const char *fit_b)
{
	char text[512];
	struct problems p;
	setenv("TEST_FIT_A", fit_a, 1);
	setenv("TEST_FIT_B", fit_b, 1);
	snprintf(text, sizeof(text),
		 "{\"vpncore\":1,\"pipeline\":[{\"device\":\"test-device\"},"
		 "{\"transport\":\"test-bottom\"}],\"dns\":%s}",
		 dns);
	problems_init(&p, "f");
	struct manifest *m = manifest_parse("/etc/a.json", text, strlen(text), loader, &p);
	assert_true((m == NULL) == (p.n_errors > 0));
	lines_of(&lines, &p);
	return m;
}

static void check_taken(const char *dns, const char *fit_a, const char *fit_b, const char *expected)
{
	struct manifest *m = parse(dns, fit_a, fit_b);
	assert_string_equal(lines.text, "");
	assert_string_equal(m->dns.loaded->component->id, expected);
	assert_string_equal(m->dns.choice.taken->loaded->component->id, expected);
	manifest_free(m);
}

static void takes_the_greatest_figure(void **state)
{
	(void)state;
	check_taken("{}", "51", "70", "test-b");
	check_taken("{\"backend\":\"auto\"}", "70", "51", "test-a");
}

static void who_has_no_say_counts_as_fifty(void **state)
{
	(void)state;
	check_taken("{}", "49", "0", "test-c");
	check_taken("{}", "0", "51", "test-b");
}

static void the_first_by_name_wins_a_tie(void **state)
{
	(void)state;
	check_taken("{}", "80", "80", "test-a");
	check_taken("{}", "50", "0", "test-a");
	check_taken("{}", "100", "4000000000", "test-a");
}

static void who_refuses_the_options_is_left_out(void **state)
{
	(void)state;
	char text[512];
	check_taken("{\"word\":\"w\"}", "1", "2", "test-b");
	struct manifest *m = parse("{\"word\":\"w\"}", "1", "2");
	const struct choice *c = &m->dns.choice;
	assert_int_equal(c->n, 3);
	choice_text(&c->items[0], text, sizeof(text));
	assert_string_equal(text, "test-a: 1 of 100: of a");
	choice_text(&c->items[2], text, sizeof(text));
	assert_string_equal(text, "test-c: refuses the options: /dns/word: unknown key \"word\"");
	manifest_free(m);
}

static void cuts_a_reason_that_does_not_end(void **state)
{
	(void)state;
	char text[512];
	struct manifest *m = parse("{}", "1", "90");
	choice_text(&m->dns.choice.items[1], text, sizeof(text));
	assert_int_equal(strlen(text), strlen("test-b: 90 of 100: ") + 255);
	assert_memory_equal(text, "test-b: 90 of 100: of bxxx", 26);
	choice_text(&m->dns.choice.items[2], text, sizeof(text));
	assert_string_equal(text, "test-c: 50 of 100: does not say how well it fits this machine");
	manifest_free(m);
}

static void says_why_none_can_be_taken(void **state)
{
	(void)state;
	assert_null(parse("{\"word\":\"w\"}", "0", "0"));
	assert_true(lines_have(&lines,
			       "/dns/backend: no dns can do its work on this machine; test-a: 0 of "
			       "100: of a; test-b: 0 of 100: of bxx"));
	assert_true(lines_have(&lines, "; test-c: refuses the options: /dns/word: "));
	assert_true(lines_have(&lines, "; naming one as \"backend\" takes it all the same\n"));
}

static void the_first_stands_for_all_when_all_refuse_the_options(void **state)
{
	(void)state;
	assert_null(parse("{\"wrd\":\"w\"}", "0", "90"));
	assert_true(lines_have(&lines, "/dns/wrd: unknown key \"wrd\"; did you mean \"word\"?\n"));
	assert_false(lines_have(&lines, "refuses"));
}

static void nobody_is_asked_when_one_is_named(void **state)
{
	(void)state;
	static const char *const names[] = {"test-a", "test-d"};
	char dns[64];
	for (size_t i = 0; i < 2; i++) {
		snprintf(dns, sizeof(dns), "{\"backend\":\"%s\"}", names[i]);
		struct manifest *m = parse(dns, "0", "90");
		assert_string_equal(lines.text, "");
		assert_string_equal(m->dns.loaded->component->id, names[i]);
		assert_int_equal(m->dns.choice.n, 0);
		manifest_free(m);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(takes_the_greatest_figure),
		cmocka_unit_test(who_has_no_say_counts_as_fifty),
		cmocka_unit_test(the_first_by_name_wins_a_tie),
		cmocka_unit_test(who_refuses_the_options_is_left_out),
		cmocka_unit_test(cuts_a_reason_that_does_not_end),
		cmocka_unit_test(says_why_none_can_be_taken),
		cmocka_unit_test(the_first_stands_for_all_when_all_refuse_the_options),
		cmocka_unit_test(nobody_is_asked_when_one_is_named),
	};
	return cmocka_run_group_tests(tests, set_up, tear_down);
}
