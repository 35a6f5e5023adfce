/* SPDX-License-Identifier: BSD-2-Clause */
#include "store.h"

#include <string.h>
#include <sys/mman.h>

static void *reserve(size_t size)
{
	void *found = mmap(NULL, size, PROT_READ | PROT_WRITE,
			   MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	return found == MAP_FAILED ? NULL : found;
}

bool store_init(struct store *s, uint32_t n_blocks)
{
	memset(s, 0, sizeof(*s));
	s->n_blocks = n_blocks;
	s->free = STORE_NONE;
	s->bytes = reserve((size_t)n_blocks * STORE_BLOCK);
	s->next = reserve((size_t)n_blocks * sizeof(*s->next));
	if (s->bytes != NULL && s->next != NULL)
		return true;
	store_done(s);
	return false;
}

void store_done(struct store *s)
{
	if (s->bytes != NULL)
		munmap(s->bytes, (size_t)s->n_blocks * STORE_BLOCK);
	if (s->next != NULL)
		munmap(s->next, (size_t)s->n_blocks * sizeof(*s->next));
	s->bytes = NULL;
	s->next = NULL;
}

static uint32_t blocks_of(uint32_t len)
{
	return len == 0 ? 1 : (len + STORE_BLOCK - 1) / STORE_BLOCK;
}

/* The block used last comes first: it is in the cache. */
static uint32_t take(struct store *s)
{
	uint32_t block = s->free;
	s->n_used++;
	if (block == STORE_NONE)
		return s->n_virgin++;
	s->free = s->next[block];
	return block;
}

uint32_t store_put(struct store *s, const void *bytes, uint32_t len)
{
	uint32_t first = STORE_NONE, *link = &first;
	const uint8_t *from = bytes;
	if (blocks_of(len) > s->n_blocks - s->n_used)
		return STORE_NONE;
	do {
		uint32_t part = len < STORE_BLOCK ? len : STORE_BLOCK;
		uint32_t block = take(s);
		if (part > 0)
			memcpy(s->bytes + (size_t)block * STORE_BLOCK, from, part);
		*link = block;
		link = &s->next[block];
		from += part;
		len -= part;
	} while (len > 0);
	*link = STORE_NONE;
	return first;
}

uint32_t store_gather(const struct store *s, uint32_t first, uint32_t len, struct iovec *iov)
{
	uint32_t n = 0;
	for (uint32_t block = first; block != STORE_NONE; block = s->next[block]) {
		uint32_t part = len < STORE_BLOCK ? len : STORE_BLOCK;
		iov[n].iov_base = s->bytes + (size_t)block * STORE_BLOCK;
		iov[n++].iov_len = part;
		len -= part;
	}
	return n;
}

void store_drop(struct store *s, uint32_t first)
{
	while (first != STORE_NONE) {
		uint32_t next = s->next[first];
		s->next[first] = s->free;
		s->free = first;
		s->n_used--;
		first = next;
	}
}
