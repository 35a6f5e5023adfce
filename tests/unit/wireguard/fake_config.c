/* SPDX-License-Identifier: BSD-2-Clause */
/* fake_config: config.h over plain memory. */
#include "fake_config.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

void fake_init(struct wg *wg)
{
	memset(wg, 0, sizeof(*wg));
	pthread_mutex_init(&wg->lock, NULL);
}

/* ---- the lock, and who calls with it and without ---- */

static bool is_held(struct wg *wg)
{
	return __atomic_load_n(&wg->locked, __ATOMIC_ACQUIRE) &&
	       pthread_equal(wg->holder, pthread_self());
}

static void violation(struct wg *wg)
{
	__atomic_fetch_add(&wg->violations, 1, __ATOMIC_RELAXED);
}

static void want_held(struct wg *wg)
{
	if (!is_held(wg))
		violation(wg);
}

static void want_free(struct wg *wg)
{
	if (is_held(wg))
		violation(wg);
}

void wg_config_lock(struct wg *wg)
{
	want_free(wg);
	pthread_mutex_lock(&wg->lock);
	wg->holder = pthread_self();
	__atomic_store_n(&wg->locked, true, __ATOMIC_RELEASE);
}

void wg_config_unlock(struct wg *wg)
{
	want_held(wg);
	__atomic_store_n(&wg->locked, false, __ATOMIC_RELEASE);
	pthread_mutex_unlock(&wg->lock);
}

/* ---- the device ---- */

static bool is_zero(const uint8_t key[WG_KEY_LEN])
{
	static const uint8_t zero[WG_KEY_LEN];
	return memcmp(key, zero, WG_KEY_LEN) == 0;
}

void wg_config_set_private_key(struct wg *wg, const uint8_t key[WG_KEY_LEN])
{
	want_held(wg);
	wg->private_keys++;
	memcpy(wg->device.private_key, key, WG_KEY_LEN);
	wg->device.has_private_key = !is_zero(key);
}

int wg_config_set_port(struct wg *wg, uint16_t port)
{
	want_free(wg);
	wg->ports++;
	if (wg->port_error == 0)
		wg->device.port = port;
	return wg->port_error;
}

int wg_config_set_fwmark(struct wg *wg, uint32_t mark)
{
	want_free(wg);
	wg->fwmarks++;
	if (wg->fwmark_error == 0)
		wg->device.fwmark = mark;
	return wg->fwmark_error;
}

void wg_config_view(struct wg *wg, struct wg_device_view *out)
{
	want_free(wg);
	*out = wg->device;
}

/* ---- peers ---- */

static void clear_allowed(struct wg_peer *peer)
{
	while (peer->allowed != NULL) {
		struct fake_allowed *a = peer->allowed;
		peer->allowed = a->next;
		free(a);
	}
}

void wg_config_peer_remove(struct wg *wg, struct wg_peer *peer)
{
	want_held(wg);
	struct wg_peer **at = &wg->peers;
	while (*at != peer)
		at = &(*at)->next;
	*at = peer->next;
	wg->removals++;
	clear_allowed(peer);
	free(peer);
}

void wg_config_remove_all_peers(struct wg *wg)
{
	want_held(wg);
	while (wg->peers != NULL)
		wg_config_peer_remove(wg, wg->peers);
}

void fake_clear(struct wg *wg)
{
	wg_config_lock(wg);
	wg_config_remove_all_peers(wg);
	wg_config_unlock(wg);
	pthread_mutex_destroy(&wg->lock);
}

static struct wg_peer *create_peer(struct wg *wg, struct wg_peer **at,
				   const uint8_t public_key[WG_KEY_LEN], int *ret_errno)
{
	if (wg->peer_error != 0) {
		*ret_errno = wg->peer_error;
		return NULL;
	}
	*at = calloc(1, sizeof(**at));
	memcpy((*at)->public_key, public_key, WG_KEY_LEN);
	wg->creations++;
	return *at;
}

struct wg_peer *wg_config_peer(struct wg *wg, const uint8_t public_key[WG_KEY_LEN], bool create,
			       bool *ret_created, int *ret_errno)
{
	want_held(wg);
	*ret_created = false;
	*ret_errno = 0;
	if (!is_zero(wg->own_key) && memcmp(wg->own_key, public_key, WG_KEY_LEN) == 0)
		return NULL;
	struct wg_peer **at = &wg->peers;
	while (*at != NULL && memcmp((*at)->public_key, public_key, WG_KEY_LEN) != 0)
		at = &(*at)->next;
	if (*at != NULL || !create)
		return *at;
	struct wg_peer *peer = create_peer(wg, at, public_key, ret_errno);
	*ret_created = peer != NULL;
	return peer;
}

