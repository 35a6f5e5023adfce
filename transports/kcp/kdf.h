/* SPDX-License-Identifier: BSD-2-Clause */
/* kdf: a key from a password, as kcptun makes it. */
#ifndef KCP_KDF_H
#define KCP_KDF_H

#include <stdbool.h>
#include <stdint.h>

#define KCP_KEY_LEN 32u /* ciphers with shorter keys take the first bytes */

/* PBKDF2-HMAC-SHA1 (RFC 8018, 5.2), salt "kcp-go", 4096 rounds: kcptun's client/main.go. Takes
 * milliseconds. False, with *ret_why a static text, when libcrypto is not here or refuses; `key` is then
 * zeroes. The caller wipes the key. [main] */
bool kcp_kdf(const char *password, uint8_t key[KCP_KEY_LEN], const char **ret_why);

#endif
