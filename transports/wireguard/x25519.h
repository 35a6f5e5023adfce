/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * x25519: the public key of a private one. A handshake needs a new pair each time, so that this is a quarter
 * of what it costs; the other three quarters are wg_dh() of noise.h.
 */
#ifndef WG_X25519_H
#define WG_X25519_H

#include <stdint.h>

#include "message.h"

/* X25519 of the private key, clamped, and the base point 9 (RFC 7748 section 5). In constant time. [any] */
void wg_x25519_base(uint8_t public_key[WG_KEY_LEN], const uint8_t private_key[WG_KEY_LEN]);

#endif
