/* SPDX-License-Identifier: BSD-2-Clause */
/* key: what both sides share, from "password" or "key". */
#ifndef OBFS_KEY_H
#define OBFS_KEY_H

#include <stdint.h>
#include <vpncore/plugin.h>

#include "options.h"

#define OBFS_KEY_LEN 32u

/*
 * The 32 bytes of "key" as they are, or "password" stretched with Argon2id (RFC 9106) so that guessing
 * it costs as much time and memory for each guess. For modes whose format is ours; the caller wipes out[]
 * with sodium_memzero(). Takes tens of milliseconds and 64 MiB for a password; VPN_ENOMEM where there
 * are none. [main], in create()
 */
vpn_status obfs_key(const struct obfs_options *o, uint8_t out[OBFS_KEY_LEN], struct vpn_error *err);

#endif
