/* SPDX-License-Identifier: BSD-2-Clause */
/* blake2: BLAKE2s by libb2, and HMAC and HKDF over it. */
/* not blake2.h: that is the name of libb2's own header */
#include "blake2s.h"

#include <blake2.h>
#include <pthread.h>
#include <sodium.h>
#include <string.h>

#define BLOCK ((size_t)BLAKE2S_BLOCKBYTES)

/* libb2 refuses only lengths that are out of range, and ours are constants; no result to look at. */
static void update(blake2s_state *s, const void *data, size_t len)
{
	if (len > 0)
		(void)blake2s_update(s, data, len);
}

static void warm_up(void)
{
	static const uint8_t byte[1];
	uint8_t out[WG_HASH_LEN];
	wg_hash(out, byte, sizeof(byte), NULL, 0);
	wg_mac(out, byte, sizeof(byte), byte, sizeof(byte), NULL, 0);
}

void wg_blake2_warm_up(void)
{
	static pthread_once_t once = PTHREAD_ONCE_INIT;
	(void)pthread_once(&once, warm_up);
}

void wg_hash(uint8_t out[WG_HASH_LEN], const void *a, size_t a_len, const void *b, size_t b_len)
{
	blake2s_state s;
	(void)blake2s_init(&s, WG_HASH_LEN);
	update(&s, a, a_len);
	update(&s, b, b_len);
	(void)blake2s_final(&s, out, WG_HASH_LEN);
	sodium_memzero(&s, sizeof(s));
}

void wg_mac(uint8_t out[WG_MAC_LEN], const void *key, size_t key_len, const void *a, size_t a_len,
	    const void *b, size_t b_len)
{
	blake2s_state s;
	(void)blake2s_init_key(&s, WG_MAC_LEN, key, key_len);
	update(&s, a, a_len);
	update(&s, b, b_len);
	(void)blake2s_final(&s, out, WG_MAC_LEN);
	sodium_memzero(&s, sizeof(s));
}

static void pad(uint8_t block[BLOCK], const uint8_t key[WG_HASH_LEN], uint8_t with)
{
	memset(block, with, BLOCK);
	for (size_t i = 0; i < WG_HASH_LEN; i++)
		block[i] ^= key[i];
}

/* HMAC over a || b. All our keys are 32 bytes, so that none has to be hashed down to a block. `out`
 * may be `key` or `a`: it is written last. */
static void hmac_of(uint8_t out[WG_HASH_LEN], const uint8_t key[WG_HASH_LEN], const void *a,
		    size_t a_len, const void *b, size_t b_len)
{
	blake2s_state s;
	uint8_t block[BLOCK];
	uint8_t inner[WG_HASH_LEN];

	pad(block, key, 0x36);
	(void)blake2s_init(&s, WG_HASH_LEN);
	update(&s, block, sizeof(block));
	update(&s, a, a_len);
	update(&s, b, b_len);
	(void)blake2s_final(&s, inner, WG_HASH_LEN);

	pad(block, key, 0x5c);
	wg_hash(out, block, sizeof(block), inner, sizeof(inner));
	sodium_memzero(&s, sizeof(s));
	sodium_memzero(block, sizeof(block));
	sodium_memzero(inner, sizeof(inner));
}

void wg_kdf(uint8_t *out1, uint8_t *out2, uint8_t *out3, const uint8_t key[WG_HASH_LEN],
	    const void *input, size_t len)
{
	uint8_t *const outs[] = {out1, out2, out3};
	uint8_t extracted[WG_HASH_LEN];
	uint8_t t[WG_HASH_LEN];
	hmac_of(extracted, key, input, len, NULL, 0);
	for (uint8_t i = 0; i < 3; i++) {
		const uint8_t number = (uint8_t)(i + 1);
		hmac_of(t, extracted, t, i == 0 ? 0 : sizeof(t), &number, 1);
		if (outs[i] != NULL)
			memcpy(outs[i], t, sizeof(t));
		if ((i == 0 && out2 == NULL && out3 == NULL) || (i == 1 && out3 == NULL))
			break;
	}
	sodium_memzero(extracted, sizeof(extracted));
	sodium_memzero(t, sizeof(t));
}
