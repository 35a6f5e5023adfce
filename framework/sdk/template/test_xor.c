/* SPDX-License-Identifier: BSD-2-Clause */
/* test_xor: what holds for the xor transport, on the test host. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>
#include <vpncore/testhost.h>

#include "xor.h"

/* The test is linked with xor.c, and finds the component where the host would. */
extern const struct vpn_plugin vpncore_plugin_v1;

static const uint8_t key[] = {0x11, 0x22, 0x33};
static const uint8_t other_key[] = {0x44, 0x55};
static const struct xor_config config = {.key = {.data = key, .len = sizeof(key)}, .rotate = 1};
static const struct xor_config plain_config = {.key = {.data = key, .len = sizeof(key)}};
static const struct xor_config other_config = {
	.key = {.data = other_key, .len = sizeof(other_key)}};

static struct testhost *host;

static int set_up(void **state)
{
	(void)state;
	TESTHOST_USE_CMOCKA();
	host = testhost_new(7);
	return host == NULL;
}

static int tear_down(void **state)
{
	(void)state;
	host = testhost_free(host);
	return 0;
}

static struct testhost_stage *add(const struct xor_config *c, const struct testhost_setup *more)
{
	struct testhost_setup setup = more != NULL ? *more : (struct testhost_setup){0};
	setup.config = c;
	struct testhost_stage *s = testhost_add(host, vpncore_plugin_v1.components[0], &setup,
						NULL);
	assert_non_null(s);
	assert_int_equal(testhost_start(s, NULL), VPN_OK);
	return s;
}

static void puts_a_header_in_front_and_xors_the_data(void **state)
{
	(void)state;
	struct testhost_stage *s = add(&plain_config, NULL);
	uint8_t want[4 + 5] = {'X', 'R'};
	assert_true(testhost_send(s, 0, "hello", 5));
	const struct testhost_record *r = testhost_next(s, 0, VPN_DOWN);
	assert_non_null(r);
	assert_int_equal(r->len, sizeof(want));
	memcpy(want + 2, r->data + 2, 2);
	uint32_t start = (uint32_t)want[2] << 8 | want[3];
	for (uint32_t i = 0; i < 5; i++)
		want[4 + i] = (uint8_t)("hello"[i] ^ key[(start + i) % sizeof(key)]);
	TESTHOST_SAME_BYTES(r->data, r->len, want, sizeof(want));
	assert_int_equal(r->headroom, 0); /* needs() asks for exactly what is used */
}

static void two_ends_understand_each_other(void **state)
{
	(void)state;
	struct testhost_stage *a = add(&config, NULL), *b = add(&config, NULL);
	testhost_join(a, b, NULL);
	for (uint32_t len = 0; len <= 1420; len += 71) {
		uint8_t data[1420];
		memset(data, (int)len, len);
		assert_true(testhost_send(a, 0, data, len));
		testhost_run(host);
		const struct testhost_record *r = testhost_next(b, 0, VPN_UP);
		assert_non_null(r);
		TESTHOST_SAME_BYTES(r->data, r->len, data, len);
		assert_true(r->has_endpoint);
	}
}

static void rotation_makes_equal_packets_differ(void **state)
{
	(void)state;
	struct testhost_stage *s = add(&config, NULL);
	testhost_send(s, 0, "same", 4);
	testhost_send(s, 0, "same", 4);
	struct testhost_record first = *testhost_next(s, 0, VPN_DOWN);
	uint8_t bytes[8];
	memcpy(bytes, first.data, sizeof(bytes));
	assert_memory_not_equal(bytes, testhost_next(s, 0, VPN_DOWN)->data, sizeof(bytes));
}

static void another_key_gives_other_data(void **state)
{
	(void)state;
	struct testhost_stage *a = add(&config, NULL), *b = add(&other_config, NULL);
	testhost_join(a, b, NULL);
	testhost_send(a, 0, "hello", 5);
	testhost_run(host);
	assert_memory_not_equal(testhost_next(b, 0, VPN_UP)->data, "hello", 5);
}

static void a_batch_stays_one_batch(void **state)
{
	(void)state;
	struct testhost_stage *s = add(&config, NULL);
	struct vpn_packet *pkts[16];
	for (int i = 0; i < 16; i++)
		pkts[i] = testhost_packet(s, 0, VPN_DOWN, "data", 4);
	assert_int_equal(testhost_offer(s, 0, VPN_DOWN, pkts, 16), 16);
	for (int i = 0; i < 16; i++)
		assert_int_equal(testhost_next(s, 0, VPN_DOWN)->push, 1);
}

