/* SPDX-License-Identifier: BSD-2-Clause */
#include "model.h"

#include <arpa/inet.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <vpncore/tcpip.h>

struct model model;

/* ---- requests, by what the systems' headers say ---- */

enum request {
	R_NONE,
	R_GIFFLAGS,
	R_SIFFLAGS,
	R_GIFMTU,
	R_SIFMTU,
	R_CREATE,
	R_DESTROY,
	R_SIFNAME,
	R_LLADDR,
	R_PHYADDR,
	R_AIFADDR,
	R_DIFADDR,
	R_AIFADDR6,
	R_DIFADDR6,
	R_GND6,
	R_SND6,
	R_DEVICE, /* those from here on are of a device's descriptor */
	R_HEAD,
	R_MODE,
	R_PID,
	R_NAME,
	R_TRANSIENT,
	R_NBIO,
};

struct row {
	enum request what;
	unsigned long dir;
	char group;
	uint8_t number;
	uint16_t size;
};

#define INOUT (MODEL_IN | MODEL_OUT)

static const struct row freebsd_rows[] = {
	{R_GIFFLAGS, INOUT, 'i', 17, 32},
	{R_SIFFLAGS, MODEL_IN, 'i', 16, 32},
	{R_GIFMTU, INOUT, 'i', 51, 32},
	{R_SIFMTU, MODEL_IN, 'i', 52, 32},
	{R_CREATE, INOUT, 'i', 122, 32},
	{R_DESTROY, MODEL_IN, 'i', 121, 32},
	{R_SIFNAME, MODEL_IN, 'i', 40, 32},
	{R_LLADDR, MODEL_IN, 'i', 60, 32},
	{R_AIFADDR, MODEL_IN, 'i', 43, 68},
	{R_DIFADDR, MODEL_IN, 'i', 25, 32},
	{R_AIFADDR6, MODEL_IN, 'i', 27, 136},
	{R_DIFADDR6, MODEL_IN, 'i', 25, 288},
	{R_GND6, INOUT, 'i', 108, 72},
	{R_SND6, INOUT, 'i', 109, 72},
	{R_HEAD, MODEL_IN, 't', 96, 4},
	{R_MODE, MODEL_IN, 't', 94, 4},
	{R_PID, MODEL_VOID, 't', 95, 0},
	{R_NAME, MODEL_OUT, 't', 93, 32},
	{R_TRANSIENT, MODEL_IN, 't', 98, 4},
	{R_NBIO, MODEL_IN, 'f', 126, 4},
	{R_NONE, 0, 0, 0, 0},
};

static const struct row openbsd_rows[] = {
	{R_GIFFLAGS, INOUT, 'i', 17, 32},     {R_SIFFLAGS, MODEL_IN, 'i', 16, 32},
	{R_GIFMTU, INOUT, 'i', 126, 32},      {R_SIFMTU, MODEL_IN, 'i', 127, 32},
	{R_CREATE, MODEL_IN, 'i', 122, 32},   {R_DESTROY, MODEL_IN, 'i', 121, 32},
	{R_LLADDR, MODEL_IN, 'i', 31, 32},    {R_AIFADDR, MODEL_IN, 'i', 26, 64},
	{R_DIFADDR, MODEL_IN, 'i', 25, 32},   {R_AIFADDR6, MODEL_IN, 'i', 26, 128},
	{R_DIFADDR6, MODEL_IN, 'i', 25, 288}, {R_MODE, MODEL_IN, 't', 93, 4},
	{R_NBIO, MODEL_IN, 'f', 126, 4},      {R_NONE, 0, 0, 0, 0},
};

static const struct row netbsd_rows[] = {
	{R_GIFFLAGS, INOUT, 'i', 17, 144},    {R_SIFFLAGS, MODEL_IN, 'i', 16, 144},
	{R_GIFMTU, INOUT, 'i', 126, 144},     {R_SIFMTU, MODEL_IN, 'i', 127, 144},
	{R_CREATE, MODEL_IN, 'i', 122, 144},  {R_DESTROY, MODEL_IN, 'i', 121, 144},
	{R_PHYADDR, MODEL_IN, 'i', 70, 64},   {R_AIFADDR, MODEL_IN, 'i', 26, 64},
	{R_DIFADDR, MODEL_IN, 'i', 25, 144},  {R_AIFADDR6, MODEL_IN, 'i', 107, 128},
	{R_DIFADDR6, MODEL_IN, 'i', 25, 288}, {R_HEAD, MODEL_IN, 't', 66, 4},
	{R_MODE, MODEL_IN, 't', 88, 4},       {R_NAME, MODEL_OUT, 'e', 0, 144},
	{R_NBIO, MODEL_IN, 'f', 126, 4},      {R_NONE, 0, 0, 0, 0},
};

