/* SPDX-License-Identifier: BSD-2-Clause */
/* Another local port or mark while lanes run: extension VPN_EXT_SOCKET, on real sockets. */
#include "world.h"

#include <dirent.h>
#include <errno.h>
#include <pthread.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

/* Outside of what the kernel gives to sockets that ask for none: ip_local_port_range, ip(7). */
#define FIRST  21001u
#define SECOND 21002u
#define THIRD  21003u

int __real_setsockopt(int fd, int level, int name, const void *value, socklen_t len);
int __wrap_setsockopt(int fd, int level, int name, const void *value, socklen_t len);

static struct world w, other;
static uint32_t refused_mark; /* the call of this number that sets SO_MARK fails; 0 = none */

int __wrap_setsockopt(int fd, int level, int name, const void *value, socklen_t len)
{
	if (level == SOL_SOCKET && name == SO_MARK && refused_mark != 0 && --refused_mark == 0) {
		errno = EPERM;
		return -1;
	}
	return __real_setsockopt(fd, level, name, value, len);
}

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
	refused_mark = 0;
	world_init(&w);
	world_init(&other);
	w.options.listen = world_at("*", FIRST);
	return 0;
}

static int done(void **state)
{
	(void)state;
	world_end(&w);
	world_end(&other);
	return 0;
}

static void start(uint32_t n_lanes)
{
	assert_int_equal(world_start(&w, n_lanes), VPN_OK);
}

static vpn_status set_port(uint32_t port)
{
	w.err = (struct vpn_error){.size = sizeof(w.err)};
	return world_socket(&w)->set_port(w.udp, port, &w.err);
}

static void must_set_port(uint32_t port)
{
	if (set_port(port) != VPN_OK)
		fail_msg("set_port(%u): %s", port, w.err.text);
}

static struct vpn_socket_info info_of(const struct world *world)
{
	struct vpn_socket_info info = {.size = sizeof(info)};
	assert_int_equal(world_socket(world)->info(world->udp, &info), VPN_OK);
	assert_int_equal(info.size, sizeof(info));
	return info;
}

static int fd_of(uint32_t lane, uint32_t family)
{
	return w.udp->lanes[lane].sockets[family].fd;
}

/* All lanes' sockets in use are on this port. */
static void all_on(uint16_t port)
{
	for (uint32_t i = 0; i < w.host.n_lanes; i++)
		for (uint32_t k = 0; k < 2; k++)
			assert_int_equal(peer_port(fd_of(i, k)), port);
}

static void is_free(uint16_t port)
{
	close(peer_open("127.0.0.1", port));
	close(peer_open("::1", port));
}

/* One datagram in from a peer to this port, and one back that comes from it. */
static void talk(const char *host, uint16_t port)
{
	struct vpn_endpoint from;
	uint32_t before = w.n_arrived;
	int peer = peer_open(host, 0);
	peer_send(peer, host, port, 100, 7);
	world_await(&w, before + 1);
	world_check(&w, before, 100, 7);
	struct vpn_packet *p = world_packet(&w, 200, 8, &w.arrived[before].from);
	world_send(&w, &p, 1);
	peer_expect(peer, 200, 8, &from);
	assert_int_equal(from.port, port);
	close(peer);
}

static void talk_both(uint16_t port)
{
	talk("127.0.0.1", port);
	talk("::1", port);
}

/* ---- the port ---- */

static void moves(uint32_t n_lanes)
{
	start(n_lanes);
	talk_both(FIRST);
	must_set_port(SECOND);
	assert_int_equal(info_of(&w).port, SECOND);
	world_wake(&w);
	all_on(SECOND);
	is_free(FIRST);
	talk_both(SECOND);
}

static void moves_one_lane(void **state)
{
	(void)state;
	moves(1);
}

static void moves_two_lanes(void **state)
{
	(void)state;
	moves(2);
}

