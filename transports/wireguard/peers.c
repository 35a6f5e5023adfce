/* SPDX-License-Identifier: BSD-2-Clause */
#include "peers.h"

#include <sodium.h>
#include <stdlib.h>
#include <string.h>

#include "peer.h"

#define FIRST_BUCKETS 64u

static uint32_t place(const struct wg_peers *t, uint32_t n_buckets, const uint8_t *key)
{
	uint8_t hash[crypto_shorthash_BYTES];
	uint64_t h;
	crypto_shorthash(hash, key, WG_KEY_LEN, t->seed);
	memcpy(&h, hash, sizeof(h));
	return (uint32_t)h & (n_buckets - 1);
}

bool wg_peers_init(struct wg_peers *t, const uint8_t seed[16])
{
	_Static_assert(crypto_shorthash_KEYBYTES == 16, "seed");
	memset(t, 0, sizeof(*t));
	memcpy(t->seed, seed, sizeof(t->seed));
	t->buckets = calloc(FIRST_BUCKETS, sizeof(*t->buckets));
	t->n_buckets = FIRST_BUCKETS;
	return t->buckets != NULL;
}

void wg_peers_clear(struct wg_peers *t)
{
	free(t->buckets);
	memset(t, 0, sizeof(*t));
}

struct wg_peer *wg_peers_find(const struct wg_peers *t, const uint8_t public_key[WG_KEY_LEN])
{
	struct wg_peer *p = t->buckets[place(t, t->n_buckets, public_key)];
	while (p != NULL && memcmp(p->public_key, public_key, WG_KEY_LEN) != 0)
		p = p->hash_next;
	return p;
}

static void link_bucket(struct wg_peers *t, struct wg_peer *p)
{
	struct wg_peer **bucket = &t->buckets[place(t, t->n_buckets, p->public_key)];
	p->hash_next = *bucket;
	*bucket = p;
}

/* Without memory the table stays as it is: longer chains, but right. */
static void grow(struct wg_peers *t)
{
	struct wg_peer **buckets = calloc((size_t)t->n_buckets * 4, sizeof(struct wg_peer *));
	if (buckets == NULL)
		return;
	free(t->buckets);
	t->buckets = buckets;
	t->n_buckets *= 4;
	for (struct wg_peer *p = t->first; p != NULL; p = p->following)
		link_bucket(t, p);
}

void wg_peers_add(struct wg_peers *t, struct wg_peer *p)
{
	if (t->count >= t->n_buckets)
		grow(t);
	link_bucket(t, p);
	p->prev = t->last;
	p->following = NULL;
	if (t->last != NULL)
		t->last->following = p;
	else
		t->first = p;
	t->last = p;
	t->count++;
}

void wg_peers_remove(struct wg_peers *t, struct wg_peer *p)
{
	struct wg_peer **at = &t->buckets[place(t, t->n_buckets, p->public_key)];
	while (*at != p)
		at = &(*at)->hash_next;
	*at = p->hash_next;
	if (p->prev != NULL)
		p->prev->following = p->following;
	else
		t->first = p->following;
	if (p->following != NULL)
		p->following->prev = p->prev;
	else
		t->last = p->prev;
	p->prev = p->following = p->hash_next = NULL;
	t->count--;
}
