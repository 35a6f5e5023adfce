/* SPDX-License-Identifier: BSD-2-Clause */
#include "monitor.h"

#include <errno.h>
#include <libmnl/libmnl.h>
#include <linux/rtnetlink.h>
#include <string.h>
#include <sys/socket.h>
#include <vpncore/tcpip.h>

#include "fault.h"
#include "place.h"
#include "tuntap.h"

#define EVENT_BYTES 16384
#define READS       32 /* of one call: the rest is polled for again */

#ifndef SOL_NETLINK
#define SOL_NETLINK 270
#endif

/* ---- the link's state ---- */

static void on_up(struct tuntap *t)
{
	const struct vpn_host *host = t->host;
	tuntap_log(host, VPN_LOG_INFO, "%s is up again", t->device.name);
	/* in another namespace the addresses are the business of whoever moved it there */
	int n = t->monitor.moved ? 0
				 : tuntap_setup_restore(&t->setup, &t->device, &t->netlink,
							t->monitor.index);
	if (n > 0)
		tuntap_log(host, VPN_LOG_INFO,
			   "%s: %d address(es) put back that went when it was down", t->device.name,
			   n);
	if (n < 0)
		tuntap_log(host, VPN_LOG_WARN, "%s: cannot put its addresses back: %s",
			   t->device.name, strerror(-n));
	host->notify(host, VPN_EVENT_LINK_UP, 0);
}

static void on_down(struct tuntap *t)
{
	tuntap_log(t->host, VPN_LOG_WARN,
		   "%s was set down by another program: packets are dropped until it is up",
		   t->device.name);
	t->host->notify(t->host, VPN_EVENT_LINK_DOWN, 0);
}

static void on_mtu(struct tuntap *t, uint32_t mtu, bool too_large)
{
	tuntap_log(t->host, VPN_LOG_WARN, "%s: another program has changed the MTU from %u to %u%s",
		   t->device.name, t->monitor.mtu, mtu,
		   too_large ? "; larger packets than the stack carries are dropped" : "");
	t->host->notify(t->host, VPN_EVENT_MTU, mtu);
}

/* Compares the link with what was known of it. */
static void on_state(struct tuntap *t, const struct tuntap_link *link)
{
	struct tuntap_monitor *m = &t->monitor;
	bool up = (link->flags & IFF_UP) != 0;
	uint32_t most = t->host->mtu_above - (t->device.ethernet ? TCPIP_ETH_LEN : 0);
	if (strcmp(link->name, t->device.name) != 0) {
		tuntap_log(t->host, VPN_LOG_INFO, "%s has a new name: %s", t->device.name,
			   link->name);
		memcpy(t->device.name, link->name, sizeof(t->device.name));
	}
	if (link->mtu != m->mtu)
		on_mtu(t, link->mtu, link->mtu > most);
	m->mtu = link->mtu;
	tuntap_set_info(t, link);
	if (up == m->up)
		return;
	m->up = up;
	if (up)
		on_up(t);
	else
		on_down(t);
}

/* ---- where it is ---- */

static vpn_status watch(struct tuntap *t, struct mnl_socket *sock, uint32_t events, uint64_t token)
{
	return t->host->watch(t->lanes[0], mnl_socket_get_fd(sock), events, token);
}

static void close_away(struct tuntap *t)
{
	struct tuntap_monitor *m = &t->monitor;
	m->nsid = -1;
	if (m->away == NULL)
		return;
	watch(t, m->away, 0, TUNTAP_TOKEN_AWAY);
	mnl_socket_close(m->away);
	m->away = NULL;
}

/* Events of all namespaces that ours has a number for. Needs CAP_NET_BROADCAST. */
static bool open_away(struct tuntap *t)
{
	struct tuntap_monitor *m = &t->monitor;
	const int on = 1;
	if (m->away != NULL)
		return true;
	m->away = mnl_socket_open2(NETLINK_ROUTE, SOCK_CLOEXEC | SOCK_NONBLOCK);
	if (m->away == NULL)
		return false;
	if (setsockopt(mnl_socket_get_fd(m->away), SOL_NETLINK, NETLINK_LISTEN_ALL_NSID, &on,
		       sizeof(on)) == 0 &&
	    mnl_socket_bind(m->away, RTMGRP_LINK, MNL_SOCKET_AUTOPID) == 0 &&
	    watch(t, m->away, VPN_POLLIN, TUNTAP_TOKEN_AWAY) == VPN_OK)
		return true;
	mnl_socket_close(m->away);
	m->away = NULL;
	return false;
}

/* Finds the device; listens first, so that nothing is missed. */
static enum tuntap_place_kind find(struct tuntap *t, struct tuntap_place *ret)
{
	struct tuntap_monitor *m = &t->monitor;
	bool listens = open_away(t);
	tuntap_place_find(t->device.fds[0], &t->netlink, ret);
	if (ret->kind == TUNTAP_AWAY && !listens)
		ret->kind = TUNTAP_HIDDEN;
	if (ret->kind != TUNTAP_AWAY)
		close_away(t);
	else
		m->nsid = ret->nsid;
	if (ret->kind == TUNTAP_HOME || ret->kind == TUNTAP_AWAY)
		m->index = ret->link.index;
	return ret->kind;
}

