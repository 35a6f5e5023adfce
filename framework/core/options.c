/* SPDX-License-Identifier: BSD-2-Clause */
/* options: fills a component's plain struct from JSON by its option table (plugin.h section 7). */
#include "options.h"

#include <errno.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <vpncore/tcpip.h>

#include "fault.h"
#include "secret.h"
#include "suggest.h"

#define DEPTH_MAX   8u /* of tables inside tables */
#define OPTIONS_MAX 256u
#define CONFIG_MAX  (1u << 20)

/* What a text parser returns: NULL when it is good, else a hint for the message, or "". */
typedef const char *parse_text(const struct vpn_option *o, const char *text, void *dst);

struct type {
	const char *name;
	uint32_t size; /* in the struct */
	uint32_t align;
	parse_text *parse; /* NULL: not written as a string */
	const char *expected;
};

static const struct type *type_of(uint32_t type);

/* ---- problems ----------------------------------------------------------------------------------- */

static void add_problem(struct options_source *src, struct place at, const char *pointer,
			const char *format, va_list args) PROBLEMS_PRINTF(4, 0);

static void add_problem(struct options_source *src, struct place at, const char *pointer,
			const char *format, va_list args)
{
	char *text = NULL;
	if (vasprintf(&text, format, args) < 0)
		text = NULL;
	problems_add(src->problems, at.line, at.column, pointer, "%s",
		     text != NULL ? text : "out of memory");
	free(text);
}

void options_problem(struct options_source *src, const char *pointer, const char *format, ...)
{
	va_list args;
	va_start(args, format);
	add_problem(src, position_of_value(src->positions, pointer), pointer, format, args);
	va_end(args);
}

void options_problem_at_key(struct options_source *src, const char *pointer, const char *format,
			    ...)
{
	va_list args;
	va_start(args, format);
	add_problem(src, position_of_key(src->positions, pointer), pointer, format, args);
	va_end(args);
}

/* ---- words for messages ------------------------------------------------------------------------- */

struct words {
	char text[512];
	size_t len;
};

static void say(struct words *w, const char *format, ...) PROBLEMS_PRINTF(2, 3);

static void say(struct words *w, const char *format, ...)
{
	va_list args;
	va_start(args, format);
	int n = vsnprintf(w->text + w->len, sizeof(w->text) - w->len, format, args);
	va_end(args);
	if (n > 0)
		w->len += (size_t)n < sizeof(w->text) - w->len ? (size_t)n
							       : sizeof(w->text) - w->len - 1;
}

static bool has_range(const struct vpn_option *o)
{
	return o->min != 0 || o->max != 0;
}

static bool in_range(const struct vpn_option *o, int64_t v)
{
	return !has_range(o) || (v >= o->min && v <= o->max);
}

/* A bound as one writes it in the manifest: 10, "250ms", "64KiB". */
static void say_bound(struct words *w, uint32_t type, int64_t v)
{
	static const struct {
		int64_t factor;
		const char *unit;
	} times[] = {{3600000, "h"}, {60000, "m"}, {1000, "s"}, {1, "ms"}},
	  sizes[] = {{1 << 30, "GiB"}, {1 << 20, "MiB"}, {1 << 10, "KiB"}, {1, ""}};
	for (size_t i = 0; i < 4 && type == VPN_OPT_DURATION; i++)
		if (v % times[i].factor == 0 && (v != 0 || i == 3)) {
			say(w, "%" PRId64 "%s", v / times[i].factor, times[i].unit);
			return;
		}
	for (size_t i = 0; i < 4 && type == VPN_OPT_SIZE; i++)
		if (v % sizes[i].factor == 0 && (v != 0 || i == 3)) {
			say(w, "%" PRId64 "%s", v / sizes[i].factor, sizes[i].unit);
			return;
		}
	say(w, "%" PRId64, v);
}

static void say_choices(struct words *w, const struct vpn_option *o)
{
	for (size_t i = 0; o->choices[i] != NULL; i++)
		say(w, "%s\"%s\"", i > 0 ? ", " : "", o->choices[i]);
}