static void drops_what_is_not_ours_and_passes_the_rest(void **state)
{
	(void)state;
	struct testhost_stage *s = add(&config, NULL);
	struct vpn_packet *pkts[] = {
		testhost_packet(s, 0, VPN_UP, "XR\0\0one", 7),
		testhost_packet(s, 0, VPN_UP, "XR\0", 3),
		testhost_packet(s, 0, VPN_UP, "YR\0\0no", 6),
		testhost_packet(s, 0, VPN_UP, "", 0),
		testhost_packet(s, 0, VPN_UP, "XR\0\0two", 7),
	};
	pkts[0]->flags = VPN_PACKET_VERIFIED;
	assert_int_equal(testhost_offer(s, 0, VPN_UP, pkts, 5), 5);
	assert_int_equal(testhost_waiting(s, 0, VPN_UP), 2);
	assert_int_equal(testhost_next(s, 0, VPN_UP)->flags & VPN_PACKET_VERIFIED, 0);
	assert_int_equal(testhost_counter(s, "drop_short"), 2);
	assert_int_equal(testhost_counter(s, "drop_foreign"), 1);
}

static void drops_and_counts_what_its_neighbours_do_not_take(void **state)
{
	(void)state;
	struct testhost_stage *s = add(&config, NULL);
	testhost_limit(s, 0, VPN_DOWN, 1);
	testhost_limit(s, 0, VPN_UP, 0);
	struct vpn_packet *pkts[3];
	for (int i = 0; i < 3; i++)
		pkts[i] = testhost_packet(s, 0, VPN_DOWN, "data", 4);
	assert_int_equal(testhost_offer(s, 0, VPN_DOWN, pkts, 3), 3);
	assert_true(testhost_recv(s, 0, "XR\0\0data", 8, NULL));
	assert_int_equal(testhost_counter(s, "drop_below_full"), 2);
	assert_int_equal(testhost_counter(s, "drop_above_full"), 1);
	assert_int_equal(testhost_waiting(s, 0, VPN_DOWN), 1);
}

static void lanes_do_not_touch_each_other(void **state)
{
	(void)state;
	struct testhost_stage *s = add(&config, &(struct testhost_setup){.n_lanes = 3});
	for (uint32_t lane = 0; lane < 3; lane++) {
		assert_true(testhost_send(s, lane, "data", 4));
		assert_int_equal(testhost_waiting(s, lane, VPN_DOWN), 1);
	}
}

static void refuses_a_key_of_zeros(void **state)
{
	(void)state;
	static const uint8_t zeros[4];
	const struct xor_config bad = {.key = {.data = zeros, .len = sizeof(zeros)}};
	struct testhost_setup setup = {.config = &bad};
	struct vpn_error err;
	assert_null(testhost_add(host, vpncore_plugin_v1.components[0], &setup, &err));
	assert_int_equal(err.status, VPN_EINVAL);
	assert_string_equal(err.where, "/key");
}

static void says_that_it_protects_nothing(void **state)
{
	(void)state;
	struct testhost_stage *s = add(&config, NULL);
	assert_int_equal(testhost_needs(s)->flags & (VPN_ENCRYPTS | VPN_AUTHENTICATES), 0);
	assert_true(testhost_logged(host, VPN_LOG_WARN, "hides nothing"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(puts_a_header_in_front_and_xors_the_data, set_up,
						tear_down),
		cmocka_unit_test_setup_teardown(two_ends_understand_each_other, set_up, tear_down),
		cmocka_unit_test_setup_teardown(rotation_makes_equal_packets_differ, set_up,
						tear_down),
		cmocka_unit_test_setup_teardown(another_key_gives_other_data, set_up, tear_down),
		cmocka_unit_test_setup_teardown(a_batch_stays_one_batch, set_up, tear_down),
		cmocka_unit_test_setup_teardown(drops_what_is_not_ours_and_passes_the_rest, set_up,
						tear_down),
		cmocka_unit_test_setup_teardown(drops_and_counts_what_its_neighbours_do_not_take,
						set_up, tear_down),
		cmocka_unit_test_setup_teardown(lanes_do_not_touch_each_other, set_up, tear_down),
		cmocka_unit_test_setup_teardown(refuses_a_key_of_zeros, set_up, tear_down),
		cmocka_unit_test_setup_teardown(says_that_it_protects_nothing, set_up, tear_down),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