/* What is sent before the lane takes over goes to the old socket, after it to the new: all arrives. */
static void loses_nothing(uint32_t n_lanes)
{
	enum { PEERS = 8, EACH = 40 };
	int peers[PEERS];
	start(n_lanes);
	for (uint32_t i = 0; i < PEERS; i++)
		peers[i] = peer_open(i % 2 == 0 ? "127.0.0.1" : "::1", 0);
	for (uint32_t round = 0; round < 10; round++) {
		uint16_t from = (uint16_t)(FIRST + round), to = (uint16_t)(from + 1);
		uint32_t sent = w.n_arrived;
		must_set_port(to);
		for (uint32_t i = 0; i < PEERS * EACH; i++, sent++)
			peer_send(peers[i % PEERS], i % 2 == 0 ? "127.0.0.1" : "::1",
				  i < PEERS * EACH / 2 ? from : to, 50, (uint8_t)i);
		world_wake(&w);
		all_on(to);
		world_await(&w, sent);
		assert_int_equal(w.n_arrived, sent);
	}
	for (uint32_t i = 0; i < PEERS; i++)
		close(peers[i]);
}

static void loses_nothing_with_one_lane(void **state)
{
	(void)state;
	loses_nothing(1);
}

static void loses_nothing_with_two_lanes(void **state)
{
	(void)state;
	loses_nothing(2);
}

static void loses_nothing_without_coalescing(void **state)
{
	(void)state;
	w.options.offload = UDP_OFFLOAD_OFF;
	loses_nothing(1);
	assert_false(w.udp->lanes[0].sockets[0].coalesces);
}

static void offload_is_the_same_afterwards(void **state)
{
	(void)state;
	start(1);
	must_set_port(SECOND);
	world_wake(&w);
	assert_true(w.udp->lanes[0].sockets[0].segments);
	assert_true(w.udp->lanes[0].sockets[1].coalesces);
}

static void the_old_port_serves_until_the_lane_takes_over(void **state)
{
	(void)state;
	start(2);
	must_set_port(SECOND);
	all_on(FIRST);
	int peer = peer_open("127.0.0.1", 0);
	struct vpn_endpoint to = endpoint_at("127.0.0.1", peer_port(peer)), from;
	struct vpn_packet *p = world_packet(&w, 200, 8, &to);
	world_send(&w, &p, 1);
	peer_expect(peer, 200, 8, &from);
	assert_int_equal(from.port, FIRST);
	close(peer);
}

static void in_use(uint32_t n_lanes)
{
	other.options.listen = world_at("*", SECOND);
	assert_int_equal(world_start(&other, n_lanes), VPN_OK);
	start(n_lanes);
	int before = open_descriptors();
	assert_int_equal(set_port(SECOND), VPN_EBUSY);
	assert_int_equal(w.err.status, VPN_EBUSY);
	assert_int_equal(w.err.os_errno, EADDRINUSE);
	assert_string_equal(w.err.where, "/listen");
	assert_non_null(strstr(w.err.text, "ss -lunp 'sport = :21002'"));
	assert_int_equal(open_descriptors(), before);
	assert_int_equal(info_of(&w).port, FIRST);
	world_wake(&w);
	all_on(FIRST);
	talk_both(FIRST);
}

static void a_port_in_use_leaves_the_old_one(void **state)
{
	(void)state;
	in_use(1);
}

static void a_port_in_use_leaves_the_old_one_of_two_lanes(void **state)
{
	(void)state;
	in_use(2);
}

static void a_port_in_use_leaves_one_that_was_not_taken_yet(void **state)
{
	(void)state;
	other.options.listen = world_at("*", THIRD);
	world_must_start(&other);
	start(1);
	must_set_port(SECOND);
	assert_int_equal(set_port(THIRD), VPN_EBUSY);
	assert_int_equal(info_of(&w).port, SECOND);
	world_wake(&w);
	all_on(SECOND);
}

