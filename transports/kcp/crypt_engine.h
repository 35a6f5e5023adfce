/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * crypt_engine: what a cipher does to whole packets, for crypt.c. A classic cipher's packet is nonce,
 * checksum and payload, all already written; an AEAD's is nonce, payload and room for the tag.
 */
#ifndef KCP_CRYPT_ENGINE_H
#define KCP_CRYPT_ENGINE_H

#include "crypt.h"

#define KCP_CRYPT_NONCE_LEN   16u /* classic */
#define KCP_CRYPT_CLASSIC_LEN 20u /* nonce and checksum */
#define KCP_GCM_NONCE_LEN     12u
#define KCP_GCM_TAG_LEN       16u

struct kcp_crypt_engine {
	/* libcrypto's name of the cipher, for crypt_cfb.c the one of its ECB mode. NULL on failure. */
	void *(*create)(const char *cipher, const uint8_t *key, uint32_t key_len,
			const char **ret_why);
	/* Wipes the key. Accepts NULL. */
	void (*destroy)(void *state);
	/* Each sets the verdict of packets that fail and leaves the others' as it is, KCP_CRYPT_OK. A
	 * packet that failed to be sealed is zeroes. Jobs with another verdict than OK are not touched. */
	void (*seal)(void *state, struct kcp_crypt_job *jobs, uint32_t n);
	void (*open)(void *state, struct kcp_crypt_job *jobs, uint32_t n);
};

extern const struct kcp_crypt_engine kcp_crypt_salsa20; /* libsodium */
extern const struct kcp_crypt_engine kcp_crypt_cfb;     /* libcrypto, blocks of 16 bytes */
extern const struct kcp_crypt_engine kcp_crypt_gcm;     /* libcrypto */

#endif
