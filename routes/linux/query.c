/* SPDX-License-Identifier: BSD-2-Clause */
#include "query.h"

#include <errno.h>
#include <linux/if_addr.h>
#include <linux/rtnetlink.h>
#include <net/if.h>
#include <stdio.h>
#include <string.h>

#include "fault.h"
#include "netlink.h"
#include "object.h"
#include "prefix.h"

/* Routes as they are read, before their interface is asked. */
struct reading {
	struct routes_list found; /* struct vpn_route */
	uint8_t family;           /* VPN_AF_* asked for */
	bool out_of_memory;
};

/* ---- one message ---- */

static void set_address(struct vpn_address *a, uint8_t family, const uint8_t *bytes)
{
	*a = (struct vpn_address){.family = family};
	memcpy(a->addr, bytes, routes_family_bytes(family));
}

/* The next hop: RTA_GATEWAY of the route's own family, or RTA_VIA, which may be IPv6's for IPv4. */
static void read_gateway(const struct routes_attributes *all, uint8_t family,
			 struct vpn_address *ret)
{
	const struct nlattr *via = all->at[RTA_VIA];
	uint8_t bytes[16];
	*ret = (struct vpn_address){.family = VPN_AF_NONE};
	if (routes_attributes_address(all, RTA_GATEWAY, family, bytes)) {
		set_address(ret, family, bytes);
	} else if (via != NULL && mnl_attr_get_payload_len(via) >= sizeof(struct rtvia)) {
		const struct rtvia *v = mnl_attr_get_payload(via);
		uint8_t of = routes_family_from_af((uint8_t)v->rtvia_family);
		if (of != VPN_AF_NONE &&
		    mnl_attr_get_payload_len(via) == sizeof(*v) + routes_family_bytes(of))
			set_address(ret, of, v->rtvia_addr);
	}
}

/* The first hop of several that is not dead. */
static bool read_hops(const struct nlattr *multipath, uint8_t family, struct vpn_route *ret)
{
	const struct rtnexthop *hop = mnl_attr_get_payload(multipath);
	size_t left = mnl_attr_get_payload_len(multipath);
	while (left >= sizeof(*hop) && hop->rtnh_len >= sizeof(*hop) && hop->rtnh_len <= left) {
		struct routes_attributes all;
		size_t step = (hop->rtnh_len + 3u) & ~(size_t)3; /* RTNH_ALIGN() */
		if ((hop->rtnh_flags & RTNH_F_DEAD) == 0) {
			routes_attributes_of(hop + 1, hop->rtnh_len - sizeof(*hop), &all);
			ret->ifindex = (uint32_t)hop->rtnh_ifindex;
			read_gateway(&all, family, &ret->gateway);
			return true;
		}
		left -= step < left ? step : left;
		hop = (const void *)((const char *)hop + step);
	}
	return false;
}

/* False when no packet can take it, and none is refused by it either. */
static bool read_route(const struct rtmsg *rtm, const struct routes_attributes *all,
		       struct vpn_route *ret)
{
	uint8_t family = routes_family_from_af(rtm->rtm_family), source[16];
	struct routes_attributes metrics;
	*ret = (struct vpn_route){.size = sizeof(*ret)};
	ret->metric = routes_attributes_u32(all, RTA_PRIORITY, 0);
	switch (rtm->rtm_type) {
	case RTN_UNREACHABLE:
	case RTN_PROHIBIT:
	case RTN_BLACKHOLE:
		ret->flags = VPN_ROUTE_BLOCKED;
		return true;
	case RTN_LOCAL:
		ret->flags = VPN_ROUTE_LOCAL;
		break;
	case RTN_UNICAST:
	case RTN_BROADCAST:
	case RTN_ANYCAST:
	case RTN_MULTICAST:
		break;
	default:
		return false;
	}
	if (all->at[RTA_MULTIPATH] != NULL) {
		if (!read_hops(all->at[RTA_MULTIPATH], family, ret))
			return false;
	} else {
		ret->ifindex = routes_attributes_u32(all, RTA_OIF, 0);
		read_gateway(all, family, &ret->gateway);
		if ((rtm->rtm_flags & RTNH_F_DEAD) != 0)
			return false;
	}
	if (routes_attributes_address(all, RTA_PREFSRC, family, source))
		set_address(&ret->source, family, source);
	routes_attributes_nested(all->at[RTA_METRICS], &metrics);
	ret->mtu = routes_attributes_u32(&metrics, RTAX_MTU, 0);
	return true;
}

/* ---- what the interface adds ---- */

