/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * pool: the packets of one lane. Three pools with storage (to the network, from the network, large
 * reads) and descriptors without storage for the pieces that pool_split() makes. Everything is
 * allocated once; memory that was never used is never touched, and what lies unused for long can be
 * given back. One thread only.
 */
#ifndef VPNCORE_CORE_POOL_H
#define VPNCORE_CORE_POOL_H

#include <vpncore/plugin.h>

#define POOL_KINDS 4u /* VPN_POOL_TX, VPN_POOL_RX, VPN_POOL_RX_LARGE, pieces */
#define POOL_PIECE 3u

#define POOL_LARGE_BYTES 65536u

struct pool_shape {
	uint32_t headroom;         /* in front of the data of a new packet */
	uint32_t data[POOL_KINDS]; /* bytes for data and tailroom; 0 for pieces */
	uint32_t count[POOL_KINDS];
};

struct pool {
	uint32_t headroom;
	struct pool_stack {
		struct vpn_packet **free; /* last in, first out: warm in the cache */
		uint32_t n_free;
		uint32_t n_made; /* packets that have been used before, from the first on */
		uint32_t count;
		uint32_t cap;
		struct vpn_packet *first;
		uint8_t *storage;
	} stacks[POOL_KINDS];
	struct vpn_packet *descriptors;
	uint8_t *storage;
	size_t storage_bytes;
};

vpn_status pool_init(struct pool *p, const struct pool_shape *shape);
void pool_clear(struct pool *p);

uint32_t pool_alloc(struct pool *p, uint32_t kind, uint64_t now_ns, struct vpn_packet **out,
		    uint32_t n);
void pool_release(struct pool *p, struct vpn_packet **pkts, uint32_t n);
uint32_t pool_split(struct pool *p, struct vpn_packet *parent, uint32_t piece_len,
		    struct vpn_packet **out, uint32_t n);

/* Gives the memory of free packets back to the system. What follows costs a page fault per page: for when
 * nothing has moved for a while. */
void pool_rest(struct pool *p);

/* Packets that somebody owns. */
uint32_t pool_outstanding(const struct pool *p);

#endif
