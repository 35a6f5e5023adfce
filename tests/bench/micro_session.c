/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * micro_session: what finding a packet's session costs in the wireguard transport: the longest prefix
 * of an address, the session of an index, and whether a counter is new.
 */
#include <sodium.h>
#include <stdlib.h>
#include <string.h>

#include "allowedips.h"
#include "index.h"
#include "replay.h"
#include "stages.h"

#define BATCH   64u
#define DRAWN   4096u /* keys that are asked for by turns, a power of two */
#define LARGEST 10000u

struct fixture {
	struct wg_epoch epoch;
	struct wg_allowedips allowed;
	struct wg_allowed_list list;
	struct wg_index index;
	struct vpn_host host;
	struct wg_index_entry entries[LARGEST];
	uint32_t n;            /* prefixes or sessions */
	uint32_t drawn[DRAWN]; /* which of them are asked for */
	uint8_t addr[DRAWN][16];
	uint32_t next;
	const void *last; /* what the last question of a batch was answered */
	struct wg_replay replay;
	uint64_t counter;   /* of the next batch */
	uint8_t order[256]; /* of a batch's counters */
	uint64_t asked, accepted;
	uint8_t owners[LARGEST]; /* their addresses stand for peers */
};

/* ---- keys ---- */

static void draw_random(const struct vpn_host *host, void *buf, size_t len)
{
	(void)host;
	randombytes_buf(buf, len);
}

/* Prefix i, for a host of 10.0.0.0/8 or fd00::/8; odd numbers spread them over the whole. */
static void make_prefix(struct vpn_prefix *p, uint8_t family, uint32_t i)
{
	uint32_t host = i * 1669 % (1u << 24);
	*p = (struct vpn_prefix){.family = family, .length = family == VPN_AF_INET ? 32 : 128};
	p->addr[0] = family == VPN_AF_INET ? 10 : 0xfd;
	uint8_t *at = family == VPN_AF_INET ? p->addr + 1 : p->addr + 5;
	at[0] = (uint8_t)(host >> 16);
	at[1] = (uint8_t)(host >> 8);
	at[2] = (uint8_t)host;
}

static struct wg_peer *owner(struct fixture *f, uint32_t i)
{
	return (struct wg_peer *)(void *)&f->owners[i];
}

/* Runs: one key for all; else any one each time. */
static void draw(struct fixture *f, uint8_t family, bool runs)
{
	uint32_t one = randombytes_uniform(f->n);
	for (uint32_t i = 0; i < DRAWN; i++) {
		struct vpn_prefix p;
		f->drawn[i] = runs ? one : randombytes_uniform(f->n);
		make_prefix(&p, family, f->drawn[i]);
		memcpy(f->addr[i], p.addr, sizeof(f->addr[i]));
	}
	f->next = 0;
}

static void chill(void *ctx)
{
	(void)ctx;
	measure_evict();
}

/* ---- lookup ---- */

/* The next BATCH of the drawn addresses. */
static void ask(const struct fixture *f, struct wg_allowed_query q[BATCH])
{
	uint8_t family = f->addr[0][0] == 10 ? VPN_AF_INET : VPN_AF_INET6;
	for (uint32_t i = 0; i < BATCH; i++)
		q[i] = (struct wg_allowed_query){.addr = f->addr[f->next + i], .family = family};
	wg_allowedips_lookup(&f->allowed, q, BATCH);
}

static uint32_t lookup(void *ctx)
{
	struct fixture *f = ctx;
	struct wg_allowed_query q[BATCH];
	ask(f, q);
	f->last = q[BATCH - 1].peer;
	f->next = (f->next + BATCH) % DRAWN;
	return BATCH;
}

/* The last answer and all others are the owners. */
static bool check_lookup(void *ctx)
{
	struct fixture *f = ctx;
	struct wg_allowed_query q[BATCH];
	if (f->last != owner(f, f->drawn[(f->next + DRAWN - 1) % DRAWN]))
		return false;
	for (f->next = 0; f->next < DRAWN; f->next += BATCH) {
		ask(f, q);
		for (uint32_t i = 0; i < BATCH; i++)
			if (q[i].peer != owner(f, f->drawn[f->next + i]))
				return false;
	}
	f->next = 0;
	return true;
}

static void measure_lookup(struct measure *m, struct fixture *f, uint8_t family, bool runs,
			   bool cold)
{
	char variant[56];
	snprintf(variant, sizeof(variant), "IPv%u, %u prefixes, %s%s", family, f->n,
		 runs ? "one address" : "random", cold ? ", cold" : "");
	draw(f, family, runs);
	measure_run(m, &(struct measure_case){.stage = "lookup",
					      .variant = variant,
					      .work = lookup,
					      .prepare = cold ? chill : NULL,
					      .check = check_lookup,
					      .ctx = f});
}

