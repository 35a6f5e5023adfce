/* SPDX-License-Identifier: BSD-2-Clause */
#include "hook.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "child.h"
#include "fault.h"
#include "lane.h"
#include "log.h"
#include "platform.h"

#define LINE_MAX_BYTES 512
#define LOOK_MS        20 /* between two looks whether it has ended */
#define LINES_MOST     1000u
#define READ_BYTES     4096
#define LAST_READS     (65536 / READ_BYTES) /* pipe(7): a pipe's capacity */

struct output {
	const char *who;
	char line[LINE_MAX_BYTES];
	size_t len;
	unsigned n_lines;
};

static void say_line(struct output *o)
{
	o->line[o->len] = '\0';
	if (o->len > 0 && o->n_lines++ < LINES_MOST)
		log_text(VPN_LOG_INFO, o->who, o->line);
	o->len = 0;
}

static void take_output(struct output *o, const char *at, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		if (at[i] == '\n' || o->len + 1 == sizeof(o->line))
			say_line(o);
		if (at[i] != '\n')
			o->line[o->len++] = at[i];
	}
}

/* Reads what is there; false at its end. */
static bool read_output(struct output *o, int fd)
{
	char buf[READ_BYTES];
	ssize_t n = read(fd, buf, sizeof(buf));
	if (n > 0)
		take_output(o, buf, (size_t)n);
	return n > 0 || (n < 0 && (errno == EAGAIN || errno == EINTR));
}

/* Logs until it has ended, or until the deadline. True with its status when it has ended; -1 when a program
 * that embeds us has taken that. */
static bool attend(struct output *o, int fd, pid_t pid, uint64_t deadline_ns, int *ret_status)
{
	bool open = true;
	pid_t ended = 0;
	while (ended == 0 && lane_now_ns() < deadline_ns) {
		struct pollfd p = {.fd = open ? fd : -1, .events = POLLIN};
		if (poll(&p, 1, LOOK_MS) > 0)
			open = read_output(o, fd);
		ended = waitpid(pid, ret_status, WNOHANG);
		if (ended < 0 && errno == EINTR)
			ended = 0;
	}
	/* what it said last, which is no more than a pipe holds; what children that it has left
	 * behind will say is theirs, and may have no end */
	struct pollfd p = {.fd = fd, .events = POLLIN};
	for (int i = 0; i < LAST_READS && open && poll(&p, 1, 0) > 0; i++)
		open = read_output(o, fd);
	say_line(o);
	if (ended < 0)
		*ret_status = -1;
	return ended != 0;
}

static vpn_status judge(char *const *argv, int status, struct vpn_error *err)
{
	if (status == -1)
		return fault(err, VPN_EIO, 0,
			     "%s has ended, but this program ignores SIGCHLD or waits for all "
			     "children, so nobody knows how",
			     argv[0]);
	if (WIFSIGNALED(status))
		return fault(err, VPN_EIO, 0, "%s was ended by signal %d", argv[0],
			     WTERMSIG(status));
	if (WEXITSTATUS(status) != 0)
		return fault(err, VPN_EIO, 0, "%s ended with status %d", argv[0],
			     WEXITSTATUS(status));
	return VPN_OK;
}

static vpn_status kill_group(char *const *argv, pid_t pid, uint64_t timeout_ns,
			     struct vpn_error *err)
{
	kill(-pid, SIGKILL);
	while (waitpid(pid, NULL, 0) < 0 && errno == EINTR)
		continue;
	return fault(err, VPN_ETIMEDOUT, 0, "%s did not end within %.1f seconds and was killed",
		     argv[0], (double)timeout_ns / 1e9);
}

vpn_status hook_run(const char *who, char *const *argv, char *const *env, uint64_t timeout_ns,
		    struct vpn_error *err)
{
	struct output o = {.who = who};
	int ends[2], status = 0;
	pid_t pid;
	uint64_t deadline = lane_now_ns() + timeout_ns;
	if (platform_pipe(ends) != 0)
		return fault(err, VPN_EIO, errno, "a pipe cannot be made");
	/* of our end alone: programs do not expect that their output takes no more */
	(void)fcntl(ends[0], F_SETFL, O_NONBLOCK);
	/* bare: libraries have descriptors that would be inherited, and what lives as long as they do must
	 * not live on in a child that a command leaves behind */
	const struct child child = {.program = argv[0],
				    .argv = (const char *const *)argv,
				    .env = env,
				    .in = -1,
				    .out = ends[1],
				    .err = ends[1],
				    .bare = true};
	int e = child_start(&child, &pid);
	close(ends[1]);
	vpn_status result;
	if (e != 0)
		result = fault(err, VPN_EIO, e, "%s cannot be run", argv[0]);
	else if (attend(&o, ends[0], pid, deadline, &status))
		result = judge(argv, status, err);
	else
		result = kill_group(argv, pid, timeout_ns, err);
	close(ends[0]);
	return result;
}
