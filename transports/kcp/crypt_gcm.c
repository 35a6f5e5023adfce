/* SPDX-License-Identifier: BSD-2-Clause */
/* crypt_gcm: AES-GCM (NIST SP 800-38D) by libcrypto, no additional data. A context for each direction;
 * for a packet only the nonce is set. */
#include <sodium.h>
#include <stdlib.h>

#include "crypt_engine.h"
#include "crypt_library.h"

struct gcm {
	const struct kcp_libcrypto *crypto;
	EVP_CIPHER *cipher;
	EVP_CIPHER_CTX *sealer;
	EVP_CIPHER_CTX *opener;
};

static void destroy(void *state)
{
	struct gcm *g = state;
	if (!g)
		return;
	/* these wipe their keys */
	g->crypto->EVP_CIPHER_CTX_free(g->sealer);
	g->crypto->EVP_CIPHER_CTX_free(g->opener);
	g->crypto->EVP_CIPHER_free(g->cipher);
	free(g);
}

static void *create(const char *cipher, const uint8_t *key, uint32_t key_len, const char **ret_why)
{
	const struct kcp_libcrypto *crypto = kcp_crypt_library(ret_why);
	struct gcm *g = crypto != NULL ? calloc(1, sizeof(*g)) : NULL;
	(void)key_len;
	if (!g)
		return NULL;
	g->crypto = crypto;
	/* not one of the library's implicit fetches per packet: they take a lock */
	g->cipher = crypto->EVP_CIPHER_fetch(NULL, cipher, NULL);
	g->sealer = crypto->EVP_CIPHER_CTX_new();
	g->opener = crypto->EVP_CIPHER_CTX_new();
	if (g->cipher && g->sealer && g->opener &&
	    crypto->EVP_EncryptInit_ex2(g->sealer, g->cipher, key, NULL, NULL) == 1 &&
	    crypto->EVP_DecryptInit_ex2(g->opener, g->cipher, key, NULL, NULL) == 1)
		return g;
	destroy(g);
	*ret_why = "libcrypto has no such cipher here";
	return NULL;
}

static bool seal_one(const struct gcm *g, const struct kcp_crypt_job *j)
{
	const struct kcp_libcrypto *c = g->crypto;
	uint32_t len = j->len - KCP_GCM_NONCE_LEN - KCP_GCM_TAG_LEN;
	uint8_t *data = j->data + KCP_GCM_NONCE_LEN, *tag = data + len;
	int written;

	return c->EVP_EncryptInit_ex2(g->sealer, NULL, NULL, j->data, NULL) == 1 &&
	       c->EVP_EncryptUpdate(g->sealer, data, &written, data, (int)len) == 1 &&
	       c->EVP_EncryptFinal_ex(g->sealer, tag, &written) == 1 &&
	       c->EVP_CIPHER_CTX_ctrl(g->sealer, EVP_CTRL_AEAD_GET_TAG, (int)KCP_GCM_TAG_LEN,
				      tag) == 1;
}

static bool open_one(const struct gcm *g, const struct kcp_crypt_job *j)
{
	const struct kcp_libcrypto *c = g->crypto;
	uint32_t len = j->len - KCP_GCM_NONCE_LEN - KCP_GCM_TAG_LEN;
	uint8_t *data = j->data + KCP_GCM_NONCE_LEN, *tag = data + len;
	int written;

	/* the tag is compared in constant time: CRYPTO_memcmp(3) */
	return c->EVP_DecryptInit_ex2(g->opener, NULL, NULL, j->data, NULL) == 1 &&
	       c->EVP_CIPHER_CTX_ctrl(g->opener, EVP_CTRL_AEAD_SET_TAG, (int)KCP_GCM_TAG_LEN,
				      tag) == 1 &&
	       c->EVP_DecryptUpdate(g->opener, data, &written, data, (int)len) == 1 &&
	       c->EVP_DecryptFinal_ex(g->opener, tag, &written) == 1;
}

static void seal(void *state, struct kcp_crypt_job *jobs, uint32_t n)
{
	for (uint32_t i = 0; i < n; i++) {
		if (jobs[i].verdict != KCP_CRYPT_OK || seal_one(state, &jobs[i]))
			continue;
		/* no plaintext leaves, whatever happens to the library */
		sodium_memzero(jobs[i].data, jobs[i].len);
		jobs[i].verdict = KCP_CRYPT_FAILED;
	}
}

static void unseal(void *state, struct kcp_crypt_job *jobs, uint32_t n)
{
	for (uint32_t i = 0; i < n; i++) {
		if (jobs[i].verdict == KCP_CRYPT_OK && !open_one(state, &jobs[i]))
			jobs[i].verdict = KCP_CRYPT_FORGED;
	}
}

const struct kcp_crypt_engine kcp_crypt_gcm = {
	.create = create,
	.destroy = destroy,
	.seal = seal,
	.open = unseal,
};
