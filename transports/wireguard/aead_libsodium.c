/* SPDX-License-Identifier: BSD-2-Clause */
/* aead_libsodium: packet by packet, no state. */
#include "aead.h"
#include "message.h"

#include <sodium.h>
#include <stdlib.h>

struct wg_aead {
	uint8_t nothing;
};

static bool usable(void)
{
	return true;
}

static struct wg_aead *create(void)
{
	return calloc(1, sizeof(struct wg_aead));
}

static void destroy(struct wg_aead *a)
{
	free(a);
}

static void seal(struct wg_aead *a, struct wg_aead_job *jobs, uint32_t n)
{
	uint8_t nonce[crypto_aead_chacha20poly1305_ietf_NPUBBYTES] = {0};

	(void)a;
	for (struct wg_aead_job *j = jobs; j < jobs + n; j++) {
		wg_store_le64(nonce + 4, j->counter);
		(void)crypto_aead_chacha20poly1305_ietf_encrypt_detached(
			j->data, j->data + j->len, NULL, j->data, j->len, NULL, 0, NULL, nonce,
			j->key);
	}
}

static void unseal(struct wg_aead *a, struct wg_aead_job *jobs, uint32_t n)
{
	uint8_t nonce[crypto_aead_chacha20poly1305_ietf_NPUBBYTES] = {0};

	(void)a;
	for (struct wg_aead_job *j = jobs; j < jobs + n; j++) {
		wg_store_le64(nonce + 4, j->counter);
		j->ok = crypto_aead_chacha20poly1305_ietf_decrypt_detached(
				j->data, NULL, j->data, j->len, j->data + j->len, NULL, 0, nonce,
				j->key) == 0;
	}
}

const struct wg_aead_engine wg_aead_libsodium = {
	.name = "libsodium",
	.usable = usable,
	.create = create,
	.destroy = destroy,
	.seal = seal,
	.open = unseal,
};
