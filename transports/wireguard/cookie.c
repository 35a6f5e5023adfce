/* SPDX-License-Identifier: BSD-2-Clause */
/* cookie: mac1, mac2 and cookie replies. */
#include "cookie.h"

#include <sodium.h>

#include "blake2s.h"

#define LABEL_LEN (sizeof(WG_LABEL_MAC1) - 1)
_Static_assert(sizeof(WG_LABEL_COOKIE) == sizeof(WG_LABEL_MAC1), "labels");
_Static_assert(WG_XNONCE_LEN == crypto_aead_xchacha20poly1305_ietf_NPUBBYTES, "nonce");

/* Both MACs end a message: mac1 covers what is before it, mac2 also mac1. */
#define MACS (2u * WG_MAC_LEN)

static void derive(uint8_t mac1_key[WG_HASH_LEN], uint8_t cookie_key[WG_HASH_LEN],
		   const uint8_t public_key[WG_KEY_LEN])
{
	wg_hash(mac1_key, WG_LABEL_MAC1, LABEL_LEN, public_key, WG_KEY_LEN);
	wg_hash(cookie_key, WG_LABEL_COOKIE, LABEL_LEN, public_key, WG_KEY_LEN);
}

void wg_cookie_checker_init(struct wg_cookie_checker *c, const uint8_t our_public[WG_KEY_LEN])
{
	sodium_memzero(c, sizeof(*c));
	derive(c->mac1_key, c->cookie_key, our_public);
}

void wg_cookie_maker_init(struct wg_cookie_maker *m, const uint8_t peer_public[WG_KEY_LEN])
{
	sodium_memzero(m, sizeof(*m));
	derive(m->mac1_key, m->cookie_key, peer_public);
}

/* Lanes read the clock at different times: `since` may lie a little after now. */
static bool is_fresh(uint64_t since_ns, uint64_t now_ns, uint64_t lifetime_ns)
{
	return now_ns < since_ns + lifetime_ns;
}

/* What a cookie of this sender is: a MAC over where it sends from. */
static void make_cookie(uint8_t out[WG_COOKIE_LEN], const uint8_t secret[WG_HASH_LEN],
			const struct vpn_endpoint *from)
{
	uint8_t port[2] = {0};
	const void *where = NULL;
	size_t where_len = 0;
	size_t port_len = 0;
	if (from != NULL && from->family == VPN_AF_OPAQUE) {
		where = &from->id;
		where_len = sizeof(from->id);
	} else if (from != NULL && from->family != VPN_AF_NONE) {
		where = from->addr;
		where_len = from->family == VPN_AF_INET ? 4 : 16;
		port[0] = (uint8_t)(from->port >> 8);
		port[1] = (uint8_t)from->port;
		port_len = sizeof(port);
	}
	wg_mac(out, secret, WG_HASH_LEN, where, where_len, port, port_len);
}

static bool check_mac2(const struct wg_cookie_checker *c, const uint8_t *msg, size_t covered,
		       const struct vpn_endpoint *from, uint64_t now_ns)
{
	uint8_t cookie[WG_COOKIE_LEN];
	uint8_t mac[WG_MAC_LEN];
	if (c->secret_ns == 0 || !is_fresh(c->secret_ns, now_ns, WG_COOKIE_LIFETIME))
		return false;
	make_cookie(cookie, c->secret, from);
	wg_mac(mac, cookie, sizeof(cookie), msg, covered, NULL, 0);
	bool ok = sodium_memcmp(mac, msg + covered, sizeof(mac)) == 0;
	sodium_memzero(cookie, sizeof(cookie));
	sodium_memzero(mac, sizeof(mac));
	return ok;
}

