/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * route_query: asks the routes component how the system routes, for tests/integration/test_routes_query.py:
 *
 *   route_query default 4|6
 *   route_query to ADDRESS
 *
 * Prints a JSON object; "status" is that of the call.
 */
#include <arpa/inet.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <vpncore/plugin.h>

extern const struct vpn_plugin VPN_PLUGIN_SYMBOL(routes_linux);

static const char *text_of(const struct vpn_address *a, char buf[INET6_ADDRSTRLEN])
{
	buf[0] = '\0';
	if (a->family != VPN_AF_NONE)
		inet_ntop(a->family == VPN_AF_INET6 ? AF_INET6 : AF_INET, a->addr, buf,
			  INET6_ADDRSTRLEN);
	return buf;
}

static int print(vpn_status status, const struct vpn_route *r, const struct vpn_error *err)
{
	char gateway[INET6_ADDRSTRLEN], source[INET6_ADDRSTRLEN];
	printf("{\"status\": %d, \"flags\": %u, \"ifindex\": %u, \"metric\": %u, \"mtu\": %u, "
	       "\"gateway\": \"%s\", \"source\": \"%s\", \"ifname\": \"%s\", \"text\": \"%s\"}\n",
	       status, r->flags, r->ifindex, r->metric, r->mtu, text_of(&r->gateway, gateway),
	       text_of(&r->source, source), r->ifname, err->text);
	return 0;
}

static struct vpn_address address_of(const char *text)
{
	struct vpn_address a = {.family = VPN_AF_INET};
	if (inet_pton(AF_INET, text, a.addr) == 1)
		return a;
	a.family = inet_pton(AF_INET6, text, a.addr) == 1 ? VPN_AF_INET6 : VPN_AF_NONE;
	return a;
}

int main(int argc, char **argv)
{
	const struct vpn_component *c = VPN_PLUGIN_SYMBOL(routes_linux).components[0];
	const struct vpn_route_query_ext *query = c->get_static(VPN_EXT_ROUTE_QUERY);
	const struct vpn_host host = {.size = sizeof(host)};
	struct vpn_route route = {.size = sizeof(route)};
	struct vpn_error err = {.size = sizeof(err)};
	if (argc != 3 || query == NULL || c->get_static("vpncore.none/1") != NULL)
		return 2;
	if (strcmp(argv[1], "default") == 0)
		return print(query->default_route(&host, (uint32_t)strtoul(argv[2], NULL, 10),
						  &route, &err),
			     &route, &err);
	const struct vpn_address to = address_of(argv[2]);
	return print(query->route_to(&host, &to, &route, &err), &route, &err);
}
