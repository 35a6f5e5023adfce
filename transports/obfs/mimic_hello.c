/* SPDX-License-Identifier: BSD-2-Clause */
#include "mimic_hello.h"

#include <sodium.h>

#define NONCE ((uint32_t)crypto_aead_xchacha20poly1305_ietf_NPUBBYTES)
#define TAG   ((uint32_t)crypto_aead_xchacha20poly1305_ietf_ABYTES)
#define PLAIN 24u

_Static_assert(crypto_aead_xchacha20poly1305_ietf_NPUBBYTES + PLAIN +
			       crypto_aead_xchacha20poly1305_ietf_ABYTES ==
		       MIMIC_DTLS_HELLO,
	       "fills the random and the session's id");

static const char context[crypto_kdf_CONTEXTBYTES] = {'v', 'p', 'n', 'm', 'i', 'm', 'i', 'c'};
enum { SUBKEY_HELLO = 1, SUBKEY_FINISHED };

/* crypto_kdf refuses lengths outside of 16..64 bytes, and these are constants. */
void mimic_hello_derive(const uint8_t root[OBFS_KEY_LEN], struct mimic_keys *ret_keys)
{
	(void)crypto_kdf_derive_from_key(ret_keys->hello, sizeof(ret_keys->hello), SUBKEY_HELLO,
					 context, root);
	(void)crypto_kdf_derive_from_key(ret_keys->finished, sizeof(ret_keys->finished),
					 SUBKEY_FINISHED, context, root);
}

static void store(uint8_t *at, uint64_t value)
{
	for (uint32_t i = 0; i < 8; i++)
		at[i] = (uint8_t)(value >> 8 * i);
}

static uint64_t load(const uint8_t *at)
{
	uint64_t value = 0;
	for (uint32_t i = 0; i < 8; i++)
		value |= (uint64_t)at[i] << 8 * i;
	return value;
}

void mimic_hello_make(const struct mimic_keys *keys, struct obfs_random *random,
		      const struct mimic_greeting *g, uint8_t out[MIMIC_DTLS_HELLO])
{
	uint8_t plain[PLAIN];
	unsigned long long len;
	store(plain, g->sender);
	store(plain + 8, g->number);
	store(plain + 16, g->time_ms);
	obfs_random_fill(random, out, NONCE);
	(void)crypto_aead_xchacha20poly1305_ietf_encrypt(out + NONCE, &len, plain, PLAIN, NULL, 0,
							 NULL, out, keys->hello);
}

bool mimic_hello_open(const struct mimic_keys *keys, const uint8_t hello[MIMIC_DTLS_HELLO],
		      struct mimic_greeting *ret_greeting)
{
	uint8_t plain[PLAIN];
	unsigned long long len;
	if (crypto_aead_xchacha20poly1305_ietf_decrypt(plain, &len, NULL, hello + NONCE,
						       PLAIN + TAG, NULL, 0, hello,
						       keys->hello) != 0)
		return false;
	ret_greeting->sender = load(plain);
	ret_greeting->number = load(plain + 8);
	ret_greeting->time_ms = load(plain + 16);
	return true;
}

void mimic_hello_finish(const struct mimic_keys *keys, enum mimic_side side,
			const uint8_t hello[MIMIC_DTLS_HELLO],
			const uint8_t server_random[MIMIC_DTLS_RANDOM],
			uint8_t out[MIMIC_DTLS_FINISHED])
{
	uint8_t input[1 + MIMIC_DTLS_HELLO + MIMIC_DTLS_RANDOM];
	input[0] = (uint8_t)side;
	for (uint32_t i = 0; i < MIMIC_DTLS_HELLO; i++)
		input[1 + i] = hello[i];
	for (uint32_t i = 0; i < MIMIC_DTLS_RANDOM; i++)
		input[1 + MIMIC_DTLS_HELLO + i] = server_random[i];
	(void)crypto_generichash(out, MIMIC_DTLS_FINISHED, input, sizeof(input), keys->finished,
				 sizeof(keys->finished));
}
