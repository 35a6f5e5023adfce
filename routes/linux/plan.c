/* SPDX-License-Identifier: BSD-2-Clause */
#include "plan.h"

#include <linux/fib_rules.h>
#include <linux/rtnetlink.h>
#include <stdlib.h>
#include <string.h>

#include "fault.h"
#include "prefix.h"
#include "switch.h"

#define IPV6_METRIC 1024u /* IP6_RT_PRIO_USER, what the kernel takes for 0 */

struct making {
	const struct routes_options *o;
	const struct routes_scene *s;
	const struct routes_place *place;
	struct routes_plan *plan;
	bool out_of_memory;
};

void routes_plan_clear(struct routes_plan *plan)
{
	routes_list_free(&plan->routes);
	routes_list_free(&plan->rules);
	routes_list_free(&plan->switches);
	routes_list_free(&plan->lan);
	routes_list_free(&plan->inside);
	memset(plan, 0, sizeof(*plan));
}

static void add(struct making *m, struct routes_list *list, const void *item, size_t size)
{
	if (!routes_list_add(list, item, size))
		m->out_of_memory = true;
}

static bool is_here(const struct making *m, uint8_t family)
{
	return family != VPN_AF_INET6 || m->s->has_ipv6;
}

/* ---- what the tunnel carries ---- */

static bool allows_all(const struct routes_scene *s, uint8_t family)
{
	const struct routes_allowed *a = s->allowed.items;
	uint32_t halves = 0;
	for (uint32_t i = 0; i < s->allowed.n; i++) {
		if (a[i].prefix.family != family || a[i].prefix.length > 1)
			continue;
		/* 0.0.0.0/1 and 128.0.0.0/1 together are everything too */
		halves |= a[i].prefix.length == 0 ? 3u : a[i].prefix.addr[0] != 0 ? 2u : 1u;
	}
	return halves == 3;
}

bool routes_plan_carries(const struct routes_scene *s, uint8_t family)
{
	return routes_scene_has_family(s, family) && (!s->has_peers || allows_all(s, family));
}

/* ---- routes ---- */

static uint32_t metric_of(uint8_t family, uint32_t metric)
{
	return family == VPN_AF_INET6 && metric == 0 ? IPV6_METRIC : metric;
}

static uint32_t table_of(const struct making *m)
{
	return m->plan->policy ? m->place->table : ROUTES_MAIN_TABLE;
}

static struct routes_route route_to(const struct making *m, const struct vpn_prefix *to,
				    uint8_t type, uint32_t metric)
{
	return (struct routes_route){
		.dst = *to,
		.type = type,
		.protocol = (uint8_t)m->o->protocol,
		.table = table_of(m),
		.metric = metric_of(to->family, metric),
	};
}

/* A route through the tunnel; none while the device is down, for then it takes none. */
static void add_tunnel(struct making *m, const struct vpn_prefix *to, uint32_t metric)
{
	struct routes_route r = route_to(m, to, RTN_UNICAST, metric);
	const struct vpn_address *gateway = routes_options_gateway(m->o, to->family);
	if (!m->s->device_up || !is_here(m, to->family))
		return;
	r.ifindex = m->s->device.ifindex;
	r.mtu = (uint32_t)m->o->mtu;
	if (gateway != NULL) {
		r.has_gateway = 1;
		memcpy(r.gateway, gateway->addr, sizeof(r.gateway));
	}
	add(m, &m->plan->routes, &r, sizeof(r));
}

static bool is_own_network(const struct making *m, const struct vpn_prefix *to)
{
	const struct vpn_prefix *own = m->s->own.items;
	for (uint32_t i = 0; i < m->s->own.n; i++) {
		struct vpn_prefix network = routes_prefix_network(&own[i]);
		if (routes_prefix_equal(&network, to))
			return true;
	}
	return false;
}

/* What another component wants in the tunnel enters it in spite of "exclude" and the local network, and
 * takes no other way while the device is down. */
