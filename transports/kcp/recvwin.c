/* SPDX-License-Identifier: BSD-2-Clause */
#include "recvwin.h"

#include <stdlib.h>
#include <string.h>

bool kcp_recvwin_init(struct kcp_recvwin *w, uint32_t wnd, struct kcp_cells *cells)
{
	uint32_t size = 1;
	while (size < wnd)
		size *= 2;
	*w = (struct kcp_recvwin){.cells = cells, .mask = size - 1, .wnd = wnd};
	w->ring = calloc(size, sizeof(*w->ring));
	return w->ring != NULL;
}

void kcp_recvwin_clear(struct kcp_recvwin *w)
{
	for (uint32_t i = 0; w->ring != NULL && i <= w->mask && w->stored != 0; i++) {
		w->stored -= w->ring[i].cell != NULL;
		kcp_cells_give(w->cells, w->ring[i].cell);
	}
	free(w->ring);
	memset(w, 0, sizeof(*w));
}

enum kcp_recvwin_place kcp_recvwin_place(const struct kcp_recvwin *w, uint32_t sn)
{
	/* unsigned: what is before head is far behind it */
	uint32_t ahead = sn - w->head;
	if ((int32_t)(sn - w->nxt) < 0)
		return KCP_PLACE_OLD;
	if (ahead >= w->wnd)
		return KCP_PLACE_OUTSIDE;
	return w->ring[sn & w->mask].cell != NULL ? KCP_PLACE_OLD : KCP_PLACE_NEW;
}

static void move_on(struct kcp_recvwin *w)
{
	while (w->nxt - w->head < w->wnd && w->ring[w->nxt & w->mask].cell != NULL)
		w->nxt++;
}

bool kcp_recvwin_store(struct kcp_recvwin *w, uint32_t sn, uint8_t frg, const uint8_t *data,
		       uint32_t len)
{
	uint8_t *cell = kcp_cells_spare(w->cells);
	if (cell == NULL)
		return false;
	memcpy(cell, data, len);
	w->ring[sn & w->mask] = (struct kcp_received){.cell = cell, .len = len, .frg = frg};
	w->stored++;
	move_on(w);
	return true;
}

void kcp_recvwin_pass(struct kcp_recvwin *w)
{
	w->head++;
	w->nxt++;
	move_on(w);
}

void kcp_recvwin_pop(struct kcp_recvwin *w)
{
	struct kcp_received *r = &w->ring[w->head & w->mask];
	kcp_cells_give(w->cells, r->cell);
	r->cell = NULL;
	w->stored--;
	w->head++;
	move_on(w);
}

uint16_t kcp_recvwin_free(const struct kcp_recvwin *w)
{
	uint32_t waiting = w->nxt - w->head;
	uint32_t left = waiting < w->wnd ? w->wnd - waiting : 0;
	return (uint16_t)(left < UINT16_MAX ? left : UINT16_MAX);
}