void wg_config_peer_set_psk(struct wg *wg, struct wg_peer *peer, const uint8_t psk[WG_KEY_LEN])
{
	want_held(wg);
	peer->psks++;
	memcpy(peer->view.psk, psk, WG_KEY_LEN);
}

void wg_config_peer_set_endpoint(struct wg *wg, struct wg_peer *peer,
				 const struct vpn_endpoint *endpoint)
{
	want_held(wg);
	peer->endpoints++;
	peer->view.endpoint = *endpoint;
}

void wg_config_peer_set_keepalive(struct wg *wg, struct wg_peer *peer, uint16_t seconds)
{
	want_held(wg);
	peer->keepalives++;
	peer->view.keepalive = seconds;
}

void wg_config_peer_done(struct wg *wg, struct wg_peer *peer)
{
	want_held(wg);
	peer->done++;
}

/* ---- allowed addresses ---- */

static bool take_allowed(struct wg_peer *peer, const struct vpn_prefix *prefix)
{
	for (struct fake_allowed **at = &peer->allowed; *at != NULL; at = &(*at)->next) {
		struct fake_allowed *a = *at;
		if (memcmp(&a->prefix, prefix, sizeof(*prefix)) != 0)
			continue;
		*at = a->next;
		free(a);
		return true;
	}
	return false;
}

void wg_config_peer_replace_allowed(struct wg *wg, struct wg_peer *peer)
{
	want_held(wg);
	wg->clears++;
	clear_allowed(peer);
}

void wg_config_peer_settle(struct wg *wg, struct wg_peer *peer)
{
	want_held(wg);
	(void)peer;
	wg->settles++;
}

int wg_config_peer_add_allowed(struct wg *wg, struct wg_peer *peer, const struct vpn_prefix *prefix)
{
	want_held(wg);
	if (wg->allowed_error != 0)
		return wg->allowed_error;
	for (struct wg_peer *p = wg->peers; p != NULL; p = p->next)
		take_allowed(p, prefix);
	struct fake_allowed **at = &peer->allowed;
	while (*at != NULL)
		at = &(*at)->next;
	*at = calloc(1, sizeof(**at));
	(*at)->prefix = *prefix;
	return 0;
}

void wg_config_peer_remove_allowed(struct wg *wg, struct wg_peer *peer,
				   const struct vpn_prefix *prefix)
{
	want_held(wg);
	take_allowed(peer, prefix);
}

bool wg_config_peer_each_allowed(struct wg_peer *peer,
				 bool (*fn)(void *ctx, const struct vpn_prefix *prefix), void *ctx)
{
	for (const struct fake_allowed *a = peer->allowed; a != NULL; a = a->next)
		if (!fn(ctx, &a->prefix))
			return false;
	return true;
}

/* ---- reading ---- */

struct wg_peer *wg_config_first_peer(struct wg *wg)
{
	want_held(wg);
	return wg->peers;
}

struct wg_peer *wg_config_next_peer(struct wg_peer *peer)
{
	return peer->next;
}

void wg_config_peer_view(struct wg *wg, struct wg_peer *peer, struct wg_peer_view *out)
{
	want_held(wg);
	*out = peer->view;
	out->public_key = peer->public_key;
}

struct wg_peer *fake_peer(struct wg *wg, uint8_t byte)
{
	uint8_t key[WG_KEY_LEN];
	memset(key, byte, sizeof(key));
	struct wg_peer *p = wg->peers;
	while (p != NULL && memcmp(p->public_key, key, sizeof(key)) != 0)
		p = p->next;
	return p;
}

unsigned int fake_count_peers(const struct wg *wg)
{
	unsigned int n = 0;
	for (const struct wg_peer *p = wg->peers; p != NULL; p = p->next)
		n++;
	return n;
}

unsigned int fake_count_allowed(const struct wg_peer *peer)
{
	unsigned int n = 0;
	for (const struct fake_allowed *a = peer->allowed; a != NULL; a = a->next)
		n++;
	return n;
}
