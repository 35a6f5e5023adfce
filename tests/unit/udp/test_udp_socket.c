/* SPDX-License-Identifier: BSD-2-Clause */
/* Opening sockets: ports, families, privilege; what the kernel refuses is scripted where needed. */
#include "world.h"

#include <errno.h>
#include <netinet/in.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "udp_linux.h"

int __real_bind(int fd, const struct sockaddr *a, socklen_t len);
int __wrap_bind(int fd, const struct sockaddr *a, socklen_t len);
int __real_socket(int domain, int type, int protocol);
int __wrap_socket(int domain, int type, int protocol);
int __real_setsockopt(int fd, int level, int name, const void *value, socklen_t len);
int __wrap_setsockopt(int fd, int level, int name, const void *value, socklen_t len);
int __real_getsockopt(int fd, int level, int name, void *value, socklen_t *len);
int __wrap_getsockopt(int fd, int level, int name, void *value, socklen_t *len);

static struct {
	uint32_t v6_busy; /* this many bind() of IPv6 fail with EADDRINUSE */
	bool no_v6;       /* the system has no IPv6 */
	int option;       /* setsockopt() of this name fails */
	int option_error;
	bool no_segment;
	uint32_t binds;
} script;

static struct world w, other;

int __wrap_bind(int fd, const struct sockaddr *a, socklen_t len)
{
	script.binds++;
	if (a->sa_family == AF_INET6 && script.v6_busy != 0) {
		script.v6_busy--;
		errno = EADDRINUSE;
		return -1;
	}
	return __real_bind(fd, a, len);
}

int __wrap_socket(int domain, int type, int protocol)
{
	if (domain == AF_INET6 && script.no_v6) {
		errno = EAFNOSUPPORT;
		return -1;
	}
	return __real_socket(domain, type, protocol);
}

int __wrap_setsockopt(int fd, int level, int name, const void *value, socklen_t len)
{
	if (script.option != 0 && name == script.option) {
		errno = script.option_error;
		return -1;
	}
	return __real_setsockopt(fd, level, name, value, len);
}

int __wrap_getsockopt(int fd, int level, int name, void *value, socklen_t *len)
{
	if (script.no_segment && level == SOL_UDP && name == UDP_SEGMENT) {
		errno = ENOPROTOOPT;
		return -1;
	}
	return __real_getsockopt(fd, level, name, value, len);
}

static int fresh(void **state)
{
	(void)state;
	memset(&script, 0, sizeof(script));
	world_init(&w);
	world_init(&other);
	return 0;
}

static int done(void **state)
{
	(void)state;
	world_end(&w);
	world_end(&other);
	return 0;
}

static int fd_of(const struct world *world, uint32_t family)
{
	return world->udp->lanes[0].sockets[family].fd;
}

static void refused(vpn_status status, const char *where, const char *text)
{
	assert_int_equal(world_start(&w, 1), status);
	assert_int_equal(w.err.status, status);
	assert_string_equal(w.err.where, where);
	if (strstr(w.err.text, text) == NULL)
		fail_msg("\"%s\" does not say \"%s\"", w.err.text, text);
	assert_int_equal(fd_of(&w, 0), -1);
	assert_int_equal(fd_of(&w, 1), -1);
}

static void port_zero_chooses_one_for_both_families(void **state)
{
	(void)state;
	world_must_start(&w);
	assert_true(world_port(&w) != 0);
	assert_int_equal(peer_port(fd_of(&w, 0)), world_port(&w));
	assert_int_equal(peer_port(fd_of(&w, 1)), world_port(&w));
}

static void a_given_port_is_taken(void **state)
{
	(void)state;
	w.options.listen = world_at("*", 20123);
	world_must_start(&w);
	assert_int_equal(peer_port(fd_of(&w, 0)), 20123);
	assert_int_equal(peer_port(fd_of(&w, 1)), 20123);
}

static void an_address_opens_one_family(void **state)
{
	(void)state;
	w.options.listen = world_at("0.0.0.0", 0);
	world_must_start(&w);
	assert_true(fd_of(&w, 0) >= 0 && fd_of(&w, 1) == -1);
	other.options.listen = world_at("::", world_port(&w));
	world_must_start(&other);
	assert_true(fd_of(&other, 0) == -1 && fd_of(&other, 1) >= 0);
}

