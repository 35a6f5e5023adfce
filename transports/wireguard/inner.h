/* SPDX-License-Identifier: BSD-2-Clause */
/* inner: what must be known of the IP packets inside of the tunnel. [any] */
#ifndef WG_INNER_H
#define WG_INNER_H

#include <stdbool.h>
#include <vpncore/plugin.h>

/* A packet's addresses: pointers into it. */
struct wg_inner {
	uint8_t family; /* VPN_AF_INET or VPN_AF_INET6 */
	uint8_t protocol;
	uint32_t len; /* that its header tells */
	uint32_t header;
	const uint8_t *src, *dst; /* 4 or 16 bytes */
};

/* False: neither IPv4 (RFC 791) nor IPv6 (RFC 8200), a header that is cut off, or a length that is
 * less than the header or more than `len`. */
bool wg_inner_parse(const uint8_t *data, uint32_t len, struct wg_inner *out);

/* The socket below, as vpn_socket_info has it. */
struct wg_ports {
	uint16_t first, last;         /* our own; 0 = not known */
	uint16_t far_first, far_last; /* of peers, one as good as the other; 0 = there are none */
};

/* Whether the packet is what we send ourselves to that endpoint: UDP (RFC 768) from our port. It would
 * go round for ever. */
bool wg_inner_is_loop(const uint8_t *data, const struct wg_inner *in, const struct vpn_endpoint *to,
		      struct wg_ports ports);

#endif
