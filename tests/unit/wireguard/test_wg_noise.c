/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The handshake.
 *
 * The messages and keys expected here come from a second implementation, written from the whitepaper in
 * Python with hashlib.blake2s, hmac, and X25519 and ChaCha20-Poly1305 of the package "cryptography":
 * nothing of it is shared with libb2 or libsodium. Its inputs are those of begin() below.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <sodium.h>

#include "blake2s.h"
#include "noise.h"

#define MACS      (2 * WG_MAC_LEN)
#define NOW       (1000 * WG_SECOND)
#define INITIATOR UINT32_C(0x01020304)
#define RESPONDER UINT32_C(0xf1e2d3c4)
#define EPHEMERAL 8u /* where it is in an initiation; only mac1 covers what is before it */

static const uint8_t timestamp[WG_TIMESTAMP_LEN] = {0x40, 0,    0,    0, 0x5f, 0x5e,
						    0x10, 0x0a, 0x1b, 0, 0,    0};

static const char expected_initiation[] =
	"0100000004030201883186b800b41d5cf0429695da9b3cc4f328ebcd184a6e48"
	"2fa578c103f06c77fa6ff1a71203eaf305dc6260f1911ba7d914db25d127ce39"
	"ef62f6c6467fb8a777377a28376c744882e58802dabbe0882d2440df2e6d468f"
	"54929ae005cdfc703e6fd9cde342f92c57ec1720";
static const char expected_response[] =
	"02000000c4d3e2f1040302013a553d74792d727efa9b9a4cde3da1ad93f1a2d0"
	"c09cb639b1a3c0fda14cbe24752c61170919e32775f5dbf7d1b9d7de";
static const char expected_first_key[] =
	"b2bb456e34e4cc3db62d65651da9f755d4ed41deece2ec61bc9007dce685dcd1";
static const char expected_second_key[] =
	"accfb37b5956b0685c9deb33a6bba810632ae0c17f1f553b7bb6bf4dd3ca4a8f";
/* with a preshared key of zeros */
static const char expected_plain_response[] =
	"02000000c4d3e2f1040302013a553d74792d727efa9b9a4cde3da1ad93f1a2d0"
	"c09cb639b1a3c0fda14cbe24093b1f7d4438cf28d009d480e38dd32a";
static const char expected_plain_first_key[] =
	"68d9a7877b387087ae50d6ba04dbd0f8063ef17104cbe181ae30407e32d83dee";

/* Both ends, and what is between them. */
struct pair {
	struct wg_identity id_i;
	struct wg_identity id_r;
	struct wg_noise i;
	struct wg_noise r;
	uint8_t ephemeral_i[WG_KEY_LEN];
	uint8_t ephemeral_r[WG_KEY_LEN];
	struct wg_msg_initiation initiation;
	struct wg_msg_response response;
	struct wg_session_keys keys_i;
	struct wg_session_keys keys_r;
};

static void count_from(uint8_t key[WG_KEY_LEN], uint8_t first)
{
	for (uint32_t i = 0; i < WG_KEY_LEN; i++)
		key[i] = (uint8_t)(first + i);
}

static struct pair begin(void)
{
	struct pair p = {0};
	uint8_t key[WG_KEY_LEN];
	count_from(key, 0x01);
	wg_identity_set(&p.id_i, key);
	count_from(key, 0x41);
	wg_identity_set(&p.id_r, key);
	count_from(p.ephemeral_i, 0x81);
	count_from(p.ephemeral_r, 0xc1);
	count_from(key, 0x20);
	wg_noise_init(&p.i, &p.id_i, p.id_r.public_key, key);
	wg_noise_init(&p.r, &p.id_r, p.id_i.public_key, key);
	return p;
}

static bool initiate(struct pair *p)
{
	return wg_noise_create_initiation(&p->i, &p->id_i, p->ephemeral_i, timestamp, INITIATOR,
					  &p->initiation);
}

