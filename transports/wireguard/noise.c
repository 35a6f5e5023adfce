/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * noise: Noise_IKpsk2 as the whitepaper has it in section 5.4.
 *
 * Each step works on a copy of the handshake and puts it in place when all has verified, so that a
 * forged message leaves nothing behind.
 */
#include "noise.h"

#include <sodium.h>

#include "blake2s.h"
#include "x25519.h"

static const uint8_t zero_nonce[crypto_aead_chacha20poly1305_ietf_NPUBBYTES];

static void clamp(uint8_t key[WG_KEY_LEN])
{
	key[0] &= 248;
	key[31] = (uint8_t)((key[31] & 127) | 64);
}

void wg_identity_set(struct wg_identity *id, const uint8_t private_key[WG_KEY_LEN])
{
	struct wg_identity next = {0};
	if (!sodium_is_zero(private_key, WG_KEY_LEN)) {
		memcpy(next.private_key, private_key, WG_KEY_LEN);
		clamp(next.private_key);
		wg_x25519_base(next.public_key, next.private_key);
		next.set = true;
	}
	*id = next;
	sodium_memzero(&next, sizeof(next));
}

bool wg_dh(uint8_t out[WG_KEY_LEN], const uint8_t private_key[WG_KEY_LEN],
	   const uint8_t public_key[WG_KEY_LEN])
{
	/* libsodium looks for low-order points itself, but how is its own business: ask again */
	int rc = crypto_scalarmult_curve25519(out, private_key, public_key);
	if (rc == 0 && !sodium_is_zero(out, WG_KEY_LEN))
		return true;
	sodium_memzero(out, WG_KEY_LEN);
	return false;
}

void wg_noise_init(struct wg_noise *n, const struct wg_identity *id,
		   const uint8_t remote_static[WG_KEY_LEN], const uint8_t psk[WG_KEY_LEN])
{
	memset(n, 0, sizeof(*n));
	memcpy(n->remote_static, remote_static, WG_KEY_LEN);
	if (psk != NULL)
		memcpy(n->psk, psk, WG_KEY_LEN);
	wg_noise_set_identity(n, id);
}

void wg_noise_set_identity(struct wg_noise *n, const struct wg_identity *id)
{
	wg_noise_clear(n);
	sodium_memzero(n->static_static, sizeof(n->static_static));
	n->usable = id->set && wg_dh(n->static_static, id->private_key, n->remote_static);
}

void wg_noise_clear(struct wg_noise *n)
{
	n->state = WG_NOISE_NONE;
	sodium_memzero(n->ephemeral_private, sizeof(n->ephemeral_private));
	sodium_memzero(n->remote_ephemeral, sizeof(n->remote_ephemeral));
	sodium_memzero(n->hash, sizeof(n->hash));
	sodium_memzero(n->chaining_key, sizeof(n->chaining_key));
	n->local_index = 0;
	n->remote_index = 0;
}

static void store_be(uint8_t *p, uint64_t v, size_t len)
{
	for (size_t i = len; i-- > 0; v >>= 8)
		p[i] = (uint8_t)v;
}

void wg_timestamp(uint8_t out[WG_TIMESTAMP_LEN], uint64_t wall_ns)
{
	/* TAI64's epoch, and the 10 s by which TAI was ahead of UTC in 1970 */
	store_be(out, UINT64_C(0x400000000000000a) + wall_ns / WG_SECOND, 8);
	store_be(out + 8, wall_ns % WG_SECOND & ~UINT64_C(0xffffff), 4);
}

static void mix_hash(uint8_t hash[WG_HASH_LEN], const void *data, size_t len)
{
	wg_hash(hash, hash, WG_HASH_LEN, data, len);
}