static const struct row dragonfly_rows[] = {
	{R_GIFFLAGS, INOUT, 'i', 17, 32},
	{R_SIFFLAGS, MODEL_IN, 'i', 16, 32},
	{R_GIFMTU, INOUT, 'i', 51, 32},
	{R_SIFMTU, MODEL_IN, 'i', 52, 32},
	{R_CREATE, INOUT, 'i', 122, 32},
	{R_DESTROY, MODEL_IN, 'i', 121, 32},
	{R_SIFNAME, MODEL_IN, 'i', 40, 32},
	{R_LLADDR, MODEL_IN, 'i', 60, 32},
	{R_AIFADDR, MODEL_IN, 'i', 26, 64},
	{R_DIFADDR, MODEL_IN, 'i', 25, 32},
	{R_AIFADDR6, MODEL_IN, 'i', 26, 128},
	{R_DIFADDR6, MODEL_IN, 'i', 25, 288},
	{R_HEAD, MODEL_IN, 't', 96, 4},
	{R_MODE, MODEL_IN, 't', 94, 4},
	{R_PID, MODEL_VOID, 't', 95, 0},
	{R_NBIO, MODEL_IN, 'f', 126, 4},
	{R_NONE, 0, 0, 0, 0},
};

static const struct system {
	const struct bsd_kernel *kernel;
	const struct row *rows;
	uint32_t af_inet6, af_route;
	uint32_t nd6_flags_at;
} systems[MODEL_SYSTEMS] = {
	[MODEL_FREEBSD] = {&bsd_freebsd, freebsd_rows, 28, 17, 36},
	[MODEL_OPENBSD] = {&bsd_openbsd, openbsd_rows, 24, 17, 0},
	[MODEL_NETBSD] = {&bsd_netbsd, netbsd_rows, 24, 34, 0},
	[MODEL_DRAGONFLY] = {&bsd_dragonfly, dragonfly_rows, 28, 17, 0},
};

static const struct system *here(void)
{
	return &systems[model.os];
}

const struct bsd_kernel *bsd_kernel_here(void)
{
	return here()->kernel;
}

unsigned long model_ioc(unsigned long dir, char group, unsigned long number, size_t size)
{
	return dir | (unsigned long)size << 16 | (unsigned long)(uint8_t)group << 8 | number;
}

static enum request find_request(unsigned long request)
{
	for (const struct row *r = here()->rows; r->what != R_NONE; r++)
		if (model_ioc(r->dir, r->group, r->number, r->size) == request)
			return r->what;
	return R_NONE;
}

/* ---- interfaces ---- */

static const char *word_of(bool ethernet)
{
	return ethernet ? "tap" : "tun";
}

struct model_if *model_find(const char *name)
{
	for (uint32_t i = 0; i < MODEL_IFS; i++)
		if (model.ifs[i].used && !model.ifs[i].dead && strcmp(model.ifs[i].name, name) == 0)
			return &model.ifs[i];
	return NULL;
}

static struct model_if *find_unit(bool ethernet, uint32_t unit)
{
	for (uint32_t i = 0; i < MODEL_IFS; i++) {
		struct model_if *f = &model.ifs[i];
		if (f->used && !f->dead && f->ethernet == ethernet && f->unit == unit)
			return f;
	}
	return NULL;
}

