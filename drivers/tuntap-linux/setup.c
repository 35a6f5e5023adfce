/* SPDX-License-Identifier: BSD-2-Clause */
#include "setup.h"

#include <errno.h>
#include <linux/if_link.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "fault.h"

#define LOCAL_WAIT_NS 1000000 /* a millisecond, */
#define LOCAL_WAITS   200     /* so many times for all addresses together */
#define MIN_MTU_IPV6  1280u
#define ADDRESSES_MAX 128u /* of a link, that are looked at */

vpn_status tuntap_setup_init(struct tuntap_setup *s, const struct tuntap_options *o,
			     struct vpn_error *err)
{
	uint32_t n = o->addresses.count + o->peers.count;
	memset(s, 0, sizeof(*s));
	s->wanted = calloc(n + 1, sizeof(*s->wanted));
	s->added = calloc(n + 1, sizeof(*s->added));
	if (s->wanted == NULL || s->added == NULL) {
		tuntap_setup_clear(s);
		return tuntap_fault(err, VPN_ENOMEM, 0, NULL, "out of memory");
	}
	for (uint32_t i = 0; i < o->addresses.count; i++)
		s->wanted[s->n++].local = *tuntap_options_address(o, i);
	for (uint32_t i = 0; i < o->peers.count; i++) {
		const struct tuntap_peer *p = tuntap_options_peer(o, i);
		struct tuntap_address *a = &s->wanted[s->n++];
		a->peer = p->peer;
		a->local.family = p->address.family;
		a->local.length = p->peer.length;
		memcpy(a->local.addr, p->address.addr, sizeof(a->local.addr));
	}
	return VPN_OK;
}

void tuntap_setup_clear(struct tuntap_setup *s)
{
	free(s->wanted);
	free(s->added);
	memset(s, 0, sizeof(*s));
}

bool tuntap_setup_wants(const struct tuntap_setup *s, const struct tuntap_address *a)
{
	for (uint32_t i = 0; i < s->n; i++)
		if (tuntap_address_equal(&s->wanted[i], a))
			return true;
	return false;
}

/* A change of the link has failed: say what root would have to do. */
static vpn_status link_fault(struct vpn_error *err, const char *where, int e, const char *device,
			     const char *what, const char *command)
{
	if (e == EPERM || e == EACCES)
		return tuntap_fault(err, VPN_EPERM, e, where,
				    "%s: %s needs CAP_NET_ADMIN: run as root, or let root do it: "
				    "ip link set dev %s %s",
				    device, what, device, command);
	return tuntap_fault(err, tuntap_status(e), e, where, "%s: %s failed: %s", device, what,
			    strerror(e));
}

static vpn_status set_mtu(const struct tuntap_options *o, struct tuntap_netlink *nl,
			  const struct tuntap_link *link, uint32_t mtu, struct vpn_error *err)
{
	const struct tuntap_change change = {.mtu = mtu};
	char what[64], command[32];
	if (link->mtu == mtu)
		return VPN_OK;
	int e = tuntap_netlink_set_link(nl, link->index, &change);
	/* a device that carries less than the stack could is fine, when no number was asked for */
	if (e == 0 || (e == EPERM && o->mtu == 0 && link->mtu < mtu))
		return VPN_OK;
	snprintf(what, sizeof(what), "changing the MTU from %u to %u", link->mtu, mtu);
	snprintf(command, sizeof(command), "mtu %u", mtu);
	return link_fault(err, "/mtu", e, link->name, what, command);
}

static vpn_status set_txqueuelen(const struct tuntap_options *o, const struct tuntap_device *d,
				 struct tuntap_netlink *nl, const struct tuntap_link *link,
				 struct vpn_error *err)
{
	struct tuntap_change change = {.txqueuelen = (uint32_t)o->txqueuelen};
	char command[32];
	if (o->txqueuelen == 0) {
		change.txqueuelen = TUNTAP_DEFAULT_TXQUEUELEN;
		if (!d->existed)
			(void)tuntap_netlink_set_link(nl, link->index, &change);
		return VPN_OK;
	}
	if (link->txqueuelen == change.txqueuelen)
		return VPN_OK;
	int e = tuntap_netlink_set_link(nl, link->index, &change);
	if (e == 0)
		return VPN_OK;
	snprintf(command, sizeof(command), "txqueuelen %u", change.txqueuelen);
	return link_fault(err, "/txqueuelen", e, link->name, "changing the queue's length",
			  command);
}

