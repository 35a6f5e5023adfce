/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The engine of KCP against a peer that is written out segment by segment: what it says and when, and what
 * it makes of what it is told, rightly or wrongly.
 */
#include <string.h>

#include "arq_link.h"

#define CONV 0x11223344u

static struct arq_link link;

/* What the engine has emitted: filled by the net's filter, which lets nothing through. */
static struct {
	struct kcp_segment segments[4096];
	const uint8_t *data[4096];
	uint32_t lengths[1024]; /* of datagrams */
	uint32_t n, n_datagrams;
	uint8_t bytes[1 << 20];
	uint32_t used;
} said;

static bool record(struct arq_link *l, struct arq_end *from, uint8_t *data, uint32_t len)
{
	(void)l;
	(void)from;
	assert_in_range(said.n_datagrams, 0, 1023);
	assert_true(said.used + len <= sizeof(said.bytes));
	uint8_t *at = said.bytes + said.used;
	memcpy(at, data, len);
	said.used += len;
	said.lengths[said.n_datagrams++] = len;
	for (uint32_t left = len; left != 0;) {
		struct kcp_segment *s = &said.segments[said.n];
		assert_int_equal(kcp_segment_read(at, left, s), KCP_SEGMENT_OK);
		assert_int_equal(s->conv, CONV);
		said.data[said.n++] = at + KCP_SEGMENT_BYTES;
		at += KCP_SEGMENT_BYTES + s->len;
		left -= KCP_SEGMENT_BYTES + s->len;
	}
	return false;
}

static void forget(void)
{
	said.n = said.n_datagrams = said.used = 0;
}

static void begin_with(const struct kcp_settings *s)
{
	arq_link_init(&link, 1, s);
	link.net.filter = record;
	forget();
}

static void begin(void)
{
	struct kcp_settings s = arq_link_settings();
	begin_with(&s);
}

static struct kcp_segment segment(uint8_t cmd, uint32_t sn)
{
	return (struct kcp_segment){.conv = CONV, .cmd = cmd, .wnd = 128, .sn = sn};
}

/* The peer says one segment, with len bytes of data that count as message `sn`. */
static bool say(const struct kcp_segment *s)
{
	uint8_t bytes[2048];
	kcp_segment_write(bytes, s);
	for (uint32_t i = 0; i < s->len; i++)
		bytes[24 + i] = (uint8_t)(i < 4 ? s->sn >> (8 * i) : s->sn * 7 + i * 13);
	return arq_link_input(&link.a, bytes, KCP_SEGMENT_BYTES + s->len);
}

static bool push(uint32_t sn)
{
	struct kcp_segment s = segment(KCP_CMD_PUSH, sn);
	s.len = 100;
	return say(&s);
}

static bool acknowledge(uint32_t sn, uint32_t una, uint32_t ts)
{
	struct kcp_segment s = segment(KCP_CMD_ACK, sn);
	s.una = una;
	s.ts = ts;
	return say(&s);
}

static void send_some(uint32_t n, uint32_t len)
{
	for (uint32_t i = 0; i < n; i++)
		assert_true(arq_link_send(&link.a, len));
	arq_link_flush(&link.a);
}

/* Time passes; the engine does what is due. */
static void wait(uint64_t us)
{
	uint64_t until = link.now_us + us;
	while (link.a.due_us <= until) {
		if (link.a.due_us > link.now_us)
			link.now_us = link.a.due_us;
		arq_link_flush(&link.a);
	}
	link.now_us = until;
}

static uint32_t now_ms(void)
{
	return (uint32_t)(link.now_us / MS);
}

static uint32_t count_said(uint8_t cmd, uint32_t sn)
{
	uint32_t n = 0;
	for (uint32_t i = 0; i < said.n; i++)
		n += said.segments[i].cmd == cmd && said.segments[i].sn == sn;
	return n;
}

/* ---- what it says ---- */

static void says_a_message_as_others_do(void **state)
{
	(void)state;
	begin();
	send_some(1, 5);
	assert_int_equal(said.n, 1);
	assert_int_equal(said.segments[0].cmd, KCP_CMD_PUSH);
	assert_int_equal(said.segments[0].sn, 0);
	assert_int_equal(said.segments[0].una, 0);
	assert_int_equal(said.segments[0].frg, 0);
	assert_int_equal(said.segments[0].wnd, 128);
	assert_int_equal(said.segments[0].ts, now_ms());
	assert_int_equal(said.lengths[0], 29);
	arq_link_end(&link);
}

