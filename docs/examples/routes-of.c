/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * routes-of: how this machine routes, and which name servers it asks, by libvpncore.
 *
 *   cc -o routes-of routes-of.c $(pkg-config --cflags --libs vpncore)
 *   ./routes-of 192.0.2.7 2001:db8::7
 *
 *   default ipv4 via 198.51.100.1 dev eth0 metric 100 mtu 1500
 *   default ipv6: there is no default route for IPv6
 *   to 192.0.2.7 via 198.51.100.1 dev eth0 from 198.51.100.17 mtu 1500
 *   to 2001:db8::7: there is no route to it
 *   dns 198.51.100.53 port 53 for example.org
 *
 * Exit status 0 when everything that was asked for was told, 1 when something was not, 2 for a wrong
 * address. What is not there (VPN_ENOENT) was told, too.
 */
#include <arpa/inet.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <vpncore/vpncore.h>

static void print_address(const char *word, const struct vpn_address *a)
{
	char text[INET6_ADDRSTRLEN];
	int family = a->family == VPN_AF_INET6 ? AF_INET6 : AF_INET;
	if (a->family != VPN_AF_NONE && inet_ntop(family, a->addr, text, sizeof(text)) != NULL)
		printf(" %s %s", word, text);
}

/* One line. Returns whether there was an answer. */
static bool print_route(const char *what, int status, const struct vpn_route *r,
			const struct vpn_error *err)
{
	if (status != VPN_OK) {
		printf("%s: %s\n", what, err->text);
		return status == VPN_ENOENT;
	}
	fputs(what, stdout);
	if ((r->flags & VPN_ROUTE_BLOCKED) != 0)
		fputs(" blocked", stdout);
	print_address("via", &r->gateway);
	if (r->ifname[0] != '\0')
		printf(" dev %s", r->ifname);
	print_address("from", &r->source);
	if (r->metric != 0)
		printf(" metric %u", (unsigned)r->metric);
	if (r->mtu != 0)
		printf(" mtu %u", (unsigned)r->mtu);
	putchar('\n');
	return true;
}

static bool show_default(struct vpncore_system *s, uint32_t family)
{
	struct vpn_error err = {.size = sizeof(err)};
	struct vpn_route route = {.size = sizeof(route)};
	int status = vpncore_system_default_route(s, family, &route, &err);
	return print_route(family == VPN_AF_INET ? "default ipv4" : "default ipv6", status, &route,
			   &err);
}

static bool parse(const char *text, struct vpn_address *to)
{
	memset(to, 0, sizeof(*to));
	to->family = strchr(text, ':') != NULL ? VPN_AF_INET6 : VPN_AF_INET;
	return inet_pton(to->family == VPN_AF_INET6 ? AF_INET6 : AF_INET, text, to->addr) == 1;
}

static bool show_route(struct vpncore_system *s, const char *text)
{
	char what[64];
	struct vpn_address to;
	struct vpn_error err = {.size = sizeof(err)};
	struct vpn_route route = {.size = sizeof(route)};
	snprintf(what, sizeof(what), "to %s", text);
	if (!parse(text, &to))
		return false;
	int status = vpncore_system_route_to(s, &to, &route, &err);
	return print_route(what, status, &route, &err);
}

static int print_servers(void *ctx, const struct vpn_dns_info *info)
{
	(void)ctx;
	for (uint32_t i = 0; i < info->n_servers; i++) {
		const struct vpn_endpoint *e = &info->servers[i];
		char text[INET6_ADDRSTRLEN] = "?";
		inet_ntop(e->family == VPN_AF_INET6 ? AF_INET6 : AF_INET, e->addr, text,
			  sizeof(text));
		printf("dns %s port %u", text, (unsigned)e->port);
		if (info->ifindex != 0)
			printf(" interface %u", (unsigned)info->ifindex);
		for (uint32_t k = 0; k < info->n_domains; k++)
			printf("%s%s", k == 0 ? " for " : ",", info->domains[k]);
		putchar('\n');
	}
	return 0; /* go on */
}

static bool show_dns(struct vpncore_system *s)
{
	struct vpn_error err = {.size = sizeof(err)};
	int status = vpncore_system_dns(s, print_servers, NULL, &err);
	if (status != VPN_OK)
		printf("dns: %s\n", err.text);
	return status == VPN_OK || status == VPN_ENOENT;
}

int main(int argc, char **argv)
{
	struct vpn_error err = {.size = sizeof(err)};
	struct vpn_address to;
	struct vpncore_system *s;
	for (int i = 1; i < argc; i++)
		if (!parse(argv[i], &to)) {
			fprintf(stderr, "routes-of: \"%s\" is not an address\n", argv[i]);
			return 2;
		}
	if (vpncore_system_open(&s, NULL, &err) != VPN_OK) {
		fprintf(stderr, "routes-of: %s\n", err.text);
		return 1;
	}
	bool told = show_default(s, VPN_AF_INET);
	told &= show_default(s, VPN_AF_INET6);
	for (int i = 1; i < argc; i++)
		told &= show_route(s, argv[i]);
	told &= show_dns(s);
	vpncore_system_free(s);
	return told ? 0 : 1;
}
