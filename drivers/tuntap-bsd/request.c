/* SPDX-License-Identifier: BSD-2-Clause */
#include "request.h"

#include <errno.h>
#include <string.h>

/* A structure of any of the kernels, aligned as it needs. */
union block {
	uint64_t align;
	uint8_t bytes[BSD_IFREQ6_SIZE];
};
_Static_assert(BSD_IFREQ_MAX <= BSD_IFREQ6_SIZE && BSD_ALIAS6_MAX <= BSD_IFREQ6_SIZE,
	       "the largest of them");

/* ---- sockets ---- */

int bsd_control_open(struct bsd_control *c)
{
	c->inet = c->inet6 = -1;
	int fd = c->ops->socket((int)BSD_AF_INET);
	if (fd < 0)
		return -fd;
	c->inet = fd;
	fd = c->ops->socket(c->kernel->af_inet6);
	if (fd < 0 && fd != -EAFNOSUPPORT && fd != -EPROTONOSUPPORT) {
		bsd_control_close(c);
		return -fd;
	}
	c->inet6 = fd < 0 ? -1 : fd;
	return 0;
}

void bsd_control_close(struct bsd_control *c)
{
	if (c->inet >= 0)
		c->ops->close(c->inet);
	if (c->inet6 >= 0)
		c->ops->close(c->inet6);
	c->inet = c->inet6 = -1;
}

/* ---- building ---- */

static void begin(union block *b, const char *ifname)
{
	memset(b, 0, sizeof(*b));
	memcpy(b->bytes, ifname, strnlen(ifname, BSD_IFNAMSIZ - 1));
}

/* A BSD sockaddr begins with its length and its family, a byte each. */
static void put_sockaddr(uint8_t *at, const struct bsd_kernel *k, uint8_t family,
			 const uint8_t *addr)
{
	if (family == VPN_AF_INET6) {
		at[0] = BSD_SOCKADDR_IN6;
		at[1] = (uint8_t)k->af_inet6;
		memcpy(at + BSD_SOCKADDR_IN6_AT, addr, 16);
	} else {
		at[0] = BSD_SOCKADDR_IN;
		at[1] = BSD_AF_INET;
		memcpy(at + 4, addr, 4);
	}
}

static void make_mask(uint8_t mask[16], uint32_t length)
{
	memset(mask, 0, 16);
	for (uint32_t i = 0; i < length; i++)
		mask[i / 8] |= (uint8_t)(0x80 >> i % 8);
}

static int ask(const struct bsd_control *c, int fd, unsigned long request, union block *b)
{
	int r = request != 0 ? c->ops->ioctl(fd, request, b->bytes) : -ENOTTY;
	return r < 0 ? -r : 0;
}

/* ---- requests ---- */

int bsd_request_get_flags(const struct bsd_control *c, const char *ifname, uint32_t *ret)
{
	union block b;
	uint16_t flags;
	begin(&b, ifname);
	int e = ask(c, c->inet, c->kernel->get_flags, &b);
	memcpy(&flags, b.bytes + BSD_IFREQ_VALUE, sizeof(flags));
	*ret = flags;
	return e;
}

/* FreeBSD has more flags behind the first 16 bits: what was read is written back. */
int bsd_request_set_flags(const struct bsd_control *c, const char *ifname, uint32_t mask,
			  uint32_t value)
{
	union block b;
	uint16_t flags;
	begin(&b, ifname);
	int e = ask(c, c->inet, c->kernel->get_flags, &b);
	if (e != 0)
		return e;
	memcpy(&flags, b.bytes + BSD_IFREQ_VALUE, sizeof(flags));
	uint16_t wanted = (uint16_t)((flags & ~mask) | (value & mask));
	if (wanted == flags)
		return 0;
	memcpy(b.bytes + BSD_IFREQ_VALUE, &wanted, sizeof(wanted));
	return ask(c, c->inet, c->kernel->set_flags, &b);
}

int bsd_request_get_mtu(const struct bsd_control *c, const char *ifname, uint32_t *ret)
{
	union block b;
	int32_t mtu;
	begin(&b, ifname);
	int e = ask(c, c->inet, c->kernel->get_mtu, &b);
	memcpy(&mtu, b.bytes + BSD_IFREQ_VALUE, sizeof(mtu));
	*ret = (uint32_t)mtu;
	return e;
}

int bsd_request_set_mtu(const struct bsd_control *c, const char *ifname, uint32_t mtu)
{
	union block b;
	const int32_t value = (int32_t)mtu;
	begin(&b, ifname);
	memcpy(b.bytes + BSD_IFREQ_VALUE, &value, sizeof(value));
	return ask(c, c->inet, c->kernel->set_mtu, &b);
}

/* A sockaddr of AF_LINK with the address where its data begins, and not where a sockaddr_dl has it:
 * if_setlladdr() of three of them and tap_lifaddr() of NetBSD read it so. */
