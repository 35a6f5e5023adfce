/* SPDX-License-Identifier: BSD-2-Clause */
/* crypt_salsa20: libsodium's Salsa20. A packet's first 8 bytes are the cipher's nonce and stay in clear. */
#include <sodium.h>
#include <string.h>

#include "crypt_engine.h"

#define NONCE_LEN crypto_stream_salsa20_NONCEBYTES

struct salsa20 {
	uint8_t key[crypto_stream_salsa20_KEYBYTES];
};

static void *create(const char *cipher, const uint8_t *key, uint32_t key_len, const char **ret_why)
{
	(void)cipher;
	struct salsa20 *s = sodium_malloc(sizeof(*s));
	if (!s) {
		*ret_why = "no memory";
		return NULL;
	}
	memcpy(s->key, key, key_len);
	return s;
}

static void destroy(void *state)
{
	sodium_free(state);
}

/* Both ways. */
static void crypt(void *state, struct kcp_crypt_job *jobs, uint32_t n)
{
	const struct salsa20 *s = state;

	for (uint32_t i = 0; i < n; i++) {
		struct kcp_crypt_job *j = &jobs[i];
		if (j->verdict == KCP_CRYPT_OK)
			crypto_stream_salsa20_xor(j->data + NONCE_LEN, j->data + NONCE_LEN,
						  j->len - NONCE_LEN, j->data, s->key);
	}
}

const struct kcp_crypt_engine kcp_crypt_salsa20 = {
	.create = create,
	.destroy = destroy,
	.seal = crypt,
	.open = crypt,
};
