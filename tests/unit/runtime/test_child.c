/* SPDX-License-Identifier: BSD-2-Clause */
/* Tests of child: built twice, with child_spawn.c and with child_fork.c. */
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "child.h"
#include "platform.h"

#define FAR_FD 41 /* where nothing of this test is */

static char *const no_environment[] = {NULL};

/* Runs a script of sh; *out gets what it prints. Returns its wait status. */
static int run(struct child c, const char *script, char *out, size_t room)
{
	const char *const argv[] = {"sh", "-c", script, NULL};
	int ends[2], status = -1;
	pid_t pid;
	size_t len = 0;
	ssize_t n;
	assert_int_equal(platform_pipe(ends), 0);
	c.program = "/bin/sh";
	c.argv = argv;
	c.out = ends[1];
	assert_int_equal(child_start(&c, &pid), 0);
	close(ends[1]);
	while (len + 1 < room && (n = read(ends[0], out + len, room - 1 - len)) > 0)
		len += (size_t)n;
	out[len] = '\0';
	close(ends[0]);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	return status;
}

static void has_its_output_status_and_environment(void **state)
{
	(void)state;
	char *const env[] = {(char[]){"WORD=heard"}, NULL};
	char out[256];
	struct child c = {.env = env, .in = -1, .err = -1};
	int status = run(c, "cat; echo $WORD; exit 7", out, sizeof(out));
	assert_string_equal(out, "heard\n"); /* /dev/null has nothing for cat */
	assert_true(WIFEXITED(status));
	assert_int_equal(WEXITSTATUS(status), 7);
}

static void reads_what_it_is_given(void **state)
{
	(void)state;
	char out[256];
	int ends[2];
	assert_int_equal(platform_pipe(ends), 0);
	assert_int_equal(write(ends[1], "abc", 3), 3);
	close(ends[1]);
	struct child c = {.in = ends[0], .err = -1};
	run(c, "cat", out, sizeof(out));
	close(ends[0]);
	assert_string_equal(out, "abc");
}

static void says_why_a_program_cannot_be_run(void **state)
{
	(void)state;
	const char *const argv[] = {"x", NULL};
	pid_t pid;
	struct child c = {
		.program = "/nonexistent/x", .argv = argv, .in = -1, .out = -1, .err = -1};
	assert_int_equal(child_start(&c, &pid), ENOENT);
	c.program = "/etc/passwd";
	assert_int_equal(child_start(&c, &pid), EACCES);
	assert_int_equal(waitpid(-1, NULL, WNOHANG), -1); /* nobody is left behind */
}

static void a_bare_one_has_nothing_of_ours(void **state)
{
	(void)state;
	char out[256];
	struct child c = {.env = no_environment, .in = -1, .err = -1, .bare = true};
	assert_int_equal(dup2(STDERR_FILENO, FAR_FD), FAR_FD);
	run(c, "test -e /proc/self/fd/41 && echo open; pwd", out, sizeof(out));
	assert_string_equal(out, "/\n");
	c.bare = false;
	run(c, "test -e /proc/self/fd/41 && echo open", out, sizeof(out));
	assert_string_equal(out, "open\n");
	close(FAR_FD);
}

static void has_a_group_or_a_session_of_its_own(void **state)
{
	(void)state;
	/* pid, process group, session: proc(5) */
	static const char script[] = "read a b c d e f rest </proc/$$/stat; echo $a $e $f";
	char out[256];
	int pid, group, session;
	struct child c = {.in = -1, .err = -1};
	run(c, script, out, sizeof(out));
	assert_int_equal(sscanf(out, "%d %d %d", &pid, &group, &session), 3);
	assert_int_equal(group, pid);
	assert_int_equal(session, getsid(0));
	c.session = true;
	run(c, script, out, sizeof(out));
	assert_int_equal(sscanf(out, "%d %d %d", &pid, &group, &session), 3);
	assert_int_equal(group, pid);
	assert_int_equal(session, pid);
}

static void handles_signals_as_programs_expect(void **state)
{
	(void)state;
	char out[512];
	sigset_t term, before;
	sigemptyset(&term);
	sigaddset(&term, SIGTERM);
	sigprocmask(SIG_BLOCK, &term, &before);
	signal(SIGUSR1, SIG_IGN);
	struct child c = {.in = -1, .err = -1};
	int status = run(c, "trap : USR1; kill -USR1 $$; echo on; kill -TERM $$; echo late", out,
			 sizeof(out));
	signal(SIGUSR1, SIG_DFL);
	sigprocmask(SIG_SETMASK, &before, NULL);
	assert_string_equal(out, "on\n");
	assert_true(WIFSIGNALED(status));
	assert_int_equal(WTERMSIG(status), SIGTERM);
}

/* A service may start us without standard descriptors: ours are then among 0, 1 and 2. */
static void works_with_low_descriptors(void **state)
{
	(void)state;
	char out[256];
	int kept[2] = {dup(STDIN_FILENO), dup(STDOUT_FILENO)};
	close(STDIN_FILENO);
	close(STDOUT_FILENO);
	struct child c = {.in = -1, .err = -1, .bare = true};
	run(c, "cat; echo heard", out, sizeof(out));
	dup2(kept[0], STDIN_FILENO);
	dup2(kept[1], STDOUT_FILENO);
	close(kept[0]);
	close(kept[1]);
	assert_string_equal(out, "heard\n");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(has_its_output_status_and_environment),
		cmocka_unit_test(reads_what_it_is_given),
		cmocka_unit_test(says_why_a_program_cannot_be_run),
		cmocka_unit_test(a_bare_one_has_nothing_of_ours),
		cmocka_unit_test(has_a_group_or_a_session_of_its_own),
		cmocka_unit_test(handles_signals_as_programs_expect),
		cmocka_unit_test(works_with_low_descriptors),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