static void say_range(struct words *w, const struct vpn_option *o)
{
	bool counted = o->type == VPN_OPT_STRING || o->type == VPN_OPT_BYTES ||
		       o->type == VPN_OPT_LIST;
	const char *unit = o->type == VPN_OPT_LIST ? "item" : "byte";
	if (!has_range(o)) {
		say(w, "%s", o->type == VPN_OPT_UINT ? " from 0 on" : "");
		return;
	}
	bool open = o->max == INT64_MAX;
	say(w, "%s", counted ? " of " : o->min == o->max ? " that is " : " from ");
	say(w, "%s", counted && open ? "at least " : "");
	say_bound(w, o->type, o->min);
	if (!open && o->min != o->max) {
		say(w, " to ");
		say_bound(w, o->type, o->max);
	} else if (open && !counted) {
		say(w, " on");
	}
	if (counted)
		say(w, " %s%s", unit, o->max == 1 ? "" : "s");
}

/* "a whole number of bytes from 576 to 65535" */
static void say_expected(struct words *w, const struct vpn_option *o)
{
	if (o->type == VPN_OPT_BOOL) {
		say(w, "true or false");
	} else if (o->type == VPN_OPT_ENUM) {
		say(w, "one of ");
		say_choices(w, o);
	} else {
		say(w, "%s",
		    o->type == VPN_OPT_PREFIX && (o->flags & VPN_OPT_NETWORK) != 0
			    ? "a network such as \"10.78.0.0/24\" or \"fd78::/64\""
			    : type_of(o->type)->expected);
		if ((o->type == VPN_OPT_INT || o->type == VPN_OPT_UINT) && o->unit != NULL)
			say(w, " of %s", o->unit);
		say_range(w, o);
		if ((o->flags & VPN_OPT_PORT_RANGE) != 0)
			say(w, ", or with a range of ports such as \"192.0.2.1:4000-4100\"");
	}
	if ((o->flags & VPN_OPT_SECRET) != 0)
		say(w, ", or {\"file\": path}, or {\"env\": NAME}");
}

static void say_found(struct words *w, const json_t *v, bool secret)
{
	switch (json_typeof(v)) {
	case JSON_STRING:
		if (secret)
			say(w, "the text that stands there");
		else if (json_string_length(v) <= 60)
			say(w, "\"%s\"", json_string_value(v));
		else
			say(w, "\"%.57s...\"", json_string_value(v));
		break;
	case JSON_INTEGER:
		if (secret)
			say(w, "a number");
		else
			say(w, "%" JSON_INTEGER_FORMAT, json_integer_value(v));
		break;
	case JSON_REAL:
		say(w, "a number with a fraction");
		break;
	case JSON_ARRAY:
		say(w, json_array_size(v) == 0 ? "an empty array" : "an array");
		break;
	case JSON_OBJECT:
		say(w, "an object");
		break;
	case JSON_TRUE:
		say(w, "true");
		break;
	case JSON_FALSE:
		say(w, "false");
		break;
	default:
		say(w, "null");
	}
}

static void say_nearest(struct words *w, const char *word, const char *const *names)
{
	struct suggest s;
	suggest_init(&s, word);
	for (; *names != NULL; names++)
		suggest_offer(&s, *names);
	if (s.best != NULL)
		say(w, "; did you mean \"%s\"?", s.best);
}

/* "must be EXPECTED, not FOUND; HINT" */
static void refuse(struct options_source *src, const struct vpn_option *o, const char *pointer,
		   const json_t *found, const char *hint)
{
	struct words w = {.len = 0};
	bool secret = (o->flags & VPN_OPT_SECRET) != 0;
	say(&w, "must be ");
	say_expected(&w, o);
	say(&w, ", not ");
	say_found(&w, found, secret);
	if (hint != NULL && *hint != '\0')
		say(&w, "; %s", hint);
	if (o->type == VPN_OPT_ENUM && json_is_string(found) && !secret)
		say_nearest(&w, json_string_value(found), o->choices);
	options_problem(src, pointer, "%s", w.text);
}

/* ---- texts -------------------------------------------------------------------------------------- */

