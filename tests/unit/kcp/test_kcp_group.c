/* SPDX-License-Identifier: BSD-2-Clause */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include <stdlib.h>
#include <string.h>

#include "group.h"
#include "group_plan.h"

#define CELL   1500u
#define LENGTH 200u

struct world {
	struct kcp_cells cells;
	struct kcp_group_tx tx;
	struct kcp_group_pending rx;
	uint8_t shards[KCP_GROUP_DATA][CELL];
	uint32_t lens[KCP_GROUP_DATA];
};

static struct world *new_world(void)
{
	struct world *w = calloc(1, sizeof(*w));
	assert_non_null(w);
	kcp_group_prepare();
	kcp_cells_init(&w->cells, CELL, 4096);
	kcp_group_tx_init(&w->tx, &w->cells);
	kcp_group_pending_init(&w->rx, &w->cells);
	return w;
}

static void end_world(struct world *w)
{
	kcp_group_pending_clear(&w->rx);
	kcp_group_close(&w->tx, 0);
	assert_int_equal(w->cells.n_out, 0);
	kcp_cells_clear(&w->cells);
	free(w);
}

/* A group of n shards of different lengths with `rows` rows of parity. */
static void make_group(struct world *w, uint64_t base, uint32_t n, uint32_t rows)
{
	assert_true(kcp_group_open(&w->tx, base, rows, 1));
	for (uint32_t i = 0; i < n; i++) {
		w->lens[i] = LENGTH + (i * 37) % 100;
		memset(w->shards[i], 0, CELL);
		for (uint32_t k = 0; k < w->lens[i]; k++)
			w->shards[i][k] = (uint8_t)rand();
		kcp_group_add(&w->tx, w->shards[i], w->lens[i]);
	}
	assert_int_equal(w->tx.n, n);
}

/* Gives the receiver these rows; the group's index. */
static uint8_t keep_rows(struct world *w, uint64_t base, uint32_t n, const uint32_t *rows,
			 uint32_t n_rows)
{
	uint8_t index = KCP_GROUP_NONE;
	uint8_t evicted;
	for (uint32_t i = 0; i < n_rows; i++) {
		index = kcp_group_keep(&w->rx, base, n, rows[i], w->tx.parity[rows[i]], w->tx.len,
				       &evicted);
		assert_int_not_equal(index, KCP_GROUP_NONE);
		assert_int_equal(evicted, KCP_GROUP_NONE);
	}
	return index;
}

static void lose_and_recover(uint32_t n, uint32_t lost, uint32_t first_row)
{
	struct world *w = new_world();
	uint32_t rows[KCP_GROUP_ROWS];
	struct kcp_group_shard have[KCP_GROUP_DATA] = {{NULL, 0}};
	uint8_t *out[KCP_GROUP_DATA] = {NULL};
	make_group(w, 1000, n, KCP_GROUP_ROWS);
	for (uint32_t i = 0; i < lost; i++)
		rows[i] = first_row + i;
	uint8_t index = keep_rows(w, 1000, n, rows, lost);
	for (uint32_t i = lost; i < n; i++)
		have[i] = (struct kcp_group_shard){w->shards[i], w->lens[i]};
	assert_int_equal(kcp_group_recover(&w->rx, index, have, out), lost);
	for (uint32_t i = 0; i < n; i++) {
		assert_int_equal(out[i] != NULL, i < lost);
		if (out[i] == NULL)
			continue;
		assert_memory_equal(out[i], w->shards[i], w->tx.len);
		kcp_cells_give(&w->cells, out[i]);
	}
	end_world(w);
}

static void any_rows_bring_back_as_many(void **state)
{
	(void)state;
	lose_and_recover(1, 1, 0);
	lose_and_recover(1, 1, 15);
	lose_and_recover(2, 2, 3);
	lose_and_recover(10, 3, 0);
	lose_and_recover(17, 5, 11);
	lose_and_recover(64, 16, 0);
	lose_and_recover(64, 1, 9);
}

