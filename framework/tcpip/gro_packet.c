/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * gro_packet: reads a packet for coalescing. Fields are compared, never used as numbers, so that
 * they are loaded as they lie in memory.
 */
#include "gro_packet.h"

#include "checksum.h"

static enum gro_kind read_tcp(struct gro_packet *p, const uint8_t *l4, uint32_t len)
{
	uint32_t header;

	if (len < TCPIP_TCP_LEN)
		return GRO_OTHER;
	header = (uint32_t)(l4[12] >> 4) * 4;
	/* ACK or ACK|PSH; the low bits of byte 12 are reserved or accurate ECN. */
	if ((l4[13] & ~TCPIP_TCP_PSH) != TCPIP_TCP_ACK || l4[12] & 0x0f)
		return GRO_OTHER;
	if (header < TCPIP_TCP_LEN || header >= len)
		return GRO_OTHER;
	p->flags |= l4[13] & TCPIP_TCP_PSH ? GRO_PSH : 0;
	p->seq = tcpip_load_be32(l4 + 4);
	p->ports_ack = checksum_load32(l4) | (uint64_t)checksum_load32(l4 + 8) << 32;
	p->same |= (uint64_t)checksum_load16(l4 + 14) << 48;
	p->payload_len = (uint16_t)(len - header);
	p->header_len = (uint16_t)(p->l4_offset + header);
	return GRO_CANDIDATE;
}

static enum gro_kind read_udp(struct gro_packet *p, const uint8_t *l4, uint32_t len)
{
	if (len < TCPIP_UDP_LEN)
		return GRO_OTHER;
	p->seq = 0;
	p->ports_ack = checksum_load32(l4);
	if (tcpip_load_be16(l4 + 4) != len)
		return GRO_ENDS;
	p->payload_len = (uint16_t)(len - TCPIP_UDP_LEN);
	p->header_len = (uint16_t)(p->l4_offset + TCPIP_UDP_LEN);
	/* Without a checksum there is nothing that could be made whole again. */
	return p->payload_len && checksum_load16(l4 + 6) ? GRO_CANDIDATE : GRO_ENDS;
}

static enum gro_kind read_l4(struct gro_packet *p, uint32_t options, const uint8_t *l4,
			     uint32_t len)
{
	if (p->protocol == TCPIP_IPPROTO_TCP && !(options & TCPIP_GRO_NO_TCP))
		return read_tcp(p, l4, len);
	if (p->protocol == TCPIP_IPPROTO_UDP && !(options & TCPIP_GRO_NO_UDP))
		return read_udp(p, l4, len);
	return GRO_OTHER;
}

/* `same`: version, IHL and TOS; DF and the reserved bit; TTL and protocol; the TCP window. */
static enum gro_kind read_ipv4(struct gro_packet *p, uint32_t options, const uint8_t *l3,
			       uint32_t len)
{
	if (len < TCPIP_IPV4_LEN || l3[0] != 0x45 || tcpip_load_be16(l3 + 2) != len)
		return GRO_OTHER;
	if (tcpip_load_be16(l3 + 6) & 0x3fff)
		return GRO_OTHER;
	p->family = 4;
	p->protocol = l3[9];
	p->l4_offset = (uint8_t)(p->l4_offset + TCPIP_IPV4_LEN);
	p->addr[0] = checksum_load64(l3 + 12);
	p->addr[1] = p->addr[2] = p->addr[3] = 0;
	p->same = checksum_load16(l3) | (uint64_t)checksum_load16(l3 + 6) << 16 |
		  (uint64_t)checksum_load16(l3 + 8) << 32;
	return read_l4(p, options, l3 + TCPIP_IPV4_LEN, len - TCPIP_IPV4_LEN);
}

/* `same`: version, traffic class, flow label; next header and hop limit; the TCP window. */
static enum gro_kind read_ipv6(struct gro_packet *p, uint32_t options, const uint8_t *l3,
			       uint32_t len)
{
	if (len < TCPIP_IPV6_LEN || len > 65535 || tcpip_load_be16(l3 + 4) != len - TCPIP_IPV6_LEN)
		return GRO_OTHER;
	p->family = 6;
	p->protocol = l3[6];
	p->l4_offset = (uint8_t)(p->l4_offset + TCPIP_IPV6_LEN);
	for (unsigned int i = 0; i < 4; i++)
		p->addr[i] = checksum_load64(l3 + 8 + (size_t)i * 8);
	p->same = checksum_load32(l3) | (uint64_t)checksum_load16(l3 + 6) << 32;
	return read_l4(p, options, l3 + TCPIP_IPV6_LEN, len - TCPIP_IPV6_LEN);
}

/* The EtherType must be that of the version; a tagged frame is nothing that merges. */
static bool link_fits(const uint8_t *data, uint32_t l2_len, int version)
{
	uint16_t want = version == 4 ? TCPIP_ETHERTYPE_IPV4 : TCPIP_ETHERTYPE_IPV6;

	return l2_len == 0 || tcpip_load_be16(data + 12) == want;
}

enum gro_kind gro_packet_read(const struct tcpip_gro_item *item, uint32_t l2_len, uint32_t options,
			      struct gro_packet *out)
{
	const uint8_t *l3 = item->data + l2_len;
	int version;

	if (item->len <= l2_len)
		return GRO_OTHER;
	version = l3[0] >> 4;
	out->data = item->data;
	out->len = item->len;
	out->l4_offset = (uint8_t)l2_len;
	out->flags = item->flags & TCPIP_GRO_VERIFIED ? GRO_VERIFIED : 0;
	if (!link_fits(item->data, l2_len, version))
		return GRO_OTHER;
	if (version == 4)
		return read_ipv4(out, options, l3, item->len - l2_len);
	if (version == 6)
		return read_ipv6(out, options, l3, item->len - l2_len);
	return GRO_OTHER;
}

bool gro_packet_verify(const uint8_t *data, uint32_t len, uint32_t l2_len, uint32_t l4_offset)
{
	const uint8_t *l3 = data + l2_len;
	uint32_t l4_len = len - l4_offset;
	uint64_t acc;

	if (l3[0] >> 4 == 4) {
		if (checksum_fold_word(checksum_header(l3, TCPIP_IPV4_LEN)) != 0xffff)
			return false;
		acc = checksum_addresses4(l3 + 12, l3 + 16) + checksum_word(l3[9]);
	} else {
		acc = checksum_addresses6(l3 + 8, l3 + 24) + checksum_word(l3[6]);
	}
	acc += checksum_word((uint16_t)l4_len);
	return checksum_fold_word(tcpip_csum_partial(data + l4_offset, l4_len, acc)) == 0xffff;
}
