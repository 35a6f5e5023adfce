/* SPDX-License-Identifier: BSD-2-Clause */
/* option_type: the types that an option can have: size, name, and how its text is read. */
#ifndef VPNCORE_CORE_OPTION_TYPE_H
#define VPNCORE_CORE_OPTION_TYPE_H

#include <stdbool.h>
#include <vpncore/plugin.h>

/* What a text parser returns: NULL when it is good, else a hint for the message, or "". */
typedef const char *option_parse_text(const struct vpn_option *o, const char *text, void *dst);

struct option_type {
	const char *name;
	uint32_t size; /* in the struct */
	uint32_t align;
	option_parse_text *parse; /* NULL: not written as a string */
	const char *expected;
};

/* The hint of a parser that could not allocate, to be compared by its address. */
extern const char option_no_memory[];

const struct option_type *option_type_of(uint32_t type); /* NULL: no such type */

/* The option that describes one item of a list, and the item's size in the struct. */
struct vpn_option option_item(const struct vpn_option *list);
uint32_t option_item_size(const struct vpn_option *list);

bool option_has_range(const struct vpn_option *o);
bool option_in_range(const struct vpn_option *o, int64_t v);

/* Reads decimal digits and moves *text behind them. False: none, or too large. */
bool option_parse_digits(const char **text, uint64_t *ret);

#endif
