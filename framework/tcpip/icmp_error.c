/* SPDX-License-Identifier: BSD-2-Clause */
/* icmp_error: ICMP and ICMPv6 errors made from the packet that they are about. */
#include "checksum.h"

#define ERROR_TTL            64
#define TOS_INTERNET_CONTROL 0xc0 /* RFC 1812 section 4.3.2.5 */

/* An address that stands for exactly one host, and not for "this host": RFC 1122 section 3.2.2. */
static bool one_host4(const uint8_t *addr)
{
	return addr[0] != 0 && addr[0] != 127 && addr[0] < 224;
}

static bool to_many4(const uint8_t *addr)
{
	return addr[0] >> 4 == 14 || tcpip_load_be32(addr) == 0xffffffffu;
}

static bool one_host6(const uint8_t *addr)
{
	bool high_zero = tcpip_load_be64(addr) == 0;
	uint64_t low = tcpip_load_be64(addr + 8);

	return addr[0] != 0xff && !(high_zero && low <= 1);
}

/* Whether the packet is itself an error, so far as its first ICMP byte tells. */
static bool is_error(const struct tcpip_packet *p, const uint8_t *packet)
{
	if (p->family == 4 && p->protocol == TCPIP_IPPROTO_ICMP)
		return tcpip_icmp_is_error(packet[p->l4_offset]);
	if (p->family == 6 && p->protocol == TCPIP_IPPROTO_ICMPV6)
		return tcpip_icmp6_is_error(packet[p->l4_offset]);
	return false;
}

static int check(const uint8_t *packet, size_t len, int family, bool to_many_allowed,
		 struct tcpip_packet *p)
{
	bool many;
	int r = tcpip_packet_parse(packet, len, p);

	if (r < 0)
		return r;
	if (p->family != family)
		return TCPIP_EVERSION;
	if (p->flags & TCPIP_PACKET_LATER_FRAGMENT || is_error(p, packet))
		return TCPIP_EFORBIDDEN;
	if (family == 4 ? !one_host4(p->src) : !one_host6(p->src))
		return TCPIP_EFORBIDDEN;
	many = family == 4 ? to_many4(p->dst) : p->dst[0] == 0xff;
	return many && !to_many_allowed ? TCPIP_EFORBIDDEN : TCPIP_OK;
}

/* The ICMP header and the quote behind an IP header of `ip_len` bytes; returns the ICMP length. */
static uint32_t write_icmp(uint8_t *icmp, uint8_t type, uint8_t code, uint32_t rest,
			   const uint8_t *packet, uint32_t quote)
{
	icmp[0] = type;
	icmp[1] = code;
	tcpip_store_be16(icmp + 2, 0);
	tcpip_store_be32(icmp + 4, rest);
	memcpy(icmp + TCPIP_ICMP_LEN, packet, quote);
	return TCPIP_ICMP_LEN + quote;
}

static uint32_t quote_len(const struct tcpip_packet *p, uint32_t ip_len, uint32_t max)
{
	uint32_t room = max - ip_len - TCPIP_ICMP_LEN;

	return p->total_len < room ? p->total_len : room;
}

static int error4(uint8_t *out, size_t cap, const uint8_t *src, const uint8_t *packet, size_t len,
		  uint8_t type, uint8_t code, uint32_t rest)
{
	struct tcpip_packet p;
	uint8_t *icmp = out + TCPIP_IPV4_LEN;
	uint32_t quote, icmp_len;
	int r = check(packet, len, 4, false, &p);

	if (r < 0)
		return r;
	quote = quote_len(&p, TCPIP_IPV4_LEN, TCPIP_ICMP4_ERROR_MAX);
	if (cap < TCPIP_IPV4_LEN + TCPIP_ICMP_LEN + quote)
		return TCPIP_ESPACE;
	icmp_len = write_icmp(icmp, type, code, rest, packet, quote);
	tcpip_ipv4_write(out, src, p.src, TCPIP_IPPROTO_ICMP, ERROR_TTL, TOS_INTERNET_CONTROL,
			 (uint16_t)icmp_len);
	tcpip_store_be16(icmp + 2, tcpip_checksum(icmp, icmp_len));
	return (int)(TCPIP_IPV4_LEN + icmp_len);
}

static int error6(uint8_t *out, size_t cap, const uint8_t *src, const uint8_t *packet, size_t len,
		  uint8_t type, uint8_t code, uint32_t rest)
{
	struct tcpip_packet p;
	uint8_t *icmp = out + TCPIP_IPV6_LEN;
	uint32_t quote, icmp_len;
	uint64_t acc;
	int r = check(packet, len, 6, type == TCPIP_ICMP6_TOO_BIG, &p);

	if (r < 0)
		return r;
	quote = quote_len(&p, TCPIP_IPV6_LEN, TCPIP_ICMP6_ERROR_MAX);
	if (cap < TCPIP_IPV6_LEN + TCPIP_ICMP_LEN + quote)
		return TCPIP_ESPACE;
	icmp_len = write_icmp(icmp, type, code, rest, packet, quote);
	tcpip_ipv6_write(out, src, p.src, TCPIP_IPPROTO_ICMPV6, ERROR_TTL, 0, (uint16_t)icmp_len);
	acc = tcpip_csum_pseudo6(src, p.src, TCPIP_IPPROTO_ICMPV6, icmp_len);
	tcpip_store_be16(icmp + 2, tcpip_csum_final(tcpip_csum_partial(icmp, icmp_len, acc)));
	return (int)(TCPIP_IPV6_LEN + icmp_len);
}

int tcpip_icmp4_unreachable(uint8_t *out, size_t cap, const uint8_t src[4], const uint8_t *packet,
			    size_t len, uint8_t code)
{
	return error4(out, cap, src, packet, len, TCPIP_ICMP_UNREACHABLE, code, 0);
}

/* RFC 1191 section 4: code 4, the MTU in the low half of the second word. */
int tcpip_icmp4_frag_needed(uint8_t *out, size_t cap, const uint8_t src[4], const uint8_t *packet,
			    size_t len, uint16_t mtu)
{
	return error4(out, cap, src, packet, len, TCPIP_ICMP_UNREACHABLE, 4, mtu);
}

int tcpip_icmp4_time_exceeded(uint8_t *out, size_t cap, const uint8_t src[4], const uint8_t *packet,
			      size_t len, uint8_t code)
{
	return error4(out, cap, src, packet, len, TCPIP_ICMP_TIME_EXCEEDED, code, 0);
}

int tcpip_icmp6_unreachable(uint8_t *out, size_t cap, const uint8_t src[16], const uint8_t *packet,
			    size_t len, uint8_t code)
{
	return error6(out, cap, src, packet, len, TCPIP_ICMP6_UNREACHABLE, code, 0);
}

int tcpip_icmp6_too_big(uint8_t *out, size_t cap, const uint8_t src[16], const uint8_t *packet,
			size_t len, uint32_t mtu)
{
	return error6(out, cap, src, packet, len, TCPIP_ICMP6_TOO_BIG, 0, mtu);
}

int tcpip_icmp6_time_exceeded(uint8_t *out, size_t cap, const uint8_t src[16],
			      const uint8_t *packet, size_t len, uint8_t code)
{
	return error6(out, cap, src, packet, len, TCPIP_ICMP6_TIME_EXCEEDED, code, 0);
}
