/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * rs: Lagrange's formula over GF(2^8), where subtraction is xor. A group's shards are values of one
 * polynomial of a degree below n_data at the points 0, 1, ..., 255. With values known at the points K
 * (as many as n_data), the value at another point x is the sum over k in K of
 *
 *   value(k) * product over m in K, m != k, of (x - m) / (k - m)
 *
 * Parity has K = the data points. Recovery has K = the data points, without the lost ones and with as
 * many parity points: its products are those of the data points, mended.
 */
#include "rs.h"

#include <isa-l/erasure_code.h>
#include <string.h>

#define TABLE_LEN 32u /* of one factor, for ISA-L */

static uint8_t multiply(uint8_t a, uint8_t b)
{
	return gf_mul(a, b);
}

static uint8_t divide(uint8_t a, uint8_t b)
{
	return gf_mul(a, gf_inv(b));
}

/* Of x - m over the data points m, without m = x. */
static uint8_t product(uint32_t n_data, uint32_t x)
{
	uint8_t p = 1;
	for (uint32_t m = 0; m < n_data; m++) {
		if (m != x)
			p = multiply(p, (uint8_t)(x ^ m));
	}
	return p;
}

void kcp_rs_init(struct kcp_rs *rs, uint32_t n_data)
{
	memset(rs, 0, sizeof(*rs));
	rs->n_data = n_data;
	for (uint32_t j = 0; j < n_data; j++)
		rs->weight[j] = product(n_data, j);
}

uint8_t kcp_rs_factor(const struct kcp_rs *rs, uint32_t row, uint32_t column)
{
	uint32_t x = rs->n_data + row;
	uint8_t below = multiply((uint8_t)(x ^ column), rs->weight[column]);
	return divide(product(rs->n_data, x), below);
}

void kcp_rs_tables(const struct kcp_rs *rs, uint32_t n_parity, uint8_t *tables)
{
	for (uint32_t row = 0; row < n_parity; row++) {
		uint32_t x = rs->n_data + row;
		uint8_t all = product(rs->n_data, x);
		for (uint32_t j = 0; j < rs->n_data; j++) {
			uint8_t below = multiply((uint8_t)(x ^ j), rs->weight[j]);
			uint8_t factor = divide(all, below);
			ec_init_tables(1, 1, &factor, tables + (j * n_parity + row) * TABLE_LEN);
		}
	}
}

/* Adds data, times the factor of each row, to outs. The library's arguments lack const. */
static void add(uint8_t *tables, uint32_t n_rows, const uint8_t *data, uint32_t len,
		uint8_t *const *outs)
{
	if (len > 0)
		ec_encode_data_update((int)len, 1, (int)n_rows, 0, tables, (uint8_t *)data,
				      (uint8_t **)outs);
}

void kcp_rs_add(const uint8_t *tables, uint32_t n_parity, uint32_t n_rows, uint32_t column,
		const uint8_t *data, uint32_t len, uint8_t *const *parity)
{
	uint8_t *of_column = (uint8_t *)tables + (size_t)column * n_parity * TABLE_LEN;
	if (n_rows > 0)
		add(of_column, n_rows, data, len, parity);
}

/* The points that take the place of the lost ones, and what stays the same for all known points. */
struct recovery {
	const struct kcp_rs *rs;
	const uint32_t *lost;
	uint32_t n_lost;
	uint8_t joined[KCP_RS_LOST_MAX]; /* parity points */
	uint8_t at[KCP_RS_LOST_MAX];     /* per lost x: the product of x - m over all known m */
};

/* The product of x - m over all known points m but x itself, when that over the data points but x is
 * `p`: the lost points go out of it, those that have joined come in. */
static uint8_t mend(const struct recovery *r, uint32_t x, uint8_t p)
{
	uint8_t out = 1;
	for (uint32_t i = 0; i < r->n_lost; i++) {
		if (r->lost[i] != x)
			out = multiply(out, (uint8_t)(x ^ r->lost[i]));
		if (r->joined[i] != x)
			p = multiply(p, (uint8_t)(x ^ r->joined[i]));
	}
	return divide(p, out);
}

static bool mark(uint32_t *seen, uint32_t index)
{
	uint32_t bit = 1u << (index % 32u);
	bool first = (seen[index / 32u] & bit) == 0;
	seen[index / 32u] |= bit;
	return first;
}

static bool check_lost(const struct recovery *r, uint32_t *seen)
{
	if (r->n_lost > KCP_RS_LOST_MAX)
		return false;
	for (uint32_t i = 0; i < r->n_lost; i++) {
		if (r->lost[i] >= r->rs->n_data || !mark(seen, r->lost[i]))
			return false;
	}
	return true;
}

/* Also collects the parity points. */
static bool check_known(struct recovery *r, uint32_t *seen, const struct kcp_rs_shard *known,
			uint32_t n_known, uint32_t len)
{
	uint32_t n_joined = 0;
	for (uint32_t i = 0; i < n_known; i++) {
		uint32_t index = known[i].index;
		if (index >= KCP_RS_SHARDS_MAX || known[i].len > len || !mark(seen, index))
			return false;
		if (index < r->rs->n_data)
			continue;
		if (n_joined == r->n_lost)
			return false;
		r->joined[n_joined++] = (uint8_t)index;
	}
	return n_joined == r->n_lost;
}

static void add_known(const struct recovery *r, const struct kcp_rs_shard *s, uint8_t *const *out)
{
	uint8_t factors[KCP_RS_LOST_MAX], tables[KCP_RS_LOST_MAX * TABLE_LEN];
	bool parity = s->index >= r->rs->n_data;
	uint8_t weight = parity ? product(r->rs->n_data, s->index) : r->rs->weight[s->index];
	weight = mend(r, s->index, weight);
	for (uint32_t i = 0; i < r->n_lost; i++) {
		uint8_t below = multiply(weight, (uint8_t)(r->lost[i] ^ s->index));
		factors[i] = divide(r->at[i], below);
	}
	ec_init_tables(1, (int)r->n_lost, factors, tables);
	add(tables, r->n_lost, s->data, s->len, out);
}

bool kcp_rs_recover(const struct kcp_rs *rs, const struct kcp_rs_shard *known, uint32_t n_known,
		    const uint32_t *lost, uint32_t n_lost, uint8_t *const *out, uint32_t len)
{
	struct recovery r = {.rs = rs, .lost = lost, .n_lost = n_lost};
	uint32_t seen[KCP_RS_SHARDS_MAX / 32u] = {0};
	if (!check_lost(&r, seen) || !check_known(&r, seen, known, n_known, len))
		return false;
	if (n_lost == 0)
		return true;
	for (uint32_t i = 0; i < n_lost; i++) {
		r.at[i] = mend(&r, lost[i], rs->weight[lost[i]]);
		memset(out[i], 0, len);
	}
	for (uint32_t i = 0; i < n_known; i++)
		add_known(&r, &known[i], out);
	return true;
}