/* How every handshake begins: by naming the protocol and who is asked. */
static void begin(uint8_t hash[WG_HASH_LEN], uint8_t chaining_key[WG_HASH_LEN],
		  const uint8_t responder[WG_KEY_LEN])
{
	wg_hash(chaining_key, WG_CONSTRUCTION, sizeof(WG_CONSTRUCTION) - 1, NULL, 0);
	wg_hash(hash, chaining_key, WG_HASH_LEN, WG_IDENTIFIER, sizeof(WG_IDENTIFIER) - 1);
	mix_hash(hash, responder, WG_KEY_LEN);
}

/* A public ephemeral key that goes over the wire. */
static void mix_ephemeral(uint8_t hash[WG_HASH_LEN], uint8_t chaining_key[WG_HASH_LEN],
			  const uint8_t ephemeral[WG_KEY_LEN])
{
	mix_hash(hash, ephemeral, WG_KEY_LEN);
	wg_kdf(chaining_key, NULL, NULL, chaining_key, ephemeral, WG_KEY_LEN);
}

/* The result of a Diffie-Hellman; `key`, the key that comes of it, may be NULL. */
static bool mix_dh(uint8_t chaining_key[WG_HASH_LEN], uint8_t *key,
		   const uint8_t private_key[WG_KEY_LEN], const uint8_t public_key[WG_KEY_LEN])
{
	uint8_t shared[WG_KEY_LEN];
	bool ok = wg_dh(shared, private_key, public_key);
	if (ok)
		wg_kdf(chaining_key, key, NULL, chaining_key, shared, sizeof(shared));
	sodium_memzero(shared, sizeof(shared));
	return ok;
}

/* Writes len + WG_TAG_LEN bytes and mixes them in. Each key seals once, so that the nonce is zero. */
static void seal(uint8_t *out, const uint8_t key[WG_KEY_LEN], uint8_t hash[WG_HASH_LEN],
		 const void *plain, size_t len)
{
	(void)crypto_aead_chacha20poly1305_ietf_encrypt(out, NULL, plain, len, hash, WG_HASH_LEN,
							NULL, zero_nonce, key);
	mix_hash(hash, out, len + WG_TAG_LEN);
}

/* The reverse: `len` is the plaintext's. False when the tag does not verify. */
static bool unseal(uint8_t *out, const uint8_t key[WG_KEY_LEN], uint8_t hash[WG_HASH_LEN],
		   const uint8_t *sealed, size_t len)
{
	if (crypto_aead_chacha20poly1305_ietf_decrypt(out, NULL, NULL, sealed, len + WG_TAG_LEN,
						      hash, WG_HASH_LEN, zero_nonce, key) != 0)
		return false;
	mix_hash(hash, sealed, len + WG_TAG_LEN);
	return true;
}

static void take_ephemeral(struct wg_noise *n, const uint8_t ephemeral[WG_KEY_LEN],
			   uint8_t public_key[WG_KEY_LEN])
{
	memcpy(n->ephemeral_private, ephemeral, WG_KEY_LEN);
	clamp(n->ephemeral_private);
	wg_x25519_base(public_key, n->ephemeral_private);
	mix_ephemeral(n->hash, n->chaining_key, public_key);
}

bool wg_noise_create_initiation(struct wg_noise *n, const struct wg_identity *id,
				const uint8_t ephemeral[WG_KEY_LEN],
				const uint8_t timestamp[WG_TIMESTAMP_LEN], uint32_t local_index,
				struct wg_msg_initiation *msg)
{
	if (!id->set || !n->usable)
		return false;

	struct wg_noise next = *n;
	struct wg_msg_initiation out = {0};
	uint8_t key[WG_KEY_LEN];
	wg_noise_clear(&next);
	begin(next.hash, next.chaining_key, next.remote_static);
	take_ephemeral(&next, ephemeral, out.ephemeral);

