/* SPDX-License-Identifier: BSD-2-Clause */
#include "inner.h"

#include <vpncore/tcpip.h>

/* The ECN field, RFC 3168. */
enum { NOT_ECT, ECT_1, ECT_0, CE };

bool darwin_inner_ok(const uint8_t *data, uint32_t len, bool ethernet)
{
	if (ethernet)
		return len >= TCPIP_ETH_LEN;
	switch (tcpip_ip_version(data, len)) {
	case 4:
		return len >= TCPIP_IPV4_LEN;
	case 6:
		return len >= TCPIP_IPV6_LEN;
	default:
		return false;
	}
}

int darwin_inner_class(const uint8_t *data, uint32_t len, bool ethernet)
{
	struct tcpip_eth eth;
	size_t left = len;
	if (ethernet) {
		if (tcpip_eth_parse(data, len, &eth) != TCPIP_OK)
			return -1;
		data = eth.payload;
		left = eth.ethertype == TCPIP_ETHERTYPE_IPV4 ||
				       eth.ethertype == TCPIP_ETHERTYPE_IPV6
			       ? eth.payload_len
			       : 0;
	}
	if (left < 2)
		return -1;
	switch (tcpip_ip_version(data, left)) {
	case 4:
		return data[1];
	case 6:
		return (data[0] & 0x0f) << 4 | data[1] >> 4;
	default:
		return -1;
	}
}

static void set_ecn(uint8_t *data, uint8_t ecn)
{
	if (data[0] >> 4 == 6) {
		data[1] = (uint8_t)((data[1] & 0xcf) | (unsigned int)ecn << 4);
		return;
	}
	uint16_t before = tcpip_load_be16(data);
	tcpip_ipv4_set_ecn(data, ecn);
	tcpip_ipv4_set_checksum(data, tcpip_csum_update16(tcpip_load_be16(data + 10), before,
							  tcpip_load_be16(data)));
}

bool darwin_inner_decapsulate(uint8_t *data, uint8_t outer_class)
{
	uint8_t inner = (data[0] >> 4 == 6 ? data[1] >> 4 : data[1]) & 3;
	uint8_t outer = outer_class & 3;
	if (outer == CE && inner == NOT_ECT)
		return false;
	if ((outer == CE && inner != CE) || (outer == ECT_1 && inner == ECT_0))
		set_ecn(data, outer);
	return true;
}
