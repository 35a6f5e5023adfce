/* SPDX-License-Identifier: BSD-2-Clause */
#include "staging.h"

#include "peer.h"
#include "send.h"
#include "wireguard.h"

static struct wg_peer_lane *mine(const struct wg_lane *l, struct wg_peer *p)
{
	return &p->lanes[l->pub->index];
}

static struct vpn_packet *next_of(const struct vpn_packet *p)
{
	return (struct vpn_packet *)(uintptr_t)p->scratch[0];
}

/* False: the peer was removed since we found it, and goes when this callback ends. */
static bool list_peer(struct wg_lane *l, struct wg_peer *peer)
{
	struct wg_peer_lane *pl = mine(l, peer);
	if (pl->is_staged)
		return true;
	if (!wg_peer_try_ref(peer))
		return false;
	pl->is_staged = true;
	pl->next_staged = l->staging.first;
	l->staging.first = peer;
	return true;
}

static void append(struct wg_lane *l, struct wg_peer_lane *pl, struct vpn_packet *p)
{
	p->scratch[0] = 0;
	p->endpoint = NULL;
	if (pl->last != NULL)
		pl->last->scratch[0] = (uintptr_t)p;
	else
		pl->first = p;
	pl->last = p;
	pl->n_staged++;
	l->staging.count++;
}

static struct vpn_packet *take_first(struct wg_lane *l, struct wg_peer_lane *pl)
{
	struct vpn_packet *p = pl->first;
	pl->first = next_of(p);
	if (pl->first == NULL)
		pl->last = NULL;
	pl->n_staged--;
	l->staging.count--;
	return p;
}

static void drop(struct wg_lane *l, struct vpn_packet *p, uint32_t reason)
{
	vpn_count(l->pub, reason, 1);
	l->host->release(l->pub, &p, 1);
}

/* The oldest packet of the peer that has the most goes: who does not answer leaves room for others. */
static void make_room(struct wg_lane *l)
{
	struct wg_peer_lane *longest = NULL;
	for (struct wg_peer *p = l->staging.first; p != NULL; p = mine(l, p)->next_staged)
		if (longest == NULL || mine(l, p)->n_staged > longest->n_staged)
			longest = mine(l, p);
	if (longest != NULL && longest->first != NULL)
		drop(l, take_first(l, longest), DROP_STAGED);
}

void wg_staging_put(struct wg_lane *l, struct wg_peer *peer, struct vpn_packet **pkts, uint32_t n)
{
	struct wg_peer_lane *pl = mine(l, peer);
	bool is_first = pl->first == NULL;
	if (!list_peer(l, peer)) {
		vpn_count(l->pub, DROP_DOWN, n);
		l->host->release(l->pub, pkts, n);
		return;
	}
	for (uint32_t i = 0; i < n; i++) {
		if (pl->n_staged >= WG_STAGED_MAX && pl->first != NULL)
			drop(l, take_first(l, pl), DROP_STAGED);
		if (l->staging.count >= WG_STAGED_LANE_MAX)
			make_room(l);
		append(l, pl, pkts[i]);
	}
	/* we have answered a handshake just now, and may never hear that it was completed */
	if (is_first && !wg_handshake_may_initiate(l, peer))
		wg_timers_waiting(l, peer);
}

/* Puts packets back where take() found them. */
static void put_back(struct wg_lane *l, struct wg_peer_lane *pl, struct vpn_packet **pkts,
		     uint32_t n)
{
	for (uint32_t i = n; i-- != 0; pl->first = pkts[i]) {
		pkts[i]->scratch[0] = (uintptr_t)pl->first;
		if (pl->first == NULL)
			pl->last = pkts[i];
	}
	pl->n_staged += n;
	l->staging.count += n;
}

/* Up to a batch of packets, out of the queue. */
static uint32_t take(struct wg_lane *l, struct wg_peer_lane *pl, struct vpn_packet **out)
{
	uint32_t n = 0;
	while (n < l->pub->max_batch && pl->first != NULL)
		out[n++] = take_first(l, pl);
	return n;
}

void wg_staging_flush(struct wg_lane *l, struct wg_peer *peer)
{
	struct wg_peer_lane *pl = mine(l, peer);
	struct vpn_packet *pkts[VPN_BATCH_MAX];
	while (pl->first != NULL) {
		uint32_t n = take(l, pl, pkts);
		if (wg_send_to(l, peer, pkts, n))
			continue;
		put_back(l, pl, pkts, n);
		return;
	}
}

static void drop_all(struct wg_lane *l, struct wg_peer_lane *pl, uint32_t reason)
{
	while (pl->first != NULL)
		drop(l, take_first(l, pl), reason);
}

/* A peer whose queue is empty leaves the list. */
static void sweep(struct wg_lane *l)
{
	struct wg_peer *left = NULL, *next;
	for (struct wg_peer *p = l->staging.first; p != NULL; p = next) {
		struct wg_peer_lane *pl = mine(l, p);
		next = pl->next_staged;
		if (pl->first != NULL) {
			pl->next_staged = left;
			left = p;
			continue;
		}
		pl->is_staged = false;
		pl->next_staged = NULL;
		wg_peer_put(p);
	}
	l->staging.first = left;
}

/* Begins a handshake when none is under way: there was no key or no endpoint for it before. */
static void ask(struct wg_lane *l, struct wg_peer *p)
{
	wg_lock(p->wg);
	if (p->retransmit_at == 0)
		wg_handshake_initiate_locked(l, p, false);
	wg_unlock(p->wg);
	wg_lane_flush(l);
}

void wg_staging_review(struct wg_lane *l)
{
	struct wg_peer *next;
	for (struct wg_peer *p = l->staging.first; p != NULL; p = next) {
		next = mine(l, p)->next_staged; /* flushing may put others in front, not behind */
		if (!atomic_load(&p->running))
			drop_all(l, mine(l, p), DROP_DOWN);
		else if (atomic_load(&p->unanswered))
			drop_all(l, mine(l, p), DROP_UNANSWERED);
		else
			wg_staging_flush(l, p);
		if (mine(l, p)->first != NULL)
			ask(l, p);
	}
	sweep(l);
}

void wg_staging_clear(struct wg_lane *l)
{
	for (struct wg_peer *p = l->staging.first; p != NULL; p = mine(l, p)->next_staged)
		while (mine(l, p)->first != NULL) {
			struct vpn_packet *k = take_first(l, mine(l, p));
			l->host->release(l->pub, &k, 1);
		}
	sweep(l);
}
