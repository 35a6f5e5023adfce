/* SPDX-License-Identifier: BSD-2-Clause */
/* The stage that all modes share, with a mode whose packets say what becomes of them. */
#include <string.h>

#include "obfs_world.h"

#define LEADERS 3u

/* ---- the mode ---- */

static uint8_t fate_of(uint8_t first)
{
	switch (first) {
	case 'L':
		return OBFS_LEAD;
	case 'C':
		return OBFS_CONSUMED;
	case 'D':
		return OBFS_DROP(OBFS_DROP_FOREIGN);
	default:
		return OBFS_PASS;
	}
}

static vpn_status check(const struct obfs_options *o, struct vpn_error *err)
{
	(void)o;
	(void)err;
	return VPN_OK;
}

static void needs(const struct obfs_options *o, struct vpn_needs *out)
{
	(void)o;
	(void)out;
}

static vpn_status create(const struct vpn_host *host, const struct obfs_options *o, void **state,
			 struct vpn_error *err)
{
	(void)host;
	(void)o;
	(void)err;
	*state = NULL;
	return VPN_OK;
}

static void destroy(void *state)
{
	assert_null(state);
}

static void judge(struct vpn_packet **pkts, uint32_t n, uint8_t *fates)
{
	for (uint32_t i = 0; i < n; i++)
		fates[i] = fate_of(vpn_packet_data(pkts[i])[0]);
}

static void seal(struct obfs_lane *l, struct vpn_packet **pkts, uint32_t n, uint8_t *fates)
{
	(void)l;
	judge(pkts, n, fates);
}

static struct vpn_packet *own_packet(struct obfs_lane *l, const char *text)
{
	struct vpn_packet *p = NULL;
	if (l->host->alloc(l->lane, VPN_POOL_TX, &p, 1) == 0)
		return NULL;
	p->len = (uint32_t)strlen(text);
	memcpy(vpn_packet_data(p), text, p->len);
	return p;
}

/* "E" is answered by a packet of the mode's own, "A" by one a little later; both go up. */
static void open(struct obfs_lane *l, struct vpn_packet **pkts, uint32_t n, uint8_t *fates)
{
	judge(pkts, n, fates);
	for (uint32_t i = 0; i < n; i++) {
		if (vpn_packet_data(pkts[i])[0] == 'E')
			obfs_emit(l, own_packet(l, "emitted"), pkts[i]->endpoint);
		if (vpn_packet_data(pkts[i])[0] == 'A')
			l->host->arm(l->lane, l->lane->now_ns + 5);
	}
}

static uint32_t before(struct obfs_lane *l, const struct vpn_packet *p, struct vpn_packet **out,
		       uint32_t most)
{
	uint32_t n = 0;
	assert_int_equal(vpn_packet_data(p)[0], 'L');
	assert_true(most >= LEADERS);
	for (; n < LEADERS; n++) {
		char text[] = "lead 0";
		text[5] = (char)('0' + n);
		out[n] = own_packet(l, text);
		if (out[n] == NULL)
			break;
	}
	return n;
}

static void timer(struct obfs_lane *l, uint64_t now_ns)
{
	(void)now_ns;
	obfs_emit(l, own_packet(l, "timed"), NULL);
}

static void lane_start(struct obfs_lane *l)
{
	assert_int_equal(*(uint64_t *)l->own, 0);
	*(uint64_t *)l->own = l->lane->index + 1;
}

static void lane_stop(struct obfs_lane *l)
{
	assert_int_equal(*(uint64_t *)l->own, l->lane->index + 1);
}

static const struct obfs_mode mode = {
	.name = "told",
	.check = check,
	.needs = needs,
	.create = create,
	.destroy = destroy,
	.lane_size = sizeof(uint64_t),
	.lane_start = lane_start,
	.lane_stop = lane_stop,
	.seal = seal,
	.open = open,
	.before = before,
	.timer = timer,
};

