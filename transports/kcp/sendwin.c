/* SPDX-License-Identifier: BSD-2-Clause */
#include "sendwin.h"

#include <stdlib.h>
#include <string.h>

#define TICK_US 1000u /* of timeouts: the wire's clock has no finer one */

bool kcp_sendwin_init(struct kcp_sendwin *w, uint32_t wnd, struct kcp_cells *cells, uint64_t now_us)
{
	uint32_t size = 1;
	while (size < wnd)
		size *= 2;
	*w = (struct kcp_sendwin){
		.cells = cells,
		.mask = size - 1,
		.wnd = wnd,
		.flying = {KCP_NO_SEGMENT, KCP_NO_SEGMENT},
		.lost = {KCP_NO_SEGMENT, KCP_NO_SEGMENT},
	};
	w->ring = calloc(size, sizeof(*w->ring));
	w->links = calloc(size, sizeof(*w->links));
	if (w->ring == NULL || w->links == NULL) {
		kcp_sendwin_clear(w);
		return false;
	}
	kcp_wheel_init(&w->wheel, w->links, size, TICK_US, now_us);
	return true;
}

void kcp_sendwin_clear(struct kcp_sendwin *w)
{
	for (uint32_t sn = w->una; w->ring != NULL && sn != w->nxt; sn++)
		kcp_cells_give(w->cells, kcp_sendwin_at(w, sn)->cell);
	free(w->ring);
	free(w->links);
	memset(w, 0, sizeof(*w));
}

static uint32_t place_of(const struct kcp_sendwin *w, const struct kcp_sent *s)
{
	return (uint32_t)(s - w->ring);
}

uint32_t kcp_sendwin_number(const struct kcp_sendwin *w, const struct kcp_sent *s)
{
	return w->una + ((place_of(w, s) - w->una) & w->mask);
}

/* ---- lists ---- */

static void append(struct kcp_sendwin *w, struct kcp_list *list, struct kcp_sent *s)
{
	uint32_t place = place_of(w, s);
	s->before = list->last;
	s->after = KCP_NO_SEGMENT;
	if (list->last != KCP_NO_SEGMENT)
		w->ring[list->last].after = place;
	else
		list->first = place;
	list->last = place;
}

static void take_out(struct kcp_sendwin *w, struct kcp_list *list, struct kcp_sent *s)
{
	if (s->before != KCP_NO_SEGMENT)
		w->ring[s->before].after = s->after;
	else
		list->first = s->after;
	if (s->after != KCP_NO_SEGMENT)
		w->ring[s->after].before = s->before;
	else
		list->last = s->before;
}

static void leave(struct kcp_sendwin *w, struct kcp_sent *s)
{
	if (s->fate == KCP_FATE_FLYING) {
		take_out(w, &w->flying, s);
		kcp_wheel_cancel(&w->wheel, place_of(w, s));
	} else if (s->fate == KCP_FATE_LOST) {
		take_out(w, &w->lost, s);
	}
	s->fate = KCP_FATE_GONE;
}

/* ---- segments ---- */

struct kcp_sent *kcp_sendwin_add(struct kcp_sendwin *w, uint8_t *cell, uint32_t len, uint8_t frg)
{
	struct kcp_sent *s = kcp_sendwin_at(w, w->nxt++);
	*s = (struct kcp_sent){.cell = cell, .len = (uint16_t)len, .frg = frg};
	return s;
}

static void fly(struct kcp_sendwin *w, struct kcp_sent *s, uint64_t now_us, uint64_t due_us)
{
	leave(w, s);
	s->fate = KCP_FATE_FLYING;
	s->order = ++w->order;
	s->sent_us = now_us;
	append(w, &w->flying, s);
	kcp_wheel_plan(&w->wheel, place_of(w, s), due_us);
}

void kcp_sendwin_transmitted(struct kcp_sendwin *w, struct kcp_sent *s, uint64_t now_us,
			     uint64_t due_us)
{
	fly(w, s, now_us, due_us);
	if (s->xmit < KCP_XMIT_MOST)
		s->xmit++;
}

void kcp_sendwin_copied(struct kcp_sendwin *w, struct kcp_sent *s, uint64_t now_us, uint64_t due_us)
{
	fly(w, s, now_us, due_us);
	s->copied = true;
}

void kcp_sendwin_lose(struct kcp_sendwin *w, struct kcp_sent *s)
{
	leave(w, s);
	s->fate = KCP_FATE_LOST;
	append(w, &w->lost, s);
}

void kcp_sendwin_retire(struct kcp_sendwin *w, struct kcp_sent *s)
{
	leave(w, s);
	kcp_cells_give(w->cells, s->cell);
	s->cell = NULL;
}

bool kcp_sendwin_advance(struct kcp_sendwin *w)
{
	uint32_t before = w->una;
	while (w->una != w->nxt && kcp_sendwin_at(w, w->una)->cell == NULL)
		w->una++;
	return w->una != before;
}

struct kcp_sent *kcp_sendwin_expired(struct kcp_sendwin *w, uint64_t now_us)
{
	uint32_t place = kcp_wheel_pop(&w->wheel, now_us);
	return place != KCP_WHEEL_NONE ? &w->ring[place] : NULL;
}

void kcp_sendwin_postpone(struct kcp_sendwin *w, const struct kcp_sent *s, uint64_t due_us)
{
	kcp_wheel_plan(&w->wheel, place_of(w, s), due_us);
}
