/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * ops: the one way by which the Darwin drivers reach their kernel. ops_darwin.c has the real table;
 * the unit tests link a model of the kernel in its place, on any system. Everything else in these
 * folders is plain C.
 *
 * Functions return -1 and set errno like those of libc that they are named after, unless said
 * otherwise. Constants and layouts are those of abi.h.
 */
#ifndef DARWIN_OPS_H
#define DARWIN_OPS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "abi.h"

typedef void (*darwin_function)(void);
typedef ssize_t (*darwin_recvmsg_x)(int fd, struct darwin_msghdr_x *msgs, unsigned int n,
				    int flags);
typedef ssize_t (*darwin_sendmsg_x)(int fd, struct darwin_msghdr_x *msgs, unsigned int n,
				    int flags);

struct darwin_ops {
	int (*open)(const char *path); /* O_RDWR | O_CLOEXEC */
	int (*close)(int fd);
	int (*dup)(int fd); /* F_DUPFD_CLOEXEC */
	int (*ioctl)(int fd, unsigned long request, void *arg);
	ssize_t (*readv)(int fd, const struct iovec *iov, int n);
	ssize_t (*writev)(int fd, const struct iovec *iov, int n);
	int (*socket)(int domain, int type, int protocol);
	int (*connect)(int fd, const void *address, uint32_t len);
	int (*getsockopt)(int fd, int level, int option, void *value, uint32_t *len);
	int (*setsockopt)(int fd, int level, int option, const void *value, uint32_t len);
	int (*set_cloexec)(int fd);
	int (*set_nonblock)(int fd);
	int (*pipe)(int fds[2]); /* close-on-exec */

	darwin_function (*symbol)(const char *name); /* of the C library; NULL when it has none */
	uint32_t (*index_of)(const char *interface); /* if_nametoindex(): 0 when there is none */

	int (*kqueue)(void); /* close-on-exec */
	/* kevent() that waits for nothing. */
	int (*kevent)(int kq, const struct darwin_kevent *changes, int n_changes,
		      struct darwin_kevent *events, int n_events);
	/* select() for reading, without end: bit 0 = a can be read, bit 1 = b can be read. */
	int (*select)(int a, int b);

	/* Runs a program by its absolute path; run.h. Returns 0 or an errno. */
	int (*run)(const char *const *argv, uint32_t timeout_ms, char *out, size_t cap,
		   int *ret_status);
	bool (*exists)(const char *path);
	/* Reads the beginning of a file; returns how many bytes. */
	ssize_t (*load)(const char *path, void *buf, size_t cap);
	int (*sysctl)(const char *name, void *value, size_t *len);
	void (*sleep_ms)(uint32_t ms);
};

extern const struct darwin_ops darwin_ops;

#endif
