/* SPDX-License-Identifier: BSD-2-Clause */
/* Moving over the ports of a peer's range, on a clock that the test turns. */
#include "world.h"

#include <dirent.h>
#include <errno.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include "hop.h"

/* Outside of what the kernel gives to sockets that ask for none: ip_local_port_range, ip(7). */
#define FIRST    23000u
#define PORTS    5u
#define LAST     (FIRST + PORTS - 1)
#define OWN      23100u
#define INTERVAL (8 * UDP_SECOND)
#define SILENCE  (3 * UDP_SECOND)

static struct world w;
static struct udp_hop_options hop;
static int peers[PORTS]; /* one for each port of the range */
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
	for (uint32_t i = 0; i < PORTS; i++)
		peers[i] = peer_open("127.0.0.1", (uint16_t)(FIRST + i));
	hop = (struct udp_hop_options){.interval = INTERVAL, .silence = SILENCE};
	world_init(&w);
	w.options.remote = world_at("127.0.0.1", FIRST);
	w.options.remote.port_last = LAST;
	w.options.hop = &hop;
	return getrlimit(RLIMIT_NOFILE, &files);
}

static int done(void **state)
{
	(void)state;
	setrlimit(RLIMIT_NOFILE, &files);
	world_end(&w);
	for (uint32_t i = 0; i < PORTS; i++)
		close(peers[i]);
	return 0;
}

static void start(uint32_t n_lanes)
{
	if (world_start(&w, n_lanes) != VPN_OK)
		fail_msg("start: %s: %s", w.err.where, w.err.text);
}

static void pass(uint64_t ns)
{
	world_tick(&w, w.now_ns + ns);
}

/* Sends one datagram on a lane. Returns at which of the peers it arrives and from where. */
static uint32_t send_on(uint32_t lane, const struct vpn_endpoint *to, struct vpn_endpoint *from)
{
	struct vpn_packet *p = world_packet(&w, 50, 3, to);
	w.lanes[lane].pub.now_ns = w.now_ns;
	assert_int_equal(world_component()->flow->send(w.udp, &w.lanes[lane].pub, &p, 1), 1);
	uint32_t at = PORTS;
	for (uint32_t i = 0; i < PORTS; i++) {
		if (peer_is_silent(peers[i]))
			continue;
		assert_int_equal(at, PORTS); /* at one only */
		at = i;
	}
	if (at == PORTS)
		fail_msg("it arrived nowhere");
	peer_expect(peers[at], 50, 3, from);
	return at;
}

static uint32_t send_one(struct vpn_endpoint *from)
{
	return send_on(0, NULL, from);
}

/* Sends what makes a move that is due happen. */
static void prod(void)
{
	send_one(NULL);
	world_wake(&w);
}

static void answer(uint32_t at, uint16_t to)
{
	uint32_t before = w.n_arrived;
	peer_send(peers[at], "127.0.0.1", to, 60, 4);
	world_await(&w, before + 1);
}

static uint64_t hops(void)
{
	return world_counted(&w, HOPS);
}

/* ---- where ---- */

static void sends_to_one_port_of_the_range(void **state)
{
	struct vpn_endpoint from;
	(void)state;
	start(1);
	uint32_t at = send_one(&from);
	assert_int_equal(from.port, world_port(&w));
	for (uint32_t i = 0; i < 20; i++)
		assert_int_equal(send_one(NULL), at);
}

static void begins_anywhere(void **state)
{
	bool begun[PORTS] = {false};
	for (uint32_t i = 0; i < 60; i++) {
		uint64_t seed = w.random;
		done(state);
		fresh(state);
		w.random = seed;
		start(1);
		begun[send_one(NULL)] = true;
	}
	for (uint32_t i = 0; i < PORTS; i++)
		assert_true(begun[i]);
}