static void counts_fragments_down(void **state)
{
	struct kcp_settings s = arq_link_settings();
	(void)state;
	arq_link_init_sizes(&link, 1, &s, 524, 1376);
	link.net.filter = record;
	forget();
	send_some(1, 1376);
	assert_int_equal(said.n, 3);
	for (uint32_t i = 0; i < 3; i++) {
		assert_int_equal(said.segments[i].frg, 2 - i);
		assert_int_equal(said.segments[i].sn, i);
		assert_int_equal(said.segments[i].len, i < 2 ? 500 : 376);
	}
	arq_link_end(&link);
}

static void packs_small_messages_into_one_datagram(void **state)
{
	(void)state;
	begin();
	send_some(10, 40);
	assert_int_equal(said.n, 10);
	assert_int_equal(said.n_datagrams, 1);
	assert_int_equal(said.lengths[0], 10 * (24 + 40));
	arq_link_end(&link);
}

static void makes_datagrams_of_one_length_and_acks_behind_them(void **state)
{
	(void)state;
	begin();
	for (uint32_t i = 0; i < 4; i++)
		assert_true(arq_link_send(&link.a, 1376));
	(void)push(0); /* answered in the same flush */
	assert_int_equal(said.n_datagrams, 5);
	for (uint32_t i = 0; i < 4; i++)
		assert_int_equal(said.lengths[i], 1400);
	assert_int_equal(said.segments[4].cmd, KCP_CMD_ACK);
	assert_int_equal(said.lengths[4], 24);
	arq_link_end(&link);
}

static void fills_segments_of_a_stream(void **state)
{
	struct kcp_settings s = arq_link_settings();
	(void)state;
	s.stream = true;
	begin_with(&s);
	send_some(3, 1000);
	/* each behind its length: 3 * 1002 bytes */
	assert_int_equal(said.n, 3);
	assert_int_equal(said.segments[0].len, 1376);
	assert_int_equal(said.segments[1].len, 1376);
	assert_int_equal(said.segments[2].len, 3 * 1002 - 2 * 1376);
	assert_int_equal(said.data[0][0], 1000 & 0xff);
	assert_int_equal(said.data[0][1], 1000 >> 8);
	assert_int_equal(said.data[0][1002], 1000 & 0xff);
	for (uint32_t i = 0; i < 3; i++)
		assert_int_equal(said.segments[i].frg, 0);
	arq_link_end(&link);
}

static void never_says_an_empty_message(void **state)
{
	(void)state;
	begin();
	send_some(1, 0);
	assert_int_equal(said.n, 0);
	assert_int_equal(link.a.counts[KCP_DROP_EMPTY], 1);
	arq_link_end(&link);
}

static void acknowledges_a_batch_by_una_and_the_last(void **state)
{
	struct kcp_settings s = arq_link_settings();
	(void)state;
	s.ack_no_delay = false;
	begin_with(&s);
	for (uint32_t sn = 0; sn < 5; sn++)
		(void)push(sn);
	(void)push(7);
	(void)push(9);
	assert_int_equal(said.n, 0);
	wait(10 * MS);
	/* 0 to 4 are covered by una; 7 and 9 are not */
	assert_int_equal(said.n, 2);
	assert_int_equal(said.segments[0].sn, 7);
	assert_int_equal(said.segments[1].sn, 9);
	assert_int_equal(said.segments[1].una, 5);
	arq_link_end(&link);
}

/* The datagram before may be lost, and then no una tells the peer. */
static void acknowledges_twice_what_is_behind_a_gap(void **state)
{
	(void)state;
	begin();
	(void)push(0);
	(void)push(2);
	forget();
	(void)push(3);
	assert_int_equal(said.n_datagrams, 1);
	assert_int_equal(said.n, 2);
	assert_int_equal(said.segments[0].sn, 2);
	assert_int_equal(said.segments[1].sn, 3); /* others measure by the last */
	forget();
	(void)push(4);
	assert_int_equal(said.n, 2);
	assert_int_equal(count_said(KCP_CMD_ACK, 2), 0);
	assert_int_equal(count_said(KCP_CMD_ACK, 3), 1);
	forget();
	/* una says the rest */
	(void)push(1);
	assert_int_equal(said.n, 1);
	assert_int_equal(said.segments[0].sn, 1);
	assert_int_equal(said.segments[0].una, 5);
	arq_link_end(&link);
}

