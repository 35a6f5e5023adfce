/* SPDX-License-Identifier: BSD-2-Clause */
/* builder: whole packets for tests, with right lengths and checksums. */
#include <stdlib.h>
#include <string.h>
#include <vpncore/tcpip.h>

#include "internal.h"

struct addresses {
	int family; /* 4 or 6 */
	uint8_t src[16], dst[16];
};

static bool read_addresses(struct addresses *a, const struct testhost_flow *f)
{
	a->family = tcpip_addr_parse(f->src, a->src);
	return a->family > 0 && tcpip_addr_parse(f->dst, a->dst) == a->family;
}

/* Writes the IP header for l4_len bytes behind it. Returns its length, 0 when there is no room. */
static uint32_t write_ip(uint8_t *out, uint32_t cap, const struct testhost_flow *f,
			 uint8_t protocol, uint32_t l4_len)
{
	struct addresses a;
	uint8_t ttl = f->ttl != 0 ? f->ttl : 64;
	if (!read_addresses(&a, f))
		return 0;
	uint32_t ip_len = a.family == 4 ? TCPIP_IPV4_LEN : TCPIP_IPV6_LEN;
	if (l4_len > 65535 - ip_len || ip_len + l4_len > cap)
		return 0;
	if (a.family == 6) {
		tcpip_ipv6_write(out, a.src, a.dst, protocol, ttl, f->tos, (uint16_t)l4_len);
		return ip_len;
	}
	tcpip_ipv4_write(out, a.src, a.dst, protocol, ttl, f->tos, (uint16_t)l4_len);
	tcpip_ipv4_set_id(out, f->ip_id);
	tcpip_ipv4_reset_checksum(out);
	return ip_len;
}

static uint32_t finish(uint8_t *out, uint32_t at, const void *payload, uint32_t len)
{
	if (len != 0)
		memcpy(out + at, payload, len);
	return tcpip_l4_reset_checksum(out, at + len) == TCPIP_OK ? at + len : 0;
}

uint32_t testhost_build_udp(uint8_t *out, uint32_t cap, const struct testhost_flow *f,
			    const void *payload, uint32_t len)
{
	uint32_t at = write_ip(out, cap, f, TCPIP_IPPROTO_UDP, TCPIP_UDP_LEN + len);
	if (at == 0)
		return 0;
	tcpip_udp_write(out + at, f->src_port, f->dst_port, (uint16_t)len);
	return finish(out, at + TCPIP_UDP_LEN, payload, len);
}

uint32_t testhost_build_tcp(uint8_t *out, uint32_t cap, const struct testhost_flow *f,
			    const void *payload, uint32_t len)
{
	uint32_t at = write_ip(out, cap, f, TCPIP_IPPROTO_TCP, TCPIP_TCP_LEN + len);
	if (at == 0)
		return 0;
	uint8_t *tcp = out + at;
	memset(tcp, 0, TCPIP_TCP_LEN);
	tcp[12] = (uint8_t)(TCPIP_TCP_LEN / 4 << 4);
	tcpip_tcp_set_src_port(tcp, f->src_port);
	tcpip_tcp_set_dst_port(tcp, f->dst_port);
	tcpip_tcp_set_seq(tcp, f->seq);
	tcpip_tcp_set_ack(tcp, f->ack);
	tcpip_tcp_set_flags(tcp, f->tcp_flags != 0 ? f->tcp_flags : TCPIP_TCP_ACK);
	tcpip_tcp_set_window(tcp, f->window != 0 ? f->window : 65535);
	return finish(out, at + TCPIP_TCP_LEN, payload, len);
}

uint32_t testhost_build_echo(uint8_t *out, uint32_t cap, const struct testhost_flow *f,
			     const void *payload, uint32_t len)
{
	uint8_t addr[16];
	bool v6 = tcpip_addr_parse(f->src, addr) == 6;
	uint8_t protocol = v6 ? TCPIP_IPPROTO_ICMPV6 : TCPIP_IPPROTO_ICMP;
	uint32_t at = write_ip(out, cap, f, protocol, TCPIP_ICMP_LEN + len);
	if (at == 0)
		return 0;
	memset(out + at, 0, TCPIP_ICMP_LEN);
	out[at] = v6 ? (uint8_t)TCPIP_ICMP6_ECHO : (uint8_t)TCPIP_ICMP_ECHO;
	tcpip_store_be16(out + at + 4, f->echo_id);
	tcpip_store_be16(out + at + 6, f->echo_seq);
	return finish(out, at + TCPIP_ICMP_LEN, payload, len);
}

uint32_t testhost_build_frame(uint8_t *out, uint32_t cap, const uint8_t dst[6],
			      const uint8_t src[6], uint16_t tag, uint16_t ethertype,
			      const void *payload, uint32_t len)
{
	uint32_t at = 12;
	uint32_t header = TCPIP_ETH_LEN + (tag != 0 ? TCPIP_VLAN_TAG_LEN : 0);
	if (cap < header || cap - header < len)
		return 0;
	memcpy(out, dst, 6);
	memcpy(out + 6, src, 6);
	if (tag != 0) {
		tcpip_store_be16(out + at, TCPIP_ETHERTYPE_VLAN);
		tcpip_store_be16(out + at + 2, tag);
		at += TCPIP_VLAN_TAG_LEN;
	}
	tcpip_store_be16(out + at, ethertype);
	if (len != 0)
		memcpy(out + header, payload, len);
	return header + len;
}

/* The address part of "a.b.c.d:port" or "[v6]:port" to `buf`; returns where the port begins. */
static const char *cut_address(const char *text, char *buf, size_t cap)
{
	const char *colon = strrchr(text, ':');
	const char *first = text, *end = colon;
	if (colon == NULL)
		return NULL;
	if (*text == '[') {
		if (end[-1] != ']')
			return NULL;
		first++;
		end--;
	}
	if (end < first || (size_t)(end - first) >= cap)
		return NULL;
	memcpy(buf, first, (size_t)(end - first));
	buf[end - first] = '\0';
	return colon + 1;
}

struct vpn_endpoint testhost_endpoint(const char *text)
{
	struct vpn_endpoint e = {0};
	char address[TCPIP_ADDR_TEXT_MAX];
	char *end = NULL;
	const char *port = cut_address(text, address, sizeof(address));
	int family = port != NULL ? tcpip_addr_parse(address, e.addr) : 0;
	unsigned long n = port != NULL ? strtoul(port, &end, 10) : 0;
	if (family <= 0 || end == port || *end != '\0' || n > 65535) {
		REPORT("testhost_endpoint: \"%s\" is no address with a port", text);
		return (struct vpn_endpoint){0};
	}
	e.family = (uint8_t)family;
	e.port = (uint16_t)n;
	return e;
}
