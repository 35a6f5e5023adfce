/* SPDX-License-Identifier: BSD-2-Clause */
/* keys: 32-byte keys of WireGuard and their text, the base64 that wg(8) reads and writes. */
#ifndef VPNCORE_CLI_KEYS_H
#define VPNCORE_CLI_KEYS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define KEYS_LEN  32u
#define KEYS_TEXT 45u /* 44 characters (RFC 4648 section 4) and the final zero */

/* Writes the text of a key and returns it. Constant time in the key. [any] */
const char *keys_encode(const uint8_t key[KEYS_LEN], char text[KEYS_TEXT]);

/* Reads exactly one text for each key: 44 characters, one '=', no bits set behind the key's last one.
 * Returns NULL, or what is wrong (a phrase that fits behind "is no key: ", without any of the text);
 * *key is then zero. Constant time in a key that is right. [any] */
const char *keys_decode(const char *text, size_t len, uint8_t key[KEYS_LEN]);

/* A random key. `curve` makes it a private key of X25519: bits are set as RFC 7748 section 5 has it.
 * Needs sodium_init(). [any] */
void keys_make(uint8_t key[KEYS_LEN], bool curve);

/* The public key of a private one (RFC 7748 section 6.1); it need not be clamped. [any] */
void keys_public(const uint8_t private_key[KEYS_LEN], uint8_t public_key[KEYS_LEN]);

/* Constant time. [any] */
bool keys_is_zero(const uint8_t key[KEYS_LEN]);

#endif
