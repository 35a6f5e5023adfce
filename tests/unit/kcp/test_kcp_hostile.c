/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * test_kcp_hostile: what a peer (or somebody who speaks as if it were the peer) may do to the engine of plain
 * KCP. Whatever comes is counted and dropped; what was under way before arrives; memory and answers are
 * bounded by the windows.
 */
#include "ends.h"

#include <string.h>

#include "segment.h"

#define CONV    0x11223344u
#define RCV_WND 64u
#define SND_WND 64u
#define MTU     1400u

static struct ends w;
static struct end *us,
	*peer; /* w.end[0] and [1]; tests that forge all of it leave the peer alone */

/* ---- what arrives ---- */

static uint32_t n_got, got_len;
static uint8_t last_got[ENDS_MESSAGE];

static void note(struct end *e, const uint8_t *data, uint32_t len)
{
	if (e != us)
		return;
	n_got++;
	got_len = len;
	memcpy(last_got, data, len);
}

static void set_up(bool stream)
{
	ends_init(&w, 5);
	us = &w.end[0];
	peer = &w.end[1];
	n_got = got_len = 0;
	for (int i = 0; i < 2; i++) {
		w.end[i].settings.stream = stream;
		w.end[i].settings.snd_wnd = SND_WND;
		w.end[i].settings.rcv_wnd = RCV_WND;
		w.end[i].conv = CONV;
		w.end[i].got = note;
	}
	ends_start(&w, &kcp_arq_ops);
}

static int begin(void **state)
{
	(void)state;
	set_up(false);
	return 0;
}

static int begin_stream(void **state)
{
	(void)state;
	set_up(true);
	return 0;
}

static int end(void **state)
{
	(void)state;
	ends_clear(&w);
	return 0;
}

/* ---- forgeries ---- */

static uint8_t datagram[MTU];
static uint32_t filled;

static void add(const struct kcp_segment *s, const void *data)
{
	kcp_segment_write(datagram + filled, s);
	filled += KCP_SEGMENT_BYTES;
	if (data != NULL)
		memcpy(datagram + filled, data, s->len);
	filled += data != NULL ? s->len : 0;
}

static bool inject(void)
{
	bool valid = ends_input(us, datagram, filled);
	filled = 0;
	return valid;
}

static struct kcp_segment push(uint32_t sn, uint32_t len)
{
	return (struct kcp_segment){
		.conv = CONV, .cmd = KCP_CMD_PUSH, .wnd = 128, .sn = sn, .len = len};
}

static struct kcp_segment command(uint8_t cmd, uint32_t sn, uint32_t una)
{
	return (struct kcp_segment){.conv = CONV, .cmd = cmd, .wnd = 128, .sn = sn, .una = una};
}

static bool inject_one(const struct kcp_segment *s, const void *data)
{
	add(s, data);
	return inject();
}

static uint64_t counted(enum kcp_count what)
{
	return us->counts[what];
}

static struct kcp_engine_state state_of(const struct end *e)
{
	struct kcp_engine_state s;
	e->ops->state(e->engine, &s);
	return s;
}

/* A message both ways arrives: nothing is damaged. */
static void check_alive(void)
{
	uint32_t before = n_got;
	assert_true(ends_send(peer, "theirs", 6));
	assert_true(ends_send(us, "ours", 4));
	ends_run(&w, 2 * ENDS_SECOND);
	assert_int_equal(n_got, before + 1);
	assert_int_equal(got_len, 6);
	assert_memory_equal(last_got, "theirs", 6);
	assert_int_equal(state_of(us).in_flight, 0);
	assert_int_equal(state_of(peer).in_flight, 0);
	assert_int_equal(us->cells.n_out, 0);
}

/* ---- headers ---- */

