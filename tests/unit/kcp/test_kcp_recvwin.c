/* SPDX-License-Identifier: BSD-2-Clause */
/* Segments that came before their turn, or that nobody has taken yet. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "recvwin.h"

#define WND 48u /* the ring has 64 places */

static struct kcp_recvwin w;
static struct kcp_cells cells;

static void begin(uint32_t first)
{
	kcp_cells_init(&cells, 64, 4 * WND);
	assert_true(kcp_recvwin_init(&w, WND, &cells));
	w.head = w.nxt = first;
}

static void end(void)
{
	kcp_recvwin_clear(&w);
	assert_int_equal(cells.n_out, 0);
	kcp_cells_clear(&cells);
}

static bool store(uint32_t sn)
{
	uint8_t data[64];
	memset(data, (int)sn, sizeof(data));
	return kcp_recvwin_store(&w, sn, (uint8_t)(sn % 5), data, 1 + sn % 64);
}

/* The segment at head is this one. */
static void take(uint32_t sn)
{
	const struct kcp_received *r = kcp_recvwin_first(&w);
	assert_non_null(r);
	assert_int_equal(r->frg, sn % 5);
	assert_int_equal(r->len, 1 + sn % 64);
	for (uint32_t i = 0; i < r->len; i++)
		assert_int_equal(r->cell[i], sn & 0xff);
	kcp_recvwin_pop(&w);
}

static void is_empty_at_first(void **state)
{
	(void)state;
	begin(0);
	assert_null(kcp_recvwin_first(&w));
	assert_int_equal(kcp_recvwin_free(&w), WND);
	end();
}

static void knows_old_new_and_outside(void **state)
{
	const uint32_t firsts[] = {0, 1000, UINT32_MAX - 20, 0x80000000u};
	(void)state;
	for (uint32_t i = 0; i < 4; i++) {
		uint32_t first = firsts[i];
		begin(first);
		assert_int_equal(kcp_recvwin_place(&w, first - 1), KCP_PLACE_OLD);
		assert_int_equal(kcp_recvwin_place(&w, first - 0x7fffffffu), KCP_PLACE_OLD);
		assert_int_equal(kcp_recvwin_place(&w, first), KCP_PLACE_NEW);
		assert_int_equal(kcp_recvwin_place(&w, first + WND - 1), KCP_PLACE_NEW);
		assert_int_equal(kcp_recvwin_place(&w, first + WND), KCP_PLACE_OUTSIDE);
		assert_int_equal(kcp_recvwin_place(&w, first + 0x7fffffffu), KCP_PLACE_OUTSIDE);
		assert_true(store(first + 3));
		assert_int_equal(kcp_recvwin_place(&w, first + 3), KCP_PLACE_OLD);
		assert_int_equal(kcp_recvwin_place(&w, first + 4), KCP_PLACE_NEW);
		end();
	}
}

static void holds_back_what_is_behind_a_gap(void **state)
{
	(void)state;
	begin(UINT32_MAX - 1);
	assert_true(store(0));
	assert_true(store(1));
	assert_null(kcp_recvwin_first(&w));
	assert_true(store(UINT32_MAX - 1));
	take(UINT32_MAX - 1);
	assert_null(kcp_recvwin_first(&w));
	assert_true(store(UINT32_MAX));
	take(UINT32_MAX);
	take(0);
	take(1);
	assert_null(kcp_recvwin_first(&w));
	assert_int_equal(w.nxt, 2);
	end();
}

static void what_nobody_takes_closes_the_window(void **state)
{
	(void)state;
	begin(0);
	for (uint32_t sn = 0; sn < WND; sn++) {
		assert_int_equal(kcp_recvwin_free(&w), WND - sn);
		assert_true(store(sn));
	}
	assert_int_equal(kcp_recvwin_free(&w), 0);
	assert_int_equal(kcp_recvwin_place(&w, WND), KCP_PLACE_OUTSIDE);
	take(0);
	assert_int_equal(kcp_recvwin_free(&w), 1);
	assert_int_equal(kcp_recvwin_place(&w, WND), KCP_PLACE_NEW);
	end();
}

static void a_gap_takes_nothing_from_the_window(void **state)
{
	(void)state;
	begin(0);
	for (uint32_t sn = 1; sn < WND; sn++)
		assert_true(store(sn));
	assert_int_equal(kcp_recvwin_free(&w), WND);
	end();
}

static void one_that_is_passed_on_directly_lets_those_behind_go(void **state)
{
	(void)state;
	begin(0);
	assert_true(store(1));
	assert_true(store(2));
	assert_true(store(4));
	kcp_recvwin_pass(&w);
	take(1);
	take(2);
	assert_null(kcp_recvwin_first(&w));
	kcp_recvwin_pass(&w);
	take(4);
	end();
}

static void without_a_cell_nothing_changes(void **state)
{
	(void)state;
	kcp_cells_init(&cells, 64, 4); /* two of them for what peers send */
	assert_true(kcp_recvwin_init(&w, WND, &cells));
	assert_true(store(1));
	assert_true(store(2));
	assert_false(store(0));
	assert_int_equal(kcp_recvwin_place(&w, 0), KCP_PLACE_NEW);
	assert_int_equal(w.nxt, 0);
	assert_int_equal(w.stored, 2);
	end();
}

static void gives_all_cells_back_at_the_end(void **state)
{
	(void)state;
	begin(UINT32_MAX - 7);
	for (uint32_t i = 0; i < WND; i += 3)
		assert_true(store(UINT32_MAX - 7 + i));
	end();
	kcp_recvwin_clear(&w); /* accepts one that is cleared */
}

static void any_order_comes_out_in_order(void **state)
{
	uint64_t seed = 3;
	uint32_t next = UINT32_MAX - 700, last = 700;
	(void)state;
	begin(next);
	while (next != last) {
		seed = seed * UINT64_C(6364136223846793005) + 1442695040888963407u;
		uint32_t sn = w.head + (uint32_t)(seed >> 33) % (WND + 8) - 4;
		if (kcp_recvwin_place(&w, sn) == KCP_PLACE_NEW)
			assert_true(store(sn));
		while ((seed >> 20 & 1) != 0 && kcp_recvwin_first(&w) != NULL && next != last)
			take(next++);
	}
	end();
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(is_empty_at_first),
		cmocka_unit_test(knows_old_new_and_outside),
		cmocka_unit_test(holds_back_what_is_behind_a_gap),
		cmocka_unit_test(what_nobody_takes_closes_the_window),
		cmocka_unit_test(a_gap_takes_nothing_from_the_window),
		cmocka_unit_test(one_that_is_passed_on_directly_lets_those_behind_go),
		cmocka_unit_test(without_a_cell_nothing_changes),
		cmocka_unit_test(gives_all_cells_back_at_the_end),
		cmocka_unit_test(any_order_comes_out_in_order),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
