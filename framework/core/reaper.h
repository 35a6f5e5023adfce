/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * reaper: a small process of its own that waits for ours to die and then undoes at once what the journal
 * of our pipeline holds. It has one end of a pipe; the system closes the other one whatever we die of. It
 * is made when the first change is about to be written down, so a pipeline that changes nothing has none.
 */
#ifndef VPNCORE_CORE_REAPER_H
#define VPNCORE_CORE_REAPER_H

#include <vpncore/plugin.h>

#define REAPER_COMMAND "reap" /* vpncore reap KEY LEVEL text|json, the pipe as standard input */

struct reaper {
	int fd; /* our end of the pipe, -1 = there is no reaper */
};

/* The program to run as reaper, which has the command above; NULL (at first) = none. Not copied. [main] */
void reaper_set_program(const char *path);

/* Starts the reaper of an instance. [main] */
vpn_status reaper_start(struct reaper *r, const char *key, struct vpn_error *err);

/* Tells it that all is in order: it ends. [main] */
void reaper_dismiss(struct reaper *r);

/* What that process does, from its start to its end: its exit status. `argv` is the command's. [main] */
int reaper_run(int argc, char **argv);

#endif
