/* SPDX-License-Identifier: BSD-2-Clause */
/* The loop of [main] and the reconciler: what was asked for is called back, and nothing after the end. */
/* clang-format off */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
/* clang-format on */

#include <netinet/in.h>
#include <pthread.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "fault.h"
#include "lane.h"
#include "mainloop.h"

#define MS UINT64_C(1000000)

struct world {
	uv_loop_t loop;
	struct mainloop m;
	int ends[2];
	int other[2];
	unsigned ready, expired, posted, runs, fights;
	uint32_t events;
	int32_t answer; /* of run() */
	uint64_t ran_ns[64];
	struct vpn_reconciler *r;
	bool stirs_itself;
};

static struct world w;

static int set_up(void **state)
{
	struct vpn_error err = VPN_ERROR_INIT;
	(void)state;
	memset(&w, 0, sizeof(w));
	assert_int_equal(uv_loop_init(&w.loop), 0);
	assert_int_equal(mainloop_init(&w.m, &w.loop, &err), VPN_OK);
	assert_int_equal(socketpair(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0, w.ends), 0);
	assert_int_equal(socketpair(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0, w.other), 0);
	return 0;
}

static int tear_down(void **state)
{
	(void)state;
	mainloop_clear(&w.m);
	mainloop_clear(&w.m);
	uv_run(&w.loop, UV_RUN_DEFAULT);
	assert_int_equal(uv_loop_close(&w.loop), 0); /* nothing of it is left */
	pthread_mutex_destroy(&w.m.lock);
	for (int i = 0; i < 2; i++) {
		close(w.ends[i]);
		close(w.other[i]);
	}
	return 0;
}

/* ---- descriptors --------------------------------------------------------------------------------- */

static void on_ready(void *ctx, int fd, uint32_t events)
{
	char byte;
	assert_ptr_equal(ctx, &w);
	assert_int_equal(fd, w.ends[0]);
	w.ready++;
	w.events = events;
	if ((events & VPN_POLLIN) != 0)
		(void)recv(fd, &byte, 1, MSG_DONTWAIT);
}

static void tells_of_what_can_be_read(void **state)
{
	(void)state;
	assert_int_equal(mainloop_ext.watch(&w.m, w.ends[0], VPN_POLLIN, on_ready, &w), VPN_OK);
	uv_run(&w.loop, UV_RUN_NOWAIT);
	assert_int_equal(w.ready, 0);
	assert_int_equal(write(w.ends[1], "a", 1), 1);
	assert_int_equal(write(w.ends[1], "b", 1), 1);
	uv_run(&w.loop, UV_RUN_ONCE);
	assert_int_equal(w.events, VPN_POLLIN);
	uv_run(&w.loop, UV_RUN_ONCE);
	assert_int_equal(w.ready, 2);
	/* other events take the place of the old */
	assert_int_equal(mainloop_ext.watch(&w.m, w.ends[0], VPN_POLLOUT, on_ready, &w), VPN_OK);
	uv_run(&w.loop, UV_RUN_ONCE);
	assert_int_equal(w.events, VPN_POLLOUT);
	assert_int_equal(mainloop_ext.watch(&w.m, w.ends[0], 0, NULL, NULL), VPN_OK);
	assert_int_equal(mainloop_ext.watch(&w.m, w.ends[0], 0, NULL, NULL), VPN_OK);
	unsigned before = w.ready;
	assert_int_equal(write(w.ends[1], "c", 1), 1);
	uv_run(&w.loop, UV_RUN_NOWAIT);
	assert_int_equal(w.ready, before);
}

/* The peer of a UDP socket is not there: an error waits at the socket, as after a lost netlink message. */
static void an_error_is_told_and_the_watch_goes_on(void **state)
{
	struct sockaddr_in to = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	socklen_t len = sizeof(to);
	(void)state;
	close(w.ends[0]);
	close(w.ends[1]);
	w.ends[0] = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	w.ends[1] = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	assert_int_equal(bind(w.ends[1], (struct sockaddr *)&to, sizeof(to)), 0);
	assert_int_equal(getsockname(w.ends[1], (struct sockaddr *)&to, &len), 0);
	assert_int_equal(connect(w.ends[0], (struct sockaddr *)&to, sizeof(to)), 0);
	close(w.ends[1]);
	w.ends[1] = -1;
	assert_int_equal(mainloop_ext.watch(&w.m, w.ends[0], VPN_POLLIN, on_ready, &w), VPN_OK);
	for (unsigned i = 1; i <= 2; i++) {
		assert_int_equal(send(w.ends[0], "x", 1, 0), 1);
		uv_run(&w.loop, UV_RUN_ONCE);
		assert_int_equal(w.ready, i);
		assert_true((w.events & VPN_POLLERR) != 0 && (w.events & VPN_POLLIN) != 0);
	}
}

