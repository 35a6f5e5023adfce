/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * rs: Reed-Solomon over GF(2^8), polynomial 0x11d, systematic, the code of klauspost/reedsolomon's
 * default matrix (buildMatrix in reedsolomon.go): row r of a Vandermonde matrix is 1, r, r^2, ...;
 * that matrix times the inverse of its top square. So shard r is the value at the point r of the
 * polynomial that has the data shards as values at 0, 1, ...: all coefficients, of parity and of
 * recovery, come straight from Lagrange's formula, and no matrix is inverted or kept.
 *
 * Data shard j has the index j, parity i the index n_data + i; n_data + n_parity <= 256. The code is
 * linear: shards may be of different lengths (a short one ends in zeroes that nobody stores), parity
 * grows packet by packet without keeping any, and
 *   - a group may end early: data shards that never came are zeroes, and nobody sends them,
 *   - of the n_parity shards any number may be made and sent.
 * Sums and products over packets are ISA-L's. Nothing here allocates.
 */
#ifndef KCP_RS_H
#define KCP_RS_H

#include <stdbool.h>
#include <stdint.h>

#define KCP_RS_SHARDS_MAX 256u
#define KCP_RS_LOST_MAX   128u /* data shards that one recovery can bring back: min(data, parity) */

struct kcp_rs {
	uint32_t n_data;
	uint8_t weight
		[KCP_RS_SHARDS_MAX]; /* of data point j: the product of j - m over all others */
};

/* n_data 1..255. O(n_data^2), some 100 us at most. [any] */
void kcp_rs_init(struct kcp_rs *rs, uint32_t n_data);

/* The factor of data shard `column` in shard n_data + row. [any] */
uint8_t kcp_rs_factor(const struct kcp_rs *rs, uint32_t row, uint32_t column);

/* Multiplication tables for kcp_rs_add(): so many bytes in the caller's memory. */
#define KCP_RS_TABLES_LEN(n_data, n_parity) (32u * (n_data) * (n_parity))
void kcp_rs_tables(const struct kcp_rs *rs, uint32_t n_parity, uint8_t *tables);

/*
 * Adds data shard `column` to parity[0..n_rows-1], n_rows <= n_parity, n_parity as given to
 * kcp_rs_tables(). Each parity buffer has at least len bytes and was zeroes before the first shard of its
 * group; what is behind len stays as it is. data may be const for us: it is not written. [lane]
 */
void kcp_rs_add(const uint8_t *tables, uint32_t n_parity, uint32_t n_rows, uint32_t column,
		const uint8_t *data, uint32_t len, uint8_t *const *parity);

/* A shard that has come. */
struct kcp_rs_shard {
	const uint8_t *data;
	uint32_t len;
	uint32_t index; /* data: below n_data; parity: from there on */
};

/*
 * Brings back the data shards lost[0..n_lost-1] (indices) into out[0..n_lost-1], `len` bytes each (the
 * parity's length; bytes behind the shard are zeroes). `known` holds the data shards that have come and
 * exactly n_lost parity shards, in any order, none longer than len; data shards in neither list are
 * zeroes (a group that ended early). Known shards are not written and do not overlap out.
 * False when the lists are not so (an index twice or out of range, a wrong number of parity shards, a
 * shard longer than len, n_lost above KCP_RS_LOST_MAX): nothing is written then. [lane]
 */
bool kcp_rs_recover(const struct kcp_rs *rs, const struct kcp_rs_shard *known, uint32_t n_known,
		    const uint32_t *lost, uint32_t n_lost, uint8_t *const *out, uint32_t len);

#endif
