/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * ops: the calls by which the driver reaches its kernel; there are no others. A test puts a model of the
 * kernel in their place. What can fail returns a negative errno.
 */
#ifndef BSD_OPS_H
#define BSD_OPS_H

#include <sys/uio.h>
#include <vpncore/plugin.h>

struct bsd_ops {
	/* To read and write, without blocking, closed on exec. */
	int (*open)(const char *path);
	/* A duplicate, likewise; fd itself becomes so too. */
	int (*take)(int fd);
	int (*close)(int fd);
	int (*ioctl)(int fd, unsigned long request, void *arg);
	ssize_t (*readv)(int fd, const struct iovec *iov, int n);
	ssize_t (*writev)(int fd, const struct iovec *iov, int n);

	/* Of datagrams (BSD_AF_INET, the kernel's af_inet6), or a routing socket (its af_route). */
	int (*socket)(int domain);
	/* One message, cut off at len. */
	ssize_t (*receive)(int fd, void *buf, size_t len);

	/* The node behind a descriptor, "tun0"; cap is BSD_IFNAMSIZ. */
	int (*device_name)(int fd, char *buf, size_t cap);
	/* 1 when the interface has this address, 0 when not. */
	int (*has_address)(const char *ifname, const struct vpn_address *a);
	/* The interface's index, 0 when there is none. */
	uint32_t (*index)(const char *ifname);
};

/* The system's own: ops.c, or a test's; NULL with foreign.c. [any] */
const struct bsd_ops *bsd_ops_here(void);

#endif
