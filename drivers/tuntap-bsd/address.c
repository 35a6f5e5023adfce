/* SPDX-License-Identifier: BSD-2-Clause */
#include "address.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <vpncore/tcpip.h>

#include "fault.h"

void bsd_addresses_where(const struct bsd_options *o, uint32_t i, char *buf, size_t cap)
{
	if (i < o->addresses.count)
		snprintf(buf, cap, "/addresses/%u", i);
	else
		snprintf(buf, cap, "/peers/%u", i - o->addresses.count);
}

bool bsd_addresses_has_ipv6(const struct bsd_addresses *a)
{
	for (uint32_t i = 0; i < a->n; i++)
		if (a->wanted[i].local.family == VPN_AF_INET6)
			return true;
	return false;
}

/* The first host of the IPv4 network other than the address: of a /31 (RFC 3021) the other one, of a
 * /32 the address itself, where the kernel takes that. */
static bool invent_peer(struct bsd_address *a, const struct bsd_kernel *k)
{
	uint32_t local = tcpip_load_be32(a->local.addr);
	uint32_t mask = a->local.length == 0 ? 0 : UINT32_MAX << (32 - a->local.length);
	uint32_t peer = (local & mask) + 1;
	if (a->local.length == 32) {
		if (!k->peer_may_be_self)
			return false;
		peer = local;
	} else if (a->local.length == 31) {
		peer = local ^ 1;
	} else if (peer == local) {
		peer++;
	}
	a->peer.family = VPN_AF_INET;
	tcpip_store_be32(a->peer.addr, peer);
	return true;
}

static vpn_status take_networks(struct bsd_addresses *a, const struct bsd_options *o,
				const struct bsd_kernel *k, struct vpn_error *err)
{
	char where[48];
	for (uint32_t i = 0; i < o->addresses.count; i++) {
		struct bsd_address *w = &a->wanted[a->n++];
		w->local = *bsd_options_address(o, i);
		if (!a->point_to_point || w->local.family != VPN_AF_INET || invent_peer(w, k))
			continue;
		bsd_addresses_where(o, i, where, sizeof(where));
		return bsd_fault(
			err, VPN_EADDR, 0, where,
			"beside \"peers\" an address needs another side, and there is none "
			"in a /32: move it to \"peers\", or give it a larger network");
	}
	return VPN_OK;
}

static void take_peers(struct bsd_addresses *a, const struct bsd_options *o)
{
	for (uint32_t i = 0; i < o->peers.count; i++) {
		const struct bsd_peer *p = bsd_options_peer(o, i);
		struct bsd_address *w = &a->wanted[a->n++];
		w->local.family = p->address.family;
		w->local.length = p->peer.length;
		memcpy(w->local.addr, p->address.addr, sizeof(w->local.addr));
		w->peer.family = p->peer.family;
		memcpy(w->peer.addr, p->peer.addr, sizeof(w->peer.addr));
	}
}

vpn_status bsd_addresses_init(struct bsd_addresses *a, const struct bsd_options *o,
			      const struct bsd_kernel *k, struct vpn_error *err)
{
	uint32_t n = o->addresses.count + o->peers.count;
	memset(a, 0, sizeof(*a));
	a->point_to_point = o->peers.count != 0;
	a->wanted = calloc(n + 1, sizeof(*a->wanted));
	a->added = calloc(n + 1, sizeof(*a->added));
	if (a->wanted == NULL || a->added == NULL) {
		bsd_addresses_clear(a);
		return bsd_fault(err, VPN_ENOMEM, 0, NULL, "out of memory");
	}
	vpn_status status = take_networks(a, o, k, err);
	if (status == VPN_OK)
		take_peers(a, o);
	else
		bsd_addresses_clear(a);
	return status;
}

void bsd_addresses_clear(struct bsd_addresses *a)
{
	free(a->wanted);
	free(a->added);
	memset(a, 0, sizeof(*a));
}

static vpn_status add_fault(const struct bsd_address *a, const char *where, int e,
			    const char *ifname, struct vpn_error *err)
{
	bool ipv6 = a->local.family == VPN_AF_INET6;
	if (e == EPERM || e == EACCES)
		return bsd_fault(err, VPN_EPERM, e, where,
				 "%s: adding an address needs root, outside of a jail without vnet",
				 ifname);
	if (ipv6 && (e == EAFNOSUPPORT || e == EPROTONOSUPPORT))
		return bsd_fault(err, VPN_EADDR, e, where,
				 "%s: this kernel has no IPv6: leave the address out", ifname);
	if (e == EEXIST)
		return bsd_fault(err, VPN_EADDR, e, where,
				 "%s: another interface has this address or its network: remove it "
				 "there, or choose another one",
				 ifname);
	return bsd_fault(err, VPN_EADDR, e, where, "%s: the kernel refuses this address: %s",
			 ifname, strerror(e));
}

static int add_missing(struct bsd_addresses *a, uint32_t i, const struct bsd_control *c,
		       const char *ifname)
{
	struct vpn_address local = {.family = a->wanted[i].local.family};
	memcpy(local.addr, a->wanted[i].local.addr, sizeof(local.addr));
	int there = c->ops->has_address(ifname, &local);
	if (there != 0)
		return there < 0 ? -there : 0;
	int e = bsd_request_add_address(c, ifname, &a->wanted[i]);
	a->added[i] = e == 0;
	return e;
}

vpn_status bsd_addresses_add(struct bsd_addresses *a, const struct bsd_options *o,
			     const struct bsd_control *c, const char *ifname, struct vpn_error *err)
{
	char where[48];
	for (uint32_t i = 0; i < a->n; i++) {
		int e = add_missing(a, i, c, ifname);
		if (e == 0)
			continue;
		bsd_addresses_where(o, i, where, sizeof(where));
		return add_fault(&a->wanted[i], where, e, ifname, err);
	}
	return VPN_OK;
}

void bsd_addresses_remove(struct bsd_addresses *a, const struct bsd_control *c, const char *ifname)
{
	for (uint32_t i = a->n; i-- > 0;) {
		if (a->added[i])
			(void)bsd_request_del_address(c, ifname, &a->wanted[i]);
		a->added[i] = false;
	}
}
