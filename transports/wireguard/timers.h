/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * timers: when peers have something to do by themselves. Whitepaper section 6.
 *
 * Lanes note deadlines in the peer, without the lock. A heap, under the lock, has for each peer the
 * earliest moment at which it must be looked at; lane 0 looks. Moving a deadline further away (as
 * traffic does all the time) leaves the heap alone: the look comes too early, finds nothing due, and
 * a new one is planned. So a busy peer costs a lock every ten seconds or so, not every batch.
 */
#ifndef WG_TIMERS_H
#define WG_TIMERS_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

struct wg;
struct wg_lane;
struct wg_peer;

struct wg_timers {
	struct wg_peer **heap; /* by wake_at; heap[0] is not used */
	uint32_t count;
	uint32_t room;
	_Atomic uint64_t first_at; /* wake_at of the first; UINT64_MAX = none */
};

/* Room for that many peers, so that arming never fails. False without memory. Under the lock. */
bool wg_timers_reserve(struct wg_timers *t, uint32_t peers);
void wg_timers_clear(struct wg_timers *t);

/* Takes a peer out. Under the lock. */
void wg_timers_remove(struct wg_timers *t, struct wg_peer *p);

/* Does some of what is due: first_at says when there is more. [lane] 0, not with the lock held */
void wg_timers_run(struct wg_lane *l, uint64_t now_ns);

/* ---- what happens to a peer; `locked` says whether the caller has the lock. [lane] ---- */

/* Data was sent: an answer of some kind must come within 15 s. */
void wg_timers_data_sent(struct wg_lane *l, struct wg_peer *p, bool locked);
/* Data came: something must go back within 10 s. */
void wg_timers_data_received(struct wg_lane *l, struct wg_peer *p, bool locked);
/* Anything authenticated was sent, keepalives and handshakes included. */
void wg_timers_any_sent(struct wg_peer *p);
/* Anything authenticated came. */
void wg_timers_any_received(struct wg_peer *p);
/* Either of both: persistent keepalive counts from here. */
void wg_timers_any_passed(struct wg_lane *l, struct wg_peer *p, bool locked);
/* An initiation was sent. Under the lock. */
void wg_timers_initiated(struct wg_lane *l, struct wg_peer *p);
/* A packet waits while it is too early for an initiation, and none is under way: one goes out in time,
 * also when no other packet comes. Takes the lock. */
void wg_timers_waiting(struct wg_lane *l, struct wg_peer *p);
/* A handshake has become a session that is known to work. Under the lock. */
void wg_timers_completed(struct wg_lane *l, struct wg_peer *p);
/* There are new keys. Under the lock. */
void wg_timers_derived(struct wg_lane *l, struct wg_peer *p);

/* Nothing is pending any more. Under the lock. [any] */
void wg_timers_stop(struct wg_peer *p);

#endif