static void too_little_parity_waits(void **state)
{
	struct world *w = new_world();
	struct kcp_group_shard have[KCP_GROUP_DATA] = {{NULL, 0}};
	uint8_t *out[KCP_GROUP_DATA] = {NULL};
	uint32_t row = 0;
	(void)state;
	make_group(w, 5, 4, 4);
	uint8_t index = keep_rows(w, 5, 4, &row, 1);
	have[0] = (struct kcp_group_shard){w->shards[0], w->lens[0]};
	have[1] = (struct kcp_group_shard){w->shards[1], w->lens[1]};
	assert_int_equal(kcp_group_recover(&w->rx, index, have, out), 0);
	/* another row, and it goes */
	row = 3;
	assert_int_equal(keep_rows(w, 5, 4, &row, 1), index);
	assert_int_equal(kcp_group_recover(&w->rx, index, have, out), 2);
	assert_memory_equal(out[3], w->shards[3], w->lens[3]);
	kcp_cells_give(&w->cells, out[2]);
	kcp_cells_give(&w->cells, out[3]);
	end_world(w);
}

static void contradictions_are_not_kept(void **state)
{
	struct world *w = new_world();
	uint8_t data[CELL + 600] = {0};
	uint8_t evicted;
	(void)state;
	assert_int_equal(kcp_group_keep(&w->rx, 1, 0, 0, data, 100, &evicted), KCP_GROUP_NONE);
	assert_int_equal(kcp_group_keep(&w->rx, 1, 65, 0, data, 100, &evicted), KCP_GROUP_NONE);
	assert_int_equal(kcp_group_keep(&w->rx, 1, 5, 16, data, 100, &evicted), KCP_GROUP_NONE);
	assert_int_equal(kcp_group_keep(&w->rx, 1, 5, 0, data, CELL + 600, &evicted),
			 KCP_GROUP_NONE);
	uint8_t index = kcp_group_keep(&w->rx, 1, 5, 0, data, 100, &evicted);
	assert_int_not_equal(index, KCP_GROUP_NONE);
	assert_int_equal(kcp_group_keep(&w->rx, 1, 5, 0, data, 100, &evicted), KCP_GROUP_NONE);
	assert_int_equal(kcp_group_keep(&w->rx, 1, 6, 1, data, 100, &evicted), KCP_GROUP_NONE);
	assert_int_equal(kcp_group_keep(&w->rx, 1, 5, 1, data, 101, &evicted), KCP_GROUP_NONE);
	assert_int_equal(kcp_group_keep(&w->rx, 1, 5, 1, data, 100, &evicted), index);
	assert_int_equal(w->cells.n_out, 2);
	end_world(w);
}

static void the_first_group_makes_room_when_all_places_are_taken(void **state)
{
	struct world *w = new_world();
	uint8_t data[100] = {0};
	uint8_t evicted;
	(void)state;
	for (uint64_t base = 0; base < KCP_GROUP_PENDING; base++) {
		assert_int_not_equal(kcp_group_keep(&w->rx, base * 10, 5, 0, data, 100, &evicted),
				     KCP_GROUP_NONE);
		assert_int_equal(evicted, KCP_GROUP_NONE);
	}
	uint8_t free_place = 17;
	kcp_group_drop(&w->rx, free_place);
	/* a free place is used before anybody has to go: groups that end at once evict nobody */
	for (uint32_t i = 0; i < 1000; i++) {
		uint8_t at = kcp_group_keep(&w->rx, 100000 + i * 10, 5, 0, data, 100, &evicted);
		assert_int_equal(at, free_place);
		assert_int_equal(evicted, KCP_GROUP_NONE);
		kcp_group_drop(&w->rx, at);
	}
	(void)kcp_group_keep(&w->rx, 200000, 5, 0, data, 100, &evicted);
	(void)kcp_group_keep(&w->rx, 300000, 5, 0, data, 100, &evicted);
	assert_int_not_equal(evicted, KCP_GROUP_NONE);
	assert_int_equal(w->cells.n_out, KCP_GROUP_PENDING);
	end_world(w);
}