static struct model_if *attach(bool ethernet, uint32_t unit)
{
	for (uint32_t i = 0; i < MODEL_IFS; i++) {
		struct model_if *f = &model.ifs[i];
		if (f->used)
			continue;
		memset(f, 0, sizeof(*f));
		f->used = true;
		f->ethernet = ethernet;
		f->unit = unit;
		f->index = ++model.next_index;
		f->mtu = 1500;
		f->flags = ethernet ? BSD_IFF_BROADCAST | BSD_IFF_MULTICAST : BSD_IFF_POINTOPOINT;
		if (!ethernet && model.os != MODEL_NETBSD)
			f->flags |= BSD_IFF_MULTICAST;
		f->head = model.os == MODEL_OPENBSD && !ethernet;
		f->nd6 = 0x20 | 0x8; /* AUTO_LINKLOCAL, IFDISABLED */
		snprintf(f->name, sizeof(f->name), "%s%u", word_of(ethernet), unit & 0xffffu);
		return f;
	}
	abort();
}

static void detach(struct model_if *f)
{
	if (f->fd == 0)
		f->used = false;
	else
		f->dead = true;
}

static void purge_addresses(struct model_if *f)
{
	memset(f->addresses, 0, sizeof(f->addresses));
}

/* "tap3" -> true, 3. */
static bool split_name(const char *name, bool *ethernet, uint32_t *unit)
{
	char *end;
	if (strncmp(name, "tun", 3) != 0 && strncmp(name, "tap", 3) != 0)
		return false;
	*ethernet = name[2] == 'p';
	if (name[3] < '0' || name[3] > '9')
		return false;
	*unit = (uint32_t)strtoul(name + 3, &end, 10);
	return *end == '\0';
}

static int create(const char *name)
{
	bool ethernet;
	uint32_t unit;
	if (!split_name(name, &ethernet, &unit))
		return EINVAL;
	struct model_if *f = find_unit(ethernet, unit);
	/* DragonFly makes an interface of an opened node its own */
	if (f != NULL && model.os == MODEL_DRAGONFLY && !f->kept && f->fd == 0 && unit < 4) {
		f->kept = true;
		return 0;
	}
	if (f != NULL)
		return EEXIST;
	attach(ethernet, unit)->kept = true;
	return 0;
}

static int destroy(struct model_if *f)
{
	if (f == NULL || (model.os == MODEL_DRAGONFLY && !f->kept))
		return ENXIO;
	if (model.os == MODEL_FREEBSD && f->fd != 0) {
		model.hung = true; /* cv_wait for the last close */
		return EBUSY;
	}
	detach(f);
	return 0;
}

/* ---- descriptors ---- */

static bool fault(void)
{
	model.calls++;
	if (model.fail_at == 0 || model.calls < model.fail_at)
		return false;
	if (model.calls != model.fail_at && !model.dies)
		return false;
	model.failed = true;
	return true;
}

static int new_fd(enum model_fd kind, uint32_t at)
{
	for (uint32_t i = 0; i < MODEL_FDS; i++) {
		if (model.fds[i].kind != FREE_FD)
			continue;
		model.fds[i].kind = kind;
		model.fds[i].at = at;
		return MODEL_FIRST_FD + (int)i;
	}
	abort();
}

static int open_if(struct model_if *f)
{
	if (f->fd != 0)
		return -EBUSY;
	f->fd = new_fd(DEVICE_FD, (uint32_t)(f - model.ifs));
	f->nonblocking = model.os != MODEL_NETBSD;
	if (model.os == MODEL_OPENBSD)
		f->flags |= BSD_IFF_UP;
	return f->fd;
}

static int open_clone(bool ethernet)
{
	uint32_t unit = model.os == MODEL_DRAGONFLY ? 4 : 0;
	if (!model.has_clone_nodes || model.os == MODEL_OPENBSD ||
	    (model.os == MODEL_NETBSD && !ethernet))
		return -ENOENT;
	while (find_unit(ethernet, unit) != NULL)
		unit++;
	struct model_if *f = attach(ethernet, unit);
	f->cloned = true;
	int fd = open_if(f);
	f->nonblocking = model.os != MODEL_NETBSD;
	return fd;
}

static int open_numbered(bool ethernet, uint32_t unit)
{
	struct model_if *f = find_unit(ethernet, unit);
	bool node = unit < model.nodes;
	if (model.os == MODEL_FREEBSD)
		node = true; /* devfs makes it, and the interface */
	if (model.os == MODEL_DRAGONFLY)
		node |= f != NULL;
	if (!node)
		return -ENOENT;
	if (f == NULL && model.os == MODEL_NETBSD && ethernet)
		return -ENXIO;
	if (f == NULL) {
		f = attach(ethernet, unit);
		/* NetBSD's and FreeBSD's stay */
		f->kept = model.os == MODEL_NETBSD || model.os == MODEL_FREEBSD;
	}
	return open_if(f);
}