static void refuses_another_conversation(void **state)
{
	(void)state;
	struct kcp_segment s = push(0, 3);
	s.conv ^= 1;
	assert_false(inject_one(&s, "abc"));
	assert_int_equal(counted(KCP_DROP_CONV), 1);
	assert_int_equal(us->sent, 0);
	assert_int_equal(n_got, 0);
	check_alive();
}

static void a_foreign_segment_ends_the_datagram(void **state)
{
	(void)state;
	struct kcp_segment first = push(0, 1), foreign = push(1, 1), last = push(1, 1);
	foreign.conv ^= 0x80000000;
	add(&first, "a");
	add(&foreign, "b");
	add(&last, "c");
	assert_true(inject());
	assert_int_equal(n_got, 1);
	assert_int_equal(counted(KCP_DROP_CONV), 1);
	assert_int_equal(counted(KCP_SEGMENTS_RECEIVED), 1);
}

static void refuses_every_command_that_does_not_exist(void **state)
{
	(void)state;
	uint32_t refused = 0;
	for (uint32_t cmd = 0; cmd < 256; cmd++) {
		if (cmd >= KCP_CMD_PUSH && cmd <= KCP_CMD_WINS)
			continue;
		struct kcp_segment s = push(0, 1);
		s.cmd = (uint8_t)cmd;
		assert_false(inject_one(&s, "x"));
		assert_int_equal(counted(KCP_DROP_COMMAND), ++refused);
	}
	assert_int_equal(n_got, 0);
	check_alive();
}

static void refuses_a_datagram_that_is_cut_anywhere(void **state)
{
	(void)state;
	struct kcp_segment s = push(0, 10);
	uint64_t faults = 0;
	for (uint32_t len = 1; len < KCP_SEGMENT_BYTES + 10; len++) {
		add(&s, "0123456789");
		filled = len;
		assert_false(inject());
		uint64_t now = counted(KCP_DROP_SHORT) + counted(KCP_DROP_LENGTH);
		assert_int_equal(now, ++faults);
	}
	assert_int_equal(counted(KCP_DROP_SHORT), KCP_SEGMENT_BYTES - 1);
	assert_int_equal(n_got, 0);
	check_alive();
}

static void refuses_lengths_that_are_not_there(void **state)
{
	(void)state;
	static const uint32_t lengths[] = {4,          1376,       65536,      0x7fffffff,
					   0x80000000, 0xfffffff0, 0xffffffe8, UINT32_MAX};
	for (uint32_t i = 0; i < sizeof(lengths) / sizeof(lengths[0]); i++) {
		struct kcp_segment s = push(0, lengths[i]);
		add(&s, NULL);
		memcpy(datagram + filled, "abc", 3);
		filled += 3;
		assert_false(inject());
		assert_int_equal(counted(KCP_DROP_LENGTH), i + 1);
	}
	assert_int_equal(n_got, 0);
	check_alive();
}

/* ---- numbers ---- */

static void data_outside_of_the_window_is_neither_kept_nor_acknowledged(void **state)
{
	(void)state;
	static const uint32_t far[] = {RCV_WND, RCV_WND + 1, 65536, 0x7fffffff};
	for (uint32_t i = 0; i < sizeof(far) / sizeof(far[0]); i++) {
		struct kcp_segment s = push(far[i], 1);
		(void)inject_one(&s, "x");
		assert_int_equal(counted(KCP_SEGMENTS_OUTSIDE), i + 1);
	}
	ends_run(&w, ENDS_SECOND);
	assert_int_equal(us->cells.n_out, 0);
	assert_int_equal(counted(KCP_ACKS_SENT), 0);
	check_alive();
}

static void data_of_the_past_is_acknowledged_and_not_delivered_again(void **state)
{
	(void)state;
	struct kcp_segment s = push(0, 1);
	assert_true(inject_one(&s, "x"));
	assert_int_equal(n_got, 1);
	for (uint32_t back = 0; back < 4; back++) {
		static const uint32_t past[] = {0, UINT32_MAX, 0x80000002, 0xffff0000};
		s = push(past[back], 1);
		(void)inject_one(&s, "y");
	}
	assert_int_equal(n_got, 1);
	assert_int_equal(us->cells.n_out, 0);
	assert_int_equal(counted(KCP_SEGMENTS_REPEATED), 4);
}

