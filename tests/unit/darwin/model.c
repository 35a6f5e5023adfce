/* SPDX-License-Identifier: BSD-2-Clause */
#include "model.h"

#include <setjmp.h>
#include <stdarg.h>

#include <arpa/inet.h>
#include <cmocka.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

#define CONTROL_ID 7u
#define FDS        1024
#define MESSAGES   64u

enum kind { NOTHING, CONTROL, UTUN, TAP, INET, INET6, ROUTE, KQUEUE, PIPE };

struct descriptor {
	enum kind kind;
	struct model_interface *interface; /* UTUN, TAP */
	int watched;                       /* KQUEUE: the node */
	bool signalled;
	uint32_t head, tail; /* ROUTE */
	struct {
		uint32_t len;
		uint8_t data[256];
	} messages[MESSAGES];
};

struct model model;
static struct descriptor fds[FDS];
static uint32_t next_index = 20;

/* ---- faults ---- */

/* Counts a call, and says whether this one fails. */
static bool fails(void)
{
	if (++model.calls != model.fail_at)
		return false;
	errno = model.fail_errno;
	return true;
}

static int refuse(int e)
{
	errno = e;
	return -1;
}

/* ---- descriptors ---- */

static int make(enum kind kind)
{
	int fd = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
	assert_true(fd >= 0 && fd < FDS);
	memset(&fds[fd], 0, sizeof(fds[fd]));
	fds[fd].kind = kind;
	return fd;
}

static void signal_fd(int fd, bool on)
{
	uint64_t n = 1;
	if (fds[fd].signalled == on)
		return;
	fds[fd].signalled = on;
	if (on)
		assert_int_equal(write(fd, &n, sizeof(n)), sizeof(n));
	else
		assert_int_equal(read(fd, &n, sizeof(n)), sizeof(n));
}

/* A node became readable, or not: also for the kqueue on it, which keeps a stale event until it is
 * asked. */
static void update(struct model_interface *i)
{
	bool some = i->head != i->tail;
	signal_fd(i->owner, some);
	for (int fd = 0; fd < FDS && some; fd++)
		if (fds[fd].kind == KQUEUE && fds[fd].watched == i->owner)
			signal_fd(fd, true);
}

uint32_t model_open_descriptors(void)
{
	uint32_t n = 0;
	for (int fd = 0; fd < FDS; fd++)
		n += fds[fd].kind != NOTHING;
	return n;
}

/* ---- interfaces ---- */

struct model_interface *model_find(const char *name)
{
	for (uint32_t i = 0; i < MODEL_INTERFACES; i++)
		if (model.interfaces[i].name[0] != '\0' &&
		    strcmp(model.interfaces[i].name, name) == 0)
			return &model.interfaces[i];
	return NULL;
}

uint32_t model_count_interfaces(void)
{
	uint32_t n = 0;
	for (uint32_t i = 0; i < MODEL_INTERFACES; i++)
		n += model.interfaces[i].name[0] != '\0';
	return n;
}

static struct model_interface *add_interface(int owner, const char *prefix, int unit)
{
	for (uint32_t i = 0; i < MODEL_INTERFACES; i++) {
		struct model_interface *f = &model.interfaces[i];
		if (f->name[0] != '\0')
			continue;
		memset(f, 0, sizeof(*f));
		snprintf(f->name, sizeof(f->name), "%s%d", prefix, unit);
		f->index = next_index++;
		f->mtu = 1500;
		f->owner = owner;
		fds[owner].interface = f;
		return f;
	}
	fail_msg("the model has no interface left");
	return NULL;
}

void model_reset(void)
{
	assert_int_equal(model_open_descriptors(), 0);
	memset(&model, 0, sizeof(model));
	model.is_root = true;
	model.has_recvmsg_x = model.has_sendmsg_x = true;
	model.product = "14.5";
	model.release = "23.5.0";
	model.fail_errno = EIO;
}

bool model_has_address(const char *name, const char *text)
{
	struct model_interface *f = model_find(name);
	for (uint32_t i = 0; f != NULL && i < f->n_addresses; i++)
		if (strcmp(f->addresses[i], text) == 0)
			return true;
	return false;
}