static void takes_answers_from_every_port_as_from_one(void **state)
{
	(void)state;
	start(1);
	for (uint32_t i = 0; i < PORTS; i++) {
		answer(i, world_port(&w));
		assert_int_equal(w.arrived[i].from.port, FIRST);
	}
	int stranger = peer_open("127.0.0.1", LAST + 1);
	peer_send(stranger, "127.0.0.1", world_port(&w), 60, 4);
	world_await_count(&w, DROP_UNEXPECTED_SOURCE, 1);
	close(stranger);
}

static void visits_every_port_and_never_stays(void **state)
{
	uint32_t visits[PORTS] = {0};
	(void)state;
	start(1);
	uint32_t at = send_one(NULL);
	for (uint32_t i = 0; i < 200; i++) {
		pass(2 * INTERVAL);
		prod();
		uint32_t next = send_one(NULL);
		assert_int_not_equal(next, at);
		at = next;
		visits[at]++;
	}
	assert_int_equal(hops(), 200);
	for (uint32_t i = 0; i < PORTS; i++)
		assert_true(visits[i] > 20);
}

static void endpoints_of_the_stage_above_move(void **state)
{
	struct vpn_endpoint from, inside = endpoint_at("127.0.0.1", FIRST + 2),
				  outside = endpoint_at("127.0.0.1", LAST + 1);
	(void)state;
	w.options.remote = (struct vpn_hostport){.host = NULL};
	hop.ports = "23000-23004";
	start(1);
	uint32_t at = send_on(0, &inside, NULL);
	pass(2 * INTERVAL);
	send_on(0, &inside, NULL);
	world_wake(&w);
	assert_int_not_equal(send_on(0, &inside, &from), at);
	int stranger = peer_open("127.0.0.1", LAST + 1);
	struct vpn_packet *p = world_packet(&w, 70, 5, &outside);
	world_send(&w, &p, 1);
	peer_expect(stranger, 70, 5, NULL);
	peer_send(stranger, "127.0.0.1", from.port, 60, 4);
	world_await(&w, 1);
	assert_int_equal(w.arrived[0].from.port, LAST + 1);
	answer(3, from.port);
	assert_int_equal(w.arrived[1].from.port, FIRST);
	close(stranger);
}

static void an_address_that_was_looked_up_moves(void **state)
{
	struct vpn_endpoint found = endpoint_at("127.0.0.1", FIRST);
	(void)state;
	w.options.remote.host = "vpn.example";
	start(1);
	world_component()->flow->resolved(w.udp, &w.lanes[0].pub, 0, VPN_OK, &found, 1);
	uint32_t at = send_one(NULL);
	pass(2 * INTERVAL);
	prod();
	assert_int_not_equal(send_one(NULL), at);
	assert_int_equal(world_counted(&w, REMOTE_CHANGED), 0);
}

static void defaults_serve_without_the_object(void **state)
{
	(void)state;
	w.options.hop = NULL;
	start(1);
	prod();
	pass(30 * UDP_SECOND * 3 / 4 - 1);
	answer((uint32_t)w.udp->lanes[0].far_port - FIRST, world_port(&w));
	prod();
	assert_int_equal(hops(), 0);
	pass(30 * UDP_SECOND / 2 + 1);
	prod();
	assert_int_equal(hops(), 1);
}

/* ---- when ---- */

static void moves_about_once_in_an_interval(void **state)
{
	uint64_t least = UINT64_MAX, most = 0;
	const uint64_t step = INTERVAL / 64;
	(void)state;
	hop.silence = 3600 * UDP_SECOND;
	start(1);
	for (uint64_t i = 0; i < 100; i++) {
		uint64_t before = w.now_ns;
		while (hops() == i) {
			pass(step);
			prod();
		}
		uint64_t took = w.now_ns - before;
		least = took < least ? took : least;
		most = took > most ? took : most;
	}
	assert_true(least >= INTERVAL * 3 / 4 && most <= INTERVAL * 5 / 4 + step);
	assert_true(least < INTERVAL * 7 / 8 && most > INTERVAL * 9 / 8);
}

