/* SPDX-License-Identifier: BSD-2-Clause */
/* x25519_ladder: as libsodium does it, for where x25519_edwards.c cannot be built. */
#include "x25519.h"

#include <sodium.h>

void wg_x25519_base(uint8_t public_key[WG_KEY_LEN], const uint8_t private_key[WG_KEY_LEN])
{
	(void)crypto_scalarmult_curve25519_base(public_key, private_key); /* it cannot fail */
}
