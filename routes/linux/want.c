/* SPDX-License-Identifier: BSD-2-Clause */
#include "want.h"

#include <errno.h>
#include <linux/rtnetlink.h>
#include <stdio.h>
#include <string.h>

#include "fault.h"
#include "linux.h"
#include "prefix.h"
#include "route.h"
#include "work.h"

#define WISHES_MOST 256u

static const uint32_t flags_known = VPN_ROUTES_BLOCK_DNS;

void routes_want_clear(struct routes_want *w)
{
	routes_list_free(&w->wishes);
	*w = (struct routes_want){.block_dns = false};
}

bool routes_want_read(const struct routes_want *w, struct routes_scene *scene)
{
	const struct routes_wish *wish = w->wishes.items;
	scene->block_dns = w->block_dns;
	for (uint32_t i = 0; i < w->wishes.n; i++)
		if (!routes_list_add(&scene->wanted, &wish[i].to, sizeof(wish[i].to)))
			return false;
	return true;
}

/* ---- whether the session takes it ---- */

static bool is_carried(const struct routes_scene *scene, const struct vpn_prefix *to)
{
	const struct routes_allowed *a = scene->allowed.items;
	for (uint32_t i = 0; i < scene->allowed.n; i++)
		if (routes_prefix_covers(&a[i].prefix, to))
			return true;
	return !scene->has_peers;
}

void routes_want_warn(struct routes *r, const struct routes_scene *scene)
{
	struct routes_wish *wish = r->want.wishes.items;
	char text[ROUTES_PREFIX_TEXT];
	for (uint32_t i = 0; i < r->want.wishes.n; i++) {
		if (wish[i].told || is_carried(scene, &wish[i].to))
			continue;
		wish[i].told = true;
		routes_log(r->host, VPN_LOG_WARN,
			   "%s is to be reached through the tunnel, but no peer has it in its "
			   "allowed_ips: what is sent there is dropped",
			   routes_prefix_text(&wish[i].to, text));
	}
}

/* ---- reading ---- */

static vpn_status check(const struct vpn_prefix *p, struct vpn_error *err)
{
	bool six = p->family == VPN_AF_INET6;
	char text[ROUTES_PREFIX_TEXT];
	if ((!six && p->family != VPN_AF_INET) || p->length > routes_family_bytes(p->family) * 8)
		return routes_fault(err, VPN_EINVAL, 0, NULL,
				    "a network of family %u and length %u is none", p->family,
				    p->length);
	if (p->length == 0 || routes_prefix_is_multicast(p) || routes_prefix_is_loopback(p))
		return routes_fault(err, VPN_EINVAL, 0, NULL,
				    "%s cannot be wanted in the tunnel: %s",
				    routes_prefix_text(p, text),
				    p->length == 0 ? "everything goes there by \"default\" alone"
						   : "addresses of this kind are not routed");
	return VPN_OK;
}

static bool has_wish(const struct routes_want *w, const struct vpn_prefix *to)
{
	const struct routes_wish *wish = w->wishes.items;
	for (uint32_t i = 0; i < w->wishes.n; i++)
		if (routes_prefix_equal(&wish[i].to, to))
			return true;
	return false;
}

static vpn_status read_wanted(const struct vpn_routes_wanted *wanted, struct routes_want *ret,
			      struct vpn_error *err)
{
	if (!VPN_HAS(wanted, struct vpn_routes_wanted, n_in_tunnel))
		return routes_fault(err, VPN_EINVAL, 0, NULL, "what is wanted is cut short");
	if ((wanted->flags & ~flags_known) >> 16 != 0)
		return routes_fault(err, VPN_ENOTSUP, 0, NULL,
				    "flags 0x%08x are wanted, of which this routes plugin does not "
				    "know all",
				    wanted->flags);
	if (wanted->n_in_tunnel != 0 && wanted->in_tunnel == NULL)
		return routes_fault(err, VPN_EINVAL, 0, NULL,
				    "networks are wanted that are missing");
	if (wanted->n_in_tunnel > WISHES_MOST)
		return routes_fault(err, VPN_EINVAL, 0, NULL,
				    "%u networks are wanted in the tunnel; %u are the most",
				    wanted->n_in_tunnel, WISHES_MOST);
	ret->block_dns = (wanted->flags & VPN_ROUTES_BLOCK_DNS) != 0;
	for (uint32_t i = 0; i < wanted->n_in_tunnel; i++) {
		vpn_status status = check(&wanted->in_tunnel[i], err);
		if (status != VPN_OK)
			return status;
		struct routes_wish wish = {.to = routes_prefix_network(&wanted->in_tunnel[i])};
		if (!has_wish(ret, &wish.to) && !routes_list_add(&ret->wishes, &wish, sizeof(wish)))
			return routes_fault(err, VPN_ENOMEM, 0, NULL, "out of memory");
	}
	return VPN_OK;
}