/* So that nobody has more sent to a forged address than he sends. */
static void never_answers_with_more_than_it_was_told(void **state)
{
	(void)state;
	begin();
	for (uint32_t sn = 1; sn < 60; sn++) {
		struct kcp_segment in = segment(KCP_CMD_PUSH, sn);
		in.len = sn % 24;
		forget();
		(void)say(&in);
		assert_in_range(said.used, 1, KCP_SEGMENT_BYTES + in.len);
	}
	arq_link_end(&link);
}

static void acknowledges_at_once_unless_told_otherwise(void **state)
{
	struct kcp_segment in = segment(KCP_CMD_PUSH, 0);
	(void)state;
	begin();
	in.len = 100;
	in.ts = 0xdeadbeef;
	(void)say(&in);
	assert_int_equal(said.n, 1);
	assert_int_equal(said.segments[0].cmd, KCP_CMD_ACK);
	assert_int_equal(said.segments[0].ts, 0xdeadbeef);
	assert_int_equal(said.segments[0].una, 1);
	arq_link_end(&link);
}

static void acknowledges_an_old_one_again(void **state)
{
	(void)state;
	begin();
	(void)push(0);
	forget();
	(void)push(0);
	assert_int_equal(count_said(KCP_CMD_ACK, 0), 1);
	assert_int_equal(link.a.n_delivered, 1);
	assert_int_equal(link.a.counts[KCP_SEGMENTS_REPEATED], 1);
	arq_link_end(&link);
}

/* ---- sending again ---- */

static void waits_longer_each_time(const uint32_t nodelay, const uint64_t first,
				   const uint64_t second)
{
	struct kcp_settings s = arq_link_settings();
	s.nodelay = nodelay;
	s.resend = 0;
	begin_with(&s);
	send_some(1, 100);
	wait(first - 2 * MS);
	assert_int_equal(said.n, 1);
	wait(4 * MS);
	assert_int_equal(said.n, 2);
	assert_int_equal(said.segments[1].ts, now_ms() - 1); /* it bears the time of this one */
	wait(second - 5 * MS);
	assert_int_equal(said.n, 2);
	wait(6 * MS);
	assert_int_equal(said.n, 3);
	assert_int_equal(link.a.counts[KCP_RESENT_TIMEOUT], 2);
	arq_link_end(&link);
}

/* The first timeout is 200 ms while no round trip is measured; without nodelay an eighth more. */
static void doubles_the_timeout_without_nodelay(void **state)
{
	(void)state;
	waits_longer_each_time(0, 225 * MS, 400 * MS);
}

static void adds_half_of_the_timeout_with_nodelay(void **state)
{
	(void)state;
	waits_longer_each_time(1, 200 * MS, 300 * MS);
}

static void measures_round_trips_in_microseconds(void **state)
{
	(void)state;
	begin();
	link.now_us += 321;
	send_some(1, 100);
	uint32_t ts = said.segments[0].ts;
	link.now_us += 12345;
	assert_true(acknowledge(0, 1, ts));
	assert_int_equal(arq_of(&link.a)->rtt.latest_us, 12345);
	arq_link_end(&link);
}

static void measures_nothing_by_an_ack_of_another_transmission(void **state)
{
	(void)state;
	begin();
	send_some(1, 100);
	uint32_t ts = said.segments[0].ts;
	wait(300 * MS);
	assert_int_equal(count_said(KCP_CMD_PUSH, 0), 2);
	assert_true(acknowledge(0, 1, ts));
	assert_int_equal(arq_of(&link.a)->rtt.latest_us, 0);
	arq_link_end(&link);
}

