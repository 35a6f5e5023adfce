/* SPDX-License-Identifier: BSD-2-Clause */
/* Segments that are to be sent once more. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "copies.h"

#define EACH  4u /* new segments for a copy */
#define LARGE 1000u
#define SMALL 100u

static struct kcp_copies c;

static void begin(uint32_t earned)
{
	c = (struct kcp_copies){0};
	for (uint32_t i = 0; i < earned * EACH; i++)
		kcp_copies_plan(&c, 0, 1, LARGE, 0);
}

/* A path that loses one in so many. */
static void lose_one_in(uint32_t n)
{
	for (uint32_t i = 0; i < 200 * n; i++)
		kcp_copies_learn(&c, i % n == 0);
}

/* Sends all copies, one after another. */
static uint32_t send_all(void)
{
	uint32_t n = 0;
	for (; kcp_copies_first(&c, UINT64_MAX - 1) != NULL; n++)
		kcp_copies_sent(&c, 1);
	return n;
}

static void nothing_waits_at_first(void **state)
{
	(void)state;
	begin(1);
	assert_null(kcp_copies_first(&c, UINT64_MAX - 1));
	assert_int_equal(kcp_copies_next(&c), UINT64_MAX);
}

static void a_copy_is_due_at_its_time_and_not_before(void **state)
{
	const struct kcp_copy *first;
	(void)state;
	begin(1);
	kcp_copies_plan(&c, 7, 2, LARGE, 1000);
	assert_int_equal(kcp_copies_next(&c), 1000);
	assert_null(kcp_copies_first(&c, 999));
	first = kcp_copies_first(&c, 1000);
	assert_non_null(first);
	assert_int_equal(first->sn, 7);
	assert_int_equal(first->xmit, 2);
	kcp_copies_pop(&c);
	assert_int_equal(kcp_copies_next(&c), UINT64_MAX);
}

static void copies_go_in_the_order_in_which_they_were_planned(void **state)
{
	static const uint32_t order[] = {3, 1, 2};
	(void)state;
	begin(3);
	kcp_copies_plan(&c, 3, 2, LARGE, 1000);
	kcp_copies_plan(&c, 1, 2, LARGE, 2000);
	kcp_copies_plan(&c, 2, 2, LARGE, 2000);
	for (uint32_t i = 0; i < 3; i++) {
		assert_int_equal(kcp_copies_first(&c, 2000)->sn, order[i]);
		kcp_copies_pop(&c);
	}
}

static void several_copies_of_one_go_one_after_another(void **state)
{
	(void)state;
	begin(3);
	kcp_copies_plan(&c, 5, 3, LARGE, 1000);
	assert_non_null(kcp_copies_first(&c, 1000));
	kcp_copies_sent(&c, 3000);
	assert_null(kcp_copies_first(&c, 2999));
	assert_int_equal(kcp_copies_first(&c, 3000)->sn, 5);
	kcp_copies_sent(&c, 5000);
	assert_int_equal(kcp_copies_next(&c), UINT64_MAX);
}

static void what_was_lost_more_often_gets_more_copies(void **state)
{
	static const uint32_t calm[] = {0, 1, 2, 3, 3}, lossy[] = {0, 2, 3, 3, 3};
	(void)state;
	for (uint32_t xmit = 1; xmit <= 5; xmit++) {
		begin(10);
		kcp_copies_plan(&c, 1, xmit, LARGE, 0);
		assert_int_equal(send_all(), calm[xmit - 1]);
		begin(10);
		lose_one_in(10);
		kcp_copies_plan(&c, 1, xmit, LARGE, 0);
		assert_int_equal(send_all(), lossy[xmit - 1]);
	}
}

