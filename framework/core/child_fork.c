/* SPDX-License-Identifier: BSD-2-Clause */
/* child by fork(2) and execve(2). Other threads may run: in the child only what is async-signal-safe
 * happens. */
#include "child.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdint.h>
#include <sys/wait.h>
#include <unistd.h>

#include "platform.h"

#define REPORT_FD 3 /* says why it cannot be run; closed when it can */

static bool put_at(int fd, int place, int flags)
{
	int null = fd < 0 ? open("/dev/null", flags) : -1;
	int from = fd < 0 ? null : fd;
	bool put = from >= 0 && dup2(from, place) == place;
	if (null >= 0 && null != place)
		close(null);
	return put;
}

/* Copies that are out of the way of 0..3, so that one dup2() does not overwrite what another needs. */
static bool move_up(int *fd)
{
	if (*fd < 0)
		return true;
	*fd = fcntl(*fd, F_DUPFD, REPORT_FD + 1);
	return *fd >= 0;
}

/* From here on the pipe is at REPORT_FD, whatever fails. */
static bool arrange_files(const struct child *c, int *report)
{
	int fds[] = {c->in, c->out, c->err, *report};
	for (int i = 0; i < 4; i++)
		if (!move_up(&fds[i]))
			return false;
	if (!put_at(fds[3], REPORT_FD, 0))
		return false;
	*report = REPORT_FD;
	bool ready = fcntl(REPORT_FD, F_SETFD, FD_CLOEXEC) == 0 &&
		     put_at(fds[0], STDIN_FILENO, O_RDONLY) &&
		     put_at(fds[1], STDOUT_FILENO, O_WRONLY) &&
		     (fds[2] < 0 || put_at(fds[2], STDERR_FILENO, 0));
	for (int i = 0; i < 4; i++)
		if (fds[i] > REPORT_FD)
			close(fds[i]);
	if (c->bare)
		platform_close_from(REPORT_FD + 1);
	return ready;
}

static void reset_signals(void)
{
	struct sigaction normal = {.sa_handler = SIG_DFL};
	sigset_t none;
	sigemptyset(&normal.sa_mask);
	for (int i = 1; i < NSIG; i++)
		(void)sigaction(i, &normal,
				NULL); /* not for SIGKILL and SIGSTOP, which have no other */
	sigemptyset(&none);
	(void)sigprocmask(SIG_SETMASK, &none, NULL);
}

/* In the child. Returns only when it fails. */
static void become(const struct child *c, int *report)
{
	bool moved = (c->session ? setsid() : setpgid(0, 0)) >= 0;
	reset_signals();
	if (!moved || !arrange_files(c, report) || (c->bare && chdir("/") != 0))
		return;
	char *const *argv = (char *const *)(uintptr_t)c->argv;
	(void)(c->env != NULL ? execve(c->program, argv, c->env) : execv(c->program, argv));
}

/* 0 when the pipe ended with the exec(), else what the child has written. */
static int read_report(int fd, pid_t pid)
{
	int e = 0;
	ssize_t n;
	do {
		n = read(fd, &e, sizeof(e));
	} while (n < 0 && errno == EINTR);
	if (n == 0)
		return 0;
	while (waitpid(pid, NULL, 0) < 0 && errno == EINTR)
		continue;
	return n == (ssize_t)sizeof(e) && e != 0 ? e : EIO;
}

int child_start(const struct child *c, pid_t *ret_pid)
{
	int ends[2];
	if (platform_pipe(ends) != 0)
		return errno;
	pid_t pid = fork();
	if (pid == 0) {
		int report = ends[1];
		become(c, &report);
		int e = errno;
		_exit(write(report, &e, sizeof(e)) == (ssize_t)sizeof(e) ? 127 : 126);
	}
	int e = pid < 0 ? errno : 0;
	close(ends[1]);
	if (e == 0)
		e = read_report(ends[0], pid);
	close(ends[0]);
	*ret_pid = pid;
	return e;
}