/* A queue on the way grows: answers come one behind the other, each later than round trips before it say. */
static void takes_answers_that_wait_behind_others_for_no_loss(void **state)
{
	struct kcp_settings s = arq_link_settings();
	(void)state;
	s.snd_wnd = 256;
	begin_with(&s);
	for (uint32_t sn = 0; sn < 20; sn++) {
		send_some(1, 1376);
		wait(20 * MS);
		(void)acknowledge(sn, sn + 1, said.segments[said.n - 1].ts);
	}
	assert_in_range(arq_of(&link.a)->rtt.srtt_us, 19 * MS, 21 * MS);
	forget();
	uint32_t ts[20];
	for (uint32_t i = 0; i < 20; i++) {
		send_some(1, 1376);
		ts[i] = said.segments[said.n - 1].ts;
		wait(1 * MS);
	}
	/* 5 ms between two answers to what was sent every 1 ms: the last comes after 100 ms */
	for (uint32_t i = 0; i < 20; i++) {
		wait(5 * MS);
		(void)acknowledge(20 + i, 21 + i, ts[i]);
	}
	assert_int_equal(link.a.counts[KCP_RESENT_TIMEOUT], 0);
	assert_int_equal(link.a.counts[KCP_SEGMENTS_RESENT], 0);
	arq_link_end(&link);
}

/* The last one is missing: that is noticed as soon as without others before it. */
static void a_tail_that_is_lost_times_out_as_before(void **state)
{
	(void)state;
	begin();
	for (uint32_t sn = 0; sn < 20; sn++) {
		send_some(1, 1376);
		wait(60 * MS);
		(void)acknowledge(sn, sn + 1, said.segments[said.n - 1].ts);
	}
	forget();
	send_some(1, 1376);
	uint32_t ts = now_ms();
	wait(10 * MS);
	send_some(1, 1376);
	wait(50 * MS);
	(void)acknowledge(20, 21, ts);
	uint64_t timeout = kcp_rtt_timeout(&arq_of(&link.a)->rtt, 10 * MS, 30 * MS, SECOND, SECOND);
	wait(timeout - 50 * MS - 2 * MS);
	assert_int_equal(count_said(KCP_CMD_PUSH, 21), 1);
	wait(4 * MS);
	assert_int_equal(count_said(KCP_CMD_PUSH, 21), 2);
	arq_link_end(&link);
}

static void sends_again_what_was_overtaken_twice(void **state)
{
	(void)state;
	begin();
	send_some(4, 1376);
	uint32_t ts = said.segments[0].ts;
	link.now_us += 20 * MS;
	(void)acknowledge(1, 0, ts);
	assert_int_equal(count_said(KCP_CMD_PUSH, 0), 1);
	(void)acknowledge(2, 0, ts);
	assert_int_equal(count_said(KCP_CMD_PUSH, 0), 2);
	assert_int_equal(count_said(KCP_CMD_PUSH, 3), 1);
	/* later ones that were sent before that say nothing of this one */
	(void)acknowledge(3, 0, ts);
	assert_int_equal(count_said(KCP_CMD_PUSH, 0), 2);
	assert_int_equal(link.a.counts[KCP_RESENT_FAST], 1);
	arq_link_end(&link);
}

/* Four segments have earned one copy; it follows an eighth of the round trip later. */
static void sends_a_copy_of_what_it_sends_again(void **state)
{
	(void)state;
	begin();
	send_some(4, 1376);
	uint32_t ts = said.segments[0].ts;
	link.now_us += 20 * MS;
	for (uint32_t sn = 1; sn < 4; sn++)
		(void)acknowledge(sn, 0, ts);
	assert_int_equal(count_said(KCP_CMD_PUSH, 0), 2);
	wait(2 * MS);
	assert_int_equal(count_said(KCP_CMD_PUSH, 0), 2);
	wait(2 * MS);
	assert_int_equal(count_said(KCP_CMD_PUSH, 0), 3);
	assert_int_equal(link.a.counts[KCP_RESENT_COPIES], 1);
	assert_int_equal(link.a.counts[KCP_SEGMENTS_RESENT], 2);
	wait(10 * MS);
	assert_int_equal(count_said(KCP_CMD_PUSH, 0), 3);
	arq_link_end(&link);
}