static void an_una_beyond_what_was_sent_changes_nothing(void **state)
{
	(void)state;
	w.line.cut = true;
	assert_true(ends_send(us, "kept", 4));
	assert_int_equal(state_of(us).in_flight, 1);
	static const uint32_t unas[] = {2, 3, 1000, 0x7fffffff};
	for (uint32_t i = 0; i < sizeof(unas) / sizeof(unas[0]); i++) {
		struct kcp_segment s = command(KCP_CMD_WINS, 0, unas[i]);
		assert_false(inject_one(&s, NULL));
		assert_int_equal(counted(KCP_ACKS_FORGED), i + 1);
		assert_int_equal(state_of(us).in_flight, 1);
	}
	assert_false(state_of(us).has_proof);
	w.line.cut = false;
	ends_run(&w, 5 * ENDS_SECOND);
	assert_int_equal(peer->counts[KCP_SEGMENTS_RECEIVED], 1);
	check_alive();
}

static void data_behind_a_forged_una_is_not_taken(void **state)
{
	(void)state;
	struct kcp_segment s = push(0, 1);
	s.una = 77;
	assert_false(inject_one(&s, "x"));
	assert_int_equal(n_got, 0);
	check_alive();
}

static void acknowledgements_of_what_was_never_sent_change_nothing(void **state)
{
	(void)state;
	w.line.cut = true;
	assert_true(ends_send(us, "kept", 4));
	static const uint32_t sns[] = {1, 2, 500, 0x7fffffff};
	for (uint32_t i = 0; i < sizeof(sns) / sizeof(sns[0]); i++) {
		struct kcp_segment s = command(KCP_CMD_ACK, sns[i], 0);
		(void)inject_one(&s, NULL);
		assert_int_equal(counted(KCP_ACKS_FORGED), i + 1);
	}
	assert_int_equal(state_of(us).in_flight, 1);
	assert_false(state_of(us).has_proof);
	w.line.cut = false;
	ends_run(&w, 5 * ENDS_SECOND);
	check_alive();
}

/* With a time of its own choice a peer may spoil its own round-trip time, and no more than that. */
static void an_acknowledgement_with_any_time_is_survived(void **state)
{
	(void)state;
	static const uint32_t stamps[] = {0, 1, 0x7fffffff, 0x80000000, UINT32_MAX};
	w.line.cut = true;
	for (uint32_t i = 0; i < sizeof(stamps) / sizeof(stamps[0]); i++) {
		assert_true(ends_send(us, "x", 1));
		struct kcp_segment s = command(KCP_CMD_ACK, i, i);
		s.ts = stamps[i];
		assert_true(inject_one(&s, NULL));
		assert_int_equal(state_of(us).in_flight, 0);
	}
	assert_in_range(state_of(us).srtt_us, 0, 60 * ENDS_SECOND);
}

/* ---- windows ---- */

static void a_window_that_stays_closed_is_probed_ever_more_rarely(void **state)
{
	(void)state;
	struct kcp_segment closed = command(KCP_CMD_WINS, 0, 0);
	closed.wnd = 0;
	w.line.cut = true;
	assert_true(inject_one(&closed, NULL));
	uint32_t taken = 0;
	while (taken < 100000 && ends_send(us, "waits", 5))
		taken++;
	assert_in_range(taken, 1, 1000); /* bounded, and the device is told to wait */
	assert_int_equal(counted(KCP_SEND_BLOCKED), 1);
	assert_int_equal(counted(KCP_SEGMENTS_SENT), 0);
	ends_run(&w, 600 * ENDS_SECOND);
	/* 0.5 s, half as much more each time, at most 120 s */
	assert_in_range(counted(KCP_PROBES_SENT), 10, 25);
	assert_int_equal(counted(KCP_SEGMENTS_SENT), 0);
	assert_in_range(us->sent, 1, 30);
	assert_int_equal(us->packets, taken);

	w.line.cut = false;
	struct kcp_segment open = command(KCP_CMD_WINS, 0, 0);
	assert_true(inject_one(&open, NULL));
	ends_run(&w, 20 * ENDS_SECOND);
	assert_int_equal(peer->counts[KCP_SEGMENTS_RECEIVED], taken);
	assert_int_equal(state_of(us).in_flight, 0);
}