static void zero_has_the_system_choose(uint32_t n_lanes)
{
	start(n_lanes);
	must_set_port(0);
	uint16_t port = (uint16_t)info_of(&w).port;
	assert_true(port != 0 && port != FIRST);
	world_wake(&w);
	all_on(port);
	talk_both(port);
}

static void zero_has_the_system_choose_for_one_lane(void **state)
{
	(void)state;
	zero_has_the_system_choose(1);
}

static void zero_has_the_system_choose_for_two_lanes(void **state)
{
	(void)state;
	zero_has_the_system_choose(2);
}

static void the_same_port_changes_nothing(void **state)
{
	(void)state;
	start(2);
	int fd = fd_of(1, 1), before = open_descriptors();
	must_set_port(FIRST);
	assert_int_equal(w.woken[0] + w.woken[1], 0);
	assert_int_equal(open_descriptors(), before);
	assert_int_equal(fd_of(1, 1), fd);
}

static void a_number_that_is_no_port_is_refused(void **state)
{
	(void)state;
	start(1);
	assert_int_equal(set_port(65536), VPN_EINVAL);
	assert_non_null(strstr(w.err.text, "65536"));
	all_on(FIRST);
}

static void quick_changes(uint32_t n_lanes)
{
	start(n_lanes);
	int before = open_descriptors();
	for (uint32_t i = 0; i < 50; i++)
		must_set_port(i % 2 == 0 ? SECOND : THIRD);
	must_set_port(SECOND);
	is_free(THIRD);
	world_wake(&w);
	all_on(SECOND);
	is_free(FIRST);
	assert_int_equal(open_descriptors(), before);
	talk_both(SECOND);
}

static void quick_changes_leave_the_last_port(void **state)
{
	(void)state;
	quick_changes(1);
}

static void quick_changes_leave_the_last_port_for_two_lanes(void **state)
{
	(void)state;
	quick_changes(2);
}

static void back_before_the_lane_has_left(uint32_t n_lanes)
{
	start(n_lanes);
	int before = open_descriptors(), fd = fd_of(0, 0);
	must_set_port(SECOND);
	must_set_port(FIRST);
	assert_int_equal(info_of(&w).port, FIRST);
	is_free(SECOND);
	world_wake(&w);
	all_on(FIRST);
	assert_int_equal(fd_of(0, 0), fd);
	assert_int_equal(open_descriptors(), before);
	talk_both(FIRST);
}

static void goes_back_before_the_lane_has_left(void **state)
{
	(void)state;
	back_before_the_lane_has_left(1);
}

static void goes_back_before_two_lanes_have_left(void **state)
{
	(void)state;
	back_before_the_lane_has_left(2);
}

static void goes_back_when_one_lane_of_two_has_left(void **state)
{
	(void)state;
	start(2);
	int before = open_descriptors(), stays = fd_of(0, 0);
	must_set_port(SECOND);
	w.woken[0] = 0; /* lane 0 is late */
	world_wake(&w);
	assert_int_equal(peer_port(fd_of(0, 0)), FIRST);
	assert_int_equal(peer_port(fd_of(1, 0)), SECOND);
	must_set_port(FIRST);
	world_wake(&w);
	all_on(FIRST);
	assert_int_equal(fd_of(0, 0), stays);
	is_free(SECOND);
	assert_int_equal(open_descriptors(), before);
	talk_both(FIRST);
}

static void a_late_lane_takes_the_last_port(void **state)
{
	(void)state;
	start(2);
	must_set_port(SECOND);
	w.woken[0] = 0;
	world_wake(&w);
	must_set_port(THIRD);
	world_wake(&w);
	all_on(THIRD);
	is_free(FIRST);
	is_free(SECOND);
}

static void stop_closes_what_no_lane_has_taken(void **state)
{
	(void)state;
	int before = open_descriptors();
	start(2);
	must_set_port(SECOND);
	world_component()->lifecycle->stop(w.udp);
	assert_int_equal(open_descriptors(), before);
	is_free(SECOND);
	assert_int_equal(set_port(THIRD), VPN_ECLOSED);
	assert_int_equal(world_socket(&w)->set_fwmark(w.udp, 1, &w.err), VPN_ECLOSED);
	assert_int_equal(info_of(&w).port, 0);
}

