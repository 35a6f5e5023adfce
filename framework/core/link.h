/* SPDX-License-Identifier: BSD-2-Clause */
/* link: the host's end of a vpn_link: counts what passes and calls the neighbour. */
#ifndef VPNCORE_CORE_LINK_H
#define VPNCORE_CORE_LINK_H

#include <vpncore/plugin.h>

struct link_counters { /* written by the lane, read by anybody: relaxed atomics */
	uint64_t packets;
	uint64_t bytes;
	uint64_t batches;
	uint64_t refused; /* packets that stayed with the caller */
};

struct link {
	struct vpn_link pub; /* what stages see; pub.ctx is the link itself */
	uint32_t (*take)(void *inst, struct vpn_lane *lane, struct vpn_packet **pkts, uint32_t n);
	void *inst;            /* the stage that takes */
	struct vpn_lane *lane; /* its lane */
	struct link_counters counters;
};

void link_init(struct link *l,
	       uint32_t (*take)(void *inst, struct vpn_lane *lane, struct vpn_packet **pkts,
				uint32_t n),
	       void *inst, struct vpn_lane *lane);

struct link_counters link_read(const struct link *l); /* [any] */

#endif
