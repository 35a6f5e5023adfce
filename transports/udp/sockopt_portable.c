/* SPDX-License-Identifier: BSD-2-Clause */
/* sockopt for other systems: what POSIX and RFC 3542 have; the rest is refused or left out. */
#include "sockopt.h"

#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "address.h"

int udp_sockopt_open(uint8_t family)
{
	int fd = socket(family == VPN_AF_INET ? AF_INET : AF_INET6, SOCK_DGRAM, IPPROTO_UDP);
	if (fd < 0)
		return -errno;
	if (fcntl(fd, F_SETFD, FD_CLOEXEC) == 0 && fcntl(fd, F_SETFL, O_NONBLOCK) == 0)
		return fd;
	int why = errno;
	close(fd);
	return -why;
}

static int set(int fd, int level, int name, int value)
{
	return setsockopt(fd, level, name, &value, sizeof(value));
}

vpn_status udp_sockopt_set_mark(int fd, uint32_t mark, struct vpn_error *err)
{
	(void)fd;
	if (mark == 0)
		return VPN_OK;
	return udp_fault(err, VPN_ENOTSUP, 0, "/fwmark", "fwmark is not known on this system");
}

vpn_status udp_sockopt_before_bind(int fd, uint8_t family, const struct udp_options *o, bool shared,
				   struct vpn_error *err)
{
	if (o->device != NULL)
		return udp_fault(err, VPN_ENOTSUP, 0, "/interface",
				 "device is not known on this system");
	if (family == VPN_AF_INET6 && set(fd, IPPROTO_IPV6, IPV6_V6ONLY, 1) != 0)
		return udp_fault(err, VPN_EIO, errno, "", "cannot set IPV6_V6ONLY: %s",
				 strerror(errno));
	if (shared && set(fd, SOL_SOCKET, SO_REUSEPORT, 1) != 0)
		return udp_fault(err, VPN_ENOTSUP, errno, "",
				 "several lanes need SO_REUSEPORT: %s; use \"lanes\": 1",
				 strerror(errno));
	return VPN_OK;
}

vpn_status udp_sockopt_after_bind(int fd, uint8_t family, const struct udp_options *o,
				  struct vpn_error *err)
{
	bool v4 = family == VPN_AF_INET;
	int value = (int)(o->dscp << 2);
	if (o->carry_dscp != 0 || o->carry_ecn != 0)
		return udp_fault(err, VPN_ENOTSUP, 0,
				 o->carry_ecn != 0 ? "/carry_ecn" : "/carry_dscp",
				 "the traffic class of single packets is not known on this system");
	if (o->fragment != UDP_FRAGMENT_ALLOW)
		return udp_fault(err, VPN_ENOTSUP, 0, "/fragment",
				 "only \"allow\" is known on this system");
	if (value != 0 &&
	    set(fd, v4 ? IPPROTO_IP : IPPROTO_IPV6, v4 ? IP_TOS : IPV6_TCLASS, value) != 0)
		return udp_fault(err, VPN_EIO, errno, "/dscp", "cannot set the traffic class: %s",
				 strerror(errno));
	if (o->sticky != 0 && !v4)
		(void)set(fd, IPPROTO_IPV6, IPV6_RECVPKTINFO, 1);
	return VPN_OK;
}

uint64_t udp_sockopt_set_buffers(int fd, uint64_t bytes)
{
	(void)set(fd, SOL_SOCKET, SO_RCVBUF, (int)bytes);
	(void)set(fd, SOL_SOCKET, SO_SNDBUF, (int)bytes);
	return bytes;
}

bool udp_sockopt_has_segmentation(int fd)
{
	(void)fd;
	return false;
}

bool udp_sockopt_set_coalescing(int fd)
{
	(void)fd;
	return false;
}
