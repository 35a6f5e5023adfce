/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * names: endpoints that the manifest gives by name. Looked up at start, and again while the handshake
 * with the peer fails; the old address serves until there is a new one. A name with several addresses
 * has them tried in turn.
 */
#ifndef WG_NAMES_H
#define WG_NAMES_H

#include <stdatomic.h>
#include <stdbool.h>
#include <vpncore/plugin.h>

struct wg;
struct wg_lane;
struct wg_peer;

struct wg_name {
	struct wg_peer *peer; /* NULL when the peer is gone or has got an address otherwise */
	const char *host;
	uint16_t port;
	bool running; /* an answer is on its way */
	bool known;   /* there has been an answer */
	uint64_t asked_ns;
	uint64_t due_ns;  /* ask then; 0 = not planned */
	uint64_t wait_ns; /* until the next try when there is no answer */
};

struct wg_names {
	struct wg_name *items; /* the token of a look-up is the index */
	uint32_t count;
	_Atomic uint64_t first_at; /* the earliest due_ns; UINT64_MAX = none */
};

/* Room for n names. False without memory. [main] */
bool wg_names_init(struct wg_names *t, uint32_t n);
void wg_names_clear(struct wg_names *t);

/* The peer's endpoint is this name, to be looked up at once. Under the lock. [main] */
void wg_names_add(struct wg *wg, struct wg_peer *peer, const char *host, uint16_t port);

/* The name does not count any more. Under the lock. [any] */
void wg_names_forget(struct wg_peer *peer);

/* The handshake fails: look the name up again, if the last time is long enough ago. Under the lock.
 * [lane] */
void wg_names_doubt(struct wg *wg, struct wg_peer *peer, uint64_t now_ns);

/* Asks for what is due. [lane] 0, not with the lock held */
void wg_names_run(struct wg_lane *l, uint64_t now_ns);

/* The component's resolved(). [lane] 0 */
void wg_names_resolved(struct wg_lane *l, uint64_t token, vpn_status status,
		       const struct vpn_endpoint *found, uint32_t n);

#endif
