/* SPDX-License-Identifier: BSD-2-Clause */
#include "timers.h"

#include <stdlib.h>
#include <string.h>

#include "peer.h"
#include "send.h"
#include "wireguard.h"

#define PEERS_PER_TURN 8u /* with the lock held: each may begin a handshake, which takes its time */

/* ---- the heap ---- */

static uint64_t key_of(const struct wg_peer *p)
{
	return atomic_load_explicit(&p->wake_at, memory_order_relaxed);
}

static void place(struct wg_timers *t, uint32_t at, struct wg_peer *p)
{
	t->heap[at] = p;
	p->heap_place = at;
}

static void sift_up(struct wg_timers *t, uint32_t at, struct wg_peer *p)
{
	while (at > 1 && key_of(t->heap[at / 2]) > key_of(p)) {
		place(t, at, t->heap[at / 2]);
		at /= 2;
	}
	place(t, at, p);
}

static void sift_down(struct wg_timers *t, uint32_t at, struct wg_peer *p)
{
	for (uint32_t child = at * 2; child <= t->count; child = at * 2) {
		if (child < t->count && key_of(t->heap[child + 1]) < key_of(t->heap[child]))
			child++;
		if (key_of(t->heap[child]) >= key_of(p))
			break;
		place(t, at, t->heap[child]);
		at = child;
	}
	place(t, at, p);
}

static void tell_first(struct wg_timers *t)
{
	atomic_store(&t->first_at, t->count != 0 ? key_of(t->heap[1]) : UINT64_MAX);
}

bool wg_timers_reserve(struct wg_timers *t, uint32_t peers)
{
	if (t->heap == NULL)
		atomic_store(&t->first_at, UINT64_MAX);
	if (peers < t->room)
		return true;
	uint32_t room = t->room < 32 ? 64 : t->room * 2;
	while (room <= peers)
		room *= 2;
	struct wg_peer **heap = realloc(t->heap, room * sizeof(struct wg_peer *));
	if (heap == NULL)
		return false;
	t->heap = heap;
	t->room = room;
	return true;
}

void wg_timers_clear(struct wg_timers *t)
{
	free(t->heap);
	memset(t, 0, sizeof(*t));
}

void wg_timers_remove(struct wg_timers *t, struct wg_peer *p)
{
	uint32_t at = p->heap_place;
	if (at == 0)
		return;
	struct wg_peer *last = t->heap[t->count--];
	p->heap_place = 0;
	if (last != p) {
		sift_up(t, at, last);
		sift_down(t, last->heap_place, last);
	}
	tell_first(t);
}

/* Has lane 0 look at the peer at `at`, if it would not look sooner. Under the lock. */
static void plan(struct wg_lane *l, struct wg_peer *p, uint64_t at)
{
	struct wg_timers *t = &p->wg->timers;
	uint64_t first = atomic_load(&t->first_at);
	if (!atomic_load(&p->running) || at >= key_of(p))
		return;
	atomic_store(&p->wake_at, at);
	sift_up(t, p->heap_place != 0 ? p->heap_place : ++t->count, p);
	tell_first(t);
	if (at < first && l->pub->index != 0)
		wg_wake_first(p->wg);
}

/*
 * A deadline was written. Either the look at wake_at finds it, or this plans an earlier one: the
 * deadline is stored before wake_at is loaded here, and wake_at before the deadlines are loaded in
 * look(), all sequentially consistent, so that one of both sees the other.
 */
static void touch(struct wg_lane *l, struct wg_peer *p, uint64_t at, bool locked)
{
	if (at >= atomic_load(&p->wake_at))
		return;
	if (!locked)
		wg_lock(p->wg);
	plan(l, p, at);
	if (!locked)
		wg_unlock(p->wg);
}

/* ---- what happens ---- */

/* Long overdue: a deadline that was written while the peer was stopped and started again. */
static bool is_pending(uint64_t at, uint64_t now)
{
	return at != 0 && at + WG_SECOND > now;
}

/* 0 to 333 ms, so that both sides do not begin at the same moment. */
static uint64_t jitter(const struct wg_lane *l, const struct wg_peer *p)
{
	uint64_t key;
	memcpy(&key, p->public_key, sizeof(key));
	uint64_t mix = (l->pub->now_ns ^ key) * UINT64_C(0x9e3779b97f4a7c15);
	return (mix >> 32) * WG_REKEY_JITTER >> 32;
}

