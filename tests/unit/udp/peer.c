/* SPDX-License-Identifier: BSD-2-Clause */
/* Plain sockets on the other side, and the content of test packets. */
#include "world.h"

#include <errno.h>
#include <poll.h>
#include <string.h>
#include <sys/socket.h>

#define PEER_PATIENCE_MS 5000
#define PEER_LARGEST     65536u

uint8_t content_byte(uint32_t i, uint8_t seed)
{
	return (uint8_t)(seed + i * 7 + (i >> 8));
}

void content_check(const uint8_t *data, uint32_t got, uint32_t len, uint8_t seed)
{
	assert_int_equal(got, len);
	for (uint32_t i = 0; i < len; i++)
		if (data[i] != content_byte(i, seed))
			fail_msg("byte %u differs", i);
}

struct vpn_endpoint endpoint_at(const char *host, uint16_t port)
{
	struct vpn_endpoint e;
	assert_true(udp_address_parse(host, &e));
	e.port = port;
	return e;
}

int peer_open(const char *host, uint16_t port)
{
	struct vpn_endpoint e = endpoint_at(host, port);
	union udp_name name;
	socklen_t len = udp_address_to_name(&e, &name);
	int fd = socket(name.any.sa_family, SOCK_DGRAM, 0);
	int on = 1;
	if (name.any.sa_family == AF_INET6)
		assert_int_equal(setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &on, sizeof(on)), 0);
	if (bind(fd, &name.any, len) != 0)
		fail_msg("bind %s: %s", host, strerror(errno));
	return fd;
}

uint16_t peer_port(int fd)
{
	union udp_name name = {.any = {.sa_family = AF_UNSPEC}};
	struct vpn_endpoint e;
	socklen_t len = sizeof(name);
	assert_int_equal(getsockname(fd, &name.any, &len), 0);
	udp_address_from_name(&name, &e);
	return e.port;
}

void peer_send(int fd, const char *host, uint16_t port, uint32_t len, uint8_t seed)
{
	struct vpn_endpoint e = endpoint_at(host, port);
	union udp_name name;
	socklen_t name_len = udp_address_to_name(&e, &name);
	uint8_t data[PEER_LARGEST];
	for (uint32_t i = 0; i < len; i++)
		data[i] = content_byte(i, seed);
	assert_int_equal(sendto(fd, data, len, 0, &name.any, name_len), len);
}

uint32_t peer_expect(int fd, uint32_t len, uint8_t seed, struct vpn_endpoint *from)
{
	struct pollfd p = {.fd = fd, .events = POLLIN};
	union udp_name name = {.any = {.sa_family = AF_UNSPEC}};
	socklen_t name_len = sizeof(name);
	uint8_t data[PEER_LARGEST];
	struct vpn_endpoint unused;
	if (poll(&p, 1, PEER_PATIENCE_MS) != 1)
		fail_msg("nothing arrived at the peer");
	ssize_t got = recvfrom(fd, data, sizeof(data), 0, &name.any, &name_len);
	assert_true(got >= 0);
	udp_address_from_name(&name, from != NULL ? from : &unused);
	content_check(data, (uint32_t)got, len, seed);
	return (uint32_t)got;
}

/* Loopback delivers within the sending system call: nothing can be on its way. */
bool peer_is_silent(int fd)
{
	struct pollfd p = {.fd = fd, .events = POLLIN};
	return poll(&p, 1, 0) == 0;
}
