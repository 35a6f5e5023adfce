/* SPDX-License-Identifier: BSD-2-Clause */
/* veil_world: two sides in mode veil with one key, and WireGuard messages for them to carry. */
#ifndef VEIL_WORLD_H
#define VEIL_WORLD_H

#include "obfs_world.h"
#include "veil_options.h"
#include "veil_packet.h"

/* Types of WireGuard's messages (whitepaper section 5.4). */
enum { INITIATION = 1, RESPONSE, COOKIE, DATA };

#define MTU_ABOVE 1452u

struct veil_world {
	struct world w;
	struct veil_options veil[2];
	uint8_t key[2][OBFS_KEY_LEN];
};

/* Both alike, under wireguard, with the key 00 01 .. 1f; the test changes what it wants before
 * veil_world_start(). */
void veil_world_init(struct veil_world *v);
void veil_world_start(struct veil_world *v);
void veil_world_end(struct veil_world *v);

/* Fills a message of a type: random behind its first four bytes. */
void veil_world_message(struct veil_world *v, uint8_t *out, uint32_t type, uint32_t len);

/* Sends what `side` has been given, and returns what goes out below; copied to `wire`. */
uint32_t veil_world_seal(struct veil_world *v, uint32_t side, const uint8_t *data, uint32_t len,
			 uint8_t *wire);

/* The same of a message of this type and length. */
uint32_t veil_world_sealed(struct veil_world *v, uint32_t side, uint32_t type, uint32_t len,
			   uint8_t *wire);

#endif