int model_open(const char *path)
{
	const char *name = path + 5;
	bool ethernet;
	uint32_t unit;
	if (strncmp(path, "/dev/", 5) != 0)
		return -ENOENT;
	if (strcmp(name, "tun") == 0 || strcmp(name, "tap") == 0)
		return open_clone(name[2] == 'p');
	if (split_name(name, &ethernet, &unit))
		return open_numbered(ethernet, unit);
	struct model_if *f = model.os == MODEL_FREEBSD ? model_find(name) : NULL;
	return f != NULL ? open_if(f) : -ENOENT;
}

static void close_if(struct model_if *f)
{
	f->fd = 0;
	f->n_in = 0;
	if (f->dead) {
		f->used = false;
		return;
	}
	switch (model.os) {
	case MODEL_FREEBSD:
		f->flags &= ~BSD_IFF_UP;
		purge_addresses(f);
		if (f->transient)
			detach(f);
		break;
	case MODEL_OPENBSD:
		f->flags &= ~BSD_IFF_UP;
		if (!f->kept)
			detach(f);
		break;
	case MODEL_NETBSD:
		if (!f->ethernet)
			f->flags &= ~BSD_IFF_UP;
		if (f->cloned)
			detach(f);
		break;
	default: /* DragonFly */
		f->flags &= ~BSD_IFF_UP;
		if (!f->kept)
			purge_addresses(f);
		if (f->unit >= 4 && (f->ethernet || !f->kept))
			detach(f);
		break;
	}
}

static int close_fd(int fd)
{
	uint32_t i = (uint32_t)(fd - MODEL_FIRST_FD);
	if (fd < MODEL_FIRST_FD || i >= MODEL_FDS || model.fds[i].kind == FREE_FD) {
		model.closed_badly = true;
		return -EBADF;
	}
	struct model_if *f = &model.ifs[model.fds[i].at];
	bool device = model.fds[i].kind == DEVICE_FD;
	model.fds[i].kind = FREE_FD;
	if (device && f->fd == fd)
		close_if(f);
	return 0;
}

static struct model_if *device_of(int fd)
{
	uint32_t i = (uint32_t)(fd - MODEL_FIRST_FD);
	if (fd < MODEL_FIRST_FD || i >= MODEL_FDS || model.fds[i].kind != DEVICE_FD)
		return NULL;
	return &model.ifs[model.fds[i].at];
}

/* ---- requests ---- */

static bool good_sockaddr(const uint8_t *at, uint32_t family, uint32_t len)
{
	if (at[0] == len && at[1] == family)
		return true;
	model.bad_request = true;
	return false;
}

static uint8_t mask_length(const uint8_t *mask, uint32_t bytes)
{
	uint8_t n = 0;
	for (uint32_t i = 0; i < bytes * 8; i++)
		n = (uint8_t)(n + (mask[i / 8] >> (7 - i % 8) & 1));
	return n;
}

static bool is_zero(const uint8_t *p, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (p[i] != 0)
			return false;
	return true;
}

static struct model_address *find_address(struct model_if *f, uint8_t family, const uint8_t *addr)
{
	for (uint32_t i = 0; i < MODEL_ADDRESSES; i++)
		if (f->addresses[i].family == family &&
		    memcmp(f->addresses[i].addr, addr, family == VPN_AF_INET6 ? 16 : 4) == 0)
			return &f->addresses[i];
	return NULL;
}

static int put_address(struct model_if *f, const struct model_address *a)
{
	struct model_address *at = find_address(f, a->family, a->addr);
	for (uint32_t i = 0; i < MODEL_ADDRESSES && at == NULL; i++)
		if (f->addresses[i].family == 0)
			at = &f->addresses[i];
	*at = *a;
	f->flags |= BSD_IFF_UP; /* SIOCSIFADDR, SIOCINITIFADDR of every driver */
	return 0;
}