bool model_send(const char *name, const void *data, uint32_t len)
{
	struct model_interface *f = model_find(name);
	uint32_t most = f->tap ? 128 : f->pending;
	uint32_t af = len != 0 && ((const uint8_t *)data)[0] >> 4 == 6 ? 30 : 2;
	if ((f->flags & DARWIN_IFF_UP) == 0 || f->tail - f->head >= most)
		return false;
	struct model_packet *p = &f->queue[f->tail++ % MODEL_PACKETS];
	p->len = 0;
	if (!f->tap) {
		const uint8_t header[4] = {0, 0, 0, (uint8_t)af};
		memcpy(p->data, header, sizeof(header));
		p->len = sizeof(header);
	}
	assert_true(p->len + len <= MODEL_PACKET);
	memcpy(p->data + p->len, data, len);
	p->len += len;
	update(f);
	return true;
}

/* ---- route sockets ---- */

void model_route_message(const void *message, uint32_t len)
{
	for (int fd = 0; fd < FDS; fd++) {
		struct descriptor *d = &fds[fd];
		if (d->kind != ROUTE || d->tail - d->head == MESSAGES)
			continue;
		assert_true(len <= sizeof(d->messages[0].data));
		d->messages[d->tail % MESSAGES].len = len;
		memcpy(d->messages[d->tail % MESSAGES].data, message, len);
		d->tail++;
		signal_fd(fd, true);
	}
}

static void tell_state(const struct model_interface *f)
{
	uint8_t buf[112] = {0}; /* sizeof(struct if_msghdr) */
	struct darwin_if_msghdr m = {.msglen = sizeof(buf),
				     .version = DARWIN_RTM_VERSION,
				     .type = DARWIN_RTM_IFINFO,
				     .flags = (int32_t)f->flags,
				     .index = (uint16_t)f->index,
				     .mtu = f->mtu};
	memcpy(buf, &m, sizeof(m));
	model_route_message(buf, sizeof(buf));
}

void model_set_up(const char *name, bool up)
{
	struct model_interface *f = model_find(name);
	f->flags = up ? f->flags | DARWIN_IFF_UP : f->flags & ~(uint32_t)DARWIN_IFF_UP;
	tell_state(f);
}

void model_set_mtu(const char *name, uint32_t mtu)
{
	struct model_interface *f = model_find(name);
	f->mtu = mtu;
	tell_state(f);
}

static void tell_lost(const char *name, const uint8_t *sockaddr, uint32_t len)
{
	/* netmask before it, one byte long as the kernel likes to make them */
	uint8_t buf[sizeof(struct darwin_ifa_msghdr) + 8 + 28] = {0};
	struct darwin_ifa_msghdr m = {.version = DARWIN_RTM_VERSION,
				      .type = DARWIN_RTM_DELADDR,
				      .addrs = DARWIN_RTA_NETMASK | 1 << DARWIN_RTAX_IFA,
				      .index = (uint16_t)model_find(name)->index};
	m.msglen = (uint16_t)(sizeof(m) + 8 + len);
	buf[sizeof(m)] = 5; /* padded to 8 */
	memcpy(buf + sizeof(m) + 8, sockaddr, len);
	memcpy(buf, &m, sizeof(m));
	model_route_message(buf, m.msglen);
}

void model_lose_ipv4(const char *name, const uint8_t addr[4])
{
	struct darwin_sockaddr_in sin = {.len = sizeof(sin), .family = DARWIN_AF_INET};
	memcpy(sin.addr, addr, 4);
	tell_lost(name, (const uint8_t *)&sin, sizeof(sin));
}

void model_lose_ipv6(const char *name, const uint8_t addr[16])
{
	struct darwin_sockaddr_in6 sin6 = {.len = sizeof(sin6), .family = DARWIN_AF_INET6};
	memcpy(sin6.addr, addr, 16);
	if (addr[0] == 0xfe)
		sin6.addr[3] = (uint8_t)model_find(name)->index;
	tell_lost(name, (const uint8_t *)&sin6, sizeof(sin6));
}

