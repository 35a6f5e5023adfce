/* SPDX-License-Identifier: BSD-2-Clause */
#include "run.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

static uint64_t clock_ms(void)
{
	struct timespec t;
	clock_gettime(CLOCK_MONOTONIC, &t);
	return (uint64_t)t.tv_sec * 1000 + (uint64_t)t.tv_nsec / 1000000;
}

static int close_on_exec(int fd)
{
	return fcntl(fd, F_SETFD, FD_CLOEXEC) == 0 ? 0 : errno;
}

/* Starts it with its output in `out`. */
static int start(const char *const *argv, int out, pid_t *ret_pid)
{
	static char path[] = "PATH=/usr/bin:/bin:/usr/sbin:/sbin", language[] = "LC_ALL=C";
	char *const environment[] = {path, language, NULL};
	posix_spawn_file_actions_t actions;
	int e = posix_spawn_file_actions_init(&actions);
	if (e != 0)
		return e;
	e = posix_spawn_file_actions_addopen(&actions, STDIN_FILENO, "/dev/null", O_RDONLY, 0);
	if (e == 0)
		e = posix_spawn_file_actions_adddup2(&actions, out, STDOUT_FILENO);
	if (e == 0)
		e = posix_spawn_file_actions_adddup2(&actions, out, STDERR_FILENO);
	if (e == 0)
		e = posix_spawn(ret_pid, argv[0], &actions, NULL,
				(char *const *)(uintptr_t)(const void *)argv, environment);
	posix_spawn_file_actions_destroy(&actions);
	return e;
}

/* Reads to the end of the output. False: out of time. */
static bool collect(int fd, uint64_t deadline_ms, char *out, size_t cap)
{
	char waste[1024];
	size_t used = 0;
	for (;;) {
		uint64_t now = clock_ms();
		struct pollfd p = {.fd = fd, .events = POLLIN};
		int r = now < deadline_ms ? poll(&p, 1, (int)(deadline_ms - now)) : 0;
		if (r < 0 && errno == EINTR)
			continue;
		if (r <= 0)
			return false;
		bool full = used + 1 >= cap;
		ssize_t n = full ? read(fd, waste, sizeof(waste))
				 : read(fd, out + used, cap - 1 - used);
		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return true;
		if (!full)
			used += (size_t)n;
		out[used] = '\0';
	}
}

static int await(pid_t pid, int *ret_status)
{
	int status = 0;
	pid_t r;
	do
		r = waitpid(pid, &status, 0);
	while (r < 0 && errno == EINTR);
	if (r < 0)
		return errno;
	*ret_status = WIFEXITED(status) ? WEXITSTATUS(status) : 256 + WTERMSIG(status);
	return 0;
}

int darwin_run(const char *const *argv, uint32_t timeout_ms, char *out, size_t cap, int *ret_status)
{
	pid_t pid = 0;
	int fds[2];
	out[0] = '\0';
	*ret_status = 0;
	if (pipe(fds) != 0)
		return errno;
	int e = close_on_exec(fds[0]);
	if (e == 0)
		e = close_on_exec(fds[1]);
	if (e == 0)
		e = start(argv, fds[1], &pid);
	close(fds[1]);
	if (e != 0) {
		close(fds[0]);
		return e;
	}
	bool done = collect(fds[0], clock_ms() + timeout_ms, out, cap);
	if (!done)
		kill(pid, SIGKILL);
	close(fds[0]);
	e = await(pid, ret_status);
	return e == 0 && !done ? ETIMEDOUT : e;
}
