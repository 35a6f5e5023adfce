/* SPDX-License-Identifier: BSD-2-Clause */
/* cookie: mac1, mac2 and cookie replies. Whitepaper sections 5.3, 5.4.4 and 5.4.7. XChaCha20-Poly1305
 * is libsodium's. [any], under the caller's lock */
#ifndef WG_COOKIE_H
#define WG_COOKIE_H

#include <stdbool.h>
#include <vpncore/plugin.h>

#include "message.h"

/* What we check incoming handshakes with; one for an instance. */
struct wg_cookie_checker {
	uint8_t mac1_key[WG_HASH_LEN];
	uint8_t cookie_key[WG_HASH_LEN];
	uint8_t secret[WG_HASH_LEN];
	uint64_t secret_ns; /* when it was drawn; 0 = never */
};

/* What we put on handshakes that go to one peer. */
struct wg_cookie_maker {
	uint8_t mac1_key[WG_HASH_LEN];
	uint8_t cookie_key[WG_HASH_LEN];
	uint8_t cookie[WG_COOKIE_LEN];
	uint64_t cookie_ns; /* when it came */
	uint8_t last_mac1[WG_MAC_LEN];
	bool has_cookie;
	bool has_last_mac1; /* a message of ours that no cookie reply has answered yet */
};

enum wg_cookie_verdict {
	WG_COOKIE_BAD_MAC1,
	WG_COOKIE_MAC1_ONLY, /* mac1 is right; mac2 is missing, wrong, or old */
	WG_COOKIE_BOTH,      /* mac2 proves that the sender receives at its address */
};

void wg_cookie_checker_init(struct wg_cookie_checker *c, const uint8_t our_public[WG_KEY_LEN]);
void wg_cookie_maker_init(struct wg_cookie_maker *m, const uint8_t peer_public[WG_KEY_LEN]);

/*
 * Checks the MACs of an initiation or response of `len` bytes. mac2 is looked at only with
 * `want_mac2`. Compares in constant time. `from` may be NULL (a link without endpoints).
 */
enum wg_cookie_verdict wg_cookie_check(const struct wg_cookie_checker *c, const void *msg,
				       size_t len, const struct vpn_endpoint *from, uint64_t now_ns,
				       bool want_mac2);

/* Answers a message whose mac1 is right with a cookie. Draws a new secret from `host` when the old
 * one is older than WG_COOKIE_LIFETIME. The cookie is bound to the sender's address and port. */
void wg_cookie_reply(struct wg_cookie_checker *c, const struct vpn_host *host, const void *msg,
		     size_t len, const struct vpn_endpoint *from, uint64_t now_ns,
		     struct wg_msg_cookie *out);

/* Writes mac1, and mac2 when there is a fresh cookie (zeros otherwise). */
void wg_cookie_add_macs(struct wg_cookie_maker *m, void *msg, size_t len, uint64_t now_ns);

/* Takes a cookie from a reply. False: it does not answer our last message, or is forged. */
bool wg_cookie_consume(struct wg_cookie_maker *m, const struct wg_msg_cookie *msg, uint64_t now_ns);

#endif
