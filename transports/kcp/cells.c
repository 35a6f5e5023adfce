/* SPDX-License-Identifier: BSD-2-Clause */
#include "cells.h"

#include <stdlib.h>
#include <string.h>

#define PER_BLOCK 64u /* cells that are allocated together */
#define ALIGNMENT 64u /* also the room of a block's own pointer */

void kcp_cells_init(struct kcp_cells *c, uint32_t size, uint32_t most)
{
	*c = (struct kcp_cells){
		.size = (size + ALIGNMENT - 1) / ALIGNMENT * ALIGNMENT,
		.most = most,
	};
}

void kcp_cells_clear(struct kcp_cells *c)
{
	while (c->blocks != NULL) {
		void *block = c->blocks;
		memcpy(&c->blocks, block, sizeof(c->blocks));
		free(block);
	}
	*c = (struct kcp_cells){.size = c->size, .most = c->most};
}

static void push(struct kcp_cells *c, uint8_t *cell)
{
	memcpy(cell, &c->first, sizeof(c->first));
	c->first = cell;
}

/* Once for many cells, and only while the traffic needs more than ever before. */
static void grow(struct kcp_cells *c)
{
	uint32_t n = c->most - c->n_made < PER_BLOCK ? c->most - c->n_made : PER_BLOCK;
	uint8_t *block = n != 0 ? aligned_alloc(ALIGNMENT, ALIGNMENT + (size_t)n * c->size) : NULL;
	if (block == NULL)
		return;
	memcpy(block, &c->blocks, sizeof(c->blocks));
	c->blocks = block;
	c->n_made += n;
	for (uint32_t i = n; i-- != 0;)
		push(c, block + ALIGNMENT + (size_t)i * c->size);
}

uint8_t *kcp_cells_take(struct kcp_cells *c)
{
	if (c->first == NULL)
		grow(c);
	uint8_t *cell = c->first;
	if (cell == NULL)
		return NULL;
	memcpy(&c->first, cell, sizeof(c->first));
	c->n_out++;
	return cell;
}

uint8_t *kcp_cells_spare(struct kcp_cells *c)
{
	return c->n_out < c->most / 2 ? kcp_cells_take(c) : NULL;
}

void kcp_cells_give(struct kcp_cells *c, uint8_t *cell)
{
	if (cell == NULL)
		return;
	c->n_out--;
	push(c, cell);
}
