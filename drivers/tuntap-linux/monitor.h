/* SPDX-License-Identifier: BSD-2-Clause */
/* monitor: what others do to the device while it runs: down, up, MTU, addresses, another name,
 * another network namespace, deleted. Facts: rtnetlink(7), groups LINK, IPV4_IFADDR and
 * IPV6_IFADDR. */
#ifndef TUNTAP_MONITOR_H
#define TUNTAP_MONITOR_H

#include <stdbool.h>
#include <vpncore/plugin.h>

struct mnl_socket;
struct tuntap;
struct tuntap_link;

struct tuntap_monitor {
	struct mnl_socket *sock; /* NULL = closed */
	uint32_t index;          /* of the link; it may change when the device moves back */
	uint32_t mtu;
	bool up;
	bool moved; /* to another network namespace: nothing is heard from it */
};

/* Listens for events of `link`, beginning with its state now. [main] */
vpn_status tuntap_monitor_open(struct tuntap *t, const struct tuntap_link *link,
			       struct vpn_error *err);
void tuntap_monitor_close(struct tuntap *t); /* also when not open. [main] */

/* Handles what has come. [lane], lane 0 */
void tuntap_monitor_ready(struct tuntap *t);

#endif
