/* SPDX-License-Identifier: BSD-2-Clause */
/* ethernet: views of Ethernet frames with up to two VLAN tags, and of ARP. */
#include <vpncore/tcpip.h>

static bool is_tag(uint16_t ethertype)
{
	return ethertype == TCPIP_ETHERTYPE_VLAN || ethertype == TCPIP_ETHERTYPE_QINQ ||
	       ethertype == TCPIP_ETHERTYPE_QINQ_OLD;
}

int tcpip_eth_parse(const uint8_t *data, size_t len, struct tcpip_eth *out)
{
	size_t at = TCPIP_ETH_LEN;
	uint16_t type;

	*out = (struct tcpip_eth){0};
	if (len < at)
		return TCPIP_ESHORT;
	out->dst = data;
	out->src = data + 6;
	type = tcpip_load_be16(data + 12);
	while (is_tag(type) && out->n_tags < TCPIP_ETH_MAX_TAGS) {
		if (len < at + TCPIP_VLAN_TAG_LEN)
			return TCPIP_ESHORT;
		out->tpid[out->n_tags] = type;
		out->tci[out->n_tags++] = tcpip_load_be16(data + at);
		type = tcpip_load_be16(data + at + 2);
		at += TCPIP_VLAN_TAG_LEN;
	}
	out->ethertype = type;
	out->header_len = (uint8_t)at;
	out->payload = data + at;
	out->payload_len = len - at;
	return TCPIP_OK;
}

int tcpip_arp_parse(const uint8_t *data, size_t len, struct tcpip_arp *out)
{
	size_t hw, ip;

	if (len < 8)
		return TCPIP_ESHORT;
	hw = data[4];
	ip = data[5];
	if (len < 8 + 2 * (hw + ip))
		return TCPIP_ESHORT;
	out->hw_type = tcpip_load_be16(data);
	out->proto_type = tcpip_load_be16(data + 2);
	out->hw_len = data[4];
	out->ip_len = data[5];
	out->operation = tcpip_load_be16(data + 6);
	out->sender_hw = data + 8;
	out->sender_ip = out->sender_hw + hw;
	out->target_hw = out->sender_ip + ip;
	out->target_ip = out->target_hw + hw;
	return TCPIP_OK;
}
