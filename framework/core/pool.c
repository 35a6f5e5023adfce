/* SPDX-License-Identifier: BSD-2-Clause */
#include "pool.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

/*
 * host_private of a packet: bits 0-1 its pool, bit 2 set while it is free, the rest the address of
 * the packet whose storage it shares (descriptors are 64-byte aligned). While pieces of a packet
 * are out, nobody owns it, and its scratch[0] counts them.
 */
#define KIND_MASK   UINT64_C(3)
#define FREE_BIT    UINT64_C(4)
#define PARENT_MASK (~UINT64_C(63))

#define ALIGNMENT 64u

static uint32_t round_up(uint32_t n)
{
	return (n + ALIGNMENT - 1) / ALIGNMENT * ALIGNMENT;
}

static void *map(size_t bytes)
{
	void *at = mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	return at == MAP_FAILED ? NULL : at;
}

/* Makes packets that were never used, so that n are free if there are so many: memory that the traffic
 * does not need is not touched. */
static void provide(struct pool_stack *s, uint32_t kind, uint32_t n)
{
	while (s->n_free < n && s->n_made < s->count) {
		struct vpn_packet *p = &s->first[s->n_made];
		memset(p, 0, sizeof(*p));
		p->buf = s->cap != 0 ? s->storage + (size_t)s->n_made * s->cap : NULL;
		p->cap = s->cap;
		p->host_private = kind | FREE_BIT;
		s->n_made++;
		s->free[s->n_free++] = p;
	}
}

vpn_status pool_init(struct pool *p, const struct pool_shape *shape)
{
	size_t total = 0;
	memset(p, 0, sizeof(*p));
	p->headroom = shape->headroom; /* as it is: the graph has chosen it for alignment */
	for (uint32_t k = 0; k < POOL_KINDS; k++) {
		struct pool_stack *s = &p->stacks[k];
		s->count = shape->count[k];
		s->cap = k == POOL_PIECE ? 0 : round_up(p->headroom + shape->data[k]);
		p->storage_bytes += (size_t)s->cap * s->count;
		total += s->count;
	}
	p->descriptors = aligned_alloc(ALIGNMENT, total * sizeof(struct vpn_packet));
	struct vpn_packet **stacks = malloc(total * sizeof(*stacks));
	p->stacks[0].free = stacks;
	p->storage = map(p->storage_bytes);
	if (p->descriptors == NULL || stacks == NULL || p->storage == NULL) {
		pool_clear(p);
		return VPN_ENOMEM;
	}
	struct vpn_packet *first = p->descriptors;
	uint8_t *mem = p->storage;
	for (uint32_t k = 0; k < POOL_KINDS; k++) {
		struct pool_stack *s = &p->stacks[k];
		s->free = stacks;
		s->first = first;
		s->storage = mem;
		stacks += s->count;
		first += s->count;
		mem += (size_t)s->cap * s->count;
	}
	return VPN_OK;
}

void pool_clear(struct pool *p)
{
	if (p->storage != NULL)
		munmap(p->storage, p->storage_bytes);
	free(p->stacks[0].free);
	free(p->descriptors);
	memset(p, 0, sizeof(*p));
}

uint32_t pool_alloc(struct pool *p, uint32_t kind, uint64_t now_ns, struct vpn_packet **out,
		    uint32_t n)
{
	if (kind >= POOL_PIECE)
		return 0;
	struct pool_stack *s = &p->stacks[kind];
	if (n > s->n_free)
		provide(s, kind, n);
	if (n > s->n_free)
		n = s->n_free;
	struct vpn_packet **from = s->free + s->n_free - n;
	s->n_free -= n;
	for (uint32_t i = 0; i < n; i++) {
		struct vpn_packet *k = from[n - 1 - i];
		k->off = p->headroom;
		k->len = 0;
		k->flags = 0;
		k->endpoint_word = 0;
		k->stamp_ns = now_ns;
		k->host_private &= ~FREE_BIT;
		out[i] = k;
	}
	return n;
}

static void die(const char *what)
{
	fprintf(stderr, "vpncore: bug in a plugin: %s\n", what);
	abort();
}

static void put(struct pool *p, struct vpn_packet *k)
{
	struct pool_stack *s = &p->stacks[k->host_private & KIND_MASK];
	if ((k->host_private & FREE_BIT) != 0 || s->n_free == s->n_made)
		die("a packet was released twice");
	k->host_private |= FREE_BIT;
	s->free[s->n_free++] = k;
}

