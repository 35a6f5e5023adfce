/* SPDX-License-Identifier: BSD-2-Clause */
#include "monitor.h"

#include <errno.h>
#include <string.h>

#include "device.h"
#include "fault.h"

#define MESSAGE_MAX 2048
#define READS       32 /* of one call: the rest is polled for again */

/* ---- messages ---- */

/* The sockaddr of number `want` behind a header: each is as long as its first byte says, and padded to
 * four bytes. NULL when it is not there. */
static const uint8_t *find_address(const uint8_t *at, size_t len, int32_t addrs, int want)
{
	for (int i = 0; i < DARWIN_RTAX_MAX; i++) {
		if ((addrs & 1 << i) == 0)
			continue;
		if (len == 0)
			return NULL;
		size_t size = at[0] != 0 ? ((size_t)at[0] + 3) / 4 * 4 : 4;
		if (size > len)
			return NULL;
		if (i == want)
			return at;
		at += size;
		len -= size;
	}
	return NULL;
}

static bool parse_deladdr(const uint8_t *message, size_t len, struct darwin_event *ret)
{
	struct darwin_ifa_msghdr header;
	if (len < sizeof(header))
		return false;
	memcpy(&header, message, sizeof(header));
	const uint8_t *sa = find_address(message + sizeof(header), len - sizeof(header),
					 header.addrs, DARWIN_RTAX_IFA);
	if (sa == NULL || sa[0] < 2)
		return false;
	ret->index = header.index;
	if (sa[1] == DARWIN_AF_INET && sa[0] >= sizeof(struct darwin_sockaddr_in)) {
		ret->address.family = VPN_AF_INET;
		memcpy(ret->address.addr, sa + offsetof(struct darwin_sockaddr_in, addr), 4);
	} else if (sa[1] == DARWIN_AF_INET6 && sa[0] >= sizeof(struct darwin_sockaddr_in6)) {
		ret->address.family = VPN_AF_INET6;
		memcpy(ret->address.addr, sa + offsetof(struct darwin_sockaddr_in6, addr), 16);
		/* KAME keeps the zone of a link-local address in its third and fourth byte */
		if (sa[8] == 0xfe && (sa[9] & 0xc0) == 0x80)
			ret->address.addr[2] = ret->address.addr[3] = 0;
	} else {
		return true;
	}
	ret->kind = DARWIN_EVENT_DELADDR;
	return true;
}

bool darwin_monitor_parse(const uint8_t *message, size_t len, struct darwin_event *ret)
{
	struct darwin_if_msghdr header;
	uint16_t msglen;
	*ret = (struct darwin_event){.kind = DARWIN_EVENT_OTHER};
	if (len < 4)
		return false;
	memcpy(&msglen, message, sizeof(msglen));
	if (msglen > len || message[2] != DARWIN_RTM_VERSION)
		return false;
	if (message[3] == DARWIN_RTM_DELADDR)
		return parse_deladdr(message, msglen, ret);
	if (message[3] != DARWIN_RTM_IFINFO)
		return true;
	if (msglen < sizeof(header))
		return false;
	memcpy(&header, message, sizeof(header));
	ret->kind = DARWIN_EVENT_STATE;
	ret->index = header.index;
	ret->flags = (uint32_t)header.flags;
	ret->mtu = header.mtu;
	return true;
}

/* ---- what follows from them ---- */

static void on_mtu(struct darwin_device *d, uint32_t mtu)
{
	uint32_t most = d->host->mtu_above - (d->ethernet ? DARWIN_ETHERNET_ROOM : 0);
	darwin_log(d->host, VPN_LOG_WARN, "%s: another program has changed the MTU from %u to %u%s",
		   d->link.name, d->mtu, mtu,
		   mtu > most ? "; larger packets than the stack carries are dropped" : "");
	d->mtu = mtu;
	d->host->notify(d->host, VPN_EVENT_MTU, mtu);
}

