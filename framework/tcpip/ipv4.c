/* SPDX-License-Identifier: BSD-2-Clause */
/* ipv4: views of IPv4 headers, their options and header checksum (RFC 791). */
#include "checksum.h"

/* Fills the view from a header that is all there. */
static void read_header(const uint8_t *data, size_t header, size_t total, struct tcpip_ipv4 *out)
{
	uint16_t frag = tcpip_load_be16(data + 6);

	out->header_len = (uint8_t)header;
	out->options = data + TCPIP_IPV4_LEN;
	out->options_len = (uint8_t)(header - TCPIP_IPV4_LEN);
	out->dscp = data[1] >> 2;
	out->ecn = data[1] & 3;
	out->total_len = (uint16_t)total;
	out->id = tcpip_load_be16(data + 4);
	out->reserved_bit = (frag & 0x8000) != 0;
	out->dont_fragment = (frag & 0x4000) != 0;
	out->more_fragments = (frag & 0x2000) != 0;
	out->frag_offset = (uint16_t)((frag & 0x1fff) * 8);
	out->ttl = data[8];
	out->protocol = data[9];
	out->checksum = tcpip_load_be16(data + 10);
	out->src = data + 12;
	out->dst = data + 16;
	out->payload = data + header;
	out->payload_len = total - header;
}

int tcpip_ipv4_parse(const uint8_t *data, size_t len, struct tcpip_ipv4 *out)
{
	size_t header, total;

	if (len < TCPIP_IPV4_LEN)
		return len && data[0] >> 4 != 4 ? TCPIP_EVERSION : TCPIP_ESHORT;
	if (data[0] >> 4 != 4)
		return TCPIP_EVERSION;
	header = (size_t)(data[0] & 15) * 4;
	total = tcpip_load_be16(data + 2);
	if (header < TCPIP_IPV4_LEN)
		return TCPIP_EHEADER;
	if (total < header)
		return TCPIP_ELENGTH;
	if (total > len)
		return TCPIP_ESHORT;
	read_header(data, header, total, out);
	return TCPIP_OK;
}

void tcpip_ipv4_reset_checksum(uint8_t *h)
{
	tcpip_store_be16(h + 10, 0);
	tcpip_store_be16(h + 10, tcpip_csum_final(checksum_header(h, (size_t)(h[0] & 15) * 4)));
}

bool tcpip_ipv4_checksum_ok(const struct tcpip_ipv4 *ip)
{
	const uint8_t *h = ip->options - TCPIP_IPV4_LEN;

	return tcpip_csum_final(checksum_header(h, ip->header_len)) == 0;
}

int tcpip_option_next(struct tcpip_option_iter *it, struct tcpip_option *out)
{
	size_t left = (size_t)(it->end - it->p);

	if (left == 0 || it->p[0] == 0)
		return 0;
	out->kind = it->p[0];
	if (out->kind == 1) {
		out->data = ++it->p;
		out->len = 0;
		return 1;
	}
	if (left < 2 || it->p[1] < 2 || it->p[1] > left)
		return TCPIP_EOPTION;
	out->data = it->p + 2;
	out->len = (uint8_t)(it->p[1] - 2);
	it->p += it->p[1];
	return 1;
}