static void sends_no_copy_while_a_queue_grows(void **state)
{
	(void)state;
	begin();
	for (uint32_t sn = 0; sn < 8; sn++) {
		send_some(1, 1376);
		wait(20 * MS);
		(void)acknowledge(sn, sn + 1, said.segments[said.n - 1].ts);
	}
	forget();
	send_some(4, 1376);
	uint32_t ts = said.segments[0].ts;
	link.now_us += 29 * MS; /* of a round trip of 20 */
	for (uint32_t sn = 9; sn < 12; sn++)
		(void)acknowledge(sn, 8, ts);
	wait(15 * MS);
	assert_int_equal(count_said(KCP_CMD_PUSH, 8), 2);
	assert_int_equal(link.a.counts[KCP_RESENT_COPIES], 0);
	arq_link_end(&link);
}

/* Nor of small ones that are new, which have one where the path loses. */
static void sends_no_copy_of_small_ones_while_a_queue_grows(void **state)
{
	(void)state;
	for (uint32_t grows = 0; grows < 2; grows++) {
		begin();
		for (uint32_t sn = 0; sn < 8; sn++) {
			send_some(1, 1376);
			wait(sn == 7 && grows != 0 ? 29 * MS : 20 * MS);
			(void)acknowledge(sn, sn + 1, said.segments[said.n - 1].ts);
		}
		for (uint32_t i = 0; i < 10; i++)
			kcp_copies_learn(&arq_of(&link.a)->copies, true);
		forget();
		send_some(1, 100);
		wait(10 * MS);
		assert_int_equal(count_said(KCP_CMD_PUSH, 8), grows != 0 ? 1 : 2);
		arq_link_end(&link);
	}
}

static void sends_no_copy_of_what_has_arrived(void **state)
{
	(void)state;
	begin();
	send_some(4, 1376);
	uint32_t ts = said.segments[0].ts;
	link.now_us += 20 * MS;
	for (uint32_t sn = 1; sn < 4; sn++)
		(void)acknowledge(sn, 0, ts);
	(void)acknowledge(0, 4, now_ms());
	wait(10 * MS);
	assert_int_equal(count_said(KCP_CMD_PUSH, 0), 2);
	assert_int_equal(link.a.counts[KCP_RESENT_COPIES], 0);
	arq_link_end(&link);
}

/* Its copy bears another time: an answer to the first is not taken for one to the second. */
static void an_ack_of_what_was_copied_tells_which_one_has_arrived(void **state)
{
	(void)state;
	begin();
	send_some(4, 1376);
	uint32_t ts = said.segments[0].ts;
	link.now_us += 20 * MS;
	for (uint32_t sn = 1; sn < 4; sn++)
		(void)acknowledge(sn, 0, ts);
	uint32_t second = now_ms();
	wait(4 * MS);
	assert_int_equal(link.a.counts[KCP_RESENT_COPIES], 1);
	assert_int_not_equal(said.segments[said.n - 1].ts, second);
	uint64_t before = arq_of(&link.a)->rtt.latest_us;
	link.now_us += 15 * MS;
	(void)acknowledge(0, 4, second);
	assert_int_equal(arq_of(&link.a)->rtt.latest_us, before);
	arq_link_end(&link);
}

static void sends_again_a_tail_that_was_overtaken_once(void **state)
{
	(void)state;
	begin();
	send_some(2, 1376);
	uint32_t ts = said.segments[0].ts;
	link.now_us += 20 * MS;
	(void)acknowledge(1, 0, ts);
	assert_int_equal(count_said(KCP_CMD_PUSH, 0), 1);
	wait(10 * MS);
	assert_int_equal(count_said(KCP_CMD_PUSH, 0), 2);
	arq_link_end(&link);
}

static void sends_nothing_again_fast_when_resend_is_0(void **state)
{
	struct kcp_settings s = arq_link_settings();
	(void)state;
	s.resend = 0;
	begin_with(&s);
	send_some(6, 1376);
	uint32_t ts = said.segments[0].ts;
	link.now_us += 20 * MS;
	for (uint32_t sn = 1; sn < 6; sn++)
		(void)acknowledge(sn, 0, ts);
	wait(30 * MS);
	assert_int_equal(count_said(KCP_CMD_PUSH, 0), 1);
	arq_link_end(&link);
}

/* ---- what nobody may tell it ---- */