static int add_route(const uint8_t *message, size_t len)
{
	struct darwin_rt_msghdr m;
	if (len < sizeof(m))
		return refuse(EINVAL);
	memcpy(&m, message, sizeof(m));
	if (m.msglen != len || m.version != DARWIN_RTM_VERSION || m.type != DARWIN_RTM_ADD)
		return refuse(EINVAL);
	for (uint32_t i = 0; i < MODEL_INTERFACES; i++) {
		struct model_interface *f = &model.interfaces[i];
		if (f->name[0] == '\0' || f->index != m.index)
			continue;
		for (uint32_t k = 0; k < f->n_routes; k++)
			if (memcmp(f->routes[k], message, len) == 0)
				return refuse(EEXIST);
		assert_true(f->n_routes < MODEL_ROUTES && len <= sizeof(f->routes[0]));
		memcpy(f->routes[f->n_routes++], message, len);
		return (int)len;
	}
	return refuse(ENETUNREACH);
}

/* ---- opening and closing ---- */

static bool kext_makes_nodes(void)
{
	for (int i = 0; i < 4; i++)
		if (model.loaded[i] != NULL && strstr(model.loaded[i], ".tap") != NULL)
			return !model.no_nodes;
	return false;
}

static int do_open(const char *path)
{
	int unit = -1;
	char name[16];
	if (fails())
		return -1;
	assert_int_equal(sscanf(path, "/dev/tap%d", &unit), 1);
	snprintf(name, sizeof(name), "tap%d", unit);
	if (!kext_makes_nodes() || unit > 15)
		return refuse(ENOENT);
	if (!model.is_root)
		return refuse(EACCES);
	if (model.open_errno != 0)
		return refuse(model.open_errno);
	if (model.tap_taken[unit] || model_find(name) != NULL)
		return refuse(EBUSY);
	int fd = make(TAP);
	struct model_interface *f = add_interface(fd, "tap", unit);
	f->tap = true;
	f->mac[0] = 2;
	return fd;
}

static int do_close(int fd)
{
	assert_true(fd >= 0 && fd < FDS && fds[fd].kind != NOTHING);
	if (fds[fd].interface != NULL && fds[fd].interface->owner == fd) {
		int heir = -1;
		for (int i = 0; i < FDS; i++)
			if (i != fd && fds[i].interface == fds[fd].interface)
				heir = i;
		if (heir >= 0)
			fds[fd].interface->owner = heir;
		else
			fds[fd].interface->name[0] = '\0'; /* the interface goes with it */
	}
	memset(&fds[fd], 0, sizeof(fds[fd]));
	return close(fd);
}

static int do_dup(int fd)
{
	if (fails())
		return -1;
	if (fd < 0 || fd >= FDS || fds[fd].kind == NOTHING)
		return refuse(EBADF);
	int copy = make(fds[fd].kind);
	fds[copy].interface = fds[fd].interface;
	if (fds[copy].interface != NULL)
		fds[copy].interface->owner = copy;
	return copy;
}

static int do_socket(int domain, int type, int protocol)
{
	if (fails())
		return -1;
	if (domain == DARWIN_AF_SYSTEM && type == DARWIN_SOCK_DGRAM &&
	    protocol == DARWIN_SYSPROTO_CONTROL)
		return make(CONTROL);
	if (domain == DARWIN_AF_ROUTE && type == DARWIN_SOCK_RAW)
		return make(ROUTE);
	if (domain == DARWIN_AF_INET && type == DARWIN_SOCK_DGRAM)
		return make(INET);
	if (domain == DARWIN_AF_INET6 && type == DARWIN_SOCK_DGRAM)
		return make(INET6);
	return refuse(EAFNOSUPPORT);
}

static int do_connect(int fd, const void *address, uint32_t len)
{
	struct darwin_sockaddr_ctl a;
	if (fails())
		return -1;
	assert_int_equal(len, sizeof(a));
	memcpy(&a, address, sizeof(a));
	if (fds[fd].kind != CONTROL || a.len != sizeof(a) || a.family != DARWIN_AF_SYSTEM ||
	    a.sysaddr != DARWIN_AF_SYS_CONTROL || a.id != CONTROL_ID)
		return refuse(EINVAL);
	if (!model.is_root)
		return refuse(EPERM);
	uint32_t unit = a.unit;
	while (a.unit == 0 && (unit == 0 || model.taken[unit - 1]))
		unit++;
	char name[16];
	snprintf(name, sizeof(name), "utun%u", unit - 1);
	if ((unit <= MODEL_UNITS && model.taken[unit - 1]) || model_find(name) != NULL)
		return refuse(EBUSY);
	struct model_interface *f = add_interface(fd, "utun", (int)unit - 1);
	f->flags = DARWIN_IFF_UP;
	f->pending = 1;
	f->nonblock = false;
	fds[fd].kind = UTUN;
	return 0;
}