static int on_link(const struct nlmsghdr *nlh, void *ctx)
{
	const struct ifinfomsg *ifi = mnl_nlmsg_get_payload(nlh);
	struct vpn_route *route = ctx;
	struct routes_attributes all;
	if (nlh->nlmsg_type != RTM_NEWLINK || !routes_attributes_read(nlh, sizeof(*ifi), &all) ||
	    (uint32_t)ifi->ifi_index != route->ifindex)
		return MNL_CB_OK;
	const struct nlattr *name = all.at[IFLA_IFNAME];
	if (name != NULL && mnl_attr_get_payload_len(name) <= IFNAMSIZ)
		snprintf(route->ifname, sizeof(route->ifname), "%.*s", IFNAMSIZ - 1,
			 mnl_attr_get_str(name));
	if (route->mtu == 0)
		route->mtu = routes_attributes_u32(&all, IFLA_MTU, 0);
	return MNL_CB_OK;
}

struct choice {
	struct vpn_route *route;
	bool on_link; /* the gateway's network has the address that was chosen */
};

/* The kernel takes the first address in the gateway's network, or else the first of the interface
 * (inet_select_addr()). */
static int on_address(const struct nlmsghdr *nlh, void *ctx)
{
	const struct ifaddrmsg *ifa = mnl_nlmsg_get_payload(nlh);
	struct choice *c = ctx;
	struct routes_attributes all;
	uint8_t local[16], peer[16];
	if (nlh->nlmsg_type != RTM_NEWADDR || !routes_attributes_read(nlh, sizeof(*ifa), &all) ||
	    ifa->ifa_family != AF_INET || ifa->ifa_index != c->route->ifindex || c->on_link ||
	    (ifa->ifa_flags & IFA_F_SECONDARY) != 0 || ifa->ifa_scope > RT_SCOPE_LINK ||
	    !routes_attributes_address(&all, IFA_LOCAL, VPN_AF_INET, local))
		return MNL_CB_OK;
	if (!routes_attributes_address(&all, IFA_ADDRESS, VPN_AF_INET, peer))
		memcpy(peer, local, sizeof(peer));
	struct vpn_prefix network = routes_prefix_host(VPN_AF_INET, peer);
	struct vpn_prefix to = routes_prefix_host(VPN_AF_INET, c->route->gateway.addr);
	network.length = ifa->ifa_prefixlen;
	c->on_link = c->route->gateway.family == VPN_AF_INET && routes_prefix_covers(&network, &to);
	if (c->on_link || c->route->source.family == VPN_AF_NONE)
		set_address(&c->route->source, VPN_AF_INET, local);
	return MNL_CB_OK;
}

static int ask_link(struct routes_netlink *nl, struct vpn_route *route)
{
	struct routes_request request;
	struct nlmsghdr *nlh = routes_netlink_begin(&request, RTM_GETLINK, NLM_F_ACK);
	struct ifinfomsg *ifi = mnl_nlmsg_put_extra_header(nlh, sizeof(*ifi));
	ifi->ifi_index = (int)route->ifindex;
	return routes_netlink_ask(nl, nlh, on_link, route);
}

/* Of IPv6 the source depends on where a packet goes (RFC 6724): it is not known of a route to all. */
static int ask_source(struct routes_netlink *nl, struct vpn_route *route)
{
	struct routes_list *const none[] = {NULL};
	struct routes_request request;
	struct choice c = {.route = route};
	struct nlmsghdr *nlh = routes_netlink_begin(&request, RTM_GETADDR, NLM_F_DUMP);
	struct ifaddrmsg *ifa = mnl_nlmsg_put_extra_header(nlh, sizeof(*ifa));
	ifa->ifa_family = AF_INET;
	return routes_netlink_dump(nl, nlh, on_address, &c, none);
}

/* ---- the two questions ---- */

static int on_default(const struct nlmsghdr *nlh, void *ctx)
{
	const struct rtmsg *rtm = mnl_nlmsg_get_payload(nlh);
	struct reading *r = ctx;
	struct routes_attributes all;
	struct vpn_route route;
	if (nlh->nlmsg_type != RTM_NEWROUTE || !routes_attributes_read(nlh, sizeof(*rtm), &all) ||
	    routes_family_from_af(rtm->rtm_family) != r->family || rtm->rtm_dst_len != 0 ||
	    rtm->rtm_src_len != 0 || rtm->rtm_tos != 0 || (rtm->rtm_flags & RTM_F_CLONED) != 0 ||
	    routes_attributes_u32(&all, RTA_TABLE, rtm->rtm_table) != ROUTES_MAIN_TABLE ||
	    !read_route(rtm, &all, &route))
		return MNL_CB_OK;
	r->out_of_memory |= !routes_list_add(&r->found, &route, sizeof(route));
	return MNL_CB_OK;
}

static int find_default(struct routes_netlink *nl, struct reading *r)
{
	struct routes_list *const lists[] = {&r->found, NULL};
	struct routes_request request;
	struct nlmsghdr *nlh = routes_netlink_begin(&request, RTM_GETROUTE, NLM_F_DUMP);
	struct rtmsg *rtm = mnl_nlmsg_put_extra_header(nlh, sizeof(*rtm));
	rtm->rtm_family = routes_family_to_af(r->family);
	rtm->rtm_table = ROUTES_MAIN_TABLE;
	mnl_attr_put_u32(nlh, RTA_TABLE, ROUTES_MAIN_TABLE);
	int e = routes_netlink_dump(nl, nlh, on_default, r, lists);
	return e == EAFNOSUPPORT || e == EOPNOTSUPP ? ENOENT : e;
}