static void stays_while_nothing_is_sent(void **state)
{
	(void)state;
	start(1);
	prod();
	uint16_t port = world_port(&w);
	pass(1000 * INTERVAL);
	world_wake(&w);
	world_serve(&w, 0);
	assert_int_equal(hops(), 0);
	assert_int_equal(world_port(&w), port);
}

static void moves_when_nothing_comes_back(void **state)
{
	(void)state;
	hop.interval = 3600 * UDP_SECOND;
	start(1);
	uint32_t at = send_one(NULL);
	pass(SILENCE - 1);
	prod();
	assert_int_equal(hops(), 0);
	pass(1);
	prod();
	assert_int_equal(hops(), 1);
	assert_int_equal(world_counted(&w, HOPS_AFTER_SILENCE), 1);
	assert_int_not_equal(send_one(NULL), at);
	/* the new port gets its own time */
	pass(SILENCE - 1);
	prod();
	assert_int_equal(hops(), 1);
	pass(1);
	prod();
	assert_int_equal(hops(), 2);
}

static void stays_where_it_is_answered(void **state)
{
	(void)state;
	hop.interval = 3600 * UDP_SECOND;
	start(1);
	for (uint32_t i = 0; i < 20; i++) {
		answer(send_one(NULL), world_port(&w));
		pass(SILENCE - 1);
	}
	/* all was answered, however long ago */
	pass(100 * SILENCE);
	prod();
	assert_int_equal(hops(), 0);
}

static void an_answer_from_an_earlier_port_is_none(void **state)
{
	(void)state;
	hop.interval = 3600 * UDP_SECOND;
	start(1);
	uint32_t at = send_one(NULL);
	for (uint32_t i = 0; i < 6; i++) {
		answer((at + 1) % PORTS, world_port(&w));
		pass(SILENCE / 6);
		send_one(NULL);
	}
	world_wake(&w);
	assert_int_equal(world_counted(&w, HOPS_AFTER_SILENCE), 1);
}

/* WireGuard's keepalives: nothing answers them. */
static void what_is_sent_after_a_pause_owes_no_answer(void **state)
{
	(void)state;
	hop.interval = 3600 * UDP_SECOND;
	start(1);
	for (uint32_t i = 0; i < 100; i++) {
		prod();
		pass(25 * UDP_SECOND);
	}
	assert_int_equal(hops(), 0);
	/* it is asked again and again */
	for (uint32_t i = 0; i < 4; i++) {
		prod();
		pass(SILENCE / 3);
	}
	assert_int_equal(hops(), 1);
	assert_int_equal(world_counted(&w, HOPS_AFTER_SILENCE), 1);
}

/* WireGuard answers a stream that goes one way 10 s after the first of it. */
static void a_stream_that_goes_one_way_stays(void **state)
{
	uint32_t at = PORTS;
	(void)state;
	w.options.hop = NULL;
	start(1);
	for (uint32_t i = 0; i < 22; i++) {
		at = send_one(NULL);
		world_wake(&w);
		if (i % 11 == 10)
			answer(at, world_port(&w));
		pass(UDP_SECOND);
	}
	assert_int_equal(hops(), 0);
}

static void what_goes_elsewhere_is_not_counted(void **state)
{
	struct vpn_endpoint outside = endpoint_at("127.0.0.1", LAST + 1);
	(void)state;
	w.options.remote = (struct vpn_hostport){.host = NULL};
	hop.ports = "23000-23004";
	start(1);
	for (uint32_t i = 0; i < 20; i++) {
		struct vpn_packet *p = world_packet(&w, 70, 5, &outside);
		world_send(&w, &p, 1);
		world_wake(&w);
		pass(SILENCE / 2);
	}
	assert_int_equal(hops(), 0);
}

