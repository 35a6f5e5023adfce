/* SPDX-License-Identifier: BSD-2-Clause */
/* test_services: clocks, chance, packets, timers, watches, wakes, names and faults of the test
 * host. */
#include "puppet.h"

#include <pthread.h>
#include <string.h>
#include <unistd.h>

static uint32_t got[3]; /* of alloc() by pool */
static uint32_t want;

static uint32_t alloc_some(struct vpn_lane *lane, uint64_t token, uint32_t events)
{
	struct vpn_packet *pkts[64];
	(void)events;
	uint32_t pool = (uint32_t)token;
	got[pool] = services->alloc(lane, pool, pkts, want);
	for (uint32_t i = 0; i < got[pool]; i++) {
		assert_int_equal(pkts[i]->len, 0);
		assert_int_equal(pkts[i]->off, 12);
		assert_true(vpn_packet_tailroom(pkts[i]) >= 1420 + 8);
		assert_int_equal((uintptr_t)vpn_packet_data(pkts[i]) % 64, 0);
		memset(pkts[i]->buf, 1, pkts[i]->cap);
	}
	services->release(lane, pkts, got[pool]);
	return VPN_IDLE;
}

static void packets_have_the_room_that_was_asked_for(void **state)
{
	(void)state;
	moves.needs = (struct vpn_needs){.headroom = 12, .tailroom = 8, .overhead = 20};
	moves.ready = alloc_some;
	struct testhost_stage *s = running();
	want = 5;
	for (uint32_t pool = 0; pool < 3; pool++) {
		testhost_ready(s, 0, pool, VPN_POLLIN);
		assert_int_equal(got[pool], 5);
	}
}

static void a_pool_ends(void **state)
{
	(void)state;
	moves.needs = (struct vpn_needs){.headroom = 12, .tailroom = 8, .overhead = 20};
	moves.ready = alloc_some;
	struct testhost_stage *s = testhost_add(host, &puppet,
						&(struct testhost_setup){.pool_size = 3}, NULL);
	testhost_start(s, NULL);
	want = 5;
	testhost_ready(s, 0, VPN_POOL_TX, 0);
	assert_int_equal(got[VPN_POOL_TX], 3);
}

static void alloc_fails_at_the_call_that_was_named(void **state)
{
	(void)state;
	moves.needs = (struct vpn_needs){.headroom = 12, .tailroom = 8, .overhead = 20};
	moves.ready = alloc_some;
	struct testhost_stage *s = running();
	const uint32_t once[] = {1, 0, 1, 1, 1}, every[] = {1, 0, 1, 0, 1};
	want = 1;
	testhost_fail_alloc(host, 2, false);
	for (int i = 0; i < 5; i++) {
		testhost_ready(s, 0, VPN_POOL_RX, 0);
		assert_int_equal(got[VPN_POOL_RX], once[i]);
	}
	testhost_fail_alloc(host, 2, true);
	for (int i = 0; i < 5; i++) {
		testhost_ready(s, 0, VPN_POOL_RX, 0);
		assert_int_equal(got[VPN_POOL_RX], every[i]);
	}
}

static uint32_t split_up(struct vpn_lane *lane, struct vpn_packet **pkts, uint32_t n)
{
	struct vpn_packet *pieces[8];
	assert_int_equal(n, 1);
	assert_int_equal(services->split(lane, pkts[0], 3, pieces, 2),
			 0); /* does not fit: left alone */
	uint32_t k = services->split(lane, pkts[0], 3, pieces, 8);
	assert_int_equal(k, 3);
	assert_int_equal(vpn_push(lane->up, pieces, k), k);
	return 1;
}

static void splits_a_packet_into_pieces(void **state)
{
	(void)state;
	struct vpn_endpoint from = testhost_endpoint("192.0.2.9:99");
	moves.recv = split_up;
	struct testhost_stage *s = running();
	assert_true(testhost_recv(s, 0, "abcdefgh", 8, &from));
	const char *const parts[] = {"abc", "def", "gh"};
	for (int i = 0; i < 3; i++) {
		const struct testhost_record *r = testhost_next(s, 0, VPN_UP);
		TESTHOST_SAME_BYTES(r->data, r->len, parts[i], strlen(parts[i]));
		assert_true(r->has_endpoint);
		assert_memory_equal(&r->endpoint, &from, sizeof(from));
	}
}