static vpn_status set_mac(const struct tuntap_options *o, struct tuntap_netlink *nl,
			  const struct tuntap_link *link, struct vpn_error *err)
{
	const struct tuntap_change change = {.mac = o->mac.addr};
	if (!o->mac.is_set || memcmp(link->mac, o->mac.addr, sizeof(link->mac)) == 0)
		return VPN_OK;
	int e = tuntap_netlink_set_link(nl, link->index, &change);
	return e == 0 ? VPN_OK
		      : link_fault(err, "/mac", e, link->name, "setting the MAC address",
				   "address MAC");
}

static vpn_status set_up(const struct tuntap_options *o, struct tuntap_netlink *nl,
			 const struct tuntap_link *link, struct vpn_error *err)
{
	const struct tuntap_change change = {.up = true};
	if (!o->up || (link->flags & IFF_UP) != 0)
		return VPN_OK;
	int e = tuntap_netlink_set_link(nl, link->index, &change);
	return e == 0 ? VPN_OK
		      : link_fault(err, "/up", e, link->name, "bringing the device up", "up");
}

/* A TUN device has no neighbours: a link-local address of its own would only make the kernel send
 * router solicitations into the tunnel. Not worth failing for. */
static void quiet_ipv6(const struct tuntap_device *d, struct tuntap_netlink *nl,
		       const struct tuntap_link *link)
{
	const struct tuntap_change change = {.no_addr_gen = true};
	if (!d->ethernet && (link->flags & IFF_UP) == 0 && link->addr_gen_mode != 0xff &&
	    link->addr_gen_mode != IN6_ADDR_GEN_MODE_NONE)
		(void)tuntap_netlink_set_link(nl, link->index, &change);
}

/* ---- addresses ---- */

static vpn_status address_fault(struct vpn_error *err, const char *where, int e, const char *device,
				const struct tuntap_address *a)
{
	char text[128];
	bool ipv6 = a->local.family == VPN_AF_INET6;
	tuntap_address_format(a, text, sizeof(text));
	if (e == EPERM)
		return tuntap_fault(err, VPN_EPERM, e, where,
				    "%s: adding %s needs CAP_NET_ADMIN: run as root, or let root "
				    "do it: ip address add %s dev %s",
				    device, text, text, device);
	if (ipv6 && (e == EACCES || e == EAFNOSUPPORT || e == EOPNOTSUPP))
		return tuntap_fault(err, VPN_EADDR, e, where,
				    "%s: cannot add %s: IPv6 is switched off here (sysctl "
				    "net.ipv6.conf.%s.disable_ipv6)",
				    device, text, device);
	if (e == EEXIST)
		return tuntap_fault(
			err, VPN_EADDR, e, where,
			"%s has %s already, with another prefix length or peer: remove that one",
			device, text);
	return tuntap_fault(err, VPN_EADDR, e, where, "%s: cannot add %s: %s", device, text,
			    strerror(e));
}

static bool is_among(const struct tuntap_address *a, const struct tuntap_address *list, uint32_t n)
{
	for (uint32_t i = 0; i < n; i++)
		if (tuntap_address_equal(a, &list[i]))
			return true;
	return false;
}

/* Adds what is missing. Returns how many, or a negative errno with *ret_i the address. */
static int add_missing(struct tuntap_setup *s, const struct tuntap_device *d,
		       struct tuntap_netlink *nl, uint32_t index, uint32_t *ret_i)
{
	struct tuntap_address there[ADDRESSES_MAX];
	uint32_t n = 0;
	int count = 0;
	int e = s->n != 0 ? tuntap_netlink_get_addresses(nl, index, there, ADDRESSES_MAX, &n) : 0;
	*ret_i = 0;
	for (uint32_t i = 0; i < s->n && e == 0; i++) {
		*ret_i = i;
		if (is_among(&s->wanted[i], there, n))
			continue;
		e = tuntap_netlink_add_address(nl, index, &s->wanted[i], d->ethernet, !d->ethernet);
		if (e == 0) {
			s->added[i] = true;
			count++;
		}
	}
	return e == 0 ? count : -e;
}

static void where_of(const struct tuntap_options *o, uint32_t i, char *buf, size_t cap)
{
	if (i < o->addresses.count)
		snprintf(buf, cap, "/addresses/%u", i);
	else
		snprintf(buf, cap, "/peers/%u", i - o->addresses.count);
}