static int add_ipv4(struct model_if *f, const uint8_t *r)
{
	struct model_address a = {.family = VPN_AF_INET};
	bool p2p = (f->flags & BSD_IFF_POINTOPOINT) != 0;
	if (!good_sockaddr(r + 16, 2, 16) || !good_sockaddr(r + 48, 2, 16))
		return EINVAL;
	memcpy(a.addr, r + 20, 4);
	a.length = mask_length(r + 52, 4);
	if (!is_zero(r + 32, 16)) {
		if (!good_sockaddr(r + 32, 2, 16))
			return EINVAL;
		memcpy(a.dst, r + 36, 4);
	}
	if (p2p && is_zero(a.dst, 4) && model.os != MODEL_FREEBSD && model.os != MODEL_DRAGONFLY)
		return EINVAL;
	if (p2p && (model.os == MODEL_OPENBSD || model.os == MODEL_NETBSD) &&
	    memcmp(a.dst, a.addr, 4) == 0)
		return EINVAL;
	if (!p2p && !is_zero(a.dst, 4))
		model.bad_request = true; /* it would become the broadcast address */
	return put_address(f, &a);
}

static int add_ipv6(struct model_if *f, const uint8_t *r)
{
	struct model_address a = {.family = VPN_AF_INET6};
	uint32_t vltime, pltime;
	if (!good_sockaddr(r + 16, here()->af_inet6, 28) ||
	    !good_sockaddr(r + 72, here()->af_inet6, 28))
		return EINVAL;
	memcpy(a.addr, r + 24, 16);
	a.length = mask_length(r + 80, 16);
	memcpy(&vltime, r + 120, 4);
	memcpy(&pltime, r + 124, 4);
	if (vltime != UINT32_MAX || pltime != UINT32_MAX)
		return EINVAL;
	if (!is_zero(r + 44, 28)) {
		/* in6_update_ifa(): only with all bits, and on such an interface */
		if (!good_sockaddr(r + 44, here()->af_inet6, 28) || a.length != 128 ||
		    (f->flags & BSD_IFF_POINTOPOINT) == 0)
			return EINVAL;
		memcpy(a.dst, r + 52, 16);
	}
	return put_address(f, &a);
}

static int del_address(struct model_if *f, const uint8_t *r, bool ipv6)
{
	if (!good_sockaddr(r + 16, ipv6 ? here()->af_inet6 : 2, ipv6 ? 28 : 16))
		return EINVAL;
	struct model_address *a = find_address(f, ipv6 ? VPN_AF_INET6 : VPN_AF_INET,
					       r + (ipv6 ? 24 : 20));
	if (a == NULL)
		return EADDRNOTAVAIL;
	memset(a, 0, sizeof(*a));
	return 0;
}

static bool mtu_is_good(const struct model_if *f, int32_t mtu)
{
	switch (model.os) {
	case MODEL_FREEBSD:
		return mtu >= 72 && mtu <= 65535;
	case MODEL_OPENBSD:
		return mtu >= 46 && mtu <= 16384;
	case MODEL_NETBSD:
		return f->ethernet ? mtu >= 46 && mtu <= 9000 : mtu >= 576 && mtu <= 1500;
	default:
		return mtu >= 72 && (!f->ethernet || mtu <= 1500);
	}
}

static int rename_to(struct model_if *f, const uint8_t *r)
{
	const char *to;
	memcpy(&to, r + 16, sizeof(to));
	if (strlen(to) >= BSD_IFNAMSIZ || to[0] == '\0')
		return EINVAL;
	if (model_find(to) != NULL)
		return EEXIST;
	snprintf(f->name, sizeof(f->name), "%s", to);
	return 0;
}

static int set_mac(struct model_if *f, const uint8_t *r)
{
	/* length, AF_LINK, then the address at once */
	if (!f->ethernet)
		return EINVAL;
	if (!good_sockaddr(r + 16, 18, 6))
		return EINVAL;
	memcpy(f->mac, r + 18, 6);
	f->mac_set = true;
	return 0;
}

