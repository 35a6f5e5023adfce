/* SPDX-License-Identifier: BSD-2-Clause */
/* program: the system's resolvconf(8): where it is, and whose. */
#ifndef DNS_RESOLVCONF_PROGRAM_H
#define DNS_RESOLVCONF_PROGRAM_H

#include <vpncore/plugin.h>

#define RESOLVCONF_PATH_MAX 256u /* with its NUL */

/* For one run of it. openresolv waits ten seconds for another one of its kind. */
#define RESOLVCONF_LIMIT_MS 10000u

enum resolvconf_kind {
	RESOLVCONF_OPENRESOLV = 1,
	RESOLVCONF_DEBIAN = 2,
};

struct resolvconf_program {
	enum resolvconf_kind kind;
	char path[RESOLVCONF_PATH_MAX];
	char version[64]; /* "openresolv 3.12.0" */
};

/* Whether root may run this: an absolute path, of a program, that nobody else can change. VPN_ENOENT
 * when there is none. [main] */
vpn_status resolvconf_program_check(const char *path, const char *where, struct vpn_error *err);

/* Finds it, at `command` or where systems have it when that is NULL, and asks it who it is.
 * VPN_ENOENT when there is none, VPN_ENOTSUP for one that we cannot work with. [main] */
vpn_status resolvconf_program_find(const char *command, uint32_t limit_ms,
				   struct resolvconf_program *out, struct vpn_error *err);

#endif