static vpn_status add_addresses(struct tuntap_setup *s, const struct tuntap_options *o,
				const struct tuntap_device *d, struct tuntap_netlink *nl,
				const struct tuntap_link *link, struct vpn_error *err)
{
	char where[48];
	uint32_t i = 0;
	int r = add_missing(s, d, nl, link->index, &i);
	if (r >= 0)
		return VPN_OK;
	where_of(o, i, where, sizeof(where));
	return address_fault(err, where, -r, link->name, &s->wanted[i]);
}

static vpn_status check_ipv6_mtu(const struct tuntap_setup *s, const struct tuntap_options *o,
				 uint32_t mtu, struct vpn_error *err)
{
	char where[48];
	for (uint32_t i = 0; i < s->n && mtu < MIN_MTU_IPV6; i++) {
		if (s->wanted[i].local.family != VPN_AF_INET6)
			continue;
		where_of(o, i, where, sizeof(where));
		return tuntap_fault(err, VPN_EADDR, 0, where,
				    "IPv6 needs an MTU of at least %u, and this stack carries %u: "
				    "raise the path's MTU or leave the address out",
				    MIN_MTU_IPV6, mtu);
	}
	return VPN_OK;
}

/* Until the addresses of a TUN device answer: who is told that the pipeline is up may send at once.
 * A TAP device first asks its neighbours whether an address is free, for a second and more; nobody
 * waits for that. Gives up quietly: the addresses are there, and the kernel will come to it. */
static void wait_for_addresses(const struct tuntap_setup *s, const struct tuntap_device *d,
			       struct tuntap_netlink *nl, const struct tuntap_link *link)
{
	const struct timespec moment = {.tv_nsec = LOCAL_WAIT_NS};
	uint32_t waits = 0;
	if (d->ethernet || (link->flags & IFF_UP) == 0)
		return;
	for (uint32_t i = 0; i < s->n; i++) {
		bool local = false;
		while (tuntap_netlink_is_local(nl, &s->wanted[i].local, &local) == 0 && !local &&
		       waits++ < LOCAL_WAITS)
			(void)nanosleep(&moment, NULL);
	}
}

/* ---- the whole ---- */

static vpn_status find_link(const struct tuntap_device *d, struct tuntap_netlink *nl,
			    struct tuntap_link *ret, struct vpn_error *err)
{
	int e = tuntap_netlink_get_link(nl, 0, d->name, ret);
	if (e == 0)
		return VPN_OK;
	return tuntap_fault(err, tuntap_status(e), e, NULL, "cannot ask the kernel about %s: %s",
			    d->name, strerror(e));
}

vpn_status tuntap_setup_apply(struct tuntap_setup *s, const struct tuntap_options *o,
			      const struct tuntap_device *d, struct tuntap_netlink *nl,
			      uint32_t mtu, struct tuntap_link *ret_link, struct vpn_error *err)
{
	struct tuntap_link *link = ret_link;
	vpn_status status = find_link(d, nl, link, err);
	if (status == VPN_OK)
		status = check_ipv6_mtu(s, o, mtu, err);
	if (status == VPN_OK)
		status = set_mtu(o, nl, link, mtu, err);
	if (status == VPN_OK)
		status = set_txqueuelen(o, d, nl, link, err);
	if (status == VPN_OK)
		status = set_mac(o, nl, link, err);
	if (status != VPN_OK)
		return status;
	quiet_ipv6(d, nl, link);
	status = add_addresses(s, o, d, nl, link, err);
	if (status == VPN_OK)
		status = set_up(o, nl, link, err);
	if (status == VPN_OK)
		status = find_link(d, nl, link, err);
	if (status == VPN_OK)
		wait_for_addresses(s, d, nl, link);
	return status;
}

int tuntap_setup_restore(struct tuntap_setup *s, const struct tuntap_device *d,
			 struct tuntap_netlink *nl, uint32_t index)
{
	uint32_t i;
	return add_missing(s, d, nl, index, &i);
}

void tuntap_setup_undo(struct tuntap_setup *s, struct tuntap_netlink *nl, uint32_t index)
{
	for (uint32_t i = s->n; i-- > 0;) {
		if (s->added[i])
			(void)tuntap_netlink_del_address(nl, index, &s->wanted[i]);
		s->added[i] = false;
	}
}
