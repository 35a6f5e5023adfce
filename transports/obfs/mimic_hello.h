/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * mimic_hello: what proves the key in a handshake that anybody may look at. The random and the session's id
 * of a ClientHello are one message, to others 64 random bytes:
 *
 *	nonce: 24 | XChaCha20-Poly1305( sender: 8 | number: 8 | time: 8 ) | tag: 16
 *
 * Numbers are little-endian, as veil has them; the time is in milliseconds since 1970-01-01 UTC. In the
 * place of both sides' "Finished" is a MAC over everything that was drawn for the handshake.
 */
#ifndef MIMIC_HELLO_H
#define MIMIC_HELLO_H

#include <stdbool.h>
#include <stdint.h>

#include "key.h"
#include "mimic_dtls.h"
#include "random.h"

struct mimic_keys {
	uint8_t hello[OBFS_KEY_LEN];
	uint8_t finished[OBFS_KEY_LEN];
};

struct mimic_greeting {
	uint64_t sender; /* a random number of one process and lane */
	uint64_t number; /* of its hellos */
	uint64_t time_ms;
};

/* The caller wipes *ret_keys with sodium_memzero(). [main] */
void mimic_hello_derive(const uint8_t root[OBFS_KEY_LEN], struct mimic_keys *ret_keys);

/* [lane] */
void mimic_hello_make(const struct mimic_keys *keys, struct obfs_random *random,
		      const struct mimic_greeting *g, uint8_t out[MIMIC_DTLS_HELLO]);

/* False: it is of somebody without the key. [any] */
bool mimic_hello_open(const struct mimic_keys *keys, const uint8_t hello[MIMIC_DTLS_HELLO],
		      struct mimic_greeting *ret_greeting);

enum mimic_side { MIMIC_CLIENT, MIMIC_SERVER };

/* What a side's Finished holds. [any] */
void mimic_hello_finish(const struct mimic_keys *keys, enum mimic_side side,
			const uint8_t hello[MIMIC_DTLS_HELLO],
			const uint8_t server_random[MIMIC_DTLS_RANDOM],
			uint8_t out[MIMIC_DTLS_FINISHED]);

#endif
