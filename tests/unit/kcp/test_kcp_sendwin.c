/* SPDX-License-Identifier: BSD-2-Clause */
/* Segments that were sent and not acknowledged. Compared with a plain table at the end. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "sendwin.h"

#define WND   48u /* the ring has 64 places */
#define MS    UINT64_C(1000)
#define START UINT64_C(5000000)
#define LATER (START + 200 * MS)

static struct kcp_sendwin w;
static struct kcp_cells cells;

static void begin(uint32_t first)
{
	kcp_cells_init(&cells, 64, 2 * WND);
	assert_true(kcp_sendwin_init(&w, WND, &cells, START));
	w.una = w.nxt = first;
}

static void end(void)
{
	kcp_sendwin_clear(&w);
	assert_int_equal(cells.n_out, 0);
	kcp_cells_clear(&cells);
}

static struct kcp_sent *send_one(uint64_t due_us)
{
	struct kcp_sent *s = kcp_sendwin_add(&w, kcp_cells_take(&cells), 10, 0);
	kcp_sendwin_transmitted(&w, s, START, due_us);
	return s;
}

static uint32_t numbers(const struct kcp_list *list, uint32_t out[WND])
{
	uint32_t n = 0;
	for (struct kcp_sent *s = kcp_sendwin_first(&w, list); s != NULL;
	     s = kcp_sendwin_after(&w, s))
		out[n++] = kcp_sendwin_number(&w, s);
	return n;
}

static void is_in_order(const struct kcp_list *list, const uint32_t *want, uint32_t n)
{
	uint32_t got[WND];
	assert_int_equal(numbers(list, got), n);
	for (uint32_t i = 0; i < n; i++)
		assert_int_equal(got[i], want[i]);
}

static void gives_segments_numbers_in_a_row(void **state)
{
	(void)state;
	begin(0);
	assert_true(kcp_sendwin_is_empty(&w));
	for (uint32_t i = 0; i < 3; i++)
		assert_int_equal(kcp_sendwin_number(&w, send_one(LATER)), i);
	assert_int_equal(kcp_sendwin_count(&w), 3);
	assert_true(kcp_sendwin_covers(&w, 2));
	assert_false(kcp_sendwin_covers(&w, 3));
	assert_false(kcp_sendwin_covers(&w, UINT32_MAX));
	end();
}

static void numbers_go_on_behind_the_largest(void **state)
{
	const uint32_t want[] = {UINT32_MAX - 1, UINT32_MAX, 0, 1};
	(void)state;
	begin(UINT32_MAX - 1);
	for (uint32_t i = 0; i < 4; i++)
		(void)send_one(LATER);
	is_in_order(&w.flying, want, 4);
	assert_true(kcp_sendwin_covers(&w, 0));
	assert_false(kcp_sendwin_covers(&w, UINT32_MAX - 2));
	for (uint32_t i = 0; i < 4; i++)
		kcp_sendwin_retire(&w, kcp_sendwin_at(&w, want[i]));
	assert_true(kcp_sendwin_advance(&w));
	assert_int_equal(w.una, 2);
	end();
}

static void una_moves_over_what_has_arrived_and_no_further(void **state)
{
	(void)state;
	begin(0);
	for (uint32_t i = 0; i < 4; i++)
		(void)send_one(LATER);
	kcp_sendwin_retire(&w, kcp_sendwin_at(&w, 1));
	kcp_sendwin_retire(&w, kcp_sendwin_at(&w, 3));
	assert_false(kcp_sendwin_advance(&w));
	assert_int_equal(cells.n_out, 2);
	kcp_sendwin_retire(&w, kcp_sendwin_at(&w, 0));
	assert_true(kcp_sendwin_advance(&w));
	assert_int_equal(w.una, 2);
	end();
}

