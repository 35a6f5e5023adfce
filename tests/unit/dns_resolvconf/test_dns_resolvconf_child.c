/* SPDX-License-Identifier: BSD-2-Clause */
/* Programs that are run: what they get, what they say, and that none is left. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "child.h"
#include "program.h"

#define LIMIT_MS 10000u

static struct vpn_error err;

static int fresh(void **state)
{
	(void)state;
	err = (struct vpn_error){.size = sizeof(err)};
	return 0;
}

/* Runs a script of the shell, which a test may. */
static vpn_status run(struct resolvconf_child *c, const char *script, const char *input,
		      uint32_t limit_ms)
{
	static const char *argv[4];
	argv[0] = "/bin/sh";
	argv[1] = "-c";
	argv[2] = script;
	argv[3] = NULL;
	vpn_status status = resolvconf_child_open(c, argv, input, &err);
	return status == VPN_OK ? resolvconf_child_run(c, limit_ms, &err) : status;
}

static void no_child_is_left(void)
{
	assert_int_equal(waitpid(-1, NULL, WNOHANG), -1);
	assert_int_equal(errno, ECHILD);
}

static void gives_the_input_and_takes_the_output(void **state)
{
	struct resolvconf_child c;
	(void)state;
	assert_int_equal(run(&c, "cat; echo said >&2; exit 7", "one\ntwo\n", LIMIT_MS), VPN_OK);
	assert_string_equal(c.output, "one\ntwo\nsaid\n");
	assert_int_equal(c.status, 7);
	assert_int_equal(resolvconf_child_judge(&c, &err), VPN_EIO);
	assert_string_equal(err.text, "/bin/sh -c ended with status 7: one two said");
	resolvconf_child_close(&c);
	no_child_is_left();
}

static void gives_a_long_input_to_one_who_does_not_read(void **state)
{
	struct resolvconf_child c;
	char *text = calloc(1, 200001);
	(void)state;
	memset(text, 'x', 200000);
	assert_int_equal(run(&c, "true", text, LIMIT_MS), VPN_OK);
	assert_int_equal(c.status, 0);
	resolvconf_child_close(&c);
	assert_int_equal(run(&c, "wc -c", text, LIMIT_MS), VPN_OK);
	assert_int_equal(atoi(c.output), 200000);
	resolvconf_child_close(&c);
	free(text);
}

static void has_an_environment_and_files_of_its_own(void **state)
{
	struct resolvconf_child c;
	int leak = dup(STDOUT_FILENO);
	(void)state;
	setenv("SECRET", "x", 1);
	assert_int_equal(run(&c, "echo \"$SECRET$LC_ALL\"; pwd; ls /proc/self/fd | wc -l; cat",
			     NULL, LIMIT_MS),
			 VPN_OK);
	/* 0, 1, 2, and the folder that ls has open */
	assert_string_equal(c.output, "C\n/\n4\n");
	resolvconf_child_close(&c);
	close(leak);
}

static void signals_are_as_a_program_expects_them(void **state)
{
	struct resolvconf_child c;
	sigset_t set, before;
	(void)state;
	sigemptyset(&set);
	sigaddset(&set, SIGTERM);
	sigprocmask(SIG_BLOCK, &set, &before);
	void (*was)(int) = signal(SIGTERM, SIG_IGN);
	assert_int_equal(run(&c, "kill -TERM $$; echo not ended", NULL, LIMIT_MS), VPN_OK);
	signal(SIGTERM, was);
	sigprocmask(SIG_SETMASK, &before, NULL);
	assert_int_equal(c.status, 128 + SIGTERM);
	assert_string_equal(c.output, "");
	resolvconf_child_close(&c);
}

static void much_output_is_cut(void **state)
{
	struct resolvconf_child c;
	(void)state;
	assert_int_equal(run(&c, "head -c 1000000 /dev/zero | tr '\\0' y", NULL, LIMIT_MS), VPN_OK);
	assert_int_equal(c.output_len, RESOLVCONF_OUTPUT - 1);
	assert_int_equal(strlen(c.output), RESOLVCONF_OUTPUT - 1);
	resolvconf_child_close(&c);
}

static void words_for_a_message_are_short_and_plain(void **state)
{
	char words[128], text[400];
	struct resolvconf_child c = {.output = text};
	(void)state;
	snprintf(text, sizeof(text), "%s", " a\n\n\tb \x1b[31mc\xc3\xa4.\n");
	assert_string_equal(resolvconf_child_words(&c, words), "a b [31mc");
	memset(text, 'x', sizeof(text) - 1);
	text[sizeof(text) - 1] = '\0';
	assert_int_equal(strlen(resolvconf_child_words(&c, words)), 120);
	text[0] = '\0';
	assert_string_equal(resolvconf_child_words(&c, words), "it said nothing");
	c.output = NULL;
	assert_string_equal(resolvconf_child_words(&c, words), "it said nothing");
}

static void one_that_cannot_be_run_is_told(void **state)
{
	struct resolvconf_child c;
	const char *const none[] = {"/nonexistent/program", "-x", NULL};
	const char *const folder[] = {"/", "-x", NULL};
	(void)state;
	assert_int_equal(resolvconf_child_once(&c, none, LIMIT_MS, &err), VPN_ENOENT);
	assert_non_null(strstr(err.text, "/nonexistent/program cannot be run"));
	assert_int_equal(err.os_errno, ENOENT);
	resolvconf_child_close(&c);
	assert_int_equal(resolvconf_child_once(&c, folder, LIMIT_MS, &err), VPN_EPERM);
	resolvconf_child_close(&c);
	no_child_is_left();
}

