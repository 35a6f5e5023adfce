/* SPDX-License-Identifier: BSD-2-Clause */
/* l4: views of TCP, UDP, ICMP and ICMPv6 headers. */
#include <vpncore/tcpip.h>

int tcpip_tcp_parse(const uint8_t *data, size_t len, struct tcpip_tcp *out)
{
	size_t header;

	if (len < TCPIP_TCP_LEN)
		return TCPIP_ESHORT;
	header = (size_t)(data[12] >> 4) * 4;
	if (header < TCPIP_TCP_LEN)
		return TCPIP_EHEADER;
	if (header > len)
		return TCPIP_ESHORT;
	out->src_port = tcpip_load_be16(data);
	out->dst_port = tcpip_load_be16(data + 2);
	out->seq = tcpip_load_be32(data + 4);
	out->ack = tcpip_load_be32(data + 8);
	out->flags = tcpip_load_be16(data + 12) & 0x1ff;
	out->window = tcpip_load_be16(data + 14);
	out->checksum = tcpip_load_be16(data + 16);
	out->urgent = tcpip_load_be16(data + 18);
	out->header_len = (uint8_t)header;
	out->options = data + TCPIP_TCP_LEN;
	out->options_len = (uint8_t)(header - TCPIP_TCP_LEN);
	out->payload = data + header;
	out->payload_len = len - header;
	return TCPIP_OK;
}

int tcpip_udp_parse(const uint8_t *data, size_t len, struct tcpip_udp *out)
{
	if (len < TCPIP_UDP_LEN)
		return TCPIP_ESHORT;
	out->src_port = tcpip_load_be16(data);
	out->dst_port = tcpip_load_be16(data + 2);
	out->length = tcpip_load_be16(data + 4);
	out->checksum = tcpip_load_be16(data + 6);
	if (out->length < TCPIP_UDP_LEN)
		return TCPIP_ELENGTH;
	if (out->length > len)
		return TCPIP_ESHORT;
	out->payload = data + TCPIP_UDP_LEN;
	out->payload_len = out->length - TCPIP_UDP_LEN;
	return TCPIP_OK;
}

int tcpip_icmp_parse(const uint8_t *data, size_t len, struct tcpip_icmp *out)
{
	if (len < TCPIP_ICMP_LEN)
		return TCPIP_ESHORT;
	out->type = data[0];
	out->code = data[1];
	out->checksum = tcpip_load_be16(data + 2);
	out->rest = tcpip_load_be32(data + 4);
	out->payload = data + TCPIP_ICMP_LEN;
	out->payload_len = len - TCPIP_ICMP_LEN;
	return TCPIP_OK;
}

bool tcpip_icmp_is_error(uint8_t type)
{
	return type == TCPIP_ICMP_UNREACHABLE || type == TCPIP_ICMP_SOURCE_QUENCH ||
	       type == TCPIP_ICMP_REDIRECT || type == TCPIP_ICMP_TIME_EXCEEDED ||
	       type == TCPIP_ICMP_PARAMETER;
}

bool tcpip_icmp6_is_error(uint8_t type)
{
	return type < 128 || type == TCPIP_ICMP6_REDIRECT;
}
