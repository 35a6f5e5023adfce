/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * flow_lane: which messages have to stay in order. TCP takes disorder for loss, and goes on as soon as a
 * hole is filled: segments with data of one connection share a lane. Everything else (UDP, ICMP, bare
 * TCP acknowledgements) is better off at once. What cannot be read, because a stage above has
 * encrypted it, goes by size: large ones are most likely parts of a transfer.
 *
 * The lane is a hint and no more: wrong or hostile contents cost order or time, within bounds.
 */
#include <vpncore/tcpip.h>

#include "flow_parts.h"

#define OPAQUE_LANE   255u
#define HASHED_LANES  254u /* 1..254 */
#define IP4_LEN       20u
#define IP6_LEN       40u
#define TCP_LEN       20u
#define ETHERNET_LEN  14u
#define FRAGMENT_BITS 0x3fffu /* offset and "more fragments" */
#define SYN_FIN_RST   0x07u

static uint8_t hash(const uint8_t *addresses, uint32_t len, const uint8_t *ports)
{
	uint32_t h = tcpip_load_be32(ports);
	for (uint32_t i = 0; i < len; i += 4)
		h = (h ^ tcpip_load_be32(addresses + i)) * 0x9e3779b1u;
	return (uint8_t)(1 + (h >> 16) % HASHED_LANES);
}

static uint8_t tcp_lane(const uint8_t *tcp, uint32_t len, const uint8_t *addresses,
			uint32_t addresses_len)
{
	if (len < TCP_LEN)
		return 0;
	uint32_t header = (uint32_t)(tcp[12] >> 4) * 4;
	if (header >= len && (tcp[13] & SYN_FIN_RST) == 0)
		return 0;
	return hash(addresses, addresses_len, tcp);
}

/* -1: not an IP packet. */
static int ip_lane(const uint8_t *data, uint32_t len)
{
	if (len >= IP4_LEN && data[0] >> 4 == 4 && tcpip_load_be16(data + 2) == len) {
		uint32_t header = (data[0] & 0x0fu) * 4;
		if (header < IP4_LEN || header > len)
			return -1;
		if (data[9] != TCPIP_IPPROTO_TCP ||
		    (tcpip_load_be16(data + 6) & FRAGMENT_BITS) != 0)
			return 0;
		return tcp_lane(data + header, len - header, data + 12, 8);
	}
	if (len >= IP6_LEN && data[0] >> 4 == 6 && tcpip_load_be16(data + 4) + IP6_LEN == len) {
		if (data[6] != TCPIP_IPPROTO_TCP)
			return 0;
		return tcp_lane(data + IP6_LEN, len - IP6_LEN, data + 8, 32);
	}
	return -1;
}

uint8_t flow_lane_of(const uint8_t *data, uint32_t len, uint32_t large)
{
	int lane = ip_lane(data, len);
	if (lane < 0 && len > ETHERNET_LEN)
		lane = ip_lane(data + ETHERNET_LEN, len - ETHERNET_LEN);
	if (lane >= 0)
		return (uint8_t)lane;
	return len >= large ? OPAQUE_LANE : 0;
}
