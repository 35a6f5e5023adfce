/* SPDX-License-Identifier: BSD-2-Clause */
#include "prefix.h"

#include <string.h>
#include <vpncore/tcpip.h>

static struct tcpip_prefix to_tcpip(const struct vpn_prefix *p)
{
	struct tcpip_prefix t = {.family = p->family, .len = p->length};
	memcpy(t.addr, p->addr, sizeof(t.addr));
	return t;
}

bool routes_prefix_equal(const struct vpn_prefix *a, const struct vpn_prefix *b)
{
	return a->family == b->family && a->length == b->length &&
	       memcmp(a->addr, b->addr, sizeof(a->addr)) == 0;
}

bool routes_prefix_covers(const struct vpn_prefix *outer, const struct vpn_prefix *inner)
{
	struct tcpip_prefix o = to_tcpip(outer);
	return outer->length <= inner->length &&
	       tcpip_prefix_contains(&o, inner->family, inner->addr);
}

static bool is_within(const struct vpn_prefix *p, const char *const *networks)
{
	for (; *networks != NULL; networks++) {
		struct vpn_prefix n = routes_prefix_of(*networks);
		if (routes_prefix_covers(&n, p))
			return true;
	}
	return false;
}

bool routes_prefix_is_multicast(const struct vpn_prefix *p)
{
	static const char *const networks[] = {"224.0.0.0/4", "ff00::/8", NULL};
	return is_within(p, networks);
}

bool routes_prefix_is_loopback(const struct vpn_prefix *p)
{
	static const char *const networks[] = {"127.0.0.0/8", "::1/128", NULL};
	return is_within(p, networks);
}

bool routes_prefix_is_private(const struct vpn_prefix *p)
{
	/* RFC 1918, 3927 (link-local), 6598 (shared), 4193 (unique local), 4291 (link-local) */
	static const char *const networks[] = {
		"10.0.0.0/8",    "172.16.0.0/12", "192.168.0.0/16", "169.254.0.0/16",
		"100.64.0.0/10", "fc00::/7",      "fe80::/10",      NULL};
	return is_within(p, networks);
}

struct vpn_prefix routes_prefix_network(const struct vpn_prefix *p)
{
	struct tcpip_prefix t = to_tcpip(p);
	struct vpn_prefix n = {.family = p->family, .length = p->length};
	tcpip_prefix_mask(&t);
	memcpy(n.addr, t.addr, sizeof(n.addr));
	return n;
}

struct vpn_prefix routes_prefix_host(uint8_t family, const uint8_t *addr)
{
	struct vpn_prefix p = {.family = family,
			       .length = (uint8_t)(routes_family_bytes(family) * 8)};
	memcpy(p.addr, addr, routes_family_bytes(family));
	return p;
}

const char *routes_prefix_text(const struct vpn_prefix *p, char buf[ROUTES_PREFIX_TEXT])
{
	struct tcpip_prefix t = to_tcpip(p);
	if (tcpip_prefix_format(&t, buf, ROUTES_PREFIX_TEXT) < 0)
		buf[0] = '\0';
	return buf;
}

struct vpn_prefix routes_prefix_of(const char *text)
{
	struct tcpip_prefix t = {.family = 0};
	struct vpn_prefix p = {.family = VPN_AF_NONE};
	if (tcpip_prefix_parse(text, &t) < 0)
		return p;
	p.family = t.family;
	p.length = t.len;
	memcpy(p.addr, t.addr, sizeof(p.addr));
	return p;
}
