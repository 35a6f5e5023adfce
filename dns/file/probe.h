/* SPDX-License-Identifier: BSD-2-Clause */
/* probe: who has /etc/resolv.conf in hand, and what is in it. */
#ifndef DNS_FILE_PROBE_H
#define DNS_FILE_PROBE_H

#include <vpncore/plugin.h>

#define DNS_FILE_PATH "/etc/resolv.conf"

/* vpn_probe_ext.probe of any file. [main] */
uint32_t dns_file_probe(const char *path, struct vpn_error *why);

/* vpn_component.get_static: VPN_EXT_PROBE and VPN_EXT_DNS_QUERY. [any] */
const void *dns_file_get_static(const char *id);

#endif
