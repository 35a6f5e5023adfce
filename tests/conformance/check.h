/* SPDX-License-Identifier: BSD-2-Clause */
/* check: counts what holds and prints what does not. */
#ifndef CONFORMANCE_CHECK_H
#define CONFORMANCE_CHECK_H

#include <stdbool.h>
#include <vpncore/plugin.h>

/* Prints "not ok - " and the text when `holds` is false. Returns `holds`. */
bool check(bool holds, const char *format, ...) __attribute__((format(printf, 2, 3)));

unsigned check_count(void);
unsigned check_failures(void);

/* Lower-case letters, digits and '_', beginning with a letter. */
bool is_snake_case(const char *name);
bool is_one_line(const char *text); /* not NULL, not empty, no line break */

/* check_tables.c: options and counters of a component. */
void check_options(const char *where, const struct vpn_option_table *table);
void check_counters(const struct vpn_component *c);

/* check_life.c: what a component does, with the options of a JSON object. */
void check_life(const struct vpn_component *c, const char *json);

#endif
