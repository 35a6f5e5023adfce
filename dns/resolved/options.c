/* SPDX-License-Identifier: BSD-2-Clause */
#include "options.h"

#include <stdio.h>
#include <string.h>

#include "common/fault.h"
#include "common/options.h"

/* 127.0.0.53 and .54 are systemd-resolved's own (systemd-resolved.service(8)), which refuses to ask
 * itself. */
static bool is_itself(const struct vpn_address *a)
{
	static const uint8_t net[3] = {127, 0, 0};
	return a->family == VPN_AF_INET && memcmp(a->addr, net, sizeof(net)) == 0 &&
	       (a->addr[3] == 53 || a->addr[3] == 54);
}

vpn_status resolved_options_validate(const void *config, struct vpn_error *err)
{
	const struct dns_options *o = config;
	char where[32];
	vpn_status status = dns_options_validate(o, err);
	for (uint32_t i = 0; i < o->servers.count && status == VPN_OK; i++) {
		if (!is_itself(dns_options_server(o, i)))
			continue;
		snprintf(where, sizeof(where), "/servers/%u", i);
		status = dns_fault(err, VPN_EINVAL, 0, where,
				   "this is systemd-resolved itself: give the address of a server "
				   "that it can ask");
	}
	return status;
}

static const struct vpn_option rows[] = {DNS_OPTION_ROWS};

const struct vpn_option_table resolved_option_table = VPN_OPTION_TABLE(rows, struct dns_options);
