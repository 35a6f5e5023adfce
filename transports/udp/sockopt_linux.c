/* SPDX-License-Identifier: BSD-2-Clause */
/* sockopt for Linux: socket(7), ip(7), ipv6(7), udp(7). */
#include "sockopt.h"

#include <errno.h>
#include <netinet/in.h>
#include <string.h>
#include <sys/socket.h>

#include "address.h"
#include "udp_linux.h"

int udp_sockopt_open(uint8_t family)
{
	int domain = family == VPN_AF_INET ? AF_INET : AF_INET6;
	int fd = socket(domain, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, IPPROTO_UDP);
	return fd < 0 ? -errno : fd;
}

static int set(int fd, int level, int name, int value)
{
	return setsockopt(fd, level, name, &value, sizeof(value));
}

vpn_status udp_sockopt_set_mark(int fd, uint32_t mark, struct vpn_error *err)
{
	if (setsockopt(fd, SOL_SOCKET, SO_MARK, &mark, sizeof(mark)) == 0)
		return VPN_OK;
	if (errno == EPERM)
		return udp_fault(
			err, VPN_EPERM, errno, "/fwmark",
			"a fwmark needs the capability CAP_NET_ADMIN: run as root or grant it");
	return udp_fault(err, VPN_EIO, errno, "/fwmark", "cannot set the fwmark: %s",
			 strerror(errno));
}

static vpn_status set_device(int fd, const char *device, struct vpn_error *err)
{
	if (device == NULL)
		return VPN_OK;
	if (setsockopt(fd, SOL_SOCKET, SO_BINDTODEVICE, device, (socklen_t)strlen(device)) == 0)
		return VPN_OK;
	if (errno == ENODEV)
		return udp_fault(err, VPN_ENOENT, errno, "/interface",
				 "there is no network interface \"%s\": `ip link` lists them",
				 device);
	if (errno == EPERM)
		return udp_fault(
			err, VPN_EPERM, errno, "/interface",
			"binding to an interface needs the capability CAP_NET_RAW on this kernel");
	return udp_fault(err, VPN_EIO, errno, "/interface", "cannot bind to interface \"%s\": %s",
			 device, strerror(errno));
}

vpn_status udp_sockopt_before_bind(int fd, uint8_t family, const struct udp_options *o, bool shared,
				   struct vpn_error *err)
{
	vpn_status status = set_device(fd, o->device, err);
	if (status != VPN_OK)
		return status;
	if (family == VPN_AF_INET6 && set(fd, IPPROTO_IPV6, IPV6_V6ONLY, 1) != 0)
		return udp_fault(err, VPN_EIO, errno, "", "cannot set IPV6_V6ONLY: %s",
				 strerror(errno));
	if (shared && set(fd, SOL_SOCKET, SO_REUSEPORT, 1) != 0)
		return udp_fault(err, VPN_ENOTSUP, errno, "",
				 "several lanes need SO_REUSEPORT: %s; use \"lanes\": 1",
				 strerror(errno));
	return VPN_OK;
}

/* The values are the same for both families (linux/in.h, linux/in6.h). */
static int discovery_mode(uint32_t fragment)
{
	switch (fragment) {
	case UDP_FRAGMENT_DISCOVER:
		return IP_PMTUDISC_WANT;
	case UDP_FRAGMENT_NEVER:
		return IP_PMTUDISC_PROBE;
	default:
		return IP_PMTUDISC_DONT;
	}
}

static vpn_status set_fragment(int fd, bool v4, const struct udp_options *o, struct vpn_error *err)
{
	int mode = discovery_mode(o->fragment);
	int level = v4 ? IPPROTO_IP : IPPROTO_IPV6;
	if (set(fd, level, v4 ? IP_MTU_DISCOVER : IPV6_MTU_DISCOVER, mode) == 0)
		return VPN_OK;
	return udp_fault(err, VPN_EIO, errno, "/fragment", "cannot set path MTU discovery: %s",
			 strerror(errno));
}

static vpn_status set_class(int fd, bool v4, const struct udp_options *o, struct vpn_error *err)
{
	int level = v4 ? IPPROTO_IP : IPPROTO_IPV6;
	int value = (int)(o->dscp << 2);
	if (value != 0 && set(fd, level, v4 ? IP_TOS : IPV6_TCLASS, value) != 0)
		return udp_fault(err, VPN_EIO, errno, "/dscp", "cannot set the traffic class: %s",
				 strerror(errno));
	if (o->carry_dscp == 0 && o->carry_ecn == 0)
		return VPN_OK;
	if (set(fd, level, v4 ? IP_RECVTOS : IPV6_RECVTCLASS, 1) != 0)
		return udp_fault(err, VPN_EIO, errno,
				 o->carry_ecn != 0 ? "/carry_ecn" : "/carry_dscp",
				 "cannot receive the traffic class: %s", strerror(errno));
	return VPN_OK;
}

static vpn_status set_sticky(int fd, bool v4, const struct udp_options *o, struct vpn_error *err)
{
	int level = v4 ? IPPROTO_IP : IPPROTO_IPV6;
	if (o->sticky == 0 || set(fd, level, v4 ? IP_PKTINFO : IPV6_RECVPKTINFO, 1) == 0)
		return VPN_OK;
	return udp_fault(err, VPN_EIO, errno, "/sticky", "cannot learn local addresses: %s",
			 strerror(errno));
}

vpn_status udp_sockopt_after_bind(int fd, uint8_t family, const struct udp_options *o,
				  struct vpn_error *err)
{
	bool v4 = family == VPN_AF_INET;
	vpn_status status = set_fragment(fd, v4, o, err);
	if (status == VPN_OK)
		status = set_class(fd, v4, o, err);
	if (status == VPN_OK)
		status = set_sticky(fd, v4, o, err);
	if (status != VPN_OK)
		return status;
	/* a counter and a hint; nothing depends on them */
	(void)set(fd, SOL_SOCKET, SO_RXQ_OVFL, 1);
	/* with one known peer its ICMP errors are worth hearing: they start a new look-up of its name */
	if (o->remote.host != NULL)
		(void)set(fd, v4 ? IPPROTO_IP : IPPROTO_IPV6, v4 ? IP_RECVERR : IPV6_RECVERR, 1);
	return VPN_OK;
}

static void set_buffer(int fd, int plain, int forced, int bytes)
{
	if (set(fd, SOL_SOCKET, forced, bytes) != 0)
		(void)set(fd, SOL_SOCKET, plain, bytes);
}

uint64_t udp_sockopt_set_buffers(int fd, uint64_t bytes)
{
	int value = 0;
	socklen_t len = sizeof(value);
	set_buffer(fd, SO_RCVBUF, SO_RCVBUFFORCE, (int)bytes);
	set_buffer(fd, SO_SNDBUF, SO_SNDBUFFORCE, (int)bytes);
	if (getsockopt(fd, SOL_SOCKET, SO_RCVBUF, &value, &len) != 0 || value < 0)
		return 0;
	return (uint64_t)value / 2; /* the kernel doubles what is set, for its own books */
}

bool udp_sockopt_has_segmentation(int fd)
{
	int value = 0;
	socklen_t len = sizeof(value);
	return getsockopt(fd, SOL_UDP, UDP_SEGMENT, &value, &len) == 0;
}

bool udp_sockopt_set_coalescing(int fd)
{
	return set(fd, SOL_UDP, UDP_GRO, 1) == 0;
}
