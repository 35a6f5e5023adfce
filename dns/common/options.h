/* SPDX-License-Identifier: BSD-2-Clause */
/* options: what the manifest says under "dns" whatever the backend. */
#ifndef DNS_COMMON_OPTIONS_H
#define DNS_COMMON_OPTIONS_H

#include <stdbool.h>
#include <vpncore/plugin.h>

#define DNS_SERVERS_MAX 16
#define DNS_DOMAINS_MAX 64 /* of "search", and of "domains" */

/* First in the struct of a backend that has options of its own. */
struct dns_options {
	struct vpn_list servers; /* struct vpn_address */
	struct vpn_list search;  /* const char * */
	struct vpn_list domains; /* const char *, as written: with or without "~" */
	uint32_t block_outside;
	uint32_t server_routes;
};

/* The first rows of a backend's option table. */
/* clang-format off */
#define DNS_OPTION_ROWS \
	{.name = "servers", .type = VPN_OPT_LIST, .item_type = VPN_OPT_ADDRESS, \
	 .flags = VPN_OPT_REQUIRED, .min = 1, .max = DNS_SERVERS_MAX, \
	 .offset = (uint32_t)offsetof(struct dns_options, servers), \
	 .doc = "Name servers to ask, in this order."}, \
	{.name = "search", .type = VPN_OPT_LIST, .item_type = VPN_OPT_STRING, \
	 .max = DNS_DOMAINS_MAX, \
	 .offset = (uint32_t)offsetof(struct dns_options, search), \
	 .doc = "Domains to look a short name up in."}, \
	{.name = "domains", .type = VPN_OPT_LIST, .item_type = VPN_OPT_STRING, \
	 .max = DNS_DOMAINS_MAX, \
	 .offset = (uint32_t)offsetof(struct dns_options, domains), \
	 .doc = "Split DNS: ask these servers for names below these domains only. \"~.\", or no " \
		"such list: for all names."}, \
	{.name = "block_outside", .type = VPN_OPT_BOOL, .dflt = "false", \
	 .offset = (uint32_t)offsetof(struct dns_options, block_outside), \
	 .doc = "Let no query of any program leave past the tunnel (ports 53 and 853). Needs " \
		"\"routes\"."}, \
	{.name = "server_routes", .type = VPN_OPT_BOOL, .dflt = "true", \
	 .offset = (uint32_t)offsetof(struct dns_options, server_routes), \
	 .doc = "Route the addresses of servers into the tunnel, where the manifest has " \
		"\"routes\"."}
/* clang-format on */

/* Checks what the table cannot say of the fields above. [main] */
vpn_status dns_options_validate(const struct dns_options *o, struct vpn_error *err);

/* Refuses "domains" that do not mean all names, for a backend that cannot do split DNS. [main] */
vpn_status dns_options_refuse_split(const struct dns_options *o, struct vpn_error *err);

/* Whether all names are asked at these servers: no "domains", or the root is among them. [any] */
bool dns_options_is_everything(const struct dns_options *o);

static inline const struct vpn_address *dns_options_server(const struct dns_options *o, uint32_t i)
{
	return (const void *)((const char *)o->servers.items + (size_t)i * o->servers.item_size);
}

/* An item of "search" or "domains". */
static inline const char *dns_options_name(const struct vpn_list *l, uint32_t i)
{
	return *(const char *const *)(const void *)((const char *)l->items +
						    (size_t)i * l->item_size);
}

#endif
