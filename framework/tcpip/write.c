/* SPDX-License-Identifier: BSD-2-Clause */
/* write: plain IPv4, IPv6 and UDP headers. */
#include <string.h>
#include <vpncore/tcpip.h>

void tcpip_ipv4_write(uint8_t *out, const uint8_t src[4], const uint8_t dst[4], uint8_t protocol,
		      uint8_t ttl, uint8_t tos, uint16_t len)
{
	memset(out, 0, TCPIP_IPV4_LEN);
	out[0] = 0x45;
	out[1] = tos;
	tcpip_ipv4_set_total_len(out, (uint16_t)(TCPIP_IPV4_LEN + len));
	tcpip_ipv4_set_fragment(out, true, false, 0);
	out[8] = ttl;
	out[9] = protocol;
	memcpy(out + 12, src, 4);
	memcpy(out + 16, dst, 4);
	tcpip_ipv4_reset_checksum(out);
}

void tcpip_ipv6_write(uint8_t *out, const uint8_t src[16], const uint8_t dst[16], uint8_t protocol,
		      uint8_t hops, uint8_t traffic_class, uint16_t len)
{
	tcpip_store_be32(out, 0x60000000u | (uint32_t)traffic_class << 20);
	tcpip_store_be16(out + 4, len);
	out[6] = protocol;
	out[7] = hops;
	memcpy(out + 8, src, 16);
	memcpy(out + 24, dst, 16);
}

void tcpip_udp_write(uint8_t *out, uint16_t src_port, uint16_t dst_port, uint16_t len)
{
	tcpip_store_be16(out, src_port);
	tcpip_store_be16(out + 2, dst_port);
	tcpip_store_be16(out + 4, (uint16_t)(TCPIP_UDP_LEN + len));
	tcpip_store_be16(out + 6, 0);
}
