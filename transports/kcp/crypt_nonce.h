/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * crypt_nonce: random bytes for packets without a system call for each: ChaCha20's keystream under a key
 * from the kernel. Each refill begins with the key of the next one, and bytes are wiped as they go out,
 * so what is in memory says nothing of nonces of the past. One owner, one thread.
 */
#ifndef KCP_CRYPT_NONCE_H
#define KCP_CRYPT_NONCE_H

#include <sodium.h>
#include <stdint.h>

#define KCP_NONCES_BYTES 2048u

struct kcp_nonces {
	uint32_t used; /* of stream */
	uint8_t key[crypto_stream_chacha20_KEYBYTES];
	uint8_t stream[KCP_NONCES_BYTES];
};

/* Takes a key from the kernel. [main] */
void kcp_nonces_init(struct kcp_nonces *n);

/* len <= KCP_NONCES_BYTES - 32. [lane] */
void kcp_nonces_take(struct kcp_nonces *n, uint8_t *out, uint32_t len);

#endif
