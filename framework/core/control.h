/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * control: what makes a thread of somebody else's program the control thread while it is inside of the
 * library. plugin.h promises components that there is one of them; so whoever comes while another thread
 * is inside waits. Writing to a pipe whose reader is gone, or past a limit of files' sizes, is an error
 * here and never the end of the program.
 */
#ifndef VPNCORE_CORE_CONTROL_H
#define VPNCORE_CORE_CONTROL_H

#include <signal.h>

#include "log.h"

struct control {
	sigset_t mask;    /* of the thread, before */
	sigset_t pending; /* signals that were waiting already */
	const struct log_sink *log;
};

/* From here to control_leave() this thread is the control thread, and what it logs goes to *log. May be
 * nested. [any] */
void control_enter(struct control *c, const struct log_sink *log);
void control_leave(const struct control *c);

#endif
