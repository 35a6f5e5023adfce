/* SPDX-License-Identifier: BSD-2-Clause */
/* Tests of origin_portable.c: has the machine started anew? */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "origin.h"

static struct origin up_for(uint64_t ns)
{
	struct origin o = {.pid = 1};
	memcpy(o.boot, &ns, sizeof(ns));
	return o;
}

static void a_shorter_time_since_the_start_is_another_start(void **state)
{
	(void)state;
	const struct origin then = up_for(5000), now = up_for(4999);
	assert_true(origin_is_other_boot(&then, &now));
	assert_false(origin_is_other_boot(&now, &then));
	assert_false(origin_is_other_boot(&then, &then));
}

static void the_clock_of_the_day_does_not_matter(void **state)
{
	(void)state;
	struct origin then = up_for(5000), now = up_for(6000);
	then.wall_ns = UINT64_MAX;
	now.wall_ns = 1;
	assert_false(origin_is_other_boot(&then, &now));
}

static void this_process_is_of_one_start(void **state)
{
	(void)state;
	struct origin then, now;
	origin_here(&then);
	origin_here(&now);
	assert_false(origin_is_other_boot(&then, &now));
	assert_true(origin_is_first_netns(false));
	assert_true(then.pid != 0 && then.wall_ns != 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_shorter_time_since_the_start_is_another_start),
		cmocka_unit_test(the_clock_of_the_day_does_not_matter),
		cmocka_unit_test(this_process_is_of_one_start),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
