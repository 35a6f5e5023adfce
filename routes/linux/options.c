/* SPDX-License-Identifier: BSD-2-Clause */
#include "options.h"

#include <stdio.h>
#include <string.h>
#include <vpncore/tcpip.h>

#include "fault.h"
#include "prefix.h"

#define KEY_BYTES 32u

const struct vpn_address *routes_options_gateway(const struct routes_options *o, uint8_t family)
{
	for (uint32_t i = 0; i < o->gateways.count; i++) {
		const struct vpn_address *a = (const void *)((const char *)o->gateways.items +
							     (size_t)i * o->gateways.item_size);
		if (a->family == family)
			return a;
	}
	return NULL;
}

static const struct routes_peer_metric *metric_at(const struct routes_options *o, uint32_t i)
{
	return (const void *)((const char *)o->peer_metrics.items +
			      (size_t)i * o->peer_metrics.item_size);
}

uint32_t routes_options_metric(const struct routes_options *o, const uint8_t key[32])
{
	for (uint32_t i = 0; i < o->peer_metrics.count; i++)
		if (memcmp(metric_at(o, i)->public_key.data, key, KEY_BYTES) == 0)
			return (uint32_t)metric_at(o, i)->metric;
	return (uint32_t)o->metric;
}

/* ---- what the table cannot say ---- */

static vpn_status check_networks(const struct routes_options *o, struct vpn_error *err)
{
	char where[64];
	for (uint32_t i = 0; i < o->networks.count; i++) {
		const struct vpn_prefix *p = routes_options_prefix(&o->networks, i);
		snprintf(where, sizeof(where), "/networks/%u", i);
		if (p->length == 0)
			return routes_fault(err, VPN_EINVAL, 0, where,
					    "this is every address: for a full tunnel write "
					    "\"default\": true instead, which also keeps the "
					    "tunnel's own packets out of it");
		if (routes_prefix_is_multicast(p) || routes_prefix_is_loopback(p))
			return routes_fault(err, VPN_EINVAL, 0, where,
					    "addresses of this kind are not routed");
		for (uint32_t k = 0; k < i; k++)
			if (routes_prefix_equal(p, routes_options_prefix(&o->networks, k)))
				return routes_fault(err, VPN_EINVAL, 0, where,
						    "the same network stands at /networks/%u", k);
	}
	return VPN_OK;
}

/* A network that is excluded as a whole can never be routed. */
static vpn_status check_exclude(const struct routes_options *o, struct vpn_error *err)
{
	char where[64];
	for (uint32_t i = 0; i < o->exclude.count; i++) {
		const struct vpn_prefix *x = routes_options_prefix(&o->exclude, i);
		snprintf(where, sizeof(where), "/exclude/%u", i);
		if (x->length == 0)
			return routes_fault(err, VPN_EINVAL, 0, where,
					    "this excludes every address: leave \"routes\" out to "
					    "route nothing");
		for (uint32_t k = 0; k < o->networks.count; k++)
			if (routes_prefix_covers(x, routes_options_prefix(&o->networks, k)))
				return routes_fault(
					err, VPN_EINVAL, 0, where,
					"this excludes all of /networks/%u: take one of them out",
					k);
	}
	return VPN_OK;
}

static vpn_status check_lan(const struct routes_options *o, struct vpn_error *err)
{
	bool is_list = o->lan_access == ROUTES_LAN_LIST;
	if (is_list && o->lan_networks.count == 0)
		return routes_fault(err, VPN_EINVAL, 0, "/lan_access",
				    "\"list\" needs \"lan_networks\": the networks that may be "
				    "reached beside the tunnel, [\"192.168.0.0/16\"] for example");
	if (!is_list && o->lan_networks.count != 0)
		return routes_fault(err, VPN_EINVAL, 0, "/lan_networks",
				    "has no effect without \"lan_access\": \"list\"");
	return VPN_OK;
}

static vpn_status check_gateways(const struct routes_options *o, struct vpn_error *err)
{
	for (uint32_t i = 0; i < o->gateways.count; i++) {
		const struct vpn_address *a = (const void *)((const char *)o->gateways.items +
							     (size_t)i * o->gateways.item_size);
		if (routes_options_gateway(o, a->family) != a)
			return routes_fault(err, VPN_EINVAL, 0, "/gateways",
					    "one gateway for each of IPv4 and IPv6 is the most");
	}
	return VPN_OK;
}

