/* SPDX-License-Identifier: BSD-2-Clause */
/* record: how a change stands in the journal, and its undoing. */
#ifndef ROUTES_RECORD_H
#define ROUTES_RECORD_H

#include "object.h"
#include "ruleset.h"

#define ROUTES_RECORD_VERSION 1u

enum routes_kind {
	ROUTES_KIND_ROUTE = 1,
	ROUTES_KIND_RULE = 2,
	ROUTES_KIND_SWITCH = 3,
	ROUTES_KIND_TABLE = 4, /* of nftables */
};

/* Fixed layout. Written and read on one machine: numbers are in its own order. */
struct routes_record {
	uint32_t version;
	uint32_t kind;
	union {
		struct routes_route route;
		struct routes_rule rule;
		struct {
			struct routes_switch set; /* what we made of it */
			char before[ROUTES_SWITCH_VALUE];
		} change;
		char table[ROUTES_TABLE_NAME];
	} u;
};
VPN_STATIC_ASSERT(sizeof(struct routes_record) == 136, "routes_record");

/* vpn_component.undo of plugin.h. [main] */
vpn_status routes_record_undo(const struct vpn_host *host, uint32_t flags, const void *data,
			      uint32_t len, struct vpn_error *err);

#endif
