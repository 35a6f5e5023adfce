/* SPDX-License-Identifier: BSD-2-Clause */
/* Tests of position. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "position.h"

static struct positions *scan(const char *text)
{
	struct positions *p;
	assert_int_equal(position_scan(&p, text, strlen(text), NULL), POSITION_OK);
	return p;
}

static void assert_place(struct place at, int line, int column)
{
	assert_int_equal(at.line, line);
	assert_int_equal(at.column, column);
}

static void finds_values_and_keys(void **state)
{
	(void)state;
	struct positions *p = scan("{\n  \"a\": [1,\n    {\"b\": null}],\n\t\"c\" : \"x\" }");
	assert_place(position_of_value(p, ""), 1, 1);
	assert_place(position_of_key(p, "/a"), 2, 3);
	assert_place(position_of_value(p, "/a"), 2, 8);
	assert_place(position_of_value(p, "/a/0"), 2, 9);
	assert_place(position_of_value(p, "/a/1"), 3, 5);
	assert_place(position_of_key(p, "/a/1/b"), 3, 6);
	assert_place(position_of_value(p, "/a/1/b"), 3, 11);
	assert_place(position_of_key(p, "/c"), 4, 2);
	assert_place(position_of_value(p, "/c"), 4, 8);
	position_free(p);
}

static void falls_back_to_what_is_around(void **state)
{
	(void)state;
	struct positions *p = scan("{ \"a\": { \"b\": 1 } }");
	assert_place(position_of_value(p, "/a/zz/y"), 1, 8);
	assert_place(position_of_key(p, "/a/zz"), 1, 8);
	assert_place(position_of_value(p, "/nothing"), 1, 1);
	assert_place(position_of_value(NULL, "/a"), 0, 0);
	position_free(p);
}

static void counts_characters_not_bytes(void **state)
{
	(void)state;
	struct positions *p = scan("{\"\xc3\xa4\xe2\x82\xac\": \"\xf0\x9f\x98\x80\", \"z\": 2}");
	assert_place(position_of_key(p, "/z"), 1, 13);
	position_free(p);
}

static void resolves_escapes_in_keys(void **state)
{
	(void)state;
	struct positions *p = scan("{\"a\\u002fb~\": 1, \"\\ud83d\\ude00\": 2, \"q\\\"\\n\": 3}");
	assert_place(position_of_value(p, "/a~1b~0"), 1, 15);
	assert_place(position_of_value(p, "/\xf0\x9f\x98\x80"), 1, 34);
	assert_place(position_of_value(p, "/q\"\n"), 1, 46);
	position_free(p);
}

static void finds_every_duplicate(void **state)
{
	(void)state;
	struct positions *p = scan(
		"{\"a\": 1,\n \"b\": {\"c\": 1, \"c\": 2}, \"a\": 2, \"\\u0061\": 3}");
	assert_int_equal(position_duplicates(p), 3);
	struct duplicate d = position_duplicate(p, 0);
	assert_string_equal(d.pointer, "/a");
	assert_place(d.first, 1, 2);
	assert_place(d.place, 2, 25);
	d = position_duplicate(p, 1);
	assert_string_equal(d.key, "a");
	assert_place(d.place, 2, 33);
	assert_place(d.first, 1, 2);
	d = position_duplicate(p, 2);
	assert_string_equal(d.pointer, "/b/c");
	assert_place(d.place, 2, 16);
	position_free(p);
}

static void takes_comments_as_often_as_they_come(void **state)
{
	(void)state;
	struct positions *p = scan("{\"//\": 1, \"//\": 2, \"// x\": 3, \"// x\": 4}");
	assert_int_equal(position_duplicates(p), 0);
	position_free(p);
}

static void does_not_take_items_for_duplicates(void **state)
{
	(void)state;
	struct positions *p = scan("[{\"a\": 1}, {\"a\": 1}]");
	assert_int_equal(position_duplicates(p), 0);
	position_free(p);
}

static void refuses_what_is_too_deep(void **state)
{
	(void)state;
	char text[2 * POSITION_DEPTH_MAX + 3];
	struct positions *p;
	struct place where;
	size_t n = POSITION_DEPTH_MAX;
	memset(text, '[', n);
	memset(text + n, ']', n);
	assert_int_equal(position_scan(&p, text, 2 * n, &where), POSITION_OK);
	position_free(p);
	memset(text, '[', n + 1);
	memset(text + n + 1, ']', n + 1);
	assert_int_equal(position_scan(&p, text, 2 * n + 2, &where), POSITION_TOO_DEEP);
	assert_null(p);
	assert_place(where, 1, POSITION_DEPTH_MAX + 1);
}

static void refuses_what_would_take_all_memory(void **state)
{
	(void)state;
	enum { KEY = 100000, ITEMS = 10000 };
	char *text = malloc(KEY + 2 * ITEMS + 16);
	struct positions *p;
	size_t n = (size_t)sprintf(text, "{\"");
	memset(text + n, 'k', KEY);
	n += KEY;
	n += (size_t)sprintf(text + n, "\":[0");
	for (int i = 1; i < ITEMS; i++)
		n += (size_t)sprintf(text + n, ",0");
	assert_int_equal(position_scan(&p, text, n, NULL), POSITION_TOO_LARGE);
	assert_null(p);
	free(text);
}

/* Whatever the bytes are, the scanner comes back and stays inside of them. */
static void survives_every_cut_and_every_changed_byte(void **state)
{
	(void)state;
	static const char text[] =
		"{\"a\\u00e9\\ud83d\\ude00\": [1, {\"b\": \"x\\\"y\"}, [], {}], \"c\": tru}";
	static const char bytes[] = "\"\\{}[],:u0 \n\xff";
	size_t len = sizeof(text) - 1;
	for (size_t i = 0; i <= len; i++) {
		char *copy = malloc(i + 1);
		struct positions *p;
		memcpy(copy, text, i);
		assert_int_equal(position_scan(&p, copy, i, NULL), POSITION_OK);
		position_free(p);
		for (size_t k = 0; i > 0 && k < sizeof(bytes); k++) {
			copy[i - 1] = bytes[k];
			assert_int_equal(position_scan(&p, copy, i, NULL), POSITION_OK);
			position_free(p);
		}
		free(copy);
	}
}

static void joins_with_escapes(void **state)
{
	(void)state;
	char *joined = position_join("/a", "b/c~d");
	assert_string_equal(joined, "/a/b~1c~0d");
	free(joined);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(finds_values_and_keys),
		cmocka_unit_test(falls_back_to_what_is_around),
		cmocka_unit_test(counts_characters_not_bytes),
		cmocka_unit_test(resolves_escapes_in_keys),
		cmocka_unit_test(finds_every_duplicate),
		cmocka_unit_test(takes_comments_as_often_as_they_come),
		cmocka_unit_test(does_not_take_items_for_duplicates),
		cmocka_unit_test(refuses_what_is_too_deep),
		cmocka_unit_test(refuses_what_would_take_all_memory),
		cmocka_unit_test(survives_every_cut_and_every_changed_byte),
		cmocka_unit_test(joins_with_escapes),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