static vpn_status check_metrics(const struct routes_options *o, struct vpn_error *err)
{
	char where[64];
	for (uint32_t i = 0; i < o->peer_metrics.count; i++)
		for (uint32_t k = 0; k < i; k++) {
			if (memcmp(metric_at(o, i)->public_key.data,
				   metric_at(o, k)->public_key.data, KEY_BYTES) != 0)
				continue;
			snprintf(where, sizeof(where), "/peer_metrics/%u/public_key", i);
			return routes_fault(err, VPN_EINVAL, 0, where,
					    "the same peer stands at /peer_metrics/%u", k);
		}
	return VPN_OK;
}

static vpn_status check_numbers(const struct routes_options *o, struct vpn_error *err)
{
	if ((o->mark & o->mask) == 0 || (o->mark & ~o->mask) != 0)
		return routes_fault(err, VPN_EINVAL, 0, "/mark",
				    "0x%llx is not a mark within the mask 0x%llx: some bit of the "
				    "mask has to be set, and none outside of it",
				    (unsigned long long)o->mark, (unsigned long long)o->mask);
	if (o->table >= 253 && o->table <= 255)
		return routes_fault(err, VPN_EINVAL, 0, "/table",
				    "253, 254 and 255 are the system's own tables default, main "
				    "and local: choose another number, or 0");
	if (o->mtu != 0 && o->mtu < 68)
		return routes_fault(err, VPN_EINVAL, 0, "/mtu",
				    "%llu is less than 68, the least that IPv4 knows (RFC 791)",
				    (unsigned long long)o->mtu);
	return VPN_OK;
}

vpn_status routes_options_validate(const void *config, struct vpn_error *err)
{
	static vpn_status (*const checks[])(const struct routes_options *, struct vpn_error *) = {
		check_networks, check_exclude, check_lan,
		check_gateways, check_metrics, check_numbers};
	for (size_t i = 0; i < sizeof(checks) / sizeof(checks[0]); i++) {
		vpn_status status = checks[i](config, err);
		if (status != VPN_OK)
			return status;
	}
	return VPN_OK;
}

/* ---- the table ---- */

static const char *const lan_choices[] = {"on", "off", "list", NULL};
static const char *const kill_choices[] = {"off", "on", "lockdown", NULL};

#define AT(field)      ((uint32_t)offsetof(struct routes_options, field))
#define PEER_AT(field) ((uint32_t)offsetof(struct routes_peer_metric, field))

static const struct vpn_option peer_options[] = {
	{.name = "public_key",
	 .type = VPN_OPT_BYTES,
	 .flags = VPN_OPT_REQUIRED,
	 .min = KEY_BYTES,
	 .max = KEY_BYTES,
	 .offset = PEER_AT(public_key),
	 .doc = "The peer's public key, as the transport has it."},
	{.name = "metric",
	 .type = VPN_OPT_UINT,
	 .flags = VPN_OPT_REQUIRED,
	 .max = UINT32_MAX,
	 .offset = PEER_AT(metric),
	 .doc = "Metric of the routes to the networks that this peer allows."},
};

static const struct vpn_option_table peer_table = VPN_OPTION_TABLE(peer_options,
								   struct routes_peer_metric);

