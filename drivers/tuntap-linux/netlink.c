/* SPDX-License-Identifier: BSD-2-Clause */
#include "netlink.h"

#include <arpa/inet.h>
#include <errno.h>
#include <libmnl/libmnl.h>
#include <linux/if_addr.h>
#include <linux/if_link.h>
#include <linux/if_tun.h>
#include <linux/net_namespace.h>
#include <linux/rtnetlink.h>
#include <stdio.h>
#include <string.h>
#include <sys/time.h>
#include <vpncore/tcpip.h>

#define REQUEST_BYTES 512
#define ANSWER_BYTES  16384

#define ATTR_MAX 128

int tuntap_netlink_open(struct tuntap_netlink *nl)
{
	const struct timeval patience = {.tv_sec = 5};
	nl->sock = mnl_socket_open2(NETLINK_ROUTE, SOCK_CLOEXEC);
	if (nl->sock == NULL)
		return errno;
	(void)setsockopt(mnl_socket_get_fd(nl->sock), SOL_SOCKET, SO_RCVTIMEO, &patience,
			 sizeof(patience));
	if (mnl_socket_bind(nl->sock, 0, MNL_SOCKET_AUTOPID) == 0)
		return 0;
	int e = errno;
	tuntap_netlink_close(nl);
	return e;
}

void tuntap_netlink_close(struct tuntap_netlink *nl)
{
	if (nl->sock != NULL)
		mnl_socket_close(nl->sock);
	nl->sock = NULL;
}

/* Sends a request and gives each message of the answer to `cb`. */
static int exchange(struct tuntap_netlink *nl, struct nlmsghdr *nlh, mnl_cb_t cb, void *ctx)
{
	char answer[ANSWER_BYTES] __attribute__((aligned(8)));
	uint32_t port = mnl_socket_get_portid(nl->sock);
	int more = MNL_CB_OK;
	nlh->nlmsg_seq = ++nl->seq;
	if (mnl_socket_sendto(nl->sock, nlh, nlh->nlmsg_len) < 0)
		return errno;
	while (more > MNL_CB_STOP) {
		ssize_t n = mnl_socket_recvfrom(nl->sock, answer, sizeof(answer));
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return errno == EAGAIN ? ETIMEDOUT : errno;
		more = mnl_cb_run(answer, (size_t)n, nl->seq, port, cb, ctx);
	}
	return more < 0 ? errno : 0;
}

static struct nlmsghdr *begin(char *buf, uint16_t type, unsigned int flags)
{
	struct nlmsghdr *nlh = mnl_nlmsg_put_header(buf);
	nlh->nlmsg_type = type;
	nlh->nlmsg_flags = (uint16_t)(NLM_F_REQUEST | flags);
	return nlh;
}

/* ---- attributes ---- */

struct attributes {
	const struct nlattr *at[ATTR_MAX];
};

static int collect(const struct nlattr *attr, void *ctx)
{
	struct attributes *all = ctx;
	if (mnl_attr_get_type(attr) < ATTR_MAX)
		all->at[mnl_attr_get_type(attr)] = attr;
	return MNL_CB_OK;
}

static void collect_nested(const struct attributes *in, uint32_t type, struct attributes *out)
{
	memset(out, 0, sizeof(*out));
	if (in->at[type] != NULL)
		mnl_attr_parse_nested(in->at[type], collect, out);
}

static uint32_t get_u32(const struct attributes *all, uint32_t type, uint32_t otherwise)
{
	const struct nlattr *a = all->at[type];
	return a != NULL && mnl_attr_get_payload_len(a) >= 4 ? mnl_attr_get_u32(a) : otherwise;
}

static uint8_t get_u8(const struct attributes *all, uint32_t type, uint8_t otherwise)
{
	const struct nlattr *a = all->at[type];
	return a != NULL && mnl_attr_get_payload_len(a) >= 1 ? mnl_attr_get_u8(a) : otherwise;
}