	bool ok = mix_dh(next.chaining_key, key, next.ephemeral_private, next.remote_static);
	if (ok) {
		seal(out.encrypted_static, key, next.hash, id->public_key, WG_KEY_LEN);
		wg_kdf(next.chaining_key, key, NULL, next.chaining_key, next.static_static,
		       WG_KEY_LEN);
		seal(out.encrypted_timestamp, key, next.hash, timestamp, WG_TIMESTAMP_LEN);
		wg_store_le32(out.type, WG_TYPE_INITIATION);
		wg_store_le32(out.sender, local_index);
		next.local_index = local_index;
		next.state = WG_NOISE_INITIATION_CREATED;
		*n = next;
		*msg = out;
	}
	sodium_memzero(key, sizeof(key));
	sodium_memzero(&next, sizeof(next));
	return ok;
}

bool wg_noise_open_initiation(const struct wg_identity *id, const struct wg_msg_initiation *msg,
			      struct wg_initiation *out)
{
	if (!id->set)
		return false;

	struct wg_initiation next;
	uint8_t key[WG_KEY_LEN];
	begin(next.hash, next.chaining_key, id->public_key);
	memcpy(next.remote_ephemeral, msg->ephemeral, WG_KEY_LEN);
	mix_ephemeral(next.hash, next.chaining_key, next.remote_ephemeral);
	next.sender = wg_load_le32(msg->sender);

	bool ok = mix_dh(next.chaining_key, key, id->private_key, next.remote_ephemeral) &&
		  unseal(next.remote_static, key, next.hash, msg->encrypted_static, WG_KEY_LEN);
	if (ok)
		*out = next;
	sodium_memzero(key, sizeof(key));
	sodium_memzero(&next, sizeof(next));
	return ok;
}

/* An initiation that verifies may still be a recorded one, or come too fast. */
static enum wg_noise_verdict judge(const struct wg_noise *n,
				   const uint8_t timestamp[WG_TIMESTAMP_LEN], uint64_t now_ns)
{
	if (memcmp(timestamp, n->latest_timestamp, WG_TIMESTAMP_LEN) <= 0)
		return WG_NOISE_OLD_TIMESTAMP;
	/* lanes read the clock at different times: now may lie a little before the last one */
	if (n->last_initiation_ns != 0 && now_ns < n->last_initiation_ns + WG_INITIATION_INTERVAL)
		return WG_NOISE_TOO_SOON;
	return WG_NOISE_OK;
}

enum wg_noise_verdict wg_noise_accept_initiation(struct wg_noise *n, const struct wg_identity *id,
						 const struct wg_msg_initiation *msg,
						 const struct wg_initiation *in, uint64_t now_ns)
{
	if (!id->set || !n->usable)
		return WG_NOISE_BAD;

	struct wg_initiation next = *in;
	uint8_t key[WG_KEY_LEN];
	uint8_t timestamp[WG_TIMESTAMP_LEN];
	enum wg_noise_verdict verdict = WG_NOISE_BAD;
	wg_kdf(next.chaining_key, key, NULL, next.chaining_key, n->static_static, WG_KEY_LEN);
	if (unseal(timestamp, key, next.hash, msg->encrypted_timestamp, sizeof(timestamp)))
		verdict = judge(n, timestamp, now_ns);
	if (verdict == WG_NOISE_OK) {
		/* local_index stays: it may be that of an initiation of ours, which this one now
		 * takes the place of, and the caller still has to give it back */
		sodium_memzero(n->ephemeral_private, sizeof(n->ephemeral_private));
		memcpy(n->remote_ephemeral, next.remote_ephemeral, WG_KEY_LEN);
		memcpy(n->hash, next.hash, WG_HASH_LEN);
		memcpy(n->chaining_key, next.chaining_key, WG_HASH_LEN);
		memcpy(n->latest_timestamp, timestamp, sizeof(timestamp));
		n->remote_index = next.sender;
		n->last_initiation_ns = now_ns == 0 ? 1 : now_ns; /* 0 says never */
		n->state = WG_NOISE_INITIATION_CONSUMED;
	}
	sodium_memzero(key, sizeof(key));
	sodium_memzero(timestamp, sizeof(timestamp));
	sodium_memzero(&next, sizeof(next));
	return verdict;
}

