/* SPDX-License-Identifier: BSD-2-Clause */
/* place: in which network namespace systemd-resolved runs. A bus is reached from all of them, by its file;
 * but the number of an interface means another one in each. */
#ifndef RESOLVED_PLACE_H
#define RESOLVED_PLACE_H

#include "bus.h"

/* Whether it is known to run in another network namespace than we do. False when it does not run, or
 * cannot be seen. [main] */
bool resolved_place_is_elsewhere(struct resolved_bus *b, uint64_t deadline);

/* Fills *err, which may be NULL, for the case that it does. */
vpn_status resolved_place_fault(struct vpn_error *err);

#endif
