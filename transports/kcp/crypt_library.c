/* SPDX-License-Identifier: BSD-2-Clause */
#include "crypt_library.h"

#include <dlfcn.h>
#include <pthread.h>
#include <stdbool.h>
#include <string.h>

#define SONAME "libcrypto.so.3" /* OpenSSL 3 */

static struct kcp_libcrypto crypto;
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
	KCP_LIBCRYPTO_FUNCTIONS(FIND)
}

const struct kcp_libcrypto *kcp_crypt_library(const char **ret_why)
{
	pthread_once(&once, load);
	if (loaded)
		return &crypto;
	*ret_why = "libcrypto.so.3 (OpenSSL 3) is not here";
	return NULL;
}
