/* SPDX-License-Identifier: BSD-2-Clause */
/* daemonize: goes on in the background; the caller's shell waits until that has worked. */
#ifndef VPNCORE_CLI_DAEMONIZE_H
#define VPNCORE_CLI_DAEMONIZE_H

#include <stdbool.h>

struct daemon_child {
	int ready_fd; /* to the parent */
};

enum daemon_side { DAEMON_FAILED, DAEMON_PARENT, DAEMON_CHILD };

/*
 * Splits the process. In the child, in a session of its own, it returns at once, and standard error
 * is still the caller's. In the parent it returns when the child has called daemonize_ready(), with
 * *ret_status 0, or has ended, with the child's exit status, which is 1 at least. DAEMON_FAILED:
 * *ret_status is a negative errno. [main, before any thread]
 */
enum daemon_side daemonize_fork(struct daemon_child *child, int *ret_status);

/* Tells the parent that all is well. Gives up the caller's standard input and, unless `keep_output`,
 * standard output and error, and its working directory. Returns 0, or a negative errno: -EPIPE when
 * nobody waits any more. [main] */
int daemonize_ready(struct daemon_child *child, bool keep_output);

#endif
