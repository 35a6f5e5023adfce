/* SPDX-License-Identifier: BSD-2-Clause */
/* The short memory of what did not work. */
#include "world.h"

#include <string.h>

static void remembers_until_its_time(void **state)
{
	struct udp_memo m = {0};
	(void)state;
	assert_true(udp_memo_is_empty(&m, 10));
	udp_memo_add(&m, 77, 10, 20);
	assert_false(udp_memo_is_empty(&m, 10));
	assert_true(udp_memo_search(&m, 77, 19));
	assert_false(udp_memo_search(&m, 78, 19));
	assert_false(udp_memo_search(&m, 77, 20));
	assert_true(udp_memo_is_empty(&m, 20));
}

static void the_one_that_ends_first_makes_room(void **state)
{
	struct udp_memo m = {0};
	(void)state;
	for (uint64_t i = 0; i < UDP_MEMO_ENTRIES; i++)
		udp_memo_add(&m, 100 + i, 1, 50 + (i + 3) % UDP_MEMO_ENTRIES);
	udp_memo_add(&m, 999, 1, 100);
	assert_true(udp_memo_search(&m, 999, 2));
	uint32_t lost = 0;
	for (uint64_t i = 0; i < UDP_MEMO_ENTRIES; i++)
		if (!udp_memo_search(&m, 100 + i, 2))
			lost++;
	assert_int_equal(lost, 1);
	assert_false(udp_memo_search(&m, 100 + UDP_MEMO_ENTRIES - 3, 2));
}

static void adding_again_renews_and_takes_no_other_place(void **state)
{
	struct udp_memo m = {0};
	(void)state;
	udp_memo_add(&m, 1, 1, 1000);
	for (uint64_t i = 0; i < 50; i++)
		udp_memo_add(&m, 7, 1 + i, 10 + i);
	assert_true(udp_memo_search(&m, 1, 55));
	assert_true(udp_memo_search(&m, 7, 55));
}

static void keys_tell_addresses_apart_but_not_ports(void **state)
{
	struct vpn_endpoint a = endpoint_at("192.0.2.1", 7);
	struct vpn_endpoint b = endpoint_at("192.0.2.2", 7);
	struct vpn_endpoint c = endpoint_at("192.0.2.1", 9);
	(void)state;
	assert_true(udp_memo_destination(&a) != udp_memo_destination(&b));
	assert_true(udp_memo_destination(&a) == udp_memo_destination(&c));
	c.ifindex = 3;
	assert_true(udp_memo_source(&a) != udp_memo_source(&c));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(remembers_until_its_time),
		cmocka_unit_test(the_one_that_ends_first_makes_room),
		cmocka_unit_test(adding_again_renews_and_takes_no_other_place),
		cmocka_unit_test(keys_tell_addresses_apart_but_not_ports),
	};
	return cmocka_run_group_tests_name("udp memo", tests, NULL, NULL);
}
