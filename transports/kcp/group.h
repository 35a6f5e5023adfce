/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * group: forward error correction of our own wire. Messages go out at once; a group is what was sent
 * within a short time, at most KCP_GROUP_DATA messages with consecutive ids, and parity follows when it
 * closes. The code is that of rs.h with KCP_GROUP_DATA data shards, of which a group that closes
 * early has only the first n; how many rows of parity are made is decided by group_plan.h.
 *
 * A shard is a message behind its shard head (frame.h). [lane]
 */
#ifndef KCP_GROUP_H
#define KCP_GROUP_H

#include <stdbool.h>
#include <stdint.h>

#include "cells.h"
#include "frame.h"

#define KCP_GROUP_DATA 64u
#define KCP_GROUP_ROWS 16u

/* ---- sender ---- */

struct kcp_group_tx {
	struct kcp_cells *cells;
	uint64_t base; /* id of the first message */
	uint64_t opened_us;
	uint32_t n;    /* messages so far; 0 = none is open */
	uint32_t rows; /* that parity is kept for */
	uint32_t len;  /* of the longest shard */
	uint8_t *parity[KCP_GROUP_ROWS];
};

/* Prepares the code's tables, once for the process. [any] */
void kcp_group_prepare(void);

void kcp_group_tx_init(struct kcp_group_tx *g, struct kcp_cells *cells);

/* Begins a group that `rows` rows of parity may be sent for. False: no cells. */
bool kcp_group_open(struct kcp_group_tx *g, uint64_t base, uint32_t rows, uint64_t now_us);

/* Adds the next message's shard, at most a cell long. */
void kcp_group_add(struct kcp_group_tx *g, const uint8_t *shard, uint32_t len);

/* Ends the group: gives the cells of rows from `keep` on back. The others' cells are the caller's now. */
void kcp_group_close(struct kcp_group_tx *g, uint32_t keep);

/* ---- receiver ---- */

#define KCP_GROUP_PENDING 64u
#define KCP_GROUP_NONE    0xffu

/* A group that misses more messages than it has parity for, so far. */
struct kcp_group_rx {
	uint64_t base;
	uint32_t n; /* 0 = not in use */
	uint32_t len;
	uint32_t n_rows;
	uint8_t row[KCP_GROUP_ROWS];
	uint8_t *parity[KCP_GROUP_ROWS];
};

struct kcp_group_pending {
	struct kcp_cells *cells;
	uint32_t next; /* that makes room when all are taken */
	uint32_t n_used;
	struct kcp_group_rx groups[KCP_GROUP_PENDING];
};

void kcp_group_pending_init(struct kcp_group_pending *p, struct kcp_cells *cells);
void kcp_group_pending_clear(struct kcp_group_pending *p);

/* Keeps a row of parity. Returns the group's index; KCP_GROUP_NONE when it is not kept: contradicts what came
 * before for the group (n, length), is a repetition, no cell. The group that came first makes room:
 * *ret_evicted is its index, or KCP_GROUP_NONE; it has been dropped already. */
uint8_t kcp_group_keep(struct kcp_group_pending *p, uint64_t base, uint32_t n, uint32_t row,
		       const uint8_t *parity, uint32_t len, uint8_t *ret_evicted);

/* Forgets a group. */
void kcp_group_drop(struct kcp_group_pending *p, uint8_t index);

/* A message of a group that has come: shards[i] for id base + i, NULL = missing. */
struct kcp_group_shard {
	const uint8_t *data;
	uint32_t len;
};

/*
 * Brings back what is missing when there is parity enough: shards[0..n) of group `index`. out[i] gets a
 * cell with the shard (its length by its head, unchecked, the cell is g->len long) for each that was
 * missing. Returns how many; 0 = not yet, or no cells. O(n * missing * length).
 */
uint32_t kcp_group_recover(const struct kcp_group_pending *p, uint8_t index,
			   const struct kcp_group_shard *shards, uint8_t **out);

#endif
