/* SPDX-License-Identifier: BSD-2-Clause */
/* route: the one route that a driver adds itself: from a point-to-point interface to the network of its
 * address. Linux's kernel adds that one for every address; Darwin's does for Ethernet only. */
#ifndef DARWIN_ROUTE_H
#define DARWIN_ROUTE_H

#include <vpncore/plugin.h>

#include "ops.h"

#define DARWIN_ROUTE_MAX (sizeof(struct darwin_rt_msghdr) + 28u + 20u + 28u)

/* Writes the message RTM_ADD for route(4); host bits of the prefix do not matter. Returns its length,
 * at most DARWIN_ROUTE_MAX. */
uint32_t darwin_route_encode(uint8_t *buf, uint32_t index, const struct vpn_prefix *to,
			     int32_t seq);

/* Returns 0 or an errno; EEXIST: there is such a route already. It goes with the interface. [main] */
int darwin_route_add(uint32_t index, const struct vpn_prefix *to);

#endif