/* ioctl() of an interface that is named in the structure. */
static int interface_request(enum request what, uint8_t *r)
{
	struct model_if *f = model_find((const char *)r);
	uint16_t flags;
	int32_t mtu;
	if (memchr(r, '\0', BSD_IFNAMSIZ) == NULL)
		model.bad_request = true;
	if (what == R_CREATE)
		return create((const char *)r);
	if (f == NULL)
		return ENXIO;
	switch (what) {
	case R_GIFFLAGS:
		flags = (uint16_t)f->flags;
		memcpy(r + 16, &flags, 2);
		return 0;
	case R_SIFFLAGS:
		memcpy(&flags, r + 16, 2);
		f->flags = (f->flags & ~BSD_IFF_UP) | (flags & BSD_IFF_UP);
		return 0;
	case R_GIFMTU:
		mtu = (int32_t)f->mtu;
		memcpy(r + 16, &mtu, 4);
		return 0;
	case R_SIFMTU:
		memcpy(&mtu, r + 16, 4);
		if (!mtu_is_good(f, mtu))
			return EINVAL;
		f->mtu = (uint32_t)mtu;
		return 0;
	case R_DESTROY:
		return destroy(f);
	case R_SIFNAME:
		return rename_to(f, r);
	case R_LLADDR:
	case R_PHYADDR:
		return set_mac(f, r);
	case R_AIFADDR:
		return add_ipv4(f, r);
	case R_AIFADDR6:
		return add_ipv6(f, r);
	case R_DIFADDR:
		return del_address(f, r, false);
	case R_DIFADDR6:
		return del_address(f, r, true);
	case R_GND6:
		memcpy(r + here()->nd6_flags_at, &f->nd6, 4);
		return 0;
	case R_SND6:
		memcpy(&f->nd6, r + here()->nd6_flags_at, 4);
		return 0;
	default:
		return ENOTTY;
	}
}

static int set_mode(struct model_if *f, uint32_t mode)
{
	const uint32_t openbsd = BSD_IFF_UP | BSD_IFF_POINTOPOINT | BSD_IFF_MULTICAST |
				 BSD_IFF_BROADCAST;
	uint32_t kind = mode & (BSD_IFF_POINTOPOINT | BSD_IFF_BROADCAST);
	if (model.os != MODEL_OPENBSD && (f->flags & BSD_IFF_UP) != 0)
		return EBUSY;
	if (kind != BSD_IFF_POINTOPOINT && kind != BSD_IFF_BROADCAST)
		return EINVAL;
	if (model.os == MODEL_OPENBSD)
		f->flags = (f->flags & ~openbsd) | (mode & openbsd);
	else
		f->flags = (f->flags & ~(openbsd & ~BSD_IFF_UP)) | mode;
	return 0;
}

/* ioctl() of a device's descriptor. */
static int device_request(enum request what, struct model_if *f, uint8_t *r)
{
	int32_t value = 0;
	if (f->dead)
		return model.os == MODEL_OPENBSD ? EIO : ENXIO;
	if (r != NULL && what != R_NAME)
		memcpy(&value, r, sizeof(value));
	bool tun_only = what == R_HEAD || what == R_MODE || what == R_PID;
	if (tun_only && f->ethernet && model.os != MODEL_OPENBSD)
		return ENOTTY;
	switch (what) {
	case R_NBIO:
		f->nonblocking = value != 0;
		return 0;
	case R_HEAD:
		f->head = value != 0;
		return 0;
	case R_MODE:
		return set_mode(f, (uint32_t)value);
	case R_PID:
		return 0;
	case R_NAME:
		if (model.os == MODEL_NETBSD && !f->ethernet)
			return ENOTTY;
		memcpy(r, f->name, BSD_IFNAMSIZ);
		return 0;
	case R_TRANSIENT:
		if (!model.freebsd15)
			return ENOTTY;
		f->transient = value != 0;
		return 0;
	default:
		return ENOTTY;
	}
}

static int on_ioctl(int fd, unsigned long request, void *arg)
{
	enum request what = find_request(request);
	uint32_t i = (uint32_t)(fd - MODEL_FIRST_FD);
	if (fault())
		return -model.fail_errno;
	if (fd < MODEL_FIRST_FD || i >= MODEL_FDS || model.fds[i].kind == FREE_FD)
		return -EBADF;
	if (model.fds[i].kind == DEVICE_FD)
		return what > R_DEVICE ? -device_request(what, &model.ifs[model.fds[i].at], arg)
				       : -ENOTTY;
	bool of_ipv6 = what == R_AIFADDR6 || what == R_DIFADDR6 || what == R_GND6 || what == R_SND6;
	if (what == R_NONE || what > R_DEVICE || of_ipv6 != (model.fds[i].kind == INET6_FD))
		return -ENOTTY;
	return -interface_request(what, arg);
}

