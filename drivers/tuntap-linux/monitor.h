/* SPDX-License-Identifier: BSD-2-Clause */
/* monitor: what others do to the device while it runs: down, up, MTU, addresses, another name,
 * another network namespace and what happens there, deleted. Facts: rtnetlink(7), groups LINK,
 * IPV4_IFADDR and IPV6_IFADDR; place.h. */
#ifndef TUNTAP_MONITOR_H
#define TUNTAP_MONITOR_H

#include <stdbool.h>
#include <vpncore/plugin.h>

struct mnl_socket;
struct tuntap;
struct tuntap_link;

struct tuntap_monitor {
	struct mnl_socket *home; /* events of our own network namespace; NULL = closed */
	struct mnl_socket
		*away;  /* of the others; NULL while the device is in none that can be seen */
	int32_t nsid;   /* of the other namespace, -1 = none that can be seen */
	uint32_t index; /* of the link; it may change with the namespace */
	uint32_t mtu;
	bool up;
	bool moved; /* in another network namespace; without `away` nothing is heard from it */
};

/* Listens for events of `link`, beginning with its state now. A device that is elsewhere is looked
 * for; `link` is what is told of it when it cannot be seen. [main] */
vpn_status tuntap_monitor_open(struct tuntap *t, const struct tuntap_link *link,
			       struct vpn_error *err);
void tuntap_monitor_close(struct tuntap *t); /* also when not open. [main] */

/* Handles what has come, for TUNTAP_TOKEN_MONITOR or TUNTAP_TOKEN_AWAY. [lane], lane 0 */
void tuntap_monitor_ready(struct tuntap *t, uint64_t token);

#endif
