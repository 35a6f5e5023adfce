/* SPDX-License-Identifier: BSD-2-Clause */
#include "link.h"

#include <arpa/inet.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>

#include "route.h"

static void set_name(char name[DARWIN_IFNAMSIZ], const struct darwin_link *l)
{
	memcpy(name, l->name, DARWIN_IFNAMSIZ);
}

static int request(int sock, unsigned long number, void *arg)
{
	return darwin_ops.ioctl(sock, number, arg) == 0 ? 0 : errno;
}

static int open_socket(int domain, int *ret)
{
	if (*ret >= 0)
		return 0;
	int fd = darwin_ops.socket(domain, DARWIN_SOCK_DGRAM, 0);
	if (fd < 0)
		return errno;
	if (darwin_ops.set_cloexec(fd) != 0) {
		int e = errno;
		darwin_ops.close(fd);
		return e;
	}
	*ret = fd;
	return 0;
}

int darwin_link_open(struct darwin_link *l, const char *name, bool point_to_point)
{
	*l = (struct darwin_link)DARWIN_LINK_CLOSED;
	l->point_to_point = point_to_point;
	snprintf(l->name, sizeof(l->name), "%s", name);
	l->index = darwin_ops.index_of(name);
	return l->index != 0 ? open_socket(DARWIN_AF_INET, &l->sock4) : ENXIO;
}

void darwin_link_close(struct darwin_link *l)
{
	if (l->sock4 >= 0)
		darwin_ops.close(l->sock4);
	if (l->sock6 >= 0)
		darwin_ops.close(l->sock6);
	l->sock4 = l->sock6 = -1;
}

int darwin_link_get_flags(struct darwin_link *l, uint32_t *ret)
{
	struct darwin_ifreq req = {0};
	set_name(req.name, l);
	int e = request(l->sock4, DARWIN_SIOCGIFFLAGS, &req);
	*ret = (uint16_t)req.u.flags;
	return e;
}

int darwin_link_set_up(struct darwin_link *l)
{
	struct darwin_ifreq req = {0};
	set_name(req.name, l);
	int e = request(l->sock4, DARWIN_SIOCGIFFLAGS, &req);
	if (e != 0 || (req.u.flags & DARWIN_IFF_UP) != 0)
		return e;
	req.u.flags = (int16_t)(req.u.flags | DARWIN_IFF_UP);
	return request(l->sock4, DARWIN_SIOCSIFFLAGS, &req);
}

int darwin_link_get_mtu(struct darwin_link *l, uint32_t *ret)
{
	struct darwin_ifreq req = {0};
	set_name(req.name, l);
	int e = request(l->sock4, DARWIN_SIOCGIFMTU, &req);
	*ret = (uint32_t)req.u.mtu;
	return e;
}

int darwin_link_set_mtu(struct darwin_link *l, uint32_t mtu)
{
	struct darwin_ifreq req = {0};
	set_name(req.name, l);
	req.u.mtu = (int32_t)mtu;
	return request(l->sock4, DARWIN_SIOCSIFMTU, &req);
}

int darwin_link_set_mac(struct darwin_link *l, const uint8_t mac[6])
{
	struct darwin_ifreq req = {0};
	set_name(req.name, l);
	req.u.mac.family = DARWIN_AF_LINK;
	req.u.mac.len = 6; /* the address's own length: the kexts compare it with that */
	memcpy(req.u.mac.data, mac, 6);
	return request(l->sock4, DARWIN_SIOCSIFLLADDR, &req);
}

/* ---- addresses ---- */

static void mask_of(uint8_t *out, uint32_t bytes, uint32_t length)
{
	for (uint32_t i = 0; i < bytes; i++) {
		uint32_t bits = length > 8 * i ? length - 8 * i : 0;
		out[i] = (uint8_t)(0xff00u >> (bits < 8 ? bits : 8));
	}
}

static struct darwin_sockaddr_in in4(const uint8_t *addr)
{
	struct darwin_sockaddr_in sin = {.len = sizeof(sin), .family = DARWIN_AF_INET};
	memcpy(sin.addr, addr, sizeof(sin.addr));
	return sin;
}