static void add_wanted(struct making *m)
{
	const struct vpn_prefix *p = m->s->wanted.items;
	for (uint32_t i = 0; i < m->s->wanted.n; i++) {
		struct routes_route last = route_to(m, &p[i], RTN_UNREACHABLE, ROUTES_LAST_METRIC);
		/* in main its address has brought a route to all of it */
		if (m->plan->policy || !is_own_network(m, &p[i]))
			add_tunnel(m, &p[i], (uint32_t)m->o->metric);
		if (is_here(m, p[i].family))
			add(m, &m->plan->routes, &last, sizeof(last));
	}
}

static bool is_wanted_inside(const struct making *m, const struct vpn_prefix *to)
{
	const struct vpn_prefix *p = m->s->wanted.items;
	for (uint32_t i = 0; i < m->s->wanted.n; i++)
		if (routes_prefix_covers(&p[i], to))
			return true;
	return false;
}

static void add_throw(struct making *m, const struct vpn_prefix *to)
{
	struct routes_route r = route_to(m, to, RTN_THROW, 0);
	if (is_here(m, to->family))
		add(m, &m->plan->routes, &r, sizeof(r));
}

static void add_throw_text(struct making *m, const char *text)
{
	struct vpn_prefix p = routes_prefix_of(text);
	add_throw(m, &p);
}

/* Everything of one family, and what holds while the device is down or carries none of it. */
static void add_default(struct making *m, uint8_t family)
{
	const struct vpn_prefix all = {.family = family};
	struct routes_route last = route_to(m, &all, RTN_UNREACHABLE, ROUTES_LAST_METRIC);
	if (!is_here(m, family))
		return;
	add(m, &m->plan->routes, &last, sizeof(last));
	if (routes_plan_carries(m->s, family))
		add_tunnel(m, &all, (uint32_t)m->o->metric);
}

/* Whether the device's own address brings a route to all of it with it. */
static bool is_attached(const struct making *m, const struct vpn_prefix *p)
{
	const struct vpn_prefix *own = m->s->own.items;
	for (uint32_t i = 0; i < m->s->own.n; i++) {
		struct vpn_prefix network = routes_prefix_network(&own[i]);
		if (routes_prefix_covers(&network, p))
			return true;
	}
	return false;
}

static void add_networks(struct making *m)
{
	const struct routes_allowed *a = m->s->allowed.items;
	for (uint32_t i = 0; i < m->o->networks.count; i++)
		add_tunnel(m, routes_options_prefix(&m->o->networks, i), (uint32_t)m->o->metric);
	for (uint32_t i = 0; m->o->allowed_ips && i < m->s->allowed.n; i++)
		if (a[i].prefix.length != 0 && !is_attached(m, &a[i].prefix))
			add_tunnel(m, &a[i].prefix, a[i].metric);
}

static void add_outside(struct making *m)
{
	const struct vpn_prefix *lan = m->plan->lan.items;
	for (uint32_t i = 0; i < m->o->exclude.count; i++)
		if (!is_wanted_inside(m, routes_options_prefix(&m->o->exclude, i)))
			add_throw(m, routes_options_prefix(&m->o->exclude, i));
	for (uint32_t i = 0; i < m->plan->lan.n; i++)
		if (!is_wanted_inside(m, &lan[i]))
			add_throw(m, &lan[i]);
	/* What never leaves a link: DHCP and neighbours keep working */
	add_throw_text(m, "255.255.255.255/32");
	add_throw_text(m, "fe80::/10");
	if (m->o->lan_access != ROUTES_LAN_OFF)
		add_throw_text(m, "224.0.0.0/4");
}

/* The tunnel's own networks come first in our table, or the tunnel could not be reached where a throw
 * or another rule covers them. */
static void add_attached(struct making *m)
{
	const struct vpn_prefix *own = m->s->own.items;
	const struct vpn_prefix local = routes_prefix_of("fe80::/10");
	for (uint32_t i = 0; i < m->s->own.n; i++) {
		struct vpn_prefix network = routes_prefix_network(&own[i]);
		if (!routes_prefix_covers(&local, &network))
			add_tunnel(m, &network, (uint32_t)m->o->metric);
	}
}