void wg_timers_data_sent(struct wg_lane *l, struct wg_peer *p, bool locked)
{
	uint64_t now = l->pub->now_ns;
	if (is_pending(atomic_load_explicit(&p->new_handshake_at, memory_order_relaxed), now))
		return;
	uint64_t at = now + WG_NEW_HANDSHAKE_TIME + jitter(l, p);
	atomic_store(&p->new_handshake_at, at);
	touch(l, p, at, locked);
}

void wg_timers_data_received(struct wg_lane *l, struct wg_peer *p, bool locked)
{
	uint64_t now = l->pub->now_ns;
	if (is_pending(atomic_load_explicit(&p->keepalive_at, memory_order_relaxed), now)) {
		if (!atomic_load_explicit(&p->another_keepalive, memory_order_relaxed))
			atomic_store_explicit(&p->another_keepalive, true, memory_order_relaxed);
		return;
	}
	atomic_store(&p->keepalive_at, now + WG_KEEPALIVE_TIMEOUT);
	touch(l, p, now + WG_KEEPALIVE_TIMEOUT, locked);
}

static void cancel(_Atomic uint64_t *at)
{
	if (atomic_load_explicit(at, memory_order_relaxed) != 0)
		atomic_store_explicit(at, 0, memory_order_relaxed);
}

void wg_timers_any_sent(struct wg_peer *p)
{
	cancel(&p->keepalive_at);
}

void wg_timers_any_received(struct wg_peer *p)
{
	cancel(&p->new_handshake_at);
}

void wg_timers_any_passed(struct wg_lane *l, struct wg_peer *p, bool locked)
{
	uint64_t interval = atomic_load_explicit(&p->keepalive_s, memory_order_relaxed);
	uint64_t now = l->pub->now_ns;
	if (interval == 0)
		return;
	bool pending = is_pending(atomic_load_explicit(&p->persistent_at, memory_order_relaxed),
				  now);
	uint64_t at = now + interval * WG_SECOND;
	if (pending) {
		/* later than it was: the look that is planned comes soon enough */
		atomic_store_explicit(&p->persistent_at, at, memory_order_relaxed);
		return;
	}
	atomic_store(&p->persistent_at, at);
	touch(l, p, at, locked);
}

void wg_timers_initiated(struct wg_lane *l, struct wg_peer *p)
{
	p->retransmit_at = l->pub->now_ns + WG_REKEY_TIMEOUT + jitter(l, p);
	plan(l, p, p->retransmit_at);
}

void wg_timers_waiting(struct wg_lane *l, struct wg_peer *p)
{
	wg_lock(p->wg);
	if (p->retransmit_at == 0 && atomic_load(&p->running)) {
		p->retransmit_at = atomic_load(&p->last_handshake_ns) + WG_REKEY_TIMEOUT +
				   jitter(l, p);
		plan(l, p, p->retransmit_at);
	}
	wg_unlock(p->wg);
}

void wg_timers_completed(struct wg_lane *l, struct wg_peer *p)
{
	p->retransmit_at = 0;
	p->attempts = 0;
	p->handshake_wall_ns = l->host->wall_ns(l->host);
	atomic_store(&p->unanswered, false);
}

void wg_timers_derived(struct wg_lane *l, struct wg_peer *p)
{
	p->zero_keys_at = l->pub->now_ns + WG_ZERO_KEYS_TIME;
	plan(l, p, p->zero_keys_at);
}

void wg_timers_stop(struct wg_peer *p)
{
	wg_timers_remove(&p->wg->timers, p);
	atomic_store(&p->wake_at, UINT64_MAX);
	atomic_store(&p->new_handshake_at, 0);
	atomic_store(&p->keepalive_at, 0);
	atomic_store(&p->persistent_at, 0);
	atomic_store(&p->another_keepalive, false);
	p->retransmit_at = 0;
	p->zero_keys_at = 0;
	p->attempts = 0;
}

/* ---- what is due ---- */