static const struct vpn_option options[] = {
	{.name = "default",
	 .type = VPN_OPT_BOOL,
	 .dflt = "false",
	 .offset = AT(is_default),
	 .doc = "Full tunnel: everything goes through the tunnel but its own packets, what is in "
		"exclude, and the local network as lan_access says. A family of addresses that "
		"the tunnel does not carry becomes unreachable instead of going past it."},
	{.name = "networks",
	 .type = VPN_OPT_LIST,
	 .item_type = VPN_OPT_PREFIX,
	 .flags = VPN_OPT_NETWORK,
	 .offset = AT(networks),
	 .doc = "Networks to reach through the tunnel, in addition to those of allowed_ips."},
	{.name = "allowed_ips",
	 .type = VPN_OPT_BOOL,
	 .dflt = "true",
	 .offset = AT(allowed_ips),
	 .doc = "Also route what the transport's peers allow (wireguard's allowed_ips), and follow "
		"its changes. A prefix of length 0 is routed by \"default\" alone."},
	{.name = "exclude",
	 .type = VPN_OPT_LIST,
	 .item_type = VPN_OPT_PREFIX,
	 .flags = VPN_OPT_NETWORK,
	 .offset = AT(exclude),
	 .doc = "Networks that never go through the tunnel; the kill switch lets them pass."},
	{.name = "lan_access",
	 .type = VPN_OPT_ENUM,
	 .dflt = "on",
	 .choices = lan_choices,
	 .offset = AT(lan_access),
	 .doc = "Whether networks that this machine is directly attached to stay reachable beside "
		"a full tunnel. on: those with private addresses; list: those within "
		"lan_networks; off: none."},
	{.name = "lan_networks",
	 .type = VPN_OPT_LIST,
	 .item_type = VPN_OPT_PREFIX,
	 .flags = VPN_OPT_NETWORK,
	 .offset = AT(lan_networks),
	 .doc = "With \"lan_access\": \"list\": an attached network stays reachable when it lies "
		"within one of these."},
	{.name = "gateways",
	 .type = VPN_OPT_LIST,
	 .item_type = VPN_OPT_ADDRESS,
	 .max = 2,
	 .offset = AT(gateways),
	 .doc = "On an ethernet device: the next hop behind the tunnel, one for IPv4 and one for "
		"IPv6."},
	{.name = "nat",
	 .type = VPN_OPT_BOOL,
	 .dflt = "false",
	 .offset = AT(nat),
	 .doc = "Server: forward what comes out of the tunnel and give it this machine's address "
		"(masquerade). Forwarding is switched on for as long as the pipeline runs."},
	{.name = "kill_switch",
	 .type = VPN_OPT_ENUM,
	 .dflt = "off",
	 .choices = kill_choices,
	 .offset = AT(kill_switch),
	 .doc = "Block everything outside of the tunnel but its own packets, DHCP, neighbour "
		"discovery, exclude and the local network as lan_access says. on: while the "
		"pipeline runs; lockdown: also after it has stopped or crashed."},
	{.name = "metric",
	 .type = VPN_OPT_UINT,
	 .dflt = "0",
	 .max = UINT32_MAX,
	 .offset = AT(metric),
	 .doc = "Metric of the routes. 0: the kernel's own choice, 0 for IPv4 and 1024 for IPv6."},
	{.name = "peer_metrics",
	 .type = VPN_OPT_LIST,
	 .item_type = VPN_OPT_OBJECT,
	 .table = &peer_table,
	 .offset = AT(peer_metrics),
	 .doc = "Other metrics for the networks of single peers."},
	{.name = "mtu",
	 .type = VPN_OPT_UINT,
	 .dflt = "0",
	 .unit = "bytes",
	 .max = 65535,
	 .offset = AT(mtu),
	 .doc = "MTU of the routes through the tunnel where it is to be less than the device's. "
		"0: as the device."},
	{.name = "mss_clamp",
	 .type = VPN_OPT_BOOL,
	 .dflt = "true",
	 .offset = AT(mss_clamp),
	 .doc = "With nat: lower the MSS of forwarded TCP connections to what the route's MTU "
		"carries."},
	{.name = "table",
	 .type = VPN_OPT_UINT,
	 .dflt = "0",
	 .max = UINT32_MAX,
	 .offset = AT(table),
	 .doc = "Routing table of the tunnel. 0: main for single networks; where default, exclude "
		"or an endpoint within a routed network need one of its own, the first from 7600 "
		"that is empty."},
	{.name = "preference",
	 .type = VPN_OPT_UINT,
	 .dflt = "7600",
	 .min = 1,
	 .max = 32700,
	 .offset = AT(preference),
	 .doc = "Preference of the first of our rules; the others follow within 40."},
	{.name = "mark",
	 .type = VPN_OPT_UINT,
	 .dflt = "1979711488",
	 .min = 1,
	 .max = UINT32_MAX,
	 .offset = AT(mark),
	 .doc = "Mark of the tunnel's own packets, by which they stay out of it. The default is "
		"0x76000000."},
	{.name = "mask",
	 .type = VPN_OPT_UINT,
	 .dflt = "4278190080",
	 .min = 1,
	 .max = UINT32_MAX,
	 .offset = AT(mask),
	 .doc = "Bits of a packet's mark that are ours. The default is 0xff000000."},
	{.name = "protocol",
	 .type = VPN_OPT_UINT,
	 .dflt = "190",
	 .min = 5,
	 .max = 255,
	 .offset = AT(protocol),
	 .doc = "Number that our routes and rules carry as their protocol, to tell them from those "
		"of others."},
};

const struct vpn_option_table routes_option_table = VPN_OPTION_TABLE(options,
								     struct routes_options);
