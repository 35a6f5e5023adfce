/* SPDX-License-Identifier: BSD-2-Clause */
/* Many deadlines. Compared with a plain list. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "wheel.h"

#define ENTRIES 64u
#define TICK    1000u
#define START   UINT64_C(5000000)

static struct kcp_wheel w;
static struct kcp_wheel_link links[ENTRIES];

static void begin(void)
{
	kcp_wheel_init(&w, links, ENTRIES, TICK, START);
}

static void has_nothing_at_first(void **state)
{
	(void)state;
	begin();
	assert_int_equal(kcp_wheel_pop(&w, START + 1000000), KCP_WHEEL_NONE);
	assert_int_equal(kcp_wheel_next(&w), UINT64_MAX);
}

static void fires_never_early_and_a_tick_late_at_most(void **state)
{
	(void)state;
	for (uint64_t due = START; due < START + 600000; due += 777) {
		begin();
		kcp_wheel_plan(&w, 3, due);
		for (uint64_t now = START; now <= due; now += 400)
			assert_int_equal(kcp_wheel_pop(&w, now), KCP_WHEEL_NONE);
		assert_int_equal(kcp_wheel_pop(&w, due), KCP_WHEEL_NONE);
		assert_int_equal(kcp_wheel_pop(&w, due + TICK), 3);
		assert_int_equal(kcp_wheel_pop(&w, due + TICK), KCP_WHEEL_NONE);
	}
}

static void fires_what_is_overdue_when_it_is_planned(void **state)
{
	(void)state;
	begin();
	assert_int_equal(kcp_wheel_pop(&w, START + 50000), KCP_WHEEL_NONE);
	kcp_wheel_plan(&w, 1, START);
	assert_int_equal(kcp_wheel_pop(&w, START + 50000 + TICK), 1);
}

static void a_new_plan_replaces_the_old(void **state)
{
	(void)state;
	begin();
	kcp_wheel_plan(&w, 1, START + 5000);
	kcp_wheel_plan(&w, 1, START + 90000);
	assert_int_equal(kcp_wheel_pop(&w, START + 80000), KCP_WHEEL_NONE);
	assert_int_equal(kcp_wheel_pop(&w, START + 91000), 1);
	assert_int_equal(w.count, 0);
}

static void cancels_once_and_again(void **state)
{
	(void)state;
	begin();
	kcp_wheel_plan(&w, 1, START + 5000);
	kcp_wheel_plan(&w, 2, START + 5000);
	kcp_wheel_cancel(&w, 1);
	kcp_wheel_cancel(&w, 1);
	assert_false(kcp_wheel_has(&w, 1));
	assert_int_equal(kcp_wheel_pop(&w, START + 9000), 2);
	assert_int_equal(kcp_wheel_pop(&w, START + 9000), KCP_WHEEL_NONE);
}

static void tells_when_to_look_again(void **state)
{
	(void)state;
	begin();
	kcp_wheel_plan(&w, 1, START + 100500);
	uint64_t next = kcp_wheel_next(&w);
	assert_in_range(next, START + 100500, START + 100500 + TICK);
	assert_int_equal(kcp_wheel_pop(&w, next), 1);
	/* further than the ring reaches: looks in between are allowed, missing it is not */
	kcp_wheel_plan(&w, 1, START + 3000000);
	for (uint32_t looks = 0;; looks++) {
		assert_in_range(looks, 0, 20);
		next = kcp_wheel_next(&w);
		assert_in_range(next, START, START + 3000000 + TICK);
		if (kcp_wheel_pop(&w, next) == 1)
			break;
	}
	assert_true(next >= START + 3000000);
}

static uint64_t rng = 1;

static uint32_t draw(uint32_t n)
{
	rng = rng * UINT64_C(6364136223846793005) + 1442695040888963407u;
	return (uint32_t)(rng >> 33) % n;
}

/* A step of a plain list that the wheel is compared with. */
static void fire_all(uint64_t due[ENTRIES], uint64_t now)
{
	uint32_t i;
	while ((i = kcp_wheel_pop(&w, now)) != KCP_WHEEL_NONE) {
		assert_int_not_equal(due[i], 0);
		assert_true(due[i] <= now);
		due[i] = 0;
	}
	for (i = 0; i < ENTRIES; i++)
		assert_true(due[i] == 0 || due[i] + TICK > now);
}

static void does_what_a_list_does(void **state)
{
	uint64_t due[ENTRIES] = {0};
	uint64_t now = START;
	(void)state;
	begin();
	for (uint32_t step = 0; step < 200000; step++) {
		uint32_t i = draw(ENTRIES);
		switch (draw(4)) {
		case 0:
			kcp_wheel_cancel(&w, i);
			due[i] = 0;
			break;
		case 1:
			now += draw(draw(10) == 0 ? 700000 : 3000);
			fire_all(due, now);
			break;
		default:
			due[i] = now + draw(draw(5) == 0 ? 2000000 : 100000);
			kcp_wheel_plan(&w, i, due[i]);
			break;
		}
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(has_nothing_at_first),
		cmocka_unit_test(fires_never_early_and_a_tick_late_at_most),
		cmocka_unit_test(fires_what_is_overdue_when_it_is_planned),
		cmocka_unit_test(a_new_plan_replaces_the_old),
		cmocka_unit_test(cancels_once_and_again),
		cmocka_unit_test(tells_when_to_look_again),
		cmocka_unit_test(does_what_a_list_does),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
