/* SPDX-License-Identifier: BSD-2-Clause */
/* The receiver of our own wire: order within lanes, and what hostile datagrams do to it: nothing. */
#include "flow_net.h"

#include <string.h>

#include "flow_parts.h"

#define MS     FLOW_NET_MS
#define SECOND FLOW_NET_SECOND

/* What end 1 was handed, by the first byte of each message. */
struct seen {
	uint8_t names[4096];
	uint32_t n;
};

static void got(struct flow_end *e, const uint8_t *data, uint32_t len)
{
	struct seen *s = e->user;
	assert_true(len > 0);
	if (s->n < sizeof(s->names))
		s->names[s->n++] = data[0];
}

/* The peer of end 1 is us: datagrams are made by hand. */
struct peer {
	struct flow_net net;
	struct seen seen;
	struct kcp_flow *f; /* end 1 */
	uint32_t pn, id;
};

static void begin(struct peer *p)
{
	memset(p, 0, sizeof(*p));
	flow_net_init(&p->net, 77);
	flow_net_start(&p->net);
	flow_net_open(&p->net);
	flow_net_run(&p->net, SECOND);
	struct kcp_flow *f = p->net.end[0].engine;
	p->f = p->net.end[1].engine;
	p->pn = (uint32_t)f->tx.next_pn;
	p->id = (uint32_t)f->tx.next_id;
	p->net.end[1].got = got;
	p->net.end[1].user = &p->seen;
	p->net.line[1].is_cut = true; /* nobody is interested in the answers */
}

static void end(struct peer *p)
{
	flow_net_clear(&p->net);
}

static bool give_data(struct peer *p, uint32_t pn, uint32_t id, uint8_t lane, uint16_t back,
		      char name)
{
	uint8_t data[KCP_FRAME_HEAD_LEN + 4] = {0};
	struct kcp_frame f = {.kind = KCP_FRAME_DATA,
			      .small = lane,
			      .word = back,
			      .number = p->net.end[1].conv,
			      .pn = p->pn + pn,
			      .id = p->id + id};
	kcp_frame_write(data, &f);
	data[KCP_FRAME_HEAD_LEN] = (uint8_t)name;
	return flow_net_input(&p->net.end[1], data, sizeof(data));
}

static void give_floor(struct peer *p, uint32_t pn, uint32_t floor)
{
	uint8_t data[KCP_FRAME_HEAD_LEN];
	struct kcp_frame f = {.kind = KCP_FRAME_PING,
			      .number = p->net.end[1].conv,
			      .pn = p->pn + pn,
			      .id = p->id + floor};
	kcp_frame_write(data, &f);
	assert_true(flow_net_input(&p->net.end[1], data, sizeof(data)));
}

static void assert_seen(const struct peer *p, const char *names)
{
	assert_int_equal(p->seen.n, strlen(names));
	assert_memory_equal(p->seen.names, names, p->seen.n);
}

static void a_lane_waits_for_what_is_missing(void **state)
{
	struct peer p;
	(void)state;
	begin(&p);
	give_data(&p, 0, 0, 5, 0, 'a');
	give_data(&p, 2, 2, 5, 1, 'c');
	give_data(&p, 3, 3, 5, 1, 'd');
	assert_seen(&p, "a");
	give_data(&p, 4, 1, 5, 1, 'b');
	assert_seen(&p, "abcd");
	end(&p);
}

static void lanes_do_not_wait_for_each_other(void **state)
{
	struct peer p;
	(void)state;
	begin(&p);
	give_data(&p, 0, 0, 5, 0, 'a');
	give_data(&p, 2, 2, 5, 1, 'c'); /* waits */
	give_data(&p, 3, 3, 6, 0, 'x');
	give_data(&p, 4, 4, 0, 0, 'u');
	give_data(&p, 5, 5, 6, 2, 'y');
	assert_seen(&p, "axuy");
	give_data(&p, 6, 1, 5, 1, 'b');
	assert_seen(&p, "axuybc");
	end(&p);
}

