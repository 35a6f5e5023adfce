/* SPDX-License-Identifier: BSD-2-Clause */
/* group: forward error correction of our own wire. */
#include "group.h"

#include <pthread.h>
#include <string.h>

#include "rs.h"

static pthread_once_t once = PTHREAD_ONCE_INIT;
static struct kcp_rs code;
static uint8_t tables[KCP_RS_TABLES_LEN(KCP_GROUP_DATA, KCP_GROUP_ROWS)];

static void prepare(void)
{
	kcp_rs_init(&code, KCP_GROUP_DATA);
	kcp_rs_tables(&code, KCP_GROUP_ROWS, tables);
}

void kcp_group_prepare(void)
{
	(void)pthread_once(&once, prepare);
}

/* ---- sender ---- */

void kcp_group_tx_init(struct kcp_group_tx *g, struct kcp_cells *cells)
{
	*g = (struct kcp_group_tx){.cells = cells};
}

static void give_from(struct kcp_group_tx *g, uint32_t row)
{
	for (uint32_t i = row; i < g->rows; i++) {
		kcp_cells_give(g->cells, g->parity[i]);
		g->parity[i] = NULL;
	}
}

bool kcp_group_open(struct kcp_group_tx *g, uint64_t base, uint32_t rows, uint64_t now_us)
{
	g->base = base;
	g->opened_us = now_us;
	g->n = 0;
	g->len = 0;
	g->rows = rows < KCP_GROUP_ROWS ? rows : KCP_GROUP_ROWS;
	for (uint32_t i = 0; i < g->rows; i++) {
		g->parity[i] = kcp_cells_take(g->cells);
		if (g->parity[i] == NULL) {
			g->rows = i; /* what stands behind is of a group before, and not ours */
			give_from(g, 0);
			g->rows = 0;
			return false;
		}
	}
	return true;
}

void kcp_group_add(struct kcp_group_tx *g, const uint8_t *shard, uint32_t len)
{
	/* a cell is only as clean as the longest shard so far needs it */
	if (len > g->len) {
		for (uint32_t i = 0; i < g->rows; i++)
			memset(g->parity[i] + g->len, 0, len - g->len);
		g->len = len;
	}
	kcp_rs_add(tables, KCP_GROUP_ROWS, g->rows, g->n, shard, len, g->parity);
	g->n++;
}

void kcp_group_close(struct kcp_group_tx *g, uint32_t keep)
{
	give_from(g, keep);
	g->n = 0;
	g->rows = 0;
}

/* ---- receiver ---- */

void kcp_group_pending_init(struct kcp_group_pending *p, struct kcp_cells *cells)
{
	*p = (struct kcp_group_pending){.cells = cells};
}

void kcp_group_drop(struct kcp_group_pending *p, uint8_t index)
{
	struct kcp_group_rx *g = &p->groups[index];
	for (uint32_t i = 0; i < g->n_rows; i++)
		kcp_cells_give(p->cells, g->parity[i]);
	if (g->n != 0)
		p->n_used--;
	*g = (struct kcp_group_rx){0};
}

void kcp_group_pending_clear(struct kcp_group_pending *p)
{
	for (uint32_t i = 0; i < KCP_GROUP_PENDING; i++)
		kcp_group_drop(p, (uint8_t)i);
}

static uint8_t find(const struct kcp_group_pending *p, uint64_t base)
{
	for (uint32_t i = 0; i < KCP_GROUP_PENDING && p->n_used != 0; i++)
		if (p->groups[i].n != 0 && p->groups[i].base == base)
			return (uint8_t)i;
	return KCP_GROUP_NONE;
}

/* A free place; if there is none, that of the group that came first. */
static uint8_t make(struct kcp_group_pending *p, uint8_t *ret_evicted)
{
	for (uint32_t i = 0; i < KCP_GROUP_PENDING && p->n_used < KCP_GROUP_PENDING; i++) {
		if (p->groups[p->next].n == 0)
			break;
		p->next = (p->next + 1) % KCP_GROUP_PENDING;
	}
	uint8_t index = (uint8_t)p->next;
	p->next = (p->next + 1) % KCP_GROUP_PENDING;
	if (p->groups[index].n != 0) {
		kcp_group_drop(p, index);
		*ret_evicted = index;
	}
	return index;
}

static bool has_row(const struct kcp_group_rx *g, uint32_t row)
{
	for (uint32_t i = 0; i < g->n_rows; i++)
		if (g->row[i] == row)
			return true;
	return false;
}

uint8_t kcp_group_keep(struct kcp_group_pending *p, uint64_t base, uint32_t n, uint32_t row,
		       const uint8_t *parity, uint32_t len, uint8_t *ret_evicted)
{
	*ret_evicted = KCP_GROUP_NONE;
	uint8_t index = find(p, base);
	struct kcp_group_rx *g = index != KCP_GROUP_NONE ? &p->groups[index] : NULL;
	if (len > p->cells->size || n == 0 || n > KCP_GROUP_DATA || row >= KCP_GROUP_ROWS)
		return KCP_GROUP_NONE;
	if (g != NULL && (g->n != n || g->len != len || has_row(g, row)))
		return KCP_GROUP_NONE;
	uint8_t *cell = kcp_cells_spare(p->cells);
	if (cell == NULL)
		return KCP_GROUP_NONE;
	if (g == NULL) {
		index = make(p, ret_evicted);
		g = &p->groups[index];
		*g = (struct kcp_group_rx){.base = base, .n = n, .len = len};
		p->n_used++;
	}
	memcpy(cell, parity, len);
	g->row[g->n_rows] = (uint8_t)row;
	g->parity[g->n_rows++] = cell;
	return index;
}

static bool take_cells(const struct kcp_group_pending *p, uint8_t **out, uint32_t n)
{
	for (uint32_t i = 0; i < n; i++) {
		out[i] = kcp_cells_spare(p->cells);
		if (out[i] != NULL)
			continue;
		while (i-- != 0)
			kcp_cells_give(p->cells, out[i]);
		return false;
	}
	return true;
}

uint32_t kcp_group_recover(const struct kcp_group_pending *p, uint8_t index,
			   const struct kcp_group_shard *shards, uint8_t **out)
{
	const struct kcp_group_rx *g = &p->groups[index];
	struct kcp_rs_shard known[KCP_GROUP_DATA + KCP_GROUP_ROWS];
	uint32_t lost[KCP_GROUP_ROWS];
	uint8_t *cells[KCP_GROUP_ROWS];
	uint32_t n_known = 0;
	uint32_t n_lost = 0;
	for (uint32_t i = 0; i < g->n; i++) {
		if (shards[i].data == NULL && n_lost == g->n_rows)
			return 0;
		if (shards[i].data == NULL)
			lost[n_lost++] = i;
		else
			known[n_known++] = (struct kcp_rs_shard){shards[i].data, shards[i].len, i};
	}
	for (uint32_t i = 0; i < n_lost; i++)
		known[n_known++] = (struct kcp_rs_shard){g->parity[i], g->len,
							 KCP_GROUP_DATA + g->row[i]};
	if (n_lost == 0 || !take_cells(p, cells, n_lost))
		return 0;
	if (!kcp_rs_recover(&code, known, n_known, lost, n_lost, cells, g->len)) {
		for (uint32_t i = 0; i < n_lost; i++)
			kcp_cells_give(p->cells, cells[i]);
		return 0;
	}
	for (uint32_t i = 0; i < n_lost; i++)
		out[lost[i]] = cells[i];
	return n_lost;
}
