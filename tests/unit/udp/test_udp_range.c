/* SPDX-License-Identifier: BSD-2-Clause */
/* Listening on a range of ports: every one has sockets, and answers leave from the one that was asked. */
#include "world.h"

#include <dirent.h>
#include <errno.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

/* Outside of what the kernel gives to sockets that ask for none: ip_local_port_range, ip(7). */
#define FIRST 22000u
#define PORTS 10u
#define LAST  (FIRST + PORTS - 1)

static struct world w, other;
static struct rlimit files;

static int open_descriptors(void)
{
	int n = 0;
	DIR *d = opendir("/proc/self/fd");
	while (readdir(d) != NULL)
		n++;
	closedir(d);
	return n;
}

static int fresh(void **state)
{
	(void)state;
	world_init(&w);
	world_init(&other);
	w.options.listen = world_at("*", FIRST);
	w.options.listen.port_last = LAST;
	return getrlimit(RLIMIT_NOFILE, &files);
}

static int done(void **state)
{
	(void)state;
	world_end(&w);
	world_end(&other);
	return setrlimit(RLIMIT_NOFILE, &files);
}

static void start(uint32_t n_lanes)
{
	if (world_start(&w, n_lanes) != VPN_OK)
		fail_msg("start: %s: %s", w.err.where, w.err.text);
}

static void must_set_port(uint32_t port)
{
	w.err = (struct vpn_error){.size = sizeof(w.err)};
	if (world_socket(&w)->set_port(w.udp, port, &w.err) != VPN_OK)
		fail_msg("set_port(%u): %s", port, w.err.text);
	world_wake(&w);
}

static uint32_t told_port(void)
{
	struct vpn_socket_info info = {.size = sizeof(info)};
	assert_int_equal(world_socket(&w)->info(w.udp, &info), VPN_OK);
	return info.port;
}

static void send_to(const struct vpn_endpoint *to)
{
	struct vpn_packet *p = world_packet(&w, 200, 8, to);
	world_send(&w, &p, 1);
}

/* One datagram from the peer to that port; returns from where the answer comes. */
static uint16_t ask(int peer, const char *host, uint16_t port)
{
	struct vpn_endpoint from;
	uint32_t before = w.n_arrived;
	peer_send(peer, host, port, 100, 7);
	world_await(&w, before + 1);
	world_check(&w, before, 100, 7);
	send_to(&w.arrived[before].from);
	peer_expect(peer, 200, 8, &from);
	return from.port;
}

static void ask_all(const char *host)
{
	int peer = peer_open(host, 0);
	for (uint32_t i = 0; i < PORTS; i++)
		assert_int_equal(ask(peer, host, (uint16_t)(FIRST + i)), FIRST + i);
	close(peer);
}

static void answers(uint32_t n_lanes)
{
	start(n_lanes);
	ask_all("127.0.0.1");
	ask_all("::1");
	assert_int_equal(told_port(), FIRST);
}

static void answers_from_the_port_that_was_asked(void **state)
{
	(void)state;
	answers(1);
	assert_string_equal(w.said,
			    "ports 22000-22009, IPv4, IPv6, segmentation on, coalescing on");
}

static void answers_from_the_port_that_was_asked_on_two_lanes(void **state)
{
	(void)state;
	answers(2);
}

static void without_sticky_addresses_as_well(void **state)
{
	(void)state;
	w.options.sticky = 0;
	answers(1);
}

static void one_port_is_not_told(void **state)
{
	(void)state;
	w.options.listen.port_last = FIRST;
	start(1);
	int peer = peer_open("127.0.0.1", 0);
	assert_int_equal(ask(peer, "127.0.0.1", FIRST), FIRST);
	assert_int_equal(w.arrived[0].from.local_port, 0);
	close(peer);
}

static void what_is_not_an_answer_leaves_from_the_first_port(void **state)
{
	static const uint16_t strange[] = {0, FIRST - 1, LAST + 1, 1, UINT16_MAX};
	struct vpn_endpoint from;
	(void)state;
	start(1);
	int peer = peer_open("127.0.0.1", 0);
	struct vpn_endpoint to = endpoint_at("127.0.0.1", peer_port(peer));
	for (size_t i = 0; i < sizeof(strange) / sizeof(strange[0]); i++) {
		to.local_port = strange[i];
		send_to(&to);
		peer_expect(peer, 200, 8, &from);
		assert_int_equal(from.port, FIRST);
	}
	close(peer);
}