static void give_up(struct wg_lane *l, struct wg_peer *p)
{
	char key[WG_KEY_TEXT];
	p->retransmit_at = 0;
	atomic_store(&p->keepalive_at, 0);
	atomic_store(&p->unanswered, true);
	wg_wake_all(p->wg);
	if (p->zero_keys_at == 0)
		p->zero_keys_at = l->pub->now_ns + WG_ZERO_KEYS_TIME;
	l->given_up++;
	wg_log(l->host, VPN_LOG_DEBUG, "peer %s does not answer: handshake given up",
	       wg_text_key(p->public_key, key));
}

static void retransmit(struct wg_lane *l, struct wg_peer *p)
{
	wg_names_doubt(p->wg, p, l->pub->now_ns);
	if (p->attempts > WG_MAX_HANDSHAKES) {
		give_up(l, p);
		return;
	}
	p->attempts++;
	p->retransmit_at = 0;
	wg_endpoint_clear_local(&p->endpoint);
	wg_handshake_initiate_locked(l, p, true);
	/* it could not be sent: no packet, no endpoint. The next attempt may. */
	if (p->retransmit_at == 0)
		wg_timers_initiated(l, p);
}

static void zero_keys(struct wg_lane *l, struct wg_peer *p)
{
	p->zero_keys_at = 0;
	wg_peer_drop_sessions(p);
	vpn_count(l->pub, KEYS_ZEROED, 1);
}

/* Takes a deadline that is due, unless a lane has just moved it. */
static bool take(_Atomic uint64_t *at, uint64_t now)
{
	uint64_t due = atomic_load(at);
	return due != 0 && due <= now && atomic_compare_exchange_strong(at, &due, 0);
}

static void passive_keepalive(struct wg_lane *l, struct wg_peer *p)
{
	wg_send_keepalive_locked(l, p, VPN_POOL_TX);
	if (!atomic_exchange(&p->another_keepalive, false))
		return;
	atomic_store(&p->keepalive_at, l->pub->now_ns + WG_KEEPALIVE_TIMEOUT);
}

static uint64_t sooner(uint64_t first, uint64_t at)
{
	return at != 0 && at < first ? at : first;
}

/* Does what is due of one peer and plans the next look. */
static void look(struct wg_lane *l, struct wg_peer *p, uint64_t now)
{
	wg_timers_remove(&p->wg->timers, p);
	atomic_store(&p->wake_at, UINT64_MAX); /* before the deadlines are read: see touch() */
	if (p->retransmit_at != 0 && p->retransmit_at <= now)
		retransmit(l, p);
	if (take(&p->new_handshake_at, now)) {
		wg_endpoint_clear_local(&p->endpoint);
		wg_handshake_initiate_locked(l, p, false);
	}
	if (take(&p->keepalive_at, now))
		passive_keepalive(l, p);
	if (p->zero_keys_at != 0 && p->zero_keys_at <= now)
		zero_keys(l, p);
	if (take(&p->persistent_at, now)) {
		wg_send_keepalive_locked(l, p, VPN_POOL_TX);
		/* also when nothing could be sent */
		wg_timers_any_passed(l, p, true);
	}
	uint64_t next = sooner(UINT64_MAX, p->retransmit_at);
	next = sooner(next, p->zero_keys_at);
	next = sooner(next, atomic_load(&p->new_handshake_at));
	next = sooner(next, atomic_load(&p->keepalive_at));
	next = sooner(next, atomic_load(&p->persistent_at));
	if (next != UINT64_MAX)
		plan(l, p, next);
}

void wg_timers_run(struct wg_lane *l, uint64_t now_ns)
{
	struct wg *wg = l->wg;
	struct wg_timers *t = &wg->timers;
	if (atomic_load(&t->first_at) > now_ns)
		return;
	wg_lock(wg);
	for (uint32_t i = 0; i < PEERS_PER_TURN && t->count != 0 && key_of(t->heap[1]) <= now_ns;
	     i++)
		look(l, t->heap[1], now_ns);
	wg_unlock(wg);
	wg_lane_flush(l);
	/* whoever listens may ask us something */
	for (; l->given_up != 0; l->given_up--)
		l->host->notify(l->host, VPN_EVENT_PEER_DEAD, 0);
}
