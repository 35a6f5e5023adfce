/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * crypt_cfb: CFB with full feedback (NIST SP 800-38A, 6.3), put together from libcrypto's ECB mode.
 *
 * The library's own CFB does one block after the other, each waiting for the one before. But only
 * sealing has to wait, and only within a packet: so a batch is sealed side by side, block i of all packets
 * in one call; and to open, all blocks of a packet go in one call, since what the cipher is fed with is
 * the ciphertext. The processor then works on several blocks at once. No call sets a key.
 *
 * The first block is the packet's nonce, which is random and which no receiver looks at. In CFB it is
 * xored with the enciphered IV (kcp-go: always the same), and is as random then as before. So that is
 * left out, both ways: nobody can tell, and what follows depends on the block as it is sent.
 */
#include <sodium.h>
#include <stdlib.h>
#include <string.h>

#include "crypt_engine.h"
#include "crypt_library.h"

#define BLOCK        16u
#define ABREAST      16u /* packets that are sealed side by side: they stay in the nearest cache */
#define STREAM_BYTES 4096u /* opened at once; whole blocks */

struct cfb {
	const struct kcp_libcrypto *crypto;
	EVP_CIPHER *cipher;
	EVP_CIPHER_CTX *ctx;
	uint8_t stream[STREAM_BYTES];
};

/* Packets that are being sealed. Each has a block of its ciphertext, in a row for the cipher. */
struct abreast {
	uint32_t n;
	struct kcp_crypt_job *job[ABREAST];
	uint8_t blocks[ABREAST * BLOCK];
};

static bool encipher(const struct cfb *c, const uint8_t *in, uint8_t *out, uint32_t len)
{
	int written;
	return c->crypto->EVP_EncryptUpdate(c->ctx, out, &written, in, (int)len) == 1;
}

static void destroy(void *state)
{
	struct cfb *c = state;
	if (!c)
		return;
	/* it wipes its key */
	c->crypto->EVP_CIPHER_CTX_free(c->ctx);
	c->crypto->EVP_CIPHER_free(c->cipher);
	sodium_memzero(c, sizeof(*c));
	free(c);
}

static void *create(const char *cipher, const uint8_t *key, uint32_t key_len, const char **ret_why)
{
	const struct kcp_libcrypto *crypto = kcp_crypt_library(ret_why);
	struct cfb *c = crypto != NULL ? calloc(1, sizeof(*c)) : NULL;
	(void)key_len;
	if (!c)
		return NULL;
	c->crypto = crypto;
	c->cipher = crypto->EVP_CIPHER_fetch(NULL, cipher, NULL);
	c->ctx = crypto->EVP_CIPHER_CTX_new();
	if (c->cipher && c->ctx &&
	    crypto->EVP_EncryptInit_ex2(c->ctx, c->cipher, key, NULL, NULL) == 1 &&
	    crypto->EVP_CIPHER_CTX_set_padding(c->ctx, 0) == 1)
		return c;
	destroy(c);
	*ret_why = "libcrypto has no such cipher here";
	return NULL;
}

/* In words, which no compiler has to be talked into. */
static void xor_block(uint8_t *data, const uint8_t *with)
{
	uint64_t a[2], b[2];
	memcpy(a, data, BLOCK);
	memcpy(b, with, BLOCK);
	a[0] ^= b[0];
	a[1] ^= b[1];
	memcpy(data, a, BLOCK);
}

static void xor_into(uint8_t *data, const uint8_t *with, uint32_t len)
{
	uint32_t i = 0;
	for (; len - i >= BLOCK; i += BLOCK)
		xor_block(data + i, with + i);
	for (; i < len; i++)
		data[i] ^= with[i];
}

/* Block `at` of each packet, once the block before has been enciphered; packets that end here go. */
static void feed(struct abreast *a, uint32_t at)
{
	for (uint32_t i = 0; i < a->n;) {
		struct kcp_crypt_job *j = a->job[i];
		uint8_t *block = a->blocks + i * BLOCK, *data = j->data + at;
		if (j->len - at > BLOCK) {
			xor_block(data, block);
			memcpy(block, data, BLOCK);
			i++;
			continue;
		}
		xor_into(data, block, j->len - at);
		/* the last one takes its place, and its turn is still to come */
		a->n--;
		a->job[i] = a->job[a->n];
		memcpy(block, a->blocks + a->n * BLOCK, BLOCK);
	}
}

/* What is not wholly sealed does not leave. */
static void fail(struct abreast *a)
{
	for (uint32_t i = 0; i < a->n; i++) {
		sodium_memzero(a->job[i]->data, a->job[i]->len);
		a->job[i]->verdict = KCP_CRYPT_FAILED;
	}
	a->n = 0;
}

static void seal_abreast(const struct cfb *c, struct abreast *a)
{
	for (uint32_t i = 0; i < a->n; i++)
		memcpy(a->blocks + i * BLOCK, a->job[i]->data, BLOCK);
	for (uint32_t at = BLOCK; a->n > 0; at += BLOCK) {
		if (encipher(c, a->blocks, a->blocks, a->n * BLOCK))
			feed(a, at);
		else
			fail(a);
	}
}

static void seal(void *state, struct kcp_crypt_job *jobs, uint32_t n)
{
	struct abreast a;
	a.n = 0;
	for (uint32_t i = 0; i < n; i++) {
		if (jobs[i].verdict != KCP_CRYPT_OK)
			continue;
		a.job[a.n++] = &jobs[i];
		if (a.n == ABREAST)
			seal_abreast(state, &a);
	}
	seal_abreast(state, &a);
}

/* From the end to the beginning: a block needs the ciphertext in front of it. */
static bool open_one(struct cfb *c, uint8_t *data, uint32_t len)
{
	uint32_t end = len;
	while (end > BLOCK) {
		uint32_t blocks = (end - 1) / BLOCK; /* behind the first one, also a part of one */
		uint32_t some = blocks * BLOCK < STREAM_BYTES ? blocks * BLOCK : STREAM_BYTES;
		uint32_t at = (blocks + 1) * BLOCK - some;
		if (!encipher(c, data + at - BLOCK, c->stream, some))
			return false;
		xor_into(data + at, c->stream, end - at);
		end = at;
	}
	return true;
}

static void unseal(void *state, struct kcp_crypt_job *jobs, uint32_t n)
{
	for (uint32_t i = 0; i < n; i++) {
		if (jobs[i].verdict == KCP_CRYPT_OK && !open_one(state, jobs[i].data, jobs[i].len))
			jobs[i].verdict = KCP_CRYPT_FORGED;
	}
}

const struct kcp_crypt_engine kcp_crypt_cfb = {
	.create = create,
	.destroy = destroy,
	.seal = seal,
	.open = unseal,
};
