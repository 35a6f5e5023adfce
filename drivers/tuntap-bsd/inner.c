/* SPDX-License-Identifier: BSD-2-Clause */
#include "inner.h"

#include <vpncore/tcpip.h>

#define ECN_MASK 3u
#define NOT_ECT  0u
#define ECT_1    1u
#define ECT_0    2u
#define CE       3u

bool bsd_inner_ok(const uint8_t *data, uint32_t len, bool ethernet)
{
	if (ethernet)
		return len >= TCPIP_ETH_LEN;
	int version = tcpip_ip_version(data, len);
	return (version == 4 && len >= TCPIP_IPV4_LEN) || (version == 6 && len >= TCPIP_IPV6_LEN);
}

/* The frame's IP packet; returns its length, 0 when there is none. */
static size_t skip_ethernet(const uint8_t **data, uint32_t len)
{
	struct tcpip_eth eth;
	if (tcpip_eth_parse(*data, len, &eth) != TCPIP_OK ||
	    (eth.ethertype != TCPIP_ETHERTYPE_IPV4 && eth.ethertype != TCPIP_ETHERTYPE_IPV6))
		return 0;
	*data = eth.payload;
	return eth.payload_len;
}

int bsd_inner_class(const uint8_t *data, uint32_t len, bool ethernet)
{
	size_t left = ethernet ? skip_ethernet(&data, len) : len;
	switch (left >= 2 ? tcpip_ip_version(data, left) : 0) {
	case 4:
		return data[1];
	case 6:
		return (data[0] & 0x0f) << 4 | data[1] >> 4;
	default:
		return -1;
	}
}

static void set_ecn(uint8_t *data, bool ipv6, uint8_t ecn)
{
	if (ipv6) {
		data[1] = (uint8_t)((data[1] & ~(ECN_MASK << 4)) | (unsigned int)ecn << 4);
		return;
	}
	uint16_t before = tcpip_load_be16(data);
	tcpip_ipv4_set_ecn(data, ecn);
	uint16_t csum = tcpip_csum_update16(tcpip_load_be16(data + 10), before,
					    tcpip_load_be16(data));
	tcpip_ipv4_set_checksum(data, csum);
}

bool bsd_inner_decapsulate(uint8_t *data, uint8_t outer_class)
{
	bool ipv6 = data[0] >> 4 == 6;
	uint8_t outer = outer_class & ECN_MASK;
	uint8_t inner = (ipv6 ? data[1] >> 4 : data[1]) & ECN_MASK;
	if (outer == CE) {
		if (inner == NOT_ECT)
			return false;
		if (inner != CE)
			set_ecn(data, ipv6, CE);
	} else if (outer == ECT_1 && inner == ECT_0) {
		set_ecn(data, ipv6, ECT_1);
	}
	return true;
}