static void refuses_an_una_of_what_was_not_sent(void **state)
{
	static const uint32_t forged[] = {4, 5, 1000, 0x7fffffff};
	(void)state;
	begin();
	send_some(3, 1000);
	for (uint32_t i = 0; i < 4; i++) {
		struct kcp_segment s = segment(KCP_CMD_WINS, 0);
		s.una = forged[i];
		s.wnd = 0;
		assert_false(say(&s));
	}
	assert_int_equal(arq_of(&link.a)->window.una, 0);
	assert_int_equal(arq_of(&link.a)->peer_wnd, 32); /* as at the beginning */
	assert_int_equal(link.a.counts[KCP_ACKS_FORGED], 4);
	arq_link_end(&link);
}

static void refuses_an_ack_of_what_was_not_sent(void **state)
{
	(void)state;
	begin();
	send_some(3, 1000);
	(void)acknowledge(3, 0, now_ms());
	(void)acknowledge(0x70000000, 0, now_ms());
	assert_int_equal(link.a.counts[KCP_ACKS_FORGED], 2);
	assert_int_equal(kcp_sendwin_count(&arq_of(&link.a)->window), 3);
	arq_link_end(&link);
}

static void an_old_una_takes_nothing_back(void **state)
{
	(void)state;
	begin();
	send_some(3, 1000);
	assert_true(acknowledge(1, 2, now_ms()));
	assert_int_equal(arq_of(&link.a)->window.una, 2);
	assert_true(acknowledge(0, 0, now_ms()));
	assert_int_equal(arq_of(&link.a)->window.una, 2);
	arq_link_end(&link);
}

static void keeps_nothing_outside_of_the_window(void **state)
{
	static const uint32_t outside[] = {128, 129, 5000, 0x7fffffff};
	(void)state;
	begin();
	for (uint32_t i = 0; i < 4; i++)
		(void)push(outside[i]);
	assert_int_equal(link.a.counts[KCP_SEGMENTS_OUTSIDE], 4);
	assert_int_equal(count_said(KCP_CMD_ACK, 128), 0);
	assert_int_equal(link.cells[0].n_out, 0);
	(void)push(127);
	assert_int_equal(link.cells[0].n_out, 1);
	assert_int_equal(count_said(KCP_CMD_ACK, 127), 1);
	/* far behind is old, not new */
	(void)push(0xffffffff);
	(void)push(0x80000001);
	assert_int_equal(link.cells[0].n_out, 1);
	arq_link_end(&link);
}

static void keeps_what_was_before_a_fault_and_drops_the_rest(void **state)
{
	uint8_t bytes[256];
	struct kcp_segment first = segment(KCP_CMD_PUSH, 1), second = segment(KCP_CMD_PUSH, 2);
	(void)state;
	first.len = 40;
	second.len = 40;
	for (uint32_t i = 0; i < 3; i++) {
		begin();
		memset(bytes, 0, sizeof(bytes));
		kcp_segment_write(bytes, &first);
		kcp_segment_write(bytes + 64, &second);
		bytes[64 + (i == 0 ? 0 : i == 1 ? 4 : 23)] ^= 0x80;
		assert_true(arq_link_input(&link.a, bytes, 128));
		assert_int_equal(link.a.counts[i == 0   ? KCP_DROP_CONV
					       : i == 1 ? KCP_DROP_COMMAND
							: KCP_DROP_LENGTH],
				 1);
		assert_int_equal(count_said(KCP_CMD_ACK, 1), 1);
		assert_int_equal(count_said(KCP_CMD_ACK, 2), 0);
		arq_link_end(&link);
	}
}

static void an_empty_message_is_taken_and_not_delivered(void **state)
{
	struct kcp_segment s = segment(KCP_CMD_PUSH, 0);
	(void)state;
	begin();
	assert_true(say(&s));
	assert_int_equal(link.a.n_delivered, 0);
	assert_int_equal(link.a.counts[KCP_EMPTY_RECEIVED], 1);
	assert_int_equal(arq_of(&link.a)->received.nxt, 1);
	arq_link_end(&link);
}