static void get_text(const struct attributes *all, uint32_t type, char *buf, size_t cap)
{
	const struct nlattr *a = all->at[type];
	size_t len = a != NULL ? strnlen(mnl_attr_get_payload(a), mnl_attr_get_payload_len(a)) : 0;
	if (len >= cap)
		len = cap - 1;
	if (len != 0)
		memcpy(buf, mnl_attr_get_payload(a), len);
	buf[len] = '\0';
}

/* ---- links ---- */

static void parse_link_info(const struct attributes *all, struct tuntap_link *ret)
{
	struct attributes info, data;
	collect_nested(all, IFLA_LINKINFO, &info);
	get_text(&info, IFLA_INFO_KIND, ret->kind, sizeof(ret->kind));
	collect_nested(&info, IFLA_INFO_DATA, &data);
	if (strcmp(ret->kind, "tun") != 0)
		memset(&data, 0, sizeof(data));
	ret->owner = get_u32(&data, IFLA_TUN_OWNER, UINT32_MAX);
	ret->group = get_u32(&data, IFLA_TUN_GROUP, UINT32_MAX);
	ret->ethernet = get_u8(&data, IFLA_TUN_TYPE, IFF_TUN) == IFF_TAP;
	ret->packet_info = get_u8(&data, IFLA_TUN_PI, 0) != 0;
	ret->multi_queue = get_u8(&data, IFLA_TUN_MULTI_QUEUE, 0) != 0;
	ret->n_queues = get_u32(&data, IFLA_TUN_NUM_QUEUES, 0);
}

bool tuntap_netlink_parse_link(const struct nlmsghdr *nlh, struct tuntap_link *ret)
{
	const struct ifinfomsg *ifi = mnl_nlmsg_get_payload(nlh);
	struct attributes all = {{NULL}}, spec, inet6;
	memset(ret, 0, sizeof(*ret));
	if (mnl_nlmsg_get_payload_len(nlh) < sizeof(*ifi) || ifi->ifi_family != AF_UNSPEC ||
	    mnl_attr_parse(nlh, sizeof(*ifi), collect, &all) < 0)
		return false;
	ret->index = (uint32_t)ifi->ifi_index;
	ret->flags = ifi->ifi_flags;
	ret->mtu = get_u32(&all, IFLA_MTU, 0);
	ret->txqueuelen = get_u32(&all, IFLA_TXQLEN, 0);
	get_text(&all, IFLA_IFNAME, ret->name, sizeof(ret->name));
	const struct nlattr *mac = all.at[IFLA_ADDRESS];
	if (mac != NULL && mnl_attr_get_payload_len(mac) == sizeof(ret->mac))
		memcpy(ret->mac, mnl_attr_get_payload(mac), sizeof(ret->mac));
	parse_link_info(&all, ret);
	collect_nested(&all, IFLA_AF_SPEC, &spec);
	collect_nested(&spec, AF_INET6, &inet6);
	ret->addr_gen_mode = get_u8(&inet6, IFLA_INET6_ADDR_GEN_MODE, 0xff);
	return true;
}

static int on_link(const struct nlmsghdr *nlh, void *ctx)
{
	if (nlh->nlmsg_type == RTM_NEWLINK)
		tuntap_netlink_parse_link(nlh, ctx);
	return MNL_CB_OK;
}

int tuntap_netlink_get_link_in(struct tuntap_netlink *nl, int32_t nsid, uint32_t index,
			       const char *name, struct tuntap_link *ret)
{
	char buf[REQUEST_BYTES] __attribute__((aligned(8)));
	/* with ACK the answer is complete at the ACK, wherever the kernel puts it */
	struct nlmsghdr *nlh = begin(buf, RTM_GETLINK, NLM_F_ACK);
	struct ifinfomsg *ifi = mnl_nlmsg_put_extra_header(nlh, sizeof(*ifi));
	ifi->ifi_index = (int)index;
	if (index == 0)
		mnl_attr_put_strz(nlh, IFLA_IFNAME, name);
	if (nsid >= 0)
		mnl_attr_put_u32(nlh, IFLA_TARGET_NETNSID, (uint32_t)nsid);
	memset(ret, 0, sizeof(*ret));
	int e = exchange(nl, nlh, on_link, ret);
	return e == 0 && ret->index == 0 ? ENODEV : e;
}