static int do_getsockopt(int fd, int level, int option, void *value, uint32_t *len)
{
	if (fails())
		return -1;
	if (fd < 0 || fds[fd].kind != UTUN || level != DARWIN_SYSPROTO_CONTROL ||
	    option != DARWIN_UTUN_OPT_IFNAME)
		return refuse(ENOPROTOOPT);
	const char *name = fds[fd].interface->name;
	assert_true(*len > strlen(name));
	memcpy(value, name, strlen(name) + 1);
	*len = (uint32_t)strlen(name) + 1;
	return 0;
}

static int do_setsockopt(int fd, int level, int option, const void *value, uint32_t len)
{
	uint32_t n;
	if (fails())
		return -1;
	if (fds[fd].kind != UTUN || level != DARWIN_SYSPROTO_CONTROL ||
	    option != DARWIN_UTUN_OPT_MAX_PENDING_PACKETS || model.no_pending)
		return refuse(ENOPROTOOPT);
	if (len != sizeof(n))
		return refuse(EMSGSIZE);
	memcpy(&n, value, sizeof(n));
	if (n == 0)
		return refuse(EINVAL);
	fds[fd].interface->pending = n;
	return 0;
}

static int do_set_cloexec(int fd)
{
	return fails() ? -1 : fcntl(fd, F_SETFD, FD_CLOEXEC);
}

static int do_set_nonblock(int fd)
{
	if (fails())
		return -1;
	if (fds[fd].interface != NULL)
		fds[fd].interface->nonblock = true;
	return 0;
}

static int do_pipe(int pair[2])
{
	if (fails())
		return -1;
	assert_int_equal(pipe2(pair, O_CLOEXEC), 0);
	memset(&fds[pair[0]], 0, sizeof(fds[0]));
	memset(&fds[pair[1]], 0, sizeof(fds[0]));
	fds[pair[0]].kind = fds[pair[1]].kind = PIPE;
	return 0;
}

/* ---- ioctl ---- */

static void text4(char *out, const uint8_t *a)
{
	inet_ntop(AF_INET, a, out, INET6_ADDRSTRLEN);
}

static int add_ipv4(struct model_interface *f, const struct darwin_ifaliasreq *r)
{
	char addr[INET6_ADDRSTRLEN], dst[INET6_ADDRSTRLEN], mask[INET6_ADDRSTRLEN], text[96];
	if (r->addr.family != DARWIN_AF_INET || r->addr.len != 16 || r->mask.len != 16)
		return refuse(EAFNOSUPPORT);
	text4(addr, r->addr.addr);
	text4(dst, r->dst.addr);
	text4(mask, r->mask.addr);
	snprintf(text, sizeof(text), "%.20s %.20s %.20s", addr, dst, mask);
	if (model_has_address(f->name, text))
		return 0;
	assert_true(f->n_addresses < MODEL_ADDRESSES);
	memcpy(f->addresses[f->n_addresses++], text, sizeof(text));
	return 0;
}

static int add_ipv6(struct model_interface *f, const struct darwin_in6_aliasreq *r)
{
	char addr[INET6_ADDRSTRLEN], text[96];
	uint32_t length = 0;
	if (r->addr.family != DARWIN_AF_INET6 || r->addr.len != 28 || r->mask.len != 28)
		return refuse(EAFNOSUPPORT);
	for (int i = 0; i < 128; i++)
		length += (r->mask.addr[i / 8] >> (7 - i % 8)) & 1;
	if (r->dst.family == DARWIN_AF_INET6 && (length != 128 || f->tap))
		return refuse(EINVAL);
	if (r->valid_seconds != DARWIN_ND6_FOREVER || r->preferred_seconds != DARWIN_ND6_FOREVER)
		return refuse(EINVAL);
	inet_ntop(AF_INET6, r->addr.addr, addr, sizeof(addr));
	snprintf(text, sizeof(text), "%s/%u%s", addr, length,
		 (r->flags & DARWIN_IN6_IFF_NODAD) != 0 ? " nodad" : "");
	if (model_has_address(f->name, text))
		return 0;
	assert_true(f->n_addresses < MODEL_ADDRESSES);
	memcpy(f->addresses[f->n_addresses++], text, sizeof(text));
	return 0;
}

