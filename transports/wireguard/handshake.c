/* SPDX-License-Identifier: BSD-2-Clause */
#include "handshake.h"

#include <sodium.h>
#include <string.h>

#include "peer.h"
#include "send.h"
#include "wireguard.h"

/* What one turn may cost. A handshake takes about a sixth of a millisecond for its curve operations, any
 * other message a hash or a few. */
#define TURN_BUDGET    256u
#define COST_HANDSHAKE 32u
#define COST_OTHER     1u

/* CS0 and AF41 of Linux messages.h: HANDSHAKE_DSCP, without ECN */
#define HANDSHAKE_CLASS 0x88u

/* One message that is being served, with the lock held. */
struct arrival {
	struct wg_lane *l;
	const struct wg_handshake_entry *e;
	const struct vpn_endpoint *from; /* NULL = the link has no endpoints */
	struct wg_peer *ready;           /* has a session now, so that its staged packets can go */
};

static void drop(const struct wg_lane *l, enum wg_count reason)
{
	vpn_count(l->pub, reason, 1);
}

/* ---- the queue ---- */

void wg_handshake_queue_put(struct wg_lane *l, const struct vpn_packet *p, uint32_t type)
{
	struct wg_handshake_queue *q = &l->queue;
	if (q->count == WG_HANDSHAKE_QUEUE) {
		drop(l, DROP_HANDSHAKE_FULL);
		return;
	}
	struct wg_handshake_entry *e = &q->entries[(q->head + q->count++) % WG_HANDSHAKE_QUEUE];
	e->len = p->len;
	e->type = type;
	memcpy(e->msg, vpn_packet_data(p), p->len);
	e->has_from = p->endpoint != NULL;
	if (e->has_from)
		e->from = *p->endpoint;
}

static bool is_under_load(struct wg_lane *l)
{
	struct wg *wg = l->wg;
	uint64_t now = l->pub->now_ns;
	uint64_t until = atomic_load_explicit(&wg->under_load, memory_order_relaxed);
	if (l->queue.count < WG_UNDER_LOAD_QUEUE)
		return now < until;
	if (now >= until)
		vpn_count(l->pub, UNDER_LOAD, 1);
	atomic_store_explicit(&wg->under_load, now + WG_UNDER_LOAD_TIME, memory_order_relaxed);
	return true;
}

/* ---- sending ---- */

/* Copies a message into a packet and posts it. */
static bool post(struct wg_lane *l, uint32_t pool, const void *msg, uint32_t len,
		 const struct vpn_endpoint *to)
{
	static const struct vpn_endpoint none;
	struct vpn_packet *p = wg_lane_packet(l, pool, len);
	if (p == NULL)
		return false;
	memcpy(vpn_packet_data(p), msg, len);
	vpn_packet_set_class(p, HANDSHAKE_CLASS);
	wg_lane_post(l, p, to != NULL ? to : &none);
	return true;
}

/* A handshake message was made; `sent`: there was a packet for it. */
static void sent_to_peer(struct wg_lane *l, struct wg_peer *p, uint32_t len, bool sent)
{
	/* also else: what cost so much is not tried again at once */
	atomic_store(&p->last_handshake_ns, l->pub->now_ns);
	if (!sent)
		return;
	wg_peer_count_tx(&p->lanes[l->pub->index], len);
	wg_timers_any_passed(l, p, true);
	wg_timers_any_sent(p);
}

/* A new index for a handshake that begins; the one before is forgotten. */
static struct wg_keypair *new_pending(struct wg_peer *p)
{
	struct wg *wg = p->wg;
	wg_keypair_retire(&wg->index, &wg->epoch, p->pending);
	p->pending = wg_keypair_new(&wg->index, p);
	wg_retired(wg); /* the table of indices may have grown, and left its old self */
	return p->pending;
}

bool wg_handshake_may_initiate(const struct wg_lane *l, const struct wg_peer *p)
{
	uint64_t last = atomic_load_explicit(&p->last_handshake_ns, memory_order_relaxed);
	return last == 0 || l->pub->now_ns >= last + WG_REKEY_TIMEOUT;
}

