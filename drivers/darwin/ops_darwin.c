/* SPDX-License-Identifier: BSD-2-Clause */
/* The real table: compiled for Darwin only. */
#include "ops.h"

#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <net/if.h>
#include <string.h>
#include <sys/event.h>
#include <sys/ioctl.h>
#include <sys/select.h>
#include <sys/socket.h>
#include <sys/sysctl.h>
#include <time.h>
#include <unistd.h>

#include "run.h"

static int open_node(const char *path)
{
	return open(path, O_RDWR | O_CLOEXEC);
}

static int duplicate(int fd)
{
	return fcntl(fd, F_DUPFD_CLOEXEC, 0);
}

static int control(int fd, unsigned long request, void *arg)
{
	return ioctl(fd, request, arg);
}

static int connect_to(int fd, const void *address, uint32_t len)
{
	return connect(fd, address, len);
}

static int get_option(int fd, int level, int option, void *value, uint32_t *len)
{
	socklen_t n = *len;
	int r = getsockopt(fd, level, option, value, &n);
	*len = n;
	return r;
}

static int set_option(int fd, int level, int option, const void *value, uint32_t len)
{
	return setsockopt(fd, level, option, value, len);
}

static int set_cloexec(int fd)
{
	return fcntl(fd, F_SETFD, FD_CLOEXEC);
}

static int set_nonblock(int fd)
{
	int flags = fcntl(fd, F_GETFL);
	return flags < 0 ? -1 : fcntl(fd, F_SETFL, flags | O_NONBLOCK);
}

/* Makes both ends close-on-exec; fds[1] is -1 for a descriptor alone. */
static int keep_from_children(int fds[2])
{
	for (int i = 0; i < 2; i++) {
		if (fds[i] < 0 || set_cloexec(fds[i]) == 0)
			continue;
		int e = errno;
		close(fds[0]);
		if (fds[1] >= 0)
			close(fds[1]);
		errno = e;
		return -1;
	}
	return 0;
}

static int make_pipe(int fds[2])
{
	return pipe(fds) == 0 ? keep_from_children(fds) : -1;
}

static darwin_function symbol(const char *name)
{
	void *found = dlsym(RTLD_DEFAULT, name);
	darwin_function f = NULL;
	_Static_assert(sizeof(f) == sizeof(found), "a function's address fits");
	memcpy(&f, &found, sizeof(f));
	return f;
}

static int make_kqueue(void)
{
	int fds[2] = {kqueue(), -1};
	return fds[0] >= 0 && keep_from_children(fds) == 0 ? fds[0] : -1;
}

static int exchange_events(int kq, const struct darwin_kevent *changes, int n_changes,
			   struct darwin_kevent *events, int n_events)
{
	static const struct timespec now;
	/* abi_check.c: the two structures are one */
	return kevent(kq, (const struct kevent *)(const void *)changes, n_changes,
		      (struct kevent *)(void *)events, n_events, &now);
}

static int select_two(int a, int b)
{
	fd_set set;
	if (a >= FD_SETSIZE || b >= FD_SETSIZE) {
		errno = EMFILE;
		return -1;
	}
	FD_ZERO(&set);
	FD_SET(a, &set);
	FD_SET(b, &set);
	if (select((a > b ? a : b) + 1, &set, NULL, NULL, NULL) < 0)
		return -1;
	return (FD_ISSET(a, &set) ? 1 : 0) | (FD_ISSET(b, &set) ? 2 : 0);
}

static bool exists(const char *path)
{
	return access(path, F_OK) == 0;
}

static ssize_t load(const char *path, void *buf, size_t cap)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return -1;
	ssize_t n = read(fd, buf, cap);
	close(fd);
	return n;
}

static int get_sysctl(const char *name, void *value, size_t *len)
{
	return sysctlbyname(name, value, len, NULL, 0);
}

static void sleep_ms(uint32_t ms)
{
	const struct timespec t = {.tv_sec = ms / 1000, .tv_nsec = (long)(ms % 1000) * 1000000};
	(void)nanosleep(&t, NULL);
}

const struct darwin_ops darwin_ops = {
	.open = open_node,
	.close = close,
	.dup = duplicate,
	.ioctl = control,
	.readv = readv,
	.writev = writev,
	.socket = socket,
	.connect = connect_to,
	.getsockopt = get_option,
	.setsockopt = set_option,
	.set_cloexec = set_cloexec,
	.set_nonblock = set_nonblock,
	.pipe = make_pipe,
	.symbol = symbol,
	.index_of = if_nametoindex,
	.kqueue = make_kqueue,
	.kevent = exchange_events,
	.select = select_two,
	.run = darwin_run,
	.exists = exists,
	.load = load,
	.sysctl = get_sysctl,
	.sleep_ms = sleep_ms,
};
