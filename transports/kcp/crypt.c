/* SPDX-License-Identifier: BSD-2-Clause */
#include "crypt.h"

#include <sodium.h>
#include <stdlib.h>

#include "crc32.h"
#include "crypt_engine.h"
#include "crypt_nonce.h"
#include "le.h"

struct kind {
	struct kcp_crypt_info info;
	const struct kcp_crypt_engine *engine; /* NULL: in clear */
	const char *cipher;                    /* libcrypto's name */
};

#define CLASSIC .headroom = KCP_CRYPT_CLASSIC_LEN
#define AEAD    .headroom = KCP_GCM_NONCE_LEN, .tailroom = KCP_GCM_TAG_LEN, .authentic = true

static const struct kind kinds[KCP_CRYPT_KINDS] = {
	[KCP_CRYPT_NULL] = {{.name = "null"}, NULL, NULL},
	[KCP_CRYPT_NONE] = {{.name = "none", CLASSIC}, NULL, NULL},
	[KCP_CRYPT_SALSA20] = {{"salsa20", .key_len = 32, CLASSIC}, &kcp_crypt_salsa20, NULL},
	[KCP_CRYPT_AES] = {{"aes", .key_len = 32, CLASSIC}, &kcp_crypt_cfb, "AES-256-ECB"},
	[KCP_CRYPT_AES_192] = {{"aes-192", .key_len = 24, CLASSIC}, &kcp_crypt_cfb, "AES-192-ECB"},
	[KCP_CRYPT_AES_128] = {{"aes-128", .key_len = 16, CLASSIC}, &kcp_crypt_cfb, "AES-128-ECB"},
	[KCP_CRYPT_AES_128_GCM] = {{"aes-128-gcm", .key_len = 16, AEAD},
				   &kcp_crypt_gcm,
				   "AES-128-GCM"},
	[KCP_CRYPT_SM4] = {{"sm4", .key_len = 16, CLASSIC}, &kcp_crypt_cfb, "SM4-ECB"},
};

struct kcp_crypt {
	const struct kind *kind;
	void *state; /* the engine's */
	struct kcp_nonces nonces;
};

const struct kcp_crypt_info *kcp_crypt_info(enum kcp_crypt_kind kind)
{
	return &kinds[kind].info;
}

struct kcp_crypt *kcp_crypt_create(enum kcp_crypt_kind kind, const uint8_t *key,
				   const char **ret_why)
{
	const struct kind *k = &kinds[kind];
	*ret_why = "no memory";
	struct kcp_crypt *c = sodium_init() >= 0 ? calloc(1, sizeof(*c)) : NULL;
	if (!c)
		return NULL;
	c->kind = k;
	kcp_nonces_init(&c->nonces);
	if (k->engine != NULL) {
		c->state = k->engine->create(k->cipher, key, k->info.key_len, ret_why);
		if (c->state == NULL) {
			kcp_crypt_destroy(c);
			return NULL;
		}
	}
	return c;
}

void kcp_crypt_destroy(struct kcp_crypt *c)
{
	if (!c)
		return;
	if (c->kind->engine != NULL)
		c->kind->engine->destroy(c->state);
	sodium_memzero(c, sizeof(*c));
	free(c);
}

static void write_header(struct kcp_crypt *c, struct kcp_crypt_job *j)
{
	const struct kcp_crypt_info *info = &c->kind->info;

	j->verdict = KCP_CRYPT_OK;
	if (info->authentic) {
		j->data -= KCP_GCM_NONCE_LEN;
		kcp_nonces_take(&c->nonces, j->data, KCP_GCM_NONCE_LEN);
	} else {
		uint32_t crc = kcp_crc32(j->data, j->len);
		j->data -= KCP_CRYPT_CLASSIC_LEN;
		kcp_nonces_take(&c->nonces, j->data, KCP_CRYPT_NONCE_LEN);
		kcp_store_le32(j->data + KCP_CRYPT_NONCE_LEN, crc);
	}
	j->len += info->headroom + info->tailroom;
}

void kcp_crypt_seal(struct kcp_crypt *c, struct kcp_crypt_job *jobs, uint32_t n)
{
	if (c->kind->info.headroom == 0) {
		for (uint32_t i = 0; i < n; i++)
			jobs[i].verdict = KCP_CRYPT_OK;
		return;
	}
	for (uint32_t i = 0; i < n; i++)
		write_header(c, &jobs[i]);
	if (c->kind->engine != NULL)
		c->kind->engine->seal(c->state, jobs, n);
}

/* A classic packet in clear. */
static bool checksum_holds(const struct kcp_crypt_job *j)
{
	uint32_t crc = kcp_load_le32(j->data + KCP_CRYPT_NONCE_LEN);
	return crc == kcp_crc32(j->data + KCP_CRYPT_CLASSIC_LEN, j->len - KCP_CRYPT_CLASSIC_LEN);
}

void kcp_crypt_open(struct kcp_crypt *c, struct kcp_crypt_job *jobs, uint32_t n)
{
	const struct kcp_crypt_info *info = &c->kind->info;
	uint32_t overhead = info->headroom + info->tailroom;

	for (uint32_t i = 0; i < n; i++)
		jobs[i].verdict = jobs[i].len < overhead ? KCP_CRYPT_SHORT : KCP_CRYPT_OK;
	if (overhead == 0)
		return;
	if (c->kind->engine != NULL)
		c->kind->engine->open(c->state, jobs, n);
	for (uint32_t i = 0; i < n; i++) {
		struct kcp_crypt_job *j = &jobs[i];
		if (j->verdict == KCP_CRYPT_OK && !info->authentic && !checksum_holds(j))
			j->verdict = KCP_CRYPT_FORGED;
		if (j->verdict != KCP_CRYPT_OK)
			continue;
		j->data += info->headroom;
		j->len -= overhead;
	}
}