static uint64_t ticks[8];
static uint32_t n_ticks;

static void tick(struct vpn_lane *lane, uint64_t now_ns)
{
	assert_int_equal(now_ns, lane->now_ns);
	ticks[n_ticks++ % 8] = now_ns;
	services->arm(lane, now_ns + 100);
}

static vpn_status arm(struct vpn_lane *const *lanes, struct vpn_error *err)
{
	(void)err;
	services->arm(lanes[0], services->now_ns(services) + 100);
	return VPN_OK;
}

static void timers_run_on_the_tests_clock(void **state)
{
	(void)state;
	moves.start = arm;
	moves.timer = tick;
	n_ticks = 0;
	struct testhost_stage *s = running();
	uint64_t begin = testhost_now(host), wall = services->wall_ns(services);
	testhost_advance(host, 99);
	assert_int_equal(n_ticks, 0);
	testhost_advance(host, 1);
	assert_int_equal(n_ticks, 1);
	testhost_advance(host, 350);
	assert_int_equal(n_ticks, 4);
	assert_int_equal(ticks[3], begin + 400);
	assert_int_equal(testhost_now(host), begin + 450);
	assert_int_equal(services->wall_ns(services), wall + 450);
	assert_int_equal(testhost_deadline(s, 0), begin + 500);
	testhost_set_wall(host, 7);
	assert_int_equal(services->wall_ns(services), 7);
	testhost_stop(s);
	testhost_advance(host, 1000);
	assert_int_equal(n_ticks, 4);
}

static void chance_follows_the_seed(void **state)
{
	(void)state;
	uint8_t first[16], second[16], third[16];
	running();
	services->random(services, first, sizeof(first));
	testhost_free(host);
	host = testhost_new(42);
	running();
	services->random(services, second, sizeof(second));
	services->random(services, third, sizeof(third));
	assert_memory_equal(first, second, sizeof(first));
	assert_memory_not_equal(second, third, sizeof(first));
}

static int fds[2];
static uint64_t seen_token;
static uint32_t seen_events;

static vpn_status watch(struct vpn_lane *const *lanes, struct vpn_error *err)
{
	(void)err;
	return services->watch(lanes[0], fds[0], VPN_POLLIN, 77);
}

static uint32_t see(struct vpn_lane *lane, uint64_t token, uint32_t events)
{
	char c;
	seen_token = token;
	seen_events = events;
	if (token == 77 && read(fds[0], &c, 1) == 1)
		services->watch(lane, fds[0], 0, 0);
	return VPN_IDLE;
}

static void watches_are_recorded_and_polled(void **state)
{
	(void)state;
	struct testhost_watch w;
	moves.start = watch;
	moves.ready = see;
	assert_int_equal(pipe(fds), 0);
	struct testhost_stage *s = running();
	assert_int_equal(testhost_watches(s, 0, &w, 1), 1);
	assert_int_equal(w.fd, fds[0]);
	assert_int_equal(w.events, VPN_POLLIN);
	assert_int_equal(w.token, 77);
	assert_int_equal(testhost_poll(host, 0), 0);
	assert_int_equal(write(fds[1], "x", 1), 1);
	assert_int_equal(testhost_poll(host, 0), 1);
	assert_int_equal(seen_token, 77);
	assert_int_equal(seen_events, VPN_POLLIN);
	assert_int_equal(testhost_watches(s, 0, NULL, 0), 0);
	close(fds[0]);
	close(fds[1]);
}

static void a_service_fails_when_told_to(void **state)
{
	(void)state;
	moves.start = watch;
	assert_int_equal(pipe(fds), 0);
	testhost_fail_service(host, 1, VPN_ENOMEM);
	struct testhost_stage *s = testhost_add(host, &puppet, NULL, NULL);
	assert_int_equal(testhost_start(s, NULL), VPN_ENOMEM);
	expect_report("without saying so"); /* the puppet does not explain it */
	close(fds[0]);
	close(fds[1]);
}

