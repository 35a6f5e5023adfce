/* SPDX-License-Identifier: BSD-2-Clause */
/* Storage for what waits. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "cells.h"

#define MOST 200u

static void gives_no_more_than_the_most(void **state)
{
	struct kcp_cells c;
	uint8_t *got[MOST];
	(void)state;
	kcp_cells_init(&c, 100, MOST);
	for (uint32_t i = 0; i < MOST; i++) {
		got[i] = kcp_cells_take(&c);
		assert_non_null(got[i]);
		memset(got[i], (int)i, c.size); /* overlapping ones would be seen below */
	}
	assert_null(kcp_cells_take(&c));
	for (uint32_t i = 0; i < MOST; i++)
		for (uint32_t k = 0; k < 100; k++)
			assert_int_equal(got[i][k], i);
	kcp_cells_give(&c, got[7]);
	assert_ptr_equal(kcp_cells_take(&c), got[7]);
	assert_null(kcp_cells_take(&c));
	kcp_cells_clear(&c);
}

static void keeps_half_for_those_who_send(void **state)
{
	struct kcp_cells c;
	(void)state;
	kcp_cells_init(&c, 64, MOST);
	for (uint32_t i = 0; i < MOST / 2; i++)
		assert_non_null(kcp_cells_spare(&c));
	assert_null(kcp_cells_spare(&c));
	for (uint32_t i = 0; i < MOST / 2; i++)
		assert_non_null(kcp_cells_take(&c));
	kcp_cells_clear(&c);
}

static void gives_the_last_one_first(void **state)
{
	struct kcp_cells c;
	(void)state;
	kcp_cells_init(&c, 1500, MOST);
	uint8_t *a = kcp_cells_take(&c), *b = kcp_cells_take(&c);
	kcp_cells_give(&c, a);
	kcp_cells_give(&c, b);
	assert_ptr_equal(kcp_cells_take(&c), b);
	assert_ptr_equal(kcp_cells_take(&c), a);
	kcp_cells_clear(&c);
}

static void takes_no_memory_before_it_is_needed(void **state)
{
	struct kcp_cells c;
	(void)state;
	kcp_cells_init(&c, 1500, UINT32_MAX);
	assert_int_equal(c.n_made, 0);
	assert_non_null(kcp_cells_take(&c));
	assert_in_range(c.n_made, 1, 256);
	kcp_cells_clear(&c);
	assert_int_equal(c.n_made, 0);
}

static void gives_nothing_back_for_nothing(void **state)
{
	struct kcp_cells c;
	(void)state;
	kcp_cells_init(&c, 64, 0);
	kcp_cells_give(&c, NULL);
	assert_int_equal(c.n_out, 0);
	assert_null(kcp_cells_take(&c));
	kcp_cells_clear(&c);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(gives_no_more_than_the_most),
		cmocka_unit_test(keeps_half_for_those_who_send),
		cmocka_unit_test(gives_the_last_one_first),
		cmocka_unit_test(takes_no_memory_before_it_is_needed),
		cmocka_unit_test(gives_nothing_back_for_nothing),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
