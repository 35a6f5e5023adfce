/* SPDX-License-Identifier: BSD-2-Clause */
#include "inner.h"

#include <string.h>
#include <vpncore/tcpip.h>

static bool parse_ipv4(const uint8_t *data, uint32_t len, struct wg_inner *out)
{
	if (len < TCPIP_IPV4_LEN)
		return false;
	out->family = VPN_AF_INET;
	out->protocol = data[9];
	out->header = (data[0] & 0x0fu) * 4u;
	out->len = tcpip_load_be16(data + 2);
	out->src = data + 12;
	out->dst = data + 16;
	return out->header >= TCPIP_IPV4_LEN && out->len >= out->header && out->len <= len;
}

static bool parse_ipv6(const uint8_t *data, uint32_t len, struct wg_inner *out)
{
	if (len < TCPIP_IPV6_LEN)
		return false;
	out->family = VPN_AF_INET6;
	out->protocol = data[6];
	out->header = TCPIP_IPV6_LEN;
	out->len = TCPIP_IPV6_LEN + tcpip_load_be16(data + 4);
	out->src = data + 8;
	out->dst = data + 24;
	return out->len <= len;
}

bool wg_inner_parse(const uint8_t *data, uint32_t len, struct wg_inner *out)
{
	if (len == 0)
		return false;
	switch (data[0] >> 4) {
	case 4:
		return parse_ipv4(data, len, out);
	case 6:
		return parse_ipv6(data, len, out);
	default:
		return false;
	}
}

static bool is_within(uint16_t port, uint16_t first, uint16_t last)
{
	return port >= first && port <= last;
}

bool wg_inner_is_loop(const uint8_t *data, const struct wg_inner *in, const struct vpn_endpoint *to,
		      struct wg_ports ports)
{
	if (in->family != to->family || in->protocol != TCPIP_IPPROTO_UDP ||
	    memcmp(in->dst, to->addr, in->family == VPN_AF_INET ? 4 : 16) != 0)
		return false;
	/* ports of a fragment that is not the first one are not there: such a packet is no loop of
	 * ours, or its first fragment has been dropped here */
	if (in->len < in->header + 4)
		return false;
	const uint16_t src = tcpip_load_be16(data + in->header);
	const uint16_t dst = tcpip_load_be16(data + in->header + 2);
	/* there our own port moves as well */
	if (ports.far_last != 0 && is_within(to->port, ports.far_first, ports.far_last))
		return is_within(dst, ports.far_first, ports.far_last);
	return dst == to->port && (ports.first == 0 || is_within(src, ports.first, ports.last));
}
