/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * place: the network namespace that a device is in, and its link there.
 *
 * Another namespace is known by the number that ours has for it (rtnetlink, NETNSA_NSID): requests
 * and events can be had by that number, while a socket opened over there would keep the namespace
 * alive, and with it the device, after its owner has let go of it. Facts: linux/if_tun.h
 * (TUNGETDEVNETNS, Linux 5.5), linux/net_namespace.h, linux/if_link.h (IFLA_TARGET_NETNSID),
 * linux/netlink.h (NETLINK_LISTEN_ALL_NSID).
 */
#ifndef TUNTAP_PLACE_H
#define TUNTAP_PLACE_H

#include "netlink.h"

enum tuntap_place_kind {
	TUNTAP_HOME,   /* our own namespace */
	TUNTAP_AWAY,   /* another one that can be looked into */
	TUNTAP_HIDDEN, /* another one; CAP_NET_ADMIN is missing, or the kernel is older */
	TUNTAP_GONE,   /* the device was deleted */
};

struct tuntap_place {
	enum tuntap_place_kind kind;
	int32_t nsid;            /* of TUNTAP_AWAY, else -1 */
	struct tuntap_link link; /* of TUNTAP_HOME and TUNTAP_AWAY */
};

/* Finds the device behind a queue. A move while it looks is seen. [main] [lane] */
void tuntap_place_find(int fd, struct tuntap_netlink *nl, struct tuntap_place *ret);

/* True when the device behind a queue is in this thread's namespace; by its name where the kernel
 * does not tell. [any] */
bool tuntap_place_is_home(int fd, const char *name);

#endif
