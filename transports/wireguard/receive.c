/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * receive: a batch from the network. Messages of data are opened together, whatever sessions they are
 * for; what follows needs the bytes: replay, session and timers for each run of one session, then the
 * inner packet's addresses. The good ones go up in one push. Handshakes are queued meanwhile and
 * served afterwards.
 */
#include "receive.h"

#include <string.h>

#include "inner.h"
#include "peer.h"
#include "send.h"
#include "wireguard.h"

struct batch {
	struct wg_lane *l;
	uint32_t n;
	struct vpn_packet *pkts[VPN_BATCH_MAX];
	struct wg_keypair *keypairs[VPN_BATCH_MAX];
	struct wg_aead_job jobs[VPN_BATCH_MAX];
};

static void drop(struct wg_lane *l, struct vpn_packet *p, enum wg_count reason)
{
	vpn_count(l->pub, reason, 1);
	l->host->release(l->pub, &p, 1);
}

/* ---- before the tag is known to be right ---- */

static uint32_t size_of_handshake(uint32_t type)
{
	switch (type) {
	case WG_TYPE_INITIATION:
		return sizeof(struct wg_msg_initiation);
	case WG_TYPE_RESPONSE:
		return sizeof(struct wg_msg_response);
	case WG_TYPE_COOKIE:
		return sizeof(struct wg_msg_cookie);
	default:
		return 0;
	}
}

/* Not data: a handshake is copied into the queue, the rest dropped. */
static void sort_out(struct wg_lane *l, struct vpn_packet *p, uint32_t word)
{
	uint32_t type = wg_types_find(&l->wg->types, word);
	uint32_t size = size_of_handshake(type);
	if (size == 0) {
		drop(l, p, DROP_BAD_TYPE);
		return;
	}
	if (p->len != size) {
		drop(l, p, DROP_SHORT);
		return;
	}
	wg_handshake_queue_put(l, p, type);
	l->host->release(l->pub, &p, 1);
}

static struct wg_keypair *find_session(struct wg_lane *l, struct vpn_packet *p, uint32_t receiver)
{
	struct wg_index_entry *e = wg_index_lookup(&l->wg->index, receiver);
	if (e == NULL) {
		drop(l, p, DROP_UNKNOWN_INDEX);
		return NULL;
	}
	struct wg_keypair *k = (struct wg_keypair *)(void *)((char *)e -
							     offsetof(struct wg_keypair, entry));
	if (!atomic_load_explicit(&k->live, memory_order_acquire)) {
		drop(l, p, DROP_UNKNOWN_INDEX);
		return NULL;
	}
	if (!wg_keypair_is_fresh(k, l->pub->now_ns)) {
		drop(l, p, DROP_EXPIRED);
		return NULL;
	}
	return k;
}

/* Puts a message of data into the batch. `last` is the session of the message before. */
static void take_data(struct batch *b, struct vpn_packet *p)
{
	struct wg_lane *l = b->l;
	uint8_t *data = vpn_packet_data(p);
	uint32_t receiver = wg_load_le32(data + 4);
	uint64_t counter = wg_load_le64(data + 8);
	struct wg_keypair *last = b->n != 0 ? b->keypairs[b->n - 1] : NULL;
	struct wg_keypair *k = last;
	if (last == NULL || last->entry.index != receiver)
		k = find_session(l, p, receiver);
	if (k == NULL)
		return;
	if (counter >= WG_REJECT_AFTER_MESSAGES) {
		drop(l, p, DROP_EXHAUSTED);
		return;
	}
	if (k != last) {
		__builtin_prefetch(&k->replay, 1); /* for when it is open */
		wg_peer_prefetch(k->peer, l->pub->index);
	}
	b->jobs[b->n] = (struct wg_aead_job){
		.key = k->receive_key,
		.counter = counter,
		.data = data + WG_DATA_HEADER,
		.len = p->len - WG_DATA_OVERHEAD,
	};
	b->keypairs[b->n] = k;
	b->pkts[b->n++] = p;
}

