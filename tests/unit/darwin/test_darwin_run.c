/* SPDX-License-Identifier: BSD-2-Clause */
/* Programs are run with their arguments as they are, and do not hold us up. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <errno.h>
#include <string.h>

#include "run.h"

static char out[256];
static int status;

static void gives_arguments_as_they_are(void **state)
{
	const char *const argv[] = {"/usr/bin/printf", "%s|", "a b", "$HOME; rm *", "", NULL};
	(void)state;
	assert_int_equal(darwin_run(argv, 10000, out, sizeof(out), &status), 0);
	assert_int_equal(status, 0);
	assert_string_equal(out, "a b|$HOME; rm *||");
}

static void tells_status_and_errors(void **state)
{
	const char *const argv[] = {"/bin/sh", "-c", "echo one; echo two >&2; exit 3", NULL};
	(void)state;
	assert_int_equal(darwin_run(argv, 10000, out, sizeof(out), &status), 0);
	assert_int_equal(status, 3);
	assert_string_equal(out, "one\ntwo\n");
}

static void tells_a_signal(void **state)
{
	const char *const argv[] = {"/bin/sh", "-c", "kill -9 $$", NULL};
	(void)state;
	assert_int_equal(darwin_run(argv, 10000, out, sizeof(out), &status), 0);
	assert_int_equal(status, 256 + 9);
}

static void cuts_long_output_off(void **state)
{
	const char *const argv[] = {"/usr/bin/seq", "100000", NULL};
	(void)state;
	assert_int_equal(darwin_run(argv, 10000, out, sizeof(out), &status), 0);
	assert_int_equal(status, 0);
	assert_int_equal(strlen(out), sizeof(out) - 1);
}

static void has_no_input_and_a_plain_environment(void **state)
{
	const char *const argv[] = {"/bin/sh", "-c", "cat; env | grep -c SECRET; exit 0", NULL};
	(void)state;
	assert_int_equal(darwin_run(argv, 10000, out, sizeof(out), &status), 0);
	assert_string_equal(out, "0\n");
}

static void kills_what_takes_too_long(void **state)
{
	const char *const argv[] = {"/bin/sleep", "1000", NULL};
	(void)state;
	assert_int_equal(darwin_run(argv, 50, out, sizeof(out), &status), ETIMEDOUT);
}

static void tells_when_there_is_no_such_program(void **state)
{
	const char *const argv[] = {"/nonexistent/program", NULL};
	(void)state;
	assert_int_equal(darwin_run(argv, 10000, out, sizeof(out), &status), ENOENT);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(gives_arguments_as_they_are),
		cmocka_unit_test(tells_status_and_errors),
		cmocka_unit_test(tells_a_signal),
		cmocka_unit_test(cuts_long_output_off),
		cmocka_unit_test(has_no_input_and_a_plain_environment),
		cmocka_unit_test(kills_what_takes_too_long),
		cmocka_unit_test(tells_when_there_is_no_such_program),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
