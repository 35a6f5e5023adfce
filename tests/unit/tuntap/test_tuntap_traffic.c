/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The kernel's own traffic through the driver and back, with offload and without:
 *
 *   TCP and UDP sockets <-> kernel <-> TUN <-> driver -> mirror -+
 *       10.9.0.1, fd09::1               ^                        |
 *                                       +------------------------+
 *
 * The mirror exchanges source and destination, so that the peer 10.9.0.2 (fd09::2) is this host
 * itself: whoever connects to it reaches the socket that listens here. Checksums stay right.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <arpa/inet.h>
#include <cmocka.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <netinet/udp.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "tuntap.h"
#include "world.h"

#ifndef UDP_SEGMENT
#define UDP_SEGMENT 103
#endif

#define TOTAL (8u << 20)

static struct world world;
static uint32_t mirror_flags;

static void exchange(uint8_t *a, uint8_t *b, uint32_t n)
{
	for (uint32_t i = 0; i < n; i++) {
		uint8_t c = a[i];
		a[i] = b[i];
		b[i] = c;
	}
}

static void mirror(struct fake *f, struct vpn_lane *lane, struct vpn_packet **pkts, uint32_t n)
{
	struct world *w = f->on_packet_ctx;
	for (uint32_t i = 0; i < n; i++) {
		uint8_t *ip = vpn_packet_data(pkts[i]);
		assert_true(pkts[i]->len <= WORLD_MTU);
		if (ip[0] >> 4 == 4)
			exchange(ip + 12, ip + 16, 4);
		else
			exchange(ip + 8, ip + 24, 16);
		pkts[i]->flags = mirror_flags;
	}
	assert_int_equal(world_component()->flow->recv(w->inst, lane, pkts, n), n);
}

/* ---- a bulk transfer over TCP ---- */

struct transfer {
	int listener, out, in;
	uint32_t sent, received;
	bool done;
};

static uint8_t stream(uint32_t i)
{
	return (uint8_t)(i ^ i >> 8 ^ i >> 16);
}

static void send_some(struct transfer *t)
{
	uint8_t buf[65536];
	uint32_t n = TOTAL - t->sent < sizeof(buf) ? TOTAL - t->sent : (uint32_t)sizeof(buf);
	if (n == 0)
		return;
	for (uint32_t i = 0; i < n; i++)
		buf[i] = stream(t->sent + i);
	ssize_t k = send(t->out, buf, n, MSG_NOSIGNAL | MSG_DONTWAIT);
	if (k > 0)
		t->sent += (uint32_t)k;
	else
		assert_true(errno == EAGAIN || errno == ENOTCONN);
	if (t->sent == TOTAL)
		shutdown(t->out, SHUT_WR);
}

static void receive_some(struct transfer *t)
{
	uint8_t buf[65536];
	if (t->in < 0)
		t->in = accept4(t->listener, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
	if (t->in < 0)
		return;
	ssize_t k;
	while ((k = recv(t->in, buf, sizeof(buf), MSG_DONTWAIT)) > 0) {
		for (ssize_t i = 0; i < k; i++, t->received++)
			if (buf[i] != stream(t->received))
				fail_msg("byte %u is wrong", t->received);
	}
	t->done = k == 0;
}

static struct transfer current;

static bool transferred(struct world *w)
{
	(void)w;
	send_some(&current);
	receive_some(&current);
	return current.done;
}

static socklen_t address(struct sockaddr_storage *ss, int family, const char *text, uint16_t port)
{
	memset(ss, 0, sizeof(*ss));
	ss->ss_family = (sa_family_t)family;
	if (family == AF_INET) {
		struct sockaddr_in *sin = (void *)ss;
		sin->sin_port = htons(port);
		assert_int_equal(inet_pton(AF_INET, text, &sin->sin_addr), 1);
		return sizeof(*sin);
	}
	struct sockaddr_in6 *sin6 = (void *)ss;
	sin6->sin6_port = htons(port);
	assert_int_equal(inet_pton(AF_INET6, text, &sin6->sin6_addr), 1);
	return sizeof(*sin6);
}

static int bound(int family, int type, const char *text, uint16_t port)
{
	struct sockaddr_storage ss;
	int on = 1, fd = socket(family, type | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	assert_true(fd >= 0);
	assert_int_equal(setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on)), 0);
	socklen_t len = address(&ss, family, text, port);
	assert_int_equal(bind(fd, (struct sockaddr *)&ss, len), 0);
	return fd;
}

/* The kernel makes the route to an IPv6 address of its own a moment after the address. */
static bool has_local_route(struct world *w)
{
	static const char route[] = "fd090000000000000000000000000001 80 ";
	char line[256];
	bool found = false;
	FILE *file = fopen("/proc/net/ipv6_route", "re");
	(void)w;
	assert_non_null(file);
	while (!found && fgets(line, sizeof(line), file) != NULL)
		found = strncmp(line, route, sizeof(route) - 1) == 0;
	fclose(file);
	return found;
}

static void start(struct world *w, uint32_t offload)
{
	static struct vpn_prefix list[2];
	list[0] = world_prefix("10.9.0.1/24");
	list[1] = world_prefix("fd09::1/64");
	world_init(w, "loop");
	w->options.addresses = (struct vpn_list){
		.items = list, .count = 2, .item_size = sizeof(list[0])};
	w->options.offload = offload;
	world_must_start(w, 1);
	w->fake.on_packet = mirror;
	w->fake.on_packet_ctx = w;
	world_until(w, has_local_route);
}

