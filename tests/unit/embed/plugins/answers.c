/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * answers: a routes and a dns component that change nothing and answer questions of the system with what the
 * build gives them: ID is their name, FIGURE what their probe says (-1 = they have no probe), ANSWERS 0 a
 * component without queries, REFUSES 1 one that cannot tell name servers after all. What they tell names them.
 */
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <vpncore/plugin.h>

static vpn_status create(const struct vpn_host *host, const void *config, void **inst,
			 struct vpn_error *err)
{
	(void)host;
	(void)config;
	(void)err;
	*inst = NULL;
	return VPN_ENOTSUP;
}

static vpn_status start(void *inst, struct vpn_lane *const *lanes, struct vpn_error *err)
{
	(void)inst;
	(void)lanes;
	(void)err;
	return VPN_ENOTSUP;
}

static void stop(void *inst)
{
	(void)inst;
}

static vpn_status apply(void *inst, const struct vpn_device_info *device, struct vpn_error *err)
{
	(void)inst;
	(void)device;
	(void)err;
	return VPN_ENOTSUP;
}

static vpn_status revert(void *inst, struct vpn_error *err)
{
	(void)inst;
	(void)err;
	return VPN_OK;
}

static const struct vpn_lifecycle life = {.size = sizeof(life),
					  .flags = VPN_AUTO,
					  .create = create,
					  .start = start,
					  .stop = stop,
					  .destroy = stop};
static const struct vpn_plan plan = {.size = sizeof(plan), .apply = apply, .revert = revert};

static vpn_status default_route(const struct vpn_host *host, uint32_t family, struct vpn_route *out,
				struct vpn_error *err)
{
	(void)host;
	if (family == VPN_AF_INET6) {
		snprintf(err->text, sizeof(err->text), "there is no default route for IPv6");
		return VPN_ENOENT;
	}
	out->ifindex = 7;
	out->metric = 100;
	out->mtu = 1500;
	out->gateway = (struct vpn_address){.family = VPN_AF_INET, .addr = {192, 0, 2, 1}};
	memset(out->ifname, 'x', sizeof(out->ifname)); /* no end: the library puts one */
	memcpy(out->ifname, ID, sizeof(ID));
	return VPN_OK;
}

static vpn_status route_to(const struct vpn_host *host, const struct vpn_address *to,
			   struct vpn_route *out, struct vpn_error *err)
{
	(void)err;
	host->log(host, VPN_LOG_WARN, "somebody asks");
	out->source = *to;
	out->flags = VPN_ROUTE_BLOCKED;
	return to->addr[0] == 9 ? VPN_EIO : VPN_OK; /* without a word */
}

static const struct vpn_route_query_ext routes_ext = {
	.size = sizeof(routes_ext), .default_route = default_route, .route_to = route_to};

static vpn_status read_dns(const struct vpn_host *host,
			   int (*fn)(void *ctx, const struct vpn_dns_info *info), void *ctx,
			   struct vpn_error *err)
{
	static const struct vpn_endpoint server = {
		.family = VPN_AF_INET, .port = 53, .addr = {192, 0, 2, 53}};
	static const char *const domains[] = {ID, NULL};
	const struct vpn_dns_info info = {.size = sizeof(info),
					  .flags = VPN_DNS_DEFAULT,
					  .n_servers = 1,
					  .n_domains = 1,
					  .servers = &server,
					  .domains = domains};
	(void)host;
	if (REFUSES) {
		snprintf(err->text, sizeof(err->text), "not on this machine");
		return VPN_ENOTSUP;
	}
	if (fn(ctx, &info) == 0)
		fn(ctx, &info);
	return VPN_OK;
}

static const struct vpn_dns_query_ext dns_ext = {.size = sizeof(dns_ext), .read = read_dns};

static uint32_t probe(const struct vpn_host *host, struct vpn_error *why)
{
	(void)host;
	snprintf(why->text, sizeof(why->text), "the build says so");
	return (uint32_t)(FIGURE > 0 ? FIGURE : 0);
}

static const struct vpn_probe_ext probe_ext = {.size = sizeof(probe_ext), .probe = probe};

static const void *get_static(const char *id)
{
	if (FIGURE >= 0 && strcmp(id, VPN_EXT_PROBE) == 0)
		return &probe_ext;
	if (ANSWERS && strcmp(id, VPN_EXT_ROUTE_QUERY) == 0)
		return &routes_ext;
	if (ANSWERS && strcmp(id, VPN_EXT_DNS_QUERY) == 0)
		return &dns_ext;
	return NULL;
}

static const struct vpn_component routes = {.size = sizeof(routes),
					    .kind = VPN_KIND_ROUTES,
					    .id = ID,
					    .summary = "answers",
					    .lifecycle = &life,
					    .plan = &plan,
					    .get_static = get_static};
static const struct vpn_component dns = {.size = sizeof(dns),
					 .kind = VPN_KIND_DNS,
					 .id = ID,
					 .summary = "answers",
					 .lifecycle = &life,
					 .plan = &plan,
					 .get_static = get_static};

static const struct vpn_component *const components[] = {&routes, &dns, NULL};

VPN_PLUGIN(test_answers, "test-answers", "1.0", "BSD-2-Clause", "", "", components);