static void flying_ones_stand_in_the_order_of_transmission(void **state)
{
	const uint32_t first[] = {0, 1, 2}, then[] = {1, 2, 0};
	(void)state;
	begin(0);
	for (uint32_t i = 0; i < 3; i++)
		(void)send_one(LATER);
	is_in_order(&w.flying, first, 3);
	struct kcp_sent *s = kcp_sendwin_at(&w, 0);
	kcp_sendwin_transmitted(&w, s, START + MS, LATER);
	is_in_order(&w.flying, then, 3);
	assert_int_equal(s->order, 4);
	assert_int_equal(s->xmit, 2);
	assert_int_equal(s->sent_us, START + MS);
	end();
}

static void a_copy_is_a_transmission_that_does_not_count(void **state)
{
	const uint32_t want[] = {1, 0};
	(void)state;
	begin(0);
	struct kcp_sent *s = send_one(LATER);
	(void)send_one(LATER);
	kcp_sendwin_copied(&w, s, START + MS, LATER);
	assert_int_equal(s->xmit, 1);
	assert_int_equal(s->order, 3);
	assert_int_equal(s->sent_us, START + MS);
	is_in_order(&w.flying, want, 2);
	end();
}

static void lost_ones_stand_in_the_order_in_which_that_was_found_out(void **state)
{
	const uint32_t lost[] = {2, 0}, flying[] = {1, 2}, left[] = {0};
	(void)state;
	begin(0);
	for (uint32_t i = 0; i < 3; i++)
		(void)send_one(LATER);
	kcp_sendwin_lose(&w, kcp_sendwin_at(&w, 2));
	kcp_sendwin_lose(&w, kcp_sendwin_at(&w, 0));
	is_in_order(&w.lost, lost, 2);
	kcp_sendwin_transmitted(&w, kcp_sendwin_at(&w, 2), START + MS, LATER);
	is_in_order(&w.lost, left, 1);
	is_in_order(&w.flying, flying, 2);
	kcp_sendwin_retire(&w, kcp_sendwin_at(&w, 0));
	is_in_order(&w.lost, NULL, 0);
	end();
}

static void only_what_flies_expires(void **state)
{
	(void)state;
	begin(0);
	for (uint32_t i = 0; i < 3; i++)
		(void)send_one(START + (10 + i) * MS);
	kcp_sendwin_lose(&w, kcp_sendwin_at(&w, 0));
	kcp_sendwin_retire(&w, kcp_sendwin_at(&w, 2));
	assert_null(kcp_sendwin_expired(&w, START + 10 * MS));
	assert_ptr_equal(kcp_sendwin_expired(&w, START + 30 * MS), kcp_sendwin_at(&w, 1));
	assert_null(kcp_sendwin_expired(&w, START + 30 * MS));
	end();
}

static void what_is_postponed_expires_later(void **state)
{
	(void)state;
	begin(0);
	struct kcp_sent *s = send_one(START + 10 * MS);
	assert_ptr_equal(kcp_sendwin_expired(&w, START + 20 * MS), s);
	kcp_sendwin_postpone(&w, s, START + 50 * MS);
	assert_null(kcp_sendwin_expired(&w, START + 40 * MS));
	assert_ptr_equal(kcp_sendwin_expired(&w, START + 60 * MS), s);
	assert_int_equal(s->xmit, 1);
	end();
}

static void a_transmission_moves_the_timeout(void **state)
{
	(void)state;
	begin(0);
	struct kcp_sent *s = send_one(START + 10 * MS);
	kcp_sendwin_transmitted(&w, s, START + 5 * MS, START + 50 * MS);
	assert_null(kcp_sendwin_expired(&w, START + 40 * MS));
	assert_ptr_equal(kcp_sendwin_expired(&w, START + 60 * MS), s);
	end();
}

static void transmissions_are_counted_up_to_a_limit(void **state)
{
	(void)state;
	begin(0);
	struct kcp_sent *s = send_one(LATER);
	for (uint32_t i = 0; i < 100; i++)
		kcp_sendwin_transmitted(&w, s, START, LATER);
	assert_int_equal(s->xmit, KCP_XMIT_MOST);
	end();
}

