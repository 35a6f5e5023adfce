/* SPDX-License-Identifier: BSD-2-Clause */
#include "scene.h"

#include <errno.h>
#include <linux/if_addr.h>
#include <linux/rtnetlink.h>
#include <net/if.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "prefix.h"

void routes_scene_clear(struct routes_scene *s)
{
	routes_list_free(&s->own);
	routes_list_free(&s->lan);
	routes_list_free(&s->allowed);
	routes_list_free(&s->endpoints);
	routes_list_free(&s->wanted);
	memset(s, 0, sizeof(*s));
}

bool routes_scene_has_family(const struct routes_scene *s, uint8_t family)
{
	const struct vpn_prefix local = routes_prefix_of("fe80::/10");
	const struct vpn_prefix *own = s->own.items;
	for (uint32_t i = 0; i < s->own.n; i++)
		if (own[i].family == family && !routes_prefix_covers(&local, &own[i]))
			return true;
	return false;
}

struct reading {
	struct routes_scene *scene;
	bool out_of_memory;
};

static int on_link(const struct nlmsghdr *nlh, void *ctx)
{
	const struct ifinfomsg *ifi = mnl_nlmsg_get_payload(nlh);
	struct reading *r = ctx;
	struct vpn_device_info *device = &r->scene->device;
	struct routes_attributes all;
	if (nlh->nlmsg_type != RTM_NEWLINK || !routes_attributes_read(nlh, sizeof(*ifi), &all) ||
	    (uint32_t)ifi->ifi_index != device->ifindex)
		return MNL_CB_OK;
	r->scene->device_up = (ifi->ifi_flags & IFF_UP) != 0;
	device->mtu = routes_attributes_u32(&all, IFLA_MTU, device->mtu);
	/* others may have given it another name */
	const struct nlattr *name = all.at[IFLA_IFNAME];
	if (name != NULL && mnl_attr_get_payload_len(name) <= IFNAMSIZ)
		snprintf(device->name, sizeof(device->name), "%.*s", IFNAMSIZ - 1,
			 mnl_attr_get_str(name));
	return MNL_CB_OK;
}

static int on_address(const struct nlmsghdr *nlh, void *ctx)
{
	const struct ifaddrmsg *ifa = mnl_nlmsg_get_payload(nlh);
	struct reading *r = ctx;
	struct routes_attributes all;
	struct vpn_prefix p = {.length = 0}, peer;
	if (nlh->nlmsg_type != RTM_NEWADDR || !routes_attributes_read(nlh, sizeof(*ifa), &all))
		return MNL_CB_OK;
	p.family = routes_family_from_af(ifa->ifa_family);
	p.length = ifa->ifa_prefixlen;
	if (p.family == VPN_AF_NONE)
		return MNL_CB_OK;
	peer = p;
	/* IFA_LOCAL is our own, IFA_ADDRESS the prefix: the other side's where they differ */
	bool has_peer = routes_attributes_address(&all, IFA_ADDRESS, p.family, peer.addr);
	if (!routes_attributes_address(&all, IFA_LOCAL, p.family, p.addr))
		p = peer;
	bool own = ifa->ifa_index == r->scene->device.ifindex;
	struct vpn_prefix network = routes_prefix_network(has_peer ? &peer : &p);
	if (routes_prefix_is_loopback(&p))
		return MNL_CB_OK;
	if (!routes_list_add(own ? &r->scene->own : &r->scene->lan, own ? &p : &network, sizeof(p)))
		r->out_of_memory = true;
	return MNL_CB_OK;
}

int routes_scene_read(struct routes_netlink *nl, struct routes_scene *s)
{
	struct routes_request request;
	struct routes_list *const lists[] = {&s->own, &s->lan, NULL};
	struct reading r = {.scene = s};
	struct nlmsghdr *nlh = routes_netlink_begin(&request, RTM_GETLINK, NLM_F_ACK);
	struct ifinfomsg *ifi = mnl_nlmsg_put_extra_header(nlh, sizeof(*ifi));
	ifi->ifi_index = (int)s->device.ifindex;
	int e = routes_netlink_ask(nl, nlh, on_link, &r);
	if (e != 0 && e != ENODEV) /* gone: it takes no routes */
		return e;
	nlh = routes_netlink_begin(&request, RTM_GETADDR, NLM_F_DUMP);
	struct ifaddrmsg *ifa = mnl_nlmsg_put_extra_header(nlh, sizeof(*ifa));
	ifa->ifa_family = AF_UNSPEC;
	e = routes_netlink_dump(nl, nlh, on_address, &r, lists);
	s->has_ipv6 = access("/proc/sys/net/ipv6", F_OK) == 0;
	return e == 0 && r.out_of_memory ? ENOMEM : e;
}