static enum wg_noise_verdict receive_initiation(struct pair *p, const struct wg_msg_initiation *msg,
						uint64_t now_ns)
{
	struct wg_initiation in;
	if (!wg_noise_open_initiation(&p->id_r, msg, &in))
		return WG_NOISE_BAD;
	return wg_noise_accept_initiation(&p->r, &p->id_r, msg, &in, now_ns);
}

static bool respond(struct pair *p)
{
	return wg_noise_create_response(&p->r, p->ephemeral_r, RESPONDER, &p->response);
}

/* An initiation with that timestamp, from another instance of the same initiator. */
static enum wg_noise_verdict initiate_at(struct pair *p, const uint8_t ts[WG_TIMESTAMP_LEN],
					 uint64_t now_ns)
{
	assert_true(wg_noise_create_initiation(&p->i, &p->id_i, p->ephemeral_i, ts, INITIATOR,
					       &p->initiation));
	return receive_initiation(p, &p->initiation, now_ns);
}

static void up_to_response(struct pair *p)
{
	assert_true(initiate(p));
	assert_int_equal(receive_initiation(p, &p->initiation, NOW), WG_NOISE_OK);
	assert_true(respond(p));
}

static void finish(struct pair *p)
{
	assert_int_equal(wg_noise_consume_response(&p->i, &p->id_i, &p->response), WG_NOISE_OK);
	assert_true(wg_noise_begin_session(&p->i, &p->keys_i));
	assert_true(wg_noise_begin_session(&p->r, &p->keys_r));
}

static void assert_hex(const void *got, size_t len, const char *expected)
{
	char text[2 * 148 + 1];
	assert_string_equal(sodium_bin2hex(text, sizeof(text), got, len), expected);
}

static void assert_session(const struct pair *p)
{
	assert_memory_equal(p->keys_i.send, p->keys_r.receive, WG_KEY_LEN);
	assert_memory_equal(p->keys_i.receive, p->keys_r.send, WG_KEY_LEN);
	assert_memory_not_equal(p->keys_i.send, p->keys_i.receive, WG_KEY_LEN);
	assert_true(p->keys_i.initiator);
	assert_false(p->keys_r.initiator);
	assert_int_equal(p->keys_i.local_index, INITIATOR);
	assert_int_equal(p->keys_i.remote_index, RESPONDER);
	assert_int_equal(p->keys_r.local_index, RESPONDER);
	assert_int_equal(p->keys_r.remote_index, INITIATOR);
}

static void speaks_the_protocol_byte_for_byte(void **state)
{
	struct pair p = begin();
	(void)state;
	assert_hex(p.id_i.public_key, 32,
		   "07a37cbc142093c8b755dc1b10e86cb426374ad16aa853ed0bdfc0b2b86d1c7c");
	assert_hex(p.id_r.public_key, 32,
		   "64b101b1d0be5a8704bd078f9895001fc03e8e9f9522f188dd128d9846d48466");
	up_to_response(&p);
	assert_hex(&p.initiation, sizeof(p.initiation) - MACS, expected_initiation);
	assert_hex(&p.response, sizeof(p.response) - MACS, expected_response);
	finish(&p);
	assert_session(&p);
	assert_hex(p.keys_i.send, WG_KEY_LEN, expected_first_key);
	assert_hex(p.keys_i.receive, WG_KEY_LEN, expected_second_key);
}

static void speaks_it_without_a_preshared_key(void **state)
{
	struct pair p = begin();
	(void)state;
	wg_noise_init(&p.i, &p.id_i, p.id_r.public_key, NULL);
	wg_noise_init(&p.r, &p.id_r, p.id_i.public_key, NULL);
	up_to_response(&p);
	assert_hex(&p.initiation, sizeof(p.initiation) - MACS, expected_initiation);
	assert_hex(&p.response, sizeof(p.response) - MACS, expected_plain_response);
	finish(&p);
	assert_session(&p);
	assert_hex(p.keys_i.send, WG_KEY_LEN, expected_plain_first_key);
}