static int on_route(const struct nlmsghdr *nlh, void *ctx)
{
	const struct rtmsg *rtm = mnl_nlmsg_get_payload(nlh);
	struct reading *r = ctx;
	struct routes_attributes all;
	struct vpn_route route;
	if (nlh->nlmsg_type == RTM_NEWROUTE && routes_attributes_read(nlh, sizeof(*rtm), &all) &&
	    read_route(rtm, &all, &route))
		r->out_of_memory |= !routes_list_add(&r->found, &route, sizeof(route));
	return MNL_CB_OK;
}

/* What the kernel says of a route of these types (fib_props[], fib6_get_table()): EHOSTUNREACH of
 * unreachable, EACCES of prohibit, EINVAL of blackhole; ENETUNREACH where there is none. */
static int find_route(struct routes_netlink *nl, const struct vpn_address *to, struct reading *r)
{
	uint32_t bytes = routes_family_bytes(to->family);
	struct routes_request request;
	struct nlmsghdr *nlh = routes_netlink_begin(&request, RTM_GETROUTE, NLM_F_ACK);
	struct rtmsg *rtm = mnl_nlmsg_put_extra_header(nlh, sizeof(*rtm));
	rtm->rtm_family = routes_family_to_af(to->family);
	rtm->rtm_dst_len = (uint8_t)(bytes * 8);
	mnl_attr_put(nlh, RTA_DST, bytes, to->addr);
	int e = routes_netlink_ask(nl, nlh, on_route, r);
	if (e == EHOSTUNREACH || e == EACCES || e == EINVAL) {
		struct vpn_route route = {.size = sizeof(route), .flags = VPN_ROUTE_BLOCKED};
		return routes_list_add(&r->found, &route, sizeof(route)) ? 0 : ENOMEM;
	}
	return e == ENETUNREACH || e == EAFNOSUPPORT || e == EOPNOTSUPP ? ENOENT : e;
}

/* Fills *ret with the route, or the first of those with the lowest metric; 0 or a positive errno. */
static int find(struct routes_netlink *nl, uint8_t family, const struct vpn_address *to,
		struct vpn_route *ret)
{
	struct reading r = {.family = family};
	int e = to != NULL ? find_route(nl, to, &r) : find_default(nl, &r);
	const struct vpn_route *route = r.found.items;
	if (e == 0 && r.out_of_memory)
		e = ENOMEM;
	else if (e == 0 && r.found.n == 0)
		e = ENOENT;
	for (uint32_t i = 0; i < r.found.n && e == 0; i++)
		if (i == 0 || route[i].metric < ret->metric)
			*ret = route[i];
	routes_list_free(&r.found);
	if (e != 0 || ret->ifindex == 0)
		return e;
	e = ask_link(nl, ret);
	if (e == 0 && to == NULL && family == VPN_AF_INET && ret->source.family == VPN_AF_NONE)
		e = ask_source(nl, ret);
	return e;
}

static vpn_status query(uint8_t family, const struct vpn_address *to, struct vpn_route *out,
			struct vpn_error *err)
{
	struct vpn_route found = {.size = sizeof(found)};
	struct routes_netlink nl;
	if (family != VPN_AF_INET && family != VPN_AF_INET6)
		return routes_fault(err, VPN_EINVAL, 0, NULL, "family %u is neither IPv4 nor IPv6",
				    family);
	int e = routes_netlink_open(&nl);
	if (e != 0)
		return routes_fault(err, routes_status(e), e, NULL, "cannot open rtnetlink: %s",
				    strerror(e));
	e = find(&nl, family, to, &found);
	routes_netlink_close(&nl);
	if (e == ENOENT || e == ENODEV)
		return routes_fault(err, VPN_ENOENT, 0, NULL, "there is no %s of IPv%u",
				    to != NULL ? "route to this address" : "default route", family);
	if (e != 0)
		return routes_fault(err, routes_status(e), e, NULL, "cannot read the routes: %s",
				    strerror(e));
	found.size = out->size;
	if (to != NULL)
		found.metric = 0;
	memcpy(out, &found, out->size < sizeof(found) ? out->size : sizeof(found));
	return VPN_OK;
}

static vpn_status default_route(const struct vpn_host *host, uint32_t family, struct vpn_route *out,
				struct vpn_error *err)
{
	(void)host;
	return query(family <= UINT8_MAX ? (uint8_t)family : VPN_AF_NONE, NULL, out, err);
}

static vpn_status route_to(const struct vpn_host *host, const struct vpn_address *to,
			   struct vpn_route *out, struct vpn_error *err)
{
	(void)host;
	return query(to->family, to, out, err);
}

const struct vpn_route_query_ext routes_query_ext = {
	.size = sizeof(routes_query_ext),
	.default_route = default_route,
	.route_to = route_to,
};
