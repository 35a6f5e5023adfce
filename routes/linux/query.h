/* SPDX-License-Identifier: BSD-2-Clause */
/* query: how the system routes now: VPN_EXT_ROUTE_QUERY of plugin.h. Needs no privilege. */
#ifndef ROUTES_QUERY_H
#define ROUTES_QUERY_H

#include <vpncore/plugin.h>

extern const struct vpn_route_query_ext routes_query_ext;

#endif
