/* SPDX-License-Identifier: BSD-2-Clause */
/* aead: which engine. */
#include "aead.h"

#include <stddef.h>

#ifdef WG_HAVE_IPSEC_MB
#define IPSEC_MB &wg_aead_ipsec_mb
#else
#define IPSEC_MB NULL
#endif
#ifdef WG_HAVE_OPENSSL
#define OPENSSL &wg_aead_openssl
#else
#define OPENSSL NULL
#endif

struct candidate {
	uint32_t choice;
	const struct wg_aead_engine *engine; /* NULL: not built in */
	const char *absent;
	const char *unusable;
};

/*
 * Fastest first, by tests/bench/micro_aead.c: ns to seal a packet of 64 / 512 / 1420 bytes in batches
 * of 46 on a processor with AVX-512, and with the libraries held to AVX2:
 *   ipsec-mb    100 / 245 /  415    AVX2: 200 / 390 / 960
 *   openssl     520 / 695 / 1040    AVX2: 310 / 470 / 980
 *   libsodium   255 / 445 / 1190          the same: its ChaCha20 stops at AVX2
 * libipsec-mb sets up quickly, so it leads at every size; with AVX2, where its Poly1305 is scalar,
 * it is still not behind. Older processors were not measured; there it counts as unusable.
 * libcrypto sets up slowly, but full packets decide the throughput; and it has code for other
 * processors than x86, where libsodium is plain C. A race at run time would tell less: other
 * programs' load would decide it.
 */
static const struct candidate candidates[] = {
	{WG_AEAD_IPSEC_MB, IPSEC_MB, "this build has no libipsec-mb",
	 "libipsec-mb does not start here: it needs a processor with AVX2"},
	{WG_AEAD_OPENSSL, OPENSSL, "this build has no libcrypto",
	 "libcrypto.so.3 is not installed, or offers no ChaCha20-Poly1305 (its FIPS provider does "
	 "not)"},
	{WG_AEAD_LIBSODIUM, &wg_aead_libsodium, "this build has no libsodium",
	 "libsodium does not start here"},
};
#define N_CANDIDATES (sizeof(candidates) / sizeof(candidates[0]))

const struct wg_aead_engine *wg_aead_choose(uint32_t choice, const char **ret_why)
{
	*ret_why = choice == WG_AEAD_AUTO ? "no engine works here" : "there is no such engine";
	for (size_t i = 0; i < N_CANDIDATES; i++) {
		const struct candidate *c = &candidates[i];
		if (choice != WG_AEAD_AUTO && choice != c->choice)
			continue;
		if (c->engine && c->engine->usable()) {
			*ret_why = NULL;
			return c->engine;
		}
		if (choice != WG_AEAD_AUTO)
			*ret_why = c->engine ? c->unusable : c->absent;
	}
	return NULL;
}

const struct wg_aead_engine *const *wg_aead_engines(void)
{
	static const struct wg_aead_engine *const engines[] = {
#ifdef WG_HAVE_IPSEC_MB
		&wg_aead_ipsec_mb,
#endif
#ifdef WG_HAVE_OPENSSL
		&wg_aead_openssl,
#endif
		&wg_aead_libsodium, NULL};
	return engines;
}
