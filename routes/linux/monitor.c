/* SPDX-License-Identifier: BSD-2-Clause */
#include "monitor.h"

#include <errno.h>
#include <libmnl/libmnl.h>
#include <linux/fib_rules.h>
#include <linux/netfilter/nfnetlink.h>
#include <linux/rtnetlink.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "fault.h"
#include "linux.h"
#include "route.h"

#define EVENT_BYTES 32768
#define READS       32 /* of one call: the rest is polled for again */

#define RTNETLINK_GROUPS \
	((1u << (RTNLGRP_LINK - 1)) | (1u << (RTNLGRP_IPV4_IFADDR - 1)) | \
	 (1u << (RTNLGRP_IPV6_IFADDR - 1)) | (1u << (RTNLGRP_IPV4_ROUTE - 1)) | \
	 (1u << (RTNLGRP_IPV6_ROUTE - 1)) | (1u << (RTNLGRP_IPV4_RULE - 1)) | \
	 (1u << (RTNLGRP_IPV6_RULE - 1)))

static int by_destination(const void *a, const void *b)
{
	const struct routes_route *x = a, *y = b;
	return memcmp(&x->dst, &y->dst, sizeof(x->dst)); /* what made routes are sorted by first */
}

/* Whether a route that came stands where one of ours was: the kernel tells of one that takes another's place
 * as of a new one. */
static bool displaces(const struct routes *r, const struct nlmsghdr *nlh)
{
	const struct routes_made_route *made = r->routes.items, *m;
	struct routes_route route;
	if (r->routes.n == 0 || !routes_route_read(nlh, &route))
		return false;
	m = bsearch(&route, made, r->routes.n, sizeof(*made), by_destination);
	while (m != NULL && m > made && by_destination(m - 1, &route) == 0)
		m--;
	for (; m != NULL && m < made + r->routes.n && by_destination(m, &route) == 0; m++)
		if (routes_route_same_key(&m->route, &route) &&
		    routes_route_compare(&m->route, &route) != 0)
			return true;
	return false;
}

/* Routes of others come and go by the thousand on a router: of routes, only the loss of ours counts, and
 * any default route, on which the way to the endpoints depends. */
static bool concerns(const struct routes *r, const struct nlmsghdr *nlh)
{
	const struct rtmsg *rtm = mnl_nlmsg_get_payload(nlh);
	bool is_route = nlh->nlmsg_type == RTM_NEWROUTE || nlh->nlmsg_type == RTM_DELROUTE;
	if (!is_route)
		return true;
	if (mnl_nlmsg_get_payload_len(nlh) < sizeof(*rtm))
		return false;
	bool ours = rtm->rtm_protocol == r->options->protocol;
	if (nlh->nlmsg_type == RTM_DELROUTE)
		return ours || rtm->rtm_dst_len == 0;
	return (!ours && rtm->rtm_dst_len == 0) || displaces(r, nlh);
}

struct hearing {
	const struct routes *routes;
	bool concerned;
};

static int on_message(const struct nlmsghdr *nlh, void *ctx)
{
	struct hearing *h = ctx;
	h->concerned |= concerns(h->routes, nlh);
	return MNL_CB_OK;
}

static void on_route(void *ctx, int fd, uint32_t events)
{
	char buf[EVENT_BYTES] __attribute__((aligned(8)));
	struct routes *r = ctx;
	struct hearing h = {.routes = r};
	(void)events;
	for (int i = 0; i < READS; i++) {
		ssize_t n = recv(fd, buf, sizeof(buf), MSG_DONTWAIT);
		if (n < 0 && errno == ENOBUFS)
			h.concerned = true; /* events were lost: look at everything */
		else if (n < 0 && errno != EINTR)
			break;
		else if (n > 0)
			mnl_cb_run(buf, (size_t)n, 0, 0, on_message, &h);
	}
	if (h.concerned)
		r->reconcile->stir(r->reconciler);
}

/* What changed in nftables is not read: the tables are compared as a whole. */
static void on_filter(void *ctx, int fd, uint32_t events)
{
	char buf[EVENT_BYTES] __attribute__((aligned(8)));
	struct routes *r = ctx;
	(void)events;
	for (int i = 0; i < READS; i++)
		if (recv(fd, buf, sizeof(buf), MSG_DONTWAIT) < 0 && errno != ENOBUFS &&
		    errno != EINTR)
			break;
	r->reconcile->stir(r->reconciler);
}

static vpn_status open_socket(struct routes *r, struct mnl_socket **ret, int bus,
			      unsigned int groups,
			      void (*ready)(void *ctx, int fd, uint32_t events),
			      struct vpn_error *err)
{
	struct mnl_socket *sock = mnl_socket_open2(bus, SOCK_CLOEXEC | SOCK_NONBLOCK);
	*ret = sock;
	if (sock == NULL || mnl_socket_bind(sock, groups, MNL_SOCKET_AUTOPID) != 0)
		return routes_fault(err, routes_status(errno), errno, NULL,
				    "cannot listen to netlink: %s", strerror(errno));
	vpn_status status = r->loop->watch(r->loop_inst, mnl_socket_get_fd(sock), VPN_POLLIN, ready,
					   r);
	if (status != VPN_OK)
		return routes_fault(err, status, 0, NULL, "cannot watch a netlink socket");
	return VPN_OK;
}

vpn_status routes_monitor_open(struct routes *r, struct vpn_error *err)
{
	vpn_status status = open_socket(r, &r->monitor.route, NETLINK_ROUTE, RTNETLINK_GROUPS,
					on_route, err);
	/* of those without an owner, which others can change */
	if (status == VPN_OK && (r->options->kill_switch != ROUTES_KILL_OFF || r->options->nat))
		status = open_socket(r, &r->monitor.filter, NETLINK_NETFILTER,
				     1u << (NFNLGRP_NFTABLES - 1), on_filter, err);
	return status;
}

static void leave(struct routes *r, struct mnl_socket **sock)
{
	if (*sock == NULL)
		return;
	r->loop->watch(r->loop_inst, mnl_socket_get_fd(*sock), 0, NULL, NULL);
	mnl_socket_close(*sock);
	*sock = NULL;
}

void routes_monitor_close(struct routes *r)
{
	leave(r, &r->monitor.route);
	leave(r, &r->monitor.filter);
}
