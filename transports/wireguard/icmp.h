/* SPDX-License-Identifier: BSD-2-Clause */
/* icmp: tells the sender of a packet that has nowhere to go. */
#ifndef WG_ICMP_H
#define WG_ICMP_H

#include <vpncore/plugin.h>

struct wg_lane;

/* Sends ICMP host unreachable (RFC 792) or ICMPv6 address unreachable (RFC 4443) for the packet up to
 * the device, not more often than once in a millisecond. The packet stays the caller's. [lane] */
void wg_icmp_unreachable(struct wg_lane *l, const struct vpn_packet *p);

#endif
