/* SPDX-License-Identifier: BSD-2-Clause */
/* system: what resolvconf has made of the machine's resolv.conf. */
#ifndef DNS_RESOLVCONF_SYSTEM_H
#define DNS_RESOLVCONF_SYSTEM_H

#include <stdbool.h>

#include "child.h"
#include "common/resolv.h"
#include "program.h"

#define RESOLVCONF_FILE "/etc/resolv.conf"

/* Whether resolv.conf has one of these servers. [main] */
bool resolvconf_system_asks(const struct dns_resolv *servers);

/* Whether resolv.conf is of resolvconf's making: a link into its folder, or with its name in the first
 * lines. [main] */
bool resolvconf_system_is_product(void);

/* Whether there is a file of this name. [main] */
bool resolvconf_system_has(const char *path);

/* Refuses a machine where somebody else is asked, before anything is changed. [main] */
vpn_status resolvconf_system_fits(struct vpn_error *err);

/* Behind a call that gave it our servers: whether the system asks them first now, itself or through a
 * resolver on this machine that resolvconf tells. VPN_EBUSY with what is in the way; servers of others
 * in front of ours give a line in the log. [main] */
vpn_status resolvconf_system_verify(const struct vpn_host *host, const struct resolvconf_program *p,
				    const struct resolvconf_child *call,
				    const struct dns_options *o, struct vpn_error *err);

#endif
