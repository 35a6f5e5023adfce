/* SPDX-License-Identifier: BSD-2-Clause */
/* Reed-Solomon: the matrix against klauspost/reedsolomon, recovery against what was lost. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "crc32.h"
#include "rs.h"

#define SHARD_MAX 1500u
#define CANARY    0xa5
#define GUARD     64u

struct world {
	struct kcp_rs rs;
	uint32_t n_data, n_parity, seed;
	uint8_t *tables;
	uint32_t len[KCP_RS_SHARDS_MAX]; /* of data shards */
	uint32_t longest;
	uint8_t *shard[KCP_RS_SHARDS_MAX]; /* SHARD_MAX bytes each, zeroes behind their length */
	uint8_t *out[KCP_RS_LOST_MAX];
};

static uint32_t draw(uint32_t *seed, uint32_t below)
{
	*seed ^= *seed << 13;
	*seed ^= *seed >> 17;
	*seed ^= *seed << 5;
	return *seed % below;
}

static void *allocate(size_t len)
{
	void *p = calloc(1, len);
	assert_non_null(p);
	return p;
}

static void begin(struct world *w, uint32_t n_data, uint32_t n_parity)
{
	memset(w, 0, sizeof(*w));
	w->n_data = n_data;
	w->n_parity = n_parity;
	w->seed = n_data * 257 + n_parity;
	kcp_rs_init(&w->rs, n_data);
	w->tables = allocate(KCP_RS_TABLES_LEN((size_t)n_data, n_parity));
	kcp_rs_tables(&w->rs, n_parity, w->tables);
	for (uint32_t i = 0; i < n_data + n_parity; i++)
		w->shard[i] = allocate(SHARD_MAX);
	for (uint32_t i = 0; i < KCP_RS_LOST_MAX; i++)
		w->out[i] = allocate(SHARD_MAX + GUARD);
}

static void end(struct world *w)
{
	for (uint32_t i = 0; i < w->n_data + w->n_parity; i++)
		free(w->shard[i]);
	for (uint32_t i = 0; i < KCP_RS_LOST_MAX; i++)
		free(w->out[i]);
	free(w->tables);
}

/* New data of random lengths up to `longest`, in n shards, and n_rows parity shards of it. */
static void fill(struct world *w, uint32_t n, uint32_t n_rows, uint32_t longest)
{
	for (uint32_t i = 0; i < w->n_data + w->n_parity; i++)
		memset(w->shard[i], 0, SHARD_MAX);
	w->longest = 0;
	for (uint32_t i = 0; i < n; i++) {
		w->len[i] = 1 + draw(&w->seed, longest);
		if (w->len[i] > w->longest)
			w->longest = w->len[i];
		for (uint32_t k = 0; k < w->len[i]; k++)
			w->shard[i][k] = (uint8_t)draw(&w->seed, 256);
		kcp_rs_add(w->tables, w->n_parity, n_rows, i, w->shard[i], w->len[i],
			   w->shard + w->n_data);
	}
}

/* Recovers what `lost` says from the first n data shards and from parity row `first` on. */
static bool recover(struct world *w, uint32_t n, const bool *is_lost, uint32_t first)
{
	struct kcp_rs_shard known[KCP_RS_SHARDS_MAX] = {{0}};
	uint32_t lost[KCP_RS_SHARDS_MAX] = {0}, n_known = 0, n_lost = 0;
	for (uint32_t i = 0; i < n; i++) {
		if (is_lost[i])
			lost[n_lost++] = i;
		else
			known[n_known++] = (struct kcp_rs_shard){w->shard[i], w->len[i], i};
	}
	for (uint32_t i = 0; i < n_lost; i++) {
		uint32_t index = w->n_data + (first + i) % w->n_parity;
		known[n_known++] = (struct kcp_rs_shard){w->shard[index], w->longest, index};
		memset(w->out[i], CANARY, SHARD_MAX + GUARD);
	}
	/* in any order */
	for (uint32_t i = n_known; i > 1; i--) {
		uint32_t j = draw(&w->seed, i);
		struct kcp_rs_shard s = known[j];
		known[j] = known[i - 1];
		known[i - 1] = s;
	}
	if (!kcp_rs_recover(&w->rs, known, n_known, lost, n_lost, w->out, w->longest))
		return false;
	for (uint32_t i = 0; i < n_lost; i++) {
		assert_memory_equal(w->out[i], w->shard[lost[i]], w->longest);
		for (uint32_t k = 0; k < GUARD; k++)
			assert_int_equal(w->out[i][w->longest + k], CANARY);
	}
	return true;
}

/* From klauspost/reedsolomon 1.12.0 and 1.9.13 (the same): parity of unit vectors, the rows one behind the
 * other, their CRC-32. */