static void a_fixed_address_stays(void **state)
{
	(void)state;
	w.options.listen = world_at("10.9.0.1", FIRST);
	start(1);
	must_set_port(SECOND);
	world_wake(&w);
	assert_int_equal(fd_of(0, 1), -1);
	union udp_name name;
	struct vpn_endpoint at, wanted = endpoint_at("10.9.0.1", SECOND);
	socklen_t len = sizeof(name);
	assert_int_equal(getsockname(fd_of(0, 0), &name.any, &len), 0);
	udp_address_from_name(&name, &at);
	assert_true(udp_address_is_peer(&wanted, &at));
	/* nobody is in the way at another address */
	close(peer_open("127.0.0.1", SECOND));
}

static void answers_still_leave_from_the_address_that_was_asked(void **state)
{
	struct vpn_endpoint from, asked = endpoint_at("10.9.0.1", SECOND);
	(void)state;
	start(1);
	int peer = peer_open("127.0.0.1", 0);
	peer_send(peer, "10.9.0.1", FIRST, 10, 3);
	world_await(&w, 1);
	must_set_port(SECOND);
	world_wake(&w);
	struct vpn_packet *p = world_packet(&w, 41, 9, &w.arrived[0].from);
	world_send(&w, &p, 1);
	peer_expect(peer, 41, 9, &from);
	assert_true(udp_address_is_peer(&asked, &from));
	close(peer);
}

static void a_full_old_socket_holds_nothing_up(void **state)
{
	(void)state;
	start(1);
	w.udp->lanes[0].blocked = true;
	w.udp->lanes[0].sockets[0].wants_out = true;
	must_set_port(SECOND);
	world_wake(&w);
	assert_int_equal(w.lanes[0].writable_down, 1);
	assert_false(w.udp->lanes[0].blocked);
	talk_both(SECOND);
}

static void waits_while_the_stage_above_is_full(void **state)
{
	(void)state;
	w.options.offload = UDP_OFFLOAD_OFF;
	start(1);
	int peer = peer_open("127.0.0.1", 0);
	w.lanes[0].room = 0;
	peer_send(peer, "127.0.0.1", FIRST, 10, 1); /* is dropped, and pauses reading */
	world_await_count(&w, RECEIVE_PAUSED, 1);
	peer_send(peer, "127.0.0.1", FIRST, 20, 2);
	must_set_port(SECOND);
	world_wake(&w);
	all_on(FIRST);
	w.lanes[0].room = UINT32_MAX;
	world_tick(&w, w.now_ns + UDP_SECOND);
	world_wake(&w);
	all_on(SECOND);
	assert_int_equal(w.n_arrived, 1);
	world_check(&w, 0, 20, 2);
	close(peer);
}

static void a_lane_does_not_wait_for_the_caller(void **state)
{
	(void)state;
	start(1);
	must_set_port(SECOND);
	pthread_mutex_lock(&w.udp->port_lock); /* as in the middle of another call */
	world_wake(&w);
	all_on(FIRST);
	pthread_mutex_unlock(&w.udp->port_lock);
	world_wake(&w);
	all_on(SECOND);
}

static void a_flood_does_not_hold_the_old_port(void **state)
{
	(void)state;
	w.options.offload = UDP_OFFLOAD_OFF;
	start(1);
	struct udp_lane *l = &w.udp->lanes[0];
	int peer = peer_open("127.0.0.1", 0);
	must_set_port(SECOND);
	w.woken[0] = 0;
	uint32_t calls = 0;
	while (peer_port(fd_of(0, 0)) == FIRST) {
		for (uint32_t i = 0; i < UDP_SMALL_SLOTS; i++)
			peer_send(peer, "127.0.0.1", FIRST, 1, 1);
		w.lanes[0].room = 1; /* the rest is dropped: this world keeps what arrives */
		l->resume_ns = 0;
		world_component()->flow->ready(w.udp, l->pub, VPN_TOKEN_WAKE, 0);
		assert_true(++calls < 1000);
	}
	all_on(SECOND);
	close(peer);
}

