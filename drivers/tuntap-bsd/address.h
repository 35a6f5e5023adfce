/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * address: the addresses that the options ask for.
 *
 * A TUN device is put into one of two modes. With networks only (IFF_BROADCAST) the kernel makes a route
 * to each network, as on an Ethernet device, and asks nobody for MAC addresses. With point-to-point
 * addresses (IFF_POINTOPOINT) each IPv4 address has another side; where the manifest has none we invent
 * it: the first host of the network that is not the address itself. IPv6 needs none in either mode.
 */
#ifndef BSD_ADDRESS_H
#define BSD_ADDRESS_H

#include "options.h"
#include "request.h"

struct bsd_addresses {
	struct bsd_address *wanted;
	bool *added; /* by us */
	uint32_t n;
	bool point_to_point;
};

/* VPN_ENOMEM, or VPN_EADDR for an address that needs another side and cannot have one. [main] */
vpn_status bsd_addresses_init(struct bsd_addresses *a, const struct bsd_options *o,
			      const struct bsd_kernel *k, struct vpn_error *err);
void bsd_addresses_clear(struct bsd_addresses *a);

/* Adds those that are missing; stops at the first one that cannot be. [main] */
vpn_status bsd_addresses_add(struct bsd_addresses *a, const struct bsd_options *o,
			     const struct bsd_control *c, const char *ifname,
			     struct vpn_error *err);

/* Removes those that were added, newest first; what fails is not there any more. [main] */
void bsd_addresses_remove(struct bsd_addresses *a, const struct bsd_control *c, const char *ifname);

/* The JSON pointer of one. */
void bsd_addresses_where(const struct bsd_options *o, uint32_t i, char *buf, size_t cap);

bool bsd_addresses_has_ipv6(const struct bsd_addresses *a);

#endif
