/* SPDX-License-Identifier: BSD-2-Clause */
/* route: routes in the kernel: RTM_*ROUTE of rtnetlink(7). Results are 0 or a positive errno. [main] */
#ifndef ROUTES_ROUTE_H
#define ROUTES_ROUTE_H

#include "netlink.h"
#include "object.h"

/* EEXIST: another one has its table, destination and metric. */
int routes_route_add(struct routes_netlink *nl, const struct routes_route *r);
/* In place of the one that has its table, destination and metric, if there is one. */
int routes_route_replace(struct routes_netlink *nl, const struct routes_route *r);
/* Removes exactly this one; 0 also when there is none. */
int routes_route_delete(struct routes_netlink *nl, const struct routes_route *r);

/* The route of an RTM_*ROUTE message; false when it is none, or no more than the memory of one. [any] */
bool routes_route_read(const struct nlmsghdr *nlh, struct routes_route *ret);

/* Appends every route of a protocol, both families; `protocol` 0: of all. */
int routes_route_dump(struct routes_netlink *nl, uint8_t protocol,
		      struct routes_list *ret /* of struct routes_route */);

/* Whether a table has any route; both families. */
int routes_route_table_used(struct routes_netlink *nl, uint32_t table, bool *ret);

/* How a packet to an address would leave. */
struct routes_lookup {
	uint8_t type; /* RTN_*; RTN_UNREACHABLE also when no route is there */
	bool has_gateway;
	uint32_t ifindex;
	uint32_t table;
	uint8_t gateway[16];
	uint8_t source[16]; /* zero = none known */
};

/* Asks the kernel where a packet with this mark goes. */
int routes_route_lookup(struct routes_netlink *nl, const struct vpn_address *to, uint32_t mark,
			struct routes_lookup *ret);

#endif
