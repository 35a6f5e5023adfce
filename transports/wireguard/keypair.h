/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * keypair: the keys of one session, from the first message of the handshake that will make it (which
 * needs its index) until it is replaced. Lanes use it without the lock.
 */
#ifndef WG_KEYPAIR_H
#define WG_KEYPAIR_H

#include <stdatomic.h>
#include <stdbool.h>

#include "epoch.h"
#include "index.h"
#include "noise.h"
#include "replay.h"

struct wg_peer;

struct wg_keypair {
	struct wg_retired retired;
	struct wg_index_entry entry; /* our index, by which the peer names it */
	struct wg_peer *peer;

	/* Written before `live`, and not after. */
	uint8_t send_key[WG_KEY_LEN];
	uint8_t receive_key[WG_KEY_LEN];
	uint32_t remote_index;
	bool initiator;
	uint64_t created_ns;

	_Atomic bool live;          /* the handshake is complete: the keys are there */
	_Atomic bool refresh_asked; /* receiving has asked for a new session */
	_Alignas(64) _Atomic uint64_t send_counter;
	_Alignas(64) struct wg_replay replay;
};

/* With a new index, not live. NULL without memory. Under the lock. */
struct wg_keypair *wg_keypair_new(struct wg_index *index, struct wg_peer *peer);

/* Fills in the keys and makes it usable. Under the lock. */
void wg_keypair_begin(struct wg_keypair *k, const struct wg_session_keys *keys, uint64_t now_ns);

/* Takes its index back and retires it; wiped when the last lane has left it. Accepts NULL. Under the
 * lock. */
void wg_keypair_retire(struct wg_index *index, struct wg_epoch *epoch, struct wg_keypair *k);

/* Whether it may still be used. [any] */
static inline bool wg_keypair_is_fresh(const struct wg_keypair *k, uint64_t now_ns)
{
	return now_ns < k->created_ns + WG_REJECT_AFTER_TIME;
}

#endif