/* Whose messages they claim to be: a run of one session's messages once. Returns how many. */
static uint32_t list_receivers(struct vpn_packet **pkts, uint32_t n, uint32_t *receivers)
{
	uint32_t runs = 0;
	for (uint32_t i = 0; i < n; i++) {
		if (pkts[i]->len < WG_DATA_OVERHEAD)
			continue;
		uint32_t receiver = wg_load_le32(vpn_packet_data(pkts[i]) + 4);
		if (runs == 0 || receivers[runs - 1] != receiver)
			receivers[runs++] = receiver;
	}
	return runs;
}

/* With thousands of peers each session is far away in memory: all are sent for before the first is
 * needed. */
static void prefetch_sessions(struct wg_lane *l, struct vpn_packet **pkts, uint32_t n)
{
	uint32_t receivers[VPN_BATCH_MAX];
	uint32_t runs = list_receivers(pkts, n, receivers);
	if (runs < 2)
		return;
	for (uint32_t i = 0; i < runs; i++)
		wg_index_prefetch_place(&l->wg->index, receivers[i]);
	for (uint32_t i = 0; i < runs; i++)
		wg_index_prefetch_entry(&l->wg->index, receivers[i]);
}

static void sort_all(struct batch *b, struct vpn_packet **pkts, uint32_t n)
{
	struct wg_lane *l = b->l;
	prefetch_sessions(l, pkts, n);
	for (uint32_t i = 0; i < n; i++) {
		struct vpn_packet *p = pkts[i];
		if (p->len < WG_DATA_OVERHEAD) {
			drop(l, p, DROP_SHORT);
			continue;
		}
		uint32_t word = wg_load_le32(vpn_packet_data(p));
		if (wg_types_has(&l->wg->types, WG_TYPE_DATA, word))
			take_data(b, p);
		else
			sort_out(l, p, word);
	}
}

/* ---- afterwards ---- */

/* Messages of one session that stand together in a batch. */
struct run {
	struct wg_keypair *keypair;
	const struct vpn_endpoint *from; /* of the last one */
	uint64_t bytes;
	bool any, data;
};

/* Linux keep_key_fresh: who began the session renews it before it ends, also when only receiving. */
static void keep_fresh(struct wg_lane *l, struct wg_peer *p)
{
	struct wg_keypair *k = atomic_load_explicit(&p->current, memory_order_acquire);
	if (k == NULL || !k->initiator || l->pub->now_ns < k->created_ns + WG_RECEIVE_REKEY_TIME ||
	    atomic_load_explicit(&k->refresh_asked, memory_order_relaxed))
		return;
	if (!atomic_exchange(&k->refresh_asked, true))
		wg_handshake_initiate(l, p, false);
}

/* What a run of messages that were authentic and new means for the peer. */
static void end_run(struct wg_lane *l, const struct run *r)
{
	if (!r->any)
		return;
	struct wg_peer *p = r->keypair->peer;
	wg_peer_count_rx(&p->lanes[l->pub->index], r->bytes);
	wg_peer_heard_from(l, p, r->from);
	bool confirmed = wg_peer_confirm(l, p, r->keypair);
	wg_timers_any_passed(l, p, false);
	wg_timers_any_received(p);
	if (r->data)
		wg_timers_data_received(l, p, false);
	if (confirmed) {
		wg_staging_flush(l, p);
		wg_wake_all(l->wg);
	}
	keep_fresh(l, p);
}

/* Packets of one peer from one address after each other. */
struct source {
	const struct wg_peer *peer;
	struct wg_inner inner;
};

static bool is_same_source(const struct source *a, const struct source *b)
{
	return a->peer == b->peer && a->inner.family == b->inner.family && a->inner.src != NULL &&
	       memcmp(a->inner.src, b->inner.src, a->inner.family == VPN_AF_INET ? 4 : 16) == 0;
}

/* Trims messages to the IP packets in them and drops those whose address is not their peer's.
 * keypairs[i] is what packet i came with. Returns how many are left. */
