/* SPDX-License-Identifier: BSD-2-Clause */
/* Records of the journal that are none. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "record.h"

static struct resolvconf_record r;
static uint32_t len;
static struct vpn_error err;
static char script[] = "/tmp/vpncore-record-XXXXXX";
static char witness[64];

static void keep_quiet(const struct vpn_host *host, uint32_t level, const char *text)
{
	(void)host;
	(void)level;
	(void)text;
}

static const struct vpn_host host = {.size = sizeof(host), .log = keep_quiet};

static vpn_status undo(const void *data, uint32_t n)
{
	err = (struct vpn_error){.size = sizeof(err)};
	return resolvconf_record_undo(&host, 0, data, n, &err);
}

/* A sound record, of a program that notes that it was called. */
static int fresh(void **state)
{
	struct resolvconf_program p = {.kind = RESOLVCONF_OPENRESOLV};
	struct resolvconf_child none = {.pid = 0};
	(void)state;
	snprintf(p.path, sizeof(p.path), "%s", script);
	memset(&r, 0, sizeof(r));
	resolvconf_record_make(&r, &p, "vpncore-test.vpncore", &none);
	r.text_len = (uint32_t)snprintf(r.text, sizeof(r.text), "nameserver 192.0.2.211\n");
	len = resolvconf_record_len(&r);
	return 0;
}

static int make_script(void **state)
{
	char text[256];
	(void)state;
	int fd = mkstemp(script);
	snprintf(witness, sizeof(witness), "%s.called", script);
	int n = snprintf(text, sizeof(text), "#!/bin/sh\necho \"$@\" >>%s\n", witness);
	bool good = fd >= 0 && write(fd, text, (size_t)n) == n && fchmod(fd, 0700) == 0;
	close(fd);
	return good ? 0 : -1;
}

static int remove_script(void **state)
{
	(void)state;
	unlink(script);
	unlink(witness);
	return 0;
}

static bool was_called(void)
{
	bool called = access(witness, F_OK) == 0;
	unlink(witness);
	return called;
}

static void is_refused(const void *data, uint32_t n)
{
	assert_int_equal(undo(data, n), VPN_EINVAL);
	assert_non_null(strstr(err.text, "makes no sense here"));
	assert_false(was_called());
}

static void a_sound_one_has_the_program_called(void **state)
{
	char line[64] = "";
	(void)state;
	assert_int_equal(undo(&r, len), VPN_OK);
	FILE *f = fopen(witness, "re");
	assert_non_null(f);
	assert_non_null(fgets(line, sizeof(line), f));
	assert_string_equal(line, "-l vpncore-test.vpncore\n");
	assert_non_null(fgets(line, sizeof(line), f));
	assert_string_equal(line, "-f -d vpncore-test.vpncore\n");
	assert_null(fgets(line, sizeof(line), f));
	fclose(f);
	unlink(witness);
}

static void one_that_was_cut_off_anywhere_is_refused(void **state)
{
	(void)state;
	for (uint32_t n = 0; n < len; n++)
		is_refused(&r, n);
	is_refused(&r, len + 1);
	is_refused(&r, (uint32_t)sizeof(r));
}

static void one_of_another_version_or_kind_is_refused(void **state)
{
	(void)state;
	r.version++;
	is_refused(&r, len);
	r.version--;
	r.kind = 3;
	is_refused(&r, len);
	r.kind = 0;
	is_refused(&r, len);
}

static void one_with_a_text_longer_than_itself_is_refused(void **state)
{
	(void)state;
	r.text_len++;
	is_refused(&r, len);
	r.text_len = UINT32_MAX;
	is_refused(&r, len);
}

static void one_that_a_shell_would_take_apart_is_refused(void **state)
{
	(void)state;
	strcpy(r.key, "-x");
	is_refused(&r, len);
	strcpy(r.key, "$(id)");
	is_refused(&r, len);
	memset(r.key, 'a', sizeof(r.key));
	is_refused(&r, len);
}

static void one_with_a_program_that_is_no_path_is_refused(void **state)
{
	(void)state;
	strcpy(r.program, "sh");
	is_refused(&r, len);
	memset(r.program, '/', sizeof(r.program));
	is_refused(&r, len);
}

/* The file may have changed hands since. */
static void a_program_that_others_can_change_is_not_run(void **state)
{
	(void)state;
	assert_int_equal(chmod(script, 0777), 0);
	/* nothing of it is on this machine, so there is nothing to undo either */
	assert_int_equal(undo(&r, len), VPN_OK);
	assert_false(was_called());
	assert_int_equal(chmod(script, 0700), 0);
}

static void no_byte_makes_it_crash(void **state)
{
	uint8_t *bytes = (uint8_t *)&r;
	(void)state;
	unlink(script); /* whatever the bytes say, nothing is run */
	for (uint32_t i = 0; i < len; i++)
		for (unsigned bit = 0; bit < 8; bit++) {
			/* the number of a process that runs: to be waited for */
			if (i >= offsetof(struct resolvconf_record, pid) &&
			    i < offsetof(struct resolvconf_record, text_len))
				continue;
			bytes[i] ^= (uint8_t)(1u << bit);
			(void)undo(&r, len);
			bytes[i] ^= (uint8_t)(1u << bit);
		}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(a_sound_one_has_the_program_called, fresh),
		cmocka_unit_test_setup(one_that_was_cut_off_anywhere_is_refused, fresh),
		cmocka_unit_test_setup(one_of_another_version_or_kind_is_refused, fresh),
		cmocka_unit_test_setup(one_with_a_text_longer_than_itself_is_refused, fresh),
		cmocka_unit_test_setup(one_that_a_shell_would_take_apart_is_refused, fresh),
		cmocka_unit_test_setup(one_with_a_program_that_is_no_path_is_refused, fresh),
		cmocka_unit_test_setup(a_program_that_others_can_change_is_not_run, fresh),
		cmocka_unit_test_setup(no_byte_makes_it_crash, fresh),
	};
	return cmocka_run_group_tests(tests, make_script, remove_script);
}
