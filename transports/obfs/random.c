/* SPDX-License-Identifier: BSD-2-Clause */
#include "random.h"

#include <sodium.h>

_Static_assert(OBFS_RANDOM_KEY == crypto_stream_chacha20_KEYBYTES, "a key of the cipher");

void obfs_random_init(struct obfs_random *r, const struct vpn_host *host)
{
	r->host = host;
	r->refills = 0;
	r->used = OBFS_RANDOM_BYTES;
	host->random(host, r->key, sizeof(r->key));
}

static void reseed(struct obfs_random *r)
{
	uint8_t fresh[OBFS_RANDOM_KEY];
	r->host->random(r->host, fresh, sizeof(fresh));
	for (uint32_t i = 0; i < sizeof(fresh); i++)
		r->key[i] ^= fresh[i];
	sodium_memzero(fresh, sizeof(fresh));
}

/* A key is used for one refill, so the stream's own nonce may be the same. */
void obfs_random_refill(struct obfs_random *r)
{
	static const uint8_t zeroes[crypto_stream_chacha20_NONCEBYTES];
	if (++r->refills % OBFS_RANDOM_RESEED == 0)
		reseed(r);
	crypto_stream_chacha20(r->stream, sizeof(r->stream), zeroes, r->key);
	memcpy(r->key, r->stream, sizeof(r->key));
	sodium_memzero(r->stream, sizeof(r->key));
	r->used = sizeof(r->key);
}

void obfs_random_fill(struct obfs_random *r, void *out, uint32_t len)
{
	uint8_t *to = out;
	while (len != 0) {
		if (r->used == OBFS_RANDOM_BYTES)
			obfs_random_refill(r);
		uint32_t part = OBFS_RANDOM_BYTES - r->used;
		if (part > len)
			part = len;
		memcpy(to, r->stream + r->used, part);
		memset(r->stream + r->used, 0, part);
		r->used += part;
		to += part;
		len -= part;
	}
}

void obfs_random_clear(struct obfs_random *r)
{
	sodium_memzero(r->key, sizeof(r->key));
	sodium_memzero(r->stream, sizeof(r->stream));
	r->used = OBFS_RANDOM_BYTES;
}
