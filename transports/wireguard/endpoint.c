/* SPDX-License-Identifier: BSD-2-Clause */
#include "endpoint.h"

#include <string.h>

/* A whole copy, whichever writer made it. */
static void read_words(const struct wg_endpoint *e, struct vpn_endpoint *out)
{
	uint64_t words[WG_ENDPOINT_WORDS];
	uint32_t before, after;
	do {
		before = atomic_load_explicit(&e->sequence, memory_order_acquire);
		for (uint32_t i = 0; i < WG_ENDPOINT_WORDS; i++)
			words[i] = atomic_load_explicit(&e->words[i], memory_order_acquire);
		after = atomic_load_explicit(&e->sequence, memory_order_relaxed);
	} while ((before & 1) != 0 || before != after);
	memcpy(out, words, sizeof(*out));
}

/* False: another one is writing. */
static bool begin_write(struct wg_endpoint *e)
{
	uint32_t s = atomic_load_explicit(&e->sequence, memory_order_relaxed);
	return (s & 1) == 0 &&
	       atomic_compare_exchange_strong_explicit(&e->sequence, &s, s + 1,
						       memory_order_acquire, memory_order_relaxed);
}

static void end_write(struct wg_endpoint *e, const struct vpn_endpoint *value)
{
	uint64_t words[WG_ENDPOINT_WORDS];
	memcpy(words, value, sizeof(words));
	/* release: a reader that sees one of the words sees the odd sequence as well */
	for (uint32_t i = 0; i < WG_ENDPOINT_WORDS; i++)
		atomic_store_explicit(&e->words[i], words[i], memory_order_release);
	atomic_fetch_add_explicit(&e->sequence, 1, memory_order_release);
}

bool wg_endpoint_get(const struct wg_endpoint *e, struct vpn_endpoint *out)
{
	read_words(e, out);
	return out->family != VPN_AF_NONE;
}

void wg_endpoint_set(struct wg_endpoint *e, const struct vpn_endpoint *value)
{
	while (!begin_write(e))
		;
	end_write(e, value);
}

static bool is_same_peer(const struct vpn_endpoint *a, const struct vpn_endpoint *b)
{
	return a->family == b->family && a->port == b->port && a->scope == b->scope &&
	       a->id == b->id && memcmp(a->addr, b->addr, sizeof(a->addr)) == 0;
}

static bool is_same_way(const struct vpn_endpoint *a, const struct vpn_endpoint *b)
{
	return a->ifindex == b->ifindex && a->local_port == b->local_port &&
	       memcmp(a->local, b->local, sizeof(a->local)) == 0;
}

bool wg_endpoint_learn(struct wg_endpoint *e, const struct vpn_endpoint *value, bool *ret_roamed)
{
	struct vpn_endpoint now;
	read_words(e, &now);
	*ret_roamed = !is_same_peer(&now, value);
	if (!*ret_roamed && is_same_way(&now, value))
		return false;
	/* two lanes that hear from the peer at once: either may be the one that is believed */
	if (!begin_write(e))
		return false;
	end_write(e, value);
	return true;
}

void wg_endpoint_clear_local(struct wg_endpoint *e)
{
	struct vpn_endpoint value;
	uint64_t words[WG_ENDPOINT_WORDS];
	/* read when nobody else can write: what another lane learns meanwhile must not be undone */
	if (!begin_write(e))
		return;
	for (uint32_t i = 0; i < WG_ENDPOINT_WORDS; i++)
		words[i] = atomic_load_explicit(&e->words[i], memory_order_relaxed);
	memcpy(&value, words, sizeof(value));
	memset(value.local, 0, sizeof(value.local));
	value.ifindex = 0;
	end_write(e, &value);
}
