/* SPDX-License-Identifier: BSD-2-Clause */
#include "query.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "bus.h"
#include "common/fault.h"
#include "common/resolv.h"
#include "judge.h"
#include "link.h"
#include "place.h"
#include "trouble.h"
#include "view.h"

#define PROBE_LIMIT_US UINT64_C(800000) /* plugin.h: "at most a second" */
#define QUERY_LIMIT_US UINT64_C(3000000)
#define NSSWITCH_BYTES 65536u /* that are read; real ones have some hundred */

/* ---- the probe ---- */

static bool has_owner(struct resolved_bus *b, uint64_t deadline)
{
	sd_bus_message *reply = NULL;
	int yes = 0;
	if (resolved_bus_ask(b, "NameHasOwner", RESOLVED_NAME, deadline, &reply) == 0 &&
	    sd_bus_message_read(reply, "b", &yes) < 0)
		yes = 0;
	sd_bus_message_unref(reply);
	return yes != 0;
}

static bool is_activatable(struct resolved_bus *b, uint64_t deadline)
{
	sd_bus_message *reply = NULL;
	const char *name;
	bool found = false;
	if (resolved_bus_ask(b, "ListActivatableNames", NULL, deadline, &reply) == 0 &&
	    sd_bus_message_enter_container(reply, 'a', "s") >= 0)
		while (!found && sd_bus_message_read(reply, "s", &name) > 0)
			found = strcmp(name, RESOLVED_NAME) == 0;
	sd_bus_message_unref(reply);
	return found;
}

static void look_at_bus(struct resolved_signs *signs)
{
	struct resolved_bus b;
	uint64_t deadline = resolved_bus_now() + PROBE_LIMIT_US;
	if (resolved_bus_open(&b, NULL) != 0)
		return;
	signs->has_bus = true;
	signs->runs = has_owner(&b, deadline);
	if (signs->runs)
		signs->elsewhere = resolved_place_is_elsewhere(&b, deadline);
	else
		signs->activatable = is_activatable(&b, deadline);
	resolved_bus_close(&b);
}

static void look_at_files(struct resolved_signs *signs)
{
	struct dns_resolv resolv;
	char *text = malloc(NSSWITCH_BYTES);
	FILE *f = fopen("/etc/nsswitch.conf", "re");
	if (f != NULL && text != NULL)
		signs->nss = resolved_judge_nss(text, fread(text, 1, NSSWITCH_BYTES, f));
	if (f != NULL)
		fclose(f);
	free(text);
	signs->stub = dns_resolv_read("/etc/resolv.conf", &resolv) == 0 &&
		      dns_resolv_is_stub(&resolv);
	dns_resolv_clear(&resolv);
}

static uint32_t probe(const struct vpn_host *host, struct vpn_error *why)
{
	struct resolved_signs signs = {.has_bus = false};
	(void)host;
	look_at_bus(&signs);
	look_at_files(&signs);
	return resolved_judge(&signs, why);
}

static const struct vpn_probe_ext probe_ext = {.size = sizeof(probe_ext), .probe = probe};

/* ---- the query ---- */

struct telling {
	const struct resolved_view *view;
	struct resolved_bus *bus;
	uint64_t deadline;
	bool has_root; /* some interface takes all names that no domain covers */
	int (*fn)(void *ctx, const struct vpn_dns_info *info);
	void *ctx;
	struct vpn_endpoint *servers; /* room for those of one interface */
	const char **domains;
};

static int on_default_route(void *ctx, const char *name, sd_bus_message *m)
{
	int flag = 0, r;
	if (strcmp(name, "DefaultRoute") != 0)
		return 0;
	r = sd_bus_message_read(m, "v", "b", &flag);
	*(bool *)ctx = flag != 0;
	return r < 0 ? r : 1;
}

/* resolved.conf's own are asked for everything; of versions without the property, an interface that has
 * no domain for routing. */
