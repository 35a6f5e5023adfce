/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * store: the bytes of datagrams under way, in blocks of one size. A datagram has as many blocks as it needs;
 * an empty one has one. The memory is reserved once and taken from the system as it is first used.
 */
#ifndef IMPAIR_STORE_H
#define IMPAIR_STORE_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/uio.h>

#define STORE_BLOCK     2048u
#define STORE_NONE      UINT32_MAX
#define STORE_IOVEC_MAX (65536u / STORE_BLOCK) /* of one datagram */

struct store {
	uint8_t *bytes;
	uint32_t *next; /* of each block: the datagram's next one, or the free list's */
	uint32_t n_blocks, n_used, n_virgin;
	uint32_t free; /* STORE_NONE: only blocks that were never used are left */
};

/* False: no memory. n_blocks is from 1 to 2^24. */
bool store_init(struct store *s, uint32_t n_blocks);
void store_done(struct store *s);

/* Copies a datagram of up to 65535 bytes; returns its first block, STORE_NONE when there is no room. */
uint32_t store_put(struct store *s, const void *bytes, uint32_t len);

/* `first` and `len` are of one store_put(). Returns how many of iov[STORE_IOVEC_MAX] were filled. */
uint32_t store_gather(const struct store *s, uint32_t first, uint32_t len, struct iovec *iov);

void store_drop(struct store *s, uint32_t first);

#endif