/* ---- packets ---- */

static ssize_t on_readv(int fd, const struct iovec *iov, int n)
{
	struct model_if *f = device_of(fd);
	uint8_t whole[4 + sizeof(f->in[0].data)];
	size_t len = 0, at = 0;
	if (fault())
		return -model.fail_errno;
	if (f == NULL)
		return -EBADF;
	if (model.read_errno != 0)
		return -model.read_errno;
	if (f->dead)
		return model.os == MODEL_OPENBSD ? -EIO : -ENXIO;
	if (model.os == MODEL_NETBSD && f->ethernet && (f->flags & BSD_IFF_UP) == 0)
		return -EHOSTDOWN;
	if (model.os == MODEL_NETBSD && !f->ethernet && f->addresses[0].family == 0)
		return -EHOSTDOWN;
	if (f->n_in == 0) {
		model.hung |= !f->nonblocking;
		return -EAGAIN;
	}
	if (f->head) {
		bool ipv6 = f->in[0].data[0] >> 4 == 6;
		tcpip_store_be32(whole, ipv6 ? here()->af_inet6 : 2);
		len = 4;
	}
	memcpy(whole + len, f->in[0].data, f->in[0].len);
	len += f->in[0].len;
	memmove(&f->in[0], &f->in[1], (size_t)--f->n_in * sizeof(f->in[0]));
	for (int k = 0; k < n && at < len; k++) {
		size_t part = len - at < iov[k].iov_len ? len - at : iov[k].iov_len;
		memcpy(iov[k].iov_base, whole + at, part);
		at += part;
	}
	return (ssize_t)at; /* what does not fit is gone */
}

/* What a write of `total` bytes meets, without looking at them: 1 = taken. */
static ssize_t admit(const struct model_if *f, size_t total)
{
	size_t head = f->head ? 4 : 0;
	switch (model.os) {
	case MODEL_FREEBSD:
		if ((f->flags & BSD_IFF_UP) == 0)
			return 0;
		return total > 65535 + head ? -EIO : 1;
	case MODEL_OPENBSD:
		return total < head || total > 16384 + head ? -EMSGSIZE : 1;
	case MODEL_NETBSD:
		return !f->ethernet && total - head > 1500 ? -EIO : 1;
	default:
		if (f->ethernet && (f->flags & BSD_IFF_UP) == 0)
			return -EHOSTDOWN;
		return total > 16384 ? -EIO : 1;
	}
}

static ssize_t on_writev(int fd, const struct iovec *iov, int n)
{
	static uint8_t whole[70000];
	struct model_if *f = device_of(fd);
	size_t total = 0;
	if (fault())
		return -model.fail_errno;
	if (f == NULL)
		return -EBADF;
	if (model.write_errno != 0)
		return -model.write_errno;
	if (f->dead)
		return model.os == MODEL_OPENBSD ? -EIO : -ENXIO;
	for (int k = 0; k < n; k++) {
		memcpy(whole + total, iov[k].iov_base, iov[k].iov_len);
		total += iov[k].iov_len;
	}
	ssize_t r = admit(f, total);
	if (r != 1)
		return r;
	size_t head = f->head ? 4 : 0;
	uint32_t family = f->head ? tcpip_load_be32(whole) : 0;
	if (f->head && family != 2 && family != here()->af_inet6)
		return -EAFNOSUPPORT;
	struct model_packet *p = &f->out[f->n_out];
	f->out_family[f->n_out++] = family;
	p->len = (uint32_t)(total - head);
	memcpy(p->data, whole + head, p->len < sizeof(p->data) ? p->len : sizeof(p->data));
	return (ssize_t)total;
}

/* ---- the rest of the calls ---- */

static int on_open(const char *path)
{
	if (fault())
		return -model.fail_errno;
	return model.no_root ? -EACCES : model_open(path);
}

static int on_take(int fd)
{
	struct model_if *f = device_of(fd);
	if (fault())
		return -model.fail_errno;
	if (f == NULL)
		return -EBADF;
	int copy = new_fd(DEVICE_FD, (uint32_t)(f - model.ifs));
	f->fd = copy; /* the last one to close it is the driver */
	return copy;
}