static uint32_t three_times(struct vpn_lane *lane, uint64_t token, uint32_t events)
{
	(void)events;
	seen_token = token;
	return lane->counters[PUPPET_SEEN] < 3 ? VPN_MORE : VPN_IDLE;
}

static void a_wake_calls_ready_until_it_is_idle(void **state)
{
	(void)state;
	moves.ready = three_times;
	struct testhost_stage *s = running();
	services->wake(services, 0);
	services->wake(services, 0);
	assert_int_equal(testhost_counter(s, "seen"), 0);
	testhost_run(host);
	assert_int_equal(testhost_counter(s, "seen"), 3);
	assert_int_equal(seen_token, VPN_TOKEN_WAKE);
	testhost_run(host);
	assert_int_equal(testhost_counter(s, "seen"), 3);
}

static void *call_from_outside(void *ctx)
{
	uint8_t bytes[8];
	(void)ctx;
	for (int i = 0; i < 100; i++) {
		services->log(services, VPN_LOG_INFO, "from a thread");
		services->random(services, bytes, sizeof(bytes));
		services->notify(services, VPN_EVENT_LINK_UP, services->now_ns(services));
		services->wake(services, 0);
	}
	return NULL;
}

static void threads_of_the_component_may_call_any_services(void **state)
{
	(void)state;
	pthread_t thread;
	struct testhost_stage *s = running();
	assert_int_equal(pthread_create(&thread, NULL, call_from_outside, NULL), 0);
	for (int i = 0; i < 100; i++)
		testhost_advance(host, 10);
	assert_int_equal(pthread_join(thread, NULL), 0);
	testhost_run(host);
	assert_true(testhost_counter(s, "seen") > 0);
	assert_int_equal(testhost_notified(s, VPN_EVENT_LINK_UP, NULL), 100);
	assert_true(testhost_logged(host, VPN_LOG_INFO, "from a thread"));
}

static void *release_from_outside(void *ctx)
{
	services->release(ctx, NULL, 0);
	return NULL;
}

static uint32_t start_thread(struct vpn_lane *lane, uint64_t token, uint32_t events)
{
	pthread_t thread;
	(void)token;
	(void)events;
	assert_int_equal(pthread_create(&thread, NULL, release_from_outside, lane), 0);
	assert_int_equal(pthread_join(thread, NULL), 0);
	return VPN_IDLE;
}

static void other_threads_may_not_call_services_of_a_lane(void **state)
{
	(void)state;
	moves.ready = start_thread;
	testhost_ready(running(), 0, 0, 0);
	expect_report("another thread");
}

static struct vpn_endpoint answers[4];
static uint32_t n_answers;
static vpn_status answer_status;

static void resolved(struct vpn_lane *lane, uint64_t token, vpn_status status,
		     const struct vpn_endpoint *endpoints, uint32_t n)
{
	(void)lane;
	seen_token = token;
	answer_status = status;
	n_answers = n;
	if (n != 0)
		memcpy(answers, endpoints, n * sizeof(*endpoints));
}

static uint32_t ask(struct vpn_lane *lane, uint64_t token, uint32_t events)
{
	(void)token;
	services->resolve(lane, "host.example", 700, events, 31);
	return VPN_IDLE;
}

static void names_are_answered_by_the_script(void **state)
{
	(void)state;
	const struct vpn_endpoint both[] = {testhost_endpoint("192.0.2.7:0"),
					    testhost_endpoint("[2001:db8::7]:0")};
	moves.ready = ask;
	moves.resolved = resolved;
	struct testhost_stage *s = running();
	testhost_ready(s, 0, 0, VPN_AF_NONE);
	testhost_run(host);
	assert_int_equal(answer_status, VPN_EADDR);
	assert_int_equal(n_answers, 0);
	testhost_answer(host, "host.example", VPN_OK, both, 2);
	testhost_ready(s, 0, 0, VPN_AF_NONE);
	testhost_run(host);
	assert_int_equal(seen_token, 31);
	assert_int_equal(answer_status, VPN_OK);
	assert_int_equal(n_answers, 2);
	assert_int_equal(answers[1].port, 700);
	testhost_ready(s, 0, 0, VPN_AF_INET6);
	testhost_run(host);
	assert_int_equal(n_answers, 1);
	assert_int_equal(answers[0].family, VPN_AF_INET6);
	assert_int_equal(testhost_resolve_calls(host, "host.example"), 3);
	assert_int_equal(testhost_resolve_calls(host, "other.example"), 0);
}

