/* SPDX-License-Identifier: BSD-2-Clause */
/* One instance on the test host: what it does with packets, devices and networks that misbehave. */
#include <string.h>

#include "kcp_world.h"

static struct world w;

static void begin(void)
{
	world_init(&w);
	world_start(&w, 0);
	world_mark(&w);
}

static void a_message_leaves_in_its_own_packet_behind_a_header(void **state)
{
	struct kcp_segment s;
	(void)state;
	begin();
	assert_true(world_send(&w, 0, 5, 1000));
	assert_true(world_heard(&w, 0, &s, NULL));
	assert_int_equal(s.cmd, KCP_CMD_PUSH);
	assert_int_equal(s.sn, 0);
	assert_int_equal(s.len, 1000);
	assert_int_not_equal(s.conv, 0);
	assert_false(world_heard(&w, 0, &s, NULL));
	world_end(&w);
}

static void a_conversation_that_is_prescribed_is_used(void **state)
{
	struct kcp_segment s;
	(void)state;
	world_init(&w);
	w.options[0].conv = 77;
	world_start(&w, 0);
	assert_true(world_send(&w, 0, 0, 100));
	assert_true(world_heard(&w, 0, &s, NULL));
	assert_int_equal(s.conv, 77);
	world_end(&w);
}

static void a_batch_leaves_in_one_push(void **state)
{
	struct vpn_packet *pkts[4];
	const struct testhost_record *r;
	uint8_t bytes[1400] = {1};
	(void)state;
	begin();
	for (uint32_t i = 0; i < 4; i++)
		pkts[i] = testhost_packet(w.stage[0], 0, VPN_DOWN, bytes, sizeof(bytes));
	assert_int_equal(testhost_offer(w.stage[0], 0, VPN_DOWN, pkts, 4), 4);
	for (uint32_t i = 0; i < 4; i++) {
		r = testhost_next(w.stage[0], 0, VPN_DOWN);
		assert_non_null(r);
		assert_int_equal(r->push, 1);
	}
	world_end(&w);
}

static void an_empty_message_is_dropped_and_counted(void **state)
{
	(void)state;
	begin();
	assert_true(world_send(&w, 0, 0, 0));
	assert_int_equal(testhost_waiting(w.stage[0], 0, VPN_DOWN), 0);
	world_only_drop(&w, 0, KCP_DROP_EMPTY, 1);
	world_end(&w);
}

static void junk_is_counted_by_what_is_wrong(void **state)
{
	static const struct {
		uint32_t len;
		uint8_t cmd;
		enum kcp_count reason;
	} junk[] = {
		{1, 81, KCP_DROP_SHORT},    {23, 81, KCP_DROP_SHORT},    {24, 80, KCP_DROP_COMMAND},
		{24, 85, KCP_DROP_COMMAND}, {100, 81, KCP_DROP_COMMAND},
	};
	uint8_t bytes[128] = {0};
	(void)state;
	for (uint32_t i = 0; i < sizeof(junk) / sizeof(junk[0]); i++) {
		begin();
		memset(bytes, 0xff, sizeof(bytes));
		bytes[4] = junk[i].cmd;
		assert_true(testhost_recv(w.stage[0], 0, bytes, junk[i].len, NULL));
		world_only_drop(&w, 0, junk[i].reason, 1);
		assert_int_equal(w.k[0]->sessions.count, 0);
		world_end(&w);
	}
}

static void a_full_network_holds_the_device_and_loses_nothing(void **state)
{
	(void)state;
	begin();
	testhost_limit(w.stage[0], 0, VPN_DOWN, 0);
	uint32_t n = 0;
	while (world_send(&w, 0, n, 1000) && n < 2000)
		n++;
	assert_in_range(n, 200, 1000);
	assert_int_equal(testhost_drops(w.stage[0]), 0);
	testhost_limit(w.stage[0], 0, VPN_DOWN, UINT32_MAX);
	(void)testhost_writable(w.stage[0], 0, VPN_DOWN);
	assert_true(testhost_waiting(w.stage[0], 0, VPN_DOWN) != 0);
	world_end(&w);
}

static void a_full_device_closes_the_window(void **state)
{
	struct kcp_segment in = {.conv = 9, .cmd = KCP_CMD_PUSH, .wnd = 128, .len = 100}, out;
	uint32_t window = 256, n = 0;
	(void)state;
	begin();
	testhost_limit(w.stage[0], 0, VPN_UP, 10);
	for (in.sn = 0; in.sn < 1200; in.sn++)
		world_say(&w, 0, NULL, &in, in.sn);
	while (world_heard(&w, 0, &out, NULL))
		window = out.wnd;
	assert_int_equal(window, 0);
	assert_int_equal(testhost_drops(w.stage[0]), 0);
	testhost_limit(w.stage[0], 0, VPN_UP, UINT32_MAX);
	(void)testhost_writable(w.stage[0], 0, VPN_UP);
	testhost_run(w.host);
	while (testhost_waiting(w.stage[0], 0, VPN_UP) != 0)
		world_expect(&w, 0, n++, 100);
	assert_in_range(n, 256, 256 + 10 + 512);
	/* and the peer is told */
	assert_true(world_heard(&w, 0, &out, NULL));
	assert_int_equal(out.cmd, KCP_CMD_WINS);
	assert_int_equal(out.wnd, 256);
	world_end(&w);
}