static void measure_lookups(struct measure *m, struct fixture *f, uint8_t family)
{
	wg_allowedips_init(&f->allowed, &f->epoch);
	memset(&f->list, 0, sizeof(f->list));
	for (uint32_t i = 0; i < f->n; i++) {
		struct vpn_prefix p;
		make_prefix(&p, family, i);
		if (!wg_allowedips_insert(&f->allowed, &p, owner(f, i), &f->list))
			abort();
	}
	measure_lookup(m, f, family, true, false);
	if (f->n > 1) {
		measure_lookup(m, f, family, false, false);
		measure_lookup(m, f, family, false, true);
	}
	wg_allowedips_clear(&f->allowed);
}

/* ---- index ---- */

static uint32_t find(void *ctx)
{
	struct fixture *f = ctx;
	for (uint32_t i = 0; i < BATCH; i++)
		f->last = wg_index_lookup(&f->index, f->entries[f->drawn[f->next + i]].index);
	f->next = (f->next + BATCH) % DRAWN;
	return BATCH;
}

static bool check_find(void *ctx)
{
	struct fixture *f = ctx;
	for (uint32_t i = 0; i < f->n; i++)
		if (wg_index_lookup(&f->index, f->entries[i].index) != &f->entries[i])
			return false;
	return f->last == &f->entries[f->drawn[(f->next + DRAWN - 1) % DRAWN]];
}

static void measure_index(struct measure *m, struct fixture *f)
{
	char variant[56];
	memset(f->entries, 0, sizeof(f->entries));
	if (!wg_index_init(&f->index, &f->epoch, &f->host))
		abort();
	for (uint32_t i = 0; i < f->n; i++)
		if (!wg_index_insert(&f->index, &f->entries[i], WG_INDEX_SESSION))
			abort();
	draw(f, VPN_AF_INET, false);
	struct measure_case c = {
		.stage = "index", .variant = variant, .work = find, .check = check_find, .ctx = f};
	snprintf(variant, sizeof(variant), "%u sessions, random", f->n);
	measure_run(m, &c);
	snprintf(variant, sizeof(variant), "%u sessions, random, cold", f->n);
	c.prepare = chill;
	measure_run(m, &c);
	wg_index_clear(&f->index);
}

/* ---- replay ---- */

static uint32_t accept(void *ctx)
{
	struct fixture *f = ctx;
	for (uint32_t i = 0; i < BATCH; i++)
		f->accepted += wg_replay_accept(&f->replay, f->counter + f->order[i]);
	f->counter += BATCH;
	f->asked += BATCH;
	return BATCH;
}

/* Each counter once, and none a second time. */
static bool check_accept(void *ctx)
{
	struct fixture *f = ctx;
	if (f->asked == 0 || f->accepted != f->asked)
		return false;
	for (uint64_t c = f->counter - BATCH; c < f->counter; c++)
		if (wg_replay_accept(&f->replay, c))
			return false;
	return wg_replay_accept(&f->replay, f->counter);
}

static void measure_replay(struct measure *m, struct fixture *f, const char *variant)
{
	wg_replay_init(&f->replay);
	f->counter = f->asked = f->accepted = 0;
	measure_run(m, &(struct measure_case){.stage = "replay",
					      .variant = variant,
					      .work = accept,
					      .check = check_accept,
					      .ctx = f});
}

static void shuffle(uint8_t *order, uint32_t n)
{
	for (uint32_t i = n; i > 1; i--) {
		uint32_t k = randombytes_uniform(i);
		uint8_t other = order[k];
		order[k] = order[i - 1];
		order[i - 1] = other;
	}
}

/* ---- */

void stages_session(struct measure *m)
{
	static const uint32_t sizes[] = {1, 100, LARGEST};
	struct fixture *f = calloc(1, sizeof(*f));
	if (f == NULL || !wg_epoch_init(&f->epoch, 1))
		abort();
	f->host = (struct vpn_host){.size = sizeof(f->host), .random = draw_random};
	for (uint32_t s = 0; s < 3; s++) {
		f->n = sizes[s];
		measure_lookups(m, f, VPN_AF_INET);
		measure_lookups(m, f, VPN_AF_INET6);
		measure_index(m, f);
	}
	for (uint32_t i = 0; i < BATCH; i++)
		f->order[i] = (uint8_t)i;
	measure_replay(m, f, "in order");
	shuffle(f->order, BATCH);
	measure_replay(m, f, "shuffled within 64");
	wg_epoch_clear(&f->epoch);
	free(f);
}