void wg_handshake_initiate_locked(struct wg_lane *l, struct wg_peer *p, bool retry)
{
	struct wg *wg = p->wg;
	struct wg_msg_initiation msg;
	struct vpn_endpoint to;
	uint8_t ephemeral[WG_KEY_LEN], timestamp[WG_TIMESTAMP_LEN];
	/* traffic begins anew a little before the retransmission would: nor was the last one answered */
	if (!retry && p->retransmit_at != 0 && wg_handshake_may_initiate(l, p)) {
		wg_names_doubt(wg, p, l->pub->now_ns);
		wg_endpoint_clear_local(&p->endpoint);
	}
	if (!retry) {
		p->attempts = 0;
		atomic_store(&p->unanswered, false);
	}
	if (!atomic_load(&p->running) || !wg_handshake_may_initiate(l, p) ||
	    !wg_peer_target(p, &to) || !wg->identity.set || !p->noise.usable)
		return;
	struct wg_keypair *k = new_pending(p);
	if (k == NULL)
		return;
	l->host->random(l->host, ephemeral, sizeof(ephemeral));
	wg_timestamp(timestamp, l->host->wall_ns(l->host));
	if (wg_noise_create_initiation(&p->noise, &wg->identity, ephemeral, timestamp,
				       k->entry.index, &msg)) {
		wg_types_write(&wg->types, l->host, WG_TYPE_INITIATION, msg.type);
		wg_cookie_add_macs(&p->cookie, &msg, sizeof(msg), l->pub->now_ns);
		bool sent = post(l, VPN_POOL_TX, &msg, sizeof(msg), &to);
		vpn_count(l->pub, INITIATIONS_SENT, sent);
		sent_to_peer(l, p, sizeof(msg), sent);
		wg_timers_initiated(l, p);
	}
	sodium_memzero(ephemeral, sizeof(ephemeral));
}

void wg_handshake_initiate(struct wg_lane *l, struct wg_peer *p, bool retry)
{
	wg_lock(p->wg);
	wg_handshake_initiate_locked(l, p, retry);
	wg_unlock(p->wg);
	wg_lane_flush(l);
}

/* ---- what comes ---- */

/* The MACs, and what load asks for. False: dropped and counted, a cookie may have been sent. */
static bool admit(const struct arrival *a, bool under_load)
{
	struct wg_lane *l = a->l;
	struct wg *wg = l->wg;
	uint64_t now = l->pub->now_ns;
	struct wg_msg_cookie reply;
	switch (wg_cookie_check(&wg->checker, a->e->msg, a->e->len, a->from, now, under_load)) {
	case WG_COOKIE_BAD_MAC1:
		drop(l, DROP_BAD_MAC1);
		return false;
	case WG_COOKIE_MAC1_ONLY:
		if (!under_load)
			return true;
		drop(l, DROP_NO_COOKIE);
		wg_cookie_reply(&wg->checker, l->host, a->e->msg, a->e->len, a->from, now, &reply);
		wg_types_write(&wg->types, l->host, WG_TYPE_COOKIE, reply.type);
		if (post(l, VPN_POOL_RX, &reply, sizeof(reply), a->from))
			vpn_count(l->pub, COOKIES_SENT, 1);
		return false;
	case WG_COOKIE_BOTH:
		break;
	}
	if (!under_load || wg_ratelimit_allow(wg->ratelimit, a->from, now))
		return true;
	drop(l, DROP_RATE_LIMITED);
	return false;
}

static void authenticated(const struct arrival *a, struct wg_peer *p)
{
	struct wg_lane *l = a->l;
	wg_peer_count_rx(&p->lanes[l->pub->index], a->e->len);
	wg_peer_heard_from(l, p, a->from);
	wg_timers_any_passed(l, p, true);
	wg_timers_any_received(p);
}

/* The keys of the handshake that is complete: `k`, which was pending, becomes a session. */
static bool begin_session(struct wg_lane *l, struct wg_peer *p, struct wg_keypair *k)
{
	struct wg_session_keys keys;
	if (!wg_noise_begin_session(&p->noise, &keys))
		return false;
	p->pending = NULL;
	atomic_store(&p->unanswered, false);
	wg_keypair_begin(k, &keys, l->pub->now_ns);
	sodium_memzero(&keys, sizeof(keys));
	wg_peer_install(p, k);
	wg_timers_derived(l, p);
	return true;
}

/* Answers an initiation that was accepted. */
static void respond(const struct arrival *a, struct wg_peer *p)
{
	struct wg_lane *l = a->l;
	struct wg_msg_response msg;
	uint8_t ephemeral[WG_KEY_LEN];
	struct wg_keypair *k = new_pending(p);
	if (k == NULL)
		return;
	l->host->random(l->host, ephemeral, sizeof(ephemeral));
	bool made = wg_noise_create_response(&p->noise, ephemeral, k->entry.index, &msg);
	sodium_memzero(ephemeral, sizeof(ephemeral));
	if (!made) {
		drop(l, DROP_BAD_HANDSHAKE);
		return;
	}
	wg_types_write(&l->wg->types, l->host, WG_TYPE_RESPONSE, msg.type);
	wg_cookie_add_macs(&p->cookie, &msg, sizeof(msg), l->pub->now_ns);
	if (!begin_session(l, p, k))
		return;
	bool sent = post(l, VPN_POOL_RX, &msg, sizeof(msg), a->from);
	vpn_count(l->pub, RESPONSES_SENT, sent);
	sent_to_peer(l, p, sizeof(msg), sent);
}

static bool take_verdict(const struct wg_lane *l, enum wg_noise_verdict verdict)
{
	static const enum wg_count reasons[] = {
		[WG_NOISE_BAD] = DROP_BAD_HANDSHAKE,
		[WG_NOISE_OLD_TIMESTAMP] = DROP_OLD_TIMESTAMP,
		[WG_NOISE_TOO_SOON] = DROP_TOO_SOON,
		[WG_NOISE_UNEXPECTED] = DROP_UNEXPECTED,
	};
	if (verdict != WG_NOISE_OK)
		drop(l, reasons[verdict]);
	return verdict == WG_NOISE_OK;
}

