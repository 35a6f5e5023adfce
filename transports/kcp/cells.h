/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * cells: storage of one size for data that has to wait: sent and not acknowledged, received out of
 * order. Shared by all sessions of an instance, bounded, last in first out so that a short window
 * stays in the processor's cache. Grows by blocks and keeps them. One thread.
 */
#ifndef KCP_CELLS_H
#define KCP_CELLS_H

#include <stdint.h>

struct kcp_cells {
	uint32_t size;   /* bytes of a cell */
	uint32_t most;   /* cells at the same time */
	uint32_t n_made; /* cells that exist */
	uint32_t n_out;  /* cells that are in use */
	uint8_t *first;  /* free ones, each holds the pointer to the next */
	void *blocks;
};

/* Nothing is allocated yet. `size` is rounded up to a multiple of 64. */
void kcp_cells_init(struct kcp_cells *c, uint32_t size, uint32_t most);

/* Frees all, also those that are in use. */
void kcp_cells_clear(struct kcp_cells *c);

/* NULL: `most` are in use, or no memory. */
uint8_t *kcp_cells_take(struct kcp_cells *c);

/* The same for what a peer makes us keep: NULL also when half of all are in use, so that no peer's data
 * takes the room of what others send. */
uint8_t *kcp_cells_spare(struct kcp_cells *c);

/* Accepts NULL. */
void kcp_cells_give(struct kcp_cells *c, uint8_t *cell);

#endif
