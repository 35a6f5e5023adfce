/* SPDX-License-Identifier: BSD-2-Clause */
/* Tests of problems and suggest. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "lines.h"
#include "suggest.h"

static struct lines lines;

static void prints_place_pointer_and_text(void **state)
{
	(void)state;
	struct problems p;
	problems_init(&p, "a.json");
	problems_add(&p, 4, 7, "/pipeline/1", "%s %d", "wrong", 5);
	assert_int_equal(p.n_errors, 1);
	assert_string_equal(lines_of(&lines, &p), "a.json:4:7: /pipeline/1: wrong 5\n");
}

static void leaves_out_what_is_not_there(void **state)
{
	(void)state;
	struct problems p;
	problems_init(&p, "a.json");
	problems_add(&p, 0, 0, "", "cannot be read");
	assert_string_equal(lines_of(&lines, &p), "a.json: cannot be read\n");
}

static void sorts_by_line_then_column(void **state)
{
	(void)state;
	struct problems p;
	problems_init(&p, "f");
	problems_add(&p, 10, 1, "/c", "third");
	problems_add(&p, 2, 11, "/b", "second");
	problems_add(&p, 2, 9, "/a", "first");
	problems_add(&p, 0, 0, "", "before all");
	assert_string_equal(
		lines_of(&lines, &p),
		"f: before all\nf:2:9: /a: first\nf:2:11: /b: second\nf:10:1: /c: third\n");
}

static void counts_warnings_apart(void **state)
{
	(void)state;
	struct problems p;
	problems_init(&p, "f");
	problems_warn(&p, 1, 1, "/x", "take care");
	assert_int_equal(p.n, 1);
	assert_int_equal(p.n_errors, 0);
	assert_string_equal(lines_of(&lines, &p), "f:1:1: /x: warning: take care\n");
}

static void keeps_control_characters_off_the_terminal(void **state)
{
	(void)state;
	struct problems p;
	problems_init(&p, "f");
	problems_add(&p, 1, 1, "/\033[2J", "a\nb\033]0;x\007c");
	assert_string_equal(lines_of(&lines, &p), "f:1:1: /?[2J: a?b?]0;x?c\n");
}

static void keeps_many(void **state)
{
	(void)state;
	struct problems p;
	problems_init(&p, "f");
	for (int i = 1000; i > 0; i--)
		problems_add(&p, i, 1, "", "x");
	assert_int_equal(p.n, 1000);
	lines_of(&lines, &p);
	assert_memory_equal(lines.text, "f:1:1: x\nf:2:1: x\n", 18);
}

static const char *nearest(const char *word)
{
	static const char *const names[] = {"addresses", "mtu",      "listen",
					    "remote",    "path_mtu", "mac"};
	struct suggest s;
	suggest_init(&s, word);
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		suggest_offer(&s, names[i]);
	return s.best;
}

static void suggests_what_was_meant(void **state)
{
	(void)state;
	assert_string_equal(nearest("adresses"), "addresses");
	assert_string_equal(nearest("adreses"), "addresses");
	assert_string_equal(nearest("lisetn"), "listen");
	assert_string_equal(nearest("addr"), "addresses");
	assert_string_equal(nearest("mut"), "mtu");
	assert_string_equal(nearest("path_mut"), "path_mtu");
}

static void suggests_nothing_where_nothing_is_near(void **state)
{
	(void)state;
	assert_null(nearest("keepalive"));
	assert_null(nearest("x"));
	assert_null(nearest(""));
	assert_null(nearest("pa"));
	char long_word[200];
	memset(long_word, 'm', sizeof(long_word) - 1);
	long_word[sizeof(long_word) - 1] = '\0';
	assert_null(nearest(long_word));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(prints_place_pointer_and_text),
		cmocka_unit_test(leaves_out_what_is_not_there),
		cmocka_unit_test(sorts_by_line_then_column),
		cmocka_unit_test(counts_warnings_apart),
		cmocka_unit_test(keeps_control_characters_off_the_terminal),
		cmocka_unit_test(keeps_many),
		cmocka_unit_test(suggests_what_was_meant),
		cmocka_unit_test(suggests_nothing_where_nothing_is_near),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
