/* SPDX-License-Identifier: BSD-2-Clause */
#include "daemonize.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "platform.h"

/* Returns 0 when the child is ready, else its exit status, or 1 when it has none. */
static int wait_ready(pid_t pid, int fd)
{
	char byte = 0;
	ssize_t n;
	int status = 0;
	do {
		n = read(fd, &byte, 1);
	} while (n < 0 && errno == EINTR);
	if (n == 1)
		return 0;
	while (waitpid(pid, &status, 0) < 0 && errno == EINTR)
		continue;
	return WIFEXITED(status) && WEXITSTATUS(status) != 0 ? WEXITSTATUS(status) : 1;
}

enum daemon_side daemonize_fork(struct daemon_child *child, int *ret_status)
{
	int ends[2];
	if (platform_pipe(ends) != 0) {
		*ret_status = -errno;
		return DAEMON_FAILED;
	}
	pid_t pid = fork();
	if (pid < 0) {
		*ret_status = -errno;
		close(ends[0]);
		close(ends[1]);
		return DAEMON_FAILED;
	}
	if (pid == 0) {
		close(ends[0]);
		(void)setsid();
		child->ready_fd = ends[1];
		return DAEMON_CHILD;
	}
	close(ends[1]);
	*ret_status = wait_ready(pid, ends[0]);
	close(ends[0]);
	return DAEMON_PARENT;
}

int daemonize_ready(struct daemon_child *child, bool keep_output)
{
	int e = 0;
	int null = open("/dev/null", O_RDWR | O_CLOEXEC);
	if (null < 0 || chdir("/") != 0)
		e = -errno;
	for (int fd = 0; fd <= (keep_output ? 0 : 2) && e == 0; fd++)
		if (dup2(null, fd) < 0)
			e = -errno;
	if (null > 2)
		close(null);
	if (e == 0 && write(child->ready_fd, "", 1) != 1)
		e = -errno;
	close(child->ready_fd);
	child->ready_fd = -1;
	return e;
}
