/* SPDX-License-Identifier: BSD-2-Clause */
/* blake2s: BLAKE2s (RFC 7693) by libb2, and what WireGuard makes of it: hash, MAC, HMAC (RFC 2104),
 * HKDF (RFC 5869 with an empty info). All [any]; none fails. */
#ifndef WG_BLAKE2S_H
#define WG_BLAKE2S_H

#include <stddef.h>

#include "constants.h"

/* libb2 chooses its code for this processor at the first call of each function and keeps the choice in
 * plain variables. Two lanes that do so at once come to the same choice, but it is a race by the letter
 * of C11 section 5.1.2.4; once this has returned nothing writes there any more. To be called before the
 * lanes run; further calls do nothing. */
void wg_blake2_warm_up(void);

/* BLAKE2s-256(a || b); b may be NULL with b_len 0. `out` may be `a` or `b`. */
void wg_hash(uint8_t out[WG_HASH_LEN], const void *a, size_t a_len, const void *b, size_t b_len);

/* Keyed BLAKE2s-128 over a || b. key_len is 1 to 32. */
void wg_mac(uint8_t out[WG_MAC_LEN], const void *key, size_t key_len, const void *a, size_t a_len,
	    const void *b, size_t b_len);

/* KDF_n of the whitepaper, section 5.4: outputs that are NULL are not wanted. `out1` may be `key`,
 * the chaining key. */
void wg_kdf(uint8_t *out1, uint8_t *out2, uint8_t *out3, const uint8_t key[WG_HASH_LEN],
	    const void *input, size_t len);

#endif