static struct darwin_sockaddr_in6 in6(const uint8_t *addr)
{
	struct darwin_sockaddr_in6 sin6 = {.len = sizeof(sin6), .family = DARWIN_AF_INET6};
	memcpy(sin6.addr, addr, sizeof(sin6.addr));
	return sin6;
}

/* A point-to-point link of Darwin wants another end for IPv4: where nobody named one it is the
 * address itself, as ifconfig(8) has it for tunnels. On Ethernet the field is the broadcast address. */
static int add_ipv4(struct darwin_link *l, const struct darwin_address *a)
{
	struct darwin_ifaliasreq req = {.addr = in4(a->local.addr)};
	set_name(req.name, l);
	req.mask.len = sizeof(req.mask);
	req.mask.family = DARWIN_AF_INET;
	mask_of(req.mask.addr, 4, a->local.length);
	if (a->peer.family != VPN_AF_NONE)
		req.dst = in4(a->peer.addr);
	else
		req.dst = in4(a->local.addr);
	for (uint32_t i = 0; i < 4 && !l->point_to_point; i++)
		req.dst.addr[i] = (uint8_t)(req.dst.addr[i] | ~req.mask.addr[i]);
	return request(l->sock4, DARWIN_SIOCAIFADDR, &req);
}

/* Without duplicate address detection where there are no neighbours: usable at once. A peer goes with
 * a prefix of 128 only, says in6.c. */
static int add_ipv6(struct darwin_link *l, const struct darwin_address *a)
{
	struct darwin_in6_aliasreq req = {.addr = in6(a->local.addr)};
	set_name(req.name, l);
	req.mask.len = sizeof(req.mask);
	req.mask.family = DARWIN_AF_INET6;
	mask_of(req.mask.addr, 16, a->local.length);
	if (a->peer.family != VPN_AF_NONE)
		req.dst = in6(a->peer.addr);
	req.flags = l->point_to_point ? DARWIN_IN6_IFF_NODAD : 0;
	req.valid_seconds = req.preferred_seconds = DARWIN_ND6_FOREVER;
	int e = open_socket(DARWIN_AF_INET6, &l->sock6);
	return e == 0 ? request(l->sock6, DARWIN_SIOCAIFADDR_IN6, &req) : e;
}

int darwin_link_add_address(struct darwin_link *l, const struct darwin_address *a)
{
	const struct vpn_prefix *net = a->peer.family != VPN_AF_NONE ? &a->peer : &a->local;
	uint32_t whole = net->family == VPN_AF_INET6 ? 128 : 32;
	int e = a->local.family == VPN_AF_INET6 ? add_ipv6(l, a) : add_ipv4(l, a);
	if (e == EEXIST)
		e = 0;
	if (e != 0 || !l->point_to_point || net->length == whole)
		return e;
	e = darwin_route_add(l->index, net);
	return e == EEXIST ? 0 : e;
}

int darwin_link_del_address(struct darwin_link *l, const struct darwin_address *a)
{
	if (a->local.family == VPN_AF_INET6) {
		struct darwin_in6_ifreq req = {0};
		set_name(req.name, l);
		req.u.addr = in6(a->local.addr);
		int e = open_socket(DARWIN_AF_INET6, &l->sock6);
		return e == 0 ? request(l->sock6, DARWIN_SIOCDIFADDR_IN6, &req) : e;
	}
	struct darwin_ifreq req = {.u.addr = in4(a->local.addr)};
	set_name(req.name, l);
	return request(l->sock4, DARWIN_SIOCDIFADDR, &req);
}

void darwin_address_format(const struct darwin_address *a, char *buf, size_t cap)
{
	char local[INET6_ADDRSTRLEN] = "", peer[INET6_ADDRSTRLEN] = "";
	int family = a->local.family == VPN_AF_INET6 ? AF_INET6 : AF_INET;
	inet_ntop(family, a->local.addr, local, sizeof(local));
	inet_ntop(family, a->peer.addr, peer, sizeof(peer));
	if (a->peer.family == VPN_AF_NONE)
		snprintf(buf, cap, "%s/%u", local, a->local.length);
	else
		snprintf(buf, cap, "%s peer %s/%u", local, peer, a->peer.length);
}
