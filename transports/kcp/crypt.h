/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * crypt: kcp-go's crypt header (sess.go, crypt.go of github.com/xtaci/kcp-go/v5), outermost on the wire.
 *
 *   classic   16 nonce (random) | u32le CRC-32 of the rest | rest         nothing of it is authenticated
 *     none           in clear
 *     salsa20        bytes 8.. xored with Salsa20 of the key, bytes 0..7 being its nonce
 *     aes, sm4       all of it in CFB with an IV that is always the same: the random nonce comes first
 *   aes-128-gcm  12 nonce (random) | ciphertext | 16 tag                  kcp-go 5.6.49 and later
 *   null         no header
 *
 * Packets are sealed and opened in place, in batches.
 */
#ifndef KCP_CRYPT_H
#define KCP_CRYPT_H

#include <stdbool.h>
#include <stdint.h>

#include "kdf.h"

/* In the order of the option "crypt". */
enum kcp_crypt_kind {
	KCP_CRYPT_NULL,
	KCP_CRYPT_NONE,
	KCP_CRYPT_SALSA20,
	KCP_CRYPT_AES,
	KCP_CRYPT_AES_192,
	KCP_CRYPT_AES_128,
	KCP_CRYPT_AES_128_GCM,
	KCP_CRYPT_SM4,
	KCP_CRYPT_KINDS
};

struct kcp_crypt_info {
	const char *name;  /* as in kcptun and in the manifest */
	uint32_t key_len;  /* bytes of the key that are used; 0: no key is needed */
	uint32_t headroom; /* bytes that sealing puts in front: 0, 12, 20 */
	uint32_t tailroom; /* and behind: 0, 16 */
	bool authentic;    /* a packet that opens was sealed by somebody who has the key */
};

/* [any] */
const struct kcp_crypt_info *kcp_crypt_info(enum kcp_crypt_kind kind);

enum kcp_crypt_verdict {
	KCP_CRYPT_OK,
	KCP_CRYPT_SHORT,  /* too short for the header */
	KCP_CRYPT_FORGED, /* the checksum or tag is wrong: another key, or damaged */
	KCP_CRYPT_FAILED  /* sealing: libcrypto failed; the packet's bytes are zeroes */
};

struct kcp_crypt_job {
	uint8_t *data;
	uint32_t len;
	uint32_t verdict; /* enum kcp_crypt_verdict, set by seal and open */
};

struct kcp_crypt; /* one lane's contexts, for both directions and any number of peers */

/*
 * key: KCP_KEY_LEN bytes, of which the first key_len are used; copied. May be NULL with "null" and "none".
 * NULL without memory, or when libcrypto (loaded here, for the aes kinds and sm4) is not here or
 * has no such cipher; *ret_why then is a static text. [main]
 */
struct kcp_crypt *kcp_crypt_create(enum kcp_crypt_kind kind, const uint8_t *key,
				   const char **ret_why);
/* Wipes keys. Accepts NULL. [main] */
void kcp_crypt_destroy(struct kcp_crypt *c);

/*
 * data, len: the payload, with `headroom` writable bytes in front and `tailroom` behind it. Afterwards
 * data and len are the whole packet's. No allocation, lock or system call: nonces come from a stream
 * of the object's own. Packets of one call do not overlap. [lane]
 */
void kcp_crypt_seal(struct kcp_crypt *c, struct kcp_crypt_job *jobs, uint32_t n);

/* data, len: the whole packet. Afterwards those of the payload (may be empty), when the verdict is
 * KCP_CRYPT_OK; else unchanged, and the bytes are garbage. [lane] */
void kcp_crypt_open(struct kcp_crypt *c, struct kcp_crypt_job *jobs, uint32_t n);

#endif
