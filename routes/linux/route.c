/* SPDX-License-Identifier: BSD-2-Clause */
#include "route.h"

#include <errno.h>
#include <linux/rtnetlink.h>
#include <string.h>
#include <sys/socket.h>

#include "prefix.h"

static void put_table(struct nlmsghdr *nlh, struct rtmsg *rtm, uint32_t table)
{
	rtm->rtm_table = table < 256 ? (uint8_t)table : RT_TABLE_COMPAT;
	mnl_attr_put_u32(nlh, RTA_TABLE, table);
}

static void put_mtu(struct nlmsghdr *nlh, uint32_t mtu)
{
	if (mtu == 0)
		return;
	struct nlattr *metrics = mnl_attr_nest_start(nlh, RTA_METRICS);
	mnl_attr_put_u32(nlh, RTAX_MTU, mtu);
	mnl_attr_nest_end(nlh, metrics);
}

static struct nlmsghdr *compose(struct routes_request *request, uint16_t type, unsigned int flags,
				const struct routes_route *r)
{
	struct nlmsghdr *nlh = routes_netlink_begin(request, type, NLM_F_ACK | flags);
	struct rtmsg *rtm = mnl_nlmsg_put_extra_header(nlh, sizeof(*rtm));
	uint32_t bytes = routes_family_bytes(r->dst.family);
	rtm->rtm_family = routes_family_to_af(r->dst.family);
	rtm->rtm_dst_len = r->dst.length;
	rtm->rtm_type = r->type;
	rtm->rtm_protocol = r->protocol;
	/* The kernel looks for the next hop of others' routes among routes of scope link and narrower
	 * (fib_check_nh_v4_gw()): of universal scope, ours are not taken for where it is attached. */
	rtm->rtm_scope = RT_SCOPE_UNIVERSE;
	put_table(nlh, rtm, r->table);
	mnl_attr_put(nlh, RTA_DST, bytes, r->dst.addr);
	if (r->metric != 0)
		mnl_attr_put_u32(nlh, RTA_PRIORITY, r->metric);
	if (r->ifindex != 0)
		mnl_attr_put_u32(nlh, RTA_OIF, r->ifindex);
	if (r->has_gateway)
		mnl_attr_put(nlh, RTA_GATEWAY, bytes, r->gateway);
	put_mtu(nlh, r->mtu);
	return nlh;
}

int routes_route_add(struct routes_netlink *nl, const struct routes_route *r)
{
	struct routes_request request;
	return routes_netlink_ask(nl, compose(&request, RTM_NEWROUTE, NLM_F_CREATE | NLM_F_EXCL, r),
				  NULL, NULL);
}

int routes_route_replace(struct routes_netlink *nl, const struct routes_route *r)
{
	struct routes_request request;
	return routes_netlink_ask(
		nl, compose(&request, RTM_NEWROUTE, NLM_F_CREATE | NLM_F_REPLACE, r), NULL, NULL);
}

int routes_route_delete(struct routes_netlink *nl, const struct routes_route *r)
{
	struct routes_request request;
	int e = routes_netlink_ask(nl, compose(&request, RTM_DELROUTE, 0, r), NULL, NULL);
	/* with the device its routes have gone */
	return e == ESRCH || e == ENODEV || e == ENOENT ? 0 : e;
}

/* ---- reading ---- */

bool routes_route_read(const struct nlmsghdr *nlh, struct routes_route *ret)
{
	const struct rtmsg *rtm = mnl_nlmsg_get_payload(nlh);
	struct routes_attributes all, metrics;
	memset(ret, 0, sizeof(*ret));
	if ((nlh->nlmsg_type != RTM_NEWROUTE && nlh->nlmsg_type != RTM_DELROUTE) ||
	    !routes_attributes_read(nlh, sizeof(*rtm), &all))
		return false;
	uint8_t family = routes_family_from_af(rtm->rtm_family);
	if (family == VPN_AF_NONE || (rtm->rtm_flags & RTM_F_CLONED) != 0)
		return false;
	ret->dst.family = family;
	ret->dst.length = rtm->rtm_dst_len;
	routes_attributes_address(&all, RTA_DST, family, ret->dst.addr);
	ret->type = rtm->rtm_type;
	ret->protocol = rtm->rtm_protocol;
	ret->table = routes_attributes_u32(&all, RTA_TABLE, rtm->rtm_table);
	ret->metric = routes_attributes_u32(&all, RTA_PRIORITY, 0);
	/* IPv6 names `lo` for what is unreachable */
	if (ret->type == RTN_UNICAST)
		ret->ifindex = routes_attributes_u32(&all, RTA_OIF, 0);
	ret->has_gateway = routes_attributes_address(&all, RTA_GATEWAY, family, ret->gateway);
	routes_attributes_nested(all.at[RTA_METRICS], &metrics);
	ret->mtu = routes_attributes_u32(&metrics, RTAX_MTU, 0);
	return true;
}

