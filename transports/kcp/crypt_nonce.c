/* SPDX-License-Identifier: BSD-2-Clause */
#include "crypt_nonce.h"

#include <string.h>

void kcp_nonces_init(struct kcp_nonces *n)
{
	randombytes_buf(n->key, sizeof(n->key));
	n->used = KCP_NONCES_BYTES;
}

/* A key is used for one refill, so the stream's own nonce may be the same. */
static void refill(struct kcp_nonces *n)
{
	static const uint8_t zeroes[crypto_stream_chacha20_NONCEBYTES];

	crypto_stream_chacha20(n->stream, sizeof(n->stream), zeroes, n->key);
	memcpy(n->key, n->stream, sizeof(n->key));
	sodium_memzero(n->stream, sizeof(n->key));
	n->used = sizeof(n->key);
}

void kcp_nonces_take(struct kcp_nonces *n, uint8_t *out, uint32_t len)
{
	if (KCP_NONCES_BYTES - n->used < len)
		refill(n);
	memcpy(out, n->stream + n->used, len);
	memset(n->stream + n->used, 0, len);
	n->used += len;
}
