/* SPDX-License-Identifier: BSD-2-Clause */
/* wire for Linux: sendmmsg(2), recvmmsg(2), the error queue of ip(7). */
#include "wire.h"

#include <errno.h>
#include <linux/errqueue.h>
#include <netinet/in.h>
#include <string.h>

#include "address.h"
#include "control.h"

VPN_STATIC_ASSERT(sizeof(struct udp_message) == sizeof(struct mmsghdr), "udp_message");
VPN_STATIC_ASSERT(offsetof(struct udp_message, hdr) == offsetof(struct mmsghdr, msg_hdr), "hdr");
VPN_STATIC_ASSERT(offsetof(struct udp_message, len) == offsetof(struct mmsghdr, msg_len), "len");

static struct mmsghdr *native(struct udp_message *msgs)
{
	return (struct mmsghdr *)(void *)msgs;
}

int udp_wire_send(int fd, struct udp_message *msgs, uint32_t n)
{
	int sent = sendmmsg(fd, native(msgs), n, MSG_DONTWAIT | MSG_NOSIGNAL);
	return sent < 0 ? -errno : sent;
}

int udp_wire_receive(int fd, struct udp_message *msgs, uint32_t n)
{
	int got = recvmmsg(fd, native(msgs), n, MSG_DONTWAIT, NULL);
	return got < 0 ? -errno : got;
}

static bool is_extended_error(const struct cmsghdr *c)
{
	return (c->cmsg_level == IPPROTO_IP && c->cmsg_type == IP_RECVERR) ||
	       (c->cmsg_level == IPPROTO_IPV6 && c->cmsg_type == IPV6_RECVERR);
}

static bool next_queued(int fd, struct udp_wire_error *out)
{
	union udp_name name = {.any = {.sa_family = AF_UNSPEC}};
	_Alignas(struct cmsghdr) uint8_t control[512];
	struct msghdr msg = {.msg_name = &name,
			     .msg_namelen = sizeof(name),
			     .msg_control = control,
			     .msg_controllen = sizeof(control)};
	if (recvmsg(fd, &msg, MSG_ERRQUEUE | MSG_DONTWAIT) < 0)
		return false;
	if (msg.msg_namelen != 0)
		udp_address_from_name(&name, &out->to);
	for (struct cmsghdr *c = CMSG_FIRSTHDR(&msg); c != NULL; c = CMSG_NXTHDR(&msg, c)) {
		struct sock_extended_err e;
		if (!is_extended_error(c))
			continue;
		memcpy(&e, CMSG_DATA(c), sizeof(e));
		out->os_errno = (int)e.ee_errno;
	}
	return true;
}

bool udp_wire_next_error(int fd, struct udp_wire_error *out)
{
	socklen_t len = sizeof(out->os_errno);
	memset(out, 0, sizeof(*out));
	if (next_queued(fd, out))
		return true;
	return getsockopt(fd, SOL_SOCKET, SO_ERROR, &out->os_errno, &len) == 0 &&
	       out->os_errno != 0;
}
