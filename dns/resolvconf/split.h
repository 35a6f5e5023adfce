/* SPDX-License-Identifier: BSD-2-Clause */
/* split: whether openresolv can send some names to our servers and leave the others alone. */
#ifndef DNS_RESOLVCONF_SPLIT_H
#define DNS_RESOLVCONF_SPLIT_H

#include <stdbool.h>
#include <stddef.h>

#include "common/options.h"
#include "program.h"

#define RESOLVCONF_CONFIG      "/etc/resolvconf.conf"
#define RESOLVCONF_SPLIT_FILES 5u

/* libc asks the same servers for all names. So it takes a resolver on this machine that libc asks, and
 * that resolvconf tells in a file which servers are for which names. VPN_ENOTSUP when there is none.
 * [main] */
vpn_status resolvconf_split_check(const struct resolvconf_program *p, uint32_t limit_ms,
				  struct vpn_error *err);

/* The files for that which the text of resolvconf.conf(5) names, one for each kind of resolver: the
 * i-th of RESOLVCONF_SPLIT_FILES; false when there is none. [any] */
bool resolvconf_split_file(const char *config, size_t i, char file[RESOLVCONF_PATH_MAX]);

/* Behind a call: whether one of these files names our domains now. [main] */
vpn_status resolvconf_split_verify(const struct dns_options *o, struct vpn_error *err);

#endif