static void tells_who_asks_and_wipes_when_done(void **state)
{
	struct pair p = begin();
	struct wg_initiation in;
	(void)state;
	assert_true(initiate(&p));
	assert_int_equal(p.i.state, WG_NOISE_INITIATION_CREATED);
	assert_true(wg_noise_open_initiation(&p.id_r, &p.initiation, &in));
	assert_memory_equal(in.remote_static, p.id_i.public_key, WG_KEY_LEN);
	assert_int_equal(in.sender, INITIATOR);
	assert_int_equal(receive_initiation(&p, &p.initiation, NOW), WG_NOISE_OK);
	assert_int_equal(p.r.state, WG_NOISE_INITIATION_CONSUMED);
	assert_int_equal(p.r.remote_index, INITIATOR);
	assert_memory_equal(p.r.latest_timestamp, timestamp, WG_TIMESTAMP_LEN);
	assert_true(p.r.last_initiation_ns == NOW);
	assert_true(respond(&p));
	assert_int_equal(p.r.state, WG_NOISE_RESPONSE_CREATED);
	finish(&p);
	struct wg_noise *ends[] = {&p.i, &p.r};
	for (int e = 0; e < 2; e++) {
		assert_int_equal(ends[e]->state, WG_NOISE_NONE);
		assert_true(sodium_is_zero(ends[e]->ephemeral_private, WG_KEY_LEN));
		assert_true(sodium_is_zero(ends[e]->remote_ephemeral, WG_KEY_LEN));
		assert_true(sodium_is_zero(ends[e]->hash, WG_HASH_LEN));
		assert_true(sodium_is_zero(ends[e]->chaining_key, WG_HASH_LEN));
		assert_int_equal(ends[e]->local_index, 0);
		assert_int_equal(ends[e]->remote_index, 0);
		assert_true(ends[e]->usable);
	}
	assert_memory_equal(p.r.latest_timestamp, timestamp, WG_TIMESTAMP_LEN);
}

static void different_preshared_keys_agree_on_nothing(void **state)
{
	struct pair p = begin();
	(void)state;
	p.r.psk[31] ^= 1;
	up_to_response(&p);
	struct wg_noise before = p.i;
	assert_int_equal(wg_noise_consume_response(&p.i, &p.id_i, &p.response), WG_NOISE_BAD);
	assert_memory_equal(&p.i, &before, sizeof(before));
}

static void refuses_each_flip_of_an_initiation(void **state)
{
	struct pair p = begin();
	(void)state;
	assert_true(initiate(&p));
	struct wg_noise before = p.r;
	for (size_t at = EPHEMERAL; at < sizeof(p.initiation) - MACS; at++)
		for (uint32_t bit = 0; bit < 8; bit++) {
			struct wg_msg_initiation forged = p.initiation;
			((uint8_t *)&forged)[at] ^= (uint8_t)(1 << bit);
			if (receive_initiation(&p, &forged, NOW) != WG_NOISE_BAD)
				fail_msg("byte %zu, bit %u", at, bit);
			assert_memory_equal(&p.r, &before, sizeof(before));
		}
	assert_int_equal(receive_initiation(&p, &p.initiation, NOW), WG_NOISE_OK);
}

static void an_initiation_that_does_not_open_tells_nothing(void **state)
{
	struct pair p = begin();
	struct wg_initiation in;
	struct wg_initiation before;
	(void)state;
	assert_true(initiate(&p));
	memset(&in, 0xa5, sizeof(in));
	before = in;
	p.initiation.encrypted_static[3] ^= 1;
	assert_false(wg_noise_open_initiation(&p.id_r, &p.initiation, &in));
	assert_memory_equal(&in, &before, sizeof(in));
}