static void waits_for_packets_that_are_missing(void **state)
{
	struct kcp_segment in = {.conv = 9, .cmd = KCP_CMD_PUSH, .wnd = 128, .len = 100};
	(void)state;
	begin();
	for (in.sn = 63; in.sn != 0; in.sn--)
		world_say(&w, 0, NULL, &in, in.sn);
	testhost_fail_alloc(w.host, 1, true);
	world_say(&w, 0, NULL, &in, 0);
	testhost_advance(w.host, 50 * WORLD_MS);
	testhost_fail_alloc(w.host, 0, false);
	testhost_advance(w.host, 50 * WORLD_MS);
	for (uint32_t i = 0; i < 64; i++)
		world_expect(&w, 0, i, 100);
	world_end(&w);
}

static void a_peer_that_does_not_answer_is_dead_and_told(void **state)
{
	struct kcp_segment first, again;
	(void)state;
	begin();
	assert_true(world_send(&w, 0, 0, 100));
	assert_true(world_heard(&w, 0, &first, NULL));
	testhost_advance(w.host, 19 * WORLD_SECOND);
	assert_int_equal(testhost_notified(w.stage[0], VPN_EVENT_PEER_DEAD, NULL), 0);
	testhost_advance(w.host, 6 * WORLD_SECOND);
	assert_int_equal(testhost_notified(w.stage[0], VPN_EVENT_PEER_DEAD, NULL), 1);
	assert_int_equal(world_count(&w, 0, KCP_SESSIONS_DEAD), 1);
	assert_true(testhost_logged(w.host, VPN_LOG_INFO, "has never answered"));
	assert_int_equal(w.k[0]->sessions.count, 0);
	assert_int_equal(testhost_deadline(w.stage[0], 0), 0);
	/* the next packet begins anew */
	testhost_clear(w.stage[0], 0, VPN_DOWN);
	assert_true(world_send(&w, 0, 1, 100));
	assert_true(world_heard(&w, 0, &again, NULL));
	assert_int_equal(again.sn, 0);
	assert_int_not_equal(again.conv, first.conv);
	world_end(&w);
}

static void a_silent_peer_is_asked(void **state)
{
	struct kcp_segment in = {.conv = 9, .cmd = KCP_CMD_PUSH, .wnd = 128, .len = 100}, out;
	uint32_t questions = 0;
	(void)state;
	begin();
	world_say(&w, 0, NULL, &in, 0);
	testhost_clear(w.stage[0], 0, VPN_DOWN);
	testhost_advance(w.host, 12 * WORLD_SECOND);
	while (world_heard(&w, 0, &out, NULL))
		questions += out.cmd == KCP_CMD_WASK;
	assert_in_range(questions, 1, 2);
	testhost_advance(w.host, 30 * WORLD_SECOND);
	assert_int_equal(testhost_notified(w.stage[0], VPN_EVENT_PEER_DEAD, NULL), 1);
	assert_true(testhost_logged(w.host, UINT32_MAX, "does not answer"));
	assert_false(testhost_logged(w.host, UINT32_MAX, "has never answered"));
	world_end(&w);
}

static void stops_with_packets_in_every_place(void **state)
{
	struct kcp_segment in = {.conv = 9, .cmd = KCP_CMD_PUSH, .wnd = 128, .sn = 3, .len = 100};
	(void)state;
	begin();
	world_say(&w, 0, NULL, &in, 0);
	in.sn = 0;
	testhost_limit(w.stage[0], 0, VPN_UP, 0);
	testhost_limit(w.stage[0], 0, VPN_DOWN, 0);
	world_say(&w, 0, NULL, &in, 0);
	for (uint32_t i = 0; i < 300; i++)
		(void)world_send(&w, 0, i, 1000);
	world_end(&w);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_message_leaves_in_its_own_packet_behind_a_header),
		cmocka_unit_test(a_conversation_that_is_prescribed_is_used),
		cmocka_unit_test(a_batch_leaves_in_one_push),
		cmocka_unit_test(an_empty_message_is_dropped_and_counted),
		cmocka_unit_test(junk_is_counted_by_what_is_wrong),
		cmocka_unit_test(a_full_network_holds_the_device_and_loses_nothing),
		cmocka_unit_test(a_full_device_closes_the_window),
		cmocka_unit_test(waits_for_packets_that_are_missing),
		cmocka_unit_test(a_peer_that_does_not_answer_is_dead_and_told),
		cmocka_unit_test(a_silent_peer_is_asked),
		cmocka_unit_test(stops_with_packets_in_every_place),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