const struct obfs_mode *const obfs_modes[OBFS_N_MODES] = {&mode};

/* ---- the tests ---- */

static struct world w;
static struct testhost_stage *s;

static int setup(void **state)
{
	(void)state;
	world_init(&w, (enum obfs_mode_id)0);
	w.setup[0].n_lanes = 2;
	w.setup[0].pool_size = 2048;
	w.setup[0].max_batch = 64;
	s = world_start(&w, 0);
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	world_end(&w);
	return 0;
}

/* Offers packets whose bytes are the characters of `text`; returns how many were taken. */
static uint32_t offer(uint32_t direction, const char *text)
{
	struct vpn_packet *pkts[VPN_BATCH_MAX];
	uint32_t n = (uint32_t)strlen(text);
	for (uint32_t i = 0; i < n; i++)
		pkts[i] = testhost_packet(s, 0, direction, text + i, 1);
	uint32_t taken = testhost_offer(s, 0, direction, pkts, n);
	for (uint32_t i = taken; i < n; i++)
		testhost_drop(s, pkts[i]);
	return taken;
}

static void came(uint32_t direction, const char *text)
{
	const struct testhost_record *r = testhost_next(s, 0, direction);
	assert_non_null(r);
	TESTHOST_SAME_BYTES(r->data, r->len, text, strlen(text));
}

static void a_batch_stays_one_and_keeps_its_order(void **state)
{
	(void)state;
	for (uint32_t direction = VPN_UP; direction <= VPN_DOWN; direction++) {
		assert_int_equal(offer(direction, "1D2CC3D4"), 8);
		assert_int_equal(testhost_waiting(s, 0, direction), 4);
		uint64_t push = 0;
		for (char c = '1'; c <= '4'; c++) {
			const struct testhost_record *r = testhost_next(s, 0, direction);
			assert_int_equal(r->data[0], c);
			assert_true(push == 0 || r->push == push);
			push = r->push;
		}
	}
	assert_int_equal(testhost_counter(s, "drop_foreign"), 4);
	assert_int_equal(testhost_drops(s), 4);
}

static void leaders_go_just_before_their_packet_and_to_the_same_place(void **state)
{
	struct vpn_endpoint to = testhost_endpoint("192.0.2.7:1234");
	static const char *const expected[] = {"a", "lead 0", "lead 1", "lead 2", "L", "b"};
	struct vpn_packet *pkts[3];
	(void)state;
	pkts[0] = testhost_packet(s, 0, VPN_DOWN, "a", 1);
	pkts[1] = testhost_packet(s, 0, VPN_DOWN, "L", 1);
	pkts[2] = testhost_packet(s, 0, VPN_DOWN, "b", 1);
	testhost_packet_from(s, pkts[1], &to);
	vpn_packet_set_class(pkts[1], 0xb8);
	assert_int_equal(testhost_offer(s, 0, VPN_DOWN, pkts, 3), 3);
	for (uint32_t i = 0; i < 6; i++) {
		const struct testhost_record *r = testhost_next(s, 0, VPN_DOWN);
		assert_non_null(r);
		TESTHOST_SAME_BYTES(r->data, r->len, expected[i], strlen(expected[i]));
		assert_int_equal(r->has_endpoint, i >= 1 && i <= 4);
		if (r->has_endpoint) {
			assert_int_equal(r->endpoint.port, 1234);
			assert_int_equal(r->flags >> 24, 0xb8);
		}
	}
}

static void a_packet_goes_without_leaders_where_memory_is_short(void **state)
{
	(void)state;
	testhost_fail_alloc(w.host, 2, false);
	assert_int_equal(offer(VPN_DOWN, "L"), 1);
	came(VPN_DOWN, "lead 0");
	came(VPN_DOWN, "L");
	assert_null(testhost_next(s, 0, VPN_DOWN));
}

