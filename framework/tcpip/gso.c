/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * gso: cuts a TCP or UDP super-packet into segments. What is the same in all segments is summed
 * once, in the plan; per segment remain a copy of the headers, a handful of fields, and one pass
 * over the payload that copies and sums it.
 */
#include "checksum.h"

/* Offsets of the checksum field in the L4 header. */
#define TCP_CSUM 16u
#define UDP_CSUM 6u

static int plan_ipv4(struct tcpip_gso *gso, const uint8_t *l3, size_t len, uint32_t *l3_len)
{
	size_t header, total;

	if (len < TCPIP_IPV4_LEN)
		return TCPIP_ESHORT;
	header = (size_t)(l3[0] & 15) * 4;
	total = tcpip_load_be16(l3 + 2);
	if (header < TCPIP_IPV4_LEN)
		return TCPIP_EHEADER;
	if (total == 0) /* too large for the field, as the kernel's BIG TCP has it */
		total = len;
	if (total > len)
		return TCPIP_ESHORT;
	if (total < header)
		return TCPIP_ELENGTH;
	if (tcpip_load_be16(l3 + 6) & 0x3fff)
		return TCPIP_EFRAGMENT;
	*l3_len = (uint32_t)total;
	gso->family = 4;
	gso->protocol = l3[9];
	gso->l4_offset = (uint16_t)(gso->l3_offset + header);
	gso->ip_id = tcpip_load_be16(l3 + 4);
	gso->ip_len_base = 0;
	gso->l3_sum = checksum_header(l3, header) - checksum_load16(l3 + 2) -
		      checksum_load16(l3 + 4) - checksum_load16(l3 + 10);
	gso->l4_sum = checksum_addresses4(l3 + 12, l3 + 16) + checksum_word(gso->protocol);
	return TCPIP_OK;
}

static int plan_ipv6(struct tcpip_gso *gso, const uint8_t *l3, size_t len, uint32_t *l3_len)
{
	struct tcpip_ipv6 ip;
	struct tcpip_ipv6_walk walk;
	struct tcpip_ipv6_ext ext;
	size_t payload;
	int r;

	if (len < TCPIP_IPV6_LEN)
		return TCPIP_ESHORT;
	payload = tcpip_load_be16(l3 + 4);
	if (payload == 0) /* BIG TCP, as above */
		payload = len - TCPIP_IPV6_LEN;
	if (payload > len - TCPIP_IPV6_LEN)
		return TCPIP_ESHORT;
	ip = (struct tcpip_ipv6){
		.payload = l3 + TCPIP_IPV6_LEN,
		.payload_len = payload,
		.next_header = l3[6],
	};
	tcpip_ipv6_walk_init(&walk, &ip);
	do {
		r = tcpip_ipv6_walk_next(&walk, &ext);
	} while (r > 0);
	if (r < 0)
		return r;
	if (walk.fragmented)
		return TCPIP_EFRAGMENT;
	*l3_len = (uint32_t)(TCPIP_IPV6_LEN + payload);
	gso->family = 6;
	gso->protocol = walk.next;
	gso->l4_offset = (uint16_t)(gso->l3_offset + TCPIP_IPV6_LEN + walk.offset);
	gso->ip_len_base = TCPIP_IPV6_LEN;
	gso->l4_sum = checksum_addresses6(l3 + 8, l3 + 24) + checksum_word(gso->protocol);
	return TCPIP_OK;
}

static int plan_tcp(struct tcpip_gso *gso, const uint8_t *l4, size_t len)
{
	size_t header;
	uint8_t flags;

	if (len < TCPIP_TCP_LEN)
		return TCPIP_ESHORT;
	header = (size_t)(l4[12] >> 4) * 4;
	if (header < TCPIP_TCP_LEN)
		return TCPIP_EHEADER;
	if (header > len)
		return TCPIP_ESHORT;
	flags = l4[13];
	gso->header_len = (uint32_t)(gso->l4_offset + header);
	gso->seq = tcpip_load_be32(l4 + 4);
	gso->tcp_offset_byte = l4[12];
	gso->tcp_flags_only = flags;
	gso->tcp_flags_first = (uint8_t)(flags & ~(TCPIP_TCP_FIN | TCPIP_TCP_PSH));
	gso->tcp_flags_middle = (uint8_t)(gso->tcp_flags_first & ~TCPIP_TCP_CWR);
	gso->tcp_flags_last = (uint8_t)(flags & ~TCPIP_TCP_CWR);
	gso->l4_sum += checksum_header(l4, header) - checksum_load32(l4 + 4) -
		       checksum_load16(l4 + 12) - checksum_load16(l4 + TCP_CSUM);
	return TCPIP_OK;
}