/* One batch to peers that came in by different ports, in the order of the batch. */
static void a_batch_leaves_from_many_ports(void **state)
{
	struct vpn_packet *p[2 * PORTS];
	struct vpn_endpoint to[PORTS], from;
	int peers[PORTS];
	(void)state;
	start(1);
	for (uint32_t i = 0; i < PORTS; i++) {
		peers[i] = peer_open(i % 2 == 0 ? "127.0.0.1" : "::1", 0);
		to[i] = endpoint_at(i % 2 == 0 ? "127.0.0.1" : "::1", peer_port(peers[i]));
		to[i].local_port = (uint16_t)(LAST - i);
	}
	for (uint32_t i = 0; i < 2 * PORTS; i++)
		p[i] = world_packet(&w, 100 + i, (uint8_t)i, &to[i % PORTS]);
	world_send(&w, p, 2 * PORTS);
	for (uint32_t i = 0; i < 2 * PORTS; i++) {
		peer_expect(peers[i % PORTS], 100 + i, (uint8_t)i, &from);
		assert_int_equal(from.port, LAST - i % PORTS);
	}
	for (uint32_t i = 0; i < PORTS; i++)
		close(peers[i]);
}

static void a_learnt_peer_is_answered_where_it_asked(void **state)
{
	(void)state;
	w.options.learn = 1;
	start(1);
	int peer = peer_open("127.0.0.1", 0);
	for (uint32_t i = 0; i < PORTS; i++) {
		struct vpn_endpoint from;
		peer_send(peer, "127.0.0.1", (uint16_t)(FIRST + i), 100, 7);
		world_await(&w, i + 1);
		send_to(NULL);
		peer_expect(peer, 200, 8, &from);
		assert_int_equal(from.port, FIRST + i);
	}
	close(peer);
}

/* ---- changes ---- */

static void another_port_ends_the_range(uint32_t n_lanes)
{
	start(n_lanes);
	int before = open_descriptors();
	int peer = peer_open("127.0.0.1", 0);
	assert_int_equal(ask(peer, "127.0.0.1", LAST), LAST);
	must_set_port(LAST + 5);
	for (uint32_t i = 0; i < PORTS; i++)
		close(peer_open("127.0.0.1", (uint16_t)(FIRST + i)));
	send_to(&w.arrived[0].from); /* which says LAST */
	struct vpn_endpoint from;
	peer_expect(peer, 200, 8, &from);
	assert_int_equal(from.port, LAST + 5);
	assert_int_equal(ask(peer, "127.0.0.1", LAST + 5), LAST + 5);
	assert_int_equal(w.arrived[1].from.local_port, 0);
	close(peer);
	assert_int_equal(open_descriptors(), before - (int)(2 * n_lanes * (PORTS - 1)));
}

static void another_port_ends_the_range_of_one_lane(void **state)
{
	(void)state;
	another_port_ends_the_range(1);
}

static void another_port_ends_the_range_of_two_lanes(void **state)
{
	(void)state;
	another_port_ends_the_range(2);
}

static void a_port_of_the_range_stays_alone(uint32_t n_lanes)
{
	start(n_lanes);
	must_set_port(FIRST + 4);
	assert_int_equal(told_port(), FIRST + 4);
	for (uint32_t i = 0; i < PORTS; i++)
		if (i != 4)
			close(peer_open("::1", (uint16_t)(FIRST + i)));
	int peer = peer_open("::1", 0);
	assert_int_equal(ask(peer, "::1", FIRST + 4), FIRST + 4);
	close(peer);
	must_set_port(FIRST);
	assert_int_equal(told_port(), FIRST);
	close(peer_open("::1", FIRST + 4));
}

static void a_port_of_the_range_stays_alone_on_one_lane(void **state)
{
	(void)state;
	a_port_of_the_range_stays_alone(1);
}

static void a_port_of_the_range_stays_alone_on_two_lanes(void **state)
{
	(void)state;
	a_port_of_the_range_stays_alone(2);
}

/* Back to the first port before the lane has left the range: it is one port all the same. */
static void coming_back_early_leaves_one_port(void **state)
{
	(void)state;
	start(1);
	assert_int_equal(world_socket(&w)->set_port(w.udp, LAST + 5, &w.err), VPN_OK);
	must_set_port(FIRST);
	assert_int_equal(told_port(), FIRST);
	for (uint32_t i = 1; i < PORTS; i++)
		close(peer_open("127.0.0.1", (uint16_t)(FIRST + i)));
	int peer = peer_open("127.0.0.1", 0);
	assert_int_equal(ask(peer, "127.0.0.1", FIRST), FIRST);
	close(peer);
}

/* Numbers below the count of ports. */
static void low_ports_serve(void **state)
{
	(void)state;
	w.options.listen = world_at("*", 2);
	w.options.listen.port_last = 7;
	start(2);
	int peer = peer_open("127.0.0.1", 0);
	for (uint16_t port = 2; port <= 7; port++)
		assert_int_equal(ask(peer, "127.0.0.1", port), port);
	close(peer);
}

static void the_port_that_is_told_changes_nothing(void **state)
{
	(void)state;
	start(1);
	int before = open_descriptors();
	must_set_port(FIRST);
	assert_int_equal(open_descriptors(), before);
	ask_all("127.0.0.1");
}

