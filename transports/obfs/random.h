/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * random: bytes for salts, padding and junk without a system call for each packet. A fast-key-erasure
 * generator: ChaCha20 under a key that each refill replaces, mixed with fresh bytes of the host now and
 * then, so that neither what has gone out nor a look at the memory tells the future for long or the past
 * at all. One owner, one lane.
 */
#ifndef OBFS_RANDOM_H
#define OBFS_RANDOM_H

#include <stdint.h>
#include <string.h>
#include <vpncore/plugin.h>

#define OBFS_RANDOM_KEY    32u
#define OBFS_RANDOM_BYTES  2048u /* of one refill, its first bytes are the next key */
#define OBFS_RANDOM_RESEED 4096u /* refills: 8 MiB */

struct obfs_random {
	const struct vpn_host *host;
	uint32_t used; /* of stream */
	uint32_t refills;
	uint8_t key[OBFS_RANDOM_KEY];
	uint8_t stream[OBFS_RANDOM_BYTES];
};

/* Takes a key from the host. [main] or the owner's lane */
void obfs_random_init(struct obfs_random *r, const struct vpn_host *host);

/* Makes a new stream and begins a new key. */
void obfs_random_refill(struct obfs_random *r);

/* Any length. */
void obfs_random_fill(struct obfs_random *r, void *out, uint32_t len);

/* Eight bytes, for what is drawn for each packet. */
static inline uint64_t obfs_random_u64(struct obfs_random *r)
{
	uint64_t value;
	if (OBFS_RANDOM_BYTES - r->used < sizeof(value))
		obfs_random_refill(r);
	memcpy(&value, r->stream + r->used, sizeof(value));
	memset(r->stream + r->used, 0, sizeof(value));
	r->used += (uint32_t)sizeof(value);
	return value;
}

/* 0 .. bound-1, each as likely as the others within 2^-32; bound >= 1. */
static inline uint32_t obfs_random_below(struct obfs_random *r, uint32_t bound)
{
	/* the high word of a product: no division, and no modulo bias that could be seen */
	uint64_t high = obfs_random_u64(r) >> 32;
	return (uint32_t)(high * bound >> 32);
}

/* first .. last, both included; first <= last. */
static inline uint32_t obfs_random_between(struct obfs_random *r, uint32_t first, uint32_t last)
{
	return first +
	       (uint32_t)(((obfs_random_u64(r) >> 32) * ((uint64_t)last - first + 1)) >> 32);
}

/* Wipes it. */
void obfs_random_clear(struct obfs_random *r);

#endif