/* The preshared key goes in: leaves the key that seals the empty text. */
static void mix_psk(struct wg_noise *n, uint8_t key[WG_KEY_LEN])
{
	uint8_t tau[WG_HASH_LEN];
	wg_kdf(n->chaining_key, tau, key, n->chaining_key, n->psk, WG_KEY_LEN);
	mix_hash(n->hash, tau, sizeof(tau));
	sodium_memzero(tau, sizeof(tau));
}

bool wg_noise_create_response(struct wg_noise *n, const uint8_t ephemeral[WG_KEY_LEN],
			      uint32_t local_index, struct wg_msg_response *msg)
{
	if (n->state != WG_NOISE_INITIATION_CONSUMED)
		return false;

	struct wg_noise next = *n;
	struct wg_msg_response out = {0};
	take_ephemeral(&next, ephemeral, out.ephemeral);
	bool ok = mix_dh(next.chaining_key, NULL, next.ephemeral_private, next.remote_ephemeral) &&
		  mix_dh(next.chaining_key, NULL, next.ephemeral_private, next.remote_static);
	if (ok) {
		uint8_t key[WG_KEY_LEN];
		mix_psk(&next, key);
		seal(out.encrypted_nothing, key, next.hash, NULL, 0);
		sodium_memzero(key, sizeof(key));
		wg_store_le32(out.type, WG_TYPE_RESPONSE);
		wg_store_le32(out.sender, local_index);
		wg_store_le32(out.receiver, next.remote_index);
		next.local_index = local_index;
		next.state = WG_NOISE_RESPONSE_CREATED;
		*n = next;
		*msg = out;
	}
	sodium_memzero(&next, sizeof(next));
	return ok;
}

enum wg_noise_verdict wg_noise_consume_response(struct wg_noise *n, const struct wg_identity *id,
						const struct wg_msg_response *msg)
{
	if (n->state != WG_NOISE_INITIATION_CREATED)
		return WG_NOISE_UNEXPECTED;
	if (!id->set)
		return WG_NOISE_BAD;

	struct wg_noise next = *n;
	uint8_t key[WG_KEY_LEN];
	uint8_t nothing[1]; /* libsodium wants an address */
	memcpy(next.remote_ephemeral, msg->ephemeral, WG_KEY_LEN);
	mix_ephemeral(next.hash, next.chaining_key, next.remote_ephemeral);
	bool ok = mix_dh(next.chaining_key, NULL, next.ephemeral_private, next.remote_ephemeral) &&
		  mix_dh(next.chaining_key, NULL, id->private_key, next.remote_ephemeral);
	if (ok) {
		mix_psk(&next, key);
		ok = unseal(nothing, key, next.hash, msg->encrypted_nothing, 0);
		sodium_memzero(key, sizeof(key));
	}
	if (ok) {
		next.remote_index = wg_load_le32(msg->sender);
		next.state = WG_NOISE_RESPONSE_CONSUMED;
		*n = next;
	}
	sodium_memzero(&next, sizeof(next));
	return ok ? WG_NOISE_OK : WG_NOISE_BAD;
}

bool wg_noise_begin_session(struct wg_noise *n, struct wg_session_keys *out)
{
	if (n->state != WG_NOISE_RESPONSE_CREATED && n->state != WG_NOISE_RESPONSE_CONSUMED)
		return false;

	out->initiator = n->state == WG_NOISE_RESPONSE_CONSUMED;
	out->local_index = n->local_index;
	out->remote_index = n->remote_index;
	/* the first key is that of what the initiator sends */
	if (out->initiator)
		wg_kdf(out->send, out->receive, NULL, n->chaining_key, NULL, 0);
	else
		wg_kdf(out->receive, out->send, NULL, n->chaining_key, NULL, 0);
	wg_noise_clear(n);
	return true;
}
