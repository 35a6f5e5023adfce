/* SPDX-License-Identifier: BSD-2-Clause */
/* describe_value: the type and range of an option in words. */
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "describe.h"

struct words {
	char *text;
	size_t size;
	size_t len;
};

static void add(struct words *w, const char *format, ...) __attribute__((format(printf, 2, 3)));

static void add(struct words *w, const char *format, ...)
{
	va_list ap;
	va_start(ap, format);
	int n = vsnprintf(w->text + w->len, w->size - w->len, format, ap);
	va_end(ap);
	if (n > 0)
		w->len += (size_t)n < w->size - w->len ? (size_t)n : w->size - w->len - 1;
}

bool describe_has_range(const struct vpn_option *o)
{
	return o->min != o->max || o->min != 0;
}

/* One value of a type, and several. A HOSTPORT and a PREFIX depend on flags too. */
static const struct {
	const char *one;
	const char *many;
} type_words[] = {
	[VPN_OPT_BOOL] = {"true or false", "true or false"},
	[VPN_OPT_INT] = {"integer", "integers"},
	[VPN_OPT_UINT] = {"integer", "integers"},
	[VPN_OPT_STRING] = {"text", "texts"},
	[VPN_OPT_ENUM] = {"one of", "any of"},
	[VPN_OPT_DURATION] = {"duration", "durations"},
	[VPN_OPT_SIZE] = {"size", "sizes"},
	[VPN_OPT_ADDRESS] = {"IP address", "IP addresses"},
	[VPN_OPT_PREFIX] = {"address/length", "address/length"},
	[VPN_OPT_HOSTPORT] = {"host:port", "host:port"},
	[VPN_OPT_MAC] = {"MAC address", "MAC addresses"},
	[VPN_OPT_BYTES] = {"base64 or hex", "base64 or hex"},
	[VPN_OPT_OBJECT] = {"object", "objects"},
	[VPN_OPT_LIST] = {"list", "lists"},
};

static const char *words_of(uint32_t type, uint32_t flags, bool many)
{
	if (type == VPN_OPT_PREFIX && (flags & VPN_OPT_NETWORK) != 0)
		return "network/length";
	if (type == VPN_OPT_HOSTPORT && (flags & VPN_OPT_PORT_RANGE) != 0)
		return "host:port or host:first-last";
	if (type == 0 || type >= sizeof(type_words) / sizeof(type_words[0]))
		return "unknown type";
	return many ? type_words[type].many : type_words[type].one;
}

/* The largest unit that divides the value. Units go from large to small and end with size 1. */
static void add_scaled(struct words *w, int64_t value, const int64_t *sizes,
		       const char *const *names)
{
	size_t i = 0;
	while (sizes[i] > 1 && (value == 0 || value % sizes[i] != 0))
		i++;
	add(w, "%" PRId64 "%s", value / sizes[i], names[i]);
}

static void add_bound(struct words *w, uint32_t type, int64_t value)
{
	static const int64_t times[] = {3600000, 60000, 1000, 1};
	static const char *const time_names[] = {"h", "m", "s", "ms"};
	static const int64_t sizes[] = {1 << 30, 1 << 20, 1 << 10, 1};
	static const char *const size_names[] = {"GiB", "MiB", "KiB", ""};
	if (type == VPN_OPT_DURATION)
		add_scaled(w, value, times, time_names);
	else if (type == VPN_OPT_SIZE)
		add_scaled(w, value, sizes, size_names);
	else
		add(w, "%" PRId64, value);
}

/* What min and max count, where it is not the value itself. */
static const char *counted(const struct vpn_option *o)
{
	if (o->type == VPN_OPT_STRING || o->type == VPN_OPT_BYTES)
		return "bytes";
	if (o->type == VPN_OPT_LIST)
		return o->min == o->max && o->min == 1 ? "item" : "items";
	return o->type == VPN_OPT_INT || o->type == VPN_OPT_UINT ? o->unit : NULL;
}

static void add_range(struct words *w, const struct vpn_option *o)
{
	bool counts = o->type == VPN_OPT_STRING || o->type == VPN_OPT_BYTES ||
		      o->type == VPN_OPT_LIST;
	add(w, ", ");
	if (o->min == o->max) {
		add_bound(w, o->type, o->min);
	} else if (o->max == INT64_MAX) {
		add(w, "at least ");
		add_bound(w, o->type, o->min);
	} else if (o->min == INT64_MIN || (counts && o->min == 0)) {
		add(w, "at most ");
		add_bound(w, o->type, o->max);
	} else {
		add_bound(w, o->type, o->min);
		add(w, " to ");
		add_bound(w, o->type, o->max);
	}
}

static void add_choices(struct words *w, const char *const *choices)
{
	for (size_t i = 0; choices != NULL && choices[i] != NULL; i++)
		add(w, "%s %s", i == 0 ? "" : ",", choices[i]);
}

void describe_value(const struct vpn_option *o, char *text, size_t size)
{
	struct words w = {.text = text, .size = size};
	text[0] = '\0';
	add(&w, "%s", words_of(o->type, o->flags, false));
	if (o->type == VPN_OPT_LIST)
		add(&w, " of %s", words_of(o->item_type, o->flags, true));
	if (o->type == VPN_OPT_ENUM || (o->type == VPN_OPT_LIST && o->item_type == VPN_OPT_ENUM))
		add_choices(&w, o->choices);
	if (describe_has_range(o))
		add_range(&w, o);
	const char *unit = counted(o);
	if (unit != NULL && (describe_has_range(o) || o->unit != NULL))
		add(&w, "%s%s", describe_has_range(o) ? " " : " of ", unit);
}