/* ---- the mark ---- */

static uint32_t mark_of(int fd)
{
	uint32_t mark = 0;
	socklen_t len = sizeof(mark);
	assert_int_equal(getsockopt(fd, SOL_SOCKET, SO_MARK, &mark, &len), 0);
	return mark;
}

static void all_marked(uint32_t mark)
{
	for (uint32_t i = 0; i < w.host.n_lanes; i++)
		for (uint32_t k = 0; k < 2; k++)
			assert_int_equal(mark_of(fd_of(i, k)), mark);
	assert_int_equal(info_of(&w).fwmark, mark);
}

static vpn_status set_mark(uint32_t mark)
{
	w.err = (struct vpn_error){.size = sizeof(w.err)};
	return world_socket(&w)->set_fwmark(w.udp, mark, &w.err);
}

static void the_mark_changes_everywhere(void **state)
{
	(void)state;
	w.options.fwmark = 3;
	start(2);
	all_marked(3);
	assert_int_equal(set_mark(0xfedcba98), VPN_OK);
	all_marked(0xfedcba98);
	assert_int_equal(set_mark(0), VPN_OK);
	all_marked(0);
}

static void sockets_that_wait_and_later_ones_have_the_mark(void **state)
{
	(void)state;
	start(2);
	must_set_port(SECOND);
	assert_int_equal(set_mark(7), VPN_OK);
	world_wake(&w);
	all_on(SECOND);
	all_marked(7);
	must_set_port(THIRD);
	world_wake(&w);
	all_on(THIRD);
	all_marked(7);
}

static void a_mark_without_privilege_says_so_and_changes_nothing(void **state)
{
	(void)state;
	w.options.fwmark = 3;
	start(2);
	refused_mark = 1;
	assert_int_equal(set_mark(4), VPN_EPERM);
	assert_string_equal(w.err.where, "/fwmark");
	assert_non_null(strstr(w.err.text, "CAP_NET_ADMIN"));
	all_marked(3);
	refused_mark = 1;
	/* the mark that is there needs no privilege */
	assert_int_equal(set_mark(3), VPN_OK);
}

static void a_mark_that_fails_half_way_is_taken_back(void **state)
{
	(void)state;
	w.options.fwmark = 3;
	start(1);
	refused_mark = 2;
	assert_int_equal(set_mark(4), VPN_EPERM);
	all_marked(3);
}

/* ---- what it tells ---- */

static void tells_whether_it_has_a_remote(void **state)
{
	(void)state;
	start(1);
	assert_int_equal(info_of(&w).flags, 0);
	other.options.remote = world_at("127.0.0.1", 9);
	world_must_start(&other);
	assert_int_equal(info_of(&other).flags, VPN_SOCKET_HAS_REMOTE);
	world_end(&other);
	world_init(&other);
	other.options.learn = 1;
	world_must_start(&other);
	assert_int_equal(info_of(&other).flags, VPN_SOCKET_HAS_REMOTE);
}

static void writes_no_more_than_there_is_room_for(void **state)
{
	struct vpn_socket_info info;
	(void)state;
	start(1);
	memset(&info, 0xaa, sizeof(info));
	info.size = offsetof(struct vpn_socket_info, fwmark);
	assert_int_equal(world_socket(&w)->info(w.udp, &info), VPN_OK);
	assert_int_equal(info.port, FIRST);
	assert_int_equal(info.fwmark, 0xaaaaaaaa);
}

/* ---- another thread ---- */

static atomic_bool finished;

