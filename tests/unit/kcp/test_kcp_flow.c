/* SPDX-License-Identifier: BSD-2-Clause */
/* The engine of our own wire: how a session begins, ends and begins anew; what it costs. */
#include "flow_net.h"

#include <string.h>

#include "flow_parts.h"

#define MS     FLOW_NET_MS
#define SECOND FLOW_NET_SECOND

static void send_number(struct flow_end *e, uint32_t number, uint32_t len, bool flush)
{
	uint8_t data[FLOW_NET_MESSAGE];
	assert_true(len <= sizeof(data));
	memset(data, 0xee, sizeof(data));
	memcpy(data, &number, sizeof(number));
	flow_net_send(e, data, len, flush);
}

/* ---- beginning ---- */

static void a_session_begins_in_two_round_trips(void **state)
{
	struct flow_net n;
	(void)state;
	flow_net_init(&n, 1);
	flow_net_start(&n);
	send_number(&n.end[0], 1, 100, true);
	flow_net_run(&n, 119 * MS);
	assert_false(flow_net_is_open(&n.end[0]));
	flow_net_run(&n, 2 * MS);
	assert_true(flow_net_is_open(&n.end[0]));
	flow_net_run(&n, 31 * MS);
	/* what waited has arrived */
	assert_int_equal(n.end[1].got_messages, 1);
	flow_net_clear(&n);
}

static void a_listener_keeps_nothing_for_who_has_no_cookie(void **state)
{
	struct flow_net n;
	uint8_t data[KCP_FRAME_HELLO_LEN];
	(void)state;
	flow_net_init(&n, 2);
	for (uint64_t i = 1; i < 200; i++) {
		struct kcp_frame_hello h = {.kind = KCP_FRAME_HELLO,
					    .version = KCP_FRAME_VERSION,
					    .sender = i << 32 | i};
		kcp_frame_write_hello(data, &h);
		(void)flow_net_input(&n.end[1], data, sizeof(data));
	}
	assert_null(n.end[1].engine);
	flow_net_clear(&n);
}

static bool lose_by_kind(struct flow_end *e, uint8_t *data, uint32_t len)
{
	uint32_t *to_lose = e->user;
	(void)len;
	if (to_lose[data[0] >> 4] == 0)
		return true;
	to_lose[data[0] >> 4]--;
	return false;
}

static void a_session_begins_although_all_kinds_are_lost(void **state)
{
	struct flow_net n;
	uint32_t from_begin[16] = {[8] = 2};
	uint32_t from_answer[16] = {[9] = 2, [10] = 3};
	(void)state;
	flow_net_init(&n, 3);
	n.end[0].tap = n.end[1].tap = lose_by_kind;
	n.end[0].user = from_begin;
	flow_net_start(&n);
	n.end[1].user = from_answer;
	/* the door's answers do not pass the tap: they are lost on the line */
	n.line[1].loss = 300000;
	uint64_t end = n.now_us + 120 * SECOND;
	while (!flow_net_is_open(&n.end[0]) && n.now_us < end)
		flow_net_run(&n, 10 * MS);
	assert_true(flow_net_is_open(&n.end[0]));
	assert_int_equal(from_begin[8], 0);
	assert_int_equal(from_answer[10], 0);
	flow_net_clear(&n);
}

static void both_may_begin_at_once(void **state)
{
	(void)state;
	for (uint32_t seed = 1; seed < 30; seed++) {
		struct flow_net n;
		flow_net_init(&n, seed);
		n.line[0].loss = n.line[1].loss = seed % 3 * 100000;
		flow_net_start(&n);
		flow_net_restart(&n.end[0], true);
		n.end[1].admits = n.end[0].admits = true;
		flow_net_run(&n, seed % 7 * 10 * MS);
		if (n.end[1].engine == NULL)
			flow_net_restart(&n.end[1], true);
		uint64_t end = n.now_us + 60 * SECOND;
		while (n.now_us < end &&
		       !(flow_net_is_open(&n.end[0]) && flow_net_is_open(&n.end[1])))
			flow_net_run(&n, 10 * MS);
		n.line[0].loss = n.line[1].loss = 0;
		flow_net_run(&n, 200 * MS);
		for (uint32_t i = 0; i < 5; i++) {
			send_number(&n.end[0], i, 100, true);
			send_number(&n.end[1], i, 100, true);
		}
		flow_net_run(&n, 2 * SECOND);
		assert_int_equal(n.end[0].got_messages, 5);
		assert_int_equal(n.end[1].got_messages, 5);
		flow_net_clear(&n);
	}
}

