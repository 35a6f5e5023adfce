/* SPDX-License-Identifier: BSD-2-Clause */
/* settings: what systemd-resolved is told of one interface; also as a record of the journal. */
#ifndef RESOLVED_SETTINGS_H
#define RESOLVED_SETTINGS_H

#include <stdbool.h>
#include <stddef.h>
#include <systemd/sd-bus.h>
#include <vpncore/plugin.h>

#include "common/options.h"

#define RESOLVED_RECORD_VERSION 1u

/* "~", a name of 253 bytes and its end fit into 256. */
#define RESOLVED_DOMAIN_MAX   256u
#define RESOLVED_DOMAIN_BYTES ((size_t)(2 * DNS_DOMAINS_MAX) * RESOLVED_DOMAIN_MAX)

/* Fixed layout: as a record, up to the last byte of `domains` that is used. Written and read on one
 * machine: numbers are in its own order. */
struct resolved_settings {
	uint32_t version;
	uint32_t ifindex;
	char ifname[64];
	uint32_t default_route; /* 0, 1 */
	uint32_t n_servers;
	struct vpn_address servers[DNS_SERVERS_MAX];
	uint32_t n_domains;
	uint32_t domain_bytes;
	/* one behind the other, each with its NUL; "~" in front: names below it are asked here, and it is
	 * not searched; without: it is searched too. "~." is the root. */
	char domains[RESOLVED_DOMAIN_BYTES];
};
VPN_STATIC_ASSERT(offsetof(struct resolved_settings, domains) == 408, "resolved_settings");
VPN_STATIC_ASSERT(sizeof(struct resolved_settings) <= VPN_JOURNAL_BYTES_MAX, "resolved_settings");

/* What the manifest says, for this device. A domain in both of its lists is searched. */
void resolved_settings_make(struct resolved_settings *s, const struct dns_options *o,
			    const struct vpn_device_info *device);

/* Adds one; false when there is no room for it. */
bool resolved_settings_add_server(struct resolved_settings *s, const struct vpn_address *a);
bool resolved_settings_add_domain(struct resolved_settings *s, const char *name, bool route_only);

/* The domain behind `before`, the first one for NULL; NULL behind the last. */
const char *resolved_settings_next(const struct resolved_settings *s, const char *before);

/* Whether the servers, or the domains, of two are the same, in the same order. */
bool resolved_settings_same_servers(const struct resolved_settings *a,
				    const struct resolved_settings *b);
bool resolved_settings_same_domains(const struct resolved_settings *a,
				    const struct resolved_settings *b);

/* As a record: its length, and the reading of one, which may be anything. False: it makes no sense. */
size_t resolved_settings_len(const struct resolved_settings *s);
bool resolved_settings_read(struct resolved_settings *s, const void *record, size_t len);

/* Append the arguments of SetLinkDNS, SetLinkDomains and SetLinkDefaultRoute. Negative errno. */
int resolved_settings_append_servers(const struct resolved_settings *s, sd_bus_message *m);
int resolved_settings_append_domains(const struct resolved_settings *s, sd_bus_message *m);
int resolved_settings_append_default_route(const struct resolved_settings *s, sd_bus_message *m);

#endif