static void one_that_hangs_is_killed_with_its_children(void **state)
{
	struct resolvconf_child c;
	(void)state;
	assert_int_equal(run(&c, "sleep 4713 & echo $!; wait", NULL, 300), VPN_ETIMEDOUT);
	assert_non_null(strstr(err.text, "did not end within 0.3 seconds and was killed"));
	pid_t grandchild = (pid_t)atoi(c.output);
	assert_true(grandchild > 1);
	/* a zombie counts as gone: who adopts it may be slow */
	char path[64], word[8] = "";
	snprintf(path, sizeof(path), "/proc/%d/stat", (int)grandchild);
	for (int i = 0; i < 500; i++) {
		FILE *f = fopen(path, "re");
		if (f == NULL)
			break;
		int n = fscanf(f, "%*d %*s %7s", word);
		fclose(f);
		if (n != 1 || word[0] == 'Z')
			break;
		assert_int_not_equal(i, 499);
		usleep(10000);
	}
	resolvconf_child_close(&c);
	no_child_is_left();
}

static void one_that_was_not_told_to_begin_does_nothing(void **state)
{
	struct resolvconf_child c;
	char path[] = "/tmp/vpncore-child-XXXXXX";
	(void)state;
	int fd = mkstemp(path);
	assert_true(fd >= 0);
	close(fd);
	const char *const argv[] = {"/bin/rm", path, NULL};
	assert_int_equal(resolvconf_child_open(&c, argv, NULL, &err), VPN_OK);
	assert_true(c.pid > 1 && c.started > 0);
	resolvconf_child_close(&c);
	no_child_is_left();
	assert_int_equal(unlink(path), 0);
	resolvconf_child_close(&c);
}

/* A main process that dies between open() and run(). */
static void one_whose_master_dies_does_nothing(void **state)
{
	char path[] = "/tmp/vpncore-child-XXXXXX";
	int ends[2];
	char byte;
	(void)state;
	int fd = mkstemp(path);
	assert_true(fd >= 0);
	close(fd);
	assert_int_equal(pipe(ends), 0);
	pid_t master = fork();
	if (master == 0) {
		struct resolvconf_child c;
		const char *const argv[] = {"/bin/rm", path, NULL};
		_exit(resolvconf_child_open(&c, argv, NULL, &err) == VPN_OK ? 0 : 1);
	}
	int status = 1;
	assert_int_equal(waitpid(master, &status, 0), master);
	assert_int_equal(status, 0);
	close(ends[1]);
	assert_int_equal(read(ends[0], &byte, 1), 0);
	close(ends[0]);
	assert_int_equal(unlink(path), 0);
}

static void waits_for_one_of_an_earlier_time(void **state)
{
	struct resolvconf_child c;
	const char *const argv[] = {"/bin/sleep", "4714", NULL};
	(void)state;
	assert_int_equal(resolvconf_child_open(&c, argv, NULL, &err), VPN_OK);
	/* another one has its number by now: it is left alone */
	resolvconf_child_outlive(c.pid, c.started + 1, 10);
	assert_int_equal(waitpid(c.pid, NULL, WNOHANG), 0);
	resolvconf_child_outlive(0, 0, 10);
	resolvconf_child_outlive(c.pid, c.started, 50);
	int status = 0;
	assert_int_equal(waitpid(c.pid, &status, 0), c.pid);
	assert_true(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL);
	c.pid = 0;
	resolvconf_child_close(&c);
}

/* ---- which program ---- */

static void refuses_a_program_that_others_can_change(void **state)
{
	char path[] = "/tmp/vpncore-program-XXXXXX";
	(void)state;
	int fd = mkstemp(path);
	assert_true(fd >= 0);
	close(fd);
	assert_int_equal(chmod(path, 0755), 0);
	assert_int_equal(resolvconf_program_check(path, "/command", &err), VPN_OK);
	assert_int_equal(chmod(path, 0775), 0);
	assert_int_equal(resolvconf_program_check(path, "/command", &err), VPN_EPERM);
	assert_string_equal(err.where, "/command");
	assert_int_equal(chmod(path, 0757), 0);
	assert_int_equal(resolvconf_program_check(path, "/command", &err), VPN_EPERM);
	assert_int_equal(chmod(path, 0644), 0);
	assert_int_equal(resolvconf_program_check(path, "/command", &err), VPN_EINVAL);
	assert_int_equal(unlink(path), 0);
	assert_int_equal(resolvconf_program_check(path, "/command", &err), VPN_ENOENT);
	assert_int_equal(resolvconf_program_check("resolvconf", "/command", &err), VPN_EINVAL);
	assert_int_equal(resolvconf_program_check("/tmp", "/command", &err), VPN_EINVAL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(gives_the_input_and_takes_the_output, fresh),
		cmocka_unit_test_setup(gives_a_long_input_to_one_who_does_not_read, fresh),
		cmocka_unit_test_setup(has_an_environment_and_files_of_its_own, fresh),
		cmocka_unit_test_setup(signals_are_as_a_program_expects_them, fresh),
		cmocka_unit_test_setup(much_output_is_cut, fresh),
		cmocka_unit_test_setup(words_for_a_message_are_short_and_plain, fresh),
		cmocka_unit_test_setup(one_that_cannot_be_run_is_told, fresh),
		cmocka_unit_test_setup(one_that_hangs_is_killed_with_its_children, fresh),
		cmocka_unit_test_setup(one_that_was_not_told_to_begin_does_nothing, fresh),
		cmocka_unit_test_setup(one_whose_master_dies_does_nothing, fresh),
		cmocka_unit_test_setup(waits_for_one_of_an_earlier_time, fresh),
		cmocka_unit_test_setup(refuses_a_program_that_others_can_change, fresh),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
