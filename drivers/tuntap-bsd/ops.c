/* SPDX-License-Identifier: BSD-2-Clause */
/* The calls themselves. Compiled on these systems only. */
#include "ops.h"

#include <errno.h>
#include <fcntl.h>
#include <ifaddrs.h>
#include <net/if.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

static int result(int r)
{
	return r < 0 ? -errno : r;
}

static int open_device(const char *path)
{
	return result(open(path, O_RDWR | O_NONBLOCK | O_CLOEXEC));
}

static int take(int fd)
{
	int flags = fcntl(fd, F_GETFL);
	if (flags < 0 || fcntl(fd, F_SETFL, flags | O_NONBLOCK) < 0 ||
	    fcntl(fd, F_SETFD, FD_CLOEXEC) < 0)
		return -errno;
	return result(fcntl(fd, F_DUPFD_CLOEXEC, 0));
}

static int close_fd(int fd)
{
	return result(close(fd));
}

static int control(int fd, unsigned long request, void *arg)
{
	return result(ioctl(fd, request, arg));
}

static ssize_t read_vector(int fd, const struct iovec *iov, int n)
{
	ssize_t r = readv(fd, iov, n);
	return r < 0 ? -errno : r;
}

static ssize_t write_vector(int fd, const struct iovec *iov, int n)
{
	ssize_t r = writev(fd, iov, n);
	return r < 0 ? -errno : r;
}

static int open_socket(int domain)
{
	int type = domain == AF_ROUTE ? SOCK_RAW : SOCK_DGRAM;
	return result(socket(domain, type | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
}

static ssize_t receive(int fd, void *buf, size_t len)
{
	ssize_t r = recv(fd, buf, len, 0);
	return r < 0 ? -errno : r;
}

static int device_name(int fd, char *buf, size_t cap)
{
	struct stat st;
	if (fstat(fd, &st) != 0)
		return -errno;
	const char *name = S_ISCHR(st.st_mode) ? devname(st.st_rdev, S_IFCHR) : NULL;
	if (name == NULL || name[0] == '?' || strlen(name) >= cap)
		return -ENOTTY;
	memcpy(buf, name, strlen(name) + 1);
	return 0;
}

static int matches(const struct sockaddr *sa, const struct vpn_address *a)
{
	struct sockaddr_in in;
	struct sockaddr_in6 in6;
	if (a->family == VPN_AF_INET && sa->sa_family == AF_INET) {
		memcpy(&in, sa, sizeof(in));
		return memcmp(&in.sin_addr, a->addr, 4) == 0;
	}
	if (a->family != VPN_AF_INET6 || sa->sa_family != AF_INET6)
		return 0;
	memcpy(&in6, sa, sizeof(in6));
	/* the KAME stacks keep the zone of a link-local address in its third and fourth byte */
	if (IN6_IS_ADDR_LINKLOCAL(&in6.sin6_addr))
		in6.sin6_addr.s6_addr[2] = in6.sin6_addr.s6_addr[3] = 0;
	return memcmp(&in6.sin6_addr, a->addr, 16) == 0;
}

static int has_address(const char *ifname, const struct vpn_address *a)
{
	struct ifaddrs *list;
	int found = 0;
	if (getifaddrs(&list) != 0)
		return -errno;
	for (const struct ifaddrs *i = list; i != NULL && !found; i = i->ifa_next)
		found = i->ifa_addr != NULL && strcmp(i->ifa_name, ifname) == 0 &&
			matches(i->ifa_addr, a);
	freeifaddrs(list);
	return found;
}

static uint32_t index_of(const char *ifname)
{
	return if_nametoindex(ifname);
}

const struct bsd_ops *bsd_ops_here(void)
{
	static const struct bsd_ops ops = {
		.open = open_device,
		.take = take,
		.close = close_fd,
		.ioctl = control,
		.readv = read_vector,
		.writev = write_vector,
		.socket = open_socket,
		.receive = receive,
		.device_name = device_name,
		.has_address = has_address,
		.index = index_of,
	};
	return &ops;
}
