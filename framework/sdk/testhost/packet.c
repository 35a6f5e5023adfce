/* SPDX-License-Identifier: BSD-2-Clause */
/* packet: packets with storage of their own between guards, and a record of who owns each. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "internal.h"

#define GUARD      64u
#define GUARD_BYTE 0xa5u
#define FRESH_BYTE 0xcdu /* new storage: nobody may expect zeros */
#define SLAB_BOXES 256u
#define KEEP_FREE  4096u /* freed boxes stay unused until so many are there */

struct slab {
	struct slab *next;
	struct box boxes[SLAB_BOXES];
};

/* There only when the program runs under AddressSanitizer, however this file was built. */
#if defined(__GNUC__)
extern void __asan_poison_memory_region(const volatile void *at, size_t n) __attribute__((weak));
extern void __asan_unpoison_memory_region(const volatile void *at, size_t n) __attribute__((weak));

static void poison(const uint8_t *at, size_t n)
{
	if (__asan_poison_memory_region != NULL)
		__asan_poison_memory_region(at, n);
}

static void unpoison(const uint8_t *at, size_t n)
{
	if (__asan_unpoison_memory_region != NULL)
		__asan_unpoison_memory_region(at, n);
}
#else
static void poison(const uint8_t *at, size_t n)
{
	(void)at;
	(void)n;
}

static void unpoison(const uint8_t *at, size_t n)
{
	(void)at;
	(void)n;
}
#endif

void store_init(struct store *s)
{
	memset(s, 0, sizeof(*s));
	s->last_free = &s->first_free;
}

static void queue_free(struct store *s, struct box *b)
{
	b->next = NULL;
	*s->last_free = b;
	s->last_free = &b->next;
	s->n_free++;
}

static struct box *take_box(struct store *s)
{
	if (s->n_free <= KEEP_FREE) {
		struct slab *slab = get(sizeof(*slab));
		slab->next = s->slabs;
		s->slabs = slab;
		for (uint32_t i = 0; i < SLAB_BOXES; i++)
			queue_free(s, &slab->boxes[i]);
	}
	struct box *b = s->first_free;
	s->first_free = b->next;
	if (b->next == NULL)
		s->last_free = &s->first_free;
	s->n_free--;
	return b;
}

/* The data of a new packet lies at a multiple of 64, as the host gives it. */
static void make_storage(struct box *b, uint32_t room, uint32_t cap)
{
	size_t front = GUARD + (64u - room % 64u) % 64u;
	b->block_len = (front + cap + GUARD + 63u) / 64u * 64u;
	b->block = aligned_alloc(64, b->block_len);
	if (b->block == NULL)
		abort();
	memset(b->block, GUARD_BYTE, b->block_len);
	memset(b->block + front, FRESH_BYTE, cap);
	b->buf = b->block + front;
	b->cap = cap;
	poison(b->block, front);
	poison(b->buf + cap, b->block_len - front - cap);
}

struct box *box_new(struct store *s, struct part *part, enum owner owner, uint32_t pool,
		    uint32_t room, uint32_t size)
{
	struct box *b = take_box(s);
	memset(b, 0, sizeof(*b));
	make_storage(b, room, room + size);
	b->part = part;
	b->owner = owner;
	b->pool = pool;
	b->pub.buf = b->buf;
	b->pub.cap = b->cap;
	b->pub.off = room;
	b->pub.scratch[0] = STALE_WORD;
	b->pub.scratch[1] = STALE_WORD;
	b->pub.host_private = (uint64_t)(uintptr_t)b;
	if (owner == OWNER_STAGE)
		part->out[pool]++;
	return b;
}

static void check_guards(const struct box *b)
{
	size_t front = (size_t)(b->buf - b->block);
	size_t back = b->block_len - front - b->cap;
	unpoison(b->block, b->block_len);
	for (size_t i = 0; i < front; i++)
		if (b->block[i] != GUARD_BYTE) {
			REPORT("a packet was written to %zu bytes in front of its storage",
			       front - i);
			break;
		}
	for (size_t i = 0; i < back; i++)
		if (b->buf[b->cap + i] != GUARD_BYTE) {
			REPORT("a packet was written to %zu bytes behind its storage", i + 1);
			break;
		}
}