/* Whatever the peer says of its window: what is kept for it stays within ours. */
static void a_peer_that_acknowledges_nothing_holds_no_more_than_a_window(void **state)
{
	(void)state;
	struct kcp_segment open = command(KCP_CMD_WINS, 0, 0);
	uint8_t data[1000] = {1};
	w.line.cut = true;
	open.wnd = 65535;
	assert_true(inject_one(&open, NULL));
	for (uint32_t i = 0; i < 5000; i++) {
		(void)ends_send(us, data, sizeof(data));
		ends_run(&w, 1000);
		(void)inject_one(&open, NULL);
	}
	assert_in_range(us->cells.n_out, 1, SND_WND);
	assert_in_range(us->packets, 1, 256);
	ends_run(&w, 60 * ENDS_SECOND);
	assert_in_range(state_of(us).in_flight, 1, SND_WND);
}

static void data_out_of_order_holds_no_more_than_a_window(void **state)
{
	(void)state;
	uint8_t data[1000] = {0};
	w.line.cut = true;
	for (uint32_t round = 0; round < 3; round++) {
		for (uint32_t sn = 1; sn < 4 * RCV_WND; sn++) {
			struct kcp_segment s = push(sn, sizeof(data));
			(void)inject_one(&s, data);
			ends_run(&w, 100);
		}
	}
	assert_in_range(us->cells.n_out, RCV_WND - 1, RCV_WND);
	assert_int_equal(us->packets, 0);
	assert_int_equal(n_got, 0);
	struct kcp_segment first = push(0, 1);
	assert_true(inject_one(&first, "x"));
	assert_int_equal(n_got, RCV_WND);
	assert_int_equal(us->cells.n_out, 0);
}

/* ---- answers ---- */

/* What is sent because of forgeries is no more than they were themselves: nobody is flooded by us. */
static void answers_are_not_larger_than_what_asks_for_them(void **state)
{
	(void)state;
	uint64_t bytes = 0;
	w.line.cut = true;
	for (uint32_t i = 0; i < 2000; i++) {
		struct kcp_segment s = i % 2 != 0 ? command(KCP_CMD_WASK, 0, 0) : push(0, 0);
		bytes += KCP_SEGMENT_BYTES;
		(void)inject_one(&s, NULL);
		if (i % 10 == 0)
			ends_run(&w, 100);
	}
	ends_run(&w, ENDS_SECOND);
	assert_in_range(us->sent_bytes, 1, bytes);
	assert_int_equal(us->packets, 0);
}

static void a_datagram_full_of_old_data_is_answered_within_its_size(void **state)
{
	(void)state;
	struct kcp_segment old = push(0, 1);
	assert_true(inject_one(&old, "x"));
	ends_run(&w, ENDS_SECOND);
	uint64_t before = us->sent_bytes, bytes = 0;
	w.line.cut = true;
	for (uint32_t i = 0; i < 100; i++) {
		old.len = 0;
		while (filled + KCP_SEGMENT_BYTES <= MTU)
			add(&old, NULL);
		bytes += filled;
		(void)inject();
	}
	ends_run(&w, ENDS_SECOND);
	assert_in_range(us->sent_bytes - before, 1, bytes);
}

/* ---- messages ---- */