static void small_ones_get_a_copy_at_once_where_the_path_loses(void **state)
{
	(void)state;
	begin(10);
	kcp_copies_plan(&c, 1, 1, SMALL, 0);
	assert_int_equal(send_all(), 0);
	lose_one_in(50);
	kcp_copies_plan(&c, 1, 1, SMALL, 0);
	assert_int_equal(send_all(), 1);
	kcp_copies_plan(&c, 2, 1, KCP_COPIES_SMALL + 1, 0);
	assert_int_equal(send_all(), 0);
}

static void a_path_that_has_stopped_losing_is_clean_again(void **state)
{
	(void)state;
	begin(10);
	lose_one_in(5);
	for (uint32_t i = 0; i < 5000; i++)
		kcp_copies_learn(&c, false);
	kcp_copies_plan(&c, 1, 1, SMALL, 0);
	assert_int_equal(send_all(), 0);
	assert_int_equal(c.loss_q16, 0);
}

static void four_new_segments_earn_one(void **state)
{
	(void)state;
	begin(0);
	kcp_copies_plan(&c, 1, 2, LARGE, 1000);
	assert_int_equal(send_all(), 0);
	for (uint32_t i = 0; i + 1 < EACH; i++)
		kcp_copies_plan(&c, i, 1, LARGE, 0);
	kcp_copies_plan(&c, 1, 2, LARGE, 1000);
	assert_int_equal(send_all(), 0);
	kcp_copies_plan(&c, 9, 1, LARGE, 0);
	kcp_copies_plan(&c, 1, 2, LARGE, 1000);
	kcp_copies_plan(&c, 2, 2, LARGE, 1000);
	assert_int_equal(send_all(), 1);
}

static void none_is_planned_for_never_and_is_earned_all_the_same(void **state)
{
	(void)state;
	begin(0);
	for (uint32_t i = 0; i < EACH; i++)
		kcp_copies_plan(&c, i, 1, LARGE, UINT64_MAX);
	kcp_copies_plan(&c, 1, 2, LARGE, UINT64_MAX);
	assert_int_equal(send_all(), 0);
	kcp_copies_plan(&c, 1, 2, LARGE, 1000);
	assert_int_equal(send_all(), 1);
}

static void what_is_saved_up_is_bounded(void **state)
{
	uint32_t n = 0;
	(void)state;
	begin(100000);
	for (uint32_t i = 0; i < 1000; i++) {
		kcp_copies_plan(&c, i, 2, LARGE, 1000);
		n += send_all();
	}
	assert_int_equal(n, 256);
}

static void no_more_wait_than_there_is_room_for(void **state)
{
	uint32_t n = 0;
	(void)state;
	begin(0);
	for (uint32_t i = 0; i < 2 * KCP_COPIES_MOST; i++) {
		for (uint32_t k = 0; k < EACH; k++)
			kcp_copies_plan(&c, 0, 1, LARGE, 0);
		kcp_copies_plan(&c, i, 2, LARGE, 1000);
	}
	/* the first ones are whole */
	for (; kcp_copies_first(&c, 1000) != NULL; n++) {
		assert_int_equal(kcp_copies_first(&c, 1000)->sn, n);
		kcp_copies_pop(&c);
	}
	assert_int_equal(n, KCP_COPIES_MOST);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(nothing_waits_at_first),
		cmocka_unit_test(a_copy_is_due_at_its_time_and_not_before),
		cmocka_unit_test(copies_go_in_the_order_in_which_they_were_planned),
		cmocka_unit_test(several_copies_of_one_go_one_after_another),
		cmocka_unit_test(what_was_lost_more_often_gets_more_copies),
		cmocka_unit_test(small_ones_get_a_copy_at_once_where_the_path_loses),
		cmocka_unit_test(a_path_that_has_stopped_losing_is_clean_again),
		cmocka_unit_test(four_new_segments_earn_one),
		cmocka_unit_test(none_is_planned_for_never_and_is_earned_all_the_same),
		cmocka_unit_test(what_is_saved_up_is_bounded),
		cmocka_unit_test(no_more_wait_than_there_is_room_for),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
