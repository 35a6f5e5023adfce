/* SPDX-License-Identifier: BSD-2-Clause */
/* key: under which name resolvconf keeps our servers, and what it has there. */
#ifndef DNS_RESOLVCONF_KEY_H
#define DNS_RESOLVCONF_KEY_H

#include <stdbool.h>

#include "common/resolv.h"
#include "program.h"

#define RESOLVCONF_KEY_MAX 80u /* with its NUL: a device's name and a little */

/* Room for resolvconf_key_text(). */
#define RESOLVCONF_TEXT_MAX (DNS_RESOLV_TEXT_MAX + DNS_DOMAINS_MAX * 256u)

/* Makes the key of a device. openresolv: "NAME.vpncore". Debian's sorts by the patterns of a file, with
 * the text of which (NULL = there is none) `order` begins: the key begins with the first pattern there
 * that is a word and a "*", as "tun*", so that our servers come before those of network cards;
 * *ret_sorted says whether there was one. VPN_EINVAL for a name that cannot be part of a key. [any] */
vpn_status resolvconf_key_make(enum resolvconf_kind kind, const char *device, const char *order,
			       char key[RESOLVCONF_KEY_MAX], bool *ret_sorted,
			       struct vpn_error *err);

/* Whether resolvconf takes it and no shell sees more than a word in it. [any] */
bool resolvconf_key_is_sound(const char *key);

/* Reads the file of patterns that Debian's resolvconf sorts by. To be freed; NULL when there is none.
 * [main] */
char *resolvconf_key_order(void);

/* What to give it: servers and domains to search; for split DNS, with the domains that are ours.
 * Returns its length. [any] */
size_t resolvconf_key_text(const struct dns_options *o, bool split, char buf[RESOLVCONF_TEXT_MAX]);

/* Reads what is kept under a key. *ret_there false: nothing. The program is asked where no file of its
 * has the answer. `out` is to be cleared in any case. [main] */
vpn_status resolvconf_key_read(const struct resolvconf_program *p, const char *key,
			       struct dns_resolv *out, bool *ret_there, struct vpn_error *err);

/* Whether two say the same, however it is written: Debian's resolvconf rewrites what it is given. [any] */
bool resolvconf_key_same(const struct dns_resolv *a, const struct dns_resolv *b);

#endif