static void empty_messages_are_counted_and_nothing_else(void **state)
{
	(void)state;
	for (uint32_t sn = 0; sn < 10; sn++) {
		struct kcp_segment s = push(sn, 0);
		assert_true(inject_one(&s, NULL));
	}
	assert_int_equal(n_got, 0);
	assert_int_equal(counted(KCP_EMPTY_RECEIVED), 10);
	struct kcp_segment s = push(10, 4);
	assert_true(inject_one(&s, "real"));
	assert_int_equal(n_got, 1);
}

static void fragments_without_end_hold_one_message_and_no_more(void **state)
{
	(void)state;
	uint8_t data[1000] = {0};
	for (uint32_t sn = 0; sn < 1000; sn++) {
		struct kcp_segment s = push(sn, sizeof(data));
		s.frg = (uint8_t)(255 - sn % 250);
		(void)inject_one(&s, data);
		ends_run(&w, 100);
	}
	assert_int_equal(us->cells.n_out, 0);
	assert_int_equal(us->packets, 0);
	assert_int_equal(n_got, 0);
	/* the message ends, and the next one is whole */
	struct kcp_segment tail = push(1000, 4), next = push(1001, 4);
	assert_true(inject_one(&tail, "tail"));
	assert_int_equal(n_got, 0);
	assert_int_equal(counted(KCP_DROP_MESSAGE), 1);
	assert_true(inject_one(&next, "next"));
	assert_int_equal(n_got, 1);
	assert_memory_equal(last_got, "next", 4);
}

static void fragments_that_do_not_follow_each_other_are_dropped(void **state)
{
	(void)state;
	static const uint8_t frgs[][3] = {{2, 2, 0}, {3, 1, 0}, {1, 5, 0}, {255, 0, 0}, {2, 0, 0}};
	uint32_t sn = 0;
	for (uint32_t i = 0; i < sizeof(frgs) / sizeof(frgs[0]); i++) {
		uint32_t before = n_got;
		for (uint32_t k = 0; k < 3; k++) {
			struct kcp_segment s = push(sn++, 1);
			s.frg = frgs[i][k];
			assert_true(inject_one(&s, "f"));
		}
		/* {x, 0, 0}: the first 0 ends what was broken, the second is a message */
		uint32_t whole = frgs[i][1] == 0 ? 1 : 0;
		assert_int_equal(n_got - before, whole);
		assert_int_equal(counted(KCP_DROP_MESSAGE), i + 1);
	}
}

static void a_message_that_is_too_large_is_dropped_and_the_next_is_not(void **state)
{
	(void)state;
	uint8_t data[1024] = {0};
	uint32_t sn = 0;
	for (uint32_t left = 5; left-- != 0;) { /* 5 KiB, 4 are allowed */
		struct kcp_segment s = push(sn++, sizeof(data));
		s.frg = (uint8_t)left;
		assert_true(inject_one(&s, data));
	}
	assert_int_equal(n_got, 0);
	assert_int_equal(counted(KCP_DROP_MESSAGE), 1);
	struct kcp_segment next = push(sn, 4);
	assert_true(inject_one(&next, "next"));
	assert_int_equal(n_got, 1);
}

static void a_stream_of_nonsense_lengths_is_skipped_and_not_kept(void **state)
{
	(void)state;
	uint8_t data[1200];
	for (uint32_t sn = 0; sn < 2000; sn++) {
		memset(data, 0xff, sizeof(data)); /* a length of 65535 */
		struct kcp_segment s = push(sn, sizeof(data));
		(void)inject_one(&s, data);
		if (sn % 16 == 0)
			ends_run(&w, 1000);
	}
	assert_int_equal(n_got, 0);
	assert_true(counted(KCP_DROP_MESSAGE) > 0);
	assert_int_equal(us->cells.n_out, 0);
	assert_int_equal(us->packets, 0);
}

