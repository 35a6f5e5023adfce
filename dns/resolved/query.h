/* SPDX-License-Identifier: BSD-2-Clause */
/* query: what needs no instance: the probe, and which servers the system asks. */
#ifndef RESOLVED_QUERY_H
#define RESOLVED_QUERY_H

#include <vpncore/plugin.h>

/* vpn_component.get_static of plugin.h: VPN_EXT_PROBE, VPN_EXT_DNS_QUERY. [any] */
const void *resolved_query_get(const char *id);

#endif