static void nothing_is_sent_to_who_never_answers_but_hello(void **state)
{
	struct flow_net n;
	(void)state;
	flow_net_init(&n, 4);
	n.line[0].is_cut = true;
	flow_net_start(&n);
	for (uint32_t i = 0; i < 600; i++) {
		send_number(&n.end[0], i, 1000, true);
		flow_net_run(&n, 100 * MS);
	}
	assert_int_equal(n.line[0].datagrams, n.line[0].frames[8]);
	assert_in_range(n.line[0].frames[8], 10, 25);
	/* what waits does not wait for ever */
	struct kcp_engine_state s;
	kcp_flow_ops.state(n.end[0].engine, &s);
	assert_true(s.queued <= 11);
	assert_true(s.unheard_us != 0);
	assert_false(s.has_proof);
	flow_net_clear(&n);
}

/* ---- beginning anew ---- */

static void a_listener_that_has_restarted_is_found_again(void **state)
{
	struct flow_net n;
	(void)state;
	flow_net_init(&n, 5);
	flow_net_start(&n);
	flow_net_open(&n);
	flow_net_restart(&n.end[1], false);
	send_number(&n.end[0], 1, 100, true);
	/* data, RESET, HELLO, COOKIE, HELLO, WELCOME: three round trips */
	flow_net_run(&n, 190 * MS);
	assert_true(flow_net_is_open(&n.end[0]));
	assert_true(flow_net_is_open(&n.end[1]));
	assert_int_equal(n.end[0].counts[KCP_RESETS], 1);
	send_number(&n.end[0], 2, 100, true);
	flow_net_run(&n, 100 * MS);
	assert_int_equal(n.end[1].got_messages, 1);
	flow_net_clear(&n);
}

static void who_began_and_has_restarted_is_noticed(void **state)
{
	struct flow_net n;
	(void)state;
	flow_net_init(&n, 6);
	flow_net_start(&n);
	flow_net_open(&n);
	send_number(&n.end[1], 1, 100, true);
	flow_net_run(&n, 100 * MS);
	flow_net_restart(&n.end[0], true);
	flow_net_run(&n, 300 * MS);
	assert_int_equal(n.end[1].counts[KCP_PEER_RESTARTS], 1);
	send_number(&n.end[1], 2, 100, true);
	send_number(&n.end[0], 3, 100, true);
	flow_net_run(&n, 100 * MS);
	assert_int_equal(n.end[0].got_messages, 2);
	assert_int_equal(n.end[1].got_messages, 1);
	flow_net_clear(&n);
}

static void a_reset_that_was_guessed_is_ignored(void **state)
{
	struct flow_net n;
	uint8_t data[KCP_FRAME_HEAD_LEN] = {KCP_FRAME_RESET};
	(void)state;
	flow_net_init(&n, 7);
	flow_net_start(&n);
	flow_net_open(&n);
	send_number(&n.end[0], 1, 100, true);
	struct kcp_flow *f = n.end[0].engine;
	/* the number is right, and no pn that was sent */
	kcp_store_le32(data + 8, (uint32_t)f->peer_id);
	kcp_store_le32(data + 12, (uint32_t)f->tx.next_pn);
	assert_false(flow_net_input(&n.end[0], data, sizeof(data)));
	kcp_store_le32(data + 12, (uint32_t)f->tx.next_pn - 100000);
	assert_false(flow_net_input(&n.end[0], data, sizeof(data)));
	/* the pn is right, and the number is not */
	kcp_store_le32(data + 8, (uint32_t)f->peer_id + 1);
	kcp_store_le32(data + 12, (uint32_t)f->tx.next_pn - 1);
	assert_false(flow_net_input(&n.end[0], data, sizeof(data)));
	assert_int_equal(n.end[0].counts[KCP_RESETS], 0);
	assert_true(flow_net_is_open(&n.end[0]));
	flow_net_clear(&n);
}