static void end_both(void *ctx, int fd, uint32_t events)
{
	(void)ctx;
	(void)fd;
	(void)events;
	w.ready++;
	mainloop_ext.watch(&w.m, w.ends[0], 0, NULL, NULL);
	mainloop_ext.watch(&w.m, w.other[0], 0, NULL, NULL);
}

static void a_watch_may_be_ended_from_within_another(void **state)
{
	(void)state;
	assert_int_equal(mainloop_ext.watch(&w.m, w.ends[0], VPN_POLLIN, end_both, NULL), VPN_OK);
	assert_int_equal(mainloop_ext.watch(&w.m, w.other[0], VPN_POLLIN, end_both, NULL), VPN_OK);
	assert_int_equal(write(w.ends[1], "a", 1), 1);
	assert_int_equal(write(w.other[1], "a", 1), 1);
	for (int i = 0; i < 4; i++)
		uv_run(&w.loop, UV_RUN_NOWAIT);
	assert_int_equal(w.ready, 1);
}

/* ---- deadlines and calls ------------------------------------------------------------------------- */

static void on_expired(void *ctx)
{
	++*(unsigned *)ctx;
}

static void a_deadline_passes_once_and_not_too_early(void **state)
{
	unsigned other = 0;
	(void)state;
	uint64_t at = lane_now_ns() + 20 * MS;
	mainloop_ext.arm(&w.m, at, on_expired, &w.expired);
	mainloop_ext.arm(&w.m, at + 1000000 * MS, on_expired, &other);
	while (w.expired == 0)
		uv_run(&w.loop, UV_RUN_ONCE);
	assert_true(lane_now_ns() >= at);
	uv_run(&w.loop, UV_RUN_NOWAIT);
	assert_int_equal(w.expired, 1);
	assert_int_equal(other, 0);
	/* the new takes the place of the old; 0 removes it */
	mainloop_ext.arm(&w.m, 1, on_expired, &other);
	mainloop_ext.arm(&w.m, 1, on_expired, &w.expired);
	mainloop_ext.arm(&w.m, 0, on_expired, &w.expired);
	while (other == 0)
		uv_run(&w.loop, UV_RUN_ONCE);
	assert_int_equal(w.expired, 1);
}

static void on_post(void *ctx)
{
	assert_ptr_equal(ctx, &w);
	w.posted++;
}

static void *post_from_thread(void *arg)
{
	(void)arg;
	for (unsigned i = 0; i < 1000; i++)
		assert_int_equal(mainloop_ext.post(&w.m, on_post, &w), VPN_OK);
	return NULL;
}

static void a_call_from_another_thread_comes_at_least_once(void **state)
{
	pthread_t thread;
	(void)state;
	uv_timer_t alive; /* the loop's owner has something of its own */
	uv_timer_init(&w.loop, &alive);
	uv_timer_start(&alive, (uv_timer_cb)(void (*)(void))on_expired, 1000000, 0);
	assert_int_equal(pthread_create(&thread, NULL, post_from_thread, NULL), 0);
	while (w.posted == 0)
		uv_run(&w.loop, UV_RUN_ONCE);
	pthread_join(thread, NULL);
	uv_run(&w.loop, UV_RUN_NOWAIT);
	assert_true(w.posted >= 1 && w.posted <= 1000);
	unsigned before = w.posted;
	mainloop_ext.post(&w.m, on_post, &w);
	mainloop_ext.post(&w.m, on_post, &w);
	uv_run(&w.loop, UV_RUN_NOWAIT);
	assert_int_equal(w.posted, before + 1);
	uv_close((uv_handle_t *)&alive, NULL);
	uv_run(&w.loop, UV_RUN_NOWAIT);
}

