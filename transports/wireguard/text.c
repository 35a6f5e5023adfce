/* SPDX-License-Identifier: BSD-2-Clause */
/* text: keys, endpoints, errors and log lines as text. */
#include "text.h"

#include <arpa/inet.h>
#include <net/if.h>
#include <sodium.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

const char *wg_text_key(const uint8_t key[WG_KEY_LEN], char text[WG_KEY_TEXT])
{
	return sodium_bin2base64(text, WG_KEY_TEXT, key, WG_KEY_LEN,
				 sodium_base64_VARIANT_ORIGINAL);
}

void wg_text_key_hex(const uint8_t key[WG_KEY_LEN], char text[WG_KEY_HEX])
{
	sodium_bin2hex(text, WG_KEY_HEX, key, WG_KEY_LEN);
}

bool wg_text_parse_key_hex(const char *text, size_t len, uint8_t key[WG_KEY_LEN])
{
	size_t n = 0;
	if (len == WG_KEY_HEX - 1 &&
	    sodium_hex2bin(key, WG_KEY_LEN, text, len, NULL, &n, NULL) == 0 && n == WG_KEY_LEN)
		return true;
	sodium_memzero(key, WG_KEY_LEN);
	return false;
}

/* ---- numbers ---- */

bool wg_text_parse_number(const char *text, uint32_t max, uint32_t *out)
{
	uint64_t n = 0;
	if (*text == '\0')
		return false;
	for (const char *p = text; *p != '\0'; p++) {
		if (*p < '0' || *p > '9')
			return false;
		n = n * 10 + (uint64_t)(*p - '0');
		if (n > max)
			return false;
	}
	*out = (uint32_t)n;
	return true;
}

/* ---- addresses ---- */

bool wg_text_parse_address(const char *text, struct vpn_address *out)
{
	memset(out, 0, sizeof(*out));
	if (inet_pton(AF_INET, text, out->addr) == 1)
		out->family = VPN_AF_INET;
	else if (inet_pton(AF_INET6, text, out->addr) == 1)
		out->family = VPN_AF_INET6;
	else
		memset(out, 0, sizeof(*out));
	return out->family != VPN_AF_NONE;
}

static bool parse_zone(const char *zone, uint32_t *out)
{
	if (wg_text_parse_number(zone, UINT32_MAX, out))
		return *out != 0;
	*out = if_nametoindex(zone);
	return *out != 0;
}

/* "fe80::1%2", within brackets before. */
static bool parse_zoned(char *text, struct vpn_endpoint *out)
{
	struct vpn_address a;
	char *zone = strchr(text, '%');
	if (zone != NULL)
		*zone++ = '\0';
	if (!wg_text_parse_address(text, &a) || a.family != VPN_AF_INET6)
		return false;
	memcpy(out->addr, a.addr, sizeof(out->addr));
	return zone == NULL || parse_zone(zone, &out->scope);
}

/* Host without its brackets, and what follows the last colon. */
static bool parse_host(char *text, struct vpn_endpoint *out, const char **ret_port)
{
	struct vpn_address a;
	char *end = strrchr(text, ':');
	if (end == NULL)
		return false;
	*ret_port = end + 1;
	*end = '\0';
	if (text[0] == '[') {
		if (end == text + 1 || end[-1] != ']')
			return false;
		end[-1] = '\0';
		out->family = VPN_AF_INET6;
		return parse_zoned(text + 1, out);
	}
	if (!wg_text_parse_address(text, &a) || a.family != VPN_AF_INET)
		return false;
	out->family = VPN_AF_INET;
	memcpy(out->addr, a.addr, sizeof(out->addr));
	return true;
}

bool wg_text_parse_endpoint(const char *text, struct vpn_endpoint *out)
{
	char copy[WG_ENDPOINT_TEXT];
	const char *port_text;
	uint32_t port;
	size_t len = strlen(text);
	memset(out, 0, sizeof(*out));
	if (len < sizeof(copy)) {
		memcpy(copy, text, len + 1);
		if (parse_host(copy, out, &port_text) &&
		    wg_text_parse_number(port_text, UINT16_MAX, &port) && port != 0) {
			out->port = (uint16_t)port;
			return true;
		}
	}
	memset(out, 0, sizeof(*out));
	return false;
}

