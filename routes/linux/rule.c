/* SPDX-License-Identifier: BSD-2-Clause */
#include "rule.h"

#include <errno.h>
#include <linux/fib_rules.h>
#include <linux/rtnetlink.h>
#include <string.h>
#include <sys/socket.h>

static struct nlmsghdr *compose(struct routes_request *request, uint16_t type, unsigned int flags,
				const struct routes_rule *r)
{
	struct nlmsghdr *nlh = routes_netlink_begin(request, type, NLM_F_ACK | flags);
	struct fib_rule_hdr *frh = mnl_nlmsg_put_extra_header(nlh, sizeof(*frh));
	frh->family = routes_family_to_af(r->family);
	frh->action = r->action;
	frh->table = r->table < 256 ? (uint8_t)r->table : RT_TABLE_COMPAT;
	mnl_attr_put_u32(nlh, FRA_PRIORITY, r->preference);
	if (r->table != 0)
		mnl_attr_put_u32(nlh, FRA_TABLE, r->table);
	if (r->mask != 0) {
		mnl_attr_put_u32(nlh, FRA_FWMARK, r->mark);
		mnl_attr_put_u32(nlh, FRA_FWMASK, r->mask);
	}
	mnl_attr_put_u8(nlh, FRA_PROTOCOL, r->protocol);
	return nlh;
}

int routes_rule_add(struct routes_netlink *nl, const struct routes_rule *r)
{
	struct routes_request request;
	return routes_netlink_ask(nl, compose(&request, RTM_NEWRULE, NLM_F_CREATE | NLM_F_EXCL, r),
				  NULL, NULL);
}

int routes_rule_delete(struct routes_netlink *nl, const struct routes_rule *r)
{
	struct routes_request request;
	int e = routes_netlink_ask(nl, compose(&request, RTM_DELRULE, 0, r), NULL, NULL);
	return e == ENOENT || e == ESRCH ? 0 : e;
}

int routes_rule_delete_first(struct routes_netlink *nl, uint8_t family, uint32_t preference)
{
	struct routes_request request;
	struct nlmsghdr *nlh = routes_netlink_begin(&request, RTM_DELRULE, NLM_F_ACK);
	struct fib_rule_hdr *frh = mnl_nlmsg_put_extra_header(nlh, sizeof(*frh));
	frh->family = routes_family_to_af(family);
	mnl_attr_put_u32(nlh, FRA_PRIORITY, preference);
	int e = routes_netlink_ask(nl, nlh, NULL, NULL);
	return e == ENOENT || e == ESRCH ? 0 : e;
}

/* Whether it has conditions or actions that ours never have. FRA_SUPPRESS_PREFIXLEN stands in each, -1
 * where it suppresses nothing. */
static bool is_special(const struct fib_rule_hdr *frh, const struct routes_attributes *all)
{
	static const uint8_t known[] = {FRA_PRIORITY, FRA_FWMARK,   FRA_FWMASK,
					FRA_TABLE,    FRA_PROTOCOL, FRA_SUPPRESS_PREFIXLEN};
	uint64_t others = 0, ours = 1; /* FRA_UNSPEC */
	for (size_t i = 0; i < sizeof(known); i++)
		ours |= UINT64_C(1) << known[i];
	for (uint32_t i = 0; i < ROUTES_ATTR_MAX; i++)
		if (all->at[i] != NULL && (ours >> i & 1) == 0)
			others |= UINT64_C(1) << i;
	return others != 0 || frh->tos != 0 || (frh->flags & FIB_RULE_INVERT) != 0 ||
	       routes_attributes_u32(all, FRA_SUPPRESS_PREFIXLEN, UINT32_MAX) != UINT32_MAX;
}

static bool read_rule(const struct nlmsghdr *nlh, struct routes_rule *ret)
{
	const struct fib_rule_hdr *frh = mnl_nlmsg_get_payload(nlh);
	struct routes_attributes all;
	memset(ret, 0, sizeof(*ret));
	if (nlh->nlmsg_type != RTM_NEWRULE || !routes_attributes_read(nlh, sizeof(*frh), &all))
		return false;
	ret->family = routes_family_from_af(frh->family);
	if (ret->family == VPN_AF_NONE)
		return false;
	ret->action = frh->action;
	ret->preference = routes_attributes_u32(&all, FRA_PRIORITY, 0);
	ret->table = routes_attributes_u32(&all, FRA_TABLE, frh->table);
	ret->mark = routes_attributes_u32(&all, FRA_FWMARK, 0);
	ret->mask = routes_attributes_u32(&all, FRA_FWMASK, 0);
	ret->is_special = is_special(frh, &all);
	const struct nlattr *protocol = all.at[FRA_PROTOCOL];
	if (protocol != NULL && mnl_attr_get_payload_len(protocol) >= 1)
		ret->protocol = mnl_attr_get_u8(protocol);
	return true;
}

struct dump {
	struct routes_list *list;
	bool out_of_memory;
};

static int on_rule(const struct nlmsghdr *nlh, void *ctx)
{
	struct dump *d = ctx;
	struct routes_rule r;
	if (read_rule(nlh, &r) && !routes_list_add(d->list, &r, sizeof(r)))
		d->out_of_memory = true;
	return MNL_CB_OK;
}

int routes_rule_dump(struct routes_netlink *nl, struct routes_list *ret)
{
	static const uint8_t families[] = {AF_INET, AF_INET6};
	struct routes_list *const lists[] = {ret, NULL};
	struct dump d = {.list = ret};
	int e = 0;
	for (size_t i = 0; i < sizeof(families) && e == 0; i++) {
		struct routes_request request;
		struct nlmsghdr *nlh = routes_netlink_begin(&request, RTM_GETRULE, NLM_F_DUMP);
		struct fib_rule_hdr *frh = mnl_nlmsg_put_extra_header(nlh, sizeof(*frh));
		frh->family = families[i];
		e = routes_netlink_dump(nl, nlh, on_rule, &d, lists);
		if (e == EAFNOSUPPORT || e == EOPNOTSUPP)
			e = 0;
	}
	return e == 0 && d.out_of_memory ? ENOMEM : e;
}
