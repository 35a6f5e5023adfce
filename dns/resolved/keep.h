/* SPDX-License-Identifier: BSD-2-Clause */
/* keep: sets everything anew when systemd-resolved or the bus was started again. */
#ifndef RESOLVED_KEEP_H
#define RESOLVED_KEEP_H

#include "resolved.h"

/* Has the bus say when systemd-resolved comes and goes. Returns 0 or an errno. [main] */
int resolved_keep_watch(struct resolved *r);

/* From now on the event loop does it. [main] */
vpn_status resolved_keep_begin(struct resolved *r, struct vpn_error *err);

/* Ends it and closes the bus. Idempotent. [main] */
void resolved_keep_end(struct resolved *r);

#endif
