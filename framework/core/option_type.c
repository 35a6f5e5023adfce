/* SPDX-License-Identifier: BSD-2-Clause */
#include "option_type.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <vpncore/tcpip.h>

#include "options.h"
#include "wipe.h"

bool option_has_range(const struct vpn_option *o)
{
	return o->min != 0 || o->max != 0;
}

bool option_in_range(const struct vpn_option *o, int64_t v)
{
	return !option_has_range(o) || (v >= o->min && v <= o->max);
}

const char option_no_memory[] = "out of memory";

static const char *parse_string(const struct vpn_option *o, const char *text, void *dst)
{
	if (!option_in_range(o, (int64_t)strlen(text)))
		return "";
	char *copy = strdup(text);
	memcpy(dst, &copy, sizeof(copy));
	return copy != NULL ? NULL : option_no_memory;
}

static const char *parse_enum(const struct vpn_option *o, const char *text, void *dst)
{
	for (uint32_t i = 0; o->choices[i] != NULL; i++)
		if (strcmp(o->choices[i], text) == 0) {
			memcpy(dst, &i, sizeof(i));
			return NULL;
		}
	return "";
}

/* Digits at the start of *text, which is moved behind them. */
bool option_parse_digits(const char **text, uint64_t *ret)
{
	char *end = NULL;
	if (**text < '0' || **text > '9')
		return false;
	errno = 0;
	*ret = strtoull(*text, &end, 10);
	*text = end;
	return errno == 0 && *ret <= INT64_MAX;
}

struct unit {
	const char *name;
	uint64_t factor;
};

/* A number with one of the units, multiplied; false when it is none or too large. */
static bool parse_with_unit(const char *text, const struct unit *units, uint64_t *ret)
{
	uint64_t v;
	if (!option_parse_digits(&text, &v))
		return false;
	for (; units->name != NULL; units++)
		if (strcmp(text, units->name) == 0) {
			*ret = v * units->factor;
			return v <= (uint64_t)INT64_MAX / units->factor;
		}
	return false;
}

static const char *parse_duration(const struct vpn_option *o, const char *text, void *dst)
{
	static const struct unit units[] = {
		{"ms", 1}, {"s", 1000}, {"m", 60000}, {"h", 3600000}, {NULL, 0}};
	uint64_t ms;
	if (!parse_with_unit(text, units, &ms) || ms > (uint64_t)INT64_MAX / 1000000 ||
	    !option_in_range(o, (int64_t)ms))
		return "";
	uint64_t ns = ms * 1000000;
	memcpy(dst, &ns, sizeof(ns));
	return NULL;
}

static const char *parse_size(const struct vpn_option *o, const char *text, void *dst)
{
	static const struct unit units[] = {
		{"KiB", 1u << 10}, {"MiB", 1u << 20}, {"GiB", 1u << 30}, {NULL, 0}};
	uint64_t bytes;
	if (!parse_with_unit(text, units, &bytes) || !option_in_range(o, (int64_t)bytes))
		return "";
	memcpy(dst, &bytes, sizeof(bytes));
	return NULL;
}

static const char *parse_address(const struct vpn_option *o, const char *text, void *dst)
{
	(void)o;
	struct vpn_address a = {.family = VPN_AF_NONE};
	int family = tcpip_addr_parse(text, a.addr);
	if (family < 0)
		return strchr(text, '/') != NULL ? "without a prefix length" : "";
	a.family = (uint8_t)family;
	memcpy(dst, &a, sizeof(a));
	return NULL;
}

static const char *parse_prefix(const struct vpn_option *o, const char *text, void *dst)
{
	struct tcpip_prefix p;
	if (tcpip_prefix_parse(text, &p) < 0)
		return "";
	if (strchr(text, '/') == NULL)
		return p.family == VPN_AF_INET ? "one address alone is written with \"/32\""
					       : "one address alone is written with \"/128\"";
	if ((o->flags & VPN_OPT_NETWORK) != 0 && !tcpip_prefix_is_network(&p))
		return "the bits behind the prefix must be zero";
	struct vpn_prefix v = {.family = p.family, .length = p.len};
	memcpy(v.addr, p.addr, sizeof(v.addr));
	memcpy(dst, &v, sizeof(v));
	return NULL;
}

static const char *parse_mac(const struct vpn_option *o, const char *text, void *dst)
{
	(void)o;
	struct vpn_mac mac = {.is_set = 1};
	if (tcpip_mac_parse(text, mac.addr) < 0)
		return "";
	memcpy(dst, &mac, sizeof(mac));
	return NULL;
}

