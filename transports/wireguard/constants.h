/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * constants: the numbers of the protocol. "whitepaper" is Donenfeld, "WireGuard: Next Generation
 * Kernel Network Tunnel"; where it leaves a number open, the Linux driver's value is taken.
 */
#ifndef WG_CONSTANTS_H
#define WG_CONSTANTS_H

#include <stdint.h>

#define WG_KEY_LEN       32u /* Curve25519 (RFC 7748), ChaCha20-Poly1305 (RFC 8439), BLAKE2s-256 */
#define WG_HASH_LEN      32u /* BLAKE2s-256, RFC 7693 */
#define WG_MAC_LEN       16u /* keyed BLAKE2s-128; whitepaper section 5.4.4 */
#define WG_TAG_LEN       16u /* Poly1305, RFC 8439 section 2.5 */
#define WG_COOKIE_LEN    16u /* whitepaper section 5.4.7 */
#define WG_XNONCE_LEN    24u /* XChaCha20-Poly1305 */
#define WG_TIMESTAMP_LEN 12u /* TAI64N */

#define WG_CONSTRUCTION "Noise_IKpsk2_25519_ChaChaPoly_BLAKE2s" /* whitepaper section 5.4 */
#define WG_IDENTIFIER   "WireGuard v1 zx2c4 Jason@zx2c4.com"
#define WG_LABEL_MAC1   "mac1----"
#define WG_LABEL_COOKIE "cookie--"

#define WG_MS     UINT64_C(1000000) /* ns */
#define WG_SECOND UINT64_C(1000000000)

/* whitepaper section 6.1 */
#define WG_REKEY_AFTER_MESSAGES  (UINT64_C(1) << 60)
#define WG_REJECT_AFTER_MESSAGES (UINT64_MAX - 8192u) /* 2^64 - 2^13 - 1 */
#define WG_REKEY_AFTER_TIME      (120 * WG_SECOND)
#define WG_REJECT_AFTER_TIME     (180 * WG_SECOND)
#define WG_REKEY_ATTEMPT_TIME    (90 * WG_SECOND)
#define WG_REKEY_TIMEOUT         (5 * WG_SECOND)
#define WG_KEEPALIVE_TIMEOUT     (10 * WG_SECOND)

#define WG_REKEY_JITTER        (333 * WG_MS) /* largest; Linux messages.h REKEY_TIMEOUT_JITTER_MAX */
#define WG_MAX_HANDSHAKES      18u           /* REKEY_ATTEMPT_TIME / REKEY_TIMEOUT */
#define WG_NEW_HANDSHAKE_TIME  (WG_KEEPALIVE_TIMEOUT + WG_REKEY_TIMEOUT) /* nothing came back */
#define WG_RECEIVE_REKEY_TIME  (WG_REJECT_AFTER_TIME - WG_KEEPALIVE_TIMEOUT - WG_REKEY_TIMEOUT)
#define WG_ZERO_KEYS_TIME      (3 * WG_REJECT_AFTER_TIME) /* whitepaper section 6.1 */
#define WG_COOKIE_LIFETIME     (120 * WG_SECOND)          /* whitepaper section 5.4.7 */
#define WG_COOKIE_LATENCY      (5 * WG_SECOND) /* ours is old so much earlier: Linux cookie.c */
#define WG_INITIATION_INTERVAL (20 * WG_MS)    /* least, of one peer: 50 a second */

#define WG_PADDING       16u   /* whitepaper section 5.4.6 */
#define WG_REPLAY_WINDOW 8128u /* (128 - 1) * 64: Linux COUNTER_WINDOW_SIZE */
#define WG_STAGED_MAX    128u  /* packets of a peer that wait for a session: MAX_STAGED_PACKETS */

#define WG_HANDSHAKE_QUEUE  1024u /* messages of a lane that wait for their turn */
#define WG_UNDER_LOAD_QUEUE (WG_HANDSHAKE_QUEUE / 8u)
#define WG_UNDER_LOAD_TIME  WG_SECOND /* how long it stays so: Linux wg_receive_handshake_packet */

#endif
