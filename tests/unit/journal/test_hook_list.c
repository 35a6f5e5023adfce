/* SPDX-License-Identifier: BSD-2-Clause */
/* Commands in the journal: what was written is read, and nothing else is taken for commands. */
/* clang-format off */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
/* clang-format on */

#include <stdlib.h>
#include <string.h>

#include "hook_list.h"

static char word_ls[] = "/bin/ls", word_empty[] = "", word_odd[] = "a b\n$c",
	    word_true[] = "/bin/true";
static char *first[] = {word_ls, word_empty, word_odd, NULL};
static char *second[] = {word_true, NULL};
static char **commands[] = {first, second};
static const struct hook_list list = {commands, 2};
static char variable[] = "VPNCORE_NAME=x";
static char *environment[] = {variable, NULL};

static char *packed(size_t *ret_len)
{
	char *text = hook_list_pack(&list, environment, 1234567, ret_len);
	assert_non_null(text);
	return text;
}

static void reads_what_was_written(void **state)
{
	struct hook_list read;
	char **env;
	uint64_t timeout_ns;
	size_t len;
	char *text = packed(&len);
	(void)state;
	assert_true(hook_list_unpack(text, len, &read, &env, &timeout_ns));
	assert_int_equal(timeout_ns, 1234567);
	assert_string_equal(env[0], variable);
	assert_null(env[1]);
	assert_int_equal(read.n, 2);
	for (size_t i = 0; i < 3; i++)
		assert_string_equal(read.commands[0][i], first[i]);
	assert_null(read.commands[0][3]);
	assert_string_equal(read.commands[1][0], word_true);
	assert_null(read.commands[1][1]);
	hook_list_clear(&read);
	hook_list_free_words(env);
	free(text);
}

/* Cut off anywhere it is a shorter list of whole commands, or none at all. */
static void takes_no_half_command(void **state)
{
	struct hook_list read;
	char **env;
	uint64_t timeout_ns;
	size_t len, good = 0;
	char *text = packed(&len);
	(void)state;
	for (size_t n = 0; n < len; n++) {
		char *part = malloc(n > 0 ? n : 1); /* so that a reader beyond it is seen */
		assert_non_null(part);
		memcpy(part, text, n);
		if (hook_list_unpack(part, n, &read, &env, &timeout_ns)) {
			good++;
			assert_true(read.n < 2);
			hook_list_clear(&read);
			hook_list_free_words(env);
		}
		free(part);
	}
	assert_int_equal(good, 2); /* behind the environment, and behind the first command */
	free(text);
}

static void refuses_what_is_no_list(void **state)
{
	static const struct {
		const char *data;
		size_t len;
	} bad[] = {
		{"", 0},
		{"x", 2},
		{"-1\0000", 5},
		{"1\0001000000000000\0a", 18},
		{"1\00018446744073709551615\0a", 25},
		{"1\0000\0000", 6},       /* a command of no words */
		{"1\0000\0001\000ls", 9}, /* not an absolute path */
		{"1\0001\0a", 6 - 1},     /* the last text does not end */
	};
	struct hook_list read;
	char **env;
	uint64_t timeout_ns;
	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		assert_false(hook_list_unpack(bad[i].data, bad[i].len, &read, &env, &timeout_ns));
		assert_int_equal(read.n, 0);
		assert_null(env);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(reads_what_was_written),
		cmocka_unit_test(takes_no_half_command),
		cmocka_unit_test(refuses_what_is_no_list),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