static int remove_address(struct model_interface *f, const char *addr, char end)
{
	for (uint32_t i = 0; i < f->n_addresses; i++) {
		size_t n = strlen(addr);
		if (strncmp(f->addresses[i], addr, n) != 0 || f->addresses[i][n] != end)
			continue;
		f->n_addresses--;
		memmove(f->addresses[i], f->addresses[i + 1],
			(f->n_addresses - i) * sizeof(f->addresses[0]));
		return 0;
	}
	return refuse(EADDRNOTAVAIL);
}

static int ipv6_ioctl(unsigned long request, void *arg)
{
	char addr[INET6_ADDRSTRLEN];
	struct model_interface *f = model_find(arg);
	if (f == NULL)
		return refuse(ENXIO);
	if (!model.is_root)
		return refuse(EPERM);
	if (request == DARWIN_SIOCAIFADDR_IN6)
		return add_ipv6(f, arg);
	if (request != DARWIN_SIOCDIFADDR_IN6)
		return refuse(EOPNOTSUPP);
	inet_ntop(AF_INET6, ((struct darwin_in6_ifreq *)arg)->u.addr.addr, addr, sizeof(addr));
	return remove_address(f, addr, '/');
}

static int status_of(struct darwin_ifstat *s)
{
	int unit = -1;
	if (sscanf(s->name, "tap%d", &unit) != 1 || unit < 0 || unit > 15 || !model.tap_taken[unit])
		return refuse(ENXIO);
	snprintf(s->text, sizeof(s->text), "\topen (pid 4711)\n");
	return 0;
}

static int ipv4_ioctl(unsigned long request, void *arg)
{
	struct darwin_ifreq *r = arg;
	char addr[INET6_ADDRSTRLEN];
	if (request == DARWIN_SIOCGIFSTATUS)
		return status_of(arg);
	struct model_interface *f = model_find(arg);
	if (f == NULL)
		return refuse(ENXIO);
	if (request == DARWIN_SIOCGIFFLAGS) {
		r->u.flags = (int16_t)f->flags;
		return 0;
	}
	if (request == DARWIN_SIOCGIFMTU) {
		r->u.mtu = (int32_t)f->mtu;
		return 0;
	}
	if (!model.is_root)
		return refuse(EPERM);
	switch (request) {
	case DARWIN_SIOCSIFFLAGS:
		f->flags = (uint16_t)r->u.flags;
		return 0;
	case DARWIN_SIOCSIFMTU:
		f->mtu = (uint32_t)r->u.mtu;
		return 0;
	case DARWIN_SIOCSIFLLADDR:
		if (!f->tap || r->u.mac.family != DARWIN_AF_LINK || r->u.mac.len != 6)
			return refuse(EINVAL);
		memcpy(f->mac, r->u.mac.data, 6);
		return 0;
	case DARWIN_SIOCAIFADDR:
		return add_ipv4(f, arg);
	case DARWIN_SIOCDIFADDR:
		text4(addr, r->u.addr.addr);
		return remove_address(f, addr, ' ');
	default:
		return refuse(EOPNOTSUPP);
	}
}

static int do_ioctl(int fd, unsigned long request, void *arg)
{
	if (fails())
		return -1;
	switch (fds[fd].kind) {
	case CONTROL:
		if (request != DARWIN_CTLIOCGINFO)
			return refuse(ENOTTY);
		if (model.no_utun || strcmp(((struct darwin_ctl_info *)arg)->name,
					    "com.apple.net.utun_control") != 0)
			return refuse(ENOENT);
		((struct darwin_ctl_info *)arg)->id = CONTROL_ID;
		return 0;
	case TAP:
		if (request != DARWIN_FIONBIO)
			return refuse(ENOTTY);
		fds[fd].interface->nonblock = *(int32_t *)arg != 0;
		return 0;
	case INET:
		return ipv4_ioctl(request, arg);
	case INET6:
		return ipv6_ioctl(request, arg);
	default:
		return refuse(ENOTTY);
	}
}

