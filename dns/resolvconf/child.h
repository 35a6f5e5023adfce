/* SPDX-License-Identifier: BSD-2-Clause */
/* child: a program that is run to its end, in a process that waits to be told to begin. */
#ifndef DNS_RESOLVCONF_CHILD_H
#define DNS_RESOLVCONF_CHILD_H

#include <stdbool.h>
#include <sys/types.h>
#include <vpncore/plugin.h>

#define RESOLVCONF_OUTPUT 32768u /* of what a program says, the first so many bytes are kept */

struct resolvconf_child {
	const char *const *argv;
	pid_t pid; /* of the process and of its group; 0 = there is none */
	uint64_t
		started; /* what tells it from a later process with its number, see /proc/PID/stat */
	int gate;        /* both ways: "begin", and the errno of an exec that failed */
	int said;        /* what it writes to stdout and stderr */
	int status;      /* as exit(3) has it, or 128 + the signal that ended it; after run() */
	char *output;    /* what it said, ends with NUL; after run() */
	size_t output_len;
};

/* Makes a process that will run argv, whose first word is an absolute path, with `input` as its stdin
 * (NULL = nothing to read), without a shell and with an environment of its own. It does nothing before
 * run(), and ends when this process ends before that. argv stays the caller's until close(). [main] */
vpn_status resolvconf_child_open(struct resolvconf_child *c, const char *const *argv,
				 const char *input, struct vpn_error *err);

/* Has it begin and waits for its end, whatever that is: VPN_OK also when its status is not 0. When it
 * does not end within limit_ms its whole group is killed: VPN_ETIMEDOUT. VPN_ENOENT and others when it
 * cannot be run at all. [main] */
vpn_status resolvconf_child_run(struct resolvconf_child *c, uint32_t limit_ms,
				struct vpn_error *err);

/* Ends a process that was not told to begin, and frees. Idempotent. [main] */
void resolvconf_child_close(struct resolvconf_child *c);

/* All three, for what changes nothing or needs no record; close() is left to the caller. [main] */
vpn_status resolvconf_child_once(struct resolvconf_child *c, const char *const *argv,
				 uint32_t limit_ms, struct vpn_error *err);

/* VPN_EIO with what it said, when its status is not 0. [main] */
vpn_status resolvconf_child_judge(const struct resolvconf_child *c, struct vpn_error *err);

/* Its first lines in one, for a message. [main] */
const char *resolvconf_child_words(const struct resolvconf_child *c, char buf[128]);

/* Waits until a process of an earlier time has ended; after limit_ms kills its group. [main] */
void resolvconf_child_outlive(pid_t pid, uint64_t started, uint32_t limit_ms);

#endif