enum wg_cookie_verdict wg_cookie_check(const struct wg_cookie_checker *c, const void *msg,
				       size_t len, const struct vpn_endpoint *from, uint64_t now_ns,
				       bool want_mac2)
{
	const uint8_t *bytes = msg;
	uint8_t mac[WG_MAC_LEN];
	if (len < MACS)
		return WG_COOKIE_BAD_MAC1;
	wg_mac(mac, c->mac1_key, WG_HASH_LEN, bytes, len - MACS, NULL, 0);
	bool ok = sodium_memcmp(mac, bytes + len - MACS, sizeof(mac)) == 0;
	sodium_memzero(mac, sizeof(mac));
	if (!ok)
		return WG_COOKIE_BAD_MAC1;
	if (!want_mac2 || !check_mac2(c, bytes, len - WG_MAC_LEN, from, now_ns))
		return WG_COOKIE_MAC1_ONLY;
	return WG_COOKIE_BOTH;
}

static void renew_secret(struct wg_cookie_checker *c, const struct vpn_host *host, uint64_t now_ns)
{
	if (c->secret_ns != 0 && is_fresh(c->secret_ns, now_ns, WG_COOKIE_LIFETIME))
		return;
	host->random(host, c->secret, sizeof(c->secret));
	c->secret_ns = now_ns == 0 ? 1 : now_ns; /* 0 says never */
}

void wg_cookie_reply(struct wg_cookie_checker *c, const struct vpn_host *host, const void *msg,
		     size_t len, const struct vpn_endpoint *from, uint64_t now_ns,
		     struct wg_msg_cookie *out)
{
	const uint8_t *bytes = msg;
	uint8_t cookie[WG_COOKIE_LEN];
	renew_secret(c, host, now_ns);
	make_cookie(cookie, c->secret, from);

	wg_store_le32(out->type, WG_TYPE_COOKIE);
	memcpy(out->receiver, bytes + 4, sizeof(out->receiver)); /* their sender index */
	host->random(host, out->nonce, sizeof(out->nonce));
	(void)crypto_aead_xchacha20poly1305_ietf_encrypt(
		out->encrypted_cookie, NULL, cookie, sizeof(cookie), bytes + len - MACS, WG_MAC_LEN,
		NULL, out->nonce, c->cookie_key);
	sodium_memzero(cookie, sizeof(cookie));
}

static void forget_cookie(struct wg_cookie_maker *m)
{
	sodium_memzero(m->cookie, sizeof(m->cookie));
	m->has_cookie = false;
}

void wg_cookie_add_macs(struct wg_cookie_maker *m, void *msg, size_t len, uint64_t now_ns)
{
	uint8_t *mac1 = (uint8_t *)msg + len - MACS;
	uint8_t *mac2 = mac1 + WG_MAC_LEN;
	wg_mac(mac1, m->mac1_key, WG_HASH_LEN, msg, len - MACS, NULL, 0);
	memcpy(m->last_mac1, mac1, WG_MAC_LEN);
	m->has_last_mac1 = true;

	/* it has to be fresh still when the message arrives */
	if (m->has_cookie &&
	    !is_fresh(m->cookie_ns, now_ns, WG_COOKIE_LIFETIME - WG_COOKIE_LATENCY))
		forget_cookie(m);
	if (m->has_cookie)
		wg_mac(mac2, m->cookie, WG_COOKIE_LEN, msg, len - WG_MAC_LEN, NULL, 0);
	else
		memset(mac2, 0, WG_MAC_LEN);
}

bool wg_cookie_consume(struct wg_cookie_maker *m, const struct wg_msg_cookie *msg, uint64_t now_ns)
{
	uint8_t cookie[WG_COOKIE_LEN];
	if (!m->has_last_mac1)
		return false;
	if (crypto_aead_xchacha20poly1305_ietf_decrypt(
		    cookie, NULL, NULL, msg->encrypted_cookie, sizeof(msg->encrypted_cookie),
		    m->last_mac1, sizeof(m->last_mac1), msg->nonce, m->cookie_key) != 0)
		return false;
	memcpy(m->cookie, cookie, sizeof(m->cookie));
	m->cookie_ns = now_ns;
	m->has_cookie = true;
	m->has_last_mac1 = false;
	sodium_memzero(cookie, sizeof(cookie));
	return true;
}