/* ---- packets ---- */

static ssize_t scatter(const struct iovec *iov, int n, const uint8_t *data, uint32_t len)
{
	size_t done = 0;
	for (int i = 0; i < n && done < len; i++) {
		size_t k = len - done < iov[i].iov_len ? len - done : iov[i].iov_len;
		memcpy(iov[i].iov_base, data + done, k);
		done += k;
	}
	return (ssize_t)done;
}

static ssize_t gather(const struct iovec *iov, int n, uint8_t *data, size_t cap)
{
	size_t done = 0;
	for (int i = 0; i < n; i++) {
		assert_true(done + iov[i].iov_len <= cap);
		memcpy(data + done, iov[i].iov_base, iov[i].iov_len);
		done += iov[i].iov_len;
	}
	return (ssize_t)done;
}

static ssize_t read_packet(int fd, const struct iovec *iov, int n)
{
	struct model_interface *f = fds[fd].interface;
	if (f->gone)
		return refuse(ENXIO);
	if (model.eof)
		return 0;
	if (f->tap && (f->flags & DARWIN_IFF_UP) == 0)
		return refuse(EIO);
	if (f->head == f->tail) {
		if (!f->nonblock)
			fail_msg("a read of %s would wait for ever", f->name);
		return refuse(EAGAIN);
	}
	const struct model_packet *p = &f->queue[f->head++ % MODEL_PACKETS];
	ssize_t done = scatter(iov, n, p->data, p->len);
	update(f);
	return done;
}

static ssize_t do_readv(int fd, const struct iovec *iov, int n)
{
	struct descriptor *d = &fds[fd];
	if (d->kind == PIPE)
		return readv(fd, iov, n);
	model.read_calls++;
	if (fails())
		return -1;
	if (d->kind != ROUTE)
		return read_packet(fd, iov, n);
	if (d->head == d->tail)
		return refuse(EAGAIN);
	uint32_t at = d->head++ % MESSAGES;
	if (d->head == d->tail)
		signal_fd(fd, false);
	return scatter(iov, n, d->messages[at].data, d->messages[at].len);
}

/* utun hides what it does not like; a kext says EIO when it is down and cuts at the MTU. */
static ssize_t write_packet(struct model_interface *f, const struct iovec *iov, int n)
{
	struct model_packet p;
	ssize_t len = gather(iov, n, p.data, sizeof(p.data));
	if (f->gone)
		return refuse(ENXIO);
	if (f->tap && (f->flags & DARWIN_IFF_UP) == 0)
		return refuse(EIO);
	p.len = (uint32_t)len;
	if (f->tap && p.len > f->mtu + 14)
		p.len = f->mtu + 14;
	if (!f->tap) {
		assert_true(p.len > 4 && p.data[0] == 0 && p.data[1] == 0 && p.data[2] == 0);
		assert_int_equal(p.data[3], p.data[4] >> 4 == 6 ? 30 : 2);
		p.len -= 4;
		memmove(p.data, p.data + 4, p.len);
	}
	if ((f->flags & DARWIN_IFF_UP) == 0)
		return len;
	assert_true(f->n_received < MODEL_PACKETS);
	f->received[f->n_received++] = p;
	return len;
}

static ssize_t do_writev(int fd, const struct iovec *iov, int n)
{
	uint8_t buf[512];
	if (fds[fd].kind == PIPE)
		return writev(fd, iov, n);
	model.write_calls++;
	if (fails())
		return -1;
	if (fds[fd].kind == ROUTE)
		return add_route(buf, (size_t)gather(iov, n, buf, sizeof(buf)));
	if (model.write_errno != 0)
		return refuse(model.write_errno);
	return write_packet(fds[fd].interface, iov, n);
}

static void check_blank(const struct darwin_msghdr_x *m)
{
	assert_true(m->name == NULL && m->namelen == 0 && m->control == NULL);
	assert_true(m->controllen == 0 && m->flags == 0 && m->datalen == 0);
	assert_true(m->iovlen > 0);
}

