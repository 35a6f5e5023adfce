/* SPDX-License-Identifier: BSD-2-Clause */
#include "icmp.h"

#include <vpncore/tcpip.h>

#include "wireguard.h"

#define CODE4_HOST    1u /* host unreachable, RFC 792 */
#define CODE6_ADDRESS 3u /* address unreachable, RFC 4443 section 3.1 */

/* The error comes from the address that cannot be reached: an own one would be taken for a forgery. */
static int write_error(uint8_t *out, uint32_t cap, const uint8_t *packet, uint32_t len)
{
	if (tcpip_ip_version(packet, len) == 4 && len >= TCPIP_IPV4_LEN)
		return tcpip_icmp4_unreachable(out, cap, packet + 16, packet, len, CODE4_HOST);
	if (tcpip_ip_version(packet, len) == 6 && len >= TCPIP_IPV6_LEN)
		return tcpip_icmp6_unreachable(out, cap, packet + 24, packet, len, CODE6_ADDRESS);
	return -1;
}

void wg_icmp_unreachable(struct wg_lane *l, const struct vpn_packet *p)
{
	uint64_t now = l->pub->now_ns;
	if (l->unreachable_ns != 0 && now < l->unreachable_ns + WG_MS)
		return;
	struct vpn_packet *error = wg_lane_packet(l, VPN_POOL_RX, 0);
	if (error == NULL)
		return;
	int len = write_error(vpn_packet_data(error), vpn_packet_tailroom(error),
			      vpn_packet_data(p), p->len);
	if (len <= 0) {
		l->host->release(l->pub, &error, 1);
		return;
	}
	l->unreachable_ns = now;
	error->len = (uint32_t)len;
	if (vpn_push(l->pub->up, &error, 1) == 1) {
		vpn_count(l->pub, UNREACHABLE_SENT, 1);
		return;
	}
	vpn_count(l->pub, DROP_ABOVE_FULL, 1);
	l->host->release(l->pub, &error, 1);
}
