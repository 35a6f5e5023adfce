/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * child: starts another program. By posix_spawn(3) where that can do all of this (child_spawn.c), else by
 * fork(2) (child_fork.c).
 */
#ifndef VPNCORE_CORE_CHILD_H
#define VPNCORE_CORE_CHILD_H

#include <stdbool.h>
#include <sys/types.h>

struct child {
	const char *program;     /* absolute path */
	const char *const *argv; /* ends with NULL */
	char *const *env;        /* likewise; NULL = ours */
	int in, out;             /* descriptors; -1 = /dev/null */
	int err;                 /* -1 = ours */
	bool session;            /* in a session of its own, else in a process group of its own */
	bool bare; /* in "/", and with no other descriptor of ours, close on exec or not */
};

/* Runs it with default signal handling. 0, or an errno when it cannot be run. [main] */
int child_start(const struct child *c, pid_t *ret_pid);

#endif
