/* SPDX-License-Identifier: BSD-2-Clause */
/* run: a program with its arguments as they are, no shell in between. POSIX. */
#ifndef DARWIN_RUN_H
#define DARWIN_RUN_H

#include <stddef.h>
#include <stdint.h>

/*
 * Runs argv[0], an absolute path, without input and with an environment of its own; what it prints,
 * errors too, comes into `out` as text, cut off at cap - 1. It is killed after timeout_ms
 * (ETIMEDOUT). *ret_status is what it exited with, 256 + the number of a signal that ended it.
 * Returns 0, or an errno when it could not be run. [main]
 */
int darwin_run(const char *const *argv, uint32_t timeout_ms, char *out, size_t cap,
	       int *ret_status);

#endif
