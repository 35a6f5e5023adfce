/* SPDX-License-Identifier: BSD-2-Clause */
/* show_dns_resolved: prints what the plugin says without an instance, for tests/integration: the figure of
 * its probe, and each set of name servers. */
#include <arpa/inet.h>
#include <stdio.h>
#include <sys/socket.h>

#include "query.h"

static int on_info(void *ctx, const struct vpn_dns_info *info)
{
	char text[INET6_ADDRSTRLEN];
	(void)ctx;
	printf("%u%s:", info->ifindex, (info->flags & VPN_DNS_DEFAULT) != 0 ? " default" : "");
	for (uint32_t i = 0; i < info->n_servers; i++) {
		const struct vpn_endpoint *e = &info->servers[i];
		inet_ntop(e->family == VPN_AF_INET ? AF_INET : AF_INET6, e->addr, text,
			  sizeof(text));
		printf(" %s#%u", text, e->port);
		if (e->scope != 0)
			printf("%%%u", e->scope);
	}
	for (uint32_t i = 0; i < info->n_domains; i++)
		printf(" %s", info->domains[i]);
	putchar('\n');
	return 0;
}

int main(void)
{
	const struct vpn_host host = {.size = sizeof(host)};
	const struct vpn_probe_ext *probe = resolved_query_get(VPN_EXT_PROBE);
	const struct vpn_dns_query_ext *query = resolved_query_get(VPN_EXT_DNS_QUERY);
	struct vpn_error why = {.size = sizeof(why)}, err = {.size = sizeof(err)};
	uint32_t fit = probe->probe(&host, &why);
	printf("%u %s\n", fit, why.text);
	if (query->read(&host, on_info, NULL, &err) == VPN_OK)
		return 0;
	printf("error %s\n", err.text);
	return 1;
}