static void a_message_without_end_stalls_nothing(void **state)
{
	(void)state;
	begin();
	/* says that 200 fragments follow, each of 1376 bytes: more than any message */
	for (uint32_t sn = 0; sn <= 200; sn++) {
		struct kcp_segment s = segment(KCP_CMD_PUSH, sn);
		s.frg = (uint8_t)(200 - sn);
		s.len = 1376;
		assert_true(say(&s));
		assert_int_equal(link.cells[0].n_out, 0);
	}
	assert_int_equal(link.a.counts[KCP_DROP_MESSAGE], 1);
	link.a.gaps = true;
	(void)push(201);
	assert_int_equal(link.a.n_delivered, 202);
	arq_link_end(&link);
}

static void notices_a_peer_that_has_begun_anew(void **state)
{
	(void)state;
	begin();
	send_some(5, 1000);
	(void)acknowledge(4, 5, now_ms());
	(void)push(0);
	for (uint32_t i = 0; i < 10; i++) {
		assert_int_equal(link.a.n_restarted, 0);
		(void)push(0); /* una 0: as if nothing of ours had arrived */
		link.now_us += 110 * MS;
	}
	(void)push(0);
	assert_int_equal(link.a.n_restarted, 1);
	arq_link_end(&link);
}

static void takes_late_datagrams_for_no_restart(void **state)
{
	struct kcp_segment s = segment(KCP_CMD_PUSH, 0);
	(void)state;
	begin();
	s.len = 100;
	send_some(5, 1000);
	(void)acknowledge(4, 5, now_ms());
	for (uint32_t i = 0; i < 100; i++) {
		s.una = i % 4 == 0 ? 5 : 0;
		(void)say(&s);
		link.now_us += 110 * MS;
	}
	assert_int_equal(link.a.n_restarted, 0);
	arq_link_end(&link);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(says_a_message_as_others_do),
		cmocka_unit_test(counts_fragments_down),
		cmocka_unit_test(packs_small_messages_into_one_datagram),
		cmocka_unit_test(makes_datagrams_of_one_length_and_acks_behind_them),
		cmocka_unit_test(fills_segments_of_a_stream),
		cmocka_unit_test(never_says_an_empty_message),
		cmocka_unit_test(acknowledges_a_batch_by_una_and_the_last),
		cmocka_unit_test(acknowledges_twice_what_is_behind_a_gap),
		cmocka_unit_test(never_answers_with_more_than_it_was_told),
		cmocka_unit_test(acknowledges_at_once_unless_told_otherwise),
		cmocka_unit_test(acknowledges_an_old_one_again),
		cmocka_unit_test(doubles_the_timeout_without_nodelay),
		cmocka_unit_test(adds_half_of_the_timeout_with_nodelay),
		cmocka_unit_test(measures_round_trips_in_microseconds),
		cmocka_unit_test(measures_nothing_by_an_ack_of_another_transmission),
		cmocka_unit_test(takes_answers_that_wait_behind_others_for_no_loss),
		cmocka_unit_test(a_tail_that_is_lost_times_out_as_before),
		cmocka_unit_test(sends_again_what_was_overtaken_twice),
		cmocka_unit_test(sends_a_copy_of_what_it_sends_again),
		cmocka_unit_test(sends_no_copy_while_a_queue_grows),
		cmocka_unit_test(sends_no_copy_of_small_ones_while_a_queue_grows),
		cmocka_unit_test(sends_no_copy_of_what_has_arrived),
		cmocka_unit_test(an_ack_of_what_was_copied_tells_which_one_has_arrived),
		cmocka_unit_test(sends_again_a_tail_that_was_overtaken_once),
		cmocka_unit_test(sends_nothing_again_fast_when_resend_is_0),
		cmocka_unit_test(refuses_an_una_of_what_was_not_sent),
		cmocka_unit_test(refuses_an_ack_of_what_was_not_sent),
		cmocka_unit_test(an_old_una_takes_nothing_back),
		cmocka_unit_test(keeps_nothing_outside_of_the_window),
		cmocka_unit_test(keeps_what_was_before_a_fault_and_drops_the_rest),
		cmocka_unit_test(an_empty_message_is_taken_and_not_delivered),
		cmocka_unit_test(a_message_without_end_stalls_nothing),
		cmocka_unit_test(notices_a_peer_that_has_begun_anew),
		cmocka_unit_test(takes_late_datagrams_for_no_restart),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
