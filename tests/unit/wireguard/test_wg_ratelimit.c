/* SPDX-License-Identifier: BSD-2-Clause */
/* The limit of handshakes from one address. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <string.h>

#include "constants.h"
#include "ratelimit.h"

#define START (100 * WG_SECOND)
#define COST  (50 * WG_MS) /* a twentieth of a second */

static int set_up(void **state)
{
	static const uint8_t seed[16] = {1, 2, 3};
	*state = wg_ratelimit_new(seed);
	return *state == NULL;
}

static int tear_down(void **state)
{
	*state = wg_ratelimit_free(*state);
	return *state != NULL;
}

static struct vpn_endpoint v4(uint32_t addr)
{
	struct vpn_endpoint e = {.family = VPN_AF_INET, .port = 51820};
	e.addr[0] = (uint8_t)(addr >> 24);
	e.addr[1] = (uint8_t)(addr >> 16);
	e.addr[2] = (uint8_t)(addr >> 8);
	e.addr[3] = (uint8_t)addr;
	return e;
}

static struct vpn_endpoint v6(uint64_t network, uint64_t host)
{
	struct vpn_endpoint e = {.family = VPN_AF_INET6, .port = 51820};
	for (uint32_t i = 0; i < 8; i++) {
		e.addr[i] = (uint8_t)(network >> (56 - 8 * i));
		e.addr[8 + i] = (uint8_t)(host >> (56 - 8 * i));
	}
	return e;
}

/* How many of n at once go through. */
static uint32_t burst(struct wg_ratelimit *r, struct vpn_endpoint e, uint32_t n, uint64_t now_ns)
{
	uint32_t allowed = 0;
	for (uint32_t i = 0; i < n; i++)
		allowed += wg_ratelimit_allow(r, &e, now_ns);
	return allowed;
}

static void five_at_once_and_no_sixth(void **state)
{
	assert_int_equal(burst(*state, v4(1), 100, START), 5);
	assert_int_equal(burst(*state, v4(2), 5, START), 5);
	assert_int_equal(burst(*state, v4(2), 1, START), 0);
}

static void works_at_time_zero(void **state)
{
	assert_int_equal(burst(*state, v4(1), 100, 0), 5);
	assert_int_equal(burst(*state, v4(1), 100, COST), 1);
}

static void one_more_after_each_twentieth_of_a_second(void **state)
{
	assert_int_equal(burst(*state, v4(1), 10, START), 5);
	assert_int_equal(burst(*state, v4(1), 10, START + COST - 1), 0);
	assert_int_equal(burst(*state, v4(1), 10, START + COST), 1);
	assert_int_equal(burst(*state, v4(1), 10, START + 4 * COST), 3);
}

static void rest_saves_up_no_more_than_five(void **state)
{
	assert_int_equal(burst(*state, v4(1), 10, START), 5);
	assert_int_equal(burst(*state, v4(1), 10, START + 5 * COST), 5);
	assert_int_equal(burst(*state, v4(1), 10, START + 5 * COST + WG_SECOND), 5);
	assert_int_equal(burst(*state, v4(1), 10, START + 3600 * WG_SECOND), 5);
}

/* A flood of refused messages must not keep its sender out for good, nor let more through. */
static void a_flood_goes_through_at_twenty_a_second(void **state)
{
	uint32_t allowed = 0;
	for (uint64_t ms = 0; ms < 10000; ms++)
		allowed += burst(*state, v4(1), 3, START + ms * WG_MS);
	assert_in_range(allowed, 5 + 199, 5 + 200);
}

static void a_clock_that_goes_back_gives_nothing(void **state)
{
	assert_int_equal(burst(*state, v4(1), 10, START), 5);
	assert_int_equal(burst(*state, v4(1), 10, START - 10 * WG_SECOND), 0);
	assert_int_equal(burst(*state, v4(1), 10, START), 0);
	assert_int_equal(burst(*state, v4(1), 10, START + COST), 1);
}

static void ports_share_addresses_do_not(void **state)
{
	struct vpn_endpoint other = v4(1);
	other.port = 9;
	assert_int_equal(burst(*state, v4(1), 3, START), 3);
	assert_int_equal(burst(*state, other, 10, START), 2);
	assert_int_equal(burst(*state, v4(2), 10, START), 5);
	assert_int_equal(burst(*state, v4(0x01000000), 10, START), 5);
}

