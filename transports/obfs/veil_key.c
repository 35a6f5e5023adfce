/* SPDX-License-Identifier: BSD-2-Clause */
#include "veil_key.h"

#include <sodium.h>

/* crypto_kdf: BLAKE2b keyed with the root, the number as its salt, this as its person. */
static const char context[crypto_kdf_CONTEXTBYTES] = {'v', 'p', 'n', 'v', 'e', 'i', 'l', '1'};
enum { SUBKEY_SEAL = 1, SUBKEY_MASK, SUBKEY_LENGTH };

_Static_assert(crypto_kdf_KEYBYTES == OBFS_KEY_LEN, "the root");
_Static_assert(crypto_aead_xchacha20poly1305_ietf_KEYBYTES == OBFS_KEY_LEN, "of sealed packets");
_Static_assert(crypto_shorthash_siphashx24_KEYBYTES == VEIL_MASK_KEY, "of masked packets");

/* crypto_kdf refuses lengths outside of 16..64 bytes, and these are constants. */
void veil_key_derive(const uint8_t root[OBFS_KEY_LEN], struct veil_keys *ret_keys)
{
	(void)crypto_kdf_derive_from_key(ret_keys->seal, sizeof(ret_keys->seal), SUBKEY_SEAL,
					 context, root);
	(void)crypto_kdf_derive_from_key(ret_keys->mask, sizeof(ret_keys->mask), SUBKEY_MASK,
					 context, root);
	(void)crypto_kdf_derive_from_key(ret_keys->length, sizeof(ret_keys->length), SUBKEY_LENGTH,
					 context, root);
}