const char *wg_text_endpoint(const struct vpn_endpoint *e, char text[WG_ENDPOINT_TEXT])
{
	char address[INET6_ADDRSTRLEN] = "";
	if (e->family == VPN_AF_INET) {
		inet_ntop(AF_INET, e->addr, address, sizeof(address));
		snprintf(text, WG_ENDPOINT_TEXT, "%s:%u", address, e->port);
	} else if (e->family == VPN_AF_INET6) {
		inet_ntop(AF_INET6, e->addr, address, sizeof(address));
		if (e->scope != 0)
			snprintf(text, WG_ENDPOINT_TEXT, "[%s%%%u]:%u", address, e->scope, e->port);
		else
			snprintf(text, WG_ENDPOINT_TEXT, "[%s]:%u", address, e->port);
	} else if (e->family == VPN_AF_OPAQUE) {
		snprintf(text, WG_ENDPOINT_TEXT, "opaque:%llu", (unsigned long long)e->id);
	} else {
		snprintf(text, WG_ENDPOINT_TEXT, "none");
	}
	return text;
}

/* ---- prefixes ---- */

static void clear_host_bits(struct vpn_prefix *p)
{
	for (unsigned int i = 0; i < sizeof(p->addr); i++) {
		unsigned int bits = p->length > 8 * i ? p->length - 8 * i : 0;
		if (bits < 8)
			p->addr[i] &= (uint8_t)(0xff00u >> bits);
	}
}

static bool parse_length(const char *text, uint32_t most, uint32_t *out)
{
	if (text[0] == '0' && text[1] != '\0')
		return false; /* "/08" may be meant as octal or by mistake */
	return wg_text_parse_number(text, most, out);
}

bool wg_text_parse_prefix(const char *text, struct vpn_prefix *out)
{
	char copy[INET6_ADDRSTRLEN];
	struct vpn_address a;
	const char *slash = strchr(text, '/');
	size_t len = slash != NULL ? (size_t)(slash - text) : strlen(text);
	memset(out, 0, sizeof(*out));
	if (len >= sizeof(copy))
		return false;
	memcpy(copy, text, len);
	copy[len] = '\0';
	if (!wg_text_parse_address(copy, &a))
		return false;
	uint32_t most = a.family == VPN_AF_INET ? 32 : 128;
	uint32_t length = most;
	if (slash != NULL && !parse_length(slash + 1, most, &length))
		return false;
	out->family = a.family;
	out->length = (uint8_t)length;
	memcpy(out->addr, a.addr, sizeof(out->addr));
	clear_host_bits(out);
	return true;
}

const char *wg_text_prefix(const struct vpn_prefix *prefix, char text[WG_PREFIX_TEXT])
{
	char address[INET6_ADDRSTRLEN] = "";
	int family = prefix->family == VPN_AF_INET ? AF_INET : AF_INET6;
	inet_ntop(family, prefix->addr, address, sizeof(address));
	snprintf(text, WG_PREFIX_TEXT, "%.43s/%u", address, prefix->length);
	return text;
}

/* ---- errors and log lines ---- */

vpn_status wg_fault(struct vpn_error *err, vpn_status status, int os_errno, const char *where,
		    const char *format, ...)
{
	va_list args;
	err->status = status;
	err->os_errno = os_errno;
	snprintf(err->where, sizeof(err->where), "%s", where);
	va_start(args, format);
	vsnprintf(err->text, sizeof(err->text), format, args);
	va_end(args);
	return status;
}

void wg_log(const struct vpn_host *host, uint32_t level, const char *format, ...)
{
	char text[256];
	va_list args;
	if (level > host->log_level)
		return;
	va_start(args, format);
	vsnprintf(text, sizeof(text), format, args);
	va_end(args);
	host->log(host, level, text);
}
