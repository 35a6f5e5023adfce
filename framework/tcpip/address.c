/* SPDX-License-Identifier: BSD-2-Clause */
/* address: text of IPv4, IPv6 and MAC addresses. */
#include <arpa/inet.h>
#include <string.h>
#include <sys/socket.h>
#include <vpncore/tcpip.h>

static const char hex[] = "0123456789abcdef";

/*
 * inet_pton() takes leading zeros on some systems, where others read them as octal: refuse them
 * here.
 */
static bool has_leading_zero(const char *text)
{
	bool start = true;

	for (; *text; text++) {
		if (start && text[0] == '0' && text[1] >= '0' && text[1] <= '9')
			return true;
		start = *text == '.';
	}
	return false;
}

int tcpip_addr4_parse(const char *text, uint8_t out[4])
{
	if (has_leading_zero(text) || inet_pton(AF_INET, text, out) != 1)
		return TCPIP_ETEXT;
	return TCPIP_OK;
}

int tcpip_addr6_parse(const char *text, uint8_t out[16])
{
	const char *quad = strrchr(text, ':');

	if (quad && strchr(quad, '.') && has_leading_zero(quad + 1))
		return TCPIP_ETEXT;
	return inet_pton(AF_INET6, text, out) == 1 ? TCPIP_OK : TCPIP_ETEXT;
}

int tcpip_addr_parse(const char *text, uint8_t out[16])
{
	if (strchr(text, ':'))
		return tcpip_addr6_parse(text, out) < 0 ? TCPIP_ETEXT : 6;
	memset(out, 0, 16);
	return tcpip_addr4_parse(text, out) < 0 ? TCPIP_ETEXT : 4;
}

static char *put_byte(char *p, uint8_t v)
{
	if (v >= 100)
		*p++ = (char)('0' + v / 100);
	if (v >= 10)
		*p++ = (char)('0' + v / 10 % 10);
	*p++ = (char)('0' + v % 10);
	return p;
}

static char *put_quad(char *p, const uint8_t addr[4])
{
	for (int i = 0; i < 4; i++) {
		if (i)
			*p++ = '.';
		p = put_byte(p, addr[i]);
	}
	return p;
}

static char *put_group(char *p, uint16_t v)
{
	bool begun = false;

	for (int shift = 12; shift >= 0; shift -= 4) {
		unsigned int digit = ((unsigned int)v >> (unsigned int)shift) & 15u;

		begun = begun || digit != 0 || shift == 0;
		if (begun)
			*p++ = hex[digit];
	}
	return p;
}

static int deliver(const char *text, const char *end, char *buf, size_t cap)
{
	size_t len = (size_t)(end - text);

	if (len + 1 > cap)
		return TCPIP_ESPACE;
	memcpy(buf, text, len);
	buf[len] = '\0';
	return (int)len;
}

int tcpip_addr4_format(const uint8_t addr[4], char *buf, size_t cap)
{
	char text[TCPIP_ADDR_TEXT_MAX];

	return deliver(text, put_quad(text, addr), buf, cap);
}

/* The first longest run of two or more zero groups: RFC 5952 section 4.2. */
static int longest_zeros(const uint8_t *addr, int *ret_len)
{
	int best = -1, best_len = 1;

	for (int i = 0; i < 8; i++) {
		int n = 0;

		while (i + n < 8 && tcpip_load_be16(addr + (size_t)(i + n) * 2) == 0)
			n++;
		if (n > best_len) {
			best = i;
			best_len = n;
		}
		i += n;
	}
	*ret_len = best_len;
	return best;
}

static bool is_mapped4(const uint8_t *addr)
{
	return tcpip_load_be64(addr) == 0 && tcpip_load_be32(addr + 8) == 0xffff;
}

int tcpip_addr6_format(const uint8_t addr[16], char *buf, size_t cap)
{
	char text[TCPIP_ADDR_TEXT_MAX], *p = text;
	int zeros_len, zeros = longest_zeros(addr, &zeros_len);

	if (is_mapped4(addr)) { /* RFC 5952 section 5 */
		memcpy(text, "::ffff:", 7);
		return deliver(text, put_quad(text + 7, addr + 12), buf, cap);
	}
	for (int i = 0; i < 8; i++) {
		if (i == zeros) {
			*p++ = ':';
			if (i + zeros_len == 8)
				*p++ = ':';
			i += zeros_len - 1;
			continue;
		}
		if (i)
			*p++ = ':';
		p = put_group(p, tcpip_load_be16(addr + (size_t)i * 2));
	}
	return deliver(text, p, buf, cap);
}

int tcpip_addr_format(uint8_t family, const uint8_t *addr, char *buf, size_t cap)
{
	if (family == 4)
		return tcpip_addr4_format(addr, buf, cap);
	if (family == 6)
		return tcpip_addr6_format(addr, buf, cap);
	return TCPIP_ERANGE;
}

static int hex_digit(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	if (c >= 'a' && c <= 'f')
		return c - 'a' + 10;
	if (c >= 'A' && c <= 'F')
		return c - 'A' + 10;
	return -1;
}

int tcpip_mac_parse(const char *text, uint8_t out[6])
{
	if (strlen(text) != TCPIP_MAC_TEXT_MAX - 1 || (text[2] != ':' && text[2] != '-'))
		return TCPIP_ETEXT;
	for (size_t i = 0; i < 6; i++) {
		int high = hex_digit(text[i * 3]), low = hex_digit(text[i * 3 + 1]);

		if (high < 0 || low < 0 || (i < 5 && text[i * 3 + 2] != text[2]))
			return TCPIP_ETEXT;
		out[i] = (uint8_t)(high << 4 | low);
	}
	return TCPIP_OK;
}

int tcpip_mac_format(const uint8_t mac[6], char *buf, size_t cap)
{
	char text[TCPIP_MAC_TEXT_MAX], *p = text;

	for (int i = 0; i < 6; i++) {
		if (i)
			*p++ = ':';
		*p++ = hex[mac[i] >> 4];
		*p++ = hex[mac[i] & 15];
	}
	return deliver(text, p, buf, cap);
}