static void refuses_each_flip_of_a_response(void **state)
{
	struct pair p = begin();
	(void)state;
	up_to_response(&p);
	struct wg_noise before = p.i;
	for (size_t at = offsetof(struct wg_msg_response, ephemeral);
	     at < sizeof(p.response) - MACS; at++)
		for (uint32_t bit = 0; bit < 8; bit++) {
			struct wg_msg_response forged = p.response;
			((uint8_t *)&forged)[at] ^= (uint8_t)(1 << bit);
			if (wg_noise_consume_response(&p.i, &p.id_i, &forged) != WG_NOISE_BAD)
				fail_msg("byte %zu, bit %u", at, bit);
			assert_memory_equal(&p.i, &before, sizeof(before));
		}
	finish(&p);
	assert_session(&p);
}

static void refuses_an_initiation_meant_for_another_or_of_another(void **state)
{
	struct pair p = begin();
	struct wg_identity other = {0};
	struct wg_initiation in;
	uint8_t key[WG_KEY_LEN];
	(void)state;
	assert_true(initiate(&p));
	count_from(key, 0x55);
	wg_identity_set(&other, key);
	assert_false(wg_noise_open_initiation(&other, &p.initiation, &in));

	/* opened well, but handed to the handshake of another peer */
	assert_true(wg_noise_open_initiation(&p.id_r, &p.initiation, &in));
	wg_noise_init(&p.r, &p.id_r, other.public_key, NULL);
	struct wg_noise before = p.r;
	assert_int_equal(wg_noise_accept_initiation(&p.r, &p.id_r, &p.initiation, &in, NOW),
			 WG_NOISE_BAD);
	assert_memory_equal(&p.r, &before, sizeof(before));
}

static void refuses_a_replayed_or_older_timestamp(void **state)
{
	struct pair p = begin();
	uint8_t ts[WG_TIMESTAMP_LEN];
	(void)state;
	assert_int_equal(initiate_at(&p, timestamp, NOW), WG_NOISE_OK);
	struct wg_noise before = p.r;
	uint64_t later = NOW + 10 * WG_SECOND;
	assert_int_equal(receive_initiation(&p, &p.initiation, later), WG_NOISE_OLD_TIMESTAMP);
	for (uint32_t at = 0; at < WG_TIMESTAMP_LEN; at++) {
		memcpy(ts, timestamp, sizeof(ts));
		if (ts[at] == 0)
			continue;
		ts[at]--;
		assert_int_equal(initiate_at(&p, ts, later), WG_NOISE_OLD_TIMESTAMP);
	}
	assert_memory_equal(&p.r, &before, sizeof(before));
	for (uint32_t at = WG_TIMESTAMP_LEN; at-- > 0; later += WG_SECOND) {
		memcpy(ts, timestamp, sizeof(ts));
		ts[at]++; /* newer, whatever follows */
		assert_int_equal(initiate_at(&p, ts, later), WG_NOISE_OK);
	}
	/* a timestamp of zeros is not newer than none */
	struct pair fresh = begin();
	memset(ts, 0, sizeof(ts));
	assert_int_equal(initiate_at(&fresh, ts, NOW), WG_NOISE_OLD_TIMESTAMP);
}

static void refuses_two_initiations_within_20_ms(void **state)
{
	struct pair p = begin();
	uint8_t newer[WG_TIMESTAMP_LEN];
	(void)state;
	memcpy(newer, timestamp, sizeof(newer));
	newer[7]++;
	assert_int_equal(initiate_at(&p, timestamp, NOW), WG_NOISE_OK);
	struct wg_noise before = p.r;
	assert_int_equal(initiate_at(&p, newer, NOW + 20 * WG_MS - 1), WG_NOISE_TOO_SOON);
	assert_int_equal(initiate_at(&p, newer, NOW), WG_NOISE_TOO_SOON);
	assert_int_equal(initiate_at(&p, newer, NOW - 1), WG_NOISE_TOO_SOON);
	/* both: the timestamp is what is told; a tag that does not verify comes before all */
	assert_int_equal(initiate_at(&p, timestamp, NOW + 1), WG_NOISE_OLD_TIMESTAMP);
	p.initiation.encrypted_timestamp[0] ^= 1;
	assert_int_equal(receive_initiation(&p, &p.initiation, NOW + 1), WG_NOISE_BAD);
	assert_memory_equal(&p.r, &before, sizeof(before));
	/* what was refused does not count */
	assert_int_equal(initiate_at(&p, newer, NOW + 20 * WG_MS), WG_NOISE_OK);
}

