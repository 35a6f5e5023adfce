/* SPDX-License-Identifier: BSD-2-Clause */
/* watch: notices when others change what resolvconf has under our key. */
#ifndef DNS_RESOLVCONF_WATCH_H
#define DNS_RESOLVCONF_WATCH_H

#include "key.h"

struct resolvconf; /* resolvconf.h */

/* [main], all. close() is idempotent; follow() watches what of the folders has come anew. */
vpn_status resolvconf_watch_open(struct resolvconf *r, struct vpn_error *err);
void resolvconf_watch_follow(struct resolvconf *r);
void resolvconf_watch_close(struct resolvconf *r);

#endif
