/* SPDX-License-Identifier: BSD-2-Clause */
/* ipv6: views of IPv6 headers, the walk over extension headers, their options (RFC 8200). */
#include <vpncore/tcpip.h>

int tcpip_ipv6_parse(const uint8_t *data, size_t len, struct tcpip_ipv6 *out)
{
	uint32_t word;

	if (len < TCPIP_IPV6_LEN)
		return len && data[0] >> 4 != 6 ? TCPIP_EVERSION : TCPIP_ESHORT;
	if (data[0] >> 4 != 6)
		return TCPIP_EVERSION;
	word = tcpip_load_be32(data);
	out->payload_len = tcpip_load_be16(data + 4);
	out->next_header = data[6];
	if (out->payload_len > len - TCPIP_IPV6_LEN)
		return TCPIP_ESHORT;
	/* A length of 0 with hop-by-hop options announces a jumbogram: RFC 2675 section 2. */
	if (out->payload_len == 0 && out->next_header == TCPIP_IPPROTO_HOPOPT)
		return TCPIP_ELENGTH;
	out->dscp = (uint8_t)(word >> 22 & 0x3f);
	out->ecn = (uint8_t)(word >> 20 & 3);
	out->flow_label = word & 0xfffff;
	out->hop_limit = data[7];
	out->src = data + 8;
	out->dst = data + 24;
	out->payload = data + TCPIP_IPV6_LEN;
	return TCPIP_OK;
}

void tcpip_ipv6_walk_init(struct tcpip_ipv6_walk *walk, const struct tcpip_ipv6 *ip)
{
	*walk = (struct tcpip_ipv6_walk){
		.data = ip->payload,
		.len = ip->payload_len,
		.next = ip->next_header,
	};
}

static bool is_extension(uint8_t type)
{
	switch (type) {
	case TCPIP_IPPROTO_HOPOPT:
	case TCPIP_IPPROTO_ROUTING:
	case TCPIP_IPPROTO_FRAGMENT:
	case TCPIP_IPPROTO_AH:
	case TCPIP_IPPROTO_DSTOPTS:
	case TCPIP_IPPROTO_MOBILITY:
	case TCPIP_IPPROTO_HIP:
	case TCPIP_IPPROTO_SHIM6:
		return true;
	default:
		return false;
	}
}

/*
 * Length of an extension header whose first two bytes are there; AH counts in other units (RFC 4302
 * 2.2).
 */
static size_t extension_len(uint8_t type, const uint8_t *h)
{
	if (type == TCPIP_IPPROTO_FRAGMENT)
		return 8;
	if (type == TCPIP_IPPROTO_AH)
		return ((size_t)h[1] + 2) * 4;
	return ((size_t)h[1] + 1) * 8;
}

static void note_fragment(struct tcpip_ipv6_walk *walk, const uint8_t *h)
{
	uint16_t v = tcpip_load_be16(h + 2);

	walk->fragmented = true;
	walk->frag_offset = v & 0xfff8;
	walk->more_fragments = (v & 1) != 0;
	walk->frag_id = tcpip_load_be32(h + 4);
	/* Behind it lies the middle of something: there is no header to follow. */
	if (walk->frag_offset != 0)
		walk->finished = true;
}

int tcpip_ipv6_walk_next(struct tcpip_ipv6_walk *walk, struct tcpip_ipv6_ext *out)
{
	const uint8_t *h = walk->data + walk->offset;
	size_t left = walk->len - walk->offset, len;

	if (walk->finished || !is_extension(walk->next))
		return 0;
	if (walk->count >= TCPIP_IPV6_EXT_MAX)
		return TCPIP_ECHAIN;
	if (walk->next == TCPIP_IPPROTO_HOPOPT && walk->count != 0)
		return TCPIP_ECHAIN;
	if (left < 8)
		return TCPIP_ESHORT;
	len = extension_len(walk->next, h);
	if (len < 8)
		return TCPIP_EHEADER;
	if (len > left)
		return TCPIP_ESHORT;
	out->type = walk->next;
	out->data = h;
	out->len = len;
	if (walk->next == TCPIP_IPPROTO_FRAGMENT)
		note_fragment(walk, h);
	walk->next = h[0];
	walk->offset += len;
	walk->count++;
	return 1;
}

void tcpip_ipv6_option_iter_init(struct tcpip_option_iter *it, const struct tcpip_ipv6_ext *ext)
{
	it->p = ext->data + 2;
	it->end = ext->data + ext->len;
}

int tcpip_ipv6_option_next(struct tcpip_option_iter *it, struct tcpip_option *out)
{
	size_t left = (size_t)(it->end - it->p);

	if (left == 0)
		return 0;
	out->kind = it->p[0];
	if (out->kind == 0) { /* Pad1 is the only option without a length */
		out->data = ++it->p;
		out->len = 0;
		return 1;
	}
	if (left < 2 || (size_t)it->p[1] + 2 > left)
		return TCPIP_EOPTION;
	out->len = it->p[1];
	out->data = it->p + 2;
	it->p += 2 + (size_t)out->len;
	return 1;
}
