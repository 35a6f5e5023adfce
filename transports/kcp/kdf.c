/* SPDX-License-Identifier: BSD-2-Clause */
#include "kdf.h"

#include <limits.h>
#include <string.h>

#include "crypt_library.h"

#define ROUNDS 4096

static const uint8_t salt[] = {'k', 'c', 'p', '-', 'g', 'o'};

bool kcp_kdf(const char *password, uint8_t key[KCP_KEY_LEN], const char **ret_why)
{
	const struct kcp_libcrypto *c = kcp_crypt_library(ret_why);
	size_t len = strlen(password);
	bool done = false;

	memset(key, 0, KCP_KEY_LEN);
	if (c == NULL)
		return false;
	EVP_MD *sha1 = c->EVP_MD_fetch(NULL, "SHA1", NULL);
	if (sha1 != NULL && len <= INT_MAX)
		done = c->PKCS5_PBKDF2_HMAC(password, (int)len, salt, (int)sizeof(salt), ROUNDS,
					    sha1, (int)KCP_KEY_LEN, key) == 1;
	c->EVP_MD_free(sha1);
	if (!done) {
		memset(key, 0, KCP_KEY_LEN);
		*ret_why = "libcrypto refuses PBKDF2 with SHA-1";
	}
	return done;
}