/* A lane looked at the time before the move of another, and at `wanted` after it. */
static void one_move_is_enough(void **state)
{
	(void)state;
	start(1);
	pass(2 * INTERVAL);
	prod();
	assert_int_equal(hops(), 1);
	atomic_store(&w.udp->hop.wanted, true);
	w.host.wake(&w.host, 0);
	world_wake(&w);
	assert_int_equal(hops(), 1);
	assert_false(atomic_load(&w.udp->hop.wanted));
}

/* The kernel chooses the lane that is answered: until it is the one that does not send. */
static void a_lane_that_only_receives_hears_for_all(void **state)
{
	hop.interval = 3600 * UDP_SECOND;
	start(2);
	for (uint32_t i = 0; i < 100; i++) {
		answer(send_one(NULL), world_port(&w));
		if (w.lanes[1].pushes != 0)
			break;
		done(state);
		fresh(state);
		hop.interval = 3600 * UDP_SECOND;
		start(2);
	}
	assert_int_equal(w.lanes[1].pushes, 1);
	pass(SILENCE);
	prod();
	assert_int_equal(hops(), 0);
}

/* ---- our own port ---- */

static void takes_another_port_of_its_own(void **state)
{
	struct vpn_endpoint before, after;
	(void)state;
	start(1);
	send_one(&before);
	pass(2 * INTERVAL);
	prod();
	send_one(&after);
	assert_int_not_equal(before.port, after.port);
	assert_int_equal(after.port, world_port(&w));
}

static void the_old_port_is_heard_for_a_while(void **state)
{
	struct vpn_endpoint before;
	(void)state;
	start(1);
	int descriptors = open_descriptors();
	uint32_t at = send_one(&before);
	pass(2 * INTERVAL);
	prod();
	answer(at, before.port);
	pass(SILENCE + 5 * UDP_SECOND - 1);
	answer(at, before.port);
	pass(1);
	close(peer_open("127.0.0.1", before.port));
	assert_int_equal(open_descriptors(), descriptors);
	assert_int_equal(w.lanes[0].deadline_ns, 0);
}

static void old_ports_are_few(void **state)
{
	const uint64_t step = 5 * UDP_SECOND / 4;
	struct vpn_endpoint before;
	(void)state;
	hop.interval = UDP_SECOND;
	start(2);
	int descriptors = open_descriptors();
	for (uint32_t i = 0; i < 20; i++) {
		uint32_t at = send_one(&before);
		pass(step);
		prod();
		answer(at, before.port); /* it is an older one that has gone */
		assert_true(open_descriptors() <= descriptors + 2 * (int)UDP_OLD_PAIRS);
	}
	assert_int_equal(hops(), 20);
	assert_int_equal(open_descriptors(), descriptors + 2 * (int)UDP_OLD_PAIRS);
	pass(60 * UDP_SECOND);
	assert_int_equal(open_descriptors(), descriptors);
}

static void a_full_old_socket_holds_nothing_up(void **state)
{
	(void)state;
	start(1);
	prod();
	struct udp_socket *s = &w.udp->lanes[0].sockets[0];
	pass(2 * INTERVAL);
	send_one(NULL);
	w.udp->lanes[0].blocked = true;
	s->wants_out = true;
	assert_int_equal(udp_watch(&w.udp->lanes[0], s), VPN_OK);
	world_wake(&w);
	assert_int_equal(hops(), 1);
	assert_int_equal(w.lanes[0].writable_down, 1);
	for (size_t i = 0; i < WORLD_WATCHES; i++)
		assert_int_equal(w.lanes[0].watches[i].events & VPN_POLLOUT, 0);
	send_one(NULL);
}

static void a_port_that_was_chosen_stays(void **state)
{
	struct vpn_endpoint from;
	(void)state;
	w.options.listen = world_at("*", OWN);
	start(1);
	uint32_t at = send_one(NULL);
	int descriptors = open_descriptors();
	pass(2 * INTERVAL);
	prod();
	assert_int_not_equal(send_one(&from), at);
	assert_int_equal(from.port, OWN);
	assert_int_equal(open_descriptors(), descriptors);
}