static void bytes_behind_an_ipv4_address_do_not_count(void **state)
{
	struct vpn_endpoint noise = v4(1);
	memset(noise.addr + 4, 0xee, 12);
	assert_int_equal(burst(*state, v4(1), 5, START), 5);
	assert_int_equal(burst(*state, noise, 10, START), 0);
}

static void an_ipv6_network_of_64_bits_shares(void **state)
{
	uint64_t network = UINT64_C(0x20010db800000001);
	assert_int_equal(burst(*state, v6(network, 1), 3, START), 3);
	assert_int_equal(burst(*state, v6(network, UINT64_MAX), 10, START), 2);
	assert_int_equal(burst(*state, v6(network + 1, 1), 10, START), 5);
	assert_int_equal(burst(*state, v6(network ^ UINT64_C(1) << 63, 1), 10, START), 5);
}

static void families_with_the_same_bytes_do_not_share(void **state)
{
	assert_int_equal(burst(*state, v4(0x20010db8), 10, START), 5);
	assert_int_equal(burst(*state, v6(UINT64_C(0x20010db800000000), 0), 10, START), 5);
}

static void what_has_no_address_is_not_limited(void **state)
{
	struct vpn_endpoint opaque = {.family = VPN_AF_OPAQUE, .id = 1};
	struct vpn_endpoint none = {.family = VPN_AF_NONE};
	assert_int_equal(burst(*state, opaque, 100, START), 100);
	assert_int_equal(burst(*state, none, 100, START), 100);
	for (int i = 0; i < 100; i++)
		assert_true(wg_ratelimit_allow(*state, NULL, START));
}

/* 200000 senders in one instant: the table takes as many as it has room for, no more. Those that are
 * in it go on as before, and a second later there is room again. */
static void a_flood_of_addresses_finds_an_end(void **state)
{
	uint32_t allowed = 0;
	assert_int_equal(burst(*state, v4(1), 2, START), 2);
	for (uint32_t i = 0; i < 200000; i++)
		allowed += burst(*state, v4(0x0a000000 + i), 1, START);
	assert_in_range(allowed, 4096, 16384);
	assert_int_equal(burst(*state, v4(1), 10, START), 3);

	uint32_t soon = 0;
	uint32_t later = 0;
	for (uint32_t i = 0; i < 1000; i++)
		soon += burst(*state, v4(0x0b000000 + i), 1, START + WG_SECOND - 1);
	assert_int_equal(soon, 0);
	for (uint32_t i = 0; i < 1000; i++)
		later += burst(*state, v4(0x0c000000 + i), 1, START + WG_SECOND);
	assert_int_equal(later, 1000);
}

/* Who has spent its five does not get five more because its entry was replaced. */
static void a_flood_does_not_forget_who_is_limited(void **state)
{
	assert_int_equal(burst(*state, v4(1), 10, START), 5);
	for (uint32_t i = 0; i < 100000; i++)
		burst(*state, v4(0x0a000000 + i), 1, START + COST - 1);
	assert_int_equal(burst(*state, v4(1), 10, START + COST - 1), 0);
}

static void free_takes_null(void **state)
{
	(void)state;
	assert_null(wg_ratelimit_free(NULL));
}

#define LIMIT_TEST(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		LIMIT_TEST(five_at_once_and_no_sixth),
		LIMIT_TEST(works_at_time_zero),
		LIMIT_TEST(one_more_after_each_twentieth_of_a_second),
		LIMIT_TEST(rest_saves_up_no_more_than_five),
		LIMIT_TEST(a_flood_goes_through_at_twenty_a_second),
		LIMIT_TEST(a_clock_that_goes_back_gives_nothing),
		LIMIT_TEST(ports_share_addresses_do_not),
		LIMIT_TEST(bytes_behind_an_ipv4_address_do_not_count),
		LIMIT_TEST(an_ipv6_network_of_64_bits_shares),
		LIMIT_TEST(families_with_the_same_bytes_do_not_share),
		LIMIT_TEST(what_has_no_address_is_not_limited),
		LIMIT_TEST(a_flood_of_addresses_finds_an_end),
		LIMIT_TEST(a_flood_does_not_forget_who_is_limited),
		cmocka_unit_test(free_takes_null),
	};
	return cmocka_run_group_tests_name("wireguard ratelimit", tests, NULL, NULL);
}