struct dump {
	struct routes_list *list;
	uint8_t protocol;
	bool out_of_memory;
};

static int on_dump(const struct nlmsghdr *nlh, void *ctx)
{
	struct dump *d = ctx;
	struct routes_route r;
	if (!routes_route_read(nlh, &r) || (d->protocol != 0 && r.protocol != d->protocol))
		return MNL_CB_OK;
	if (!routes_list_add(d->list, &r, sizeof(r)))
		d->out_of_memory = true;
	return MNL_CB_OK;
}

/* A dump of one family. A family that the kernel does not have has no routes. */
static int dump(struct routes_netlink *nl, uint8_t af, uint8_t protocol, uint32_t table,
		mnl_cb_t cb, void *ctx, struct routes_list *list)
{
	struct routes_list *const lists[] = {list, NULL};
	struct routes_request request;
	struct nlmsghdr *nlh = routes_netlink_begin(&request, RTM_GETROUTE, NLM_F_DUMP);
	struct rtmsg *rtm = mnl_nlmsg_put_extra_header(nlh, sizeof(*rtm));
	rtm->rtm_family = af;
	rtm->rtm_protocol = protocol;
	if (table != 0)
		put_table(nlh, rtm, table);
	int e = routes_netlink_dump(nl, nlh, cb, ctx, lists);
	/* ENOENT: with a filter, a table that was never made */
	return e == EAFNOSUPPORT || e == EOPNOTSUPP || e == ENOENT ? 0 : e;
}

int routes_route_dump(struct routes_netlink *nl, uint8_t protocol, struct routes_list *ret)
{
	struct dump d = {.list = ret, .protocol = protocol};
	int e = dump(nl, AF_INET, protocol, 0, on_dump, &d, ret);
	if (e == 0)
		e = dump(nl, AF_INET6, protocol, 0, on_dump, &d, ret);
	return e == 0 && d.out_of_memory ? ENOMEM : e;
}

struct use {
	uint32_t table;
	bool used;
};

static int on_use(const struct nlmsghdr *nlh, void *ctx)
{
	struct use *u = ctx;
	struct routes_route r;
	if (routes_route_read(nlh, &r) && r.table == u->table)
		u->used = true;
	return MNL_CB_OK;
}

int routes_route_table_used(struct routes_netlink *nl, uint32_t table, bool *ret)
{
	struct use u = {.table = table};
	int e = dump(nl, AF_INET, 0, table, on_use, &u, NULL);
	if (e == 0)
		e = dump(nl, AF_INET6, 0, table, on_use, &u, NULL);
	*ret = u.used;
	return e;
}

/* ---- looking up ---- */

static int on_lookup(const struct nlmsghdr *nlh, void *ctx)
{
	const struct rtmsg *rtm = mnl_nlmsg_get_payload(nlh);
	struct routes_lookup *ret = ctx;
	struct routes_attributes all;
	if (nlh->nlmsg_type != RTM_NEWROUTE || !routes_attributes_read(nlh, sizeof(*rtm), &all))
		return MNL_CB_OK;
	uint8_t family = routes_family_from_af(rtm->rtm_family);
	ret->type = rtm->rtm_type;
	ret->ifindex = routes_attributes_u32(&all, RTA_OIF, 0);
	ret->table = routes_attributes_u32(&all, RTA_TABLE, rtm->rtm_table);
	ret->has_gateway = routes_attributes_address(&all, RTA_GATEWAY, family, ret->gateway);
	routes_attributes_address(&all, RTA_PREFSRC, family, ret->source);
	return MNL_CB_OK;
}

int routes_route_lookup(struct routes_netlink *nl, const struct vpn_address *to, uint32_t mark,
			struct routes_lookup *ret)
{
	struct routes_request request;
	struct nlmsghdr *nlh = routes_netlink_begin(&request, RTM_GETROUTE, NLM_F_ACK);
	struct rtmsg *rtm = mnl_nlmsg_put_extra_header(nlh, sizeof(*rtm));
	uint32_t bytes = routes_family_bytes(to->family);
	rtm->rtm_family = routes_family_to_af(to->family);
	rtm->rtm_dst_len = (uint8_t)(bytes * 8);
	/* IPv6 answers with the table anyway, and refuses the flag where it checks strictly
	 * (inet6_rtm_valid_getroute_req()) */
	if (to->family == VPN_AF_INET)
		rtm->rtm_flags = RTM_F_LOOKUP_TABLE;
	mnl_attr_put(nlh, RTA_DST, bytes, to->addr);
	if (mark != 0)
		mnl_attr_put_u32(nlh, RTA_MARK, mark);
	memset(ret, 0, sizeof(*ret));
	ret->type = RTN_UNREACHABLE;
	int e = routes_netlink_ask(nl, nlh, on_lookup, ret);
	if (e == ENETUNREACH || e == EHOSTUNREACH) {
		ret->type = RTN_UNREACHABLE;
		return 0;
	}
	return e;
}
