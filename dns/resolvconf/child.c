/* SPDX-License-Identifier: BSD-2-Clause */
#include "child.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "common/fault.h"

#define GATE_FD    3  /* in the child, behind stdin, stdout and stderr */
#define ABOVE_ALL  10 /* lowest number of the copies from which those four are made */
#define CANNOT_RUN 127
#define KILLED_MS  5000u /* for the end of a process that was killed */

static uint64_t now_ms(void)
{
	struct timespec ts;
	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (uint64_t)ts.tv_sec * 1000 + (uint64_t)ts.tv_nsec / 1000000;
}

static int left_ms(uint64_t deadline_ms)
{
	uint64_t now = now_ms();
	return now < deadline_ms ? (int)(deadline_ms - now) : 0;
}

/* ---- the child's side: async-signal-safe functions only, other threads may have held locks ---- */

static void reset_signals(void)
{
	sigset_t none;
	struct sigaction plain = {.sa_handler = SIG_DFL};
	for (int i = 1; i < NSIG; i++)
		(void)sigaction(i, &plain, NULL);
	sigemptyset(&none);
	(void)sigprocmask(SIG_SETMASK, &none, NULL);
}

static bool place_files(int input, int said, int gate)
{
	int in = fcntl(input, F_DUPFD_CLOEXEC, ABOVE_ALL);
	int out = fcntl(said, F_DUPFD_CLOEXEC, ABOVE_ALL);
	int link = fcntl(gate, F_DUPFD_CLOEXEC, ABOVE_ALL);
	return in >= 0 && out >= 0 && link >= 0 && dup2(in, STDIN_FILENO) >= 0 &&
	       dup2(out, STDOUT_FILENO) >= 0 && dup2(out, STDERR_FILENO) >= 0 &&
	       dup3(link, GATE_FD, O_CLOEXEC) >= 0 &&
	       syscall(SYS_close_range, GATE_FD + 1, ~0u, 0) == 0;
}

static _Noreturn void become(const char *const *argv, int input, int said, int gate)
{
	static const char path[] =
		"PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";
	static const char locale[] = "LC_ALL=C";
	const char *env[] = {path, locale, NULL};
	char begin;
	ssize_t n;
	if (setpgid(0, 0) != 0 || !place_files(input, said, gate) || chdir("/") != 0)
		_exit(CANNOT_RUN);
	reset_signals();
	do
		n = read(GATE_FD, &begin, 1);
	while (n < 0 && errno == EINTR);
	if (n != 1)
		_exit(CANNOT_RUN); /* nobody is there any more who wants it */
	(void)execve(argv[0], (char *const *)(uintptr_t)argv, (char *const *)(uintptr_t)env);
	int e = errno;
	(void)send(GATE_FD, &e, sizeof(e), MSG_NOSIGNAL);
	_exit(CANNOT_RUN);
}

/* ---- ours ---- */

/* When a process began, in clock ticks since the machine did; 0 when it is gone. proc(5). */
static uint64_t start_of(pid_t pid)
{
	char path[48], text[1024];
	snprintf(path, sizeof(path), "/proc/%d/stat", (int)pid);
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return 0;
	ssize_t n = read(fd, text, sizeof(text) - 1);
	close(fd);
	text[n > 0 ? n : 0] = '\0';
	const char *at = strrchr(text, ')'); /* behind the name, which may have any bytes */
	for (int field = 2; at != NULL && field < 22; field++) {
		at = strchr(at, ' ');
		at = at != NULL ? at + 1 : NULL;
	}
	return at != NULL ? strtoull(at, NULL, 10) : 0;
}

/* A file of no name that holds the input, so that nobody has to feed a pipe. */
static int open_input(const char *input)
{
	if (input == NULL)
		return open("/dev/null", O_RDONLY | O_CLOEXEC);
	size_t len = strlen(input);
	int fd = memfd_create("resolvconf", MFD_CLOEXEC);
	if (fd >= 0 && (write(fd, input, len) != (ssize_t)len || lseek(fd, 0, SEEK_SET) != 0)) {
		close(fd);
		return -1;
	}
	return fd;
}

static void close_if(int *fd)
{
	if (*fd >= 0)
		close(*fd);
	*fd = -1;
}

static int make_process(struct resolvconf_child *c, int input, int said, int gate)
{
	pid_t pid = fork();
	if (pid == 0)
		become(c->argv, input, said, gate);
	if (pid < 0)
		return errno;
	(void)setpgid(pid, pid); /* the child does so too: whoever is first */
	c->pid = pid;
	c->started = start_of(pid);
	return 0;
}

vpn_status resolvconf_child_open(struct resolvconf_child *c, const char *const *argv,
				 const char *input, struct vpn_error *err)
{
	int said[2] = {-1, -1}, gate[2] = {-1, -1}, in, e = 0;
	*c = (struct resolvconf_child){.argv = argv, .gate = -1, .said = -1};
	in = open_input(input);
	if (in < 0 || pipe2(said, O_CLOEXEC) != 0 ||
	    socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, gate) != 0)
		e = errno;
	if (e == 0)
		e = make_process(c, in, said[1], gate[1]);
	close_if(&in);
	close_if(&said[1]);
	close_if(&gate[1]);
	c->said = said[0];
	c->gate = gate[0];
	if (e == 0)
		return VPN_OK;
	resolvconf_child_close(c);
	return dns_fault(err, dns_status(e), e, NULL, "no process can be made for %s: %s", argv[0],
			 strerror(e));
}