static ssize_t model_recvmsg_x(int fd, struct darwin_msghdr_x *msgs, unsigned int n, int flags)
{
	assert_int_equal(flags, 0);
	model.receive_calls++;
	if (fails())
		return -1;
	if (model.batch_errno != 0)
		return refuse(model.batch_errno);
	for (unsigned int i = 0; i < n; i++) {
		check_blank(&msgs[i]);
		struct model_interface *f = fds[fd].interface;
		ssize_t len = i != 0 && f->head == f->tail
				      ? -1
				      : read_packet(fd, msgs[i].iov, msgs[i].iovlen);
		if (len <= 0)
			return i != 0 ? (ssize_t)i : len;
		msgs[i].datalen = (size_t)len;
	}
	return (ssize_t)n;
}

static ssize_t model_sendmsg_x(int fd, struct darwin_msghdr_x *msgs, unsigned int n, int flags)
{
	assert_int_equal(flags, 0);
	model.send_calls++;
	if (fails())
		return -1;
	if (model.batch_errno != 0)
		return refuse(model.batch_errno);
	for (unsigned int i = 0; i < n; i++) {
		check_blank(&msgs[i]);
		if (model.send_at_most != 0 && i == model.send_at_most)
			return (ssize_t)i;
		if (write_packet(fds[fd].interface, msgs[i].iov, msgs[i].iovlen) < 0)
			return i != 0 ? (ssize_t)i : -1;
	}
	return (ssize_t)n;
}

static darwin_function do_symbol(const char *name)
{
	if (fails())
		return NULL;
	if (strcmp(name, "recvmsg_x") == 0 && model.has_recvmsg_x)
		return (darwin_function)model_recvmsg_x;
	if (strcmp(name, "sendmsg_x") == 0 && model.has_sendmsg_x)
		return (darwin_function)model_sendmsg_x;
	return NULL;
}

static uint32_t do_index_of(const char *name)
{
	struct model_interface *f = model_find(name);
	return fails() || f == NULL ? 0 : f->index;
}

/* ---- readiness ---- */

static int do_kqueue(void)
{
	return fails() ? -1 : make(KQUEUE);
}

static int do_kevent(int kq, const struct darwin_kevent *changes, int n_changes,
		     struct darwin_kevent *events, int n_events)
{
	if (fails())
		return -1;
	if (n_changes == 1) {
		int fd = (int)changes->ident;
		assert_int_equal(fds[fd].kind, TAP);
		if (model.kqueue_refuses || changes->filter != DARWIN_EVFILT_READ ||
		    changes->fflags != DARWIN_NOTE_LOWAT || changes->data != 1)
			return refuse(EINVAL);
		fds[kq].watched = fd;
		update(fds[fd].interface);
	}
	if (n_events == 0)
		return 0;
	struct model_interface *f = fds[fds[kq].watched].interface;
	memset(events, 0, sizeof(*events));
	if (f->gone)
		events->flags = DARWIN_EV_EOF;
	else if (f->head == f->tail) {
		signal_fd(kq, false);
		return 0;
	}
	return 1;
}

static int do_select(int a, int b)
{
	struct pollfd p[2] = {{.fd = a, .events = POLLIN}, {.fd = b, .events = POLLIN}};
	if (poll(p, 2, -1) < 0)
		return -1;
	return (p[0].revents != 0 ? 1 : 0) | (p[1].revents != 0 ? 2 : 0);
}

/* ---- programs and files ---- */

static void list_kexts(char *out, size_t cap)
{
	int n = snprintf(out, cap,
			 "Index Refs Address            Size       Wired      Name (Version) UUID\n"
			 "  150    3 0xffffff7f811 0x1000 0x1000 com.apple.net.tap.helper (1) A\n");
	for (int i = 0; i < 4; i++)
		if (model.loaded[i] != NULL)
			n += snprintf(
				out + n, cap - (size_t)n,
				"  17%d    0 0xffffff7f82 0x7000 0x7000 %s (5.0) B-C <8 6 5>\n", i,
				model.loaded[i]);
}

