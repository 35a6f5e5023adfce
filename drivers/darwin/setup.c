/* SPDX-License-Identifier: BSD-2-Clause */
#include "setup.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "fault.h"

vpn_status darwin_setup_init(struct darwin_setup *s, const struct darwin_options *o,
			     struct vpn_error *err)
{
	uint32_t n = o->addresses.count + o->peers.count;
	memset(s, 0, sizeof(*s));
	s->wanted = calloc(n + 1, sizeof(*s->wanted));
	s->added = calloc(n + 1, sizeof(*s->added));
	if (s->wanted == NULL || s->added == NULL) {
		darwin_setup_clear(s);
		return darwin_fault(err, VPN_ENOMEM, 0, NULL, "out of memory");
	}
	for (uint32_t i = 0; i < o->addresses.count; i++)
		s->wanted[s->n++].local = *darwin_options_address(o, i);
	for (uint32_t i = 0; i < o->peers.count; i++) {
		const struct darwin_peer *p = darwin_options_peer(o, i);
		struct darwin_address *a = &s->wanted[s->n++];
		a->peer = p->peer;
		a->local.family = p->address.family;
		a->local.length = p->peer.length;
		memcpy(a->local.addr, p->address.addr, sizeof(a->local.addr));
	}
	return VPN_OK;
}

void darwin_setup_clear(struct darwin_setup *s)
{
	free(s->wanted);
	free(s->added);
	memset(s, 0, sizeof(*s));
}

bool darwin_setup_wants(const struct darwin_setup *s, uint8_t family, const uint8_t *addr)
{
	size_t bytes = family == VPN_AF_INET6 ? 16 : 4;
	for (uint32_t i = 0; i < s->n; i++)
		if (s->wanted[i].local.family == family &&
		    memcmp(s->wanted[i].local.addr, addr, bytes) == 0)
			return true;
	return false;
}

static void where_of(const struct darwin_options *o, uint32_t i, char *buf, size_t cap)
{
	if (i < o->addresses.count)
		snprintf(buf, cap, "/addresses/%u", i);
	else
		snprintf(buf, cap, "/peers/%u", i - o->addresses.count);
}

/* ---- what is done ---- */

static vpn_status link_fault(struct vpn_error *err, const char *where, int e,
			     const struct darwin_link *link, const char *what)
{
	if (e == EPERM || e == EACCES)
		return darwin_fault(err, VPN_EPERM, e, where, "%s: %s needs root", link->name,
				    what);
	return darwin_fault(err, darwin_status(e), e, where, "%s: %s failed: %s", link->name, what,
			    strerror(e));
}

static vpn_status set_mtu(struct darwin_link *link, uint32_t mtu, struct vpn_error *err)
{
	char what[48];
	int e = darwin_link_set_mtu(link, mtu);
	snprintf(what, sizeof(what), "setting the MTU to %u", mtu);
	return e == 0 ? VPN_OK : link_fault(err, "/mtu", e, link, what);
}

static vpn_status set_mac(struct darwin_link *link, const uint8_t *mac, struct vpn_error *err)
{
	int e = mac != NULL ? darwin_link_set_mac(link, mac) : 0;
	return e == 0 ? VPN_OK : link_fault(err, "/mac", e, link, "setting the MAC address");
}

static vpn_status set_up(const struct darwin_options *o, struct darwin_link *link,
			 struct vpn_error *err)
{
	int e = o->up ? darwin_link_set_up(link) : 0;
	return e == 0 ? VPN_OK : link_fault(err, "/up", e, link, "bringing it up");
}

static vpn_status check_ipv6_mtu(const struct darwin_setup *s, const struct darwin_options *o,
				 uint32_t mtu, struct vpn_error *err)
{
	char where[48];
	for (uint32_t i = 0; i < s->n && mtu < DARWIN_MTU_MIN_IPV6; i++) {
		if (s->wanted[i].local.family != VPN_AF_INET6)
			continue;
		where_of(o, i, where, sizeof(where));
		return darwin_fault(err, VPN_EADDR, 0, where,
				    "IPv6 needs an MTU of at least %u, and this stack carries %u: "
				    "raise the path's MTU or leave the address out",
				    DARWIN_MTU_MIN_IPV6, mtu);
	}
	return VPN_OK;
}

static vpn_status add_addresses(struct darwin_setup *s, const struct darwin_options *o,
				struct darwin_link *link, struct vpn_error *err)
{
	char where[48], text[128], what[160];
	for (uint32_t i = 0; i < s->n; i++) {
		s->added[i] = true; /* also when it is added and its route is not */
		int e = darwin_link_add_address(link, &s->wanted[i]);
		if (e == 0)
			continue;
		where_of(o, i, where, sizeof(where));
		darwin_address_format(&s->wanted[i], text, sizeof(text));
		snprintf(what, sizeof(what), "adding %s", text);
		vpn_status status = link_fault(err, where, e, link, what);
		if (status != VPN_EPERM && err != NULL)
			err->status = status = VPN_EADDR;
		return status;
	}
	return VPN_OK;
}

vpn_status darwin_setup_apply(struct darwin_setup *s, const struct darwin_options *o,
			      struct darwin_link *link, uint32_t mtu, const uint8_t *mac,
			      struct vpn_error *err)
{
	vpn_status status = check_ipv6_mtu(s, o, mtu, err);
	if (status == VPN_OK)
		status = set_mtu(link, mtu, err);
	if (status == VPN_OK)
		status = set_mac(link, mac, err);
	if (status == VPN_OK)
		status = add_addresses(s, o, link, err);
	if (status == VPN_OK)
		status = set_up(o, link, err);
	return status;
}

int darwin_setup_restore(struct darwin_setup *s, struct darwin_link *link)
{
	int first = 0;
	for (uint32_t i = 0; i < s->n; i++) {
		int e = darwin_link_add_address(link, &s->wanted[i]);
		if (first == 0)
			first = e;
	}
	return first;
}

void darwin_setup_undo(struct darwin_setup *s, struct darwin_link *link)
{
	for (uint32_t i = s->n; i-- > 0;) {
		if (s->added[i])
			(void)darwin_link_del_address(link, &s->wanted[i]);
		s->added[i] = false;
	}
}
