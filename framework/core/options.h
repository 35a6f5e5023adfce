/* SPDX-License-Identifier: BSD-2-Clause */
/* options: fills a component's plain struct from JSON by its option table (plugin.h section 7). */
#ifndef VPNCORE_CORE_OPTIONS_H
#define VPNCORE_CORE_OPTIONS_H

#include <jansson.h>
#include <vpncore/plugin.h>

#include "position.h"
#include "problems.h"

/* Where the JSON comes from, and where problems go. */
struct options_source {
	const struct positions *positions; /* NULL = places are not known */
	const char *folder;                /* relative paths of secrets start here */
	struct problems *problems;
};

/*
 * Checks `object` against `table` and returns the filled struct, or NULL on lack of memory (which is
 * a problem on the list, too). Problems (unknown keys with the nearest name, types, ranges, missing
 * ones, secrets) are added to the source's list; the struct is complete only if none was added.
 * `pointer` is that of the object. `ignore` names keys that are not the component's ("transport",
 * "device", "plugin"), NULL-terminated. With `table` NULL there are no options: NULL is returned. [main]
 */
void *options_fill(const struct vpn_option_table *table, json_t *object, const char *pointer,
		   const char *const *ignore, struct options_source *src);

/* Wipes all values and frees everything. Accepts NULL. Returns NULL. */
void *options_free(const struct vpn_option_table *table, void *config);

/*
 * Checks a plugin's table before it is used: sizes, names, types, offsets, tables inside, defaults.
 * VPN_EABI and a text when it is wrong. [main]
 */
vpn_status options_vet(const struct vpn_option_table *table, struct vpn_error *err);

/* The i-th option of a table, by its stride. */
const struct vpn_option *options_at(const struct vpn_option_table *table, uint32_t i);

const char *options_type_name(uint32_t type);

/* Adds a problem with the place of a value, or of its key. */
void options_problem(struct options_source *src, const char *pointer, const char *format, ...)
	PROBLEMS_PRINTF(3, 4);
void options_problem_at_key(struct options_source *src, const char *pointer, const char *format,
			    ...) PROBLEMS_PRINTF(3, 4);

#endif
