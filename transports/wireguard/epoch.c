/* SPDX-License-Identifier: BSD-2-Clause */
/* epoch: when may what a lane could still be reading be freed? */
#include "epoch.h"

#include <stddef.h>
#include <stdlib.h>
#include <string.h>

bool wg_epoch_init(struct wg_epoch *e, uint32_t n_slots)
{
	size_t size = sizeof(struct wg_epoch_slot) * (n_slots > 0 ? n_slots : 1u);
	memset(e, 0, sizeof(*e));
	e->last = &e->first;
	atomic_init(&e->now, 1);
	e->slots = aligned_alloc(_Alignof(struct wg_epoch_slot), size);
	if (e->slots == NULL)
		return false;
	memset(e->slots, 0, size);
	e->n_slots = n_slots;
	return true;
}

/* Takes the oldest out of the list first: its release() may retire more. */
static void release_oldest(struct wg_epoch *e)
{
	struct wg_retired *r = e->first;
	e->first = r->next;
	if (e->first == NULL)
		e->last = &e->first;
	r->release(r);
}

void wg_epoch_clear(struct wg_epoch *e)
{
	while (e->first != NULL)
		release_oldest(e);
	free(e->slots);
	e->slots = NULL;
	e->n_slots = 0;
}

/*
 * The load after the store is what makes it safe, its value is of no use. If reclaim() does not see
 * the slot written, then its load comes before our store in the one order of all seq_cst operations,
 * and so does the step of `now` that followed the removal: the load reads that step, and whatever
 * was removed before it is not found any more. A fence would do the same, but ThreadSanitizer does
 * not know fences.
 */
void wg_epoch_enter(struct wg_epoch *e, uint32_t slot)
{
	struct wg_epoch_slot *s = &e->slots[slot];
	if (s->depth++ > 0)
		return;
	atomic_store(&s->inside, atomic_load(&e->now));
	(void)atomic_load(&e->now);
}

void wg_epoch_leave(struct wg_epoch *e, uint32_t slot)
{
	struct wg_epoch_slot *s = &e->slots[slot];
	if (--s->depth == 0)
		atomic_store_explicit(&s->inside, 0, memory_order_release);
}

void wg_epoch_retire(struct wg_epoch *e, struct wg_retired *r, void (*release)(struct wg_retired *))
{
	r->next = NULL;
	r->release = release;
	r->epoch = atomic_fetch_add(&e->now, 1);
	*e->last = r;
	e->last = &r->next;
}

/* What was retired in an epoch before this one can be freed. Never later than now: what release()
 * retires meanwhile has lanes that were not looked at. */
static uint64_t find_limit(struct wg_epoch *e)
{
	uint64_t limit = atomic_load(&e->now);
	for (uint32_t i = 0; i < e->n_slots; i++) {
		uint64_t inside = atomic_load(&e->slots[i].inside);
		if (inside != 0 && inside < limit)
			limit = inside;
	}
	return limit;
}

bool wg_epoch_reclaim(struct wg_epoch *e)
{
	if (e->first == NULL)
		return false;
	uint64_t limit = find_limit(e);
	while (e->first != NULL && e->first->epoch < limit)
		release_oldest(e);
	return e->first != NULL;
}
