/* SPDX-License-Identifier: BSD-2-Clause */
/* control for Linux: UDP_SEGMENT, UDP_GRO, IP_PKTINFO, IPV6_PKTINFO, traffic class, SO_RXQ_OVFL. */
#include "control.h"

#include <netinet/in.h>
#include <string.h>
#include <vpncore/plugin.h>

#include "udp_linux.h"

struct writer {
	uint8_t *at;
	size_t len;
};

static void put(struct writer *w, int level, int type, const void *data, size_t len)
{
	struct cmsghdr *c = (struct cmsghdr *)(void *)(w->at + w->len);
	c->cmsg_level = level;
	c->cmsg_type = type;
	c->cmsg_len = CMSG_LEN(len);
	memcpy(CMSG_DATA(c), data, len);
	w->len += CMSG_SPACE(len);
}

static void put_local(struct writer *w, uint8_t family, const struct udp_control *c)
{
	if (family == VPN_AF_INET) {
		struct in_pktinfo info = {.ipi_ifindex = (int)c->ifindex};
		memcpy(&info.ipi_spec_dst, c->local, 4);
		put(w, IPPROTO_IP, IP_PKTINFO, &info, sizeof(info));
	} else {
		struct in6_pktinfo info = {.ipi6_ifindex = c->ifindex};
		memcpy(&info.ipi6_addr, c->local, 16);
		put(w, IPPROTO_IPV6, IPV6_PKTINFO, &info, sizeof(info));
	}
}

size_t udp_control_write(uint8_t family, const struct udp_control *c, void *buf)
{
	struct writer w = {.at = buf};
	if (c->segment != 0) {
		uint16_t segment = (uint16_t)c->segment;
		put(&w, SOL_UDP, UDP_SEGMENT, &segment, sizeof(segment));
	}
	if (c->has_local)
		put_local(&w, family, c);
	if (c->has_class) {
		int value = c->traffic_class;
		if (family == VPN_AF_INET)
			put(&w, IPPROTO_IP, IP_TOS, &value, sizeof(value));
		else
			put(&w, IPPROTO_IPV6, IPV6_TCLASS, &value, sizeof(value));
	}
	return w.len;
}

static void read_ipv4(const struct cmsghdr *c, struct udp_control *out)
{
	if (c->cmsg_type == IP_PKTINFO) {
		struct in_pktinfo info;
		memcpy(&info, CMSG_DATA(c), sizeof(info));
		memcpy(out->local, &info.ipi_spec_dst, 4);
		out->ifindex = (uint32_t)info.ipi_ifindex;
		out->has_local = true;
	} else if (c->cmsg_type == IP_TOS) {
		out->traffic_class = *CMSG_DATA(c);
		out->has_class = true;
	}
}

static void read_ipv6(const struct cmsghdr *c, struct udp_control *out)
{
	if (c->cmsg_type == IPV6_PKTINFO) {
		struct in6_pktinfo info;
		memcpy(&info, CMSG_DATA(c), sizeof(info));
		memcpy(out->local, &info.ipi6_addr, 16);
		out->ifindex = info.ipi6_ifindex;
		out->has_local = true;
	} else if (c->cmsg_type == IPV6_TCLASS) {
		int value;
		memcpy(&value, CMSG_DATA(c), sizeof(value));
		out->traffic_class = (uint8_t)value;
		out->has_class = true;
	}
}

void udp_control_read(struct msghdr *msg, struct udp_control *out)
{
	memset(out, 0, sizeof(*out));
	for (struct cmsghdr *c = CMSG_FIRSTHDR(msg); c != NULL; c = CMSG_NXTHDR(msg, c)) {
		if (c->cmsg_level == IPPROTO_IP) {
			read_ipv4(c, out);
		} else if (c->cmsg_level == IPPROTO_IPV6) {
			read_ipv6(c, out);
		} else if (c->cmsg_level == SOL_UDP && c->cmsg_type == UDP_GRO) {
			int size;
			memcpy(&size, CMSG_DATA(c), sizeof(size));
			out->segment = size > 0 ? (uint32_t)size : 0;
		} else if (c->cmsg_level == SOL_SOCKET && c->cmsg_type == SO_RXQ_OVFL) {
			memcpy(&out->overflow, CMSG_DATA(c), sizeof(out->overflow));
			out->has_overflow = true;
		}
	}
}