static void the_mark_is_on_all_ports(void **state)
{
	(void)state;
	start(2);
	assert_int_equal(world_socket(&w)->set_fwmark(w.udp, 77, &w.err), VPN_OK);
	for (uint32_t lane = 0; lane < 2; lane++) {
		for (uint32_t i = 0; i < 2 * PORTS; i++) {
			uint32_t mark = 0;
			socklen_t len = sizeof(mark);
			int fd = w.udp->lanes[lane].sockets[i].fd;
			assert_int_equal(getsockopt(fd, SOL_SOCKET, SO_MARK, &mark, &len), 0);
			assert_int_equal(mark, 77);
		}
	}
}

/* Sockets that are watched for what arrives. */
static uint32_t readable(void)
{
	uint32_t n = 0;
	for (size_t i = 0; i < WORLD_WATCHES; i++)
		if ((w.lanes[0].watches[i].events & VPN_POLLIN) != 0)
			n++;
	return n;
}

static void all_ports_wait_for_the_stage_above(void **state)
{
	(void)state;
	start(1);
	int peer = peer_open("127.0.0.1", 0);
	w.lanes[0].room = 0;
	for (uint32_t i = 0; i < PORTS; i++)
		peer_send(peer, "127.0.0.1", (uint16_t)(FIRST + i), 100, (uint8_t)i);
	world_await_count(&w, RECEIVE_PAUSED, 1);
	for (uint32_t i = 0; i < 3; i++)
		world_serve(&w, 0);
	assert_int_equal(world_counted(&w, DROP_ABOVE_FULL), 1);
	assert_int_equal(world_counted(&w, RECEIVE_PAUSED), 1);
	assert_int_equal(readable(), PORTS); /* those of IPv6, which have nothing */
	w.lanes[0].room = UINT32_MAX;
	world_component()->flow->writable(w.udp, &w.lanes[0].pub, VPN_UP);
	assert_int_equal(readable(), 2 * PORTS);
	world_await(&w, PORTS - 1);
	close(peer);
}

/* ---- what cannot be ---- */

static void refused(vpn_status status, const char *text)
{
	int before = open_descriptors();
	assert_int_equal(world_start(&w, 2), status);
	assert_string_equal(w.err.where, "/listen");
	if (strstr(w.err.text, text) == NULL)
		fail_msg("\"%s\" is not in \"%s\"", text, w.err.text);
	world_end(&w);
	assert_int_equal(open_descriptors(), before);
	world_init(&w);
}

static void a_port_in_use_is_named(void **state)
{
	(void)state;
	int taken = peer_open("::1", FIRST + 7);
	refused(VPN_EBUSY, "UDP port 22007 is in use by another program");
	close(taken);
}

static void two_pipelines_do_not_share_a_port(void **state)
{
	(void)state;
	other.options.listen = world_at("*", LAST);
	assert_int_equal(world_start(&other, 2), VPN_OK);
	refused(VPN_EBUSY, "UDP port 22009");
}

static void more_sockets_than_files_are_counted_first(void **state)
{
	struct rlimit few = {.rlim_cur = 100, .rlim_max = files.rlim_max};
	(void)state;
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &few), 0);
	refused(VPN_EINVAL, "10 ports, 2 address families and 2 lanes take 104 open files, but the "
			    "limit is 100: raise it");
}

static void one_port_does_not_count_files(void **state)
{
	struct rlimit few = {.rlim_cur = 60, .rlim_max = files.rlim_max};
	(void)state;
	w.options.listen.port_last = FIRST;
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &few), 0);
	start(1);
}

#define CASE(name) cmocka_unit_test_setup_teardown(name, fresh, done)

int main(void)
{
	const struct CMUnitTest tests[] = {
		CASE(answers_from_the_port_that_was_asked),
		CASE(answers_from_the_port_that_was_asked_on_two_lanes),
		CASE(without_sticky_addresses_as_well),
		CASE(one_port_is_not_told),
		CASE(what_is_not_an_answer_leaves_from_the_first_port),
		CASE(a_batch_leaves_from_many_ports),
		CASE(a_learnt_peer_is_answered_where_it_asked),
		CASE(another_port_ends_the_range_of_one_lane),
		CASE(another_port_ends_the_range_of_two_lanes),
		CASE(a_port_of_the_range_stays_alone_on_one_lane),
		CASE(a_port_of_the_range_stays_alone_on_two_lanes),
		CASE(coming_back_early_leaves_one_port),
		CASE(low_ports_serve),
		CASE(the_port_that_is_told_changes_nothing),
		CASE(the_mark_is_on_all_ports),
		CASE(all_ports_wait_for_the_stage_above),
		CASE(a_port_in_use_is_named),
		CASE(two_pipelines_do_not_share_a_port),
		CASE(more_sockets_than_files_are_counted_first),
		CASE(one_port_does_not_count_files),
	};
	return cmocka_run_group_tests_name("udp range", tests, world_enter, NULL);
}
