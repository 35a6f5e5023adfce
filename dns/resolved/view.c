/* SPDX-License-Identifier: BSD-2-Clause */
#include "view.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "common/name.h"
#include "link.h"

#define DNS_PORT 53u /* RFC 1035 4.2 */

/* Room for one more of `size` bytes behind n; NULL without memory. */
static void *grow(void **items, uint32_t *n, size_t size)
{
	if ((*n & (*n + 1)) == 0) { /* full at each 2^k - 1 */
		void *more = realloc(*items, ((size_t)*n * 2 + 1) * size);
		if (more == NULL)
			return NULL;
		*items = more;
	}
	return memset((char *)*items + (size_t)(*n)++ * size, 0, size);
}

/* ---- reading ---- */

/* The rest of (iiay) or (iiayqs) behind the index. */
static int read_endpoint(sd_bus_message *m, bool ports, struct vpn_endpoint *out)
{
	struct vpn_address a;
	const char *name;
	uint16_t port = 0;
	int r = resolved_link_read_address(m, &a);
	if (r >= 0 && ports)
		r = sd_bus_message_read(m, "qs", &port, &name);
	if (r < 0)
		return r;
	*out = (struct vpn_endpoint){.family = a.family, .port = port != 0 ? port : DNS_PORT};
	memcpy(out->addr, a.addr, sizeof(out->addr));
	return 0;
}

static bool is_link_local(const struct vpn_endpoint *e)
{
	return e->family == VPN_AF_INET6 && e->addr[0] == 0xfe && (e->addr[1] & 0xc0) == 0x80;
}

static int read_servers(sd_bus_message *m, bool ports, struct resolved_view_server **servers,
			uint32_t *n)
{
	const char *type = ports ? "iiayqs" : "iiay";
	void *items = *servers;
	int ifindex, r = sd_bus_message_enter_container(m, 'a', ports ? "(iiayqs)" : "(iiay)");
	*n = 0;
	while (r >= 0 && (r = sd_bus_message_enter_container(m, 'r', type)) > 0) {
		struct resolved_view_server s = {.ifindex = 0};
		r = sd_bus_message_read(m, "i", &ifindex);
		if (r >= 0)
			r = read_endpoint(m, ports, &s.at);
		if (r >= 0)
			r = sd_bus_message_exit_container(m);
		if (r < 0 || s.at.family == VPN_AF_NONE)
			continue;
		struct resolved_view_server *slot = grow(&items, n, sizeof(*slot));
		if (slot == NULL)
			r = -ENOMEM;
		s.ifindex = ifindex > 0 ? (uint32_t)ifindex : 0;
		s.at.scope = is_link_local(&s.at) ? s.ifindex : 0;
		if (slot != NULL)
			*slot = s;
		*servers = items;
	}
	*servers = items;
	return r < 0 ? r : sd_bus_message_exit_container(m);
}

static int add_domain(struct resolved_view *v, int ifindex, const char *name, bool route_only)
{
	void *items = v->domains;
	struct resolved_view_domain *d = grow(&items, &v->n_domains, sizeof(*d));
	v->domains = items;
	if (d == NULL)
		return -ENOMEM;
	size_t len = strlen(name);
	d->ifindex = ifindex > 0 ? (uint32_t)ifindex : 0;
	d->name = malloc(len + 2);
	if (d->name == NULL)
		return -ENOMEM;
	d->name[0] = '~';
	memcpy(d->name + (route_only ? 1 : 0), name, len + 1);
	return 0;
}

static int read_domains(struct resolved_view *v, sd_bus_message *m)
{
	const char *name;
	int ifindex, route_only, r = sd_bus_message_enter_container(m, 'a', "(isb)");
	while (r >= 0 && (r = sd_bus_message_read(m, "(isb)", &ifindex, &name, &route_only)) > 0)
		r = add_domain(v, ifindex, name, route_only != 0);
	return r < 0 ? r : sd_bus_message_exit_container(m);
}

/* Reads the value of a property into the view: the one with ports counts, in whatever order they come. */
static int read_value(struct resolved_view *v, const char *name, sd_bus_message *m)
{
	bool ports = strlen(name) > 2 && strcmp(name + strlen(name) - 2, "Ex") == 0;
	bool *has = name[0] == 'F' ? &v->fallback_has_ports : &v->has_ports;
	if (strcmp(name, "Domains") == 0)
		return read_domains(v, m);
	*has |= ports;
	if (name[0] == 'F')
		return read_servers(m, ports, &v->fallback, &v->n_fallback);
	return read_servers(m, ports, &v->servers, &v->n_servers);
}

static int on_property(void *ctx, const char *name, sd_bus_message *m)
{
	static const struct {
		const char *name, *type;
	} known[] = {{"DNS", "a(iiay)"},
		     {"DNSEx", "a(iiayqs)"},
		     {"FallbackDNS", "a(iiay)"},
		     {"FallbackDNSEx", "a(iiayqs)"},
		     {"Domains", "a(isb)"}};
	struct resolved_view *v = ctx;
	for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++) {
		if (strcmp(name, known[i].name) != 0)
			continue;
		if ((strcmp(name, "DNS") == 0 && v->has_ports) ||
		    (strcmp(name, "FallbackDNS") == 0 && v->fallback_has_ports))
			return 0;
		int r = sd_bus_message_enter_container(m, 'v', known[i].type);
		if (r >= 0)
			r = read_value(v, name, m);
		if (r >= 0)
			r = sd_bus_message_exit_container(m);
		return r < 0 ? r : 1;
	}
	return 0;
}

int resolved_view_read(struct resolved_bus *b, uint64_t deadline, struct resolved_view *out,
		       sd_bus_error *ret_error)
{
	memset(out, 0, sizeof(*out));
	return resolved_link_properties(b, RESOLVED_PATH, RESOLVED_MANAGER, on_property, out,
					deadline, ret_error);
}

void resolved_view_clear(struct resolved_view *v)
{
	for (uint32_t i = 0; i < v->n_domains; i++)
		free(v->domains[i].name);
	free(v->domains);
	free(v->servers);
	free(v->fallback);
	memset(v, 0, sizeof(*v));
}

/* ---- asking ---- */

bool resolved_view_has_servers(const struct resolved_view *v, uint32_t ifindex)
{
	for (uint32_t i = 0; i < v->n_servers; i++)
		if (v->servers[i].ifindex == ifindex)
			return true;
	return false;
}

bool resolved_view_has_domain(const struct resolved_view *v, uint32_t ifindex, const char *name)
{
	for (uint32_t i = 0; i < v->n_domains; i++)
		if (v->domains[i].ifindex == ifindex && dns_name_equal(v->domains[i].name, name))
			return true;
	return false;
}

void resolved_view_rivals(const struct resolved_view *v, const struct resolved_settings *ours,
			  void (*fn)(void *ctx, const char *domain, uint32_t ifindex), void *ctx)
{
	for (const char *d = resolved_settings_next(ours, NULL); d != NULL;
	     d = resolved_settings_next(ours, d))
		for (uint32_t i = 0; i < v->n_domains; i++) {
			const struct resolved_view_domain *other = &v->domains[i];
			if (other->ifindex != ours->ifindex && dns_name_equal(other->name, d) &&
			    resolved_view_has_servers(v, other->ifindex))
				fn(ctx, dns_name_plain(d), other->ifindex);
		}
}
