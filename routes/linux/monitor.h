/* SPDX-License-Identifier: BSD-2-Clause */
/* monitor: hears of changes that may concern us, from rtnetlink(7) and nfnetlink. */
#ifndef ROUTES_MONITOR_H
#define ROUTES_MONITOR_H

#include <vpncore/plugin.h>

struct routes;
struct mnl_socket;

struct routes_monitor {
	struct mnl_socket *route; /* NULL = closed */
	struct mnl_socket *filter;
};

/* From now on the reconciler is stirred when addresses, links, rules, tables of nftables or routes of
 * ours change. [main] */
vpn_status routes_monitor_open(struct routes *r, struct vpn_error *err);
void routes_monitor_close(struct routes *r); /* also when not open */

#endif
