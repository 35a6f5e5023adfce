/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * index: the numbers of handshakes and sessions. Open addressing with linear steps; the numbers are
 * random, so that their low bits are the hash. At most half of the places are taken or were.
 */
#include "index.h"

#include <stddef.h>
#include <stdlib.h>

#define SMALLEST 16u

struct wg_index_table {
	struct wg_retired retired;
	uint32_t mask; /* places - 1, a power of two */
	_Atomic(struct wg_index_entry *) places[];
};

/* Stands where one was removed, so that the search for those behind it goes on. No number is 0. */
static struct wg_index_entry tomb;

static struct wg_index_entry *load(const struct wg_index_table *t, uint32_t at)
{
	return atomic_load_explicit(&t->places[at & t->mask], memory_order_acquire);
}

static void store(struct wg_index_table *t, uint32_t at, struct wg_index_entry *entry)
{
	atomic_store_explicit(&t->places[at & t->mask], entry, memory_order_release);
}

static struct wg_index_table *current(const struct wg_index *x)
{
	return atomic_load_explicit(&x->table, memory_order_acquire);
}

static struct wg_index_table *create(uint32_t places)
{
	struct wg_index_table *t = malloc(sizeof(*t) + places * sizeof(t->places[0]));
	if (t == NULL)
		return NULL;
	t->mask = places - 1;
	for (uint32_t i = 0; i < places; i++)
		atomic_init(&t->places[i], NULL);
	return t;
}

static void release(struct wg_retired *r)
{
	free((char *)r - offsetof(struct wg_index_table, retired));
}

bool wg_index_init(struct wg_index *x, struct wg_epoch *epoch, const struct vpn_host *host)
{
	struct wg_index_table *t = create(SMALLEST);
	atomic_init(&x->table, t);
	x->epoch = epoch;
	x->host = host;
	x->count = x->tombs = 0;
	return t != NULL;
}

void wg_index_clear(struct wg_index *x)
{
	free(current(x));
	atomic_store_explicit(&x->table, NULL, memory_order_relaxed);
	x->count = x->tombs = 0;
}

/* The place where the search for `index` ends: free or a tomb. True when it was a tomb. */
static bool find_room(const struct wg_index_table *t, uint32_t index, uint32_t *place)
{
	uint32_t at = index & t->mask;
	struct wg_index_entry *e;
	while ((e = load(t, at)) != NULL && e != &tomb)
		at = (at + 1) & t->mask;
	*place = at;
	return e == &tomb;
}

/* Puts all entries into a new table, which leaves the tombs behind. */
static bool rebuild(struct wg_index *x)
{
	struct wg_index_table *old = current(x), *t;
	uint32_t places = SMALLEST;
	while (places / 4 < x->count + 1)
		places *= 2;
	t = create(places);
	if (t == NULL)
		return false;
	for (uint32_t i = 0; i <= old->mask; i++) {
		struct wg_index_entry *e = load(old, i);
		uint32_t place;
		if (e == NULL || e == &tomb)
			continue;
		find_room(t, e->index, &place);
		store(t, place, e);
	}
	atomic_store_explicit(&x->table, t, memory_order_release);
	x->tombs = 0;
	wg_epoch_retire(x->epoch, &old->retired, release);
	return true;
}

static uint32_t choose(const struct wg_index *x)
{
	uint32_t index;
	do
		x->host->random(x->host, &index, sizeof(index));
	while (index == 0 || wg_index_lookup(x, index) != NULL);
	return index;
}

bool wg_index_insert(struct wg_index *x, struct wg_index_entry *entry, uint32_t kind)
{
	uint32_t place;
	if (x->count + x->tombs >= current(x)->mask / 2 && !rebuild(x))
		return false;
	entry->index = choose(x);
	entry->kind = kind;
	entry->inserted = true;
	if (find_room(current(x), entry->index, &place))
		x->tombs--;
	store(current(x), place, entry);
	x->count++;
	return true;
}

static uint32_t find_place(const struct wg_index_table *t, const struct wg_index_entry *entry)
{
	uint32_t at = entry->index & t->mask;
	while (load(t, at) != entry)
		at = (at + 1) & t->mask;
	return at;
}

void wg_index_replace(struct wg_index *x, struct wg_index_entry *old, struct wg_index_entry *entry,
		      uint32_t kind)
{
	entry->index = old->index;
	entry->kind = kind;
	entry->inserted = true;
	store(current(x), find_place(current(x), old), entry);
	old->inserted = false;
}

void wg_index_remove(struct wg_index *x, struct wg_index_entry *entry)
{
	struct wg_index_table *t = current(x);
	uint32_t at;
	if (!entry->inserted)
		return;
	at = find_place(t, entry);
	/* nothing is behind it when the next place is free */
	if (load(t, at + 1) == NULL) {
		store(t, at, NULL);
	} else {
		store(t, at, &tomb);
		x->tombs++;
	}
	entry->inserted = false;
	x->count--;
}

struct wg_index_entry *wg_index_lookup(const struct wg_index *x, uint32_t index)
{
	const struct wg_index_table *t = current(x);
	struct wg_index_entry *e;
	if (index == 0)
		return NULL; /* a tomb has it */
	for (uint32_t at = index; (e = load(t, at)) != NULL; at++)
		if (atomic_load_explicit(&e->index, memory_order_relaxed) == index)
			return e;
	return NULL;
}

void wg_index_prefetch_place(const struct wg_index *x, uint32_t index)
{
	const struct wg_index_table *t = current(x);
	__builtin_prefetch(&t->places[index & t->mask]);
}

void wg_index_prefetch_entry(const struct wg_index *x, uint32_t index)
{
	__builtin_prefetch(load(current(x), index));
}