static void a_stream_may_be_cut_anywhere(void **state)
{
	(void)state;
	static const uint8_t bytes[] = {3, 0, 'a', 'b', 'c', 0, 0, 1, 0, 'd', 2, 0, 'e', 'f'};
	for (uint32_t sn = 0; sn < sizeof(bytes); sn++) {
		struct kcp_segment s = push(sn, 1);
		assert_true(inject_one(&s, &bytes[sn]));
	}
	assert_int_equal(n_got, 3);
	assert_memory_equal(last_got, "ef", 2);
	assert_int_equal(counted(KCP_EMPTY_RECEIVED), 1);
}

/* ---- forged resets ---- */

/* KCP has none; a peer that has begun anew is known by an una that went back, for a while and always. */
static void old_unas_among_sound_ones_are_no_restart(void **state)
{
	(void)state;
	for (uint32_t i = 0; i < 40; i++) {
		assert_true(ends_send(us, "x", 1));
		ends_run(&w, 100000);
		for (uint32_t k = 0; k < 20; k++) {
			struct kcp_segment s = command(KCP_CMD_WINS, 0, 0);
			(void)inject_one(&s, NULL);
		}
	}
	assert_false(us->restarted);
	check_alive();
}

static void a_burst_of_old_unas_is_no_restart(void **state)
{
	(void)state;
	assert_true(ends_send(us, "x", 1));
	ends_run(&w, ENDS_SECOND);
	for (uint32_t i = 0; i < 1000; i++) {
		struct kcp_segment s = command(KCP_CMD_WINS, 0, 0);
		(void)inject_one(&s, NULL);
	}
	assert_false(us->restarted);
	check_alive();
}

/* ---- everything at once ---- */

static uint32_t n_ours, n_peers;

static void count_both(struct end *e, const uint8_t *data, uint32_t len)
{
	uint32_t *n = e == us ? &n_ours : &n_peers;
	assert_int_equal(len, 8);
	assert_memory_equal(data, e == us ? "frompeer" : "fromours", 8);
	(*n)++;
}

/* Rubbish that does not know the conversation cannot disturb those who do. */
static void blind_rubbish_disturbs_nothing(void **state)
{
	(void)state;
	n_ours = n_peers = 0;
	us->got = peer->got = count_both;
	w.line = (struct ends_line){.delay_us = 2000, .loss = 50000};
	for (uint32_t i = 0; i < 500; i++) {
		(void)ends_send(us, "fromours", 8);
		(void)ends_send(peer, "frompeer", 8);
		for (uint32_t k = 0; k < 20; k++) {
			filled = 1 + (uint32_t)ends_below(&w, 200);
			for (uint32_t b = 0; b < filled; b++)
				datagram[b] = (uint8_t)ends_random(&w);
			if (filled > 4 && ends_chance(&w, 500000))
				datagram[4] = KCP_CMD_PUSH;
			(void)inject();
		}
		ends_run(&w, 2000);
	}
	ends_run(&w, 30 * ENDS_SECOND);
	assert_int_equal(n_ours, 500);
	assert_int_equal(n_peers, 500);
	assert_int_equal(us->cells.n_out, 0);
}