/* What was changed and not taken is kept; the next ones stay where they are, until all has gone. */
static void keeps_what_a_neighbour_does_not_take(void **state)
{
	(void)state;
	for (uint32_t direction = VPN_UP; direction <= VPN_DOWN; direction++) {
		testhost_limit(s, 0, direction, 2);
		assert_int_equal(offer(direction, "1234"), 4);
		assert_int_equal(offer(direction, "5678"), 0);
		assert_int_equal(testhost_writable_calls(s, 0, direction), 0);
		testhost_limit(s, 0, direction, 1);
		testhost_writable(s, 0, direction);
		assert_int_equal(testhost_writable_calls(s, 0, direction), 0);
		assert_int_equal(offer(direction, "5678"), 0);
		testhost_limit(s, 0, direction, UINT32_MAX);
		testhost_writable(s, 0, direction);
		assert_int_equal(testhost_writable_calls(s, 0, direction), 1);
		assert_int_equal(offer(direction, "5"), 1);
		for (char c[] = "1"; c[0] <= '5'; c[0]++)
			came(direction, c);
		assert_int_equal(testhost_drops(s), 0);
	}
}

static void takes_again_when_all_was_dropped_at_a_full_neighbour(void **state)
{
	(void)state;
	testhost_limit(s, 0, VPN_DOWN, 0);
	assert_int_equal(offer(VPN_DOWN, "1"), 1);
	assert_int_equal(offer(VPN_DOWN, "2"), 0);
	testhost_limit(s, 0, VPN_DOWN, UINT32_MAX);
	testhost_writable(s, 0, VPN_DOWN);
	came(VPN_DOWN, "1");
	assert_int_equal(testhost_writable_calls(s, 0, VPN_DOWN), 1);
	assert_int_equal(offer(VPN_DOWN, "2"), 1);
}

static void a_kept_packet_keeps_its_endpoint(void **state)
{
	struct vpn_endpoint to = testhost_endpoint("[2001:db8::1]:99");
	struct vpn_packet *p = testhost_packet(s, 0, VPN_DOWN, "x", 1);
	(void)state;
	testhost_limit(s, 0, VPN_DOWN, 0);
	testhost_packet_from(s, p, &to);
	assert_int_equal(testhost_offer(s, 0, VPN_DOWN, &p, 1), 1);
	memset(&to, 0xff, sizeof(to));
	testhost_limit(s, 0, VPN_DOWN, UINT32_MAX);
	testhost_writable(s, 0, VPN_DOWN);
	const struct testhost_record *r = world_next(&w, 0, VPN_DOWN);
	assert_true(r->has_endpoint);
	assert_int_equal(r->endpoint.port, 99);
}

static void the_queue_is_bounded(void **state)
{
	uint32_t sent = 0;
	(void)state;
	testhost_limit(s, 0, VPN_DOWN, 0);
	for (; sent < 2 * OBFS_QUEUE_ROOM; sent++)
		assert_true(testhost_recv(s, 0, "E", 1, NULL));
	assert_int_equal(testhost_counter(s, "drop_below_full"), OBFS_QUEUE_ROOM);
	testhost_limit(s, 0, VPN_DOWN, UINT32_MAX);
	testhost_writable(s, 0, VPN_DOWN);
	assert_int_equal(testhost_waiting(s, 0, VPN_DOWN), OBFS_QUEUE_ROOM);
}

static void a_mode_sends_of_its_own_accord(void **state)
{
	struct vpn_endpoint from = testhost_endpoint("192.0.2.9:7");
	(void)state;
	assert_true(testhost_recv(s, 0, "E", 1, &from));
	const struct testhost_record *r = world_next(&w, 0, VPN_DOWN);
	TESTHOST_SAME_BYTES(r->data, r->len, "emitted", 7);
	assert_true(r->has_endpoint);
	assert_int_equal(r->endpoint.port, 7);
	came(VPN_UP, "E");
	assert_true(testhost_recv(s, 0, "A", 1, NULL));
	testhost_advance(w.host, 10);
	came(VPN_DOWN, "timed");
}