/* ---- having it so ---- */

/* An address that stands for the network: its first one that is no address of all. */
static struct vpn_address probe_of(const struct vpn_prefix *p)
{
	struct vpn_address a = {.family = p->family};
	memcpy(a.addr, p->addr, sizeof(a.addr));
	if (p->length < routes_family_bytes(p->family) * 8)
		a.addr[routes_family_bytes(p->family) - 1] |= 1;
	return a;
}

/* Whether packets to a network leave elsewhere. */
static vpn_status check_way(struct routes *r, const struct vpn_prefix *to, struct vpn_error *err)
{
	struct vpn_address probe = probe_of(to);
	struct routes_lookup found;
	char text[ROUTES_PREFIX_TEXT];
	int e = routes_route_lookup(&r->netlink, &probe, 0, &found);
	if (e == EAFNOSUPPORT || e == EOPNOTSUPP)
		return VPN_OK; /* without IPv6 nothing leaves by it */
	if (e != 0)
		return routes_fault(err, routes_status(e), e, NULL, "cannot look up a route: %s",
				    strerror(e));
	if (found.type != RTN_UNICAST || found.ifindex == r->device.ifindex)
		return VPN_OK;
	return routes_fault(err, VPN_EBUSY, 0, NULL,
			    "packets to %s do not enter the tunnel: a rule or route of another "
			    "program comes first, see `ip route get`",
			    routes_prefix_text(to, text));
}

/* Failures of a run that have nothing to do with what is wanted do not count. */
static vpn_status bring_about(struct routes *r, struct vpn_error *err)
{
	const struct routes_wish *wish = r->want.wishes.items;
	struct vpn_error of_run = {.size = sizeof(of_run)}, of_way = of_run;
	uint32_t repairs = 0;
	r->again_ns = 1; /* also what had no place before */
	vpn_status ran = routes_work_run(r, false, &repairs, &of_run);
	vpn_status status = VPN_OK;
	for (uint32_t i = 0; wish != NULL && i < r->want.wishes.n && status == VPN_OK; i++)
		status = check_way(r, &wish[i].to, &of_way);
	if (status == VPN_OK && r->blocks_dns == r->want.block_dns)
		return VPN_OK;
	/* that a place is taken the way shows, too, and says it of what is wanted */
	bool by_run = status == VPN_OK || (ran != VPN_OK && ran != VPN_EBUSY);
	const struct vpn_error *first = by_run ? &of_run : &of_way;
	return routes_fault(err, first->status, first->os_errno, NULL, "%s", first->text);
}

static vpn_status want(void *inst, const struct vpn_routes_wanted *wanted, struct vpn_error *err)
{
	struct routes *r = inst;
	struct routes_want next = {.block_dns = false}, before = r->want;
	vpn_status status = read_wanted(wanted, &next, err);
	bool nothing = next.wishes.n == 0 && !next.block_dns;
	if (status == VPN_OK && r->reconciler == NULL && nothing)
		return VPN_OK; /* as it is before apply() and behind revert() */
	if (status == VPN_OK && r->reconciler == NULL)
		status = routes_fault(err, VPN_ECLOSED, 0, NULL, "no routes have been applied");
	if (status != VPN_OK) {
		routes_want_clear(&next);
		return status;
	}
	r->want = next;
	status = bring_about(r, err);
	if (status == VPN_OK) {
		routes_want_clear(&before);
		return VPN_OK;
	}
	struct vpn_error ignored = {.size = sizeof(ignored)};
	routes_want_clear(&r->want);
	r->want = before;
	(void)bring_about(r, &ignored);
	return status;
}

const struct vpn_routes_ext routes_want_ext = {.size = sizeof(routes_want_ext), .want = want};