/* Somebody who knows all may break the conversation, as nothing in plain KCP is secret; but no more. */
static void rubbish_of_one_who_knows_all_breaks_no_bounds(void **state)
{
	(void)state;
	static const uint8_t commands[] = {KCP_CMD_PUSH, KCP_CMD_ACK, KCP_CMD_WASK, KCP_CMD_WINS};
	uint8_t data[64] = {0};
	us->got = NULL;
	for (uint32_t i = 0; i < 20000; i++) {
		(void)ends_send(us, data, 1 + (uint32_t)ends_below(&w, sizeof(data)));
		uint32_t n = 1 + (uint32_t)ends_below(&w, 5);
		while (n-- != 0) {
			struct kcp_segment s = {
				.conv = CONV,
				.cmd = commands[ends_below(&w, 4)],
				.frg = (uint8_t)(ends_chance(&w, 200000) ? ends_below(&w, 256) : 0),
				.wnd = (uint16_t)ends_below(&w, 300),
				.ts = (uint32_t)(w.now_us / 1000 - ends_below(&w, 50)),
				.sn = (uint32_t)(i + ends_below(&w, 100) - 50),
				.una = (uint32_t)(i + ends_below(&w, 100) - 50),
				.len = (uint32_t)ends_below(&w, sizeof(data)),
			};
			if (s.cmd != KCP_CMD_PUSH)
				s.len = 0;
			add(&s, data);
		}
		(void)inject();
		assert_in_range(us->cells.n_out, 0, SND_WND + RCV_WND);
		assert_in_range(us->packets, 0, 300);
		assert_in_range(state_of(us).in_flight, 0, SND_WND);
		if (i % 4 == 0)
			ends_run(&w, ends_below(&w, 20000));
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(refuses_another_conversation, begin, end),
		cmocka_unit_test_setup_teardown(a_foreign_segment_ends_the_datagram, begin, end),
		cmocka_unit_test_setup_teardown(refuses_every_command_that_does_not_exist, begin,
						end),
		cmocka_unit_test_setup_teardown(refuses_a_datagram_that_is_cut_anywhere, begin,
						end),
		cmocka_unit_test_setup_teardown(refuses_lengths_that_are_not_there, begin, end),
		cmocka_unit_test_setup_teardown(
			data_outside_of_the_window_is_neither_kept_nor_acknowledged, begin, end),
		cmocka_unit_test_setup_teardown(
			data_of_the_past_is_acknowledged_and_not_delivered_again, begin, end),
		cmocka_unit_test_setup_teardown(an_una_beyond_what_was_sent_changes_nothing, begin,
						end),
		cmocka_unit_test_setup_teardown(data_behind_a_forged_una_is_not_taken, begin, end),
		cmocka_unit_test_setup_teardown(
			acknowledgements_of_what_was_never_sent_change_nothing, begin, end),
		cmocka_unit_test_setup_teardown(an_acknowledgement_with_any_time_is_survived, begin,
						end),
		cmocka_unit_test_setup_teardown(
			a_window_that_stays_closed_is_probed_ever_more_rarely, begin, end),
		cmocka_unit_test_setup_teardown(
			a_peer_that_acknowledges_nothing_holds_no_more_than_a_window, begin, end),
		cmocka_unit_test_setup_teardown(data_out_of_order_holds_no_more_than_a_window,
						begin, end),
		cmocka_unit_test_setup_teardown(answers_are_not_larger_than_what_asks_for_them,
						begin, end),
		cmocka_unit_test_setup_teardown(
			a_datagram_full_of_old_data_is_answered_within_its_size, begin, end),
		cmocka_unit_test_setup_teardown(empty_messages_are_counted_and_nothing_else, begin,
						end),
		cmocka_unit_test_setup_teardown(fragments_without_end_hold_one_message_and_no_more,
						begin, end),
		cmocka_unit_test_setup_teardown(fragments_that_do_not_follow_each_other_are_dropped,
						begin, end),
		cmocka_unit_test_setup_teardown(
			a_message_that_is_too_large_is_dropped_and_the_next_is_not, begin, end),
		cmocka_unit_test_setup_teardown(
			a_stream_of_nonsense_lengths_is_skipped_and_not_kept, begin_stream, end),
		cmocka_unit_test_setup_teardown(a_stream_may_be_cut_anywhere, begin_stream, end),
		cmocka_unit_test_setup_teardown(old_unas_among_sound_ones_are_no_restart, begin,
						end),
		cmocka_unit_test_setup_teardown(a_burst_of_old_unas_is_no_restart, begin, end),
		cmocka_unit_test_setup_teardown(blind_rubbish_disturbs_nothing, begin, end),
		cmocka_unit_test_setup_teardown(rubbish_of_one_who_knows_all_breaks_no_bounds,
						begin, end),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