int tuntap_netlink_get_link(struct tuntap_netlink *nl, uint32_t index, const char *name,
			    struct tuntap_link *ret)
{
	return tuntap_netlink_get_link_in(nl, -1, index, name, ret);
}

int tuntap_netlink_set_link(struct tuntap_netlink *nl, uint32_t index,
			    const struct tuntap_change *c)
{
	char buf[REQUEST_BYTES] __attribute__((aligned(8)));
	struct nlmsghdr *nlh = begin(buf, RTM_NEWLINK, NLM_F_ACK);
	struct ifinfomsg *ifi = mnl_nlmsg_put_extra_header(nlh, sizeof(*ifi));
	ifi->ifi_index = (int)index;
	if (c->up) {
		ifi->ifi_flags = IFF_UP;
		ifi->ifi_change = IFF_UP;
	}
	if (c->mtu != 0)
		mnl_attr_put_u32(nlh, IFLA_MTU, c->mtu);
	if (c->txqueuelen != 0)
		mnl_attr_put_u32(nlh, IFLA_TXQLEN, c->txqueuelen);
	if (c->mac != NULL)
		mnl_attr_put(nlh, IFLA_ADDRESS, 6, c->mac);
	if (c->no_addr_gen) {
		struct nlattr *spec = mnl_attr_nest_start(nlh, IFLA_AF_SPEC);
		struct nlattr *inet6 = mnl_attr_nest_start(nlh, AF_INET6);
		mnl_attr_put_u8(nlh, IFLA_INET6_ADDR_GEN_MODE, IN6_ADDR_GEN_MODE_NONE);
		mnl_attr_nest_end(nlh, inet6);
		mnl_attr_nest_end(nlh, spec);
	}
	return exchange(nl, nlh, NULL, NULL);
}

/* ---- namespaces ---- */

static int on_nsid(const struct nlmsghdr *nlh, void *ctx)
{
	struct attributes all = {{NULL}};
	int32_t *ret = ctx;
	if (nlh->nlmsg_type == RTM_NEWNSID &&
	    mnl_attr_parse(nlh, sizeof(struct rtgenmsg), collect, &all) >= 0)
		*ret = (int32_t)get_u32(&all, NETNSA_NSID, UINT32_MAX);
	return MNL_CB_OK;
}

static int ask_nsid(struct tuntap_netlink *nl, uint16_t type, int ns, int32_t *ret)
{
	char buf[REQUEST_BYTES] __attribute__((aligned(8)));
	struct nlmsghdr *nlh = begin(buf, type, NLM_F_ACK);
	struct rtgenmsg *gen = mnl_nlmsg_put_extra_header(nlh, sizeof(*gen));
	gen->rtgen_family = AF_UNSPEC;
	mnl_attr_put_u32(nlh, NETNSA_FD, (uint32_t)ns);
	if (type == RTM_NEWNSID)
		mnl_attr_put_u32(nlh, NETNSA_NSID, UINT32_MAX); /* the kernel chooses */
	*ret = -1;
	return exchange(nl, nlh, on_nsid, ret);
}

int tuntap_netlink_get_nsid(struct tuntap_netlink *nl, int ns, int32_t *ret)
{
	int e = ask_nsid(nl, RTM_GETNSID, ns, ret);
	if (e != 0 || *ret >= 0)
		return e;
	e = ask_nsid(nl, RTM_NEWNSID, ns, ret);
	if (e == 0 || e == EEXIST)
		e = ask_nsid(nl, RTM_GETNSID, ns, ret);
	return e == 0 && *ret < 0 ? ENOENT : e;
}

/* ---- addresses ---- */