static int wait_for(struct resolvconf_child *c, int flags)
{
	int status;
	pid_t ended;
	do
		ended = waitpid(c->pid, &status, flags);
	while (ended < 0 && errno == EINTR);
	if (ended == 0)
		return 0;
	c->pid = 0;
	if (ended > 0)
		c->status = WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status);
	return 1;
}

/* Reads what is there; what there is no room for is thrown away. False at its end. */
static bool hear(struct resolvconf_child *c)
{
	char rest[4096];
	size_t room = RESOLVCONF_OUTPUT - 1 - c->output_len;
	ssize_t n = room > 0 ? read(c->said, c->output + c->output_len, room)
			     : read(c->said, rest, sizeof(rest));
	if (n > 0 && room > 0)
		c->output_len += (size_t)n;
	c->output[c->output_len] = '\0';
	return n > 0 || (n < 0 && (errno == EAGAIN || errno == EINTR));
}

/* Until its end, or the deadline: then false. */
static bool attend(struct resolvconf_child *c, uint64_t deadline_ms)
{
	/* the end of a process is an event of this; without one it is looked for now and then */
	int self = (int)syscall(SYS_pidfd_open, c->pid, 0);
	struct pollfd p[2] = {{.fd = c->said, .events = POLLIN}, {.fd = self, .events = POLLIN}};
	bool ended = false;
	(void)fcntl(c->said, F_SETFL, O_NONBLOCK);
	while (!ended && left_ms(deadline_ms) > 0) {
		int wait_ms = left_ms(deadline_ms);
		(void)poll(p, 2, self < 0 && wait_ms > 20 ? 20 : wait_ms);
		if (p[0].revents != 0 && !hear(c))
			p[0].fd = -1;
		ended = wait_for(c, WNOHANG) != 0;
	}
	/* what it said last; what others say whom it has left behind is theirs, and may have no end */
	for (int i = 0; i < 64 && p[0].fd >= 0 && poll(p, 1, 0) > 0 && hear(c); i++)
		continue;
	close_if(&self);
	return ended;
}

static void kill_group(struct resolvconf_child *c)
{
	(void)kill(-c->pid, SIGKILL);
	(void)kill(c->pid, SIGKILL);
	(void)wait_for(c, 0);
}

vpn_status resolvconf_child_run(struct resolvconf_child *c, uint32_t limit_ms,
				struct vpn_error *err)
{
	int e = 0;
	char begin = 1, words[128];
	c->output = calloc(1, RESOLVCONF_OUTPUT);
	if (c->output == NULL)
		return dns_fault(err, VPN_ENOMEM, 0, NULL, "out of memory");
	if (send(c->gate, &begin, 1, MSG_NOSIGNAL) != 1)
		return dns_fault(err, VPN_EIO, errno, NULL, "%s has ended before it began",
				 c->argv[0]);
	if (!attend(c, now_ms() + limit_ms)) {
		kill_group(c);
		return dns_fault(err, VPN_ETIMEDOUT, 0, NULL,
				 "%s %s did not end within %.1f seconds and was killed: %s",
				 c->argv[0], c->argv[1], limit_ms / 1e3,
				 resolvconf_child_words(c, words));
	}
	if (recv(c->gate, &e, sizeof(e), MSG_DONTWAIT) == (ssize_t)sizeof(e))
		return dns_fault(err, dns_status(e), e, NULL, "%s cannot be run: %s", c->argv[0],
				 strerror(e));
	return VPN_OK;
}

void resolvconf_child_close(struct resolvconf_child *c)
{
	if (c->pid > 0)
		kill_group(c);
	close_if(&c->gate);
	close_if(&c->said);
	free(c->output);
	*c = (struct resolvconf_child){.gate = -1, .said = -1};
}

vpn_status resolvconf_child_once(struct resolvconf_child *c, const char *const *argv,
				 uint32_t limit_ms, struct vpn_error *err)
{
	vpn_status status = resolvconf_child_open(c, argv, NULL, err);
	return status == VPN_OK ? resolvconf_child_run(c, limit_ms, err) : status;
}

const char *resolvconf_child_words(const struct resolvconf_child *c, char buf[128])
{
	size_t n = 0;
	for (const char *s = c->output != NULL ? c->output : ""; *s != '\0' && n < 120; s++) {
		bool blank = *s == ' ' || *s == '\n' || *s == '\t';
		if (!blank && (*s < ' ' || *s > '~'))
			continue;
		if (!blank)
			buf[n++] = *s;
		else if (n > 0 && buf[n - 1] != ' ')
			buf[n++] = ' ';
	}
	while (n > 0 && (buf[n - 1] == ' ' || buf[n - 1] == '.'))
		n--;
	buf[n] = '\0';
	return n > 0 ? buf : "it said nothing";
}

vpn_status resolvconf_child_judge(const struct resolvconf_child *c, struct vpn_error *err)
{
	char words[128];
	if (c->status == 0)
		return VPN_OK;
	return dns_fault(err, VPN_EIO, 0, NULL, "%s %s ended with status %d: %s", c->argv[0],
			 c->argv[1], c->status, resolvconf_child_words(c, words));
}

void resolvconf_child_outlive(pid_t pid, uint64_t started, uint32_t limit_ms)
{
	if (pid <= 1 || started == 0)
		return;
	int self = (int)syscall(SYS_pidfd_open, pid, 0);
	/* in this order: what we hold is looked at, not what has its number afterwards */
	if (self < 0 || start_of(pid) != started) {
		close_if(&self);
		return;
	}
	struct pollfd p = {.fd = self, .events = POLLIN};
	if (poll(&p, 1, (int)limit_ms) == 0) {
		(void)kill(-pid, SIGKILL);
		(void)poll(&p, 1, KILLED_MS);
	}
	close_if(&self);
}
