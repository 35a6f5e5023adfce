/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * aead_openssl: libcrypto's EVP interface (EVP_EncryptInit(3), "AEAD Interface"), one context for
 * each direction. Between packets of one key only the nonce is set.
 *
 * The library is loaded when this engine is looked at, and not with the plugin: it is large, and most
 * machines that have it choose another engine.
 */
#include "aead.h"
#include "message.h"

#include <dlfcn.h>
#include <openssl/evp.h>
#include <pthread.h>
#include <sodium.h>
#include <stdlib.h>
#include <string.h>

#define NONCE_LEN 12
#define SONAME    "libcrypto.so.3" /* OpenSSL 3, whose functions are declared above */

#define FUNCTIONS(f) \
	f(EVP_CIPHER_fetch) f(EVP_CIPHER_free) f(EVP_CIPHER_CTX_new) f(EVP_CIPHER_CTX_free) \
		f(EVP_CIPHER_CTX_ctrl) f(EVP_EncryptInit_ex2) f(EVP_EncryptUpdate) \
			f(EVP_EncryptFinal_ex) f(EVP_DecryptInit_ex2) f(EVP_DecryptUpdate) \
				f(EVP_DecryptFinal_ex)

#define MEMBER(name) __typeof__(name) *name;
static struct {
	FUNCTIONS(MEMBER)
} crypto;

static bool loaded;
static pthread_once_t once = PTHREAD_ONCE_INIT;

static bool find(void *library, const char *name, void *ret)
{
	void *symbol = dlsym(library, name);
	/* a function's address comes as that of data: dlsym(3) */
	memcpy(ret, &symbol, sizeof(symbol));
	return symbol != NULL;
}

/* It stays loaded: it has handlers that run when the process ends. */
static void load(void)
{
	void *library = dlopen(SONAME, RTLD_NOW | RTLD_LOCAL | RTLD_NODELETE);
	if (library == NULL)
		return;
	loaded = true;
#define FIND(name) loaded = find(library, #name, &crypto.name) && loaded;
	FUNCTIONS(FIND)
}

struct wg_aead {
	EVP_CIPHER *cipher;
	EVP_CIPHER_CTX *sealer;
	EVP_CIPHER_CTX *opener;
};

static const uint8_t zeroes[WG_KEY_LEN];

/* Not one of the library's implicit fetches per packet: they take a lock. */
static EVP_CIPHER *fetch(void)
{
	return crypto.EVP_CIPHER_fetch(NULL, "ChaCha20-Poly1305", NULL);
}

static bool usable(void)
{
	pthread_once(&once, load);
	EVP_CIPHER *cipher = loaded ? fetch() : NULL;
	bool found = cipher != NULL;

	if (found)
		crypto.EVP_CIPHER_free(cipher);
	return found;
}

static void destroy(struct wg_aead *a)
{
	if (!a)
		return;
	/* these wipe what they hold */
	crypto.EVP_CIPHER_CTX_free(a->sealer);
	crypto.EVP_CIPHER_CTX_free(a->opener);
	crypto.EVP_CIPHER_free(a->cipher);
	free(a);
}

static struct wg_aead *create(void)
{
	struct wg_aead *a = usable() ? calloc(1, sizeof(*a)) : NULL;

	if (!a)
		return NULL;
	a->cipher = fetch();
	a->sealer = crypto.EVP_CIPHER_CTX_new();
	a->opener = crypto.EVP_CIPHER_CTX_new();
	if (!a->cipher || !a->sealer || !a->opener ||
	    crypto.EVP_EncryptInit_ex2(a->sealer, a->cipher, zeroes, zeroes, NULL) != 1 ||
	    crypto.EVP_DecryptInit_ex2(a->opener, a->cipher, zeroes, zeroes, NULL) != 1) {
		destroy(a);
		return NULL;
	}
	return a;
}

/*
 * The key to set for the job, NULL when the context has it. Within a batch all keys are alive, so the
 * same address is the same key. Beyond it an address may have been freed and used again; and a key
 * must not outlive its session here, so the end of a batch takes the last one out of the context.
 */
static const uint8_t *new_key(const struct wg_aead_job *jobs, uint32_t i)
{
	return i > 0 && jobs[i].key == jobs[i - 1].key ? NULL : jobs[i].key;
}

static bool seal_one(EVP_CIPHER_CTX *ctx, const struct wg_aead_job *j, const uint8_t *key,
		     const uint8_t *nonce)
{
	uint8_t *tag = j->data + j->len;
	int written;

	return crypto.EVP_EncryptInit_ex2(ctx, NULL, key, nonce, NULL) == 1 &&
	       crypto.EVP_EncryptUpdate(ctx, j->data, &written, j->data, (int)j->len) == 1 &&
	       crypto.EVP_EncryptFinal_ex(ctx, tag, &written) == 1 &&
	       crypto.EVP_CIPHER_CTX_ctrl(ctx, EVP_CTRL_AEAD_GET_TAG, (int)WG_TAG_LEN, tag) == 1;
}

static bool open_one(EVP_CIPHER_CTX *ctx, const struct wg_aead_job *j, const uint8_t *key,
		     const uint8_t *nonce)
{
	uint8_t *tag = j->data + j->len;
	int written;

	/* the tag is compared in constant time: CRYPTO_memcmp(3) */
	return crypto.EVP_DecryptInit_ex2(ctx, NULL, key, nonce, NULL) == 1 &&
	       crypto.EVP_CIPHER_CTX_ctrl(ctx, EVP_CTRL_AEAD_SET_TAG, (int)WG_TAG_LEN, tag) == 1 &&
	       crypto.EVP_DecryptUpdate(ctx, j->data, &written, j->data, (int)j->len) == 1 &&
	       crypto.EVP_DecryptFinal_ex(ctx, tag, &written) == 1;
}

static void seal(struct wg_aead *a, struct wg_aead_job *jobs, uint32_t n)
{
	uint8_t nonce[NONCE_LEN] = {0};

	for (uint32_t i = 0; i < n; i++) {
		wg_store_le64(nonce + 4, jobs[i].counter);
		/* no plaintext leaves, whatever happens to the library */
		if (!seal_one(a->sealer, &jobs[i], new_key(jobs, i), nonce))
			sodium_memzero(jobs[i].data, (size_t)jobs[i].len + WG_TAG_LEN);
	}
	if (n > 0)
		crypto.EVP_EncryptInit_ex2(a->sealer, NULL, zeroes, NULL, NULL);
}

static void unseal(struct wg_aead *a, struct wg_aead_job *jobs, uint32_t n)
{
	uint8_t nonce[NONCE_LEN] = {0};

	for (uint32_t i = 0; i < n; i++) {
		wg_store_le64(nonce + 4, jobs[i].counter);
		jobs[i].ok = open_one(a->opener, &jobs[i], new_key(jobs, i), nonce);
	}
	if (n > 0)
		crypto.EVP_DecryptInit_ex2(a->opener, NULL, zeroes, NULL, NULL);
}

const struct wg_aead_engine wg_aead_openssl = {
	.name = "openssl",
	.usable = usable,
	.create = create,
	.destroy = destroy,
	.seal = seal,
	.open = unseal,
};
