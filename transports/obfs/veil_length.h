/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * veil_length: how many bytes are put behind a packet. Each deployment has a shape of its own, drawn from
 * its key, so that what is learnt of the lengths of one says little of another (the idea of obfs4's
 * seeded tables, obfs4-spec section 5). Senders alone use it: a receiver reads lengths from packets.
 */
#ifndef OBFS_VEIL_LENGTH_H
#define OBFS_VEIL_LENGTH_H

#include <stdint.h>

#include "key.h"

enum veil_kind {
	VEIL_HANDSHAKE, /* rare, and of known sizes: much */
	VEIL_SMALL,     /* sealed data: little, since it may be many */
	VEIL_TAIL,      /* behind masked packets that leave room */
	VEIL_N_KINDS,
};

#define VEIL_LENGTH_MOST  512u /* never more than this */
#define VEIL_LENGTH_STEPS 16u

struct veil_lengths {
	struct {
		uint32_t width;                    /* bytes in a step */
		uint16_t until[VEIL_LENGTH_STEPS]; /* chance of steps 0..i, in 65536ths, less one */
	} of[VEIL_N_KINDS];
};

/* [main] */
void veil_length_init(struct veil_lengths *l, const uint8_t seed[OBFS_KEY_LEN]);

/* Makes a number of bytes, 0..limit, from 32 random bits. [any] */
uint32_t veil_length_draw(const struct veil_lengths *l, enum veil_kind kind, uint32_t random,
			  uint32_t limit);

#endif
