/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * index: the random 32-bit numbers by which the other side names a handshake or a session of ours
 * (whitepaper section 5.4.2, sender and receiver). Lanes look up without a lock; an entry lies in
 * what it names, which is retired after it was removed here.
 */
#ifndef WG_INDEX_H
#define WG_INDEX_H

#include <stdbool.h>
#include <vpncore/plugin.h>

#include "epoch.h"

enum wg_index_kind { WG_INDEX_HANDSHAKE = 1, WG_INDEX_SESSION = 2 };

/* May be inserted again as soon as it was removed: a lane that has found it by its old number may then
 * see the new one. */
struct wg_index_entry {
	_Atomic uint32_t index; /* written before it is inserted, and not after */
	_Atomic uint32_t kind;  /* enum wg_index_kind */
	bool inserted;          /* under the lock */
};

struct wg_index_table; /* of pointers to entries; replaced as a whole when it grows */

struct wg_index {
	_Atomic(struct wg_index_table *) table;
	struct wg_epoch *epoch;
	const struct vpn_host *host; /* for random numbers */
	uint32_t count, tombs;       /* under the lock */
};

/* False without memory. */
bool wg_index_init(struct wg_index *x, struct wg_epoch *epoch, const struct vpn_host *host);

/* No lane runs any more. The entries belong to the caller. */
void wg_index_clear(struct wg_index *x);

/* Gives the entry a random number that no other one has, not 0. False without memory. Under the
 * lock. [any] */
bool wg_index_insert(struct wg_index *x, struct wg_index_entry *entry, uint32_t kind);

/* Gives the number of one that is inserted to another entry, that is not: a session goes on under the
 * number of its handshake. A lane finds the one or the other at every moment. Under the lock. [any] */
void wg_index_replace(struct wg_index *x, struct wg_index_entry *old, struct wg_index_entry *entry,
		      uint32_t kind);

/* Accepts an entry that is not inserted. Under the lock. [any] */
void wg_index_remove(struct wg_index *x, struct wg_index_entry *entry);

/* [lane], inside of an epoch; or under the lock. */
struct wg_index_entry *wg_index_lookup(const struct wg_index *x, uint32_t index);

/* Begin to fetch what a look-up reads: first the place in the table, and when that is here the entry.
 * They change nothing and may be left out. [lane], inside of an epoch */
void wg_index_prefetch_place(const struct wg_index *x, uint32_t index);
void wg_index_prefetch_entry(const struct wg_index *x, uint32_t index);

#endif
