/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * config: everything that can be set and read while an instance lives. The manifest at start and the
 * UAPI at any time go through here, so that both mean the same.
 *
 * Calls stand between wg_config_lock() and wg_config_unlock(), unless they say otherwise. What has to
 * be sent as a consequence (a handshake, a keepalive) is sent by lane 0 soon after. [any]
 */
#ifndef WG_CONFIG_H
#define WG_CONFIG_H

#include <stdbool.h>
#include <vpncore/plugin.h>

#include "constants.h"

struct wg;
struct wg_peer;

void wg_config_lock(struct wg *wg);
void wg_config_unlock(struct wg *wg);

/* Zero = no key. Sessions end and new handshakes begin; a peer with our own public key is removed. */
void wg_config_set_private_key(struct wg *wg, const uint8_t key[WG_KEY_LEN]);

/* Takes note of the ports that the socket below has. [any] */
void wg_config_take_ports(struct wg *wg, const struct vpn_socket_info *info);

/* Both without the lock held: they reach down to the socket. Return 0 or a positive errno:
 * EADDRINUSE, EACCES, EOPNOTSUPP (no stage below can) or EIO. */
int wg_config_set_port(struct wg *wg, uint16_t port);
int wg_config_set_fwmark(struct wg *wg, uint32_t fwmark);

/* Our own addresses that were learnt belong to the socket, or to the machine's routes, as they were. */
void wg_config_forget_local(struct wg *wg);

void wg_config_remove_all_peers(struct wg *wg);

/* The peer with that public key; with `create` it is made when it does not exist, and *ret_created
 * says so. NULL: there is none, it is our own key, or there is no memory (*ret_errno is then 0, 0 or
 * ENOMEM). A created peer sends nothing before wg_config_peer_done(). */
struct wg_peer *wg_config_peer(struct wg *wg, const uint8_t public_key[WG_KEY_LEN], bool create,
			       bool *ret_created, int *ret_errno);
void wg_config_peer_remove(struct wg *wg, struct wg_peer *peer);

/* Zero = none. Holds for the next handshake; the session goes on. */
void wg_config_peer_set_psk(struct wg *wg, struct wg_peer *peer, const uint8_t psk[WG_KEY_LEN]);
void wg_config_peer_set_endpoint(struct wg *wg, struct wg_peer *peer,
				 const struct vpn_endpoint *endpoint);
/* Seconds, 0 = off. With a new interval a keepalive goes out at once. */
void wg_config_peer_set_keepalive(struct wg *wg, struct wg_peer *peer, uint16_t seconds);
/* The prefixes that it has are replaced by those that are added from now on: one that is not added
 * again goes with settle() or done(), and until then traffic goes on under it. */
void wg_config_peer_replace_allowed(struct wg *wg, struct wg_peer *peer);
void wg_config_peer_settle(struct wg *wg, struct wg_peer *peer);
/* Moves the prefix here from another peer that has it. Returns 0 or ENOMEM. */
int wg_config_peer_add_allowed(struct wg *wg, struct wg_peer *peer,
			       const struct vpn_prefix *prefix);
void wg_config_peer_remove_allowed(struct wg *wg, struct wg_peer *peer,
				   const struct vpn_prefix *prefix);
/* The changes to this peer are complete: it may start, and staged packets may go. */
void wg_config_peer_done(struct wg *wg, struct wg_peer *peer);

/* ---- reading ---- */

struct wg_device_view {
	bool has_private_key;
	uint8_t private_key[WG_KEY_LEN]; /* wipe after use */
	uint16_t port;                   /* 0 = none */
	uint32_t fwmark;
};

struct wg_peer_view {
	const uint8_t *public_key;
	uint8_t psk[WG_KEY_LEN];      /* wipe after use */
	struct vpn_endpoint endpoint; /* family VPN_AF_NONE = not known */
	uint64_t handshake_wall_ns;   /* of the last one, since 1970; 0 = never */
	uint64_t tx_bytes, rx_bytes;  /* of WireGuard messages, handshakes included */
	uint16_t keepalive;           /* seconds, 0 = off */
};

/* Without the lock held: asks the socket below. */
void wg_config_view(struct wg *wg, struct wg_device_view *out);

/* The first peer and the one after: NULL at the end. Oldest first. */
struct wg_peer *wg_config_first_peer(struct wg *wg);
struct wg_peer *wg_config_next_peer(struct wg_peer *peer);
void wg_config_peer_view(struct wg *wg, struct wg_peer *peer, struct wg_peer_view *out);
bool wg_config_peer_each_allowed(struct wg_peer *peer,
				 bool (*fn)(void *ctx, const struct vpn_prefix *prefix), void *ctx);

#endif
