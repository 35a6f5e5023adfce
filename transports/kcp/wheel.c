/* SPDX-License-Identifier: BSD-2-Clause */
#include "wheel.h"

#include <string.h>

#define MASK (KCP_WHEEL_SLOTS - 1)

void kcp_wheel_init(struct kcp_wheel *w, struct kcp_wheel_link *links, uint32_t n_links,
		    uint32_t tick_us, uint64_t now_us)
{
	memset(w, 0, sizeof(*w));
	w->links = links;
	w->tick_us = tick_us;
	w->tick = now_us / tick_us;
	memset(w->slots, 0xff, sizeof(w->slots));
	for (uint32_t i = 0; i < n_links; i++)
		links[i] = (struct kcp_wheel_link){.slot = KCP_WHEEL_NONE};
}

/* The tick at whose end everything of it is due: never early. */
static uint64_t tick_of(const struct kcp_wheel *w, uint64_t due_us)
{
	return due_us / w->tick_us + 1;
}

static void insert(struct kcp_wheel *w, uint32_t i, uint64_t tick)
{
	struct kcp_wheel_link *k = &w->links[i];
	if (tick <= w->tick)
		tick = w->tick + 1;
	if (tick > w->tick + MASK)
		tick = w->tick + MASK;
	uint32_t slot = (uint32_t)(tick & MASK);
	uint32_t first = w->slots[slot];
	k->slot = slot;
	k->before = KCP_WHEEL_NONE;
	k->after = first;
	if (first != KCP_WHEEL_NONE)
		w->links[first].before = i;
	w->slots[slot] = i;
	w->full[slot / 64] |= UINT64_C(1) << (slot % 64);
}

static void take_out(struct kcp_wheel *w, uint32_t i)
{
	struct kcp_wheel_link *k = &w->links[i];
	if (k->before != KCP_WHEEL_NONE)
		w->links[k->before].after = k->after;
	else
		w->slots[k->slot] = k->after;
	if (k->after != KCP_WHEEL_NONE)
		w->links[k->after].before = k->before;
	if (w->slots[k->slot] == KCP_WHEEL_NONE)
		w->full[k->slot / 64] &= ~(UINT64_C(1) << (k->slot % 64));
	k->slot = KCP_WHEEL_NONE;
}

void kcp_wheel_plan(struct kcp_wheel *w, uint32_t i, uint64_t due_us)
{
	if (kcp_wheel_has(w, i))
		take_out(w, i);
	else
		w->count++;
	w->links[i].due_us = due_us;
	insert(w, i, tick_of(w, due_us));
}

void kcp_wheel_cancel(struct kcp_wheel *w, uint32_t i)
{
	if (!kcp_wheel_has(w, i))
		return;
	take_out(w, i);
	w->count--;
}

/* Ticks from the one after w->tick to the next slot that holds something, KCP_WHEEL_SLOTS = none. */
static uint32_t distance(const struct kcp_wheel *w)
{
	uint32_t from = (uint32_t)((w->tick + 1) & MASK);
	for (uint32_t step = 0; step < KCP_WHEEL_SLOTS;) {
		uint32_t slot = (from + step) & MASK;
		uint64_t word = w->full[slot / 64] >> (slot % 64);
		if (word != 0)
			return step + (uint32_t)__builtin_ctzll(word);
		step += 64 - slot % 64;
	}
	return KCP_WHEEL_SLOTS;
}

/* The next slot that holds something becomes the current one, if its time has come. */
static bool advance(struct kcp_wheel *w, uint64_t now_tick)
{
	uint32_t steps = w->count != 0 ? distance(w) : KCP_WHEEL_SLOTS;
	if (steps >= KCP_WHEEL_SLOTS || w->tick + 1 + steps > now_tick) {
		if (now_tick > w->tick)
			w->tick = now_tick;
		return false;
	}
	w->tick += steps;
	return true;
}

uint32_t kcp_wheel_pop(struct kcp_wheel *w, uint64_t now_us)
{
	uint64_t now_tick = now_us / w->tick_us;
	while (advance(w, now_tick)) {
		/* the slot stands one tick ahead of w->tick: what is planned meanwhile goes there */
		uint32_t i = w->slots[(w->tick + 1) & MASK];
		uint64_t tick = tick_of(w, w->links[i].due_us);
		take_out(w, i);
		if (tick <= now_tick) {
			w->count--;
			return i;
		}
		w->tick++;
		insert(w, i, tick);
		w->tick--;
	}
	return KCP_WHEEL_NONE;
}

uint64_t kcp_wheel_next(const struct kcp_wheel *w)
{
	if (w->count == 0)
		return UINT64_MAX;
	return (w->tick + 1 + distance(w)) * w->tick_us;
}