static void lane_zero_has_no_order(void **state)
{
	struct peer p;
	(void)state;
	begin(&p);
	give_data(&p, 3, 3, 0, 0, 'd');
	give_data(&p, 1, 1, 0, 0, 'b');
	give_data(&p, 0, 0, 0, 0, 'a');
	assert_seen(&p, "dba");
	end(&p);
}

static void the_floor_lets_a_lane_go_on(void **state)
{
	struct peer p;
	(void)state;
	begin(&p);
	give_data(&p, 2, 2, 5, 1, 'c');
	give_data(&p, 4, 4, 5, 2, 'e');
	give_data(&p, 5, 5, 5, 1, 'f');
	assert_seen(&p, "");
	/* 0 and 1 are given up: the first of the lane is 2 now; 3 was another lane's */
	give_floor(&p, 6, 2);
	assert_seen(&p, "cef");
	/* too late */
	give_data(&p, 7, 1, 5, 1, 'b');
	assert_seen(&p, "cef");
	assert_int_equal(p.net.end[1].counts[KCP_DROP_LATE], 1);
	end(&p);
}

static void patience_ends_with_the_senders_budget(void **state)
{
	struct peer p;
	(void)state;
	begin(&p);
	give_data(&p, 1, 1, 5, 1, 'b');
	flow_net_run(&p.net, 299 * MS);
	assert_seen(&p, "");
	flow_net_run(&p.net, 2 * MS);
	assert_seen(&p, "b");
	end(&p);
}

static void what_came_is_delivered_once(void **state)
{
	struct peer p;
	(void)state;
	begin(&p);
	for (uint32_t i = 0; i < 5; i++)
		give_data(&p, i, 0, 0, 0, 'a');      /* again, with other numbers */
	assert_true(give_data(&p, 4, 0, 0, 0, 'a')); /* the very same datagram */
	give_data(&p, 6, 2, 5, 1, 'c');
	give_data(&p, 7, 2, 5, 1, 'c'); /* one that is held */
	give_data(&p, 8, 1, 5, 0, 'b');
	assert_seen(&p, "abc");
	assert_int_equal(p.net.end[1].counts[KCP_DROP_REPEATED], 6);
	end(&p);
}

static void two_that_wait_for_one_do_no_harm(void **state)
{
	struct peer p;
	(void)state;
	begin(&p);
	give_data(&p, 1, 1, 5, 1, 'b');
	give_data(&p, 2, 2, 5, 2, 'c'); /* also says that it follows 0 */
	give_data(&p, 0, 0, 5, 0, 'a');
	assert_seen(&p, "cab");
	end(&p);
}

static void numbers_far_away_are_not_believed(void **state)
{
	struct peer p;
	(void)state;
	begin(&p);
	assert_false(give_data(&p, 70000, 0, 0, 0, 'x'));
	assert_false(give_data(&p, (uint32_t)-1, 0, 0, 0, 'x') &&
		     give_data(&p, (uint32_t)-9000, 0, 0, 0, 'x'));
	assert_false(give_data(&p, 1, 70000, 0, 0, 'x'));
	assert_seen(&p, "");
	/* and those that are near are: the session goes on */
	assert_true(give_data(&p, 2, 0, 0, 0, 'a'));
	assert_seen(&p, "a");
	end(&p);
}

static void a_jump_within_bounds_costs_bounded_memory(void **state)
{
	struct peer p;
	(void)state;
	begin(&p);
	for (uint32_t i = 0; i < 40; i++)
		(void)give_data(&p, i * 60000 + 1, i * 60000 + 1, 9, 1, 'j');
	assert_true(p.net.end[1].cells.n_out <= 8192);
	assert_true(p.f->rx.next - p.f->rx.tail <= p.f->rx.mask + 1u);
	end(&p);
}