static const char no_memory[] = "out of memory";

static const char *parse_string(const struct vpn_option *o, const char *text, void *dst)
{
	if (!in_range(o, (int64_t)strlen(text)))
		return "";
	char *copy = strdup(text);
	memcpy(dst, &copy, sizeof(copy));
	return copy != NULL ? NULL : no_memory;
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
static bool parse_digits(const char **text, uint64_t *ret)
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
	if (!parse_digits(&text, &v))
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
	    !in_range(o, (int64_t)ms))
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
	if (!parse_with_unit(text, units, &bytes) || !in_range(o, (int64_t)bytes))
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
	if (!parse_digits(text, &v) || v > UINT16_MAX)
		return false;
	*ret = (uint16_t)v;
	return true;
}

/* "51820" or, where a range is allowed, "4000-4100". */
static bool parse_ports(const struct vpn_option *o, const char *text, struct vpn_hostport *hp)
{
	if (!parse_port(&text, &hp->port))
		return false;
	hp->port_last = hp->port;
	if (*text == '-' && (o->flags & VPN_OPT_PORT_RANGE) != 0) {
		text++;
		if (!parse_port(&text, &hp->port_last) || hp->port_last < hp->port)
			return false;
	}
	return *text == '\0';
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

static const char *parse_hostport(const struct vpn_option *o, const char *text, void *dst)
{
	const char *hint = "";
	struct vpn_hostport hp = {.host = NULL};
	const char *colon = strrchr(text, ':');
	char *host = strndup(text, colon != NULL ? (size_t)(colon - text) : strlen(text));
	if (host == NULL)
		return no_memory;
	size_t n = strlen(host);
	if (colon == NULL || colon[1] == '\0' || strchr(colon, ']') != NULL) {
		hint = "the port is missing";
	} else if (!parse_ports(o, colon + 1, &hp)) {
		hint = "a port is a number from 0 to 65535";
	} else if (host[0] == '[' && host[n - 1] == ']') {
		host[n - 1] = '\0';
		memmove(host, host + 1, n - 1);
		hint = is_literal6(host) ? NULL : "that is no IPv6 address";
	} else if (strchr(host, ':') != NULL) {
		hint = "an IPv6 address stands in brackets";
	} else if (is_name(host)) {
		hint = NULL;
	}
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
		return no_memory;
	int64_t len = decode_hex(text, data);
	if (len < 0 || !in_range(o, len))
		len = decode_base64(text, data);
	if (len < 0 || !in_range(o, len)) {
		explicit_bzero(data, room);
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

static const struct type types[] = {
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

static const struct type *type_of(uint32_t type)
{
	return type < sizeof(types) / sizeof(types[0]) && types[type].name != NULL ? &types[type]
										   : NULL;
}

const char *options_type_name(uint32_t type)
{
	const struct type *t = type_of(type);
	return t != NULL ? t->name : "unknown";
}

const struct vpn_option *options_at(const struct vpn_option_table *table, uint32_t i)
{
	const char *first = (const char *)table->options;
	return (const void *)(first + (size_t)i * table->option_size);
}

/* Options inside of an object stand in a struct; items of a list of objects are such structs. */
static uint32_t item_size(const struct vpn_option *o)
{
	return o->item_type == VPN_OPT_OBJECT ? o->table->config_size : type_of(o->item_type)->size;
}

/* The option that describes one item of a list. */
static struct vpn_option item_of(const struct vpn_option *o)
{
	struct vpn_option item = *o;
	item.type = o->item_type;
	item.min = item.max = 0;
	return item;
}

/* ---- filling ------------------------------------------------------------------------------------ */

static void fill_table(const struct vpn_option_table *table, json_t *object, const char *pointer,
		       const char *const *ignore, struct options_source *src, void *config);

static const char *const nothing[] = {NULL};

static void put_number(const struct vpn_option *o, json_t *v, const char *pointer,
		       struct options_source *src, void *dst)
{
	int64_t n = json_integer_value(v);
	if (!json_is_integer(v) || !in_range(o, n) || (o->type != VPN_OPT_INT && n < 0))
		refuse(src, o, pointer, v,
		       json_is_string(v) && o->type != VPN_OPT_SIZE ? "without quotes" : NULL);
	else
		memcpy(dst, &n, sizeof(n));
}

static void put_bool(const struct vpn_option *o, json_t *v, const char *pointer,
		     struct options_source *src, void *dst)
{
	uint32_t is = json_is_true(v);
	if (!json_is_boolean(v))
		refuse(src, o, pointer, v, json_is_string(v) ? "without quotes" : NULL);
	else
		memcpy(dst, &is, sizeof(is));
}

static void put_text(const struct vpn_option *o, json_t *v, const char *pointer,
		     struct options_source *src, void *dst)
{
	if (!json_is_string(v)) {
		refuse(src, o, pointer, v, NULL);
		return;
	}
	const char *hint = type_of(o->type)->parse(o, json_string_value(v), dst);
	if (hint == no_memory)
		options_problem(src, pointer, "%s", hint);
	else if (hint != NULL)
		refuse(src, o, pointer, v, hint);
}

static bool is_comment(const char *key)
{
	return strncmp(key, "//", 2) == 0;
}

/* The only key of {"file": path} or {"env": NAME}, with its value; false when it is not like that. */
static bool secret_key(json_t *object, const char **key, const char **value)
{
	const char *k;
	json_t *v;
	*key = NULL;
	*value = "";
	json_object_foreach(object, k, v)
	{
		if (is_comment(k))
			continue;
		if (*key != NULL || !json_is_string(v) ||
		    (strcmp(k, "file") != 0 && strcmp(k, "env") != 0))
			return false;
		*key = k;
		*value = json_string_value(v);
	}
	return *key != NULL && **value != '\0';
}

static void put_secret_elsewhere(const struct vpn_option *o, json_t *v, const char *pointer,
				 struct options_source *src, void *dst)
{
	const char *key, *value;
	struct vpn_error err = VPN_ERROR_INIT;
	if (!secret_key(v, &key, &value)) {
		options_problem(src, pointer,
				"a secret is a string, or {\"file\": path}, or {\"env\": NAME}");
		return;
	}
	bool is_file = strcmp(key, "file") == 0;
	char *text = is_file ? secret_read(src->folder, value, &err) : secret_from_env(value, &err);
	if (text == NULL) {
		options_problem(src, pointer, "%s", err.text);
		return;
	}
	const char *hint = type_of(o->type)->parse(o, text, dst);
	struct words w = {.len = 0};
	say_expected(&w, o);
	if (hint == no_memory)
		options_problem(src, pointer, "%s", hint);
	else if (hint != NULL)
		options_problem(src, pointer, "must be %s; what %s %s holds is not%s%s", w.text,
				is_file ? "file" : "environment variable", value,
				*hint != '\0' ? ": " : "", hint);
	secret_free(text);
}

static void put_object(const struct vpn_option *o, json_t *v, const char *pointer,
		       struct options_source *src, void *dst)
{
	if (!json_is_object(v)) {
		refuse(src, o, pointer, v, NULL);
		return;
	}
	void *inner = calloc(1, o->table->config_size);
	memcpy(dst, &inner, sizeof(inner));
	if (inner == NULL)
		options_problem(src, pointer, "%s", no_memory);
	else
		fill_table(o->table, v, pointer, nothing, src, inner);
}

static void put_value(const struct vpn_option *o, json_t *v, const char *pointer,
		      struct options_source *src, void *dst);

static void put_item(const struct vpn_option *item, json_t *v, const char *pointer,
		     struct options_source *src, void *dst)
{
	if (item->type == VPN_OPT_OBJECT && json_is_object(v))
		fill_table(item->table, v, pointer, nothing, src, dst);
	else
		put_value(item, v, pointer, src, dst);
}

static void put_list(const struct vpn_option *o, json_t *v, const char *pointer,
		     struct options_source *src, void *dst)
{
	if (!json_is_array(v) || !in_range(o, (int64_t)json_array_size(v))) {
		refuse(src, o, pointer, v, NULL);
		return;
	}
	struct vpn_option item = item_of(o);
	struct vpn_list list = {.item_size = item_size(o)};
	size_t n = json_array_size(v);
	char *items = n > 0 ? calloc(n, list.item_size) : NULL;
	list.items = items;
	list.count = items != NULL ? (uint32_t)n : 0;
	memcpy(dst, &list, sizeof(list));
	if (n > 0 && items == NULL)
		options_problem(src, pointer, "%s", no_memory);
	for (size_t i = 0; i < list.count; i++) {
		char number[24];
		snprintf(number, sizeof(number), "%zu", i);
		char *inner = position_join(pointer, number);
		if (inner == NULL)
			options_problem(src, pointer, "%s", no_memory);
		else
			put_item(&item, json_array_get(v, i), inner, src,
				 items + i * list.item_size);
		free(inner);
	}
}

static void put_value(const struct vpn_option *o, json_t *v, const char *pointer,
		      struct options_source *src, void *dst)
{
	switch (o->type) {
	case VPN_OPT_BOOL:
		put_bool(o, v, pointer, src, dst);
		break;
	case VPN_OPT_INT:
	case VPN_OPT_UINT:
		put_number(o, v, pointer, src, dst);
		break;
	case VPN_OPT_OBJECT:
		put_object(o, v, pointer, src, dst);
		break;
	case VPN_OPT_LIST:
		put_list(o, v, pointer, src, dst);
		break;
	default:
		if (o->type == VPN_OPT_SIZE && !json_is_string(v))
			put_number(o, v, pointer, src, dst);
		else if (json_is_object(v) && (o->flags & VPN_OPT_SECRET) != 0)
			put_secret_elsewhere(o, v, pointer, src, dst);
		else
			put_text(o, v, pointer, src, dst);
	}
}

/* A default, which is text, as JSON; NULL when it cannot be. */
static json_t *default_value(const struct vpn_option *o)
{
	const char *at = o->dflt;
	uint64_t number;
	switch (o->type) {
	case VPN_OPT_SIZE:
		if (!parse_digits(&at, &number) || *at != '\0')
			return json_string(o->dflt);
		return json_integer((json_int_t)number);
	case VPN_OPT_BOOL:
	case VPN_OPT_INT:
	case VPN_OPT_UINT:
	case VPN_OPT_OBJECT:
	case VPN_OPT_LIST:
		return json_loads(o->dflt, JSON_DECODE_ANY, NULL);
	default:
		return json_string(o->dflt);
	}
}

static void put_default(const struct vpn_option *o, const char *pointer, struct options_source *src,
			void *dst)
{
	if (o->dflt == NULL)
		return;
	json_t *v = default_value(o);
	if (v == NULL)
		options_problem(src, pointer, "the default cannot be used, or memory has run out");
	else
		put_value(o, v, pointer, src, dst);
	json_decref(v);
}

static void put_option(const struct vpn_option *o, json_t *object, const char *pointer,
		       struct options_source *src, void *config)
{
	char *dst = (char *)config + o->offset;
	json_t *v = json_object_get(object, o->name);
	char *inner = position_join(pointer, o->name);
	if (inner == NULL) {
		options_problem(src, pointer, "%s", no_memory);
	} else if (v != NULL) {
		put_value(o, v, inner, src, dst);
	} else if ((o->flags & VPN_OPT_REQUIRED) != 0) {
		struct words w = {.len = 0};
		say_expected(&w, o);
		options_problem(src, pointer, "\"%s\" is missing: %s", o->name, w.text);
	} else {
		put_default(o, inner, src, dst);
	}
	free(inner);
}

static bool is_known(const struct vpn_option_table *table, const char *const *ignore,
		     const char *key)
{
	for (; *ignore != NULL; ignore++)
		if (strcmp(*ignore, key) == 0)
			return true;
	for (uint32_t i = 0; table != NULL && i < table->n_options; i++)
		if (strcmp(options_at(table, i)->name, key) == 0)
			return true;
	return is_comment(key);
}

static void refuse_key(const struct vpn_option_table *table, const char *const *ignore,
		       const char *key, const char *pointer, struct options_source *src)
{
	struct suggest s;
	suggest_init(&s, key);
	for (uint32_t i = 0; table != NULL && i < table->n_options; i++)
		suggest_offer(&s, options_at(table, i)->name);
	for (; *ignore != NULL; ignore++)
		suggest_offer(&s, *ignore);
	char *inner = position_join(pointer, key);
	if (s.best != NULL)
		options_problem_at_key(src, inner != NULL ? inner : pointer,
				       "unknown key \"%.64s\"; did you mean \"%s\"?", key, s.best);
	else
		options_problem_at_key(src, inner != NULL ? inner : pointer,
				       "unknown key \"%.64s\"", key);
	free(inner);
}

static void fill_table(const struct vpn_option_table *table, json_t *object, const char *pointer,
		       const char *const *ignore, struct options_source *src, void *config)
{
	const char *key;
	json_t *v;
	for (uint32_t i = 0; table != NULL && i < table->n_options; i++)
		put_option(options_at(table, i), object, pointer, src, config);
	json_object_foreach(object, key, v)
	{
		if (!is_known(table, ignore, key))
			refuse_key(table, ignore, key, pointer, src);
	}
}

void *options_fill(const struct vpn_option_table *table, json_t *object, const char *pointer,
		   const char *const *ignore, struct options_source *src)
{
	void *config = table != NULL ? calloc(1, table->config_size) : NULL;
	if (table != NULL && config == NULL)
		options_problem(src, pointer, "%s", no_memory);
	else
		fill_table(table, object, pointer, ignore != NULL ? ignore : nothing, src, config);
	return config;
}

/* ---- freeing ------------------------------------------------------------------------------------ */

static void clear_table(const struct vpn_option_table *table, void *config);

static void clear_list(const struct vpn_option *o, struct vpn_list *list);

static void clear_value(const struct vpn_option *o, void *at)
{
	union {
		char *text;
		struct vpn_hostport hostport;
		struct vpn_bytes bytes;
		struct vpn_list list;
		void *object;
	} v;
	memcpy(&v, at, type_of(o->type)->size < sizeof(v) ? type_of(o->type)->size : sizeof(v));
	switch (o->type) {
	case VPN_OPT_STRING:
		secret_free(v.text);
		break;
	case VPN_OPT_HOSTPORT:
		free((char *)(uintptr_t)v.hostport.host);
		break;
	case VPN_OPT_BYTES:
		if (v.bytes.data != NULL)
			explicit_bzero((uint8_t *)(uintptr_t)v.bytes.data, v.bytes.len);
		free((uint8_t *)(uintptr_t)v.bytes.data);
		break;
	case VPN_OPT_OBJECT:
		options_free(o->table, v.object);
		break;
	case VPN_OPT_LIST:
		clear_list(o, &v.list);
		break;
	default:
		break;
	}
}

static void clear_list(const struct vpn_option *o, struct vpn_list *list)
{
	struct vpn_option item = item_of(o);
	char *items = (char *)(uintptr_t)list->items;
	for (uint32_t i = 0; i < list->count; i++) {
		char *at = items + (size_t)i * list->item_size;
		if (item.type == VPN_OPT_OBJECT)
			clear_table(item.table, at);
		else
			clear_value(&item, at);
	}
	free(items);
}

static void clear_table(const struct vpn_option_table *table, void *config)
{
	for (uint32_t i = 0; i < table->n_options; i++) {
		const struct vpn_option *o = options_at(table, i);
		clear_value(o, (char *)config + o->offset);
	}
	explicit_bzero(config, table->config_size);
}

void *options_free(const struct vpn_option_table *table, void *config)
{
	if (table != NULL && config != NULL)
		clear_table(table, config);
	free(config);
	return NULL;
}

/* ---- checking a plugin's table ------------------------------------------------------------------ */

static vpn_status vet_table(const struct vpn_option_table *table, unsigned depth,
			    struct vpn_error *err);

static vpn_status wrong(struct vpn_error *err, const struct vpn_option *o, const char *what)
{
	return fault(err, VPN_EABI, 0, "option \"%.40s\": %s", o->name, what);
}

static vpn_status vet_default(const struct vpn_option *o, struct vpn_error *err)
{
	union {
		uint64_t words[4];
		char bytes[32];
	} value = {.words = {0}};
	struct problems problems;
	struct options_source src = {.folder = "/", .problems = &problems};
	if (o->dflt == NULL)
		return VPN_OK;
	problems_init(&problems, "");
	put_default(o, "", &src, value.bytes);
	clear_value(o, value.bytes);
	bool good = problems.n_errors == 0;
	problems_clear(&problems);
	return good ? VPN_OK : wrong(err, o, "its default does not fit its own type and range");
}

static bool name_is_valid(const char *name)
{
	size_t n = strlen(name);
	return n > 0 && n <= SUGGEST_MAX && !is_comment(name) &&
	       strpbrk(name, "\"\\/~ \t\n") == NULL;
}

static vpn_status vet_type(const struct vpn_option *o, unsigned depth, struct vpn_error *err)
{
	uint32_t inner = o->type == VPN_OPT_LIST ? o->item_type : o->type;
	if (type_of(o->type) == NULL || type_of(inner) == NULL)
		return wrong(err, o, "a type that this vpncore does not know: the plugin is newer");
	if (o->type == VPN_OPT_LIST && inner == VPN_OPT_LIST)
		return wrong(err, o, "a list of lists");
	if (inner == VPN_OPT_ENUM && (o->choices == NULL || o->choices[0] == NULL))
		return wrong(err, o, "no choices");
	if ((o->flags & VPN_OPT_SECRET) != 0 && inner != VPN_OPT_STRING && inner != VPN_OPT_BYTES)
		return wrong(err, o, "a secret that is neither string nor bytes");
	if (inner != VPN_OPT_OBJECT)
		return VPN_OK;
	return o->table != NULL ? vet_table(o->table, depth + 1, err) : wrong(err, o, "no table");
}

static vpn_status vet_option(const struct vpn_option_table *table, uint32_t i, unsigned depth,
			     struct vpn_error *err)
{
	const struct vpn_option *o = options_at(table, i);
	if (o->name == NULL || !name_is_valid(o->name))
		return fault(err, VPN_EABI, 0, "option %u has no valid name", i);
	for (uint32_t k = 0; k < i; k++)
		if (strcmp(options_at(table, k)->name, o->name) == 0)
			return wrong(err, o, "the name stands twice");
	if ((o->flags >> 16) != 0)
		return wrong(err, o, "a flag that this vpncore does not know: the plugin is newer");
	vpn_status status = vet_type(o, depth, err);
	if (status != VPN_OK)
		return status;
	const struct type *t = type_of(o->type);
	if (o->offset % t->align != 0 || o->offset > table->config_size ||
	    table->config_size - o->offset < t->size)
		return wrong(err, o, "its offset is not inside of the struct");
	if (o->min > o->max)
		return wrong(err, o, "min is greater than max");
	return vet_default(o, err);
}

static vpn_status vet_table(const struct vpn_option_table *table, unsigned depth,
			    struct vpn_error *err)
{
	if (depth > DEPTH_MAX)
		return fault(err, VPN_EABI, 0, "more than %u tables inside each other", DEPTH_MAX);
	if (table->size < sizeof(*table) || table->option_size < sizeof(struct vpn_option) ||
	    table->option_size % _Alignof(struct vpn_option) != 0)
		return fault(err, VPN_EABI, 0, "a table is shorter than ABI 1.0 has it");
	if (table->n_options > OPTIONS_MAX || (table->n_options > 0 && table->options == NULL) ||
	    table->config_size == 0 || table->config_size > CONFIG_MAX)
		return fault(err, VPN_EABI, 0, "a table has %u options in a struct of %u bytes",
			     table->n_options, table->config_size);
	for (uint32_t i = 0; i < table->n_options; i++) {
		vpn_status status = vet_option(table, i, depth, err);
		if (status != VPN_OK)
			return status;
	}
	return VPN_OK;
}

vpn_status options_vet(const struct vpn_option_table *table, struct vpn_error *err)
{
	return vet_table(table, 0, err);
}
