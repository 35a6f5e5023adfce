/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * aead: ChaCha20-Poly1305 (RFC 8439) over a batch of packets, in place. Three engines behind one
 * interface: libsodium (always there), OpenSSL's libcrypto, libipsec-mb; what is built in and what
 * the processor has decides, or the manifest's "aead". All give the same bytes.
 */
#ifndef WG_AEAD_H
#define WG_AEAD_H

#include <stdbool.h>
#include <vpncore/plugin.h>

#include "constants.h"

/* One packet. Jobs of one batch may have different keys. */
struct wg_aead_job {
	const uint8_t *key; /* WG_KEY_LEN bytes */
	uint64_t counter;   /* the nonce: four zero bytes, then this, little-endian */
	uint8_t *data;      /* plaintext or ciphertext, replaced in place; the tag stands behind it:
	                     * seal writes it at data + len, open reads it there */
	uint32_t len;       /* without the tag; may be 0 */
	uint32_t ok;        /* open: 1 when the tag is right, else 0, and the data is garbage */
};

struct wg_aead; /* an engine's state on one lane */

struct wg_aead_engine {
	const char *name; /* as in the manifest: "libsodium", "openssl", "ipsec-mb" */
	/* Whether it works here: the processor, the library at run time. [any] */
	bool (*usable)(void);
	/* [main]; NULL without memory. */
	struct wg_aead *(*create)(void);
	/* Wipes the keys that it keeps. Accepts NULL. [main] */
	void (*destroy)(struct wg_aead *a);
	/* Neither allocates, locks nor fails. n may be any number, also 0. [lane] */
	void (*seal)(struct wg_aead *a, struct wg_aead_job *jobs, uint32_t n);
	void (*open)(struct wg_aead *a, struct wg_aead_job *jobs, uint32_t n);
};

/* In the order of the option "aead". */
enum wg_aead_choice { WG_AEAD_AUTO, WG_AEAD_LIBSODIUM, WG_AEAD_OPENSSL, WG_AEAD_IPSEC_MB };

/* The engine that was chosen, or the fastest usable one for AUTO. NULL when the chosen one is not
 * built in or does not work here; *ret_why then says so. [any] */
const struct wg_aead_engine *wg_aead_choose(uint32_t choice, const char **ret_why);

/* All engines that are built in, for tests; NULL-terminated, fastest first. */
const struct wg_aead_engine *const *wg_aead_engines(void);

/* For aead.c alone; the last two are there when engines.cmake has found their libraries. */
extern const struct wg_aead_engine wg_aead_libsodium;
extern const struct wg_aead_engine wg_aead_openssl;
extern const struct wg_aead_engine wg_aead_ipsec_mb;

#endif