static void parity_of_nonsense_is_harmless(void **state)
{
	struct peer p;
	uint8_t data[1400];
	(void)state;
	begin(&p);
	for (uint32_t i = 0; i < 20000; i++) {
		uint64_t r = flow_net_random(&p.net);
		uint32_t len = KCP_FRAME_HEAD_LEN + KCP_FRAME_SHARD_LEN + 1 + (uint32_t)(r % 60);
		struct kcp_frame f = {.kind = KCP_FRAME_PARITY,
				      .small = (uint8_t)(r >> 8),
				      .word = (uint16_t)(r >> 16 & 31),
				      .number = p.net.end[1].conv,
				      .pn = p.pn + i,
				      .id = p.id + i / 20 + (uint32_t)(r >> 32 & 63)};
		memset(data, (int)r, sizeof(data));
		kcp_frame_write(data, &f);
		(void)flow_net_input(&p.net.end[1], data, len);
		if (i % 3 == 0)
			(void)give_data(&p, 20000 + i, i / 20, (uint8_t)(r >> 40),
					(uint16_t)(r >> 50), 'n');
	}
	assert_true(p.net.end[1].cells.n_out < 16384);
	end(&p);
}

static void a_multi_is_read_as_far_as_it_is_whole(void **state)
{
	struct peer p;
	uint8_t data[100] = {0};
	struct kcp_frame_shard s = {.len = 3};
	(void)state;
	begin(&p);
	struct kcp_frame f = {.kind = KCP_FRAME_MULTI,
			      .small = 3,
			      .number = p.net.end[1].conv,
			      .pn = p.pn,
			      .id = p.id};
	kcp_frame_write(data, &f);
	for (uint32_t i = 0; i < 3; i++) {
		kcp_frame_write_shard(data + 16 + i * 9, &s);
		data[16 + i * 9 + 6] = (uint8_t)('a' + i);
	}
	(void)flow_net_input(&p.net.end[1], data, 16 + 26); /* the last one is cut off */
	assert_seen(&p, "ab");
	assert_int_equal(p.net.end[1].counts[KCP_DROP_FRAME], 1);
	f.pn++;
	f.small = 0;
	kcp_frame_write(data, &f);
	assert_false(flow_net_input(&p.net.end[1], data, 16 + 27));
	end(&p);
}

/* ---- forged acknowledgements ---- */

static bool give_ack(struct flow_net *n, uint32_t largest, uint32_t floor, const char *runs,
		     uint32_t len)
{
	uint8_t data[64] = {0};
	struct kcp_frame f = {
		.kind = KCP_FRAME_ACK, .number = n->end[0].conv, .pn = largest, .id = floor};
	kcp_frame_write(data, &f);
	memcpy(data + KCP_FRAME_HEAD_LEN, runs, len);
	return flow_net_input(&n->end[0], data, KCP_FRAME_HEAD_LEN + len);
}

static void acks_of_what_was_never_sent_are_refused(void **state)
{
	struct flow_net n;
	uint8_t message[100] = {1};
	(void)state;
	flow_net_init(&n, 5);
	flow_net_start(&n);
	flow_net_open(&n);
	n.line[0].is_cut = true;
	for (uint32_t i = 0; i < 10; i++)
		flow_net_send(&n.end[0], message, sizeof(message), true);
	struct kcp_flow *f = n.end[0].engine;
	uint32_t next = (uint32_t)f->tx.next_pn;
	uint32_t id = (uint32_t)f->tx.floor;
	uint32_t flying = f->tx.n_flying;
	assert_true(flying >= 10);
	assert_false(give_ack(&n, next, id, "\x00", 1));
	assert_false(give_ack(&n, next + 1000, id, "\x00", 1));
	assert_false(give_ack(&n, next - 1, id + 11, "\x00", 1));
	assert_int_equal(n.end[0].counts[KCP_ACKS_FORGED], 3);
	assert_int_equal(f->tx.n_flying, flying);
	/* runs that do not end */
	assert_false(give_ack(&n, next - 1, id, "\x80", 1));
	assert_int_equal(f->tx.n_flying, flying);
	/* a good one frees what it names, and again nothing */
	assert_true(give_ack(&n, next - 1, id, "\x04", 1));
	assert_int_equal(f->tx.n_flying, flying - 5);
	assert_true(give_ack(&n, next - 1, id, "\x04", 1));
	flow_net_clear(&n);
}