static void a_literal_remote_opens_one_family(void **state)
{
	(void)state;
	w.options.remote = world_at("::1", 9);
	world_must_start(&w);
	assert_true(fd_of(&w, 0) == -1 && fd_of(&w, 1) >= 0);
}

static void family_restricts_any(void **state)
{
	(void)state;
	w.options.family = UDP_FAMILY_IPV4;
	world_must_start(&w);
	assert_true(fd_of(&w, 0) >= 0 && fd_of(&w, 1) == -1);
}

static void a_port_in_use_is_named(void **state)
{
	(void)state;
	other.options.listen = world_at("*", 20124);
	world_must_start(&other);
	w.options.listen = world_at("*", 20124);
	refused(VPN_EBUSY, "/listen", "ss -lunp 'sport = :20124'");
	assert_int_equal(w.err.os_errno, EADDRINUSE);
}

static void a_port_in_use_is_noticed_with_two_lanes(void **state)
{
	(void)state;
	other.options.listen = world_at("*", 20125);
	assert_int_equal(world_start(&other, 2), VPN_OK);
	w.options.listen = world_at("*", 20125);
	assert_int_equal(world_start(&w, 2), VPN_EBUSY);
	assert_string_equal(w.err.where, "/listen");
}

static void busy_ipv6_has_another_port_chosen(void **state)
{
	(void)state;
	script.v6_busy = 5;
	world_must_start(&w);
	assert_int_equal(script.binds, 12);
	assert_int_equal(peer_port(fd_of(&w, 0)), peer_port(fd_of(&w, 1)));
}

static void choosing_a_port_ends(void **state)
{
	(void)state;
	script.v6_busy = UINT32_MAX;
	refused(VPN_EBUSY, "/listen", "no port");
	assert_int_equal(script.binds, 200);
}

static void a_missing_family_is_left_out_of_any(void **state)
{
	(void)state;
	script.no_v6 = true;
	world_must_start(&w);
	assert_true(fd_of(&w, 0) >= 0 && fd_of(&w, 1) == -1);
	assert_int_equal(w.err.where[0], '\0');
}

static void a_missing_family_that_is_asked_for_is_refused(void **state)
{
	(void)state;
	script.no_v6 = true;
	w.options.listen = world_at("::", 0);
	refused(VPN_ENOTSUP, "/listen", "no IPv6");
}

static void no_family_at_all_is_refused(void **state)
{
	(void)state;
	script.no_v6 = true;
	w.options.family = UDP_FAMILY_IPV6;
	refused(VPN_ENOTSUP, "/listen", "no socket");
}

static void a_foreign_address_is_refused(void **state)
{
	(void)state;
	w.options.listen = world_at("192.0.2.77", 0);
	refused(VPN_EADDR, "/listen", "not an address of this machine");
}

static void an_unknown_device_is_refused(void **state)
{
	(void)state;
	w.options.device = "nosuch0";
	refused(VPN_ENOENT, "/interface", "nosuch0");
}

static void a_device_that_exists_is_bound(void **state)
{
	char name[16];
	socklen_t len = sizeof(name);
	(void)state;
	w.options.device = "lo";
	world_must_start(&w);
	assert_int_equal(getsockopt(fd_of(&w, 0), SOL_SOCKET, SO_BINDTODEVICE, name, &len), 0);
	assert_string_equal(name, "lo");
}

static void the_mark_is_set(void **state)
{
	uint32_t mark = 0;
	socklen_t len = sizeof(mark);
	(void)state;
	w.options.fwmark = 0xfedcba98;
	world_must_start(&w);
	for (uint32_t i = 0; i < 2; i++) {
		assert_int_equal(getsockopt(fd_of(&w, i), SOL_SOCKET, SO_MARK, &mark, &len), 0);
		assert_int_equal(mark, 0xfedcba98);
	}
}

static void a_mark_without_privilege_says_what_is_missing(void **state)
{
	(void)state;
	script.option = SO_MARK;
	script.option_error = EPERM;
	w.options.fwmark = 1;
	refused(VPN_EPERM, "/fwmark", "CAP_NET_ADMIN");
}