static struct vpn_packet *parent_of(const struct vpn_packet *k)
{
	return (struct vpn_packet *)(uintptr_t)(k->host_private & PARENT_MASK);
}

void pool_release(struct pool *p, struct vpn_packet **pkts, uint32_t n)
{
	for (uint32_t i = 0; i < n; i++) {
		struct vpn_packet *k = pkts[i];
		struct vpn_packet *parent = parent_of(k);
		put(p, k);
		if (parent == NULL)
			continue;
		k->host_private &= KIND_MASK | FREE_BIT;
		if (--parent->scratch[0] == 0)
			put(p, parent);
	}
}

/* Makes piece k of `root` at `data`, like its parent in all else. */
static void make_piece(struct vpn_packet *k, const struct vpn_packet *parent,
		       struct vpn_packet *root, uint8_t *data, uint32_t len)
{
	k->buf = data;
	k->cap = len;
	k->off = 0;
	k->len = len;
	k->flags = parent->flags;
	k->endpoint_word = parent->endpoint_word;
	k->stamp_ns = parent->stamp_ns;
	k->host_private = POOL_PIECE | (uint64_t)(uintptr_t)root;
}

uint32_t pool_split(struct pool *p, struct vpn_packet *parent, uint32_t piece_len,
		    struct vpn_packet **out, uint32_t n)
{
	struct pool_stack *s = &p->stacks[POOL_PIECE];
	if (piece_len == 0 || parent->len == 0)
		return 0;
	uint32_t pieces = (parent->len - 1) / piece_len + 1;
	if (pieces > n)
		return 0;
	if (pieces > s->n_free)
		provide(s, POOL_PIECE, pieces);
	if (pieces > s->n_free)
		return 0;
	struct vpn_packet *root = parent_of(parent);
	uint64_t others = 0; /* pieces of the root that are out, besides the parent */
	if (root == NULL)
		root = parent;
	else
		others = root->scratch[0] - 1;
	uint8_t *data = vpn_packet_data(parent);
	uint32_t left = parent->len;
	struct vpn_packet **from = s->free + s->n_free;
	s->n_free -= pieces;
	for (uint32_t i = 0; i < pieces; i++) {
		uint32_t len = left < piece_len ? left : piece_len;
		out[i] = *--from;
		make_piece(out[i], parent, root, data, len);
		data += len;
		left -= len;
	}
	if (root != parent) {
		parent->host_private &= KIND_MASK;
		put(p, parent);
	}
	root->scratch[0] = others + pieces;
	return pieces;
}

/* The whole pages within; what they held is gone. */
static void give_back(void *at, size_t bytes)
{
	uintptr_t page = (uintptr_t)sysconf(_SC_PAGESIZE);
	uintptr_t begin = ((uintptr_t)at + page - 1) / page * page;
	uintptr_t end = ((uintptr_t)at + bytes) / page * page;
	if (begin < end)
		(void)madvise((void *)begin, end - begin, MADV_DONTNEED); /* or they stay */
}

/* The data of those packets that are free: runs of them, since a page holds parts of several. */
static void give_back_free(const struct pool_stack *s)
{
	uint32_t begin = 0;
	for (uint32_t i = 0; i <= s->n_made; i++) {
		if (i < s->n_made && (s->first[i].host_private & FREE_BIT) != 0)
			continue;
		give_back(s->storage + (size_t)s->cap * begin, (size_t)s->cap * (i - begin));
		begin = i + 1;
	}
}

void pool_rest(struct pool *p)
{
	for (uint32_t k = 0; k < POOL_KINDS; k++) {
		struct pool_stack *s = &p->stacks[k];
		if (s->n_free != s->n_made) {
			/* somebody holds some ready for what comes next */
			give_back_free(s);
			continue;
		}
		/* the packets did not only forget their data: they were never made */
		give_back(s->storage, (size_t)s->cap * s->n_made);
		give_back(s->first, sizeof(*s->first) * s->n_made);
		give_back(s->free, sizeof(struct vpn_packet *) * s->n_made);
		s->n_free = s->n_made = 0;
	}
}

uint32_t pool_outstanding(const struct pool *p)
{
	uint32_t n = 0;
	for (uint32_t k = 0; k < POOL_KINDS; k++)
		n += p->stacks[k].n_made - p->stacks[k].n_free;
	return n;
}