static void a_close_is_believed_with_both_ids_only(void **state)
{
	struct flow_net n;
	uint8_t data[KCP_FRAME_CLOSE_LEN] = {KCP_FRAME_CLOSE};
	(void)state;
	flow_net_init(&n, 8);
	flow_net_start(&n);
	flow_net_open(&n);
	struct kcp_flow *f = n.end[0].engine;
	kcp_store_le32(data + 4, n.end[0].conv);
	kcp_store_le64(data + 8, f->own_id);
	kcp_store_le64(data + 16, f->peer_id ^ UINT64_C(1) << 40);
	assert_false(flow_net_input(&n.end[0], data, sizeof(data)));
	assert_false(kcp_flow_is_closed(f));
	kcp_flow_close(n.end[1].engine, KCP_FRAME_CLOSE_STOPPED, n.now_us);
	flow_net_run(&n, 40 * MS);
	assert_true(kcp_flow_is_closed(f));
	flow_net_clear(&n);
}

static void what_does_not_answer_any_more_is_seen(void **state)
{
	struct flow_net n;
	struct kcp_engine_state s;
	(void)state;
	flow_net_init(&n, 9);
	flow_net_start(&n);
	flow_net_open(&n);
	flow_net_run(&n, 5 * SECOND);
	kcp_flow_ops.state(n.end[0].engine, &s);
	assert_true(s.unheard_us == 0);
	n.line[1].is_cut = true;
	uint64_t from = n.now_us;
	kcp_flow_ops.probe(n.end[0].engine, n.now_us);
	flow_net_flush(&n.end[0]);
	flow_net_run(&n, 10 * SECOND);
	kcp_flow_ops.state(n.end[0].engine, &s);
	assert_true(s.unheard_us == from);
	n.line[1].is_cut = false;
	flow_net_run(&n, 4 * SECOND);
	kcp_flow_ops.state(n.end[0].engine, &s);
	assert_true(s.unheard_us == 0);
	flow_net_clear(&n);
}

static void an_idle_session_is_silent(void **state)
{
	struct flow_net n;
	(void)state;
	flow_net_init(&n, 10);
	flow_net_start(&n);
	flow_net_open(&n);
	send_number(&n.end[0], 1, 100, true);
	flow_net_run(&n, 5 * SECOND);
	uint64_t before = n.line[0].datagrams + n.line[1].datagrams;
	flow_net_run(&n, 600 * SECOND);
	assert_int_equal(n.line[0].datagrams + n.line[1].datagrams, before);
	flow_net_clear(&n);
}

/* ---- messages ---- */

static void every_size_arrives_whole(void **state)
{
	struct flow_net n;
	(void)state;
	flow_net_init(&n, 11);
	flow_net_start(&n);
	flow_net_open(&n);
	for (uint32_t len = 4; len <= FLOW_NET_MESSAGE; len += 7) {
		send_number(&n.end[0], len, len, true);
		flow_net_run(&n, 31 * MS);
		assert_int_equal(n.end[1].last_len, len);
	}
	send_number(&n.end[0], 1, FLOW_NET_MESSAGE, true);
	flow_net_run(&n, 31 * MS);
	assert_int_equal(n.end[1].last_len, FLOW_NET_MESSAGE);
	flow_net_clear(&n);
}

static void empty_and_large_messages_are_counted_and_dropped(void **state)
{
	struct flow_net n;
	uint8_t data[FLOW_NET_MESSAGE + 1] = {0};
	(void)state;
	flow_net_init(&n, 12);
	flow_net_start(&n);
	flow_net_open(&n);
	flow_net_send(&n.end[0], data, 0, true);
	flow_net_send(&n.end[0], data, sizeof(data), true);
	assert_int_equal(n.end[0].counts[KCP_DROP_EMPTY], 1);
	assert_int_equal(n.end[0].counts[KCP_DROP_TOO_BIG], 1);
	flow_net_run(&n, SECOND);
	assert_int_equal(n.end[1].got_messages, 0);
	flow_net_clear(&n);
}

