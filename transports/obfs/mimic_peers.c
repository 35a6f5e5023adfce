/* SPDX-License-Identifier: BSD-2-Clause */
#include "mimic_peers.h"

#include <sodium.h>
#include <stdlib.h>
#include <string.h>

#define NONE    MIMIC_PEERS_MOST
#define BUCKETS 4096u

struct mimic_peers {
	uint8_t seed[crypto_shorthash_siphash24_KEYBYTES];
	uint32_t n;              /* of peers[], used at least once */
	uint32_t free;           /* list by `chain` of those that were removed */
	uint32_t newest, oldest; /* list by newer and older */
	uint32_t buckets[BUCKETS];
	struct mimic_peer peers[MIMIC_PEERS_MOST];
};

_Static_assert(crypto_shorthash_siphash24_KEYBYTES == 16, "the seed");

struct mimic_peers *mimic_peers_new(const uint8_t seed[16])
{
	struct mimic_peers *t = calloc(1, sizeof(*t));
	if (t == NULL)
		return NULL;
	memcpy(t->seed, seed, sizeof(t->seed));
	t->free = t->newest = t->oldest = NONE;
	for (uint32_t i = 0; i < BUCKETS; i++)
		t->buckets[i] = NONE;
	return t;
}

struct mimic_peers *mimic_peers_free(struct mimic_peers *t)
{
	free(t);
	return NULL;
}

bool mimic_endpoint_same(const struct vpn_endpoint *a, const struct vpn_endpoint *b)
{
	if (a == b)
		return true;
	if (a == NULL || b == NULL)
		return (a == NULL ? b : a)->family == VPN_AF_NONE;
	return a->family == b->family && a->port == b->port && a->scope == b->scope &&
	       a->id == b->id && memcmp(a->addr, b->addr, sizeof(a->addr)) == 0;
}

static uint32_t bucket_of(const struct mimic_peers *t, const struct vpn_endpoint *e)
{
	uint8_t key[32] = {0};
	uint64_t hash;
	if (e != NULL) {
		key[0] = e->family;
		memcpy(key + 2, &e->port, 2);
		memcpy(key + 4, &e->scope, 4);
		memcpy(key + 8, &e->id, 8);
		memcpy(key + 16, e->addr, 16);
	}
	(void)crypto_shorthash_siphash24((uint8_t *)&hash, key, sizeof(key), t->seed);
	return (uint32_t)hash % BUCKETS;
}

static const struct vpn_endpoint *endpoint_of(const struct mimic_peer *p)
{
	return p->endpoint.family != VPN_AF_NONE ? &p->endpoint : NULL;
}

/* ---- by age ---- */

static void take_out(struct mimic_peers *t, struct mimic_peer *p)
{
	if (p->newer != NONE)
		t->peers[p->newer].older = p->older;
	else
		t->newest = p->older;
	if (p->older != NONE)
		t->peers[p->older].newer = p->newer;
	else
		t->oldest = p->newer;
}

static void put_first(struct mimic_peers *t, struct mimic_peer *p)
{
	uint32_t index = (uint32_t)(p - t->peers);
	p->newer = NONE;
	p->older = t->newest;
	if (t->newest != NONE)
		t->peers[t->newest].newer = index;
	else
		t->oldest = index;
	t->newest = index;
}

/* ---- by endpoint ---- */

struct mimic_peer *mimic_peers_find(struct mimic_peers *t, const struct vpn_endpoint *endpoint)
{
	uint32_t i = t->buckets[bucket_of(t, endpoint)];
	while (i != NONE && !mimic_endpoint_same(endpoint, endpoint_of(&t->peers[i])))
		i = t->peers[i].chain;
	if (i == NONE)
		return NULL;
	if (t->newest != i) {
		take_out(t, &t->peers[i]);
		put_first(t, &t->peers[i]);
	}
	return &t->peers[i];
}

struct mimic_peer *mimic_peers_greeted(struct mimic_peers *t,
				       const uint8_t session[MIMIC_DTLS_SESSION])
{
	uint32_t i = t->newest;
	for (uint32_t n = 0; i != NONE && n < MIMIC_PEERS_LOOK; n++, i = t->peers[i].older) {
		struct mimic_peer *p = &t->peers[i];
		if (p->state == MIMIC_GREETING &&
		    memcmp(p->hello + MIMIC_DTLS_RANDOM, session, MIMIC_DTLS_SESSION) == 0)
			return p;
	}
	return NULL;
}

void mimic_peers_remove(struct mimic_peers *t, struct mimic_peer *p)
{
	uint32_t index = (uint32_t)(p - t->peers);
	uint32_t *link = &t->buckets[bucket_of(t, endpoint_of(p))];
	while (*link != index)
		link = &t->peers[*link].chain;
	*link = p->chain;
	take_out(t, p);
	memset(p, 0, sizeof(*p));
	p->chain = t->free;
	t->free = index;
}

static uint32_t room(struct mimic_peers *t)
{
	if (t->free == NONE && t->n < MIMIC_PEERS_MOST)
		return t->n++;
	if (t->free == NONE)
		mimic_peers_remove(t, &t->peers[t->oldest]);
	uint32_t index = t->free;
	t->free = t->peers[index].chain;
	return index;
}

struct mimic_peer *mimic_peers_get(struct mimic_peers *t, const struct vpn_endpoint *endpoint)
{
	struct mimic_peer *p = mimic_peers_find(t, endpoint);
	if (p != NULL)
		return p;
	uint32_t index = room(t);
	p = &t->peers[index];
	memset(p, 0, sizeof(*p));
	if (endpoint != NULL)
		p->endpoint = *endpoint;
	uint32_t *bucket = &t->buckets[bucket_of(t, endpoint)];
	p->chain = *bucket;
	*bucket = index;
	put_first(t, p);
	return p;
}

bool mimic_peer_number(struct mimic_peer *p, uint64_t *ret_number)
{
	if (p->number > MIMIC_DTLS_LAST)
		return false;
	*ret_number = p->number++;
	return true;
}