static void nothing_is_vouched_for_on_the_way_up(void **state)
{
	struct vpn_packet *p = testhost_packet(s, 0, VPN_UP, "x", 1);
	(void)state;
	p->flags |= VPN_PACKET_VERIFIED;
	assert_int_equal(testhost_offer(s, 0, VPN_UP, &p, 1), 1);
	assert_int_equal(world_next(&w, 0, VPN_UP)->flags & VPN_PACKET_VERIFIED, 0);
}

static void stop_gives_back_what_waits(void **state)
{
	(void)state;
	testhost_limit(s, 0, VPN_DOWN, 0);
	testhost_limit(s, 0, VPN_UP, 0);
	assert_int_equal(offer(VPN_DOWN, "123"), 3);
	assert_int_equal(offer(VPN_UP, "123"), 3);
	testhost_stop(s); /* reports what is still held */
}

static void lanes_have_queues_of_their_own(void **state)
{
	(void)state;
	testhost_limit(s, 0, VPN_DOWN, 0);
	assert_int_equal(offer(VPN_DOWN, "1"), 1);
	assert_int_equal(offer(VPN_DOWN, "2"), 0);
	assert_true(testhost_send(s, 1, "3", 1));
	assert_int_equal(testhost_waiting(s, 1, VPN_DOWN), 1);
}

static void tells_of_what_does_not_fit_and_then_seldom(void **state)
{
	struct vpn_endpoint from = testhost_endpoint("192.0.2.7:1234");
	(void)state;
	assert_true(testhost_recv(s, 0, "Dabcd", 5, &from));
	assert_true(testhost_logged(w.host, VPN_LOG_WARN,
				    "1 datagrams did not fit mode \"told\", the last one of 5 "
				    "bytes from 192.0.2.7:1234; are mode, password and key"));
	assert_false(testhost_logged(w.host, UINT32_MAX, "abcd"));
	testhost_advance(w.host, UINT64_C(59000000000));
	assert_true(testhost_recv(s, 0, "Dabcd", 5, &from));
	assert_false(testhost_logged(w.host, UINT32_MAX, "2 datagrams"));
	testhost_advance(w.host, UINT64_C(2000000000));
	assert_true(testhost_recv(s, 0, "Dab", 3, &from));
	assert_true(testhost_logged(w.host, VPN_LOG_WARN, "2 datagrams did not fit"));
	/* once something has fitted, strangers are nothing to warn of */
	assert_true(testhost_recv(s, 0, "x", 1, &from));
	testhost_advance(w.host, UINT64_C(121000000000));
	for (int i = 0; i < 3; i++)
		assert_true(testhost_recv(s, 0, "D", 1, &from));
	assert_false(testhost_logged(w.host, VPN_LOG_WARN, "of 1 bytes"));
	assert_true(testhost_logged(w.host, VPN_LOG_DEBUG, "1 datagrams did not fit"));
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
	const struct CMUnitTest tests[] = {
		TEST(a_batch_stays_one_and_keeps_its_order),
		TEST(leaders_go_just_before_their_packet_and_to_the_same_place),
		TEST(a_packet_goes_without_leaders_where_memory_is_short),
		TEST(keeps_what_a_neighbour_does_not_take),
		TEST(takes_again_when_all_was_dropped_at_a_full_neighbour),
		TEST(a_kept_packet_keeps_its_endpoint),
		TEST(the_queue_is_bounded),
		TEST(a_mode_sends_of_its_own_accord),
		TEST(nothing_is_vouched_for_on_the_way_up),
		TEST(stop_gives_back_what_waits),
		TEST(lanes_have_queues_of_their_own),
		TEST(tells_of_what_does_not_fit_and_then_seldom),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
