/* SPDX-License-Identifier: BSD-2-Clause */
#include "route.h"

#include <errno.h>
#include <stdbool.h>
#include <string.h>

static void keep_network(uint8_t *addr, uint32_t bytes, uint32_t length)
{
	for (uint32_t i = 0; i < bytes; i++) {
		uint32_t bits = length > 8 * i ? length - 8 * i : 0;
		if (bits < 8)
			addr[i] &= (uint8_t)(0xff00u >> bits);
	}
}

/* A sockaddr of the family with these address bytes; all sizes here are multiples of four, as route(4)
 * of Darwin wants them. */
static uint8_t *put_address(uint8_t *at, const struct vpn_prefix *like, const uint8_t *addr)
{
	bool ipv6 = like->family == VPN_AF_INET6;
	uint8_t len = ipv6 ? sizeof(struct darwin_sockaddr_in6) : sizeof(struct darwin_sockaddr_in);
	memset(at, 0, len);
	at[0] = len;
	at[1] = ipv6 ? DARWIN_AF_INET6 : DARWIN_AF_INET;
	memcpy(at + (ipv6 ? 8 : 4), addr, ipv6 ? 16 : 4);
	return at + len;
}

uint32_t darwin_route_encode(uint8_t *buf, uint32_t index, const struct vpn_prefix *to, int32_t seq)
{
	struct darwin_rt_msghdr header = {.version = DARWIN_RTM_VERSION, .type = DARWIN_RTM_ADD};
	struct darwin_sockaddr_dl dl = {.len = sizeof(dl), .family = DARWIN_AF_LINK};
	uint32_t bytes = to->family == VPN_AF_INET6 ? 16 : 4;
	uint8_t network[16], mask[16];
	uint8_t *at = buf + sizeof(header);
	memcpy(network, to->addr, sizeof(network));
	memset(mask, 0xff, sizeof(mask));
	keep_network(network, bytes, to->length);
	keep_network(mask, bytes, to->length);
	dl.index = (uint16_t)index;

	at = put_address(at, to, network);
	memcpy(at, &dl, sizeof(dl));
	at = put_address(at + sizeof(dl), to, mask);

	header.msglen = (uint16_t)(at - buf);
	header.index = (uint16_t)index;
	header.flags = DARWIN_RTF_UP | DARWIN_RTF_STATIC;
	header.addrs = DARWIN_RTA_DST | DARWIN_RTA_GATEWAY | DARWIN_RTA_NETMASK;
	header.seq = seq;
	memcpy(buf, &header, sizeof(header));
	return header.msglen;
}

int darwin_route_add(uint32_t index, const struct vpn_prefix *to)
{
	uint8_t buf[DARWIN_ROUTE_MAX];
	int e = 0;
	int fd = darwin_ops.socket(DARWIN_AF_ROUTE, DARWIN_SOCK_RAW, 0);
	if (fd < 0)
		return errno;
	struct iovec iov = {buf, darwin_route_encode(buf, index, to, 1)};
	if (darwin_ops.set_cloexec(fd) != 0 || darwin_ops.writev(fd, &iov, 1) < 0)
		e = errno;
	darwin_ops.close(fd);
	return e;
}
