/* SPDX-License-Identifier: BSD-2-Clause */
/* checksum: RFC 1071 sums by the best engine, RFC 1624 updates, pseudo-headers. */
#include "checksum.h"

#include <stdatomic.h>

/* Found at first use; all threads find the same, so the race to store it is harmless. */
static _Atomic(const struct checksum_engine *) chosen;

static inline const struct checksum_engine *engine(void)
{
	const struct checksum_engine *e = atomic_load_explicit(&chosen, memory_order_relaxed);

	if (__builtin_expect(!e, 0)) {
		e = checksum_best();
		atomic_store_explicit(&chosen, e, memory_order_relaxed);
	}
	return e;
}

uint64_t tcpip_csum_partial(const void *data, size_t len, uint64_t acc)
{
	if (len < CHECKSUM_SMALL)
		return checksum_partial_portable(data, len, acc);
	return engine()->partial(data, len, acc);
}

uint64_t tcpip_csum_copy(void *dst, const void *src, size_t len, uint64_t acc)
{
	if (len < CHECKSUM_SMALL)
		return checksum_copy_portable(dst, src, len, acc);
	return engine()->copy(dst, src, len, acc);
}

uint64_t tcpip_csum_add16(uint64_t acc, uint16_t value)
{
	return tcpip_csum_add(acc, checksum_word(value));
}

uint16_t tcpip_csum_fold(uint64_t acc)
{
	return checksum_fold(acc);
}

uint16_t tcpip_csum_update16(uint16_t csum, uint16_t before, uint16_t after)
{
	uint32_t sum = (uint32_t)(uint16_t)~csum + (uint16_t)~before + after;

	sum = (sum & 0xffff) + (sum >> 16);
	sum = (sum & 0xffff) + (sum >> 16);
	return (uint16_t)~sum;
}

uint16_t tcpip_csum_update32(uint16_t csum, uint32_t before, uint32_t after)
{
	csum = tcpip_csum_update16(csum, (uint16_t)(before >> 16), (uint16_t)(after >> 16));
	return tcpip_csum_update16(csum, (uint16_t)before, (uint16_t)after);
}

uint64_t tcpip_csum_pseudo4(const uint8_t src[4], const uint8_t dst[4], uint8_t protocol,
			    uint16_t len)
{
	return checksum_addresses4(src, dst) + checksum_word(protocol) + checksum_word(len);
}

uint64_t tcpip_csum_pseudo6(const uint8_t src[16], const uint8_t dst[16], uint8_t protocol,
			    uint32_t len)
{
	return checksum_addresses6(src, dst) + checksum_word(protocol) + checksum_word32(len);
}

int tcpip_csum_finish(uint8_t *packet, size_t len, uint32_t csum_start, uint32_t csum_offset)
{
	uint64_t field = (uint64_t)csum_start + csum_offset;
	uint16_t csum;

	if (field + 2 > len)
		return TCPIP_ECSUM;
	csum = tcpip_csum_final(tcpip_csum_partial(packet + csum_start, len - csum_start, 0));
	tcpip_store_be16(packet + field, csum ? csum : 0xffff);
	return TCPIP_OK;
}

/* The offset of the checksum in the headers that have one, or -1. */
static int checksum_offset(uint8_t protocol)
{
	switch (protocol) {
	case TCPIP_IPPROTO_TCP:
		return 16;
	case TCPIP_IPPROTO_UDP:
		return 6;
	case TCPIP_IPPROTO_ICMP:
	case TCPIP_IPPROTO_ICMPV6:
		return 2;
	default:
		return -1;
	}
}

struct l4_place {
	uint32_t offset, len;
	uint32_t field; /* of the checksum, from the start of the packet */
	uint64_t pseudo;
	bool udp, v4;
};

static int locate(const uint8_t *data, size_t len, struct l4_place *out)
{
	struct tcpip_packet p;
	int r = tcpip_packet_parse(data, len, &p), field;

	if (r < 0)
		return r;
	if (p.flags & TCPIP_PACKET_FRAGMENT)
		return TCPIP_EFRAGMENT;
	field = checksum_offset(p.protocol);
	if (field < 0)
		return TCPIP_EPROTO;
	out->offset = p.l4_offset;
	out->len = p.total_len - p.l4_offset;
	out->field = p.l4_offset + (uint32_t)field;
	out->udp = p.protocol == TCPIP_IPPROTO_UDP;
	out->v4 = p.family == 4;
	if (out->udp)
		out->len = tcpip_load_be16(data + p.l4_offset + 4);
	if (p.protocol == TCPIP_IPPROTO_ICMP)
		out->pseudo = 0;
	else if (out->v4)
		out->pseudo = tcpip_csum_pseudo4(p.src, p.dst, p.protocol, (uint16_t)out->len);
	else
		out->pseudo = tcpip_csum_pseudo6(p.src, p.dst, p.protocol, out->len);
	return TCPIP_OK;
}

int tcpip_l4_reset_checksum(uint8_t *data, size_t len)
{
	struct l4_place at;
	int r = locate(data, len, &at);
	uint16_t csum;

	if (r < 0)
		return r;
	tcpip_store_be16(data + at.field, 0);
	csum = tcpip_csum_final(tcpip_csum_partial(data + at.offset, at.len, at.pseudo));
	tcpip_store_be16(data + at.field, csum || !at.udp ? csum : 0xffff);
	return TCPIP_OK;
}

int tcpip_l4_checksum_ok(const uint8_t *data, size_t len)
{
	struct l4_place at;
	int r = locate(data, len, &at);

	if (r < 0)
		return r;
	if (at.udp && tcpip_load_be16(data + at.field) == 0)
		return at.v4;
	return tcpip_csum_final(tcpip_csum_partial(data + at.offset, at.len, at.pseudo)) == 0;
}
