/* SPDX-License-Identifier: BSD-2-Clause */
#include "option_words.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>

#include "option_type.h"
#include "suggest.h"

static void say(struct option_words *w, const char *format, ...) PROBLEMS_PRINTF(2, 3);

static void say(struct option_words *w, const char *format, ...)
{
	va_list args;
	va_start(args, format);
	int n = vsnprintf(w->text + w->len, sizeof(w->text) - w->len, format, args);
	va_end(args);
	if (n > 0)
		w->len += (size_t)n < sizeof(w->text) - w->len ? (size_t)n
							       : sizeof(w->text) - w->len - 1;
}

/* A bound as one writes it in the manifest: 10, "250ms", "64KiB". */
static void say_bound(struct option_words *w, uint32_t type, int64_t v)
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

static void say_choices(struct option_words *w, const struct vpn_option *o)
{
	for (size_t i = 0; o->choices[i] != NULL; i++)
		say(w, "%s\"%s\"", i > 0 ? ", " : "", o->choices[i]);
}

static void say_range(struct option_words *w, const struct vpn_option *o)
{
	bool counted = o->type == VPN_OPT_STRING || o->type == VPN_OPT_BYTES ||
		       o->type == VPN_OPT_LIST;
	const char *unit = o->type == VPN_OPT_LIST ? "item" : "byte";
	if (!option_has_range(o)) {
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
void option_say_expected(struct option_words *w, const struct vpn_option *o)
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
			    : option_type_of(o->type)->expected);
		if ((o->type == VPN_OPT_INT || o->type == VPN_OPT_UINT) && o->unit != NULL)
			say(w, " of %s", o->unit);
		say_range(w, o);
		if ((o->flags & VPN_OPT_PORT_RANGE) != 0)
			say(w, ", or with a range of ports such as \"192.0.2.1:4000-4100\"");
	}
	if ((o->flags & VPN_OPT_SECRET) != 0)
		say(w, ", or {\"file\": path}, or {\"env\": NAME}");
}

static void say_found(struct option_words *w, const json_t *v, bool secret)
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

static void say_nearest(struct option_words *w, const char *word, const char *const *names)
{
	struct suggest s;
	suggest_init(&s, word);
	for (; *names != NULL; names++)
		suggest_offer(&s, *names);
	if (s.best != NULL)
		say(w, "; did you mean \"%s\"?", s.best);
}

/* "must be EXPECTED, not FOUND; HINT" */
void option_refuse(struct options_source *src, const struct vpn_option *o, const char *pointer,
		   const json_t *found, const char *hint)
{
	struct option_words w = {.len = 0};
	bool secret = (o->flags & VPN_OPT_SECRET) != 0;
	say(&w, "must be ");
	option_say_expected(&w, o);
	say(&w, ", not ");
	say_found(&w, found, secret);
	if (hint != NULL && *hint != '\0')
		say(&w, "; %s", hint);
	if (o->type == VPN_OPT_ENUM && json_is_string(found) && !secret)
		say_nearest(&w, json_string_value(found), o->choices);
	options_problem(src, pointer, "%s", w.text);
}
