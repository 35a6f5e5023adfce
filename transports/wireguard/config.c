/* SPDX-License-Identifier: BSD-2-Clause */
#include "config.h"

#include <errno.h>
#include <sodium.h>
#include <string.h>

#include "peer.h"
#include "wireguard.h"

void wg_config_lock(struct wg *wg)
{
	wg_lock(wg);
}

void wg_config_unlock(struct wg *wg)
{
	wg_unlock(wg);
}

/* ---- the device ---- */

void wg_config_set_private_key(struct wg *wg, const uint8_t key[WG_KEY_LEN])
{
	struct wg_identity id;
	struct wg_peer *following;
	wg_identity_set(&id, key);
	bool same = id.set == wg->identity.set &&
		    sodium_memcmp(&id.private_key, &wg->identity.private_key, WG_KEY_LEN) == 0;
	if (!same) {
		wg->identity = id;
		wg_cookie_checker_init(&wg->checker, id.public_key);
		struct wg_peer *self = id.set ? wg_peers_find(&wg->peers, id.public_key) : NULL;
		if (self != NULL)
			wg_config_peer_remove(wg, self);
		for (struct wg_peer *p = wg->peers.first; p != NULL; p = following) {
			following = p->following;
			bool wanted = atomic_load(&p->current) != NULL || p->retransmit_at != 0;
			wg_peer_drop_sessions(p);
			wg_noise_set_identity(&p->noise, &wg->identity);
			atomic_store(&p->last_handshake_ns, 0);
			if (wanted || atomic_load(&p->keepalive_s) != 0)
				wg_peer_ask(p, WG_TODO_HANDSHAKE);
		}
		wg_wake_all(wg); /* packets may have waited for a key */
	}
	sodium_memzero(&id, sizeof(id));
}

static int errno_of(vpn_status status, const struct vpn_error *err)
{
	if (status == VPN_OK)
		return 0;
	if (err->os_errno != 0)
		return err->os_errno;
	switch (status) {
	case VPN_EBUSY:
		return EADDRINUSE;
	case VPN_EPERM:
		return EACCES;
	case VPN_ENOMEM:
		return ENOMEM;
	case VPN_ENOTSUP:
		return EOPNOTSUPP;
	default:
		return EIO;
	}
}

void wg_config_take_ports(struct wg *wg, const struct vpn_socket_info *info)
{
	const uint16_t port = (uint16_t)info->port;
	atomic_store(&wg->ports, ((struct wg_ports){
					 .first = port,
					 .last = info->port_last != 0 ? info->port_last : port,
					 .far_first = info->far_first,
					 .far_last = info->far_last,
				 }));
}

static void read_socket(struct wg *wg, struct vpn_socket_info *out)
{
	*out = (struct vpn_socket_info){.size = sizeof(*out)};
	if (wg->socket == NULL || wg->socket->info(wg->socket_inst, out) != VPN_OK)
		*out = (struct vpn_socket_info){.size = sizeof(*out)};
	else
		wg_config_take_ports(wg, out);
}

void wg_config_forget_local(struct wg *wg)
{
	wg_lock(wg);
	for (struct wg_peer *p = wg->peers.first; p != NULL; p = p->following)
		wg_endpoint_clear_local(&p->endpoint);
	wg_unlock(wg);
}

int wg_config_set_port(struct wg *wg, uint16_t port)
{
	struct vpn_error err = {.size = sizeof(err)};
	struct vpn_socket_info info;
	if (wg->socket == NULL)
		return port == 0 ? 0 : EOPNOTSUPP;
	vpn_status status = wg->socket->set_port(wg->socket_inst, port, &err);
	read_socket(wg, &info);
	if (status == VPN_OK)
		wg_config_forget_local(wg);
	return errno_of(status, &err);
}

int wg_config_set_fwmark(struct wg *wg, uint32_t fwmark)
{
	struct vpn_error err = {.size = sizeof(err)};
	if (wg->socket == NULL)
		return fwmark == 0 ? 0 : EOPNOTSUPP;
	vpn_status status = wg->socket->set_fwmark(wg->socket_inst, fwmark, &err);
	if (status == VPN_OK)
		wg_config_forget_local(wg);
	return errno_of(status, &err);
}

/* ---- peers ---- */

void wg_config_remove_all_peers(struct wg *wg)
{
	while (wg->peers.first != NULL)
		wg_config_peer_remove(wg, wg->peers.first);
}

struct wg_peer *wg_config_peer(struct wg *wg, const uint8_t public_key[WG_KEY_LEN], bool create,
			       bool *ret_created, int *ret_errno)
{
	*ret_created = false;
	*ret_errno = 0;
	if (wg->identity.set && memcmp(public_key, wg->identity.public_key, WG_KEY_LEN) == 0)
		return NULL;
	struct wg_peer *p = wg_peers_find(&wg->peers, public_key);
	if (p != NULL || !create)
		return p;
	if (wg_timers_reserve(&wg->timers, wg->peers.count + 1))
		p = wg_peer_new(wg, public_key);
	if (p == NULL) {
		*ret_errno = ENOMEM;
		return NULL;
	}
	wg_peers_add(&wg->peers, p);
	*ret_created = true;
	wg_changed(wg);
	return p;
}