static void the_first_initiation_may_come_at_any_time(void **state)
{
	struct pair p = begin();
	uint8_t newer[WG_TIMESTAMP_LEN];
	(void)state;
	memcpy(newer, timestamp, sizeof(newer));
	newer[7]++;
	assert_int_equal(initiate_at(&p, timestamp, 0), WG_NOISE_OK);
	assert_int_equal(initiate_at(&p, newer, 1), WG_NOISE_TOO_SOON);
	p = begin();
	assert_int_equal(initiate_at(&p, timestamp, 1), WG_NOISE_OK);
}

/* Points whose product with any clamped key is zero: all below 2^255, canonical or not. */
static const char *const low_order[] = {
	"0000000000000000000000000000000000000000000000000000000000000000",
	"0100000000000000000000000000000000000000000000000000000000000000",
	"e0eb7a7c3b41b8ae1656e3faf19fc46ada098deb9c32b1fd866205165f49b800",
	"5f9c95bca3508c24b1d0b1559c83ef5b04445cc4581c8e86d8224eddd09f1157",
	"ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
	"edffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
	"eeffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
};
#define LOW_ORDER 14u /* each also with the bit that X25519 leaves out */

static void low_order_point(uint8_t point[WG_KEY_LEN], uint32_t i)
{
	sodium_hex2bin(point, WG_KEY_LEN, low_order[i / 2], 64, NULL, NULL, NULL);
	point[31] |= (uint8_t)((i & 1) << 7);
}

static void a_peer_of_low_order_is_not_usable(void **state)
{
	(void)state;
	for (uint32_t i = 0; i < LOW_ORDER; i++) {
		struct pair p = begin();
		uint8_t point[WG_KEY_LEN];
		uint8_t out[WG_KEY_LEN];
		low_order_point(point, i);
		memset(out, 1, sizeof(out));
		assert_false(wg_dh(out, p.id_i.private_key, point));
		assert_true(sodium_is_zero(out, sizeof(out)));

		wg_noise_init(&p.i, &p.id_i, point, NULL);
		assert_false(p.i.usable);
		assert_true(sodium_is_zero(p.i.static_static, WG_KEY_LEN));
		struct wg_noise before = p.i;
		struct wg_msg_initiation msg = p.initiation;
		assert_false(initiate(&p));
		assert_memory_equal(&p.i, &before, sizeof(before));
		assert_memory_equal(&p.initiation, &msg, sizeof(msg));
	}
}

/* With an ephemeral key of low order both know the shared secret, zero: so anybody could seal a static
 * key of their choice. */
