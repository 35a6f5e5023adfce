/* SPDX-License-Identifier: BSD-2-Clause */
/* Datagrams come out by time, and equal ones in their order. */
#include "schedule.h"

#include <string.h>

#include "cases.h"
#include "chance.h"

#define CAPACITY 1000

static int set_up(void **state)
{
	static struct schedule s;
	assert_true(schedule_init(&s, CAPACITY));
	*state = &s;
	return 0;
}

static int tear_down(void **state)
{
	schedule_done(*state);
	return 0;
}

static void add(struct schedule *s, uint64_t at, uint32_t number)
{
	struct departure d = {.at_ns = at, .first = number};
	assert_true(schedule_add(s, &d));
}

static uint32_t take(struct schedule *s)
{
	struct departure d;
	assert_non_null(schedule_first(s));
	schedule_take(s, &d);
	return d.first;
}

static void an_empty_one_has_no_first(void **state)
{
	assert_null(schedule_first(*state));
	add(*state, 5, 1);
	take(*state);
	assert_null(schedule_first(*state));
}

static void equal_times_keep_their_order(void **state)
{
	for (uint32_t i = 0; i < CAPACITY; i++)
		add(*state, 7, i);
	for (uint32_t i = 0; i < CAPACITY; i++)
		assert_int_equal(take(*state), i);
}

static void refuses_more_than_its_capacity(void **state)
{
	struct departure d = {.at_ns = 1};
	for (uint32_t i = 0; i < CAPACITY; i++)
		add(*state, i, i);
	assert_false(schedule_add(*state, &d));
	take(*state);
	assert_true(schedule_add(*state, &d));
}

static void one_that_is_given_back_comes_again_at_its_place(void **state)
{
	struct schedule *s = *state;
	struct departure a, b;
	for (uint32_t i = 0; i < 10; i++)
		add(s, 7, i);
	schedule_take(s, &a);
	schedule_take(s, &b);
	schedule_return(s, &b);
	schedule_return(s, &a);
	for (uint32_t i = 0; i < 10; i++)
		assert_int_equal(take(s), i);
}

/* Against a search of all: adding and taking by turns, times with many repetitions. */
static void always_gives_the_earliest(void **state)
{
	static struct {
		uint64_t at;
		bool waits;
	} model[20000];
	struct schedule *s = *state;
	struct chance c;
	uint32_t n = 0, lowest = 0;
	chance_init(&c, 1, 1);
	while (n < 20000) {
		if (s->n < CAPACITY && (s->n == 0 || chance_hits(&c, 0.51))) {
			model[n].at = chance_below(&c, 500);
			model[n].waits = true;
			add(s, model[n].at, n);
			n++;
			continue;
		}
		uint32_t got = take(s), best = UINT32_MAX;
		for (uint32_t i = lowest; i < n; i++)
			if (model[i].waits && (best == UINT32_MAX || model[i].at < model[best].at))
				best = i;
		assert_int_equal(got, best);
		model[got].waits = false;
		while (lowest < n && !model[lowest].waits)
			lowest++;
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(an_empty_one_has_no_first, set_up, tear_down),
		cmocka_unit_test_setup_teardown(equal_times_keep_their_order, set_up, tear_down),
		cmocka_unit_test_setup_teardown(refuses_more_than_its_capacity, set_up, tear_down),
		cmocka_unit_test_setup_teardown(one_that_is_given_back_comes_again_at_its_place,
						set_up, tear_down),
		cmocka_unit_test_setup_teardown(always_gives_the_earliest, set_up, tear_down),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
