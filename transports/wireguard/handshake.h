/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * handshake: messages of type 1 to 3. They are queued as they arrive, and served a few at a time after
 * the data of the batch, so that a burst of them does not hold packets up. A long queue means load:
 * then only who answers with a cookie gets through, and not too often.
 */
#ifndef WG_HANDSHAKE_H
#define WG_HANDSHAKE_H

#include <stdbool.h>
#include <vpncore/plugin.h>

#include "message.h"

struct wg_lane;
struct wg_peer;

struct wg_handshake_entry {
	uint8_t msg[sizeof(struct wg_msg_initiation)];
	uint32_t len;
	uint32_t type; /* WG_TYPE_*, whatever word stands for it */
	bool has_from;
	struct vpn_endpoint from;
};

struct wg_handshake_queue {
	uint32_t head, count;
	struct wg_handshake_entry *entries; /* WG_HANDSHAKE_QUEUE; allocated by start() */
};

/* Copies a message whose type (WG_TYPE_*) and length are right into the queue; drops it, counted, when that is
 * full. [lane] */
void wg_handshake_queue_put(struct wg_lane *l, const struct vpn_packet *p, uint32_t type);

/* Serves some of the queue and sends the answers. True when more is left. [lane], not with the lock
 * held */
bool wg_handshake_serve(struct wg_lane *l);

/* Begins a handshake, unless one was begun less than WG_REKEY_TIMEOUT ago. `retry`: one of the
 * attempts after the first. Takes the lock. [lane] */
void wg_handshake_initiate(struct wg_lane *l, struct wg_peer *p, bool retry);

/* The same with the lock held; the message waits in the outbox. */
void wg_handshake_initiate_locked(struct wg_lane *l, struct wg_peer *p, bool retry);

/* A session is wanted for sending: a cheap look whether initiate() would do something. [lane] */
bool wg_handshake_may_initiate(const struct wg_lane *l, const struct wg_peer *p);

#endif