/* What is told of a device that cannot be seen. */
static void tell_hidden(struct tuntap *t)
{
	struct tuntap_link link = {.mtu = t->monitor.mtu, .flags = IFF_UP};
	memcpy(link.name, t->device.name, sizeof(link.name));
	tuntap_set_info(t, &link);
}

static void on_return(struct tuntap *t, const struct tuntap_link *link)
{
	struct tuntap_monitor *m = &t->monitor;
	if (m->moved)
		tuntap_log(t->host, VPN_LOG_INFO, "%s is back in this network namespace",
			   link->name);
	m->moved = false;
	m->index = link->index;
	on_state(t, link);
}

static void on_away(struct tuntap *t, const struct tuntap_link *link)
{
	bool loses = t->setup.n != 0 && !t->monitor.moved;
	tuntap_log(t->host, loses ? VPN_LOG_WARN : VPN_LOG_INFO,
		   "%s was moved to another network namespace: it goes on working%s",
		   t->device.name, loses ? ", but has lost its addresses" : "");
	t->monitor.moved = true;
	on_state(t, link);
}

static void on_hidden(struct tuntap *t)
{
	struct tuntap_monitor *m = &t->monitor;
	tuntap_log(t->host, VPN_LOG_WARN,
		   "%s was moved to another network namespace: it goes on working, but has "
		   "lost its addresses, "
		   "and what happens to it there is not seen",
		   t->device.name);
	m->moved = true;
	m->up = false; /* the kernel sets it down for the move */
	tell_hidden(t);
}

/* The link has left the namespace where it was: deleted, or moved with our descriptor still
 * attached. */
static void on_left(struct tuntap *t)
{
	struct tuntap_monitor *m = &t->monitor;
	struct tuntap_place place;
	const int32_t before = m->nsid;
	const bool hidden = m->moved && m->away == NULL;
	switch (find(t, &place)) {
	case TUNTAP_GONE:
		tuntap_gone(t);
		break;
	case TUNTAP_HOME:
		on_return(t, &place.link);
		break;
	case TUNTAP_AWAY:
		if (m->moved && place.nsid == before)
			on_state(t, &place.link); /* it has been away and back */
		else
			on_away(t, &place.link);
		break;
	case TUNTAP_HIDDEN:
		if (!hidden)
			on_hidden(t);
		break;
	}
}

/* ---- events ---- */

/* A moved device that was not seen may come back, perhaps with another index: it is ours when it has
 * the name that our descriptor tells, and is a TUN or TAP device. */
static bool has_come_back(const struct tuntap *t, const struct tuntap_link *link)
{
	char name[IFNAMSIZ];
	return t->monitor.moved && t->monitor.away == NULL && strcmp(link->kind, "tun") == 0 &&
	       tuntap_device_name(t->device.fds[0], name) && strcmp(name, link->name) == 0;
}

struct event {
	struct tuntap *t;
	int32_t nsid; /* -1 = our own namespace */
};

static void on_link(const struct event *e, const struct nlmsghdr *nlh)
{
	struct tuntap *t = e->t;
	struct tuntap_monitor *m = &t->monitor;
	struct tuntap_link link;
	if (!tuntap_netlink_parse_link(nlh, &link))
		return;
	bool added = nlh->nlmsg_type == RTM_NEWLINK;
	if (added && e->nsid < 0 && has_come_back(t, &link)) {
		on_return(t, &link);
		return;
	}
	if (link.index != m->index || e->nsid != m->nsid || (m->moved && m->away == NULL))
		return;
	if (added)
		on_state(t, &link);
	else
		on_left(t);
}

static void on_address(struct tuntap *t, const struct nlmsghdr *nlh)
{
	struct tuntap_address a;
	uint32_t index = 0;
	char text[128];
	if (!tuntap_netlink_parse_address(nlh, &index, &a) || index != t->monitor.index ||
	    !tuntap_setup_wants(&t->setup, &a))
		return;
	/* with the link go its IPv6 addresses; they come back with it */
	if (!t->monitor.up || t->monitor.moved)
		return;
	tuntap_address_format(&a, text, sizeof(text));
	tuntap_log(t->host, VPN_LOG_WARN, "another program has removed the address %s from %s",
		   text, t->device.name);
}

static int on_message(const struct nlmsghdr *nlh, void *ctx)
{
	const struct event *e = ctx;
	if (nlh->nlmsg_type == RTM_NEWLINK || nlh->nlmsg_type == RTM_DELLINK)
		on_link(e, nlh);
	if (nlh->nlmsg_type == RTM_DELADDR && e->nsid < 0)
		on_address(e->t, nlh);
	return MNL_CB_OK;
}