static void on_up(struct darwin_device *d)
{
	int e = darwin_setup_restore(&d->setup, &d->link);
	darwin_log(d->host, VPN_LOG_INFO, "%s is up again", d->link.name);
	if (e != 0)
		darwin_log(d->host, VPN_LOG_WARN, "%s: cannot put its addresses back: %s",
			   d->link.name, strerror(e));
	d->host->notify(d->host, VPN_EVENT_LINK_UP, 0);
}

static void on_down(struct darwin_device *d)
{
	darwin_log(d->host, VPN_LOG_WARN,
		   "%s was set down by another program: packets are dropped until it is up",
		   d->link.name);
	d->host->notify(d->host, VPN_EVENT_LINK_DOWN, 0);
}

static void on_state(struct darwin_device *d, uint32_t flags, uint32_t mtu)
{
	bool up = (flags & DARWIN_IFF_UP) != 0, was = d->up;
	if (mtu != 0 && mtu != d->mtu)
		on_mtu(d, mtu);
	d->up = up;
	darwin_device_tell(d);
	if (up && !was)
		on_up(d);
	if (!up && was)
		on_down(d);
}

static void on_deladdr(struct darwin_device *d, const struct vpn_prefix *gone)
{
	struct darwin_address a = {.local = *gone};
	char text[128];
	if (!darwin_setup_wants(&d->setup, gone->family, gone->addr) || !d->up)
		return;
	a.local.length = gone->family == VPN_AF_INET6 ? 128 : 32;
	darwin_address_format(&a, text, sizeof(text));
	text[strcspn(text, "/")] = '\0';
	darwin_log(d->host, VPN_LOG_WARN, "another program has removed the address %s from %s",
		   text, d->link.name);
}

/* Messages may have been lost: ask how things are. */
static void look(struct darwin_device *d)
{
	uint32_t flags = 0, mtu = 0;
	if (darwin_link_get_flags(&d->link, &flags) == 0 &&
	    darwin_link_get_mtu(&d->link, &mtu) == 0)
		on_state(d, flags, mtu);
}

void darwin_monitor_ready(struct darwin_device *d)
{
	uint8_t buf[MESSAGE_MAX];
	struct darwin_event event;
	for (int i = 0; i < READS; i++) {
		struct iovec iov = {buf, sizeof(buf)};
		ssize_t n = darwin_ops.readv(d->monitor.fd, &iov, 1);
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0 && errno == ENOBUFS)
			look(d);
		if (n <= 0)
			return;
		if (!darwin_monitor_parse(buf, (size_t)n, &event) || event.index != d->link.index)
			continue;
		if (event.kind == DARWIN_EVENT_STATE)
			on_state(d, event.flags, event.mtu);
		else if (event.kind == DARWIN_EVENT_DELADDR)
			on_deladdr(d, &event.address);
	}
}

/* ---- life ---- */

vpn_status darwin_monitor_open(struct darwin_device *d, struct vpn_error *err)
{
	int fd = darwin_ops.socket(DARWIN_AF_ROUTE, DARWIN_SOCK_RAW, 0);
	if (fd < 0)
		return darwin_fault(err, darwin_status(errno), errno, NULL,
				    "cannot open a routing socket: %s", strerror(errno));
	if (darwin_ops.set_cloexec(fd) != 0 || darwin_ops.set_nonblock(fd) != 0) {
		int e = errno;
		darwin_ops.close(fd);
		return darwin_fault(err, darwin_status(e), e, NULL,
				    "cannot prepare the routing socket: %s", strerror(e));
	}
	vpn_status status = d->host->watch(d->lane, fd, VPN_POLLIN, DARWIN_TOKEN_MONITOR);
	if (status != VPN_OK) {
		darwin_ops.close(fd);
		return darwin_fault(err, status, 0, NULL, "cannot watch the routing socket");
	}
	d->monitor.fd = fd;
	look(d); /* what happened between the setup and here */
	return VPN_OK;
}

void darwin_monitor_close(struct darwin_device *d)
{
	if (d->monitor.fd < 0)
		return;
	d->host->watch(d->lane, d->monitor.fd, 0, DARWIN_TOKEN_MONITOR);
	darwin_ops.close(d->monitor.fd);
	d->monitor.fd = -1;
}
