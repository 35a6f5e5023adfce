/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * crypt_library: the functions of OpenSSL 3's libcrypto that this plugin calls. The library is loaded at
 * the first wish for one of them and not with the plugin: with "null", "none" and "salsa20" and a key
 * that is given as such, nobody needs it.
 */
#ifndef KCP_CRYPT_LIBRARY_H
#define KCP_CRYPT_LIBRARY_H

#include <openssl/evp.h>

#define KCP_LIBCRYPTO_FUNCTIONS(f) \
	f(EVP_CIPHER_fetch) f(EVP_CIPHER_free) f(EVP_CIPHER_CTX_new) f(EVP_CIPHER_CTX_free) \
		f(EVP_CIPHER_CTX_ctrl) f(EVP_CIPHER_CTX_set_padding) f(EVP_EncryptInit_ex2) \
			f(EVP_EncryptUpdate) f(EVP_EncryptFinal_ex) f(EVP_DecryptInit_ex2) \
				f(EVP_DecryptUpdate) f(EVP_DecryptFinal_ex) f(PKCS5_PBKDF2_HMAC) \
					f(EVP_MD_fetch) f(EVP_MD_free)

#define KCP_LIBCRYPTO_MEMBER(name) __typeof__(name) *name;
struct kcp_libcrypto {
	KCP_LIBCRYPTO_FUNCTIONS(KCP_LIBCRYPTO_MEMBER)
};

/* NULL when the library is not here or lacks a function; *ret_why then is a static text. It stays loaded.
 * [any] */
const struct kcp_libcrypto *kcp_crypt_library(const char **ret_why);

#endif
