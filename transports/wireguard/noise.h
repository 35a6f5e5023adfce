/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * noise: the handshake Noise_IKpsk2 (whitepaper section 5.4). Only the cryptography and the state of
 * one handshake: who the peers are, when messages are sent, and locks are the caller's business.
 * Nothing here allocates. What fails leaves the handshake as it was. [any], under the caller's lock
 */
#ifndef WG_NOISE_H
#define WG_NOISE_H

#include <stdbool.h>

#include "message.h"

/* Our own key pair. */
struct wg_identity {
	uint8_t private_key[WG_KEY_LEN]; /* clamped, RFC 7748 section 5 */
	uint8_t public_key[WG_KEY_LEN];
	bool set; /* false: there is no key, and no handshake works */
};

enum wg_noise_state {
	WG_NOISE_NONE,
	WG_NOISE_INITIATION_CREATED,
	WG_NOISE_INITIATION_CONSUMED,
	WG_NOISE_RESPONSE_CREATED,
	WG_NOISE_RESPONSE_CONSUMED,
};

/* One peer's handshake. Zeroed, then wg_noise_init(). */
struct wg_noise {
	enum wg_noise_state state;
	bool usable; /* static_static is not all zero (no low-order point) */
	uint8_t remote_static[WG_KEY_LEN];
	uint8_t static_static[WG_KEY_LEN]; /* DH of both static keys, computed once */
	uint8_t psk[WG_KEY_LEN];           /* zero = none */
	uint8_t ephemeral_private[WG_KEY_LEN];
	uint8_t remote_ephemeral[WG_KEY_LEN];
	uint8_t hash[WG_HASH_LEN];
	uint8_t chaining_key[WG_HASH_LEN];
	uint32_t local_index;
	uint32_t remote_index;
	uint8_t latest_timestamp[WG_TIMESTAMP_LEN]; /* of the newest initiation accepted */
	uint64_t last_initiation_ns;                /* when that was, monotonic; 0 = never */
};

/* Keys of a session, from the side of who asks. Wipe after use. */
struct wg_session_keys {
	uint8_t send[WG_KEY_LEN];
	uint8_t receive[WG_KEY_LEN];
	uint32_t local_index;
	uint32_t remote_index;
	bool initiator;
};

/* What an initiation says before its peer is known. Wipe after use. */
struct wg_initiation {
	uint8_t remote_static[WG_KEY_LEN];
	uint8_t remote_ephemeral[WG_KEY_LEN];
	uint8_t hash[WG_HASH_LEN];
	uint8_t chaining_key[WG_HASH_LEN];
	uint32_t sender;
};

enum wg_noise_verdict {
	WG_NOISE_OK,
	WG_NOISE_BAD,           /* a tag does not verify, or a point is of low order */
	WG_NOISE_OLD_TIMESTAMP, /* not newer than the last one: a replay */
	WG_NOISE_TOO_SOON,      /* less than WG_INITIATION_INTERVAL after the last one */
	WG_NOISE_UNEXPECTED,    /* no initiation of ours waits for this response */
};

/* Clamps the key and computes its public key. A key of zeros unsets the identity. */
void wg_identity_set(struct wg_identity *id, const uint8_t private_key[WG_KEY_LEN]);

/* X25519. False when the result is all zero (a low-order point); `out` is then zeroed. */
bool wg_dh(uint8_t out[WG_KEY_LEN], const uint8_t private_key[WG_KEY_LEN],
	   const uint8_t public_key[WG_KEY_LEN]);

/* Begins with a peer's public key; psk NULL = none. */
void wg_noise_init(struct wg_noise *n, const struct wg_identity *id,
		   const uint8_t remote_static[WG_KEY_LEN], const uint8_t psk[WG_KEY_LEN]);

/* Our own key has changed: computes what depends on it and forgets a handshake under way. */
void wg_noise_set_identity(struct wg_noise *n, const struct wg_identity *id);

/* Forgets a handshake under way: state, ephemeral keys, hash, chaining key and indices. */
void wg_noise_clear(struct wg_noise *n);

/* TAI64N of a wall clock, whitened to 2^24 ns as other implementations do. */
void wg_timestamp(uint8_t out[WG_TIMESTAMP_LEN], uint64_t wall_ns);

/*
 * Writes an initiation but for its MACs. `ephemeral` is a fresh random key (clamped here). False when
 * there is no identity or the peer is not usable; nothing has changed then.
 */
bool wg_noise_create_initiation(struct wg_noise *n, const struct wg_identity *id,
				const uint8_t ephemeral[WG_KEY_LEN],
				const uint8_t timestamp[WG_TIMESTAMP_LEN], uint32_t local_index,
				struct wg_msg_initiation *msg);

/* Opens the sender's static key in an initiation whose mac1 is right. False: WG_NOISE_BAD. */
bool wg_noise_open_initiation(const struct wg_identity *id, const struct wg_msg_initiation *msg,
			      struct wg_initiation *out);

/* Goes on with the peer that has that static key. WG_NOISE_OK: the handshake of *n is in state
 * INITIATION_CONSUMED. now_ns is monotonic. */
enum wg_noise_verdict wg_noise_accept_initiation(struct wg_noise *n, const struct wg_identity *id,
						 const struct wg_msg_initiation *msg,
						 const struct wg_initiation *in, uint64_t now_ns);

/* Answers the consumed initiation, but for the MACs. False: wrong state or a low-order point. */
bool wg_noise_create_response(struct wg_noise *n, const uint8_t ephemeral[WG_KEY_LEN],
			      uint32_t local_index, struct wg_msg_response *msg);

/* Consumes the response to our initiation (its receiver index is ours already). */
enum wg_noise_verdict wg_noise_consume_response(struct wg_noise *n, const struct wg_identity *id,
						const struct wg_msg_response *msg);

/* The keys that the handshake has agreed on: after create_response or consume_response. Wipes the
 * handshake. False in any other state. */
bool wg_noise_begin_session(struct wg_noise *n, struct wg_session_keys *out);

#endif