/* ---- one route for each key ---- */

static int by_key(const void *x, const void *y)
{
	const struct routes_route *a = x, *b = y;
	int c = memcmp(&a->dst, &b->dst, sizeof(a->dst));
	if (c != 0)
		return c;
	/* throw first: what is to stay outside wins over the same network through the tunnel */
	bool ta = a->type == RTN_THROW, tb = b->type == RTN_THROW;
	if (ta != tb)
		return ta ? -1 : 1;
	return a->metric < b->metric ? -1 : a->metric > b->metric;
}

static void drop_doubles(struct routes_plan *plan)
{
	struct routes_route *r = plan->routes.items;
	uint32_t kept = 0;
	if (plan->routes.n == 0)
		return;
	qsort(r, plan->routes.n, sizeof(*r), by_key);
	for (uint32_t i = 1; i < plan->routes.n; i++) {
		bool same = routes_prefix_equal(&r[kept].dst, &r[i].dst);
		if (same && (r[kept].type == RTN_THROW || r[kept].metric == r[i].metric))
			continue;
		r[++kept] = r[i];
	}
	plan->routes.n = kept + 1;
}

/* ---- rules ---- */

static void add_rule(struct making *m, uint8_t family, uint32_t step, uint8_t action,
		     uint32_t table, bool marked)
{
	struct routes_rule r = {
		.family = family,
		.action = action,
		.protocol = (uint8_t)m->o->protocol,
		.preference = (uint32_t)m->o->preference + step * ROUTES_RULE_STEP + m->place->slot,
		.table = table,
		.mark = marked ? (uint32_t)m->o->mark : 0,
		.mask = marked ? (uint32_t)m->o->mask : 0,
	};
	if (is_here(m, family))
		add(m, &m->plan->rules, &r, sizeof(r));
}

static void add_rules(struct making *m)
{
	static const uint8_t families[] = {VPN_AF_INET, VPN_AF_INET6};
	for (size_t i = 0; i < sizeof(families); i++) {
		add_rule(m, families[i], 0, FR_ACT_TO_TBL, ROUTES_MAIN_TABLE, true);
		add_rule(m, families[i], 1, FR_ACT_UNREACHABLE, 0, true);
		add_rule(m, families[i], m->o->is_default ? 3 : 2, FR_ACT_TO_TBL, m->place->table,
			 false);
	}
}

/* ---- the rest ---- */

static void add_switch(struct making *m, const char *path)
{
	struct routes_switch s = {.value = "1"};
	memcpy(s.path, path, strlen(path)); /* zeroed, and longer than any path here */
	add(m, &m->plan->switches, &s, sizeof(s));
}

static void add_switches(struct making *m)
{
	if (m->plan->policy)
		/* answers to marked packets are judged by the route that the mark has, where
		 * rp_filter is strict; the guard's table gives them the mark back */
		add_switch(m, "net/ipv4/conf/all/src_valid_mark");
	if (m->o->nat && routes_scene_has_family(m->s, VPN_AF_INET))
		add_switch(m, ROUTES_FORWARD4);
	if (m->o->nat && m->s->has_ipv6 && routes_scene_has_family(m->s, VPN_AF_INET6))
		add_switch(m, ROUTES_FORWARD6);
}

static bool lan_is_open(const struct routes_options *o, const struct vpn_prefix *p)
{
	if (o->lan_access == ROUTES_LAN_ON)
		return routes_prefix_is_private(p);
	for (uint32_t i = 0; o->lan_access == ROUTES_LAN_LIST && i < o->lan_networks.count; i++)
		if (routes_prefix_covers(routes_options_prefix(&o->lan_networks, i), p))
			return true;
	return false;
}

static void add_lan(struct making *m)
{
	const struct vpn_prefix local = routes_prefix_of("fe80::/10");
	const struct vpn_prefix *lan = m->s->lan.items;
	for (uint32_t i = 0; i < m->s->lan.n; i++)
		if (lan_is_open(m->o, &lan[i]) && !routes_prefix_covers(&local, &lan[i]))
			add(m, &m->plan->lan, &lan[i], sizeof(lan[i]));
}