static vpn_status set_port(uint32_t port)
{
	vpn_status status = world_socket(&w)->set_port(w.udp, port, &w.err);
	world_wake(&w);
	return status;
}

static void a_port_that_is_set_stays_until_it_is_given_up(void **state)
{
	struct vpn_endpoint from;
	(void)state;
	start(1);
	assert_int_equal(set_port(OWN), VPN_OK);
	pass(2 * INTERVAL);
	prod();
	assert_int_equal(hops(), 1);
	send_one(&from);
	assert_int_equal(from.port, OWN);
	assert_int_equal(set_port(0), VPN_OK);
	uint16_t chosen = world_port(&w);
	pass(2 * INTERVAL);
	prod();
	send_one(&from);
	assert_true(from.port != chosen && from.port != OWN);
}

/* Its sockets are still open: they are ours, and taken again. */
static void returns_to(uint32_t n_lanes)
{
	struct vpn_endpoint before, after;
	start(n_lanes);
	send_one(&before);
	pass(2 * INTERVAL);
	prod();
	int descriptors = open_descriptors();
	if (set_port(before.port) != VPN_OK)
		fail_msg("%s", w.err.text);
	for (uint32_t i = 0; i < n_lanes; i++) {
		uint32_t at = send_on(i, NULL, &after);
		assert_int_equal(after.port, before.port);
		answer(at, before.port);
	}
	/* those of the hop's port have gone */
	assert_int_equal(open_descriptors(), descriptors - (int)n_lanes);
	pass(2 * INTERVAL);
	prod();
	send_one(&after);
	assert_int_equal(after.port, before.port);
}

static void returns_to_a_port_that_a_hop_has_left(void **state)
{
	(void)state;
	returns_to(1);
}

static void lanes_return_to_a_port_that_a_hop_has_left(void **state)
{
	(void)state;
	returns_to(2);
}

static void an_old_port_that_is_to_be_taken_again_does_not_end(void **state)
{
	struct vpn_endpoint before, after;
	(void)state;
	start(1);
	send_one(&before);
	pass(2 * INTERVAL);
	prod();
	assert_int_equal(world_socket(&w)->set_port(w.udp, before.port, &w.err), VPN_OK);
	pass(SILENCE + 5 * UDP_SECOND); /* before the lane has come to it */
	world_wake(&w);
	send_one(&after);
	assert_int_equal(after.port, before.port);
}

static void both_lanes_move(void **state)
{
	struct vpn_endpoint one, two;
	(void)state;
	start(2);
	uint32_t at = send_on(1, NULL, NULL);
	send_one(NULL);
	pass(2 * INTERVAL);
	prod();
	uint32_t next = send_on(0, NULL, &one);
	assert_int_not_equal(next, at);
	assert_int_equal(send_on(1, NULL, &two), next);
	assert_int_equal(one.port, two.port);
	assert_int_equal(hops(), 1);
}

/* A new far port is not seen with the old local one: what watches could tell that they belong together. */
static void a_lane_that_is_late_keeps_both(void **state)
{
	const struct vpn_flow *flow = world_component()->flow;
	struct vpn_endpoint old, late, now;
	(void)state;
	start(2);
	send_on(1, NULL, NULL);
	uint32_t at = send_on(1, NULL, &old);
	pass(2 * INTERVAL);
	send_one(NULL);
	assert_int_equal(flow->ready(w.udp, &w.lanes[0].pub, VPN_TOKEN_WAKE, 0), VPN_IDLE);
	assert_int_equal(send_on(1, NULL, &late), at);
	assert_int_equal(late.port, old.port);
	uint32_t next = send_on(0, NULL, &now);
	assert_int_not_equal(next, at);
	assert_int_not_equal(now.port, old.port);
	world_wake(&w);
	assert_int_equal(send_on(1, NULL, &late), next);
	assert_int_equal(late.port, now.port);
}

