/* SPDX-License-Identifier: BSD-2-Clause */
/* peer: one peer, its sessions, timers and queues. */
#ifndef WG_PEER_H
#define WG_PEER_H

#include <stdatomic.h>
#include <stdbool.h>

#include "allowedips.h"
#include "cookie.h"
#include "endpoint.h"
#include "epoch.h"
#include "keypair.h"
#include "noise.h"

struct wg;
struct wg_lane;
struct wg_name;

/* What lane 0 shall do, see wg_peer_ask(). */
#define WG_TODO_KEEPALIVE 1u /* send one now, or begin a handshake */
#define WG_TODO_HANDSHAKE 2u /* begin a handshake */

/* One lane's part; the lane alone writes it. */
struct wg_peer_lane {
	_Alignas(64) _Atomic uint64_t rx_bytes;
	_Atomic uint64_t tx_bytes;
	struct vpn_packet *first, *last; /* staged */
	struct wg_peer *next_staged;
	uint32_t n_staged;
	bool is_staged; /* in the lane's list */
};

struct wg_peer {
	struct wg_retired retired;
	struct wg *wg;
	_Atomic uint32_t refs; /* 1 for being configured, 1 for each list that holds it */
	uint8_t public_key[WG_KEY_LEN];

	/* Lanes read and write these without the lock. Deadlines: 0 = not pending. */
	_Atomic(struct wg_keypair *) current;
	_Atomic(struct wg_keypair *) previous;
	_Atomic(struct wg_keypair *) next;
	struct wg_endpoint endpoint;
	_Atomic bool running;               /* configured completely, and the device is up */
	_Atomic bool unanswered;            /* the handshake was given up: staged packets go */
	_Atomic uint32_t keepalive_s;       /* persistent keepalive, 0 = off */
	_Atomic uint64_t last_handshake_ns; /* when our last handshake message went, or 0 */
	_Atomic uint64_t new_handshake_at;
	_Atomic uint64_t keepalive_at;
	_Atomic uint64_t persistent_at;
	_Atomic uint64_t wake_at; /* when timers look at this peer next; UINT64_MAX = never */
	_Atomic bool another_keepalive;

	/* Under the lock. */
	bool done;                  /* wg_config_peer_done() was called */
	bool removed;               /* not configured any more */
	struct wg_keypair *pending; /* of the handshake under way */
	struct wg_noise noise;
	struct wg_cookie_maker cookie;
	uint64_t retransmit_at;
	uint64_t zero_keys_at;
	uint32_t attempts;
	uint64_t handshake_wall_ns; /* when the last one was completed */
	struct wg_allowed_list allowed;
	struct wg_name *name; /* its endpoint is looked up by name; NULL = an address */
	uint32_t heap_place;  /* in wg_timers, counted from 1; 0 = not there */
	uint32_t todo;        /* WG_TODO_* */
	bool has_todo;        /* in the list */
	struct wg_peer *todo_next;
	struct wg_peer *hash_next;
	struct wg_peer *prev, *following; /* in the order in which they were made */

	struct wg_peer_lane lanes[];
};

/* Without sessions, not started, one reference. NULL without memory. Under the lock. */
struct wg_peer *wg_peer_new(struct wg *wg, const uint8_t public_key[WG_KEY_LEN]);

/* References; put() retires the peer with the last one. put() takes the lock, put_locked() has it. A
 * lane that has found the peer without the lock asks for one with try_ref(): false when the peer is
 * retired already. */
void wg_peer_ref(struct wg_peer *p);
bool wg_peer_try_ref(struct wg_peer *p);
void wg_peer_put(struct wg_peer *p);
void wg_peer_put_locked(struct wg_peer *p);

/* Begins to serve it: sessions may be made. Under the lock. [any] */
void wg_peer_start(struct wg_peer *p);

/* Ends sessions, timers and the handshake under way. Staged packets go when lanes review them. Under
 * the lock. [any] */
void wg_peer_stop(struct wg_peer *p);

/* Ends all sessions and the handshake under way, wiping their keys. Under the lock. [any] */
void wg_peer_drop_sessions(struct wg_peer *p);

/* Gives the keypair of a handshake that is complete its place (previous, current, next). Under the
 * lock. [lane] */
void wg_peer_install(struct wg_peer *p, struct wg_keypair *k);

/* Data has arrived under `k`: when that is the next session, it becomes the current one. True when it
 * did. Takes the lock only then. [lane] */
bool wg_peer_confirm(struct wg_lane *l, struct wg_peer *p, struct wg_keypair *k);

/* Has lane 0 do WG_TODO_*. Under the lock. [any] */
void wg_peer_ask(struct wg_peer *p, uint32_t what);

/* An authenticated packet came from there. [lane] */
void wg_peer_heard_from(struct wg_lane *l, struct wg_peer *p, const struct vpn_endpoint *from);

/* Where to send to: false when that is not known. *out has family VPN_AF_NONE when the stage below
 * chooses. [any] */
bool wg_peer_target(const struct wg_peer *p, struct vpn_endpoint *out);

/* Begin to fetch what sending to a peer, or receiving from it on lane `lane`, reads; the second step of
 * sending when the first is here. They change nothing and may be left out. [lane] */
static inline void wg_peer_prefetch(const struct wg_peer *p, uint32_t lane)
{
	const char *hot = (const char *)&p->current;
	__builtin_prefetch(hot);
	__builtin_prefetch(hot + 64);
	__builtin_prefetch(hot + 128);
	__builtin_prefetch(&p->lanes[lane], 1);
}

static inline void wg_peer_prefetch_session(const struct wg_peer *p)
{
	const struct wg_keypair *k = atomic_load_explicit(&p->current, memory_order_acquire);
	__builtin_prefetch(k != NULL ? k->send_key : NULL);
	__builtin_prefetch(k != NULL ? &k->send_counter : NULL, 1);
}

static inline void wg_peer_count_rx(struct wg_peer_lane *pl, uint64_t bytes)
{
	uint64_t sum = atomic_load_explicit(&pl->rx_bytes, memory_order_relaxed) + bytes;
	atomic_store_explicit(&pl->rx_bytes, sum, memory_order_relaxed);
}

static inline void wg_peer_count_tx(struct wg_peer_lane *pl, uint64_t bytes)
{
	uint64_t sum = atomic_load_explicit(&pl->tx_bytes, memory_order_relaxed) + bytes;
	atomic_store_explicit(&pl->tx_bytes, sum, memory_order_relaxed);
}

#endif