static void without_cells_nothing_is_kept_and_nothing_leaks(void **state)
{
	struct kcp_cells cells;
	struct kcp_group_tx tx;
	(void)state;
	kcp_group_prepare();
	kcp_cells_init(&cells, CELL, 3);
	kcp_group_tx_init(&tx, &cells);
	assert_false(kcp_group_open(&tx, 1, 4, 1));
	assert_int_equal(cells.n_out, 0);
	assert_true(kcp_group_open(&tx, 1, 3, 1));
	kcp_group_close(&tx, 1);
	assert_int_equal(cells.n_out, 1);
	kcp_cells_give(&cells, tx.parity[0]);
	kcp_cells_clear(&cells);
}

/* ---- the plan ---- */

#define AIM 0.05

static void report(struct kcp_group_plan *p, uint32_t n, uint32_t lost_per_1000)
{
	uint32_t sum = 0;
	for (uint32_t i = 0; i < n; i++) {
		sum += lost_per_1000;
		bool lost = sum >= 1000;
		sum -= lost ? 1000 : 0;
		kcp_group_plan_report(p, !lost, lost);
	}
}

static void a_clean_line_gets_no_parity(void **state)
{
	struct kcp_group_plan p;
	(void)state;
	kcp_group_plan_init(&p, 0, 100, AIM);
	report(&p, 100000, 0);
	assert_false(kcp_group_plan_is_on(&p));
	assert_int_equal(kcp_group_plan_rows(&p, 20), 0);
	assert_int_equal(kcp_group_plan_loss_ppm(&p), 0);
}

static void parity_follows_loss_up_and_down(void **state)
{
	struct kcp_group_plan p;
	(void)state;
	kcp_group_plan_init(&p, 0, 100, AIM);
	report(&p, 2000, 10);
	uint32_t low = kcp_group_plan_rows(&p, 40);
	report(&p, 2000, 50);
	uint32_t middle = kcp_group_plan_rows(&p, 40);
	report(&p, 2000, 150);
	uint32_t high = kcp_group_plan_rows(&p, 40);
	assert_true(low >= 1 && low < middle && middle < high);
	assert_in_range(kcp_group_plan_loss_ppm(&p), 130000, 170000);
	report(&p, 3000, 10);
	assert_in_range(kcp_group_plan_rows(&p, 40), low, low + 1);
	report(&p, 20000, 0);
	assert_false(kcp_group_plan_is_on(&p));
}

static void protection_comes_within_a_hundred_datagrams(void **state)
{
	struct kcp_group_plan p;
	(void)state;
	kcp_group_plan_init(&p, 0, 100, AIM);
	report(&p, 10000, 0);
	report(&p, 100, 100);
	assert_true(kcp_group_plan_is_on(&p));
	assert_true(kcp_group_plan_rows(&p, 20) >= 3);
}

static void a_single_message_is_protected(void **state)
{
	struct kcp_group_plan p;
	(void)state;
	kcp_group_plan_init(&p, 0, 100, AIM);
	report(&p, 2000, 100);
	assert_int_equal(kcp_group_plan_rows(&p, 1), 1);
	assert_true(kcp_group_plan_ahead(&p) >= 1);
}

/* The share that stays lost when each datagram is lost by chance, by trying. */
static double simulate(uint32_t n, uint32_t m, double q)
{
	uint64_t lost = 0;
	const uint32_t groups = 40000;
	for (uint32_t g = 0; g < groups; g++) {
		uint32_t data = 0;
		uint32_t all = 0;
		for (uint32_t i = 0; i < n + m; i++) {
			bool gone = (double)rand() / RAND_MAX < q;
			all += gone;
			data += gone && i < n;
		}
		if (all > m)
			lost += data;
	}
	return (double)lost / groups / n;
}

static void the_aim_is_met_with_few_rows(void **state)
{
	(void)state;
	srand(1);
	for (uint32_t loss = 20; loss <= 100; loss += 40) {
		struct kcp_group_plan p;
		kcp_group_plan_init(&p, 0, 100, AIM);
		report(&p, 5000, loss);
		for (uint32_t n = 4; n <= 64; n *= 2) {
			uint32_t m = kcp_group_plan_rows(&p, n);
			if (m == KCP_GROUP_ROWS)
				continue;
			double q = loss / 1000.0;
			assert_true(simulate(n, m, q) < 1.5 * AIM * q);
			/* three fewer would miss it */
			if (m > 3)
				assert_true(simulate(n, m - 3, q) > AIM * q);
		}
	}
}