static void a_lane_that_has_not_begun_knows_the_port(void **state)
{
	const struct vpn_flow *flow = world_component()->flow;
	(void)state;
	start(2);
	uint32_t at = send_one(NULL);
	pass(2 * INTERVAL);
	send_one(NULL);
	assert_int_equal(flow->ready(w.udp, &w.lanes[0].pub, VPN_TOKEN_WAKE, 0), VPN_IDLE);
	assert_int_equal(hops(), 1);
	assert_int_equal(send_on(1, NULL, NULL), at);
}

static void moves_without_new_sockets_when_there_are_none(void **state)
{
	struct rlimit none = {.rlim_cur = 3, .rlim_max = files.rlim_max};
	struct vpn_endpoint before, after;
	(void)state;
	start(1);
	uint32_t at = send_one(&before);
	pass(2 * INTERVAL);
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &none), 0);
	prod();
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &files), 0);
	assert_int_equal(w.warnings, 1);
	assert_int_equal(w.failures, 0);
	assert_int_not_equal(send_one(&after), at);
	assert_int_equal(after.port, before.port);
	pass(2 * INTERVAL);
	prod();
	send_one(&after);
	assert_int_not_equal(after.port, before.port);
}

static void waits_for_a_lock_that_another_thread_holds(void **state)
{
	(void)state;
	start(1);
	pthread_mutex_lock(&w.udp->port_lock);
	pass(2 * INTERVAL);
	send_one(NULL);
	assert_int_equal(world_component()->flow->ready(w.udp, &w.lanes[0].pub, VPN_TOKEN_WAKE, 0),
			 VPN_IDLE);
	assert_int_equal(hops(), 0);
	pthread_mutex_unlock(&w.udp->port_lock);
	world_wake(&w);
	assert_int_equal(hops(), 1);
}

static void a_mark_reaches_old_sockets(void **state)
{
	(void)state;
	start(1);
	pass(2 * INTERVAL);
	prod();
	int fd = w.udp->lanes[0].old[0].pair.sockets[0].fd;
	assert_true(fd >= 0);
	assert_int_equal(world_socket(&w)->set_fwmark(w.udp, 78, &w.err), VPN_OK);
	uint32_t mark = 0;
	socklen_t len = sizeof(mark);
	assert_int_equal(getsockopt(fd, SOL_SOCKET, SO_MARK, &mark, &len), 0);
	assert_int_equal(mark, 78);
}

static void old_sockets_pause_and_resume(void **state)
{
	struct vpn_endpoint before;
	(void)state;
	start(1);
	uint32_t at = send_one(&before);
	pass(INTERVAL * 5 / 4);
	prod();
	w.lanes[0].room = 0;
	peer_send(peers[at], "127.0.0.1", before.port, 60, 4);
	world_await_count(&w, RECEIVE_PAUSED, 1);
	peer_send(peers[at], "127.0.0.1", before.port, 60, 4);
	world_serve(&w, 0);
	assert_int_equal(w.n_arrived, 0);
	w.lanes[0].room = UINT32_MAX;
	world_component()->flow->writable(w.udp, &w.lanes[0].pub, VPN_UP);
	world_await(&w, 1);
}

static void tells_of_the_range(void **state)
{
	struct vpn_socket_info info = {.size = sizeof(info)};
	(void)state;
	w.options.listen = world_at("*", OWN);
	w.options.listen.port_last = OWN + 2;
	start(1);
	assert_int_equal(world_socket(&w)->info(w.udp, &info), VPN_OK);
	assert_int_equal(info.port, OWN);
	assert_int_equal(info.port_last, OWN + 2);
	assert_int_equal(info.far_first, FIRST);
	assert_int_equal(info.far_last, LAST);
	assert_int_equal(set_port(OWN + 1), VPN_OK);
	assert_int_equal(world_socket(&w)->info(w.udp, &info), VPN_OK);
	assert_int_equal(info.port, OWN + 1);
	assert_int_equal(info.port_last, 0);
}

