/* SPDX-License-Identifier: BSD-2-Clause */
/* control for other systems: the local address of IPv6 (RFC 3542), nothing for IPv4. */
#include "control.h"

#include <netinet/in.h>
#include <string.h>
#include <vpncore/plugin.h>

size_t udp_control_write(uint8_t family, const struct udp_control *c, void *buf)
{
	struct in6_pktinfo info = {.ipi6_ifindex = c->ifindex};
	struct cmsghdr *header = buf;
	if (family != VPN_AF_INET6 || !c->has_local)
		return 0;
	memcpy(&info.ipi6_addr, c->local, 16);
	header->cmsg_level = IPPROTO_IPV6;
	header->cmsg_type = IPV6_PKTINFO;
	header->cmsg_len = CMSG_LEN(sizeof(info));
	memcpy(CMSG_DATA(header), &info, sizeof(info));
	return CMSG_SPACE(sizeof(info));
}

void udp_control_read(struct msghdr *msg, struct udp_control *out)
{
	memset(out, 0, sizeof(*out));
	for (struct cmsghdr *c = CMSG_FIRSTHDR(msg); c != NULL; c = CMSG_NXTHDR(msg, c)) {
		struct in6_pktinfo info;
		if (c->cmsg_level != IPPROTO_IPV6 || c->cmsg_type != IPV6_PKTINFO)
			continue;
		memcpy(&info, CMSG_DATA(c), sizeof(info));
		memcpy(out->local, &info.ipi6_addr, 16);
		out->ifindex = (uint32_t)info.ipi6_ifindex;
		out->has_local = true;
	}
}
