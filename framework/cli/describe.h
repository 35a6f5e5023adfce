/* SPDX-License-Identifier: BSD-2-Clause */
/* describe: what a component is and which options it has, as text for people and as JSON. */
#ifndef VPNCORE_CLI_DESCRIBE_H
#define VPNCORE_CLI_DESCRIBE_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>

#include "loader.h"

/* What a value of the option looks like: "integer, 0 to 65535 bytes". Cut at `size` bytes. */
void describe_value(const struct vpn_option *o, char *text, size_t size);

/* True when the option's min and max apply (plugin.h section 7). */
bool describe_has_range(const struct vpn_option *o);

/* Fills *out with what the component needs when no option is set. False when it has options that
 * must be set, or says nothing of needs. [main] */
bool describe_needs(const struct loaded *c, struct vpn_needs *out);

/* Names of the properties that are set, one with each call: *i begins with 0. NULL at the end. */
const char *describe_property(const struct vpn_needs *needs, size_t *i);

/* Prints the page of `vpncore plugin show` on stdout, for 80 columns. [main] */
void describe_text(const struct loaded *c);

/* The same as an object; NULL without memory. New reference. [main] */
json_t *describe_json(const struct loaded *c);

#endif