static void an_ack_of_everything_frees_everything_once(void **state)
{
	struct flow_net n;
	uint8_t message[1000] = {1};
	(void)state;
	flow_net_init(&n, 6);
	flow_net_start(&n);
	flow_net_open(&n);
	n.line[0].is_cut = true;
	for (uint32_t i = 0; i < 20; i++)
		flow_net_send(&n.end[0], message, sizeof(message), true);
	struct kcp_flow *f = n.end[0].engine;
	assert_true(n.end[0].cells.n_out > 0);
	assert_true(give_ack(&n, (uint32_t)f->tx.next_pn - 1, (uint32_t)f->tx.next_id,
			     "\xff\xff\x03", 3));
	assert_int_equal(f->tx.n_flying, 0);
	assert_true(f->congestion.in_flight == 0);
	assert_int_equal(n.end[0].cells.n_out, 0);
	flow_net_clear(&n);
}

/* ---- everything at once ---- */

static void noise_on_an_open_session_breaks_nothing(void **state)
{
	struct flow_net n;
	uint8_t data[256];
	(void)state;
	flow_net_init(&n, 9);
	flow_net_start(&n);
	flow_net_open(&n);
	for (uint32_t i = 0; i < 60000; i++) {
		struct flow_end *e = &n.end[i % 2];
		struct kcp_flow *f = e->engine;
		uint64_t r = flow_net_random(&n);
		uint32_t len = (uint32_t)(r % 80);
		for (uint32_t k = 0; k < len; k += 8) {
			uint64_t x = flow_net_random(&n);
			memcpy(data + k, &x, 8);
		}
		/* most with what an attacker on the path knows */
		if (len >= 16 && r >> 60 != 0) {
			data[0] = (uint8_t)((r >> 20 & 0xf) << 4 | (r >> 24 & 1));
			kcp_store_le32(data + 4, e->conv);
			kcp_store_le32(data + 8, (uint32_t)f->rx.pns.largest + (r >> 30 & 7));
			kcp_store_le32(data + 12, (uint32_t)f->rx.next + (r >> 40 & 31));
			if (r >> 57 & 1)
				data[2] = data[3] = 0;
		}
		(void)flow_net_input(e, data, len);
		if (i % 50 == 0)
			flow_net_run(&n, MS);
	}
	for (uint32_t i = 0; i < 2; i++) {
		assert_true(n.end[i].cells.n_out < 16384);
		assert_int_equal(n.end[i].packets, 0);
	}
	/* one more turn of everything, and it works again */
	flow_net_restart(&n.end[0], true);
	flow_net_open(&n);
	flow_net_run(&n, SECOND);
	uint64_t before = n.end[1].got_messages;
	flow_net_send(&n.end[0], "hello", 5, true);
	flow_net_run(&n, SECOND);
	assert_int_equal(n.end[1].got_messages, before + 1);
	flow_net_clear(&n);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_lane_waits_for_what_is_missing),
		cmocka_unit_test(lanes_do_not_wait_for_each_other),
		cmocka_unit_test(lane_zero_has_no_order),
		cmocka_unit_test(the_floor_lets_a_lane_go_on),
		cmocka_unit_test(patience_ends_with_the_senders_budget),
		cmocka_unit_test(what_came_is_delivered_once),
		cmocka_unit_test(two_that_wait_for_one_do_no_harm),
		cmocka_unit_test(numbers_far_away_are_not_believed),
		cmocka_unit_test(a_jump_within_bounds_costs_bounded_memory),
		cmocka_unit_test(parity_of_nonsense_is_harmless),
		cmocka_unit_test(a_multi_is_read_as_far_as_it_is_whole),
		cmocka_unit_test(acks_of_what_was_never_sent_are_refused),
		cmocka_unit_test(an_ack_of_everything_frees_everything_once),
		cmocka_unit_test(noise_on_an_open_session_breaks_nothing),
	};
	return cmocka_run_group_tests_name("kcp flow order", tests, NULL, NULL);
}
