/* SPDX-License-Identifier: BSD-2-Clause */
/* peers: all peers of an instance, by public key and in the order in which they were made. Under the
 * lock. [any] */
#ifndef WG_PEERS_H
#define WG_PEERS_H

#include <stdbool.h>
#include <stdint.h>

#include "constants.h"

struct wg_peer;

struct wg_peers {
	struct wg_peer **buckets;
	uint32_t n_buckets; /* a power of two */
	uint32_t count;
	uint8_t seed[16]; /* of the hash: keys may be chosen by others */
	struct wg_peer *first, *last;
};

/* `seed` is 16 random bytes. False without memory. */
bool wg_peers_init(struct wg_peers *t, const uint8_t seed[16]);

/* Frees the table; the peers are the caller's. */
void wg_peers_clear(struct wg_peers *t);

struct wg_peer *wg_peers_find(const struct wg_peers *t, const uint8_t public_key[WG_KEY_LEN]);
void wg_peers_add(struct wg_peers *t, struct wg_peer *p);
void wg_peers_remove(struct wg_peers *t, struct wg_peer *p);

#endif
