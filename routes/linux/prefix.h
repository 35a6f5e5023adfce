/* SPDX-License-Identifier: BSD-2-Clause */
/* prefix: what networks are to each other. All of it pure. [any] */
#ifndef ROUTES_PREFIX_H
#define ROUTES_PREFIX_H

#include <stdbool.h>
#include <vpncore/plugin.h>

#define ROUTES_PREFIX_TEXT 50u /* with the final NUL */

bool routes_prefix_equal(const struct vpn_prefix *a, const struct vpn_prefix *b);
/* Whether all of `inner` is in `outer`. Host bits of outer are taken as zero. */
bool routes_prefix_covers(const struct vpn_prefix *outer, const struct vpn_prefix *inner);
bool routes_prefix_is_multicast(const struct vpn_prefix *p);
bool routes_prefix_is_loopback(const struct vpn_prefix *p);
/* Within the networks that are private by RFC 1918, 3927, 4193, 6598 or link-local. */
bool routes_prefix_is_private(const struct vpn_prefix *p);

/* The same with its host bits zero. */
struct vpn_prefix routes_prefix_network(const struct vpn_prefix *p);
/* An address as a prefix of full length. */
struct vpn_prefix routes_prefix_host(uint8_t family, const uint8_t *addr);

/* Bytes of an address of this family: 4 or 16. */
static inline uint32_t routes_family_bytes(uint8_t family)
{
	return family == VPN_AF_INET6 ? 16u : 4u;
}

/* "10.0.0.0/8"; returns buf. */
const char *routes_prefix_text(const struct vpn_prefix *p, char buf[ROUTES_PREFIX_TEXT]);

/* "10.0.0.0/8" in the source, checked by a test: a prefix for constants. */
struct vpn_prefix routes_prefix_of(const char *text);

#endif
