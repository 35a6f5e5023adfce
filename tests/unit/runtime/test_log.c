/* SPDX-License-Identifier: BSD-2-Clause */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>
#include <jansson.h>

#include "log.h"
#include <vpncore/plugin.h>

static char last[2048];
static int lines;

static void keep(void *ctx, uint32_t level, const char *line)
{
	(void)ctx;
	(void)level;
	snprintf(last, sizeof(last), "%s", line);
	lines++;
}

static int setup(void **state)
{
	(void)state;
	lines = 0;
	log_redirect(keep, NULL);
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	log_redirect(NULL, NULL);
	log_configure(VPN_LOG_INFO, false);
	return 0;
}

static void text_names_level_and_source(void **state)
{
	(void)state;
	log_configure(VPN_LOG_INFO, false);
	log_text(VPN_LOG_WARN, "udp", "port 7 is odd");
	assert_string_equal(last, "warn: udp: port 7 is odd");
	log_text(VPN_LOG_ERROR, "", "whole");
	assert_string_equal(last, "error: whole");
}

struct heard {
	uint32_t level;
	char who[32], text[256];
	unsigned n;
};

static void hear(void *ctx, uint32_t level, const char *who, const char *text)
{
	struct heard *h = ctx;
	h->level = level;
	h->n++;
	snprintf(h->who, sizeof(h->who), "%s", who);
	snprintf(h->text, sizeof(h->text), "%s", text);
}

static void sinks_have_their_own_level_and_their_own_place(void **state)
{
	struct heard one = {0}, two = {0};
	const struct log_sink loud = {.level = VPN_LOG_DEBUG, .line = hear, .ctx = &one};
	const struct log_sink calm = {
		.level = VPN_LOG_ERROR, .json = true, .line = hear, .ctx = &two};
	(void)state;
	assert_null(log_use(&loud));
	assert_int_equal(log_level(), VPN_LOG_DEBUG);
	assert_false(log_is_json());
	log_printf(VPN_LOG_DEBUG, "udp", "port %d\n", 7);
	assert_string_equal(one.who, "udp");
	assert_string_equal(one.text, "port 7?"); /* no control characters */
	assert_int_equal(one.level, VPN_LOG_DEBUG);
	log_to(&calm, VPN_LOG_WARN, "udp", "no");
	log_to(&calm, VPN_LOG_ERROR, "kcp", "yes");
	assert_int_equal(two.n, 1);
	assert_string_equal(two.text, "yes");
	assert_ptr_equal(log_use(&calm), &loud);
	assert_true(log_is_json());
	log_text(VPN_LOG_WARN, "udp", "no");
	assert_ptr_equal(log_use(NULL), &calm);
	assert_int_equal(one.n, 1);
	assert_int_equal(two.n, 1);
	assert_int_equal(lines, 0);
	log_text(VPN_LOG_WARN, "udp", "the process's own");
	assert_int_equal(lines, 1);
}

static void levels_above_the_limit_are_not_written(void **state)
{
	(void)state;
	log_configure(VPN_LOG_WARN, false);
	log_text(VPN_LOG_INFO, "udp", "no");
	log_printf(VPN_LOG_DEBUG, "udp", "no %d", 1);
	assert_int_equal(lines, 0);
	log_text(VPN_LOG_WARN, "udp", "yes");
	assert_int_equal(lines, 1);
}

static void control_characters_cannot_forge_a_line(void **state)
{
	(void)state;
	log_configure(VPN_LOG_INFO, false);
	log_text(VPN_LOG_INFO, "x", "a\nerror: y: b\x1b[2J");
	assert_null(strchr(last, '\n'));
	assert_null(strchr(last, '\x1b'));
}