static void refuses_a_sealed_static_key_under_a_low_order_ephemeral(void **state)
{
	struct pair p = begin();
	(void)state;
	for (uint32_t i = 0; i < LOW_ORDER; i++) {
		struct wg_msg_initiation msg = {0};
		struct wg_initiation in;
		uint8_t ck[WG_HASH_LEN];
		uint8_t h[WG_HASH_LEN];
		uint8_t key[WG_KEY_LEN];
		static const uint8_t zeros[WG_KEY_LEN];
		low_order_point(msg.ephemeral, i);
		wg_hash(ck, WG_CONSTRUCTION, strlen(WG_CONSTRUCTION), NULL, 0);
		wg_hash(h, ck, sizeof(ck), WG_IDENTIFIER, strlen(WG_IDENTIFIER));
		wg_hash(h, h, sizeof(h), p.id_r.public_key, WG_KEY_LEN);
		wg_hash(h, h, sizeof(h), msg.ephemeral, WG_KEY_LEN);
		wg_kdf(ck, NULL, NULL, ck, msg.ephemeral, WG_KEY_LEN);
		wg_kdf(ck, key, NULL, ck, zeros, WG_KEY_LEN);
		crypto_aead_chacha20poly1305_ietf_encrypt(msg.encrypted_static, NULL,
							  p.id_i.public_key, WG_KEY_LEN, h,
							  sizeof(h), NULL, zeros, key);
		assert_false(wg_noise_open_initiation(&p.id_r, &msg, &in));
	}
}

static void refuses_a_response_with_a_low_order_ephemeral(void **state)
{
	(void)state;
	for (uint32_t i = 0; i < LOW_ORDER; i++) {
		struct pair p = begin();
		static const uint8_t zeros[WG_KEY_LEN];
		uint8_t h[WG_HASH_LEN];
		uint8_t ck[WG_HASH_LEN];
		uint8_t tau[WG_HASH_LEN];
		uint8_t key[WG_KEY_LEN];
		assert_true(initiate(&p));
		low_order_point(p.response.ephemeral, i);
		/* the right tag for it, made with what only the initiator knows */
		wg_hash(h, p.i.hash, sizeof(h), p.response.ephemeral, WG_KEY_LEN);
		wg_kdf(ck, NULL, NULL, p.i.chaining_key, p.response.ephemeral, WG_KEY_LEN);
		wg_kdf(ck, NULL, NULL, ck, zeros, WG_KEY_LEN);
		wg_kdf(ck, NULL, NULL, ck, zeros, WG_KEY_LEN);
		wg_kdf(ck, tau, key, ck, p.i.psk, WG_KEY_LEN);
		wg_hash(h, h, sizeof(h), tau, sizeof(tau));
		crypto_aead_chacha20poly1305_ietf_encrypt(p.response.encrypted_nothing, NULL, NULL,
							  0, h, sizeof(h), NULL, zeros, key);
		struct wg_noise before = p.i;
		assert_int_equal(wg_noise_consume_response(&p.i, &p.id_i, &p.response),
				 WG_NOISE_BAD);
		assert_memory_equal(&p.i, &before, sizeof(before));
	}
}

static void answers_no_low_order_ephemeral(void **state)
{
	struct pair p = begin();
	(void)state;
	assert_true(initiate(&p));
	assert_int_equal(receive_initiation(&p, &p.initiation, NOW), WG_NOISE_OK);
	low_order_point(p.r.remote_ephemeral, 4);
	struct wg_noise before = p.r;
	assert_false(respond(&p));
	assert_memory_equal(&p.r, &before, sizeof(before));
	assert_true(sodium_is_zero((const uint8_t *)&p.response, sizeof(p.response)));
}

static void each_step_has_its_state(void **state)
{
	struct pair p = begin();
	(void)state;
	assert_false(respond(&p));
	assert_false(wg_noise_begin_session(&p.i, &p.keys_i));
	assert_true(initiate(&p));
	assert_false(wg_noise_begin_session(&p.i, &p.keys_i));
	assert_int_equal(receive_initiation(&p, &p.initiation, NOW), WG_NOISE_OK);
	assert_false(wg_noise_begin_session(&p.r, &p.keys_r));
	assert_true(respond(&p));
	assert_false(respond(&p)); /* one answer for one question */
	struct wg_noise before = p.r;
	assert_int_equal(wg_noise_consume_response(&p.r, &p.id_r, &p.response),
			 WG_NOISE_UNEXPECTED);
	assert_memory_equal(&p.r, &before, sizeof(before));
	finish(&p);
	assert_false(wg_noise_begin_session(&p.i, &p.keys_i));
	assert_false(wg_noise_begin_session(&p.r, &p.keys_r));
	assert_int_equal(wg_noise_consume_response(&p.i, &p.id_i, &p.response),
			 WG_NOISE_UNEXPECTED);
}