static uint32_t tell(struct vpn_lane *lane, uint64_t token, uint32_t events)
{
	const struct vpn_error err = {
		.size = sizeof(err), .status = VPN_ECLOSED, .text = "the device is gone"};
	(void)token;
	(void)events;
	services->log(services, VPN_LOG_WARN, "the weather changes");
	services->notify(services, VPN_EVENT_MTU, 1300);
	services->writable(lane, VPN_DOWN);
	(services->fail)(services, &err); /* cmocka has a macro of that name */
	return VPN_IDLE;
}

static void what_a_stage_tells_is_kept(void **state)
{
	(void)state;
	uint64_t value = 0;
	moves.ready = tell;
	struct testhost_stage *s = running();
	assert_null(testhost_failed(s));
	testhost_ready(s, 0, 0, 0);
	assert_true(testhost_logged(host, VPN_LOG_WARN, "weather"));
	assert_false(testhost_logged(host, VPN_LOG_ERROR, "weather"));
	assert_int_equal(testhost_notified(s, VPN_EVENT_MTU, &value), 1);
	assert_int_equal(value, 1300);
	assert_int_equal(testhost_writable_calls(s, 0, VPN_DOWN), 1);
	assert_string_equal(testhost_failed(s)->text, "the device is gone");
}

static const void *found;
static void *found_inst;

static vpn_status look_up(struct vpn_lane *const *lanes, struct vpn_error *err)
{
	(void)lanes;
	(void)err;
	found = services->get_service(services, "org.example.clock/1", &found_inst);
	return VPN_OK;
}

static void services_of_others_are_found_by_id(void **state)
{
	(void)state;
	static const int functions = 1;
	static int inst;
	moves.start = look_up;
	running();
	assert_null(found);
	testhost_serve(host, "org.example.clock/1", &functions, &inst);
	running();
	assert_ptr_equal(found, &functions);
	assert_ptr_equal(found_inst, &inst);
}

static void a_limited_link_takes_no_more(void **state)
{
	(void)state;
	struct vpn_packet *pkts[4];
	struct testhost_stage *s = running();
	testhost_limit(s, 0, VPN_DOWN, 3);
	for (int i = 0; i < 4; i++)
		pkts[i] = testhost_packet(s, 0, VPN_DOWN, "data", 4);
	assert_int_equal(testhost_offer(s, 0, VPN_DOWN, pkts, 4), 3);
	assert_int_equal(testhost_offer(s, 0, VPN_DOWN, pkts + 3, 1), 0);
	testhost_limit(s, 0, VPN_DOWN, UINT32_MAX);
	assert_int_equal(testhost_writable(s, 0, VPN_DOWN), VPN_IDLE);
	assert_int_equal(testhost_counter(s, "seen"), 100);
	assert_int_equal(testhost_offer(s, 0, VPN_DOWN, pkts + 3, 1), 1);
	assert_int_equal(testhost_waiting(s, 0, VPN_DOWN), 4);
	testhost_clear(s, 0, VPN_DOWN);
	assert_int_equal(testhost_waiting(s, 0, VPN_DOWN), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(packets_have_the_room_that_was_asked_for),
		TEST(a_pool_ends),
		TEST(alloc_fails_at_the_call_that_was_named),
		TEST(splits_a_packet_into_pieces),
		TEST(timers_run_on_the_tests_clock),
		TEST(chance_follows_the_seed),
		TEST(watches_are_recorded_and_polled),
		TEST(a_service_fails_when_told_to),
		TEST(a_wake_calls_ready_until_it_is_idle),
		TEST(threads_of_the_component_may_call_any_services),
		TEST(other_threads_may_not_call_services_of_a_lane),
		TEST(names_are_answered_by_the_script),
		TEST(what_a_stage_tells_is_kept),
		TEST(services_of_others_are_found_by_id),
		TEST(a_limited_link_takes_no_more),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
