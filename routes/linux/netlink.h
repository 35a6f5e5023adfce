/* SPDX-License-Identifier: BSD-2-Clause */
/* netlink: one socket for requests to rtnetlink(7), and the reading of attributes. */
#ifndef ROUTES_NETLINK_H
#define ROUTES_NETLINK_H

#include <libmnl/libmnl.h>
#include <stdbool.h>
#include <vpncore/plugin.h>

struct routes_list;

struct routes_netlink {
	struct mnl_socket *sock; /* NULL = closed */
	uint32_t seq;
};

#define ROUTES_REQUEST_BYTES 512

/* A buffer for one request. */
struct routes_request {
	_Alignas(8) char buf[ROUTES_REQUEST_BYTES];
};

/* All functions below return 0 or a positive errno where nothing else is said. [main] */
int routes_netlink_open(struct routes_netlink *nl);
void routes_netlink_close(struct routes_netlink *nl); /* also when not open */

struct nlmsghdr *routes_netlink_begin(struct routes_request *request, uint16_t type,
				      unsigned int flags);

/* Sends a request and gives each message of the answer to `cb`, which may be NULL. */
int routes_netlink_ask(struct routes_netlink *nl, struct nlmsghdr *nlh, mnl_cb_t cb, void *ctx);

/* The same for a dump, asked again when what is dumped has changed meanwhile. `lists`, which end with
 * NULL, are what cb appends to: they lose what they got from a dump that is not the last. */
int routes_netlink_dump(struct routes_netlink *nl, struct nlmsghdr *nlh, mnl_cb_t cb, void *ctx,
			struct routes_list *const *lists);

/* ---- attributes ---- */

#define ROUTES_ATTR_MAX 64

struct routes_attributes {
	const struct nlattr *at[ROUTES_ATTR_MAX];
};

/* Of a message with `header` bytes before its attributes; false when it is no such message. */
bool routes_attributes_read(const struct nlmsghdr *nlh, size_t header,
			    struct routes_attributes *ret);
void routes_attributes_of(const void *attributes, size_t len, struct routes_attributes *ret);
void routes_attributes_nested(const struct nlattr *attr, struct routes_attributes *ret);
uint32_t routes_attributes_u32(const struct routes_attributes *a, uint32_t type,
			       uint32_t otherwise);
/* The address of a family; zeroes `out` and returns false when there is none. */
bool routes_attributes_address(const struct routes_attributes *a, uint32_t type, uint8_t family,
			       uint8_t out[16]);

/* AF_* of a VPN_AF_*, and back; VPN_AF_NONE for another one. */
uint8_t routes_family_to_af(uint8_t family);
uint8_t routes_family_from_af(uint8_t af);

#endif
