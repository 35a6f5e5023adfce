/* SPDX-License-Identifier: BSD-2-Clause */
/* The component on our own wire, against a peer that this test plays byte by byte. */
#include <string.h>

#include "flow_parts.h"
#include "kcp_world.h"

#define OWN_ID  UINT64_C(0x500000009) /* the peer's */
#define MESSAGE 100u

static struct world w;
static uint32_t number;   /* of the session here */
static uint32_t first_pn; /* of what the peer sends */

static struct vpn_endpoint peer(uint16_t port)
{
	struct vpn_endpoint e = testhost_endpoint("192.0.2.7:1");
	e.port = port;
	return e;
}

/* Sends a HELLO and takes what comes back. */
static void hello(struct kcp_frame_hello *h, struct kcp_frame_hello *ret_answer)
{
	uint8_t bytes[KCP_FRAME_HELLO_LEN];
	struct vpn_endpoint from = peer(10);
	kcp_frame_write_hello(bytes, h);
	testhost_recv(w.stage[0], 0, bytes, sizeof(bytes), &from);
	const struct testhost_record *r = testhost_next(w.stage[0], 0, VPN_DOWN);
	assert_non_null(r);
	assert_true(kcp_frame_parse_hello(r->data, ret_answer));
}

static void begin(void)
{
	struct kcp_frame_hello h = {.kind = KCP_FRAME_HELLO,
				    .version = KCP_FRAME_VERSION,
				    .mode = KCP_FRAME_MODE_DEADLINE,
				    .sender = OWN_ID,
				    .window = 4096,
				    .budget_us = 300000,
				    .message = 1400},
			       answer;
	world_init(&w);
	world_listen(&w, 0, 2);
	w.options[0].reliability = KCP_DEADLINE;
	w.options[0].queue = 20 * WORLD_MS;
	world_start(&w, 0);
	hello(&h, &answer);
	assert_int_equal(answer.kind, KCP_FRAME_COOKIE);
	memcpy(h.cookie, answer.cookie, sizeof(h.cookie));
	hello(&h, &answer);
	assert_int_equal(answer.kind, KCP_FRAME_WELCOME);
	number = (uint32_t)answer.sender;
	first_pn = (uint32_t)(OWN_ID >> 32) ^ number;
	world_mark(&w);
}

/* A message, which in lane 1 waits for the one before it. */
static void data(uint16_t port, uint32_t pn, uint32_t id, uint8_t lane, uint32_t len)
{
	struct kcp_frame f = {.kind = KCP_FRAME_DATA,
			      .small = lane,
			      .word = lane != 0,
			      .number = number,
			      .pn = pn,
			      .id = id};
	uint8_t bytes[KCP_FRAME_HEAD_LEN + MESSAGE] = {0};
	struct vpn_endpoint from = peer(port);
	kcp_frame_write(bytes, &f);
	testhost_recv(w.stage[0], 0, bytes, KCP_FRAME_HEAD_LEN + len, &from);
}

static void ping(uint32_t pn, uint32_t floor)
{
	struct kcp_frame f = {.kind = KCP_FRAME_PING, .number = number, .pn = pn, .id = floor};
	uint8_t bytes[KCP_FRAME_HEAD_LEN];
	struct vpn_endpoint from = peer(10);
	kcp_frame_write(bytes, &f);
	testhost_recv(w.stage[0], 0, bytes, sizeof(bytes), &from);
}

static void a_refused_datagram_moves_nobody(void **state)
{
	(void)state;
	begin();
	data(10, first_pn, 1, 1, MESSAGE);
	assert_null(testhost_next(w.stage[0], 0, VPN_UP)); /* held behind id 0 */
	data(99, first_pn + 0x10000000, 1, 1, 1);
	assert_int_equal(world_grown(&w, 0, KCP_DROP_OUTSIDE), 1);
	testhost_advance(w.host, 400 * WORLD_MS);
	const struct testhost_record *r = testhost_next(w.stage[0], 0, VPN_UP);
	assert_non_null(r);
	assert_int_equal(r->endpoint.port, 10);
	world_end(&w);
}

static void what_is_held_when_it_stops_is_counted(void **state)
{
	(void)state;
	begin();
	data(10, first_pn, 1, 1, MESSAGE);
	assert_null(testhost_next(w.stage[0], 0, VPN_UP));
	testhost_stop(w.stage[0]);
	world_only_drop(&w, 0, KCP_DROP_ABOVE_FULL, 1);
	world_end(&w);
}

static void after_a_leap_of_ids_it_goes_on(void **state)
{
	(void)state;
	begin();
	struct kcp_flow *f = w.k[0]->sessions.first->engine;
	data(10, first_pn, 0, 0, MESSAGE);
	data(10, first_pn + 1, 2, 1, MESSAGE); /* held behind id 1 */
	assert_non_null(testhost_next(w.stage[0], 0, VPN_UP));
	uint32_t id = 3;
	for (uint32_t i = 0; i < 10; i++) {
		id += 60000;
		ping(first_pn + 2 + i, id);
		assert_int_equal((uint32_t)f->rx.next, id);
		assert_true(f->rx.next - f->rx.tail <= f->rx.mask + 1u);
		assert_true(f->rx.tail <= f->rx.floor && f->rx.floor <= f->rx.next);
	}
	/* what was held has gone up, and later messages do as ever */
	assert_non_null(testhost_next(w.stage[0], 0, VPN_UP));
	assert_null(testhost_next(w.stage[0], 0, VPN_UP));
	assert_int_equal(world_grown(&w, 0, KCP_DATA_MISSED), id - 2);
	data(10, first_pn + 12, id, 0, MESSAGE);
	assert_non_null(testhost_next(w.stage[0], 0, VPN_UP));
	data(10, first_pn + 13, id + 1, 1, MESSAGE);
	assert_non_null(testhost_next(w.stage[0], 0, VPN_UP));
	world_end(&w);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_refused_datagram_moves_nobody),
		cmocka_unit_test(what_is_held_when_it_stops_is_counted),
		cmocka_unit_test(after_a_leap_of_ids_it_goes_on),
	};
	return cmocka_run_group_tests_name("kcp own peers", tests, NULL, NULL);
}