static uint8_t family_of(uint8_t af)
{
	return af == AF_INET ? VPN_AF_INET : af == AF_INET6 ? VPN_AF_INET6 : VPN_AF_NONE;
}

static bool get_address(const struct attributes *all, uint32_t type, struct vpn_prefix *out)
{
	const struct nlattr *a = all->at[type];
	size_t want = out->family == VPN_AF_INET6 ? 16 : 4;
	if (a == NULL || mnl_attr_get_payload_len(a) != want)
		return false;
	memcpy(out->addr, mnl_attr_get_payload(a), want);
	return true;
}

bool tuntap_netlink_parse_address(const struct nlmsghdr *nlh, uint32_t *ret_index,
				  struct tuntap_address *ret)
{
	const struct ifaddrmsg *ifa = mnl_nlmsg_get_payload(nlh);
	struct attributes all = {{NULL}};
	memset(ret, 0, sizeof(*ret));
	if (mnl_nlmsg_get_payload_len(nlh) < sizeof(*ifa) ||
	    family_of(ifa->ifa_family) == VPN_AF_NONE ||
	    mnl_attr_parse(nlh, sizeof(*ifa), collect, &all) < 0)
		return false;
	struct vpn_prefix address = {.family = family_of(ifa->ifa_family),
				     .length = ifa->ifa_prefixlen};
	ret->local = address;
	*ret_index = ifa->ifa_index;
	/* IFA_ADDRESS is the peer's where IFA_LOCAL differs, and may be all there is for IPv6 */
	bool has_address = get_address(&all, IFA_ADDRESS, &address);
	bool has_local = get_address(&all, IFA_LOCAL, &ret->local);
	if (!has_local)
		ret->local = address;
	else if (has_address && memcmp(address.addr, ret->local.addr, sizeof(address.addr)) != 0)
		ret->peer = address;
	return has_address || has_local;
}

static int on_route(const struct nlmsghdr *nlh, void *ctx)
{
	bool *ret = ctx;
	const struct rtmsg *rtm = mnl_nlmsg_get_payload(nlh);
	if (nlh->nlmsg_type == RTM_NEWROUTE && mnl_nlmsg_get_payload_len(nlh) >= sizeof(*rtm))
		*ret = rtm->rtm_type == RTN_LOCAL;
	return MNL_CB_OK;
}

int tuntap_netlink_is_local(struct tuntap_netlink *nl, const struct vpn_prefix *address, bool *ret)
{
	char buf[REQUEST_BYTES] __attribute__((aligned(8)));
	bool six = address->family == VPN_AF_INET6;
	struct nlmsghdr *nlh = begin(buf, RTM_GETROUTE, NLM_F_ACK);
	struct rtmsg *rtm = mnl_nlmsg_put_extra_header(nlh, sizeof(*rtm));
	rtm->rtm_family = six ? AF_INET6 : AF_INET;
	rtm->rtm_dst_len = six ? 128 : 32;
	mnl_attr_put(nlh, RTA_DST, six ? 16 : 4, address->addr);
	*ret = false;
	return exchange(nl, nlh, on_route, ret);
}

struct address_search {
	struct tuntap_address *ret;
	uint32_t index, max, n;
};

static int on_address(const struct nlmsghdr *nlh, void *ctx)
{
	struct address_search *s = ctx;
	struct tuntap_address a;
	uint32_t index = 0;
	if (nlh->nlmsg_type != RTM_NEWADDR || !tuntap_netlink_parse_address(nlh, &index, &a))
		return MNL_CB_OK;
	if (index == s->index && s->n < s->max)
		s->ret[s->n++] = a;
	return MNL_CB_OK;
}

int tuntap_netlink_get_addresses(struct tuntap_netlink *nl, uint32_t index,
				 struct tuntap_address *ret, uint32_t max, uint32_t *ret_n)
{
	char buf[REQUEST_BYTES] __attribute__((aligned(8)));
	struct nlmsghdr *nlh = begin(buf, RTM_GETADDR, NLM_F_DUMP);
	struct ifaddrmsg *ifa = mnl_nlmsg_put_extra_header(nlh, sizeof(*ifa));
	struct address_search search = {.ret = ret, .index = index, .max = max};
	ifa->ifa_family = AF_UNSPEC;
	int e = exchange(nl, nlh, on_address, &search);
	*ret_n = search.n;
	return e;
}

