/* SPDX-License-Identifier: BSD-2-Clause */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "link.h"

static uint32_t limit;

static uint32_t take(void *inst, struct vpn_lane *lane, struct vpn_packet **pkts, uint32_t n)
{
	uint32_t taken = n < limit ? n : limit;
	assert_ptr_equal(inst, &limit);
	assert_non_null(lane);
	for (uint32_t i = 0; i < taken; i++)
		pkts[i]->len = 9999; /* ours now: the count must not look at it any more */
	return taken;
}

static void counts_only_what_was_taken(void **state)
{
	struct vpn_packet packets[5] = {
		{.len = 1}, {.len = 10}, {.len = 100}, {.len = 1000}, {.len = 10000}};
	struct vpn_packet *p[5];
	struct vpn_lane lane = {.size = sizeof(lane), .max_batch = 64};
	struct link link;
	(void)state;
	for (int i = 0; i < 5; i++)
		p[i] = &packets[i];
	link_init(&link, take, &limit, &lane);
	limit = 3;
	assert_int_equal(vpn_push(&link.pub, p, 5), 3);
	struct link_counters c = link_read(&link);
	assert_int_equal(c.packets, 3);
	assert_int_equal(c.bytes, 111);
	assert_int_equal(c.batches, 1);
	assert_int_equal(c.refused, 2);
	limit = 5;
	assert_int_equal(vpn_push(&link.pub, p + 3, 2), 2);
	c = link_read(&link);
	assert_int_equal(c.packets, 5);
	assert_int_equal(c.bytes, 11111);
	assert_int_equal(c.batches, 2);
	assert_int_equal(c.refused, 2);
}

static uint32_t largest;

static uint32_t take_all(void *inst, struct vpn_lane *lane, struct vpn_packet **pkts, uint32_t n)
{
	(void)inst;
	(void)lane;
	(void)pkts;
	largest = n > largest ? n : largest;
	return n;
}

static void holds_a_batch_to_what_the_stage_may_be_offered(void **state)
{
	static struct vpn_packet packet = {.len = 7};
	struct vpn_packet *p[150];
	struct vpn_lane lane = {.size = sizeof(lane), .max_batch = 64};
	struct link link;
	(void)state;
	for (int i = 0; i < 150; i++)
		p[i] = &packet;
	link_init(&link, take_all, NULL, &lane);
	largest = 0;
	assert_int_equal(vpn_push(&link.pub, p, 150), 150);
	assert_int_equal(largest, 64);
	assert_int_equal(link_read(&link).packets, 150);
	assert_int_equal(link_read(&link).bytes, 150 * 7);
	assert_int_equal(link_read(&link).batches, 3);
	link_init(&link, take, &limit, &lane);
	limit = 10;
	assert_int_equal(vpn_push(&link.pub, p, 150), 10);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(counts_only_what_was_taken),
		cmocka_unit_test(holds_a_batch_to_what_the_stage_may_be_offered),
	};
	return cmocka_run_group_tests_name("link", tests, NULL, NULL);
}