static bool parse_port(const char **text, uint16_t *ret)
{
	uint64_t v;
	if (!option_parse_digits(text, &v) || v > UINT16_MAX)
		return false;
	*ret = (uint16_t)v;
	return true;
}

/* "51820" or, where a range is allowed, "4000-4100". Returns NULL or a hint. */
static const char *parse_ports(const struct vpn_option *o, const char *text,
			       struct vpn_hostport *hp)
{
	static const char *const no_port = "a port is a number from 0 to 65535";
	if (!parse_port(&text, &hp->port))
		return no_port;
	hp->port_last = hp->port;
	if (*text == '-') {
		if ((o->flags & VPN_OPT_PORT_RANGE) == 0)
			return "a range of ports cannot stand here, one port can";
		text++;
		if (!parse_port(&text, &hp->port_last))
			return no_port;
		if (hp->port_last < hp->port)
			return "a range of ports begins with the lower one";
	}
	return *text == '\0' ? NULL : no_port;
}

/* An IPv6 literal without its brackets, perhaps with a zone behind '%'. */
static bool is_literal6(const char *host)
{
	char alone[TCPIP_ADDR_TEXT_MAX];
	uint8_t addr[16];
	size_t n = strcspn(host, "%");
	bool zone_is_good = host[n] == '\0' || (host[n + 1] != '\0' && strlen(host + n + 1) < 16);
	if (n >= sizeof(alone) || !zone_is_good)
		return false;
	memcpy(alone, host, n);
	alone[n] = '\0';
	return tcpip_addr6_parse(alone, addr) >= 0;
}