static void small_messages_that_wait_together_share_a_datagram(void **state)
{
	struct flow_net n;
	(void)state;
	flow_net_init(&n, 13);
	flow_net_start(&n);
	flow_net_open(&n);
	uint64_t before = n.line[0].datagrams;
	for (uint32_t i = 0; i < 20; i++)
		send_number(&n.end[0], i, 52, false);
	flow_net_flush(&n.end[0]);
	assert_int_equal(n.line[0].datagrams - before, 1);
	/* one alone is a datagram like any other, and a large one does not wait for company */
	send_number(&n.end[0], 20, 52, true);
	send_number(&n.end[0], 21, 1300, true);
	assert_int_equal(n.line[0].datagrams - before, 3);
	flow_net_run(&n, SECOND);
	assert_int_equal(n.end[1].got_messages, 22);
	flow_net_clear(&n);
}

static void large_messages_of_one_length_make_datagrams_of_one_length(void **state)
{
	struct flow_net n;
	(void)state;
	flow_net_init(&n, 14);
	flow_net_start(&n);
	flow_net_open(&n);
	uint64_t bytes = n.line[0].bytes;
	for (uint32_t i = 0; i < 10; i++)
		send_number(&n.end[0], i, 1300, false);
	flow_net_flush(&n.end[0]);
	flow_net_run(&n, 20 * MS);
	assert_int_equal(n.line[0].bytes - bytes, 10 * (1300 + KCP_FRAME_HEAD_LEN));
	flow_net_clear(&n);
}

struct stream {
	uint32_t sent, most, len, each;
};

static void stream_traffic(struct flow_net *n)
{
	struct stream *s = n->user;
	for (uint32_t i = 0; i < s->each && s->sent < s->most; i++)
		send_number(&n->end[0], s->sent++, s->len, false);
	flow_net_flush(&n->end[0]);
	n->traffic_us = s->sent < s->most ? n->now_us + MS : UINT64_MAX;
}

static void a_clean_line_pays_almost_nothing(void **state)
{
	struct flow_net n;
	struct stream s = {.most = 20000, .len = 1300, .each = 4};
	(void)state;
	flow_net_init(&n, 15);
	flow_net_start(&n);
	flow_net_open(&n);
	uint64_t bytes = n.line[0].bytes;
	n.user = &s;
	n.traffic = stream_traffic;
	n.traffic_us = n.now_us;
	flow_net_run(&n, 10 * SECOND);
	uint64_t lost = n.end[0].counts[KCP_DROP_QUEUE_FULL] + n.end[0].counts[KCP_DROP_QUEUE_OLD];
	assert_int_equal(n.end[1].got_messages, s.most - lost);
	assert_true(lost < s.most / 50); /* while it starts */
	uint64_t payload = n.end[1].got_bytes;
	assert_true((n.line[0].bytes - bytes - payload) * 1000 < 13 * payload);
	assert_int_equal(n.line[0].frames[KCP_FRAME_PARITY >> 4], 0);
	assert_int_equal(n.end[0].counts[KCP_DATA_RESENT], 0);
	/* the other way: an ack for many */
	assert_true(n.line[1].bytes * 200 < payload);
	flow_net_clear(&n);
}

static void nothing_is_lost_when_the_device_is_full_for_a_while(void **state)
{
	struct flow_net n;
	struct stream s = {.most = 500, .len = 600, .each = 1};
	(void)state;
	flow_net_init(&n, 16);
	flow_net_start(&n);
	flow_net_open(&n);
	n.user = &s;
	n.traffic = stream_traffic;
	n.traffic_us = n.now_us;
	flow_net_run(&n, 100 * MS);
	n.end[1].above_full = true;
	flow_net_run(&n, 200 * MS);
	n.end[1].above_full = false;
	kcp_flow_ops.resume(n.end[1].engine, n.now_us);
	flow_net_run(&n, SECOND);
	assert_int_equal(n.end[1].counts[KCP_DROP_ABOVE_FULL], 0);
	assert_int_equal(n.end[1].got_messages, s.most);
	flow_net_clear(&n);
}

static void a_device_that_stays_full_costs_bounded_memory(void **state)
{
	struct flow_net n;
	struct stream s = {.most = 20000, .len = 600, .each = 2};
	(void)state;
	flow_net_init(&n, 17);
	flow_net_start(&n);
	flow_net_open(&n);
	n.user = &s;
	n.traffic = stream_traffic;
	n.traffic_us = n.now_us;
	n.end[1].above_full = true;
	flow_net_run(&n, 15 * SECOND);
	assert_true(n.end[1].counts[KCP_DROP_ABOVE_FULL] > 1000);
	assert_true(n.end[1].cells.n_out <= 8192);
	assert_int_equal(n.end[1].packets, 0);
	flow_net_clear(&n);
}

