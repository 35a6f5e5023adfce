/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * ratelimit: a token bucket for each address that has asked lately. Tokens are counted in
 * nanoseconds: a bucket gains one for each that passes, and a handshake costs COST of them. An entry
 * that was not asked for EXPIRY is full again, so that nothing is lost when another takes its place.
 */
#include "ratelimit.h"

#include <sodium.h>
#include <stdlib.h>
#include <string.h>

#include "constants.h"

#define COST    (WG_SECOND / WG_RATELIMIT_PER_SECOND)
#define FULL    (COST * WG_RATELIMIT_BURST)
#define EXPIRY  WG_SECOND
#define SETS    1024u
#define WAYS    8u
#define ADDRESS 8u
_Static_assert(FULL <= EXPIRY, "a bucket fills before its entry expires");
_Static_assert(crypto_shorthash_KEYBYTES == 16, "seed");

/* What counts as one sender: an IPv4 address, or the first half of an IPv6 address. */
struct sender {
	uint8_t family;
	uint8_t addr[ADDRESS];
};
_Static_assert(sizeof(struct sender) == 1 + ADDRESS, "bytes only: it is hashed and compared whole");

struct entry {
	struct sender sender; /* family 0 = free */
	uint64_t last_ns;
	uint64_t tokens_ns;
};

struct wg_ratelimit {
	uint8_t seed[crypto_shorthash_KEYBYTES];
	struct entry entries[SETS][WAYS];
};

struct wg_ratelimit *wg_ratelimit_new(const uint8_t seed[16])
{
	struct wg_ratelimit *r = calloc(1, sizeof(*r));
	if (r != NULL)
		memcpy(r->seed, seed, sizeof(r->seed));
	return r;
}

struct wg_ratelimit *wg_ratelimit_free(struct wg_ratelimit *r)
{
	if (r != NULL)
		sodium_memzero(r->seed, sizeof(r->seed));
	free(r);
	return NULL;
}

static struct entry *set_of(struct wg_ratelimit *r, const struct sender *s)
{
	uint8_t hash[crypto_shorthash_BYTES];
	(void)crypto_shorthash(hash, (const unsigned char *)s, sizeof(*s), r->seed);
	return r->entries[((uint32_t)hash[0] | (uint32_t)hash[1] << 8) % SETS];
}

/* The sender's entry, or one to put it in, or NULL when all of its set are live. */
static struct entry *find(struct wg_ratelimit *r, const struct sender *s, uint64_t now_ns)
{
	struct entry *set = set_of(r, s);
	struct entry *room = NULL;
	for (uint32_t i = 0; i < WAYS; i++) {
		struct entry *e = &set[i];
		if (memcmp(&e->sender, s, sizeof(*s)) == 0)
			return e;
		if (room == NULL &&
		    (e->sender.family == VPN_AF_NONE || now_ns >= e->last_ns + EXPIRY))
			room = e;
	}
	if (room != NULL) {
		room->sender = *s;
		room->last_ns = now_ns;
		room->tokens_ns = FULL;
	}
	return room;
}

static bool spend(struct entry *e, uint64_t now_ns)
{
	/* lanes read the clock at different times: it may seem to go back a little */
	if (now_ns > e->last_ns) {
		uint64_t passed = now_ns - e->last_ns;
		e->tokens_ns = passed >= FULL - e->tokens_ns ? FULL : e->tokens_ns + passed;
		e->last_ns = now_ns;
	}
	if (e->tokens_ns < COST)
		return false;
	e->tokens_ns -= COST;
	return true;
}

bool wg_ratelimit_allow(struct wg_ratelimit *r, const struct vpn_endpoint *from, uint64_t now_ns)
{
	if (from == NULL || (from->family != VPN_AF_INET && from->family != VPN_AF_INET6))
		return true;
	struct sender s = {.family = from->family};
	memcpy(s.addr, from->addr, from->family == VPN_AF_INET ? 4 : ADDRESS);
	struct entry *e = find(r, &s, now_ns);
	return e != NULL && spend(e, now_ns);
}
