/* SPDX-License-Identifier: BSD-2-Clause */
/* Sessions share what goes out by bytes, however large their datagrams are and however many wait. */
#include "kcp_world.h"

#define LARGE    1300u
#define MEDIUM   900u /* two do not fit into a datagram */
#define MESSAGES 200u

static struct world w;
static uint64_t sent[4]; /* bytes, by port */

static struct vpn_endpoint peer(uint16_t port)
{
	struct vpn_endpoint e = testhost_endpoint("192.0.2.7:1");
	e.port = port;
	return e;
}

static void say(uint16_t port, const struct kcp_segment *s)
{
	struct vpn_endpoint from = peer(port);
	world_say(&w, 0, &from, s, 0);
}

/* A peer with a wide window, to which the way is short: its session is not held back by anything else. */
static void join(uint16_t port)
{
	struct vpn_endpoint to = peer(port);
	struct kcp_segment s = {
		.conv = port, .cmd = KCP_CMD_PUSH, .wnd = 4096, .sn = 0, .len = 100};
	say(port, &s);
	testhost_clear(w.stage[0], 0, VPN_DOWN);
	assert_true(world_send_to(&w, 0, &to, 0, 100));
	assert_true(world_heard(&w, 0, &s, NULL));
	say(port, &(struct kcp_segment){.conv = port, .cmd = KCP_CMD_ACK, .wnd = 4096, .ts = s.ts});
	testhost_clear(w.stage[0], 0, VPN_DOWN);
}

static void begin(uint32_t n)
{
	world_init(&w);
	w.options[0].nc = 1; /* windows alone bound it */
	world_listen(&w, 0, n);
	world_start(&w, 0);
	for (uint32_t port = 1; port <= n; port++)
		join((uint16_t)port);
	testhost_limit(w.stage[0], 0, VPN_DOWN, 0);
	for (uint32_t i = 0; i < 4; i++)
		sent[i] = 0;
}

static void offer(uint16_t port, uint32_t n, uint32_t len)
{
	struct vpn_endpoint to = peer(port);
	for (uint32_t i = 0; i < n; i++)
		assert_true(world_send_to(&w, 0, &to, i, len));
}

/* The stage below takes some, and some more, until so many bytes have gone. */
static void drain(uint64_t bytes)
{
	uint64_t all = 0;
	for (uint32_t step = 0; step < 1000 && all < bytes; step++) {
		const struct testhost_record *r;
		testhost_limit(w.stage[0], 0, VPN_DOWN, 30);
		(void)testhost_writable(w.stage[0], 0, VPN_DOWN);
		testhost_advance(w.host, WORLD_MS / 100);
		while ((r = testhost_next(w.stage[0], 0, VPN_DOWN)) != NULL) {
			sent[r->endpoint.port] += r->len;
			all += r->len;
		}
	}
	assert_true(all >= bytes);
}

static void large_and_small_datagrams_get_equal_shares(void **state)
{
	(void)state;
	begin(2);
	offer(1, MESSAGES, LARGE);
	offer(2, MESSAGES, MEDIUM);
	drain(UINT64_C(250000));
	uint64_t more = sent[1] > sent[2] ? sent[1] - sent[2] : sent[2] - sent[1];
	assert_true(more <= 2 * KCP_TURN_BYTES);
	world_end(&w);
}

static void three_get_equal_shares_whoever_came_first(void **state)
{
	(void)state;
	begin(3);
	offer(1, MESSAGES, LARGE);
	offer(2, MESSAGES, MEDIUM);
	offer(3, MESSAGES / 2, LARGE);
	drain(UINT64_C(330000));
	for (uint32_t i = 1; i <= 3; i++) {
		assert_true(sent[i] >= 110000 - 2 * KCP_TURN_BYTES);
		assert_true(sent[i] <= 110000 + 2 * KCP_TURN_BYTES);
	}
	world_end(&w);
}

static void who_is_alone_takes_all(void **state)
{
	(void)state;
	begin(1);
	offer(1, MESSAGES, LARGE);
	drain(UINT64_C(250000));
	assert_true(sent[1] >= 250000);
	world_end(&w);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(large_and_small_datagrams_get_equal_shares),
		cmocka_unit_test(three_get_equal_shares_whoever_came_first),
		cmocka_unit_test(who_is_alone_takes_all),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