static void it_goes_on_when_packets_or_the_network_come_back(void **state)
{
	struct flow_net n;
	struct stream s = {.most = 1000, .len = 600, .each = 2};
	(void)state;
	flow_net_init(&n, 18);
	n.line[0].loss = 50000;
	flow_net_start(&n);
	flow_net_open(&n);
	n.user = &s;
	n.traffic = stream_traffic;
	n.traffic_us = n.now_us;
	for (uint32_t i = 0; i < 10; i++) {
		n.end[0].no_packets = i % 2 == 0;
		n.end[1].no_packets = i % 3 == 0;
		n.end[0].below_full = i % 4 == 1;
		flow_net_run(&n, 40 * MS);
	}
	n.end[0].no_packets = n.end[1].no_packets = n.end[0].below_full = false;
	flow_net_flush(&n.end[0]);
	flow_net_run(&n, 2 * SECOND);
	uint64_t before = n.end[1].got_messages;
	for (uint32_t i = 0; i < 100; i++)
		send_number(&n.end[0], i, 600, true);
	flow_net_run(&n, SECOND);
	assert_int_equal(n.end[1].got_messages, before + 100);
	flow_net_clear(&n);
}

static void a_queue_is_bounded_by_time(void **state)
{
	struct flow_net n;
	struct stream s = {.most = 40000, .len = 1300, .each = 4};
	(void)state;
	flow_net_init(&n, 19);
	/* a quarter of what is offered */
	n.end[0].settings.rate_bps = 1316 * 8 * 1000;
	n.end[0].settings.queue_us = 10000;
	flow_net_start(&n);
	flow_net_open(&n);
	n.user = &s;
	n.traffic = stream_traffic;
	n.traffic_us = n.now_us;
	flow_net_run(&n, 9 * SECOND);
	struct kcp_engine_state state_now;
	kcp_flow_ops.state(n.end[0].engine, &state_now);
	assert_true(state_now.queued <= 1024);
	uint64_t dropped = n.end[0].counts[KCP_DROP_QUEUE_FULL] +
			   n.end[0].counts[KCP_DROP_QUEUE_OLD];
	assert_true(dropped > 20000);
	/* the cap is kept */
	assert_in_range(n.end[1].got_messages, 8500, 9200);
	flow_net_clear(&n);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_session_begins_in_two_round_trips),
		cmocka_unit_test(a_listener_keeps_nothing_for_who_has_no_cookie),
		cmocka_unit_test(a_session_begins_although_all_kinds_are_lost),
		cmocka_unit_test(both_may_begin_at_once),
		cmocka_unit_test(nothing_is_sent_to_who_never_answers_but_hello),
		cmocka_unit_test(a_listener_that_has_restarted_is_found_again),
		cmocka_unit_test(who_began_and_has_restarted_is_noticed),
		cmocka_unit_test(a_reset_that_was_guessed_is_ignored),
		cmocka_unit_test(a_close_is_believed_with_both_ids_only),
		cmocka_unit_test(what_does_not_answer_any_more_is_seen),
		cmocka_unit_test(an_idle_session_is_silent),
		cmocka_unit_test(every_size_arrives_whole),
		cmocka_unit_test(empty_and_large_messages_are_counted_and_dropped),
		cmocka_unit_test(small_messages_that_wait_together_share_a_datagram),
		cmocka_unit_test(large_messages_of_one_length_make_datagrams_of_one_length),
		cmocka_unit_test(a_clean_line_pays_almost_nothing),
		cmocka_unit_test(nothing_is_lost_when_the_device_is_full_for_a_while),
		cmocka_unit_test(a_device_that_stays_full_costs_bounded_memory),
		cmocka_unit_test(it_goes_on_when_packets_or_the_network_come_back),
		cmocka_unit_test(a_queue_is_bounded_by_time),
	};
	return cmocka_run_group_tests_name("kcp flow", tests, NULL, NULL);
}