static int plan_udp(struct tcpip_gso *gso, const uint8_t *l4, size_t len)
{
	if (len < TCPIP_UDP_LEN)
		return TCPIP_ESHORT;
	gso->header_len = gso->l4_offset + TCPIP_UDP_LEN;
	gso->l4_sum += checksum_load32(l4);
	return TCPIP_OK;
}

/* The IP version and L4 protocol that a gso_type promises. */
static int check_type(const struct tcpip_gso *gso, uint8_t gso_type)
{
	switch (gso_type & ~TCPIP_VNET_GSO_ECN) {
	case TCPIP_VNET_GSO_TCPV4:
		return gso->family == 4 && gso->protocol == TCPIP_IPPROTO_TCP;
	case TCPIP_VNET_GSO_TCPV6:
		return gso->family == 6 && gso->protocol == TCPIP_IPPROTO_TCP;
	case TCPIP_VNET_GSO_UDP_L4:
		return gso->protocol == TCPIP_IPPROTO_UDP && !(gso_type & TCPIP_VNET_GSO_ECN);
	default:
		return 0;
	}
}

static bool known_type(uint8_t gso_type)
{
	uint8_t type = (uint8_t)(gso_type & ~TCPIP_VNET_GSO_ECN);

	return type == TCPIP_VNET_GSO_TCPV4 || type == TCPIP_VNET_GSO_TCPV6 ||
	       type == TCPIP_VNET_GSO_UDP_L4;
}

static int plan_l3(struct tcpip_gso *gso, size_t len, uint32_t *l3_len)
{
	const uint8_t *l3 = gso->packet + gso->l3_offset;

	switch (tcpip_ip_version(l3, len - gso->l3_offset)) {
	case 4:
		return plan_ipv4(gso, l3, len - gso->l3_offset, l3_len);
	case 6:
		return plan_ipv6(gso, l3, len - gso->l3_offset, l3_len);
	default:
		return TCPIP_EVERSION;
	}
}

/*
 * With NEEDS_CSUM the kernel says where the checksum is; it must be where we found the L4 header.
 */
static bool csum_fits(const struct tcpip_gso *gso, const struct tcpip_vnet_hdr *vh)
{
	uint32_t field = gso->protocol == TCPIP_IPPROTO_TCP ? TCP_CSUM : UDP_CSUM;

	if (!(vh->flags & TCPIP_VNET_NEEDS_CSUM))
		return true;
	return vh->csum_start == gso->l4_offset && vh->csum_offset == field;
}

static int plan_sizes(struct tcpip_gso *gso, uint32_t l3_len)
{
	uint32_t ip_and_l4 = gso->header_len - gso->l3_offset;
	uint32_t longest;

	gso->payload_len = l3_len - ip_and_l4;
	longest = gso->payload_len < gso->gso_size ? gso->payload_len : gso->gso_size;
	if (ip_and_l4 - gso->ip_len_base + longest > 65535)
		return TCPIP_EGSOSIZE;
	gso->n_segs = 1;
	if (gso->payload_len > gso->gso_size)
		gso->n_segs = (gso->payload_len - 1) / gso->gso_size + 1;
	gso->total_len = gso->payload_len + gso->n_segs * gso->header_len;
	return TCPIP_OK;
}

