/* SPDX-License-Identifier: BSD-2-Clause */
/* veil_key: from the key that both sides share to those that are used. docs/protocols/veil.md, "Keys". */
#ifndef OBFS_VEIL_KEY_H
#define OBFS_VEIL_KEY_H

#include <stdint.h>

#include "key.h"

#define VEIL_MASK_KEY 16u

struct veil_keys {
	uint8_t seal[OBFS_KEY_LEN];   /* XChaCha20-Poly1305 of sealed packets */
	uint8_t mask[VEIL_MASK_KEY];  /* SipHash-2-4 over the headers of masked packets */
	uint8_t length[OBFS_KEY_LEN]; /* seed of this deployment's lengths */
};

/* The caller wipes *ret_keys with sodium_memzero(). [main] */
void veil_key_derive(const uint8_t root[OBFS_KEY_LEN], struct veil_keys *ret_keys);

#endif
