/* SPDX-License-Identifier: BSD-2-Clause */
#include "key.h"

#include <sodium.h>
#include <string.h>

#include "fault.h"

/* Both sides have nothing but the password, so the salt is the same everywhere: it keeps tables made for
 * other programs from fitting. */
static const uint8_t salt[crypto_pwhash_SALTBYTES] = {'v', 'p', 'n', 'c', 'o', 'r', 'e', ' ',
						      'o', 'b', 'f', 's', ' ', 'k', 'e', 'y'};

/* RFC 9106 section 4, the second recommendation: 3 passes over 64 MiB (libsodium has one lane). */
#define PASSES 3u
#define MEMORY (64u << 20)

vpn_status obfs_key(const struct obfs_options *o, uint8_t out[OBFS_KEY_LEN], struct vpn_error *err)
{
	if (o->key.data != NULL) {
		memcpy(out, o->key.data, OBFS_KEY_LEN);
		return VPN_OK;
	}
	if (crypto_pwhash(out, OBFS_KEY_LEN, o->password, strlen(o->password), salt, PASSES, MEMORY,
			  crypto_pwhash_ALG_ARGON2ID13) != 0)
		return obfs_fault(
			err, VPN_ENOMEM, "/password",
			"no memory to stretch the password: 64 MiB are needed for a moment");
	return VPN_OK;
}
