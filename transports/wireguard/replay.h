/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * replay: which counters of a session have been seen. RFC 6479's ring of blocks, made for several
 * lanes: no lock; each word of the ring holds 32 bits and, above them, the number of the block that
 * they belong to, so that one compare-and-swap both moves a word on and sets a bit. Of several lanes
 * that bring the same counter exactly one is told that it is new.
 */
#ifndef WG_REPLAY_H
#define WG_REPLAY_H

#include <stdatomic.h>
#include <stdbool.h>

#include "constants.h"

#define WG_REPLAY_WORDS 256u

struct wg_replay {
	_Atomic uint64_t greatest;
	_Atomic uint64_t words[WG_REPLAY_WORDS]; /* turn of the ring << 32 | bits */
};

/* Not while others use it. */
void wg_replay_init(struct wg_replay *r);

/* To be asked once the tag has verified. True: the counter is new, and from now on it is not. False:
 * it was seen, is more than WG_REPLAY_WINDOW behind the greatest, or is at WG_REJECT_AFTER_MESSAGES
 * or above. [any] */
bool wg_replay_accept(struct wg_replay *r, uint64_t counter);

#endif
