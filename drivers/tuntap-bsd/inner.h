/* SPDX-License-Identifier: BSD-2-Clause */
/* inner: what the driver reads and changes in the packets themselves: shape, traffic class, ECN. */
#ifndef BSD_INNER_H
#define BSD_INNER_H

#include <stdbool.h>
#include <stdint.h>

/* Whether the kernel could take it: an IP header's worth of IPv4 or IPv6, or an Ethernet header. */
bool bsd_inner_ok(const uint8_t *data, uint32_t len, bool ethernet);

/* The TOS or traffic class byte (RFC 2474), or -1 when it is no IP packet. */
int bsd_inner_class(const uint8_t *data, uint32_t len, bool ethernet);

/*
 * Decapsulation of ECN in normal mode, RFC 6040 section 4.2: carries the outer field over to the
 * IP packet at data[0..len), which bsd_inner_ok() has accepted, and keeps its header checksum
 * right. False: the packet must be dropped (outer CE over an inner field that cannot bear it).
 */
bool bsd_inner_decapsulate(uint8_t *data, uint8_t outer_class);

#endif
