/* SPDX-License-Identifier: BSD-2-Clause */
#include "peer.h"

#include <sodium.h>
#include <stdlib.h>
#include <string.h>

#include "wireguard.h"

static size_t size_of(const struct wg *wg)
{
	return sizeof(struct wg_peer) + wg->n_lanes * sizeof(struct wg_peer_lane);
}

struct wg_peer *wg_peer_new(struct wg *wg, const uint8_t public_key[WG_KEY_LEN])
{
	size_t size = size_of(wg);
	struct wg_peer *p = aligned_alloc(_Alignof(struct wg_peer), size);
	if (p == NULL)
		return NULL;
	memset(p, 0, size);
	p->wg = wg;
	p->refs = 1;
	p->wake_at = UINT64_MAX;
	memcpy(p->public_key, public_key, WG_KEY_LEN);
	wg_noise_init(&p->noise, &wg->identity, public_key, NULL);
	wg_cookie_maker_init(&p->cookie, public_key);
	return p;
}

static void release(struct wg_retired *r)
{
	struct wg_peer *p = (struct wg_peer *)(void *)r; /* its first member */
	sodium_memzero(p, size_of(p->wg));
	free(p);
}

void wg_peer_ref(struct wg_peer *p)
{
	atomic_fetch_add_explicit(&p->refs, 1, memory_order_relaxed);
}

bool wg_peer_try_ref(struct wg_peer *p)
{
	uint32_t refs = atomic_load_explicit(&p->refs, memory_order_relaxed);
	while (refs != 0)
		if (atomic_compare_exchange_weak_explicit(
			    &p->refs, &refs, refs + 1, memory_order_relaxed, memory_order_relaxed))
			return true;
	return false;
}

void wg_peer_put_locked(struct wg_peer *p)
{
	if (atomic_fetch_sub_explicit(&p->refs, 1, memory_order_acq_rel) != 1)
		return;
	wg_epoch_retire(&p->wg->epoch, &p->retired, release);
	wg_retired(p->wg);
}

void wg_peer_put(struct wg_peer *p)
{
	struct wg *wg = p->wg; /* p may be gone afterwards */
	wg_lock(wg);
	wg_peer_put_locked(p);
	wg_unlock(wg);
}

void wg_peer_start(struct wg_peer *p)
{
	wg_timers_stop(p); /* what a lane has noted since it was stopped has no look planned */
	atomic_store(&p->running, true);
	if (atomic_load(&p->keepalive_s) != 0)
		wg_peer_ask(p, WG_TODO_KEEPALIVE);
}

static void retire(struct wg_peer *p, struct wg_keypair *k)
{
	wg_keypair_retire(&p->wg->index, &p->wg->epoch, k);
	if (k != NULL)
		wg_retired(p->wg);
}

void wg_peer_drop_sessions(struct wg_peer *p)
{
	retire(p, atomic_exchange(&p->next, NULL));
	retire(p, atomic_exchange(&p->previous, NULL));
	retire(p, atomic_exchange(&p->current, NULL));
	retire(p, p->pending);
	p->pending = NULL;
	wg_noise_clear(&p->noise);
}

void wg_peer_stop(struct wg_peer *p)
{
	atomic_store(&p->running, false);
	wg_timers_stop(p);
	wg_peer_drop_sessions(p);
	atomic_store(&p->last_handshake_ns, 0);
}

void wg_peer_install(struct wg_peer *p, struct wg_keypair *k)
{
	struct wg_keypair *previous = atomic_load(&p->previous);
	struct wg_keypair *current = atomic_load(&p->current);
	struct wg_keypair *next = atomic_load(&p->next);
	if (!k->initiator) {
		/* not to be sent under before the other side has shown that it has it */
		atomic_store(&p->next, k);
		atomic_store(&p->previous, NULL);
		retire(p, next);
		retire(p, previous);
		return;
	}
	atomic_store(&p->next, NULL);
	atomic_store(&p->previous, next != NULL ? next : current);
	atomic_store(&p->current, k);
	retire(p, previous);
	if (next != NULL)
		retire(p, current);
}

bool wg_peer_confirm(struct wg_lane *l, struct wg_peer *p, struct wg_keypair *k)
{
	struct wg *wg = p->wg;
	if (atomic_load_explicit(&p->next, memory_order_relaxed) != k)
		return false;
	wg_lock(wg);
	bool is_next = atomic_load(&p->next) == k;
	if (is_next) {
		retire(p, atomic_load(&p->previous));
		atomic_store(&p->previous, atomic_load(&p->current));
		atomic_store(&p->current, k);
		atomic_store(&p->next, NULL);
		wg_timers_completed(l, p);
		vpn_count(l->pub, SESSIONS, 1);
	}
	wg_unlock(wg);
	return is_next;
}

void wg_peer_ask(struct wg_peer *p, uint32_t what)
{
	p->todo |= what;
	if (p->has_todo)
		return;
	p->has_todo = true;
	wg_peer_ref(p);
	p->todo_next = p->wg->todo;
	p->wg->todo = p;
	wg_wake_first(p->wg);
}

void wg_peer_heard_from(struct wg_lane *l, struct wg_peer *p, const struct vpn_endpoint *from)
{
	bool roamed;
	if (from == NULL || !wg_endpoint_learn(&p->endpoint, from, &roamed) || !roamed)
		return;
	vpn_count(l->pub, ROAMED, 1);
	wg_changed(p->wg);
}

bool wg_peer_target(const struct wg_peer *p, struct vpn_endpoint *out)
{
	return wg_endpoint_get(&p->endpoint, out) ||
	       atomic_load_explicit(&p->wg->below_chooses, memory_order_relaxed);
}