static void what_was_only_late_is_not_lost(void **state)
{
	struct kcp_group_plan p;
	(void)state;
	kcp_group_plan_init(&p, 0, 100, AIM);
	for (uint32_t i = 0; i < 1000; i++) {
		kcp_group_plan_report(&p, 5, 1);
		kcp_group_plan_report(&p, 5, 0);
		kcp_group_plan_undo(&p);
	}
	assert_false(kcp_group_plan_is_on(&p));
}

static void limits_hold(void **state)
{
	struct kcp_group_plan p;
	(void)state;
	kcp_group_plan_init(&p, 0, 10, AIM);
	report(&p, 5000, 300);
	for (uint32_t n = 1; n <= KCP_GROUP_DATA; n++)
		assert_true(kcp_group_plan_rows(&p, n) <= (n + 9) / 10);
	kcp_group_plan_init(&p, 0, 0, AIM);
	report(&p, 5000, 300);
	assert_false(kcp_group_plan_is_on(&p));
	assert_int_equal(kcp_group_plan_rows(&p, 10), 0);
}

static void the_least_share_is_sent_on_a_clean_line_too(void **state)
{
	struct kcp_group_plan p;
	uint32_t rows = 0;
	(void)state;
	kcp_group_plan_init(&p, 5, 100, AIM);
	assert_true(kcp_group_plan_is_on(&p));
	/* also when each group is too small for a row of its own */
	for (uint32_t i = 0; i < 1000; i++)
		rows += kcp_group_plan_rows(&p, 2);
	assert_in_range(rows, 98, 102);
}

/* The rows of the group before were the caller's, and are other's by now. */
static void a_group_that_gets_no_cells_gives_back_its_own_only(void **state)
{
	uint8_t shard[LENGTH] = {1}, *row[3], *used[8];
	struct kcp_cells cells;
	struct kcp_group_tx tx;
	(void)state;
	kcp_group_prepare();
	kcp_cells_init(&cells, CELL, 8);
	kcp_group_tx_init(&tx, &cells);
	assert_true(kcp_group_open(&tx, 1, 3, 1));
	kcp_group_add(&tx, shard, sizeof(shard));
	memcpy(row, tx.parity, sizeof(row));
	kcp_group_close(&tx, 3);
	for (uint32_t i = 0; i < 3; i++)
		kcp_cells_give(&cells, row[i]);
	for (uint32_t i = 0; i < 7; i++)
		used[i] = kcp_cells_take(&cells);
	assert_false(kcp_group_open(&tx, 2, 3, 2));
	assert_int_equal(cells.n_out, 7);
	used[7] = kcp_cells_take(&cells);
	assert_non_null(used[7]);
	for (uint32_t i = 0; i < 7; i++)
		assert_ptr_not_equal(used[7], used[i]);
	assert_null(kcp_cells_take(&cells));
	for (uint32_t i = 0; i < 8; i++)
		kcp_cells_give(&cells, used[i]);
	assert_int_equal(cells.n_out, 0);
	kcp_cells_clear(&cells);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(any_rows_bring_back_as_many),
		cmocka_unit_test(too_little_parity_waits),
		cmocka_unit_test(contradictions_are_not_kept),
		cmocka_unit_test(the_first_group_makes_room_when_all_places_are_taken),
		cmocka_unit_test(without_cells_nothing_is_kept_and_nothing_leaks),
		cmocka_unit_test(a_group_that_gets_no_cells_gives_back_its_own_only),
		cmocka_unit_test(a_clean_line_gets_no_parity),
		cmocka_unit_test(parity_follows_loss_up_and_down),
		cmocka_unit_test(protection_comes_within_a_hundred_datagrams),
		cmocka_unit_test(a_single_message_is_protected),
		cmocka_unit_test(the_aim_is_met_with_few_rows),
		cmocka_unit_test(what_was_only_late_is_not_lost),
		cmocka_unit_test(limits_hold),
		cmocka_unit_test(the_least_share_is_sent_on_a_clean_line_too),
	};
	return cmocka_run_group_tests_name("kcp group", tests, NULL, NULL);
}