static void load_kext(const char *path)
{
	const char *told = model.plist != NULL ? model.plist : path;
	const char *id = strstr(told, "tunnelblick") != NULL || strstr(told, "notarized") != NULL
				 ? "net.tunnelblick.tap"
				 : "net.sf.tuntaposx.tap";
	if (model.load_after != 0) {
		model.load_after--;
		return;
	}
	for (int i = 0; i < 4 && !model.lying; i++) {
		if (model.loaded[i] != NULL)
			continue;
		model.loaded[i] = id;
		return;
	}
}

static void unload_kext(const char *id)
{
	for (int i = 0; i < 4 && !model.unload_fails; i++)
		if (model.loaded[i] != NULL && strcmp(model.loaded[i], id) == 0)
			model.loaded[i] = NULL;
}

static void note_run(const char *const *argv)
{
	char *line = model.runs[model.n_runs++ % 16];
	size_t n = 0;
	for (int i = 0; argv[i] != NULL; i++)
		n += (size_t)snprintf(line + n, sizeof(model.runs[0]) - n, "%s%s",
				      i != 0 ? " " : "", argv[i]);
}

static int do_run(const char *const *argv, uint32_t timeout_ms, char *out, size_t cap,
		  int *ret_status)
{
	out[0] = '\0';
	*ret_status = 0;
	assert_true(timeout_ms != 0 && timeout_ms <= 30000);
	if (fails())
		return model.fail_errno;
	note_run(argv);
	if (model.on_run != NULL) {
		int status = model.on_run(argv, out, cap);
		if (status >= 0) {
			*ret_status = status;
			return 0;
		}
	}
	if (strcmp(argv[0], "/usr/sbin/kextstat") == 0)
		list_kexts(out, cap);
	else if (strcmp(argv[0], "/sbin/kextload") == 0)
		load_kext(argv[1]);
	else if (strcmp(argv[0], "/sbin/kextunload") == 0)
		unload_kext(argv[2]);
	else
		return ENOENT;
	return 0;
}

static bool do_exists(const char *path)
{
	if (strcmp(path, "/sbin/kextload") == 0 || strcmp(path, "/sbin/kextunload") == 0 ||
	    strcmp(path, "/usr/bin/kextutil") == 0)
		return true;
	for (int i = 0; i < 8; i++)
		if (model.files[i] != NULL && strcmp(model.files[i], path) == 0)
			return true;
	return false;
}

static ssize_t do_load(const char *path, void *buf, size_t cap)
{
	(void)path;
	if (fails())
		return -1;
	if (model.plist == NULL)
		return refuse(ENOENT);
	size_t n = strlen(model.plist) < cap ? strlen(model.plist) : cap;
	memcpy(buf, model.plist, n);
	return (ssize_t)n;
}

static int do_sysctl(const char *name, void *value, size_t *len)
{
	const char *text = strcmp(name, "kern.osproductversion") == 0 ? model.product
			   : strcmp(name, "kern.osrelease") == 0      ? model.release
								      : NULL;
	if (fails())
		return -1;
	if (strcmp(name, "hw.optional.arm64") == 0 && model.apple_silicon) {
		memcpy(value, &(int32_t){1}, 4);
		*len = 4;
		return 0;
	}
	if (text == NULL || strlen(text) >= *len)
		return refuse(ENOENT);
	memcpy(value, text, strlen(text) + 1);
	*len = strlen(text) + 1;
	return 0;
}

static void do_sleep(uint32_t ms)
{
	model.slept_ms += ms;
}

const struct darwin_ops darwin_ops = {
	.open = do_open,
	.close = do_close,
	.dup = do_dup,
	.ioctl = do_ioctl,
	.readv = do_readv,
	.writev = do_writev,
	.socket = do_socket,
	.connect = do_connect,
	.getsockopt = do_getsockopt,
	.setsockopt = do_setsockopt,
	.set_cloexec = do_set_cloexec,
	.set_nonblock = do_set_nonblock,
	.pipe = do_pipe,
	.symbol = do_symbol,
	.index_of = do_index_of,
	.kqueue = do_kqueue,
	.kevent = do_kevent,
	.select = do_select,
	.run = do_run,
	.exists = do_exists,
	.load = do_load,
	.sysctl = do_sysctl,
	.sleep_ms = do_sleep,
};