/* Events were lost: ask how things are. */
static void resynchronise(struct tuntap *t)
{
	struct tuntap_monitor *m = &t->monitor;
	struct tuntap_link link;
	int e = ENODEV;
	if (!m->moved || m->away != NULL)
		e = tuntap_netlink_get_link_in(&t->netlink, m->nsid, m->index, NULL, &link);
	if (e == 0 && strcmp(link.kind, "tun") == 0)
		on_state(t, &link);
	else if (e == ENODEV ||
		 e == EINVAL) /* EINVAL: the namespace is gone, and so is its number */
		on_left(t);
}

/* One read; *ret_nsid is the namespace that it is about. */
static ssize_t receive(struct mnl_socket *sock, char *buf, size_t cap, int32_t *ret_nsid)
{
	char control[CMSG_SPACE(sizeof(int32_t))] __attribute__((aligned(8)));
	struct iovec iov = {buf, cap};
	struct msghdr msg = {.msg_iov = &iov, .msg_iovlen = 1, .msg_control = control};
	msg.msg_controllen = sizeof(control);
	ssize_t n = recvmsg(mnl_socket_get_fd(sock), &msg, 0);
	*ret_nsid = -1;
	if (n < 0)
		return n;
	for (struct cmsghdr *c = CMSG_FIRSTHDR(&msg); c != NULL; c = CMSG_NXTHDR(&msg, c))
		if (c->cmsg_level == SOL_NETLINK && c->cmsg_type == NETLINK_LISTEN_ALL_NSID)
			memcpy(ret_nsid, CMSG_DATA(c), sizeof(*ret_nsid));
	return (msg.msg_flags & MSG_TRUNC) != 0 ? 0 : n;
}

void tuntap_monitor_ready(struct tuntap *t, uint64_t token)
{
	char buf[EVENT_BYTES] __attribute__((aligned(8)));
	struct tuntap_monitor *m = &t->monitor;
	bool away = token == TUNTAP_TOKEN_AWAY;
	struct event e = {.t = t};
	for (int i = 0; i < READS; i++) {
		struct mnl_socket *sock = away ? m->away : m->home;
		if (sock == NULL)
			return;
		ssize_t n = receive(sock, buf, sizeof(buf), &e.nsid);
		if (n < 0 && errno == ENOBUFS)
			resynchronise(t);
		else if (n < 0 && errno != EINTR)
			return;
		else if (n > 0 && away == (e.nsid >= 0)) /* our own come on the other socket */
			mnl_cb_run(buf, (size_t)n, 0, 0, on_message, &e);
	}
}

/* ---- life ---- */

/* A device in another namespace was set up there by whoever handed it in. */
static void open_elsewhere(struct tuntap *t)
{
	struct tuntap_monitor *m = &t->monitor;
	struct tuntap_place place;
	m->moved = true;
	switch (find(t, &place)) {
	case TUNTAP_GONE:
		tuntap_gone(t);
		break;
	case TUNTAP_HOME:
		on_return(t, &place.link);
		break;
	case TUNTAP_AWAY:
		tuntap_log(t->host, VPN_LOG_INFO,
			   "%s is in another network namespace: it is used as it is",
			   t->device.name);
		m->mtu = place.link.mtu;
		m->up = (place.link.flags & IFF_UP) != 0;
		tuntap_set_info(t, &place.link);
		break;
	case TUNTAP_HIDDEN:
		tell_hidden(t);
		tuntap_log(t->host, VPN_LOG_WARN,
			   "%s is in another network namespace: it is used as it is, and its "
			   "events are not seen",
			   t->device.name);
		break;
	}
}

vpn_status tuntap_monitor_open(struct tuntap *t, const struct tuntap_link *link,
			       struct vpn_error *err)
{
	struct tuntap_monitor *m = &t->monitor;
	struct tuntap_link now;
	*m = (struct tuntap_monitor){.nsid = -1, .index = link->index, .mtu = link->mtu};
	m->up = (link->flags & IFF_UP) != 0;
	m->home = mnl_socket_open2(NETLINK_ROUTE, SOCK_CLOEXEC | SOCK_NONBLOCK);
	if (m->home == NULL ||
	    mnl_socket_bind(m->home, RTMGRP_LINK | RTMGRP_IPV4_IFADDR | RTMGRP_IPV6_IFADDR,
			    MNL_SOCKET_AUTOPID) != 0)
		return tuntap_fault(err, tuntap_status(errno), errno, NULL,
				    "cannot listen to rtnetlink: %s", strerror(errno));
	vpn_status status = watch(t, m->home, VPN_POLLIN, TUNTAP_TOKEN_MONITOR);
	if (status != VPN_OK)
		return tuntap_fault(err, status, 0, NULL, "cannot watch the rtnetlink socket");
	if (t->device.elsewhere)
		open_elsewhere(t);
	/* what happened between the setup and the bind */
	else if (tuntap_netlink_get_link(&t->netlink, m->index, NULL, &now) == 0)
		on_state(t, &now);
	return VPN_OK;
}

void tuntap_monitor_close(struct tuntap *t)
{
	struct tuntap_monitor *m = &t->monitor;
	if (m->home == NULL)
		return;
	close_away(t);
	watch(t, m->home, 0, TUNTAP_TOKEN_MONITOR);
	mnl_socket_close(m->home);
	m->home = NULL;
}
