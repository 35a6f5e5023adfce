/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * request: what is asked of an interface through the datagram sockets, in the kernel's own layouts. Each
 * function returns 0 or an errno.
 */
#ifndef BSD_REQUEST_H
#define BSD_REQUEST_H

#include <stdbool.h>

#include "kernel.h"
#include "ops.h"

/* The sockets that requests go through. */
struct bsd_control {
	const struct bsd_kernel *kernel;
	const struct bsd_ops *ops;
	int inet;  /* -1 = closed */
	int inet6; /* -1 = closed: a kernel without IPv6 */
};

/* An address of an interface. */
struct bsd_address {
	struct vpn_prefix local;
	struct vpn_address peer; /* family VPN_AF_NONE: there is none */
};

/* Opens the sockets; one of IPv6 may be missing. [main] */
int bsd_control_open(struct bsd_control *c);

/* Also after a failure, and again. [main] */
void bsd_control_close(struct bsd_control *c);

/* IFF_* of the interface, the 16 bits that all have; ENXIO when there is none. [main] [lane] */
int bsd_request_get_flags(const struct bsd_control *c, const char *ifname, uint32_t *ret);
int bsd_request_get_mtu(const struct bsd_control *c, const char *ifname, uint32_t *ret);

/* Changes the flags of `mask` to those of `value`. [main] */
int bsd_request_set_flags(const struct bsd_control *c, const char *ifname, uint32_t mask,
			  uint32_t value);
int bsd_request_set_mtu(const struct bsd_control *c, const char *ifname, uint32_t mtu);
int bsd_request_set_mac(const struct bsd_control *c, const char *ifname, const uint8_t mac[6]);
int bsd_request_create(const struct bsd_control *c, const char *ifname);
int bsd_request_destroy(const struct bsd_control *c, const char *ifname);

/* Where the kernel can (set_name). EEXIST when the name is taken. */
int bsd_request_rename(const struct bsd_control *c, const char *ifname, const char *to);
int bsd_request_add_address(const struct bsd_control *c, const char *ifname,
			    const struct bsd_address *a);
int bsd_request_del_address(const struct bsd_control *c, const char *ifname,
			    const struct bsd_address *a);

/* Has a TUN device make no link-local address of its own and ask nobody whether an address is free,
 * where the kernel has switches for that. */
int bsd_request_quiet_ipv6(const struct bsd_control *c, const char *ifname);

/* The interface's name of a descriptor, by `get_name`. */
int bsd_request_name_of(const struct bsd_ops *ops, int fd, unsigned long get_name,
			char name[BSD_IFNAMSIZ]);

#endif
