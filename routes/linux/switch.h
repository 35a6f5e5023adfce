/* SPDX-License-Identifier: BSD-2-Clause */
/* switch: single values under /proc/sys. Results are 0 or a positive errno. [main] */
#ifndef ROUTES_SWITCH_H
#define ROUTES_SWITCH_H

#include "object.h"

/* The value without its newline; EOVERFLOW when it is longer. `path` is as in struct routes_switch. */
int routes_switch_read(const char *path, char value[ROUTES_SWITCH_VALUE]);
int routes_switch_write(const char *path, const char *value);

#define ROUTES_FORWARD4  "net/ipv4/ip_forward"
#define ROUTES_FORWARD6  "net/ipv6/conf/all/forwarding"
#define ROUTES_REDIRECTS "net/ipv4/conf/all/accept_redirects"

/* A value that changes when another one is set back. */
struct routes_along {
	struct routes_switch set; /* what it will be then */
	char before[ROUTES_SWITCH_VALUE];
};

/* What setting `path` to 1 and back to 0 would lose: the kernel writes both into every interface
 * (inet_forward_change() and addrconf_fixup_forwarding()). Appends struct routes_along. */
int routes_switch_along(const char *path, struct routes_list *ret);

/* Whether the path is one of those that this plugin changes: for records of unknown origin. [any] */
bool routes_switch_is_ours(const char *path);

#endif
