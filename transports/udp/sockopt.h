/* SPDX-License-Identifier: BSD-2-Clause */
/* sockopt: options of a socket that systems differ in. One file per system. All [any]. */
#ifndef UDP_SOCKOPT_H
#define UDP_SOCKOPT_H

#include <stdbool.h>
#include <stdint.h>
#include <vpncore/plugin.h>

#include "options.h"

/* A socket for VPN_AF_INET or VPN_AF_INET6: close on exec, never blocking. -errno on failure. */
int udp_sockopt_open(uint8_t family);

/* Sets the mark of what is sent, 0 = none. */
vpn_status udp_sockopt_set_mark(int fd, uint32_t mark, struct vpn_error *err);

/* What else must be set before bind(): interface, sharing of the port among lanes. */
vpn_status udp_sockopt_before_bind(int fd, uint8_t family, const struct udp_options *o, bool shared,
				   struct vpn_error *err);

/* The rest: fragmentation, traffic class, local address of what arrives, late errors. */
vpn_status udp_sockopt_after_bind(int fd, uint8_t family, const struct udp_options *o,
				  struct vpn_error *err);

/* Sets both buffers, past the system's limit where privilege allows. Returns the receive buffer's
 * size in bytes as it is now. */
uint64_t udp_sockopt_set_buffers(int fd, uint64_t bytes);

/* True when the system can cut one send into datagrams of one size. */
bool udp_sockopt_has_segmentation(int fd);

/* Turns on the receiving of many datagrams as one message; false when the system cannot. */
bool udp_sockopt_set_coalescing(int fd);

#endif