static void buffers_are_forced(void **state)
{
	int value = 0;
	socklen_t len = sizeof(value);
	(void)state;
	w.options.buffer = 7 << 20;
	world_must_start(&w);
	assert_int_equal(getsockopt(fd_of(&w, 0), SOL_SOCKET, SO_RCVBUF, &value, &len), 0);
	assert_int_equal(value, 14 << 20);
	assert_int_equal(getsockopt(fd_of(&w, 1), SOL_SOCKET, SO_SNDBUF, &value, &len), 0);
	assert_int_equal(value, 14 << 20);
}

static void offload_auto_does_without(void **state)
{
	(void)state;
	script.no_segment = true;
	script.option = UDP_GRO;
	script.option_error = ENOPROTOOPT;
	world_must_start(&w);
	assert_false(w.udp->lanes[0].sockets[0].segments);
	assert_false(w.udp->lanes[0].sockets[1].coalesces);
}

static void offload_on_insists(void **state)
{
	(void)state;
	script.no_segment = true;
	w.options.offload = UDP_OFFLOAD_ON;
	refused(VPN_ENOTSUP, "/offload", "UDP_SEGMENT");
}

static void fragments_as_told(void **state)
{
	const int modes[] = {IP_PMTUDISC_DONT, IP_PMTUDISC_WANT, IP_PMTUDISC_PROBE};
	(void)state;
	for (uint32_t i = 0; i < 3; i++) {
		int value = -1;
		socklen_t len = sizeof(value);
		w.options.fragment = i;
		world_must_start(&w);
		assert_int_equal(
			getsockopt(fd_of(&w, 0), IPPROTO_IP, IP_MTU_DISCOVER, &value, &len), 0);
		assert_int_equal(value, modes[i]);
		assert_int_equal(
			getsockopt(fd_of(&w, 1), IPPROTO_IPV6, IPV6_MTU_DISCOVER, &value, &len), 0);
		assert_int_equal(value, modes[i]);
		world_end(&w);
		world_init(&w);
	}
}

static void every_failing_option_is_undone(void **state)
{
	const int names[] = {IPV6_V6ONLY, IP_MTU_DISCOVER, IP_PKTINFO,
			     IP_RECVTOS,  IP_TOS,          SO_REUSEPORT};
	(void)state;
	for (size_t i = 0; i < 6; i++) {
		script.option = names[i];
		script.option_error = ENOMEM;
		w.options.carry_ecn = 1;
		w.options.dscp = 3;
		assert_true(world_start(&w, 2) < 0);
		assert_true(strlen(w.err.text) > 10);
		for (uint32_t k = 0; k < 4; k++)
			assert_int_equal(w.udp->lanes[k / 2].sockets[k % 2].fd, -1);
		world_end(&w);
		world_init(&w);
	}
}

#define CASE(name) cmocka_unit_test_setup_teardown(name, fresh, done)

int main(void)
{
	const struct CMUnitTest tests[] = {
		CASE(port_zero_chooses_one_for_both_families),
		CASE(a_given_port_is_taken),
		CASE(an_address_opens_one_family),
		CASE(a_literal_remote_opens_one_family),
		CASE(family_restricts_any),
		CASE(a_port_in_use_is_named),
		CASE(a_port_in_use_is_noticed_with_two_lanes),
		CASE(busy_ipv6_has_another_port_chosen),
		CASE(choosing_a_port_ends),
		CASE(a_missing_family_is_left_out_of_any),
		CASE(a_missing_family_that_is_asked_for_is_refused),
		CASE(no_family_at_all_is_refused),
		CASE(a_foreign_address_is_refused),
		CASE(an_unknown_device_is_refused),
		CASE(a_device_that_exists_is_bound),
		CASE(the_mark_is_set),
		CASE(a_mark_without_privilege_says_what_is_missing),
		CASE(buffers_are_forced),
		CASE(offload_auto_does_without),
		CASE(offload_on_insists),
		CASE(fragments_as_told),
		CASE(every_failing_option_is_undone),
	};
	return cmocka_run_group_tests_name("udp sockets", tests, world_enter, NULL);
}