static void on_initiation(struct arrival *a)
{
	struct wg_lane *l = a->l;
	struct wg *wg = l->wg;
	const struct wg_msg_initiation *msg = (const void *)a->e->msg;
	struct wg_initiation in;
	if (!wg->identity.set) {
		drop(l, DROP_UNKNOWN_PEER);
		return;
	}
	if (!wg_noise_open_initiation(&wg->identity, msg, &in)) {
		drop(l, DROP_BAD_HANDSHAKE);
		return;
	}
	struct wg_peer *p = wg_peers_find(&wg->peers, in.remote_static);
	if (p == NULL || !atomic_load(&p->running)) {
		drop(l, DROP_UNKNOWN_PEER);
	} else if (take_verdict(l, wg_noise_accept_initiation(&p->noise, &wg->identity, msg, &in,
							      l->pub->now_ns))) {
		authenticated(a, p);
		respond(a, p);
	}
	sodium_memzero(&in, sizeof(in));
}

/* The handshake or session of ours that a message names. */
static struct wg_keypair *named(const struct arrival *a, const uint8_t receiver[4])
{
	struct wg_index_entry *e = wg_index_lookup(&a->l->wg->index, wg_load_le32(receiver));
	if (e == NULL) {
		drop(a->l, DROP_UNKNOWN_INDEX);
		return NULL;
	}
	return (struct wg_keypair *)(void *)((char *)e - offsetof(struct wg_keypair, entry));
}

static void on_response(struct arrival *a)
{
	struct wg_lane *l = a->l;
	const struct wg_msg_response *msg = (const void *)a->e->msg;
	struct wg_keypair *k = named(a, msg->receiver);
	if (k == NULL)
		return;
	struct wg_peer *p = k->peer;
	if (k != p->pending || p->noise.local_index != k->entry.index) {
		drop(l, DROP_UNEXPECTED);
		return;
	}
	if (!take_verdict(l, wg_noise_consume_response(&p->noise, &l->wg->identity, msg)))
		return;
	authenticated(a, p);
	if (!begin_session(l, p, k))
		return;
	wg_timers_completed(l, p);
	vpn_count(l->pub, SESSIONS, 1);
	a->ready = p;
}

static void on_cookie(const struct arrival *a)
{
	struct wg_lane *l = a->l;
	const struct wg_msg_cookie *msg = (const void *)a->e->msg;
	struct wg_keypair *k = named(a, msg->receiver);
	if (k == NULL)
		return;
	/* anybody on the way can send one again: it moves no endpoint */
	if (!wg_cookie_consume(&k->peer->cookie, msg, l->pub->now_ns)) {
		drop(l, DROP_BAD_HANDSHAKE);
		return;
	}
	vpn_count(l->pub, COOKIES_RECEIVED, 1);
}

/* Returns what it has cost. */
static uint32_t serve_one(struct arrival *a, bool under_load)
{
	if (a->e->type == WG_TYPE_COOKIE) {
		on_cookie(a);
		return COST_OTHER;
	}
	if (!admit(a, under_load))
		return COST_OTHER;
	if (a->e->type == WG_TYPE_INITIATION)
		on_initiation(a);
	else
		on_response(a);
	return COST_HANDSHAKE;
}

/* Our first message under the new session tells the other side that it works: what was staged, or
 * else a keepalive. */
static void confirm(struct wg_lane *l, struct wg_peer *p)
{
	if (p->lanes[l->pub->index].first == NULL) {
		wg_lock(l->wg);
		wg_send_keepalive_locked(l, p, VPN_POOL_RX);
		wg_unlock(l->wg);
		wg_lane_flush(l);
	} else {
		wg_staging_flush(l, p);
	}
	wg_wake_all(l->wg);
}

bool wg_handshake_serve(struct wg_lane *l)
{
	struct wg_handshake_queue *q = &l->queue;
	bool under_load = q->count != 0 && is_under_load(l);
	uint32_t spent = 0;
	while (q->count != 0 && spent < TURN_BUDGET) {
		/* copied: serving it may bring more messages here */
		struct wg_handshake_entry e = q->entries[q->head];
		struct arrival a = {.l = l, .e = &e, .from = e.has_from ? &e.from : NULL};
		q->head = (q->head + 1) % WG_HANDSHAKE_QUEUE;
		q->count--;
		wg_lock(l->wg);
		spent += serve_one(&a, under_load);
		wg_unlock(l->wg);
		if (l->outbox.n >= WG_OUTBOX / 2)
			wg_lane_flush(l);
		if (a.ready != NULL)
			confirm(l, a.ready);
	}
	wg_lane_flush(l); /* answers of a turn go in one push */
	return q->count != 0;
}