static void a_response_is_good_once(void **state)
{
	struct pair p = begin();
	(void)state;
	up_to_response(&p);
	assert_int_equal(wg_noise_consume_response(&p.i, &p.id_i, &p.response), WG_NOISE_OK);
	assert_int_equal(wg_noise_consume_response(&p.i, &p.id_i, &p.response),
			 WG_NOISE_UNEXPECTED);
}

static void a_response_to_an_earlier_initiation_is_refused(void **state)
{
	struct pair p = begin();
	(void)state;
	up_to_response(&p);
	p.ephemeral_i[5] ^= 1;
	assert_true(initiate(&p));
	assert_int_equal(wg_noise_consume_response(&p.i, &p.id_i, &p.response), WG_NOISE_BAD);
	assert_int_equal(p.i.state, WG_NOISE_INITIATION_CREATED);
}

/* Both ask at once: who takes the other's initiation drops its own, but not the index it has. */
static void an_initiation_of_the_peer_replaces_our_own(void **state)
{
	struct pair p = begin();
	struct wg_msg_initiation ours;
	(void)state;
	assert_true(wg_noise_create_initiation(&p.r, &p.id_r, p.ephemeral_r, timestamp, 77, &ours));
	assert_true(initiate(&p));
	assert_int_equal(receive_initiation(&p, &p.initiation, NOW), WG_NOISE_OK);
	assert_int_equal(p.r.local_index, 77);
	assert_true(sodium_is_zero(p.r.ephemeral_private, WG_KEY_LEN));
	assert_true(respond(&p));
	finish(&p);
	assert_session(&p);
}

static void without_a_key_nothing_works(void **state)
{
	struct pair p = begin();
	struct wg_initiation in;
	uint8_t zeros[WG_KEY_LEN] = {0};
	(void)state;
	up_to_response(&p);
	assert_true(wg_noise_open_initiation(&p.id_r, &p.initiation, &in));
	wg_identity_set(&p.id_i, zeros);
	wg_identity_set(&p.id_r, zeros);
	assert_false(p.id_i.set);
	assert_true(sodium_is_zero(p.id_i.private_key, WG_KEY_LEN));
	assert_true(sodium_is_zero(p.id_i.public_key, WG_KEY_LEN));
	assert_false(initiate(&p));
	assert_false(wg_noise_open_initiation(&p.id_r, &p.initiation, &in));
	assert_int_equal(wg_noise_accept_initiation(&p.r, &p.id_r, &p.initiation, &in, NOW),
			 WG_NOISE_BAD);
	assert_int_equal(wg_noise_consume_response(&p.i, &p.id_i, &p.response), WG_NOISE_BAD);
	wg_noise_set_identity(&p.i, &p.id_i);
	assert_false(p.i.usable);
	assert_int_equal(p.i.state, WG_NOISE_NONE);
}

static void keys_are_clamped(void **state)
{
	struct wg_identity id = {0};
	uint8_t key[WG_KEY_LEN];
	(void)state;
	memset(key, 0xff, sizeof(key));
	wg_identity_set(&id, key);
	assert_true(id.set);
	assert_int_equal(id.private_key[0], 0xf8);
	assert_int_equal(id.private_key[31], 0x7f);
	memset(key, 0, sizeof(key));
	key[0] = 1; /* not zero before it is clamped */
	wg_identity_set(&id, key);
	assert_true(id.set);
	assert_int_equal(id.private_key[0], 0);
	assert_int_equal(id.private_key[31], 0x40);

	struct pair p = begin();
	memset(p.ephemeral_i, 0xff, WG_KEY_LEN);
	up_to_response(&p);
	assert_int_equal(p.i.ephemeral_private[31], 0x7f);
	finish(&p);
	assert_session(&p);
}