static void has_the_matrix_of_klauspost(void **state)
{
	static const struct {
		uint32_t n_data, n_parity, crc;
	} vectors[] = {
		{1, 1, 0xa505df1b},   {2, 1, 0x84fa2010},     {3, 1, 0x909fb2f2},
		{4, 2, 0xe85894d7},   {10, 3, 0xabb920d0},    {20, 10, 0x05db01cc},
		{70, 30, 0xf98ca027}, {128, 128, 0x76ea80f4}, {255, 1, 0x561265f9},
		{1, 255, 0x561265f9}, {200, 56, 0x8d522162},
	};
	(void)state;
	for (uint32_t v = 0; v < sizeof(vectors) / sizeof(vectors[0]); v++) {
		static uint8_t rows[128 * 128];
		struct kcp_rs rs;
		uint32_t n = vectors[v].n_data, n_rows = vectors[v].n_parity;
		kcp_rs_init(&rs, n);
		for (uint32_t r = 0; r < n_rows; r++) {
			for (uint32_t c = 0; c < n; c++)
				rows[r * n + c] = kcp_rs_factor(&rs, r, c);
		}
		assert_int_equal(kcp_crc32(rows, n * n_rows), vectors[v].crc);
	}
}

static void has_the_rows_that_are_known(void **state)
{
	static const uint8_t rows_10_3[3][10] = {
		{0x81, 0x96, 0xaf, 0xb8, 0xd2, 0xc4, 0xfe, 0xe8, 0x03, 0x02},
		{0x96, 0x81, 0xb8, 0xaf, 0xc4, 0xd2, 0xe8, 0xfe, 0x02, 0x03},
		{0xbf, 0xd6, 0x62, 0x0a, 0x06, 0x6f, 0xdf, 0xb7, 0x05, 0x04}};
	static const uint8_t rows_4_2[2][4] = {{0x1b, 0x1c, 0x12, 0x14}, {0x1c, 0x1b, 0x14, 0x12}};
	struct kcp_rs rs;
	(void)state;
	kcp_rs_init(&rs, 10);
	for (uint32_t r = 0; r < 3; r++) {
		for (uint32_t c = 0; c < 10; c++)
			assert_int_equal(kcp_rs_factor(&rs, r, c), rows_10_3[r][c]);
	}
	kcp_rs_init(&rs, 4);
	for (uint32_t r = 0; r < 2; r++) {
		for (uint32_t c = 0; c < 4; c++)
			assert_int_equal(kcp_rs_factor(&rs, r, c), rows_4_2[r][c]);
	}
}

/* Multiplication in GF(2^8) as it is defined: polynomials modulo 0x11d. */
static uint8_t multiply(uint32_t a, uint32_t b)
{
	uint32_t p = 0;
	for (; b != 0; b >>= 1) {
		p ^= (b & 1u) != 0 ? a : 0;
		a = a << 1 ^ ((a & 0x80u) != 0 ? 0x11du : 0);
	}
	return (uint8_t)p;
}

/* Tables and the library's loops against the factors, byte by byte, whatever length and alignment. */
static void adds_what_the_factors_say(void **state)
{
	struct world w;
	(void)state;
	begin(&w, 5, 3);
	for (uint32_t len = 1; len < 600; len++) {
		uint32_t at = draw(&w.seed, 16), column = draw(&w.seed, 5);
		uint32_t n_rows = 1 + draw(&w.seed, 3), before = draw(&w.seed, 16);
		uint8_t *parity[3];
		for (uint32_t r = 0; r < 3; r++) {
			memset(w.shard[5 + r], CANARY, SHARD_MAX);
			parity[r] = w.shard[5 + r] + 1 + before;
		}
		for (uint32_t k = 0; k < len; k++)
			w.shard[0][at + k] = (uint8_t)draw(&w.seed, 256);
		kcp_rs_add(w.tables, 3, n_rows, column, w.shard[0] + at, len, parity);
		for (uint32_t r = 0; r < 3; r++) {
			uint8_t factor = r < n_rows ? kcp_rs_factor(&w.rs, r, column) : 0;
			for (uint32_t k = 0; k < len; k++)
				assert_int_equal(parity[r][k],
						 CANARY ^ multiply(factor, w.shard[0][at + k]));
			assert_int_equal(parity[r][len], CANARY);
			assert_int_equal(parity[r][-1], CANARY);
		}
	}
	end(&w);
}

static void recovers_from_every_loss_in_small_groups(void **state)
{
	static const uint32_t shapes[][2] = {{1, 1}, {1, 3}, {2, 1}, {3, 1},
					     {4, 2}, {5, 5}, {6, 3}};
	(void)state;
	for (uint32_t s = 0; s < sizeof(shapes) / sizeof(shapes[0]); s++) {
		struct world w;
		uint32_t n = shapes[s][0], n_parity = shapes[s][1];
		begin(&w, n, n_parity);
		fill(&w, n, n_parity, 200);
		for (uint32_t mask = 0; mask < 1u << n; mask++) {
			bool lost[8] = {0};
			uint32_t n_lost = 0;
			for (uint32_t i = 0; i < n; i++) {
				lost[i] = (mask >> i & 1u) != 0;
				n_lost += lost[i];
			}
			/* by every row of successive rows */
			for (uint32_t first = 0; n_lost <= n_parity && first < n_parity; first++)
				assert_true(recover(&w, n, lost, first));
		}
		end(&w);
	}
}