static void *keep_changing(void *ctx)
{
	struct vpn_error err = {.size = sizeof(err)};
	struct vpn_socket_info info = {.size = sizeof(info)};
	uint32_t *failures = ctx;
	for (uint32_t i = 0; i < 300; i++) {
		if (world_socket(&w)->set_port(w.udp, FIRST + i % 3, &err) != VPN_OK)
			++*failures;
		if (world_socket(&w)->set_fwmark(w.udp, i, &err) != VPN_OK)
			++*failures;
		if (world_socket(&w)->info(w.udp, &info) != VPN_OK || info.fwmark != i)
			++*failures;
	}
	atomic_store(&finished, true);
	return NULL;
}

static void from_another_thread(uint32_t n_lanes)
{
	pthread_t thread;
	uint32_t failures = 0, i = 0;
	start(n_lanes);
	int peer = peer_open("127.0.0.1", 0);
	struct vpn_endpoint to = endpoint_at("127.0.0.1", peer_port(peer));
	atomic_store(&finished, false);
	assert_int_equal(pthread_create(&thread, NULL, keep_changing, &failures), 0);
	while (!atomic_load(&finished)) {
		struct vpn_packet *p = world_packet(&w, 100, (uint8_t)i, &to);
		world_send(&w, &p, 1);
		peer_expect(peer, 100, (uint8_t)i++, NULL);
		world_serve(&w, 0);
	}
	assert_int_equal(pthread_join(thread, NULL), 0);
	assert_int_equal(failures, 0);
	while (w.woken[0] + w.woken[n_lanes - 1] != 0)
		world_wake(&w);
	all_on((uint16_t)info_of(&w).port);
	all_marked(299);
	talk_both((uint16_t)info_of(&w).port);
	close(peer);
}

static void changes_from_another_thread(void **state)
{
	(void)state;
	from_another_thread(1);
}

/* ---- kept out of the tunnel ---- */

#define PROTECTED 0x00100000u /* a bit of the mark, as policy routing takes it */

static uint32_t protect_calls, protect_refuses; /* the call of this number fails; 0 = none */

static vpn_status protect(void *inst, int fd, uint32_t family, struct vpn_error *err)
{
	uint32_t mark = 0;
	socklen_t len = sizeof(mark);
	assert_ptr_equal(inst, &w);
	assert_true(family == VPN_AF_INET || family == VPN_AF_INET6);
	if (++protect_calls == protect_refuses) {
		strcpy(err->text, "refused by the routes");
		return err->status = VPN_EPERM;
	}
	assert_int_equal(getsockopt(fd, SOL_SOCKET, SO_MARK, &mark, &len), 0);
	mark |= PROTECTED;
	assert_int_equal(setsockopt(fd, SOL_SOCKET, SO_MARK, &mark, sizeof(mark)), 0);
	return VPN_OK;
}

static const struct vpn_protect_ext protector = {.size = sizeof(protector), .protect = protect};

static void all_sent_with(uint32_t mark)
{
	for (uint32_t i = 0; i < w.host.n_lanes; i++)
		for (uint32_t k = 0; k < 2; k++)
			assert_int_equal(mark_of(fd_of(i, k)), mark);
}

static void every_socket_is_kept_out_of_the_tunnel(void **state)
{
	(void)state;
	protect_calls = protect_refuses = 0;
	w.protect = &protector;
	start(2);
	all_sent_with(PROTECTED);
	must_set_port(SECOND);
	world_wake(&w);
	all_sent_with(PROTECTED);
	/* a mark of the user's own takes nothing away */
	assert_int_equal(world_socket(&w)->set_fwmark(w.udp, 7, &w.err), VPN_OK);
	all_sent_with(PROTECTED | 7);
	assert_int_equal(world_socket(&w)->set_fwmark(w.udp, 0, &w.err), VPN_OK);
	all_sent_with(PROTECTED);
}

static void a_socket_that_cannot_be_kept_out_is_not_used(void **state)
{
	(void)state;
	protect_calls = 0;
	protect_refuses = 3;
	w.protect = &protector;
	assert_int_equal(world_start(&w, 2), VPN_EPERM);
	assert_string_equal(w.err.text, "refused by the routes");
}