static bool is_default(const struct telling *t, uint32_t ifindex)
{
	sd_bus_error said = SD_BUS_ERROR_NULL;
	bool yes = true;
	if (t->has_root)
		return resolved_view_has_domain(t->view, ifindex, ".");
	if (ifindex == 0)
		return true;
	for (uint32_t i = 0; i < t->view->n_domains; i++)
		if (t->view->domains[i].ifindex == ifindex && t->view->domains[i].name[0] == '~')
			yes = false;
	char *path = resolved_link_path(ifindex);
	if (path != NULL)
		(void)resolved_link_properties(t->bus, path, "org.freedesktop.resolve1.Link",
					       on_default_route, &yes, t->deadline, &said);
	sd_bus_error_free(&said);
	free(path);
	return yes;
}

static int tell_one(struct telling *t, const struct resolved_view_server *servers, uint32_t n,
		    uint32_t ifindex)
{
	struct vpn_dns_info info = {.size = sizeof(info),
				    .flags = is_default(t, ifindex) ? VPN_DNS_DEFAULT : 0u,
				    .ifindex = ifindex,
				    .servers = t->servers,
				    .domains = t->domains};
	for (uint32_t i = 0; i < n; i++)
		if (servers[i].ifindex == ifindex)
			t->servers[info.n_servers++] = servers[i].at;
	for (uint32_t i = 0; i < t->view->n_domains; i++)
		if (t->view->domains[i].ifindex == ifindex)
			t->domains[info.n_domains++] = t->view->domains[i].name;
	return t->fn(t->ctx, &info);
}

static bool is_first_of(const struct resolved_view_server *servers, uint32_t i)
{
	for (uint32_t k = 0; k < i; k++)
		if (servers[k].ifindex == servers[i].ifindex)
			return false;
	return true;
}

/* The fallback servers are asked only where there is no other. */
static vpn_status tell(struct telling *t)
{
	const struct resolved_view *v = t->view;
	bool fallback = v->n_servers == 0;
	const struct resolved_view_server *servers = fallback ? v->fallback : v->servers;
	uint32_t n = fallback ? v->n_fallback : v->n_servers;
	t->servers = calloc((size_t)n + 1, sizeof(*t->servers));
	t->domains = calloc((size_t)v->n_domains + 1, sizeof(*t->domains));
	bool room = t->servers != NULL && t->domains != NULL;
	for (uint32_t i = 0; i < n; i++)
		t->has_root |= resolved_view_has_domain(v, servers[i].ifindex, ".");
	for (uint32_t i = 0, stop = 0; room && i < n && !stop; i++)
		if (is_first_of(servers, i))
			stop = tell_one(t, servers, n, servers[i].ifindex) != 0;
	free(t->servers);
	free(t->domains);
	return room ? VPN_OK : VPN_ENOMEM;
}

static vpn_status query(const struct vpn_host *host,
			int (*fn)(void *ctx, const struct vpn_dns_info *info), void *ctx,
			struct vpn_error *err)
{
	struct resolved_bus b;
	struct resolved_view view;
	sd_bus_error said = SD_BUS_ERROR_NULL;
	uint64_t deadline = resolved_bus_now() + QUERY_LIMIT_US;
	vpn_status status;
	(void)host;
	int e = resolved_bus_open(&b, err);
	if (e != 0)
		return dns_status(e);
	e = resolved_view_read(&b, deadline, &view, &said);
	if (e != 0) {
		status = resolved_trouble(err, e, &said, NULL);
	} else if (resolved_place_is_elsewhere(&b, deadline)) {
		status = resolved_place_fault(err);
	} else {
		struct telling t = {
			.view = &view, .bus = &b, .deadline = deadline, .fn = fn, .ctx = ctx};
		status = tell(&t);
		if (status != VPN_OK)
			(void)dns_fault(err, status, 0, NULL, "out of memory");
	}
	resolved_view_clear(&view);
	sd_bus_error_free(&said);
	resolved_bus_close(&b);
	return status;
}

static const struct vpn_dns_query_ext query_ext = {.size = sizeof(query_ext), .read = query};

const void *resolved_query_get(const char *id)
{
	if (strcmp(id, VPN_EXT_PROBE) == 0)
		return &probe_ext;
	return strcmp(id, VPN_EXT_DNS_QUERY) == 0 ? &query_ext : NULL;
}