/* A name, an IPv4 literal, "*" or "". What looks like an IPv4 address must be one. */
static bool is_name(const char *host)
{
	uint8_t addr[4];
	size_t n = strlen(host);
	if (n == 0 || strcmp(host, "*") == 0)
		return true;
	if (strspn(host, "0123456789.") == n)
		return tcpip_addr4_parse(host, addr) >= 0;
	return n <= 253 && host[0] != '-' && host[0] != '.' &&
	       strspn(host, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789.-_") ==
		       n;
}

/* A name or literal; brackets around an IPv6 literal are taken away. Returns NULL or a hint. */
static const char *check_host(char *host)
{
	size_t n = strlen(host);
	if (host[0] == '[' && host[n - 1] == ']') {
		host[n - 1] = '\0';
		memmove(host, host + 1, n - 1);
		return is_literal6(host) ? NULL : "that is no IPv6 address";
	}
	if (strchr(host, ':') != NULL)
		return "an IPv6 address stands in brackets";
	return is_name(host) ? NULL : "";
}

static const char *parse_hostport(const struct vpn_option *o, const char *text, void *dst)
{
	struct vpn_hostport hp = {.host = NULL};
	const char *colon = strrchr(text, ':'), *hint;
	char *host = strndup(text, colon != NULL ? (size_t)(colon - text) : strlen(text));
	if (host == NULL)
		return option_no_memory;
	if (colon == NULL || colon[1] == '\0' || strchr(colon, ']') != NULL)
		hint = "the port is missing";
	else
		hint = parse_ports(o, colon + 1, &hp);
	if (hint == NULL)
		hint = check_host(host);
	if (hint != NULL) {
		free(host);
		return hint;
	}
	hp.host = host;
	memcpy(dst, &hp, sizeof(hp));
	return NULL;
}

static int hex_digit(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	if (c >= 'a' && c <= 'f')
		return c - 'a' + 10;
	return c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
}

/* Decodes into out (strlen(text) / 2 bytes at most); the length, or -1. */
static int64_t decode_hex(const char *text, uint8_t *out)
{
	size_t n = strlen(text);
	for (size_t i = 0; i < n / 2; i++) {
		int high = hex_digit(text[2 * i]), low = hex_digit(text[2 * i + 1]);
		if (high < 0 || low < 0)
			return -1;
		out[i] = (uint8_t)(high << 4 | low);
	}
	return n % 2 == 0 ? (int64_t)(n / 2) : -1;
}

/* RFC 4648 section 4, with its padding and no bits left over; the length, or -1. */
static int64_t decode_base64(const char *text, uint8_t *out)
{
	static const char letters[] =
		"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
	size_t n = strlen(text), len = 0, padding = 0;
	uint32_t bits = 0;
	if (n % 4 != 0)
		return -1;
	while (padding < 2 && padding < n && text[n - 1 - padding] == '=')
		padding++;
	for (size_t i = 0; i < n; i++) {
		const char *found = i < n - padding ? strchr(letters, text[i]) : letters;
		if (found == NULL)
			return -1;
		bits = bits << 6 | (uint32_t)(found - letters);
		if (i % 4 != 3)
			continue;
		for (int shift = 16; shift >= 0; shift -= 8)
			out[len++] = (uint8_t)(bits >> shift);
		bits = 0;
	}
	for (; padding > 0; padding--)
		if (out[--len] != 0)
			return -1;
	return (int64_t)len;
}

/* Hexadecimal where every letter is a digit of it and the length fits, else base64. */
static const char *parse_bytes(const struct vpn_option *o, const char *text, void *dst)
{
	size_t room = strlen(text) + 1;
	uint8_t *data = calloc(1, room);
	if (data == NULL)
		return option_no_memory;
	int64_t len = decode_hex(text, data);
	if (len < 0 || !option_in_range(o, len))
		len = decode_base64(text, data);
	if (len < 0 || !option_in_range(o, len)) {
		wipe(data, room);
		free(data);
		return len < 0 ? "" : "the length is wrong";
	}
	struct vpn_bytes bytes = {.data = data, .len = (uint32_t)len};
	memcpy(dst, &bytes, sizeof(bytes));
	return NULL;
}

#define TYPE(name, c, parse, expected) \
	{ \
		name, sizeof(c), _Alignof(c), parse, expected \
	}

static const struct option_type types[] = {
	[VPN_OPT_BOOL] = TYPE("bool", uint32_t, NULL, "true or false"),
	[VPN_OPT_INT] = TYPE("int", int64_t, NULL, "a whole number"),
	[VPN_OPT_UINT] = TYPE("uint", uint64_t, NULL, "a whole number"),
	[VPN_OPT_STRING] = TYPE("string", const char *, parse_string, "a string"),
	[VPN_OPT_ENUM] = TYPE("enum", uint32_t, parse_enum, "one of its choices"),
	[VPN_OPT_DURATION] = TYPE("duration", uint64_t, parse_duration,
				  "a duration such as \"250ms\", \"25s\", \"2m\" or \"1h\""),
	[VPN_OPT_SIZE] = TYPE("size", uint64_t, parse_size,
			      "a number of bytes such as 4096, \"64KiB\" or \"7MiB\""),
	[VPN_OPT_ADDRESS] = TYPE("address", struct vpn_address, parse_address,
				 "an address such as \"192.0.2.1\" or \"2001:db8::1\""),
	[VPN_OPT_PREFIX] = TYPE("prefix", struct vpn_prefix, parse_prefix,
				"an address with its prefix length such as \"10.78.0.1/24\" or "
				"\"fd78::1/64\""),
	[VPN_OPT_HOSTPORT] = TYPE(
		"hostport", struct vpn_hostport, parse_hostport,
		"host and port such as \"vpn.example:51820\", \"192.0.2.1:51820\" or "
		"\"[2001:db8::1]:51820\""),
	[VPN_OPT_MAC] = TYPE("mac", struct vpn_mac, parse_mac,
			     "a MAC address such as \"02:00:5e:10:00:01\""),
	[VPN_OPT_BYTES] = TYPE("bytes", struct vpn_bytes, parse_bytes,
			       "base64 or hexadecimal text"),
	[VPN_OPT_OBJECT] = TYPE("object", const void *, NULL, "an object"),
	[VPN_OPT_LIST] = TYPE("list", struct vpn_list, NULL, "an array"),
};

const struct option_type *option_type_of(uint32_t type)
{
	return type < sizeof(types) / sizeof(types[0]) && types[type].name != NULL ? &types[type]
										   : NULL;
}

const char *options_type_name(uint32_t type)
{
	const struct option_type *t = option_type_of(type);
	return t != NULL ? t->name : "unknown";
}

const struct vpn_option *options_at(const struct vpn_option_table *table, uint32_t i)
{
	const char *first = (const char *)table->options;
	return (const void *)(first + (size_t)i * table->option_size);
}

/* Options inside of an object stand in a struct; items of a list of objects are such structs. */
uint32_t option_item_size(const struct vpn_option *o)
{
	return o->item_type == VPN_OPT_OBJECT ? o->table->config_size
					      : option_type_of(o->item_type)->size;
}

/* The option that describes one item of a list. */
struct vpn_option option_item(const struct vpn_option *o)
{
	struct vpn_option item = *o;
	item.type = o->item_type;
	item.min = item.max = 0;
	return item;
}