static struct nlmsghdr *begin_address(char *buf, uint16_t type, unsigned int flags, uint32_t index,
				      const struct tuntap_address *a)
{
	struct nlmsghdr *nlh = begin(buf, type, NLM_F_ACK | flags);
	struct ifaddrmsg *ifa = mnl_nlmsg_put_extra_header(nlh, sizeof(*ifa));
	bool ipv6 = a->local.family == VPN_AF_INET6;
	bool has_peer = a->peer.family != VPN_AF_NONE;
	size_t len = ipv6 ? 16 : 4;
	ifa->ifa_family = ipv6 ? AF_INET6 : AF_INET;
	ifa->ifa_prefixlen = has_peer ? a->peer.length : a->local.length;
	ifa->ifa_index = index;
	mnl_attr_put(nlh, IFA_LOCAL, len, a->local.addr);
	mnl_attr_put(nlh, IFA_ADDRESS, len, has_peer ? a->peer.addr : a->local.addr);
	return nlh;
}

int tuntap_netlink_add_address(struct tuntap_netlink *nl, uint32_t index,
			       const struct tuntap_address *a, bool broadcast, bool no_dad)
{
	char buf[REQUEST_BYTES] __attribute__((aligned(8)));
	struct nlmsghdr *nlh = begin_address(buf, RTM_NEWADDR, NLM_F_CREATE | NLM_F_EXCL, index, a);
	bool ipv4 = a->local.family == VPN_AF_INET;
	if (broadcast && ipv4 && a->peer.family == VPN_AF_NONE && a->local.length <= 30) {
		uint32_t to = tcpip_load_be32(a->local.addr) | UINT32_MAX >> a->local.length;
		mnl_attr_put_u32(nlh, IFA_BROADCAST, htonl(to));
	}
	if (no_dad && !ipv4)
		mnl_attr_put_u32(nlh, IFA_FLAGS, IFA_F_NODAD);
	return exchange(nl, nlh, NULL, NULL);
}

int tuntap_netlink_del_address(struct tuntap_netlink *nl, uint32_t index,
			       const struct tuntap_address *a)
{
	char buf[REQUEST_BYTES] __attribute__((aligned(8)));
	struct nlmsghdr *nlh = begin_address(buf, RTM_DELADDR, 0, index, a);
	return exchange(nl, nlh, NULL, NULL);
}

bool tuntap_address_equal(const struct tuntap_address *a, const struct tuntap_address *b)
{
	uint8_t la = a->peer.family != VPN_AF_NONE ? a->peer.length : a->local.length;
	uint8_t lb = b->peer.family != VPN_AF_NONE ? b->peer.length : b->local.length;
	return la == lb && a->local.family == b->local.family && a->peer.family == b->peer.family &&
	       memcmp(a->local.addr, b->local.addr, sizeof(a->local.addr)) == 0 &&
	       memcmp(a->peer.addr, b->peer.addr, sizeof(a->peer.addr)) == 0;
}

void tuntap_address_format(const struct tuntap_address *a, char *buf, size_t cap)
{
	char local[INET6_ADDRSTRLEN] = "", peer[INET6_ADDRSTRLEN] = "";
	int af = a->local.family == VPN_AF_INET6 ? AF_INET6 : AF_INET;
	inet_ntop(af, a->local.addr, local, sizeof(local));
	inet_ntop(af, a->peer.addr, peer, sizeof(peer));
	if (a->peer.family == VPN_AF_NONE)
		snprintf(buf, cap, "%s/%u", local, a->local.length);
	else
		snprintf(buf, cap, "%s peer %s/%u", local, peer, a->peer.length);
}
