/* SPDX-License-Identifier: BSD-2-Clause */
/* prefix: CIDR prefixes, their text and relations (RFC 4632, RFC 4291 section 2.3). */
#include <string.h>
#include <vpncore/tcpip.h>

static size_t addr_len(uint8_t family)
{
	return family == 4 ? 4 : 16;
}

static uint8_t max_len(uint8_t family)
{
	return family == 4 ? 32 : 128;
}

/* 0..max without sign, blank or leading zero; -1 for anything else. */
static int parse_len(const char *text, int max)
{
	int v = 0;

	if (!*text || (text[0] == '0' && text[1]))
		return -1;
	for (; *text; text++) {
		if (*text < '0' || *text > '9')
			return -1;
		v = v * 10 + (*text - '0');
		if (v > max)
			return -1;
	}
	return v;
}

int tcpip_prefix_parse(const char *text, struct tcpip_prefix *out)
{
	char addr[TCPIP_ADDR_TEXT_MAX];
	const char *slash = strchr(text, '/');
	size_t n = slash ? (size_t)(slash - text) : strlen(text);
	int family, len;

	if (n >= sizeof(addr))
		return TCPIP_ETEXT;
	memcpy(addr, text, n);
	addr[n] = '\0';
	memset(out, 0, sizeof(*out));
	family = tcpip_addr_parse(addr, out->addr);
	if (family < 0)
		return TCPIP_ETEXT;
	out->family = (uint8_t)family;
	len = slash ? parse_len(slash + 1, max_len(out->family)) : max_len(out->family);
	if (len < 0)
		return TCPIP_ETEXT;
	out->len = (uint8_t)len;
	return TCPIP_OK;
}

int tcpip_prefix_format(const struct tcpip_prefix *prefix, char *buf, size_t cap)
{
	char text[TCPIP_PREFIX_TEXT_MAX];
	int n = tcpip_addr_format(prefix->family, prefix->addr, text, sizeof(text));

	if (n < 0)
		return n;
	if (prefix->len > max_len(prefix->family))
		return TCPIP_ERANGE;
	text[n++] = '/';
	if (prefix->len >= 100)
		text[n++] = '1';
	if (prefix->len >= 10)
		text[n++] = (char)('0' + prefix->len / 10 % 10);
	text[n++] = (char)('0' + prefix->len % 10);
	if ((size_t)n + 1 > cap)
		return TCPIP_ESPACE;
	memcpy(buf, text, (size_t)n);
	buf[n] = '\0';
	return n;
}

/* The netmask's byte i for a prefix of `len` bits. */
static uint8_t mask_byte(uint8_t len, size_t i)
{
	size_t bits = len > i * 8 ? len - i * 8 : 0;

	if (bits >= 8)
		return 0xff;
	return (uint8_t)((0xff00u >> bits) & 0xffu);
}

void tcpip_prefix_netmask(const struct tcpip_prefix *prefix, uint8_t *out)
{
	for (size_t i = 0; i < addr_len(prefix->family); i++)
		out[i] = mask_byte(prefix->len, i);
}

void tcpip_prefix_mask(struct tcpip_prefix *prefix)
{
	for (size_t i = 0; i < sizeof(prefix->addr); i++)
		prefix->addr[i] &= mask_byte(prefix->len, i);
}

bool tcpip_prefix_is_network(const struct tcpip_prefix *prefix)
{
	for (size_t i = 0; i < addr_len(prefix->family); i++) {
		if (prefix->addr[i] & ~mask_byte(prefix->len, i))
			return false;
	}
	return true;
}

/* Whether the first `len` bits are the same. */
static bool same_bits(const uint8_t *a, const uint8_t *b, uint8_t len, size_t bytes)
{
	for (size_t i = 0; i < bytes; i++) {
		if ((a[i] ^ b[i]) & mask_byte(len, i))
			return false;
	}
	return true;
}

bool tcpip_prefix_contains(const struct tcpip_prefix *prefix, uint8_t family, const uint8_t *addr)
{
	return prefix->family == family &&
	       same_bits(prefix->addr, addr, prefix->len, addr_len(family));
}

bool tcpip_prefix_overlaps(const struct tcpip_prefix *a, const struct tcpip_prefix *b)
{
	uint8_t shorter = a->len < b->len ? a->len : b->len;

	return a->family == b->family && same_bits(a->addr, b->addr, shorter, addr_len(a->family));
}