int tcpip_gso_plan(struct tcpip_gso *gso, const struct tcpip_vnet_hdr *vh, const uint8_t *packet,
		   size_t len, uint32_t l2_len)
{
	uint32_t l3_len = 0, l4_len;
	int r;

	if (l2_len != 0 && l2_len != 14 && l2_len != 18 && l2_len != 22)
		return TCPIP_ERANGE;
	if (!known_type(vh->gso_type))
		return TCPIP_EGSOTYPE;
	if (vh->gso_size == 0)
		return TCPIP_EGSOSIZE;
	if (len <= l2_len)
		return TCPIP_ESHORT;
	if (len > UINT32_MAX / 128) /* so that no sum of lengths overflows */
		return TCPIP_ELENGTH;
	gso->packet = packet;
	gso->gso_size = vh->gso_size;
	gso->l3_offset = (uint16_t)l2_len;
	r = plan_l3(gso, len, &l3_len);
	if (r < 0)
		return r;
	if (!check_type(gso, vh->gso_type))
		return TCPIP_EGSOTYPE;
	if (!csum_fits(gso, vh))
		return TCPIP_ECSUM;
	l4_len = l3_len - (gso->l4_offset - gso->l3_offset);
	if (gso->protocol == TCPIP_IPPROTO_TCP)
		r = plan_tcp(gso, packet + gso->l4_offset, l4_len);
	else
		r = plan_udp(gso, packet + gso->l4_offset, l4_len);
	return r < 0 ? r : plan_sizes(gso, l3_len);
}

static uint8_t tcp_flags(const struct tcpip_gso *gso, uint32_t i)
{
	if (gso->n_segs == 1)
		return gso->tcp_flags_only;
	if (i == 0)
		return gso->tcp_flags_first;
	return i == gso->n_segs - 1 ? gso->tcp_flags_last : gso->tcp_flags_middle;
}

/* Length, id and header checksum of the IP header. */
static void write_ip(const struct tcpip_gso *gso, uint32_t i, uint8_t *l3, uint32_t l3_len)
{
	uint16_t id, total = (uint16_t)(l3_len - gso->ip_len_base);

	if (gso->family == 6) {
		tcpip_store_be16(l3 + 4, total);
		return;
	}
	id = (uint16_t)(gso->ip_id + i);
	tcpip_store_be16(l3 + 2, total);
	tcpip_store_be16(l3 + 4, id);
	tcpip_store_be16(l3 + 10,
			 checksum_final(gso->l3_sum + checksum_word(total) + checksum_word(id)));
}

static void write_tcp(const struct tcpip_gso *gso, uint32_t i, uint8_t *l4, uint64_t acc)
{
	uint32_t seq = gso->seq + i * gso->gso_size;
	uint8_t flags = tcp_flags(gso, i);

	tcpip_store_be32(l4 + 4, seq);
	l4[13] = flags;
	acc = tcpip_csum_add(acc, (uint64_t)checksum_word32(seq) + checksum_load16(l4 + 12));
	tcpip_store_be16(l4 + TCP_CSUM, checksum_final(acc));
}

static void write_udp(uint8_t *l4, uint32_t l4_len, uint64_t acc)
{
	uint16_t csum;

	tcpip_store_be16(l4 + 4, (uint16_t)l4_len);
	csum = checksum_final(tcpip_csum_add(acc, checksum_word((uint16_t)l4_len)));
	tcpip_store_be16(l4 + UDP_CSUM, csum ? csum : 0xffff);
}

size_t tcpip_gso_segment(const struct tcpip_gso *gso, uint32_t i, uint8_t *dst, size_t cap)
{
	uint32_t header = gso->header_len, len, payload, l4_len;
	uint64_t acc;

	if (i >= gso->n_segs)
		return 0;
	len = tcpip_gso_segment_len(gso, i);
	if (len > cap)
		return 0;
	payload = len - header;
	l4_len = len - gso->l4_offset;
	memcpy(dst, gso->packet, header);
	acc = tcpip_csum_copy(dst + header, gso->packet + header + (size_t)i * gso->gso_size,
			      payload, gso->l4_sum + checksum_word((uint16_t)l4_len));
	write_ip(gso, i, dst + gso->l3_offset, len - gso->l3_offset);
	if (gso->protocol == TCPIP_IPPROTO_TCP)
		write_tcp(gso, i, dst + gso->l4_offset, acc);
	else
		write_udp(dst + gso->l4_offset, l4_len, acc);
	return len;
}
