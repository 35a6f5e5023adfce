/* SPDX-License-Identifier: BSD-2-Clause */
/* inner: what the drivers read and change in the packets themselves: shape, traffic class, ECN. */
#ifndef DARWIN_INNER_H
#define DARWIN_INNER_H

#include <stdbool.h>
#include <stdint.h>

/* Whether the kernel could take it: an IP header's worth of IPv4 or IPv6, or an Ethernet header. */
bool darwin_inner_ok(const uint8_t *data, uint32_t len, bool ethernet);

/* The TOS or traffic class byte (RFC 2474), or -1 when it is no IP packet. */
int darwin_inner_class(const uint8_t *data, uint32_t len, bool ethernet);

/* Carries the outer ECN field over to the IP packet at `data`, which darwin_inner_ok() has accepted:
 * RFC 6040 section 4.2. False: the packet must be dropped. */
bool darwin_inner_decapsulate(uint8_t *data, uint8_t outer_class);

#endif