static void nothing_is_called_after_the_end(void **state)
{
	(void)state;
	mainloop_ext.watch(&w.m, w.ends[0], VPN_POLLIN, on_ready, &w);
	mainloop_ext.arm(&w.m, 1, on_expired, &w.expired);
	mainloop_ext.post(&w.m, on_post, &w);
	assert_int_equal(write(w.ends[1], "a", 1), 1);
	mainloop_clear(&w.m);
	uv_run(&w.loop, UV_RUN_DEFAULT);
	assert_int_equal(mainloop_ext.post(&w.m, on_post, &w), VPN_OK);
	uv_run(&w.loop, UV_RUN_DEFAULT);
	assert_int_equal(w.ready + w.expired + w.posted, 0);
}

/* ---- the reconciler ------------------------------------------------------------------------------ */

static int32_t on_run(void *ctx)
{
	assert_ptr_equal(ctx, &w);
	if (w.runs < sizeof(w.ran_ns) / sizeof(w.ran_ns[0]))
		w.ran_ns[w.runs] = lane_now_ns();
	w.runs++;
	if (w.stirs_itself)
		reconcile_ext.stir(w.r);
	return w.answer;
}

static void on_fight(void *ctx, uint32_t repairs)
{
	(void)ctx;
	assert_true(repairs >= 3);
	w.fights++;
}

static void open_reconciler(uint32_t settle_ms, uint32_t window_ms)
{
	const struct vpn_reconcile spec = {.size = sizeof(spec),
					   .settle_ms = settle_ms,
					   .most = 3,
					   .window_ms = window_ms,
					   .ctx = &w,
					   .run = on_run,
					   .fight = on_fight};
	w.r = reconcile_ext.open(&w.m, &spec);
	assert_non_null(w.r);
}

static void until_runs(unsigned n)
{
	while (w.runs < n)
		assert_true(uv_run(&w.loop, UV_RUN_ONCE) != 0 || w.runs >= n);
}

static void runs_once_when_it_has_settled(void **state)
{
	(void)state;
	open_reconciler(20, 1000);
	uint64_t before = lane_now_ns();
	for (int i = 0; i < 100; i++)
		reconcile_ext.stir(w.r);
	until_runs(1);
	assert_true(w.ran_ns[0] >= before + 20 * MS);
	assert_int_equal(uv_run(&w.loop, UV_RUN_NOWAIT), 0); /* nothing is waited for */
	assert_int_equal(w.runs, 1);
}

static void runs_at_last_when_it_never_settles(void **state)
{
	(void)state;
	open_reconciler(5, 1000);
	while (w.runs == 0) { /* each time before it could settle */
		reconcile_ext.stir(w.r);
		uv_run(&w.loop, UV_RUN_NOWAIT);
	}
	assert_int_equal(w.runs, 1);
}

static void gives_way_to_one_who_undoes_everything(void **state)
{
	(void)state;
	open_reconciler(0, 200);
	w.answer = 1;
	w.stirs_itself = true;
	reconcile_ext.stir(w.r);
	until_runs(7);
	/* three in one window, then not before it is over */
	assert_true(w.ran_ns[3] - w.ran_ns[0] >= 200 * MS);
	assert_true(w.ran_ns[6] - w.ran_ns[3] >= 200 * MS);
	assert_int_equal(w.fights, 1); /* one fight, however long */
	w.stirs_itself = false;
}

static void tries_again_after_a_failure(void **state)
{
	(void)state;
	open_reconciler(0, 30);
	w.answer = VPN_EIO;
	reconcile_ext.stir(w.r);
	until_runs(1);
	w.answer = 0;
	until_runs(2);
	assert_true(w.ran_ns[1] - w.ran_ns[0] >= 29 * MS);
	assert_int_equal(w.fights, 0);
	reconcile_ext.close(w.r);
	reconcile_ext.close(NULL);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(tells_of_what_can_be_read),
		TEST(an_error_is_told_and_the_watch_goes_on),
		TEST(a_watch_may_be_ended_from_within_another),
		TEST(a_deadline_passes_once_and_not_too_early),
		TEST(a_call_from_another_thread_comes_at_least_once),
		TEST(nothing_is_called_after_the_end),
		TEST(runs_once_when_it_has_settled),
		TEST(runs_at_last_when_it_never_settles),
		TEST(gives_way_to_one_who_undoes_everything),
		TEST(tries_again_after_a_failure),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