/* ---- who has subscribed ---- */

static uint32_t told;
static uint32_t told_port;

/* A subscriber may ask back. */
static void on_change(void *ctx)
{
	told++;
	told_port = info_of(ctx).port;
}

static void a_subscriber_hears_of_another_port_and_mark(void **state)
{
	(void)state;
	told = told_port = 0;
	start(1);
	world_socket(&w)->subscribe(w.udp, on_change, &w);
	must_set_port(SECOND);
	assert_int_equal(told, 1);
	assert_int_equal(told_port, SECOND);
	must_set_port(SECOND); /* which it is */
	assert_int_equal(told, 1);
	assert_int_equal(world_socket(&w)->set_fwmark(w.udp, 7, &w.err), VPN_OK);
	assert_int_equal(told, 2);
	other.options.listen = world_at("*", THIRD);
	world_must_start(&other);
	assert_int_equal(set_port(THIRD), VPN_EBUSY);
	assert_int_equal(told, 2);
	world_socket(&w)->subscribe(w.udp, NULL, NULL);
	world_wake(&w);
	must_set_port(FIRST);
	assert_int_equal(told, 2);
}

static void changes_from_another_thread_with_two_lanes(void **state)
{
	(void)state;
	from_another_thread(2);
}

#define CASE(name) cmocka_unit_test_setup_teardown(name, fresh, done)

int main(void)
{
	const struct CMUnitTest tests[] = {
		CASE(moves_one_lane),
		CASE(moves_two_lanes),
		CASE(loses_nothing_with_one_lane),
		CASE(loses_nothing_with_two_lanes),
		CASE(loses_nothing_without_coalescing),
		CASE(offload_is_the_same_afterwards),
		CASE(the_old_port_serves_until_the_lane_takes_over),
		CASE(a_port_in_use_leaves_the_old_one),
		CASE(a_port_in_use_leaves_the_old_one_of_two_lanes),
		CASE(a_port_in_use_leaves_one_that_was_not_taken_yet),
		CASE(zero_has_the_system_choose_for_one_lane),
		CASE(zero_has_the_system_choose_for_two_lanes),
		CASE(the_same_port_changes_nothing),
		CASE(a_number_that_is_no_port_is_refused),
		CASE(quick_changes_leave_the_last_port),
		CASE(quick_changes_leave_the_last_port_for_two_lanes),
		CASE(goes_back_before_the_lane_has_left),
		CASE(goes_back_before_two_lanes_have_left),
		CASE(goes_back_when_one_lane_of_two_has_left),
		CASE(a_late_lane_takes_the_last_port),
		CASE(stop_closes_what_no_lane_has_taken),
		CASE(a_fixed_address_stays),
		CASE(answers_still_leave_from_the_address_that_was_asked),
		CASE(a_full_old_socket_holds_nothing_up),
		CASE(waits_while_the_stage_above_is_full),
		CASE(a_lane_does_not_wait_for_the_caller),
		CASE(a_flood_does_not_hold_the_old_port),
		CASE(the_mark_changes_everywhere),
		CASE(sockets_that_wait_and_later_ones_have_the_mark),
		CASE(a_mark_without_privilege_says_so_and_changes_nothing),
		CASE(a_mark_that_fails_half_way_is_taken_back),
		CASE(every_socket_is_kept_out_of_the_tunnel),
		CASE(a_socket_that_cannot_be_kept_out_is_not_used),
		CASE(a_subscriber_hears_of_another_port_and_mark),
		CASE(tells_whether_it_has_a_remote),
		CASE(writes_no_more_than_there_is_room_for),
		CASE(changes_from_another_thread),
		CASE(changes_from_another_thread_with_two_lanes),
	};
	return cmocka_run_group_tests_name("udp port", tests, world_enter, NULL);
}