/* ---- another thread ---- */

static atomic_bool finished;

static void *keep_changing(void *ctx)
{
	const struct vpn_socket_ext *ext = world_socket(&w);
	struct vpn_error err = {.size = sizeof(err)};
	struct vpn_socket_info info = {.size = sizeof(info)};
	struct vpn_error *last = ctx; /* why it failed, if it did */
	for (uint32_t i = 0; i < 200; i++) {
		if (i % 8 == 0 && ext->set_port(w.udp, i % 16 == 0 ? OWN : 0, &err) != VPN_OK)
			*last = err;
		if (ext->set_fwmark(w.udp, i, &err) != VPN_OK ||
		    ext->info(w.udp, &info) != VPN_OK || info.fwmark != i)
			*last = err;
	}
	atomic_store(&finished, true);
	return NULL;
}

static void moves_while_another_thread_changes_things(void **state)
{
	pthread_t thread;
	struct vpn_error last = {.size = 0};
	(void)state;
	start(2);
	atomic_store(&finished, false);
	assert_int_equal(pthread_create(&thread, NULL, keep_changing, &last), 0);
	while (!atomic_load(&finished) || hops() < 5) {
		pass(2 * INTERVAL);
		prod();
		send_on(1, NULL, NULL);
		world_serve(&w, 0);
	}
	assert_int_equal(pthread_join(thread, NULL), 0);
	if (last.size != 0)
		fail_msg("status %d, errno %d: %s", last.status, last.os_errno, last.text);
}

#define CASE(name) cmocka_unit_test_setup_teardown(name, fresh, done)

int main(void)
{
	const struct CMUnitTest tests[] = {
		CASE(sends_to_one_port_of_the_range),
		CASE(begins_anywhere),
		CASE(takes_answers_from_every_port_as_from_one),
		CASE(visits_every_port_and_never_stays),
		CASE(endpoints_of_the_stage_above_move),
		CASE(an_address_that_was_looked_up_moves),
		CASE(defaults_serve_without_the_object),
		CASE(moves_about_once_in_an_interval),
		CASE(stays_while_nothing_is_sent),
		CASE(moves_when_nothing_comes_back),
		CASE(stays_where_it_is_answered),
		CASE(an_answer_from_an_earlier_port_is_none),
		CASE(what_is_sent_after_a_pause_owes_no_answer),
		CASE(a_stream_that_goes_one_way_stays),
		CASE(what_goes_elsewhere_is_not_counted),
		CASE(one_move_is_enough),
		CASE(a_lane_that_only_receives_hears_for_all),
		CASE(takes_another_port_of_its_own),
		CASE(the_old_port_is_heard_for_a_while),
		CASE(old_ports_are_few),
		CASE(a_full_old_socket_holds_nothing_up),
		CASE(a_port_that_was_chosen_stays),
		CASE(a_port_that_is_set_stays_until_it_is_given_up),
		CASE(returns_to_a_port_that_a_hop_has_left),
		CASE(lanes_return_to_a_port_that_a_hop_has_left),
		CASE(an_old_port_that_is_to_be_taken_again_does_not_end),
		CASE(both_lanes_move),
		CASE(a_lane_that_is_late_keeps_both),
		CASE(a_lane_that_has_not_begun_knows_the_port),
		CASE(moves_without_new_sockets_when_there_are_none),
		CASE(waits_for_a_lock_that_another_thread_holds),
		CASE(a_mark_reaches_old_sockets),
		CASE(old_sockets_pause_and_resume),
		CASE(tells_of_the_range),
		CASE(moves_while_another_thread_changes_things),
	};
	return cmocka_run_group_tests_name("udp hop", tests, world_enter, NULL);
}