static void recovers_from_random_losses_in_large_groups(void **state)
{
	static const uint32_t shapes[][2] = {{10, 3},  {20, 10}, {70, 30}, {128, 128},
					     {255, 1}, {1, 255}, {250, 6}, {3, 253}};
	(void)state;
	for (uint32_t s = 0; s < sizeof(shapes) / sizeof(shapes[0]); s++) {
		struct world w;
		uint32_t n = shapes[s][0], n_parity = shapes[s][1];
		begin(&w, n, n_parity);
		for (uint32_t round = 0; round < 20; round++) {
			bool lost[KCP_RS_SHARDS_MAX] = {0};
			uint32_t most = n < n_parity ? n : n_parity;
			uint32_t n_lost = round == 0 ? most : 1 + draw(&w.seed, most);
			fill(&w, n, n_parity, round % 2 != 0 ? 60 : 1400);
			for (uint32_t left = n_lost; left > 0;) {
				uint32_t i = draw(&w.seed, n);
				left -= !lost[i];
				lost[i] = true;
			}
			assert_true(recover(&w, n, lost, draw(&w.seed, n_parity)));
		}
		end(&w);
	}
}

/* As our own wire has it: a group of any size up to the largest, as many rows as are wanted. */
static void recovers_in_groups_that_ended_early(void **state)
{
	struct world w;
	(void)state;
	begin(&w, 32, 16);
	for (uint32_t n = 1; n <= 32; n++) {
		bool lost[32] = {0};
		uint32_t n_rows = 1 + draw(&w.seed, 16);
		uint32_t n_lost = n < n_rows ? n : n_rows;
		fill(&w, n, n_rows, 500);
		for (uint32_t left = n_lost; left > 0;) {
			uint32_t i = draw(&w.seed, n);
			left -= !lost[i];
			lost[i] = true;
		}
		assert_true(recover(&w, n, lost, 0));
	}
	end(&w);
}

static void refuses_lists_that_cannot_be(void **state)
{
	struct world w;
	(void)state;
	begin(&w, 4, 2);
	fill(&w, 4, 2, 100);
	const struct kcp_rs_shard d0 = {w.shard[0], w.len[0], 0}, d1 = {w.shard[1], w.len[1], 1};
	const struct kcp_rs_shard p0 = {w.shard[4], w.longest, 4}, p1 = {w.shard[5], w.longest, 5};
	const struct kcp_rs_shard far = {w.shard[5], w.longest, 256};
	const struct kcp_rs_shard too_long = {w.shard[5], w.longest + 1, 5};
	const struct {
		struct kcp_rs_shard known[4];
		uint32_t n_known, lost[3], n_lost;
	} cases[] = {
		{{d0, d1, p0}, 3, {2, 3}, 2},           /* too little parity */
		{{d0, d1, p0, p1}, 4, {2}, 1},          /* too much */
		{{d0, d1, p0, p0}, 4, {2, 3}, 2},       /* twice the same */
		{{d0, d0, p0, p1}, 4, {2, 3}, 2},       /* likewise */
		{{d0, d1, p0, p1}, 4, {2, 2}, 2},       /* lost twice */
		{{d0, d1, p0, p1}, 4, {1, 2}, 2},       /* lost and known */
		{{d0, d1, p0, p1}, 4, {2, 4}, 2},       /* parity is not lost data */
		{{d0, d1, p0, far}, 4, {2, 3}, 2},      /* beyond the field */
		{{d0, d1, p0, too_long}, 4, {2, 3}, 2}, /* longer than what comes out */
	};
	for (uint32_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		memset(w.out[0], CANARY, 8);
		assert_false(kcp_rs_recover(&w.rs, cases[i].known, cases[i].n_known, cases[i].lost,
					    cases[i].n_lost, w.out, w.longest));
		assert_int_equal(w.out[0][0], CANARY);
	}
	const uint32_t many[KCP_RS_LOST_MAX + 1] = {0};
	assert_false(kcp_rs_recover(&w.rs, &d0, 1, many, KCP_RS_LOST_MAX + 1, w.out, w.longest));
	/* nothing is lost: nothing to do */
	assert_true(kcp_rs_recover(&w.rs, &d0, 1, NULL, 0, w.out, w.longest));
	end(&w);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(has_the_matrix_of_klauspost),
		cmocka_unit_test(has_the_rows_that_are_known),
		cmocka_unit_test(adds_what_the_factors_say),
		cmocka_unit_test(recovers_from_every_loss_in_small_groups),
		cmocka_unit_test(recovers_from_random_losses_in_large_groups),
		cmocka_unit_test(recovers_in_groups_that_ended_early),
		cmocka_unit_test(refuses_lists_that_cannot_be),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
