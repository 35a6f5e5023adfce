/* SPDX-License-Identifier: BSD-2-Clause */
#include "monitor.h"

#include <errno.h>
#include <libmnl/libmnl.h>
#include <linux/rtnetlink.h>
#include <string.h>
#include <vpncore/tcpip.h>

#include "fault.h"
#include "tuntap.h"

#define EVENT_BYTES 16384

static void on_up(struct tuntap *t)
{
	const struct vpn_host *host = t->host;
	tuntap_log(host, VPN_LOG_INFO, "%s is up again", t->device.name);
	int n = tuntap_setup_restore(&t->setup, &t->device, &t->netlink, t->monitor.index);
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

/* The link has left this namespace: deleted, or moved with our descriptor still attached. */
static void on_left(struct tuntap *t)
{
	char name[IFNAMSIZ];
	if (!tuntap_device_name(t->device.fds[0], name)) {
		tuntap_gone(t);
		return;
	}
	if (!t->monitor.moved)
		tuntap_log(t->host, VPN_LOG_WARN,
			   "%s was moved to another network namespace: it goes on working, but has "
			   "lost its addresses, "
			   "and what happens to it there is not seen",
			   t->device.name);
	t->monitor.moved = true;
	t->monitor.up = false; /* the kernel sets it down for the move */
}

/* A moved device may come back, perhaps with another index: it is ours when it has the name that
 * our descriptor tells, and is a TUN or TAP device. */
static bool has_come_back(const struct tuntap *t, const struct tuntap_link *link)
{
	char name[IFNAMSIZ];
	return t->monitor.moved && strcmp(link->kind, "tun") == 0 &&
	       tuntap_device_name(t->device.fds[0], name) && strcmp(name, link->name) == 0;
}

static void on_link(struct tuntap *t, const struct nlmsghdr *nlh)
{
	struct tuntap_monitor *m = &t->monitor;
	struct tuntap_link link;
	if (!tuntap_netlink_parse_link(nlh, &link))
		return;
	if (nlh->nlmsg_type == RTM_DELLINK) {
		if (link.index == m->index)
			on_left(t);
		return;
	}
	if (has_come_back(t, &link)) {
		tuntap_log(t->host, VPN_LOG_INFO, "%s is back in this network namespace",
			   link.name);
		m->moved = false;
		m->index = link.index;
	}
	if (link.index == m->index && !m->moved)
		on_state(t, &link);
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
	struct tuntap *t = ctx;
	if (nlh->nlmsg_type == RTM_NEWLINK || nlh->nlmsg_type == RTM_DELLINK)
		on_link(t, nlh);
	if (nlh->nlmsg_type == RTM_DELADDR)
		on_address(t, nlh);
	return MNL_CB_OK;
}

/* Events were lost: ask how things are. */
static void resynchronise(struct tuntap *t)
{
	struct tuntap_link link;
	int e = tuntap_netlink_get_link(&t->netlink, t->monitor.index, NULL, &link);
	if (e == 0 && strcmp(link.kind, "tun") == 0 && !t->monitor.moved)
		on_state(t, &link);
	else if (e == ENODEV)
		on_left(t);
}

void tuntap_monitor_ready(struct tuntap *t)
{
	char buf[EVENT_BYTES] __attribute__((aligned(8)));
	struct tuntap_monitor *m = &t->monitor;
	/* a bound on what one call handles: the rest is polled for again */
	for (int i = 0; i < 32 && m->sock != NULL; i++) {
		ssize_t n = mnl_socket_recvfrom(m->sock, buf, sizeof(buf));
		if (n < 0 && errno == ENOBUFS)
			resynchronise(t);
		else if (n < 0 && errno != EINTR)
			return;
		else if (n > 0)
			mnl_cb_run(buf, (size_t)n, 0, 0, on_message, t);
	}
}

vpn_status tuntap_monitor_open(struct tuntap *t, const struct tuntap_link *link,
			       struct vpn_error *err)
{
	struct tuntap_monitor *m = &t->monitor;
	struct tuntap_link now;
	memset(m, 0, sizeof(*m));
	m->index = link->index;
	m->mtu = link->mtu;
	m->up = (link->flags & IFF_UP) != 0;
	m->sock = mnl_socket_open2(NETLINK_ROUTE, SOCK_CLOEXEC | SOCK_NONBLOCK);
	if (m->sock == NULL ||
	    mnl_socket_bind(m->sock, RTMGRP_LINK | RTMGRP_IPV4_IFADDR | RTMGRP_IPV6_IFADDR,
			    MNL_SOCKET_AUTOPID) != 0)
		return tuntap_fault(err, tuntap_status(errno), errno, NULL,
				    "cannot listen to rtnetlink: %s", strerror(errno));
	vpn_status status = t->host->watch(t->lanes[0], mnl_socket_get_fd(m->sock), VPN_POLLIN,
					   TUNTAP_TOKEN_MONITOR);
	if (status != VPN_OK)
		return tuntap_fault(err, status, 0, NULL, "cannot watch the rtnetlink socket");
	/* what happened between the setup and the bind */
	if (tuntap_netlink_get_link(&t->netlink, m->index, NULL, &now) == 0)
		on_state(t, &now);
	return VPN_OK;
}

void tuntap_monitor_close(struct tuntap *t)
{
	struct tuntap_monitor *m = &t->monitor;
	if (m->sock == NULL)
		return;
	t->host->watch(t->lanes[0], mnl_socket_get_fd(m->sock), 0, TUNTAP_TOKEN_MONITOR);
	mnl_socket_close(m->sock);
	m->sock = NULL;
}