void wg_config_peer_remove(struct wg *wg, struct wg_peer *peer)
{
	wg_peers_remove(&wg->peers, peer);
	peer->done = false;
	wg_names_forget(peer);
	wg_allowedips_remove_peer(&wg->allowed, &peer->allowed);
	wg_peer_stop(peer);
	peer->todo = 0; /* lane 0 takes it off the list */
	wg_retired(wg);
	wg_peer_put_locked(peer);
	wg_wake_all(wg);
	wg_changed(wg);
}

void wg_config_peer_set_psk(struct wg *wg, struct wg_peer *peer, const uint8_t psk[WG_KEY_LEN])
{
	(void)wg;
	memcpy(peer->noise.psk, psk, WG_KEY_LEN);
}

void wg_config_peer_set_endpoint(struct wg *wg, struct wg_peer *peer,
				 const struct vpn_endpoint *endpoint)
{
	wg_names_forget(peer);
	wg_endpoint_set(&peer->endpoint, endpoint);
	wg_changed(wg);
}

void wg_config_peer_set_keepalive(struct wg *wg, struct wg_peer *peer, uint16_t seconds)
{
	(void)wg;
	uint32_t before = atomic_exchange(&peer->keepalive_s, seconds);
	if (seconds == before)
		return;
	/* the deadline that is pending counts the old interval */
	atomic_store(&peer->persistent_at, 0);
	if (seconds != 0 && atomic_load(&peer->running))
		wg_peer_ask(peer, WG_TODO_KEEPALIVE);
}

void wg_config_peer_replace_allowed(struct wg *wg, struct wg_peer *peer)
{
	(void)wg;
	wg_allowedips_renew(&peer->allowed);
}

void wg_config_peer_settle(struct wg *wg, struct wg_peer *peer)
{
	uint32_t before = peer->allowed.count;
	wg_allowedips_sweep(&wg->allowed, &peer->allowed);
	if (peer->allowed.count == before)
		return;
	wg_retired(wg);
	wg_changed(wg);
}

int wg_config_peer_add_allowed(struct wg *wg, struct wg_peer *peer, const struct vpn_prefix *prefix)
{
	if (!wg_allowedips_insert(&wg->allowed, prefix, peer, &peer->allowed))
		return ENOMEM;
	wg_changed(wg);
	return 0;
}

void wg_config_peer_remove_allowed(struct wg *wg, struct wg_peer *peer,
				   const struct vpn_prefix *prefix)
{
	if (!wg_allowedips_remove(&wg->allowed, prefix, peer))
		return;
	wg_retired(wg);
	wg_changed(wg);
}

void wg_config_peer_done(struct wg *wg, struct wg_peer *peer)
{
	wg_config_peer_settle(wg, peer);
	peer->done = true;
	if (!atomic_load(&wg->up))
		return;
	if (!atomic_load(&peer->running))
		wg_peer_start(peer);
	/* packets may wait for an endpoint or a key that has just come */
	wg_wake_all(wg);
}

/* ---- reading ---- */

void wg_config_view(struct wg *wg, struct wg_device_view *out)
{
	struct vpn_socket_info socket;
	memset(out, 0, sizeof(*out));
	read_socket(wg, &socket);
	out->port = (uint16_t)socket.port;
	out->fwmark = socket.fwmark;
	wg_lock(wg);
	out->has_private_key = wg->identity.set;
	memcpy(out->private_key, wg->identity.private_key, WG_KEY_LEN);
	wg_unlock(wg);
}

struct wg_peer *wg_config_first_peer(struct wg *wg)
{
	return wg->peers.first;
}

struct wg_peer *wg_config_next_peer(struct wg_peer *peer)
{
	return peer->following;
}

void wg_config_peer_view(struct wg *wg, struct wg_peer *peer, struct wg_peer_view *out)
{
	memset(out, 0, sizeof(*out));
	out->public_key = peer->public_key;
	memcpy(out->psk, peer->noise.psk, WG_KEY_LEN);
	wg_endpoint_get(&peer->endpoint, &out->endpoint);
	out->handshake_wall_ns = peer->handshake_wall_ns;
	out->keepalive = (uint16_t)atomic_load(&peer->keepalive_s);
	for (uint32_t i = 0; i < wg->n_lanes; i++) {
		out->rx_bytes += atomic_load_explicit(&peer->lanes[i].rx_bytes,
						      memory_order_relaxed);
		out->tx_bytes += atomic_load_explicit(&peer->lanes[i].tx_bytes,
						      memory_order_relaxed);
	}
}

bool wg_config_peer_each_allowed(struct wg_peer *peer,
				 bool (*fn)(void *ctx, const struct vpn_prefix *prefix), void *ctx)
{
	return wg_allowedips_each(&peer->allowed, fn, ctx);
}
