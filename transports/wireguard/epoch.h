/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * epoch: when may what a lane could still be reading be freed? Lanes read peers, sessions and tables
 * without a lock. Who takes something out of them, under the instance's lock, retires it; it is freed
 * once no lane is left that was inside of a callback at that time.
 *
 * Quiescent-state-based reclamation: a lane writes the current epoch into its slot when a callback
 * begins and 0 when it ends.
 */
#ifndef WG_EPOCH_H
#define WG_EPOCH_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

struct wg_epoch_slot {
	_Alignas(64) _Atomic uint64_t inside; /* 0 = outside */
	uint32_t depth;                       /* callbacks of this lane may nest */
};

/* What can be retired begins with this (or holds it, see `release`). */
struct wg_retired {
	struct wg_retired *next;
	uint64_t epoch;
	void (*release)(struct wg_retired *r); /* wipes and frees */
};

struct wg_epoch {
	_Atomic uint64_t now; /* begins with 1 */
	struct wg_epoch_slot *slots;
	uint32_t n_slots;
	struct wg_retired *first, **last; /* oldest first; under the instance's lock */
};

/* False without memory. */
bool wg_epoch_init(struct wg_epoch *e, uint32_t n_slots);

/* Frees everything that is retired: no lane runs any more. */
void wg_epoch_clear(struct wg_epoch *e);

/* Around every callback of a lane. May nest. [lane] */
void wg_epoch_enter(struct wg_epoch *e, uint32_t slot);
void wg_epoch_leave(struct wg_epoch *e, uint32_t slot);

/* The object has been taken out of everything that lanes start from. Under the lock. [any] */
void wg_epoch_retire(struct wg_epoch *e, struct wg_retired *r,
		     void (*release)(struct wg_retired *));

/* Frees what can be freed. True when something is left, so that it must be called again. Under the
 * lock; objects of its own that the caller still uses must not be retired. [any] */
bool wg_epoch_reclaim(struct wg_epoch *e);

#endif