static uint32_t unwrap(struct wg_lane *l, struct vpn_packet **pkts, struct wg_keypair **keypairs,
		       uint32_t n)
{
	struct wg_allowed_query queries[VPN_BATCH_MAX];
	uint8_t asked[VPN_BATCH_MAX];
	struct source last = {.inner = {.family = VPN_AF_NONE}}, now;
	uint32_t n_queries = 0, parsed = 0, good = 0;
	for (uint32_t i = 0; i < n; i++) {
		struct vpn_packet *p = pkts[i];
		now.peer = keypairs[i]->peer;
		if (!wg_inner_parse(vpn_packet_data(p), p->len, &now.inner)) {
			drop(l, p, DROP_MALFORMED);
			continue;
		}
		if (!is_same_source(&last, &now))
			queries[n_queries++] = (struct wg_allowed_query){
				.addr = now.inner.src, .family = now.inner.family};
		last = now;
		p->len = now.inner.len;
		asked[parsed] = (uint8_t)(n_queries - 1);
		keypairs[parsed] = keypairs[i];
		pkts[parsed++] = p;
	}
	wg_allowedips_lookup(&l->wg->allowed, queries, n_queries);
	for (uint32_t i = 0; i < parsed; i++) {
		if (queries[asked[i]].peer != keypairs[i]->peer) {
			drop(l, pkts[i], DROP_DISALLOWED_SOURCE);
			continue;
		}
		pkts[i]->flags |= VPN_PACKET_VERIFIED;
		pkts[good++] = pkts[i];
	}
	return good;
}

/* Empty; where messages are disguised also one that is padded with zeros, as AmneziaWG 3.1 makes them: no IP
 * packet begins with one. */
static bool is_keepalive(const struct wg *wg, const struct vpn_packet *p)
{
	return p->len == 0 || (wg->types.disguised && vpn_packet_data(p)[0] == 0);
}

static void push_up(struct wg_lane *l, struct vpn_packet **pkts, uint32_t n)
{
	uint32_t taken = n != 0 ? vpn_push(l->pub->up, pkts, n) : 0;
	if (taken == n)
		return;
	vpn_count(l->pub, DROP_ABOVE_FULL, n - taken);
	l->host->release(l->pub, pkts + taken, n - taken);
}

static void deliver(struct batch *b)
{
	struct wg_lane *l = b->l;
	struct run run = {.keypair = b->keypairs[0]};
	uint32_t good = 0;
	for (uint32_t i = 0; i < b->n; i++) {
		struct vpn_packet *p = b->pkts[i];
		const struct wg_aead_job *job = &b->jobs[i];
		struct wg_keypair *k = b->keypairs[i];
		if (k != run.keypair) {
			end_run(l, &run);
			run = (struct run){.keypair = k};
		}
		if (!job->ok) {
			drop(l, p, DROP_BAD_TAG);
			continue;
		}
		if (!wg_replay_accept(&k->replay, job->counter)) {
			drop(l, p, DROP_REPLAY);
			continue;
		}
		run.any = true;
		run.from = p->endpoint;
		run.bytes += p->len;
		p->off += WG_DATA_HEADER;
		p->len = job->len;
		if (is_keepalive(l->wg, p)) {
			vpn_count(l->pub, KEEPALIVES_RECEIVED, 1);
			l->host->release(l->pub, &p, 1);
			continue;
		}
		run.data = true;
		b->keypairs[good] = k;
		b->pkts[good++] = p;
	}
	end_run(l, &run);
	push_up(l, b->pkts, unwrap(l, b->pkts, b->keypairs, good));
}

uint32_t wg_receive(struct wg_lane *l, struct vpn_packet **pkts, uint32_t n)
{
	struct batch b;
	if (!atomic_load_explicit(&l->wg->up, memory_order_relaxed)) {
		vpn_count(l->pub, DROP_DOWN, n);
		l->host->release(l->pub, pkts, n);
		return n;
	}
	b.l = l;
	b.n = 0;
	sort_all(&b, pkts, n);
	if (b.n != 0) {
		l->wg->engine->open(l->aead, b.jobs, b.n);
		deliver(&b);
	}
	if (l->queue.count != 0)
		(void)wg_handshake_serve(l);
	return n;
}