static void json_lines_parse_whatever_the_text(void **state)
{
	char text[4096];
	(void)state;
	log_configure(VPN_LOG_INFO, true);
	for (size_t n = 0; n < sizeof(text) - 1; n += 97) {
		for (size_t i = 0; i < n; i++)
			text[i] = (char)(i % 3 == 0 ? '"' : i % 3 == 1 ? '\\' : (int)(1 + i % 30));
		text[n] = '\0';
		log_text(VPN_LOG_INFO, "who\"", text);
		json_t *j = json_loads(last, 0, NULL);
		assert_non_null(j);
		assert_string_equal(json_string_value(json_object_get(j, "level")), "info");
		assert_string_equal(json_string_value(json_object_get(j, "from")), "who\"");
		json_decref(j);
	}
}

static void json_lines_are_utf8_whatever_the_text(void **state)
{
	(void)state;
	log_configure(VPN_LOG_INFO, true);
	log_text(VPN_LOG_INFO, "\xff",
		 "caf\xc3\xa9 \xe2\x82\xac \xf0\x9f\x94\x92|\xe9|\xc0\xaf|\xed\xa0\x80|"
		 "\xf4\x90\x80\x80|\xe2\x82");
	json_t *j = json_loads(last, 0, NULL);
	assert_non_null(j);
	assert_string_equal(json_string_value(json_object_get(j, "from")), "?");
	assert_string_equal(json_string_value(json_object_get(j, "text")),
			    "caf\xc3\xa9 \xe2\x82\xac \xf0\x9f\x94\x92|?|??|\?\?\?|\?\?\?\?|??");
	json_decref(j);
}

static void names_become_levels(void **state)
{
	(void)state;
	assert_int_equal(log_level_of("error"), VPN_LOG_ERROR);
	assert_int_equal(log_level_of("debug"), VPN_LOG_DEBUG);
	assert_int_equal(log_level_of("loud"), -1);
}

/* A pipe for stderr that nobody reads. Returns the old stderr; *ret gets the reading end. */
static int stuck_stderr(int *ret)
{
	int ends[2];
	int old = dup(STDERR_FILENO);
	assert_true(old >= 0);
	assert_int_equal(pipe(ends), 0);
	assert_int_equal(dup2(ends[1], STDERR_FILENO), STDERR_FILENO);
	close(ends[1]);
	*ret = ends[0];
	return old;
}

static void a_reader_that_is_stuck_holds_nobody_up(void **state)
{
	static char got[1 << 20];
	int end;
	(void)state;
	log_redirect(NULL, NULL);
	log_configure(VPN_LOG_INFO, false);
	int old = stuck_stderr(&end);
	for (int i = 0; i < 5000; i++) /* many times what a pipe holds */
		log_printf(VPN_LOG_INFO, "x", "line %d of a log that nobody reads", i);
	ssize_t first = read(end, got, sizeof(got));
	log_text(VPN_LOG_INFO, "x", "somebody reads again");
	ssize_t second = read(end, got, sizeof(got) - 1);
	dup2(old, STDERR_FILENO);
	close(old);
	close(end);
	assert_true(first > 0 && second > 0);
	got[second] = '\0';
	assert_non_null(strstr(got, "lines of the log were lost"));
	assert_non_null(strstr(got, "somebody reads again"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(text_names_level_and_source, setup, teardown),
		cmocka_unit_test_setup_teardown(sinks_have_their_own_level_and_their_own_place,
						setup, teardown),
		cmocka_unit_test_setup_teardown(levels_above_the_limit_are_not_written, setup,
						teardown),
		cmocka_unit_test_setup_teardown(control_characters_cannot_forge_a_line, setup,
						teardown),
		cmocka_unit_test_setup_teardown(json_lines_parse_whatever_the_text, setup,
						teardown),
		cmocka_unit_test_setup_teardown(json_lines_are_utf8_whatever_the_text, setup,
						teardown),
		cmocka_unit_test(a_reader_that_is_stuck_holds_nobody_up),
		cmocka_unit_test(names_become_levels),
	};
	return cmocka_run_group_tests_name("log", tests, NULL, NULL);
}
