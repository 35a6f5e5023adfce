/* SPDX-License-Identifier: BSD-2-Clause */
/* scene: what is there: the device, the machine's networks, the transport's peers. The plan follows
 * from it and the options alone. */
#ifndef ROUTES_SCENE_H
#define ROUTES_SCENE_H

#include "netlink.h"
#include "object.h"

/* A network that a peer allows. */
struct routes_allowed {
	struct vpn_prefix prefix;
	uint32_t metric;
};

struct routes_scene {
	struct vpn_device_info device;
	bool device_up;             /* it takes routes */
	bool has_ipv6;              /* the kernel has */
	bool has_peers;             /* the transport says which networks are whose */
	uint32_t port;              /* of the transport's sockets, 0 = not known */
	uint32_t port_last;         /* last of a range; 0 = there is none */
	struct routes_list own;     /* struct vpn_prefix: addresses of the device, with host bits */
	struct routes_list lan;     /* struct vpn_prefix: networks of other interfaces */
	struct routes_list allowed; /* struct routes_allowed */
	struct routes_list endpoints; /* struct vpn_prefix: addresses of peers, full length */
	struct routes_list wanted;    /* struct vpn_prefix: that another component wants inside */
	bool block_dns;               /* another component wants no query to leave outside */
};

void routes_scene_clear(struct routes_scene *s);

/* Adds the interfaces' addresses, and whether the device is up. 0 or a positive errno. [main] */
int routes_scene_read(struct routes_netlink *nl, struct routes_scene *s);

/* Whether the device has an address of this family that is not link-local. [any] */
bool routes_scene_has_family(const struct routes_scene *s, uint8_t family);

#endif