static void transfer(struct world *w, int family)
{
	struct sockaddr_storage ss;
	const char *ours = family == AF_INET ? "10.9.0.1" : "fd09::1";
	current = (struct transfer){.listener = bound(family, SOCK_STREAM, ours, 7000), .in = -1};
	assert_int_equal(listen(current.listener, 1), 0);
	current.out = bound(family, SOCK_STREAM, ours, 0);
	socklen_t len = address(&ss, family, family == AF_INET ? "10.9.0.2" : "fd09::2", 7000);
	assert_true(connect(current.out, (struct sockaddr *)&ss, len) == 0 || errno == EINPROGRESS);
	world_until_slow(w, transferred);
	assert_int_equal(current.received, TOTAL);
	close(current.listener);
	close(current.in);
	close(current.out);
}

static void no_drops(struct world *w)
{
	const struct vpn_lifecycle *life = world_component()->lifecycle;
	for (uint32_t i = 0; i < life->n_counters; i++)
		if ((life->counters[i].flags & VPN_COUNTER_DROP) != 0 &&
		    w->fake.counters[0][i] != 0)
			fail_msg("%s is %llu", life->counters[i].name,
				 (unsigned long long)w->fake.counters[0][i]);
}

static void carries_tcp_in_super_packets(void **state)
{
	struct world *w = &world;
	(void)state;
	for (int verified = 0; verified < 2; verified++) {
		mirror_flags = verified ? VPN_PACKET_VERIFIED : 0;
		start(w, TUNTAP_ON);
		transfer(w, AF_INET);
		transfer(w, AF_INET6);
		assert_true(w->fake.counters[0][TUNTAP_SUPER_READ] > 100);
		assert_true(w->fake.counters[0][TUNTAP_SUPER_WRITTEN] > 100);
		assert_int_equal(w->fake.counters[0][TUNTAP_FALLBACKS], 0);
		no_drops(w);
		world_stop(w);
	}
}

static void carries_tcp_without_offload(void **state)
{
	struct world *w = &world;
	(void)state;
	start(w, TUNTAP_OFF);
	transfer(w, AF_INET);
	transfer(w, AF_INET6);
	assert_int_equal(w->fake.counters[0][TUNTAP_SUPER_READ], 0);
	assert_int_equal(w->fake.counters[0][TUNTAP_SUPER_WRITTEN], 0);
	no_drops(w);
	world_stop(w);
}

/* ---- datagrams ---- */

#define DATAGRAMS 40u
#define DATAGRAM  1300u

static int echo_socket;
static uint32_t n_datagrams;

static bool all_datagrams(struct world *w)
{
	uint8_t buf[2048];
	ssize_t n;
	(void)w;
	while ((n = recv(echo_socket, buf, sizeof(buf), MSG_DONTWAIT)) > 0) {
		uint32_t want = n_datagrams + 1 == DATAGRAMS ? 700 : DATAGRAM;
		assert_int_equal(n, want);
		for (ssize_t i = 0; i < n; i++)
			assert_int_equal(buf[i], (uint8_t)n_datagrams);
		n_datagrams++;
	}
	return n_datagrams == DATAGRAMS;
}

static void datagrams(struct world *w, int family)
{
	static uint8_t buf[DATAGRAMS * DATAGRAM];
	struct sockaddr_storage ss;
	int size = DATAGRAM;
	const char *ours = family == AF_INET ? "10.9.0.1" : "fd09::1";
	echo_socket = bound(family, SOCK_DGRAM, ours, 7000);
	n_datagrams = 0;
	for (uint32_t i = 0; i < DATAGRAMS; i++)
		memset(buf + i * DATAGRAM, (int)i, DATAGRAM);
	assert_int_equal(setsockopt(echo_socket, IPPROTO_UDP, UDP_SEGMENT, &size, sizeof(size)), 0);
	socklen_t len = address(&ss, family, family == AF_INET ? "10.9.0.2" : "fd09::2", 7000);
	size_t total = (DATAGRAMS - 1) * DATAGRAM + 700;
	assert_int_equal(sendto(echo_socket, buf, total, 0, (struct sockaddr *)&ss, len),
			 (ssize_t)total);
	world_until(w, all_datagrams);
	close(echo_socket);
}

static void carries_udp_whole_and_in_order(void **state)
{
	struct world *w = &world;
	(void)state;
	for (int offload = 0; offload < 2; offload++) {
		start(w, offload ? TUNTAP_AUTO : TUNTAP_OFF);
		datagrams(w, AF_INET);
		datagrams(w, AF_INET6);
		no_drops(w);
		bool uso = world_logged(w, "TCP and UDP offload");
		assert_int_equal(w->fake.counters[0][TUNTAP_SUPER_READ] != 0, uso);
		assert_int_equal(w->fake.counters[0][TUNTAP_SUPER_WRITTEN] != 0, uso);
		world_stop(w);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(carries_tcp_in_super_packets),
		cmocka_unit_test(carries_tcp_without_offload),
		cmocka_unit_test(carries_udp_whole_and_in_order),
	};
	return cmocka_run_group_tests(tests, world_enter, NULL);
}