static void add_inside(struct making *m)
{
	const struct vpn_prefix *own = m->s->own.items;
	const struct vpn_prefix local = routes_prefix_of("fe80::/10");
	const struct routes_allowed *a = m->s->allowed.items;
	for (uint32_t i = 0; i < m->s->own.n; i++) {
		struct vpn_prefix network = routes_prefix_network(&own[i]);
		if (!routes_prefix_covers(&local, &network))
			add(m, &m->plan->inside, &network, sizeof(network));
	}
	for (uint32_t i = 0; i < m->s->allowed.n; i++)
		if (a[i].prefix.length != 0)
			add(m, &m->plan->inside, &a[i].prefix, sizeof(a[i].prefix));
}

/* Whether a peer's endpoint lies in a network that is to go through the tunnel: its packets would go
 * round in a circle. */
static bool covers_endpoint(const struct making *m)
{
	const struct vpn_prefix *at = m->s->endpoints.items;
	const struct routes_allowed *a = m->s->allowed.items;
	for (uint32_t k = 0; k < m->s->endpoints.n; k++) {
		if (is_wanted_inside(m, &at[k]))
			return true;
		for (uint32_t i = 0; i < m->o->networks.count; i++)
			if (routes_prefix_covers(routes_options_prefix(&m->o->networks, i), &at[k]))
				return true;
		for (uint32_t i = 0; m->o->allowed_ips && i < m->s->allowed.n; i++)
			if (a[i].prefix.length != 0 && routes_prefix_covers(&a[i].prefix, &at[k]))
				return true;
	}
	return false;
}

static vpn_status check(const struct making *m, struct vpn_error *err)
{
	const char *why =
		m->s->has_peers ? "the device has no address, or no peer has 0.0.0.0/0 or ::/0 in "
				  "its allowed_ips: add both"
				: "the device has no address: give it \"addresses\"";
	if (m->o->is_default && !routes_plan_carries(m->s, VPN_AF_INET) &&
	    !routes_plan_carries(m->s, VPN_AF_INET6))
		return routes_fault(err, VPN_EINVAL, 0, "/default",
				    "the tunnel carries neither all of IPv4 nor all of IPv6: %s",
				    why);
	for (uint8_t family = VPN_AF_INET; m->o->is_default && family <= VPN_AF_INET6;
	     family = (uint8_t)(family + VPN_AF_INET6 - VPN_AF_INET))
		if (m->s->device.layer == VPN_L2 && routes_plan_carries(m->s, family) &&
		    routes_options_gateway(m->o, family) == NULL)
			return routes_fault(
				err, VPN_EINVAL, 0, "/gateways",
				"an ethernet device needs the gateway behind the tunnel "
				"for IPv%u: its address there",
				family);
	if (m->o->nat && m->plan->inside.n == 0)
		return routes_fault(err, VPN_EINVAL, 0, "/nat",
				    "the tunnel has no networks whose addresses could be "
				    "translated: give the device \"addresses\"");
	return VPN_OK;
}

vpn_status routes_plan_make(const struct routes_options *o, const struct routes_scene *s,
			    const struct routes_place *place, struct routes_plan *ret,
			    struct vpn_error *err)
{
	struct making m = {.o = o, .s = s, .place = place, .plan = ret};
	ret->policy = o->is_default || o->exclude.count != 0 || o->table != 0 ||
		      covers_endpoint(&m);
	add_lan(&m);
	add_inside(&m);
	add_networks(&m);
	add_wanted(&m);
	if (ret->policy) {
		add_attached(&m);
		add_outside(&m);
		add_rules(&m);
	}
	if (o->is_default) {
		add_default(&m, VPN_AF_INET);
		add_default(&m, VPN_AF_INET6);
	}
	add_switches(&m);
	if (m.out_of_memory)
		return routes_fault(err, VPN_ENOMEM, 0, NULL, "out of memory for the routes");
	drop_doubles(ret);
	return check(&m, err);
}
