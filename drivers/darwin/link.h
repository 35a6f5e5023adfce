/* SPDX-License-Identifier: BSD-2-Clause */
/* link: a network interface of Darwin by its name: flags, MTU, MAC, addresses, the networks that are
 * reached through it. Facts: xnu bsd/netinet/in.c, bsd/netinet6/in6.c, bsd/net/rtsock.c. */
#ifndef DARWIN_LINK_H
#define DARWIN_LINK_H

#include <stdbool.h>
#include <vpncore/plugin.h>

#include "ops.h"

struct darwin_link {
	int sock4, sock6; /* -1 = closed */
	uint32_t index;
	bool point_to_point; /* without it, Ethernet */
	char name[DARWIN_IFNAMSIZ];
};

/* An address of a device. Without peer.family it stands alone. */
struct darwin_address {
	struct vpn_prefix local; /* length: that of the peer's prefix where there is one */
	struct vpn_prefix peer;
};

/* A link that is not open: for close. */
#define DARWIN_LINK_CLOSED \
	{ \
		.sock4 = -1, .sock6 = -1 \
	}

/* All functions below return 0 or a positive errno. [main], or [lane] where nothing else runs. */
int darwin_link_open(struct darwin_link *l, const char *name, bool point_to_point);
void darwin_link_close(struct darwin_link *l); /* also when not open */

int darwin_link_get_flags(struct darwin_link *l, uint32_t *ret); /* DARWIN_IFF_* */
int darwin_link_set_up(struct darwin_link *l);
int darwin_link_get_mtu(struct darwin_link *l, uint32_t *ret);
int darwin_link_set_mtu(struct darwin_link *l, uint32_t mtu);
int darwin_link_set_mac(struct darwin_link *l, const uint8_t mac[6]);

/* Adds an address, and the route to its network where the kernel adds none by itself; both may be
 * there already. */
int darwin_link_add_address(struct darwin_link *l, const struct darwin_address *a);
int darwin_link_del_address(struct darwin_link *l, const struct darwin_address *a);

/* "10.0.0.1/24", or "10.0.0.1 peer 10.0.0.2/32". */
void darwin_address_format(const struct darwin_address *a, char *buf, size_t cap);

#endif