static void a_new_identity_forgets_the_handshake_but_not_the_timestamp(void **state)
{
	struct pair p = begin();
	uint8_t key[WG_KEY_LEN];
	(void)state;
	up_to_response(&p);
	count_from(key, 0x77);
	wg_identity_set(&p.id_r, key);
	wg_noise_set_identity(&p.r, &p.id_r);
	assert_int_equal(p.r.state, WG_NOISE_NONE);
	assert_false(wg_noise_begin_session(&p.r, &p.keys_r));
	assert_memory_equal(p.r.latest_timestamp, timestamp, WG_TIMESTAMP_LEN);
	/* and works with it */
	count_from(key, 0x20);
	wg_noise_init(&p.i, &p.id_i, p.id_r.public_key, key);
	uint8_t newer[WG_TIMESTAMP_LEN];
	memcpy(newer, timestamp, sizeof(newer));
	newer[7]++;
	assert_int_equal(initiate_at(&p, newer, NOW + WG_SECOND), WG_NOISE_OK);
	assert_true(respond(&p));
	finish(&p);
	assert_session(&p);
}

static void timestamps_are_tai64n_and_whitened(void **state)
{
	uint8_t out[WG_TIMESTAMP_LEN];
	(void)state;
	wg_timestamp(out, 0);
	assert_hex(out, sizeof(out), "400000000000000a00000000");
	wg_timestamp(out, UINT64_C(0xffffff));
	assert_hex(out, sizeof(out), "400000000000000a00000000");
	wg_timestamp(out, UINT64_C(0x1000000));
	assert_hex(out, sizeof(out), "400000000000000a01000000");
	wg_timestamp(out, 999999999);
	assert_hex(out, sizeof(out), "400000000000000a3b000000");
	wg_timestamp(out, UINT64_C(1600000000) * WG_SECOND);
	assert_hex(out, sizeof(out), "400000005f5e100a00000000");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(speaks_the_protocol_byte_for_byte),
		cmocka_unit_test(speaks_it_without_a_preshared_key),
		cmocka_unit_test(tells_who_asks_and_wipes_when_done),
		cmocka_unit_test(different_preshared_keys_agree_on_nothing),
		cmocka_unit_test(refuses_each_flip_of_an_initiation),
		cmocka_unit_test(an_initiation_that_does_not_open_tells_nothing),
		cmocka_unit_test(refuses_each_flip_of_a_response),
		cmocka_unit_test(refuses_an_initiation_meant_for_another_or_of_another),
		cmocka_unit_test(refuses_a_replayed_or_older_timestamp),
		cmocka_unit_test(refuses_two_initiations_within_20_ms),
		cmocka_unit_test(the_first_initiation_may_come_at_any_time),
		cmocka_unit_test(a_peer_of_low_order_is_not_usable),
		cmocka_unit_test(refuses_a_sealed_static_key_under_a_low_order_ephemeral),
		cmocka_unit_test(refuses_a_response_with_a_low_order_ephemeral),
		cmocka_unit_test(answers_no_low_order_ephemeral),
		cmocka_unit_test(each_step_has_its_state),
		cmocka_unit_test(a_response_is_good_once),
		cmocka_unit_test(a_response_to_an_earlier_initiation_is_refused),
		cmocka_unit_test(an_initiation_of_the_peer_replaces_our_own),
		cmocka_unit_test(without_a_key_nothing_works),
		cmocka_unit_test(keys_are_clamped),
		cmocka_unit_test(a_new_identity_forgets_the_handshake_but_not_the_timestamp),
		cmocka_unit_test(timestamps_are_tai64n_and_whitened),
	};
	return cmocka_run_group_tests_name("wireguard noise", tests, NULL, NULL);
}