void box_take_back(struct box *b)
{
	if (b->lent == NULL)
		return;
	b->lent->next = b->part->loans;
	b->part->loans = b->lent;
	b->lent = NULL;
}

void box_lend(struct box *b, const struct vpn_endpoint *endpoint)
{
	box_take_back(b);
	b->lent = get(sizeof(*b->lent));
	b->lent->endpoint = *endpoint;
	b->pub.endpoint = &b->lent->endpoint;
}

void loans_end(struct part *part)
{
	while (part->loans != NULL) {
		struct loan *l = part->loans;
		part->loans = l->next;
		free(l);
	}
}

void box_free(struct store *s, struct box *b)
{
	check_guards(b);
	free(b->block);
	box_take_back(b);
	if (b->owner == OWNER_STAGE)
		b->part->out[b->pool]--;
	memset(&b->pub, (int)(STALE_WORD & 0xff), sizeof(b->pub));
	b->block = NULL;
	b->owner = OWNER_NONE;
	queue_free(s, b);
}

void store_clear(struct store *s)
{
	while (s->slabs != NULL) {
		struct slab *slab = s->slabs;
		s->slabs = slab->next;
		for (uint32_t i = 0; i < SLAB_BOXES; i++) {
			struct box *b = &slab->boxes[i];
			if (b->block != NULL)
				unpoison(b->block, b->block_len);
			free(b->block);
			free(b->lent);
		}
		free(slab);
	}
	store_init(s);
}

/* Whether p is one of our boxes at all: nothing of it is read before that is known. */
static struct box *find(const struct store *s, struct vpn_packet *p)
{
	uintptr_t at = (uintptr_t)p;
	for (struct slab *slab = s->slabs; slab != NULL; slab = slab->next) {
		uintptr_t base = (uintptr_t)slab->boxes;
		if (at >= base && at < base + sizeof(slab->boxes) &&
		    (at - base) % sizeof(struct box) == 0)
			return &slab->boxes[(at - base) / sizeof(struct box)];
	}
	return NULL;
}

struct box *box_check(struct store *s, struct vpn_packet *p, const struct part *part,
		      enum owner owner, const char *what)
{
	struct box *b = find(s, p);
	if (b == NULL) {
		REPORT("%s: a pointer that is no packet of this host", what);
		return NULL;
	}
	if (b->owner == OWNER_NONE) {
		REPORT("%s: a packet that was pushed or released before", what);
		return NULL;
	}
	if (b->owner != owner || b->part->stage != part->stage) {
		REPORT("%s: a packet that somebody else owns", what);
		return NULL;
	}
	if (b->part != part) {
		REPORT("%s: a packet of lane %u on lane %u", what, (unsigned)b->part->pub.index,
		       (unsigned)part->pub.index);
		return NULL;
	}
	if (b->pub.buf != b->buf || b->pub.cap != b->cap ||
	    b->pub.host_private != (uint64_t)(uintptr_t)b) {
		REPORT("%s: buf, cap or host_private of a packet was changed", what);
		b->pub.buf = b->buf;
		b->pub.cap = b->cap;
		return NULL;
	}
	if (b->pub.off > b->cap || b->pub.len > b->cap - b->pub.off) {
		REPORT("%s: off %u + len %u go beyond the %u bytes of a packet", what,
		       (unsigned)b->pub.off, (unsigned)b->pub.len, (unsigned)b->cap);
		return NULL;
	}
	return b;
}

uint32_t store_owned(const struct store *s, const struct testhost_stage *stage, enum owner owner)
{
	uint32_t n = 0;
	for (const struct slab *slab = s->slabs; slab != NULL; slab = slab->next)
		for (uint32_t i = 0; i < SLAB_BOXES; i++)
			n += slab->boxes[i].owner == owner && slab->boxes[i].part->stage == stage;
	return n;
}

void store_reclaim(struct store *s, const struct testhost_stage *stage)
{
	for (struct slab *slab = s->slabs; slab != NULL; slab = slab->next)
		for (uint32_t i = 0; i < SLAB_BOXES; i++) {
			struct box *b = &slab->boxes[i];
			if (b->owner != OWNER_NONE && b->part->stage == stage)
				box_free(s, b);
		}
}
