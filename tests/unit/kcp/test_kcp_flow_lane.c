/* SPDX-License-Identifier: BSD-2-Clause */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include <string.h>

#include "flow_parts.h"

#define LARGE 1000u

static uint32_t make_ip4(uint8_t *p, uint8_t protocol, uint8_t flags, uint32_t payload)
{
	uint32_t header = protocol == 6 ? 20 : 8;
	uint32_t len = 20 + header + payload;
	memset(p, 0, len);
	p[0] = 0x45;
	p[2] = (uint8_t)(len >> 8);
	p[3] = (uint8_t)len;
	p[9] = protocol;
	p[12] = 10;
	p[16] = 11;
	p[20] = 0x12;
	p[32] = 0x50;
	p[33] = flags;
	return len;
}

static uint32_t make_ip6(uint8_t *p, uint8_t protocol, uint32_t payload)
{
	uint32_t len = 40 + 20 + payload;
	memset(p, 0, len);
	p[0] = 0x60;
	p[4] = (uint8_t)((len - 40) >> 8);
	p[5] = (uint8_t)(len - 40);
	p[6] = protocol;
	p[8] = 0xfd;
	p[24] = 0xfd;
	p[40] = 0x12;
	p[52] = 0x50;
	return len;
}

static void tcp_with_data_has_a_lane(void **state)
{
	uint8_t p[1500];
	(void)state;
	uint32_t len = make_ip4(p, 6, 0x10, 100);
	uint8_t lane = flow_lane_of(p, len, LARGE);
	assert_in_range(lane, 1, 254);
	p[30] = 9; /* of another sequence number: the same connection */
	assert_int_equal(flow_lane_of(p, len, LARGE), lane);
	len = make_ip4(p, 6, 0x10, 1400);
	assert_int_equal(flow_lane_of(p, len, LARGE), lane);
	len = make_ip6(p, 6, 100);
	assert_in_range(flow_lane_of(p, len, LARGE), 1, 254);
}

static void bare_acknowledgements_have_none(void **state)
{
	uint8_t p[1500];
	(void)state;
	assert_int_equal(flow_lane_of(p, make_ip4(p, 6, 0x10, 0), LARGE), 0);
	/* the first and the last segment of a connection stay with its data */
	assert_int_not_equal(flow_lane_of(p, make_ip4(p, 6, 0x02, 0), LARGE), 0);
	assert_int_not_equal(flow_lane_of(p, make_ip4(p, 6, 0x11, 0), LARGE), 0);
}

static void everything_else_has_none(void **state)
{
	uint8_t p[1500];
	(void)state;
	assert_int_equal(flow_lane_of(p, make_ip4(p, 17, 0, 1400), LARGE), 0);
	assert_int_equal(flow_lane_of(p, make_ip4(p, 1, 0, 60), LARGE), 0);
	assert_int_equal(flow_lane_of(p, make_ip6(p, 17, 1400), LARGE), 0);
	/* a fragment has no ports */
	uint32_t len = make_ip4(p, 6, 0x10, 1400);
	p[6] = 0x20;
	assert_int_equal(flow_lane_of(p, len, LARGE), 0);
}

static void connections_spread_over_the_lanes(void **state)
{
	uint8_t p[1500];
	bool used[256] = {false};
	uint32_t n = 0;
	(void)state;
	uint32_t len = make_ip4(p, 6, 0x10, 100);
	for (uint32_t port = 0; port < 1000; port++) {
		p[20] = (uint8_t)(port >> 8);
		p[21] = (uint8_t)port;
		uint8_t lane = flow_lane_of(p, len, LARGE);
		n += !used[lane];
		used[lane] = true;
	}
	assert_true(n > 150);
	assert_false(used[0]);
	assert_false(used[255]);
}

static void frames_of_ethernet_are_read_too(void **state)
{
	uint8_t p[1500] = {0};
	(void)state;
	uint32_t len = make_ip4(p + 14, 6, 0x10, 100);
	assert_in_range(flow_lane_of(p, len + 14, LARGE), 1, 254);
}

static void what_cannot_be_read_goes_by_size(void **state)
{
	uint8_t p[1500];
	(void)state;
	memset(p, 4, sizeof(p)); /* as a data message of WireGuard begins */
	assert_int_equal(flow_lane_of(p, LARGE, LARGE), 255);
	assert_int_equal(flow_lane_of(p, LARGE - 1, LARGE), 0);
}

static void broken_headers_are_harmless(void **state)
{
	uint8_t p[1500];
	(void)state;
	for (uint32_t len = 0; len < 80; len++) {
		uint8_t exact[80];
		(void)make_ip4(p, 6, 0x10, 100);
		p[3] = (uint8_t)len;
		for (uint32_t ihl = 0; ihl < 16; ihl++) {
			p[0] = (uint8_t)(0x40 | ihl);
			memcpy(exact + 80 - len, p, len);
			(void)flow_lane_of(exact + 80 - len, len, LARGE);
		}
		p[0] = 0x60;
		memcpy(exact + 80 - len, p, len);
		(void)flow_lane_of(exact + 80 - len, len, LARGE);
	}
	assert_int_equal(flow_lane_of(p, 0, LARGE), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(tcp_with_data_has_a_lane),
		cmocka_unit_test(bare_acknowledgements_have_none),
		cmocka_unit_test(everything_else_has_none),
		cmocka_unit_test(connections_spread_over_the_lanes),
		cmocka_unit_test(frames_of_ethernet_are_read_too),
		cmocka_unit_test(what_cannot_be_read_goes_by_size),
		cmocka_unit_test(broken_headers_are_harmless),
	};
	return cmocka_run_group_tests_name("kcp flow lane", tests, NULL, NULL);
}
