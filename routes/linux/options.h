/* SPDX-License-Identifier: BSD-2-Clause */
/* options: what the manifest says under "routes". */
#ifndef ROUTES_OPTIONS_H
#define ROUTES_OPTIONS_H

#include <stdbool.h>
#include <vpncore/plugin.h>

enum routes_lan { ROUTES_LAN_ON, ROUTES_LAN_OFF, ROUTES_LAN_LIST };
enum routes_kill_switch { ROUTES_KILL_OFF, ROUTES_KILL_ON, ROUTES_KILL_LOCKDOWN };

/* The metric of what one peer allows. */
struct routes_peer_metric {
	struct vpn_bytes public_key; /* 32 bytes */
	uint64_t metric;
};

struct routes_options {
	struct vpn_list networks;     /* struct vpn_prefix */
	struct vpn_list exclude;      /* struct vpn_prefix */
	struct vpn_list lan_networks; /* struct vpn_prefix */
	struct vpn_list gateways;     /* struct vpn_address */
	struct vpn_list peer_metrics; /* struct routes_peer_metric */
	uint64_t metric;
	uint64_t mtu;
	uint64_t table;
	uint64_t preference;
	uint64_t mark;
	uint64_t mask;
	uint64_t protocol;
	uint32_t is_default;
	uint32_t allowed_ips;
	uint32_t lan_access;  /* enum routes_lan */
	uint32_t kill_switch; /* enum routes_kill_switch */
	uint32_t nat;
	uint32_t mss_clamp;
};

extern const struct vpn_option_table routes_option_table;

/* The lifecycle's function, see plugin.h section 11. [main] */
vpn_status routes_options_validate(const void *config, struct vpn_error *err);

static inline const struct vpn_prefix *routes_options_prefix(const struct vpn_list *l, uint32_t i)
{
	return (const void *)((const char *)l->items + (size_t)i * l->item_size);
}

/* The gateway of a family on an ethernet device, NULL = none. [any] */
const struct vpn_address *routes_options_gateway(const struct routes_options *o, uint8_t family);

/* The metric of the prefixes that a peer allows, by its 32 bytes of public key. [any] */
uint32_t routes_options_metric(const struct routes_options *o, const uint8_t key[32]);

#endif
