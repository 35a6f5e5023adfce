/* SPDX-License-Identifier: BSD-2-Clause */
/* work: brings the kernel to what the plan says, writing each change into the journal before. */
#ifndef ROUTES_WORK_H
#define ROUTES_WORK_H

#include "linux.h"

/*
 * Looks, and changes what differs. *ret_repairs counts what was there by our doing and was taken away or
 * changed by others. `first`: the pipeline starts: what is in the way is an error. Later it goes on with
 * the rest and returns the first error; the reconciler is stirred for what failed when a minute is over, and
 * until then what another one's route has the place of is left out. [main]
 */
vpn_status routes_work_run(struct routes *r, bool first, uint32_t *ret_repairs,
			   struct vpn_error *err);

/* Finds a slot and a table that nobody uses. [main] */
vpn_status routes_work_place(struct routes *r, struct vpn_error *err);

/* No try of what failed is outstanding any more; before the event loop goes. [main] */
void routes_work_rest(struct routes *r);

/* Forgets what is known of the kernel; the journal keeps what there is to undo. [main] */
void routes_work_clear(struct routes *r);

#endif
