/* SPDX-License-Identifier: BSD-2-Clause */
/* packet: a whole L3 packet in one call. */
#include <vpncore/tcpip.h>

static void flag_fragment(struct tcpip_packet *out, bool more)
{
	out->flags = TCPIP_PACKET_FRAGMENT;
	if (more)
		out->flags |= TCPIP_PACKET_MORE_FRAGMENTS;
	if (out->frag_offset != 0)
		out->flags |= TCPIP_PACKET_LATER_FRAGMENT;
}

static int parse4(const uint8_t *data, size_t len, struct tcpip_packet *out)
{
	struct tcpip_ipv4 ip;
	int r = tcpip_ipv4_parse(data, len, &ip);

	if (r < 0)
		return r;
	out->family = 4;
	out->addr_len = 4;
	out->src = ip.src;
	out->dst = ip.dst;
	out->protocol = ip.protocol;
	out->total_len = ip.total_len;
	out->l4_offset = ip.header_len;
	if (tcpip_ipv4_is_fragment(&ip)) {
		out->frag_id = ip.id;
		out->frag_offset = ip.frag_offset;
		flag_fragment(out, ip.more_fragments);
	}
	return TCPIP_OK;
}

static int parse6(const uint8_t *data, size_t len, struct tcpip_packet *out)
{
	struct tcpip_ipv6 ip;
	struct tcpip_ipv6_walk walk;
	struct tcpip_ipv6_ext ext;
	int r = tcpip_ipv6_parse(data, len, &ip);

	if (r < 0)
		return r;
	tcpip_ipv6_walk_init(&walk, &ip);
	do {
		r = tcpip_ipv6_walk_next(&walk, &ext);
	} while (r > 0);
	if (r < 0)
		return r;
	out->family = 6;
	out->addr_len = 16;
	out->src = ip.src;
	out->dst = ip.dst;
	out->protocol = walk.next;
	out->total_len = (uint32_t)(TCPIP_IPV6_LEN + ip.payload_len);
	out->l4_offset = (uint32_t)(TCPIP_IPV6_LEN + walk.offset);
	/* An atomic fragment (RFC 6946) is whole. */
	if (walk.fragmented && (walk.more_fragments || walk.frag_offset)) {
		out->frag_id = walk.frag_id;
		out->frag_offset = walk.frag_offset;
		flag_fragment(out, walk.more_fragments);
	}
	return TCPIP_OK;
}

/* Bytes of the L4 header, 0 for a protocol without a known one, or an error. */
static int l4_header_len(const struct tcpip_packet *p, const uint8_t *l4, size_t len)
{
	struct tcpip_tcp tcp;
	int r;

	switch (p->protocol) {
	case TCPIP_IPPROTO_TCP:
		r = tcpip_tcp_parse(l4, len, &tcp);
		return r < 0 ? r : tcp.header_len;
	case TCPIP_IPPROTO_UDP:
		if (len < TCPIP_UDP_LEN)
			return TCPIP_ESHORT;
		if (tcpip_load_be16(l4 + 4) < TCPIP_UDP_LEN)
			return TCPIP_ELENGTH;
		/* The first fragment carries the length of the whole datagram. */
		if (tcpip_load_be16(l4 + 4) > len && !(p->flags & TCPIP_PACKET_FRAGMENT))
			return TCPIP_ESHORT;
		return TCPIP_UDP_LEN;
	case TCPIP_IPPROTO_ICMP:
	case TCPIP_IPPROTO_ICMPV6:
		return len < TCPIP_ICMP_LEN ? TCPIP_ESHORT : (int)TCPIP_ICMP_LEN;
	default:
		return 0;
	}
}

static bool has_ports(uint8_t protocol)
{
	return protocol == TCPIP_IPPROTO_TCP || protocol == TCPIP_IPPROTO_UDP ||
	       protocol == TCPIP_IPPROTO_UDPLITE || protocol == TCPIP_IPPROTO_SCTP ||
	       protocol == TCPIP_IPPROTO_DCCP;
}

/* What lies behind the IP header and its extensions. */
static int parse_l4(const uint8_t *l4, size_t len, struct tcpip_packet *out)
{
	int r = l4_header_len(out, l4, len);

	if (r < 0)
		return r;
	out->payload_offset += (uint32_t)r;
	if (has_ports(out->protocol) && len >= 4) {
		out->src_port = tcpip_load_be16(l4);
		out->dst_port = tcpip_load_be16(l4 + 2);
	}
	return TCPIP_OK;
}

int tcpip_packet_parse(const uint8_t *data, size_t len, struct tcpip_packet *out)
{
	int r;

	*out = (struct tcpip_packet){0};
	if (len == 0)
		return TCPIP_ESHORT;
	switch (data[0] >> 4) {
	case 4:
		r = parse4(data, len, out);
		break;
	case 6:
		r = parse6(data, len, out);
		break;
	default:
		r = TCPIP_EVERSION;
	}
	if (r < 0)
		return r;
	out->payload_offset = out->l4_offset;
	if (out->flags & TCPIP_PACKET_LATER_FRAGMENT)
		return TCPIP_OK;
	return parse_l4(data + out->l4_offset, out->total_len - out->l4_offset, out);
}