static int on_close(int fd)
{
	bool gone = fault() && model.dies;
	return gone ? -model.fail_errno : close_fd(fd);
}

static int on_socket(int domain)
{
	if (fault())
		return -model.fail_errno;
	if (domain == 2)
		return new_fd(INET_FD, 0);
	if (domain == (int)here()->af_inet6)
		return model.no_ipv6 ? -EAFNOSUPPORT : new_fd(INET6_FD, 0);
	return domain == (int)here()->af_route ? new_fd(ROUTE_FD, 0) : -EAFNOSUPPORT;
}

static ssize_t on_receive(int fd, void *buf, size_t len)
{
	(void)fd;
	if (fault())
		return -model.fail_errno;
	if (model.route_messages == 0)
		return -EAGAIN;
	model.route_messages--;
	memset(buf, 0xa5, len < 152 ? len : 152);
	return 152;
}

static int on_device_name(int fd, char *buf, size_t cap)
{
	const struct model_if *f = device_of(fd);
	if (fault())
		return -model.fail_errno;
	if (f == NULL)
		return -ENOTTY;
	snprintf(buf, cap, "%s%u", word_of(f->ethernet), f->unit & 0xffffu);
	return 0;
}

static int on_has_address(const char *ifname, const struct vpn_address *a)
{
	struct model_if *f = model_find(ifname);
	if (fault())
		return -model.fail_errno;
	return f != NULL && find_address(f, a->family, a->addr) != NULL;
}

static uint32_t on_index(const char *ifname)
{
	const struct model_if *f = model_find(ifname);
	return f != NULL ? f->index : 0;
}

const struct bsd_ops *bsd_ops_here(void)
{
	static const struct bsd_ops ops = {
		.open = on_open,
		.take = on_take,
		.close = on_close,
		.ioctl = on_ioctl,
		.readv = on_readv,
		.writev = on_writev,
		.socket = on_socket,
		.receive = on_receive,
		.device_name = on_device_name,
		.has_address = on_has_address,
		.index = on_index,
	};
	return &ops;
}

/* ---- for tests ---- */

void model_boot(enum model_os os)
{
	memset(&model, 0, sizeof(model));
	model.os = os;
	model.nodes = 4;
	model.has_clone_nodes = true;
}

uint32_t model_open_fds(void)
{
	uint32_t n = 0;
	for (uint32_t i = 0; i < MODEL_FDS; i++)
		n += model.fds[i].kind != FREE_FD;
	return n;
}

uint32_t model_devices(void)
{
	uint32_t n = 0;
	for (uint32_t i = 0; i < MODEL_IFS; i++)
		n += model.ifs[i].used && !model.ifs[i].dead;
	return n;
}

bool model_has(const struct model_if *f, const char *prefix)
{
	char text[64], line[80];
	for (uint32_t i = 0; i < MODEL_ADDRESSES; i++) {
		const struct model_address *a = &f->addresses[i];
		if (a->family == 0)
			continue;
		inet_ntop(a->family == VPN_AF_INET6 ? AF_INET6 : AF_INET, a->addr, text,
			  sizeof(text));
		snprintf(line, sizeof(line), "%s/%u", text, a->length);
		if (strcmp(line, prefix) == 0)
			return true;
	}
	return false;
}

void model_kill(void)
{
	for (uint32_t i = 0; i < MODEL_FDS; i++)
		if (model.fds[i].kind != FREE_FD)
			close_fd(MODEL_FIRST_FD + (int)i);
}

struct model_if *model_create(const char *name)
{
	return create(name) == 0 ? model_find(name) : NULL;
}

int model_destroy(const char *name)
{
	return destroy(model_find(name));
}

void model_rename(const char *name, const char *to)
{
	struct model_if *f = model_find(name);
	snprintf(f->name, sizeof(f->name), "%s", to);
}

void model_send(const char *name, const void *data, uint32_t len)
{
	struct model_if *f = model_find(name);
	if (f->n_in == MODEL_QUEUE || len > sizeof(f->in[0].data))
		abort();
	memcpy(f->in[f->n_in].data, data, len);
	f->in[f->n_in++].len = len;
}