static void gives_all_cells_back_at_the_end(void **state)
{
	(void)state;
	begin(UINT32_MAX - 3);
	for (uint32_t i = 0; i < WND; i++)
		(void)send_one(LATER);
	kcp_sendwin_lose(&w, kcp_sendwin_at(&w, 2));
	kcp_sendwin_retire(&w, kcp_sendwin_at(&w, 7));
	end();
	kcp_sendwin_clear(&w); /* accepts one that is cleared */
}

/* ---- against a table ---- */

static uint64_t seed = 1;

static uint32_t draw(uint32_t below)
{
	seed = seed * UINT64_C(6364136223846793005) + 1442695040888963407u;
	return (uint32_t)(seed >> 33) % below;
}

struct row {
	bool is_here, is_lost;
	uint32_t place; /* in its list: larger is later */
};

static struct row rows[WND * 2];
static uint32_t clock_of_rows;

static void compare(void)
{
	const struct kcp_list *lists[] = {&w.flying, &w.lost};
	uint32_t got[WND], n = 0;
	for (uint32_t k = 0; k < 2; k++) {
		uint32_t len = numbers(lists[k], got);
		for (uint32_t i = 0; i < len; i++) {
			const struct row *r = &rows[got[i] % (WND * 2)];
			assert_true(r->is_here);
			assert_int_equal(r->is_lost, k);
			if (i != 0)
				assert_true(rows[got[i - 1] % (WND * 2)].place < r->place);
		}
		n += len;
	}
	for (uint32_t sn = w.una; sn != w.nxt; sn++)
		n -= rows[sn % (WND * 2)].is_here;
	assert_int_equal(n, 0);
}

static void does_what_a_table_does(void **state)
{
	(void)state;
	begin(UINT32_MAX - 5000);
	memset(rows, 0, sizeof(rows));
	for (uint32_t step = 0; step < 60000; step++) {
		uint32_t count = kcp_sendwin_count(&w);
		uint32_t sn = count != 0 ? w.una + draw(count) : w.nxt;
		struct row *r = &rows[sn % (WND * 2)];
		if (draw(2) == 0 && count < WND) {
			rows[w.nxt % (WND * 2)] = (struct row){true, false, ++clock_of_rows};
			(void)send_one(LATER);
		} else if (count != 0 && r->is_here) {
			struct kcp_sent *s = kcp_sendwin_at(&w, sn);
			uint32_t what = draw(4);
			if (what == 0 && !r->is_lost) {
				kcp_sendwin_lose(&w, s);
				*r = (struct row){true, true, ++clock_of_rows};
			} else if (what == 1) {
				kcp_sendwin_transmitted(&w, s, START, LATER);
				*r = (struct row){true, false, ++clock_of_rows};
			} else if (what > 1) {
				kcp_sendwin_retire(&w, s);
				*r = (struct row){0};
				(void)kcp_sendwin_advance(&w);
			}
		}
		compare();
	}
	assert_true(w.nxt < UINT32_MAX - 5000); /* all numbers have been gone through */
	end();
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(gives_segments_numbers_in_a_row),
		cmocka_unit_test(numbers_go_on_behind_the_largest),
		cmocka_unit_test(una_moves_over_what_has_arrived_and_no_further),
		cmocka_unit_test(flying_ones_stand_in_the_order_of_transmission),
		cmocka_unit_test(a_copy_is_a_transmission_that_does_not_count),
		cmocka_unit_test(lost_ones_stand_in_the_order_in_which_that_was_found_out),
		cmocka_unit_test(only_what_flies_expires),
		cmocka_unit_test(what_is_postponed_expires_later),
		cmocka_unit_test(a_transmission_moves_the_timeout),
		cmocka_unit_test(transmissions_are_counted_up_to_a_limit),
		cmocka_unit_test(gives_all_cells_back_at_the_end),
		cmocka_unit_test(does_what_a_table_does),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