int bsd_request_set_mac(const struct bsd_control *c, const char *ifname, const uint8_t mac[6])
{
	union block b;
	uint8_t *at = b.bytes + (c->kernel->lladdr_in_alias ? BSD_ALIAS_ADDR : BSD_IFREQ_VALUE);
	begin(&b, ifname);
	at[0] = 6;
	at[1] = BSD_AF_LINK;
	memcpy(at + 2, mac, 6);
	return ask(c, c->inet, c->kernel->set_lladdr, &b);
}

int bsd_request_create(const struct bsd_control *c, const char *ifname)
{
	union block b;
	begin(&b, ifname);
	return ask(c, c->inet, c->kernel->create, &b);
}

int bsd_request_destroy(const struct bsd_control *c, const char *ifname)
{
	union block b;
	begin(&b, ifname);
	return ask(c, c->inet, c->kernel->destroy, &b);
}

int bsd_request_rename(const struct bsd_control *c, const char *ifname, const char *to)
{
	union block b;
	char name[BSD_IFNAMSIZ] = "";
	char *pointer = name;
	memcpy(name, to, strnlen(to, BSD_IFNAMSIZ - 1));
	begin(&b, ifname);
	memcpy(b.bytes + BSD_IFREQ_VALUE, &pointer, sizeof(pointer));
	return ask(c, c->inet, c->kernel->set_name, &b);
}

static int add_ipv6(const struct bsd_control *c, const char *ifname, const struct bsd_address *a)
{
	const uint32_t forever = BSD_LIFETIME_INFINITE;
	union block b;
	uint8_t mask[16];
	if (c->inet6 < 0)
		return EAFNOSUPPORT;
	begin(&b, ifname);
	make_mask(mask, a->local.length);
	put_sockaddr(b.bytes + BSD_ALIAS6_ADDR, c->kernel, VPN_AF_INET6, a->local.addr);
	put_sockaddr(b.bytes + BSD_ALIAS6_MASK, c->kernel, VPN_AF_INET6, mask);
	if (a->peer.family != VPN_AF_NONE)
		put_sockaddr(b.bytes + BSD_ALIAS6_DST, c->kernel, VPN_AF_INET6, a->peer.addr);
	memcpy(b.bytes + BSD_ALIAS6_VLTIME, &forever, sizeof(forever));
	memcpy(b.bytes + BSD_ALIAS6_PLTIME, &forever, sizeof(forever));
	return ask(c, c->inet6, c->kernel->add_addr6, &b);
}

int bsd_request_add_address(const struct bsd_control *c, const char *ifname,
			    const struct bsd_address *a)
{
	union block b;
	uint8_t mask[16];
	if (a->local.family == VPN_AF_INET6)
		return add_ipv6(c, ifname, a);
	begin(&b, ifname);
	make_mask(mask, a->local.length);
	put_sockaddr(b.bytes + BSD_ALIAS_ADDR, c->kernel, VPN_AF_INET, a->local.addr);
	put_sockaddr(b.bytes + BSD_ALIAS_MASK, c->kernel, VPN_AF_INET, mask);
	/* where the other side stands a broadcast address is left to the kernel */
	if (a->peer.family != VPN_AF_NONE)
		put_sockaddr(b.bytes + BSD_ALIAS_DST, c->kernel, VPN_AF_INET, a->peer.addr);
	return ask(c, c->inet, c->kernel->add_addr, &b);
}

int bsd_request_del_address(const struct bsd_control *c, const char *ifname,
			    const struct bsd_address *a)
{
	bool ipv6 = a->local.family == VPN_AF_INET6;
	union block b;
	if (ipv6 && c->inet6 < 0)
		return EAFNOSUPPORT;
	begin(&b, ifname);
	put_sockaddr(b.bytes + BSD_IFREQ_VALUE, c->kernel, a->local.family, a->local.addr);
	return ask(c, ipv6 ? c->inet6 : c->inet, ipv6 ? c->kernel->del_addr6 : c->kernel->del_addr,
		   &b);
}

int bsd_request_quiet_ipv6(const struct bsd_control *c, const char *ifname)
{
	const struct bsd_kernel *k = c->kernel;
	union block b;
	uint32_t flags;
	if (k->get_nd6 == 0 || c->inet6 < 0)
		return 0;
	begin(&b, ifname);
	int e = ask(c, c->inet6, k->get_nd6, &b);
	if (e != 0)
		return e;
	memcpy(&flags, b.bytes + k->nd6_flags_at, sizeof(flags));
	flags = (flags | k->nd6_set) & ~k->nd6_clear;
	memcpy(b.bytes + k->nd6_flags_at, &flags, sizeof(flags));
	return ask(c, c->inet6, k->set_nd6, &b);
}

int bsd_request_name_of(const struct bsd_ops *ops, int fd, unsigned long get_name,
			char name[BSD_IFNAMSIZ])
{
	union block b;
	memset(&b, 0, sizeof(b));
	int r = ops->ioctl(fd, get_name, b.bytes);
	if (r < 0)
		return -r;
	memcpy(name, b.bytes, BSD_IFNAMSIZ);
	name[BSD_IFNAMSIZ - 1] = '\0';
	return 0;
}
