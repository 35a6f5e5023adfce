/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * pool: hands out the host addresses of a prefix. The free ones form a list in an array of links,
 * so that taking any of them, and giving one back at the end, are O(1).
 */
#include <stdlib.h>
#include <string.h>
#include <vpncore/tcpip.h>

#define IN_USE UINT32_MAX

struct link {
	uint32_t next, prev; /* next is IN_USE for an address that is taken */
};

struct tcpip_pool {
	uint8_t first[16]; /* the address with index 0 */
	uint8_t family;
	uint32_t size, available;
	struct link links[]; /* [size] is the list's anchor */
};

static size_t addr_len(const struct tcpip_pool *pool)
{
	return pool->family == 4 ? 4 : 16;
}

/*
 * Adds n to an address. Host bits begin as zero and n fits them, so nothing is carried out of them.
 */
static void add(const struct tcpip_pool *pool, uint8_t *addr, uint32_t n)
{
	if (pool->family == 4)
		tcpip_store_be32(addr, tcpip_load_be32(addr) + n);
	else
		tcpip_store_be64(addr + 8, tcpip_load_be64(addr + 8) + n);
}

/* How many addresses there are, and how many of the first ones to leave out. */
static uint32_t count_hosts(const struct tcpip_prefix *prefix, uint32_t *ret_skip)
{
	uint32_t bits = (prefix->family == 4 ? 32u : 128u) - prefix->len;
	uint64_t n = bits > 32 ? UINT64_C(1) << 33 : UINT64_C(1) << bits;

	*ret_skip = bits >= 2 ? 1 : 0;
	n -= *ret_skip;
	if (prefix->family == 4 && bits >= 2)
		n--;
	return n > TCPIP_POOL_MAX ? TCPIP_POOL_MAX : (uint32_t)n;
}

static void append(struct tcpip_pool *pool, uint32_t i)
{
	struct link *links = pool->links;
	uint32_t anchor = pool->size, last = links[anchor].prev;

	links[i].next = anchor;
	links[i].prev = last;
	links[last].next = i;
	links[anchor].prev = i;
	pool->available++;
}

static void unlink_free(struct tcpip_pool *pool, uint32_t i)
{
	struct link *links = pool->links;

	links[links[i].prev].next = links[i].next;
	links[links[i].next].prev = links[i].prev;
	links[i].next = IN_USE;
	pool->available--;
}

int tcpip_pool_create(const struct tcpip_prefix *prefix, struct tcpip_pool **ret)
{
	struct tcpip_prefix network = *prefix;
	struct tcpip_pool *pool;
	uint32_t size, skip;

	if (!(prefix->family == 4 && prefix->len <= 32) &&
	    !(prefix->family == 6 && prefix->len <= 128))
		return TCPIP_ERANGE;
	size = count_hosts(prefix, &skip);
	pool = malloc(sizeof(*pool) + ((size_t)size + 1) * sizeof(pool->links[0]));
	if (!pool)
		return TCPIP_ENOMEM;
	tcpip_prefix_mask(&network);
	memcpy(pool->first, network.addr, sizeof(pool->first));
	pool->family = prefix->family;
	pool->size = size;
	pool->available = 0;
	add(pool, pool->first, skip);
	pool->links[size].next = pool->links[size].prev = size;
	for (uint32_t i = 0; i < size; i++)
		append(pool, i);
	*ret = pool;
	return TCPIP_OK;
}

struct tcpip_pool *tcpip_pool_free(struct tcpip_pool *pool)
{
	free(pool);
	return NULL;
}

/* The index of an address, or TCPIP_ERANGE. */
static int64_t index_of(const struct tcpip_pool *pool, const uint8_t *addr)
{
	uint64_t a, first;

	if (pool->family == 4) {
		a = tcpip_load_be32(addr);
		first = tcpip_load_be32(pool->first);
	} else {
		if (memcmp(addr, pool->first, 8) != 0)
			return TCPIP_ERANGE;
		a = tcpip_load_be64(addr + 8);
		first = tcpip_load_be64(pool->first + 8);
	}
	if (a < first || a - first >= pool->size)
		return TCPIP_ERANGE;
	return (int64_t)(a - first);
}

int tcpip_pool_next(struct tcpip_pool *pool, uint8_t *addr)
{
	uint32_t i = pool->links[pool->size].next;

	if (i == pool->size)
		return TCPIP_EFULL;
	unlink_free(pool, i);
	memcpy(addr, pool->first, addr_len(pool));
	add(pool, addr, i);
	return TCPIP_OK;
}

int tcpip_pool_reserve(struct tcpip_pool *pool, const uint8_t *addr)
{
	int64_t i = index_of(pool, addr);

	if (i < 0)
		return TCPIP_ERANGE;
	if (pool->links[i].next == IN_USE)
		return TCPIP_ESTATE;
	unlink_free(pool, (uint32_t)i);
	return TCPIP_OK;
}

int tcpip_pool_release(struct tcpip_pool *pool, const uint8_t *addr)
{
	int64_t i = index_of(pool, addr);

	if (i < 0)
		return TCPIP_ERANGE;
	if (pool->links[i].next != IN_USE)
		return TCPIP_ESTATE;
	append(pool, (uint32_t)i);
	return TCPIP_OK;
}

uint32_t tcpip_pool_size(const struct tcpip_pool *pool)
{
	return pool->size;
}

uint32_t tcpip_pool_available(const struct tcpip_pool *pool)
{
	return pool->available;
}
