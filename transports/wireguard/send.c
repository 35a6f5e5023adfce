/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * send: a batch from the device is routed packet by packet (runs to one address cost one look-up),
 * gathered by peer, sealed as a whole whatever keys it needs, and pushed as a whole.
 */
#include "send.h"

#include <string.h>
#include <vpncore/tcpip.h>

#include "icmp.h"
#include "inner.h"
#include "peer.h"
#include "wireguard.h"

/* What is on its way through one call; on the stack, since a push may bring us here again. */
struct batch {
	struct wg_lane *l;
	uint32_t n;      /* packets that are ready to be sealed */
	uint32_t groups; /* endpoints that are used */
	struct vpn_packet *pkts[VPN_BATCH_MAX];
	struct wg_aead_job jobs[VPN_BATCH_MAX];
	struct vpn_endpoint to[VPN_BATCH_MAX];
};

static void drop(struct wg_lane *l, struct vpn_packet *p, enum wg_count reason)
{
	vpn_count(l->pub, reason, 1);
	l->host->release(l->pub, &p, 1);
}

/* ---- routing ---- */

static bool is_same_dst(const struct wg_inner *a, const struct wg_inner *b)
{
	return a->family == b->family && a->dst != NULL &&
	       memcmp(a->dst, b->dst, a->family == VPN_AF_INET ? 4 : 16) == 0;
}

/* What a batch holds. */
struct content {
	bool mixed; /* packets for more than one peer */
	bool udp;   /* packets that may be our own */
};

/* Whose address a run of packets goes to. */
struct runs {
	uint32_t n;
	struct wg_allowed_query queries[VPN_BATCH_MAX];
	uint8_t run[VPN_BATCH_MAX]; /* of each packet, an index into queries */
};

/* Packets to one address after each other are one run; what is not IP is dropped, the others move
 * together. Returns how many are left. */
static uint32_t find_runs(struct wg_lane *l, struct vpn_packet **pkts, uint32_t n, struct runs *r,
			  bool *ret_udp)
{
	struct wg_inner last = {.family = VPN_AF_NONE}, in;
	uint32_t kept = 0;
	r->n = 0;
	for (uint32_t i = 0; i < n; i++) {
		struct vpn_packet *p = pkts[i];
		if (!wg_inner_parse(vpn_packet_data(p), p->len, &in)) {
			drop(l, p, DROP_NOT_IP);
			continue;
		}
		if (!is_same_dst(&last, &in))
			r->queries[r->n++] = (struct wg_allowed_query){.addr = in.dst,
								       .family = in.family};
		last = in;
		*ret_udp |= in.protocol == TCPIP_IPPROTO_UDP;
		r->run[kept] = (uint8_t)(r->n - 1);
		pkts[kept++] = p;
	}
	return kept;
}

/* With thousands of peers each is far away in memory: all are sent for before the first is needed. */
static void prefetch_peers(const struct wg_lane *l, const struct runs *r)
{
	if (r->n < 2)
		return;
	for (uint32_t i = 0; i < r->n; i++)
		if (r->queries[i].peer != NULL)
			wg_peer_prefetch(r->queries[i].peer, l->pub->index);
	for (uint32_t i = 0; i < r->n; i++)
		if (r->queries[i].peer != NULL)
			wg_peer_prefetch_session(r->queries[i].peer);
}

/* Finds each packet's peer; those without are dropped, the others move together. Returns how many are
 * left. */
static uint32_t route(struct wg_lane *l, struct vpn_packet **pkts, uint32_t n,
		      struct wg_peer **owners, struct content *ret_content)
{
	struct runs runs;
	uint32_t kept = 0;
	*ret_content = (struct content){false, false};
	n = find_runs(l, pkts, n, &runs, &ret_content->udp);
	wg_allowedips_lookup(&l->wg->allowed, runs.queries, runs.n);
	prefetch_peers(l, &runs);
	for (uint32_t i = 0; i < n; i++) {
		struct wg_peer *peer = runs.queries[runs.run[i]].peer;
		if (peer == NULL) {
			wg_icmp_unreachable(l, pkts[i]);
			drop(l, pkts[i], DROP_NO_PEER);
			continue;
		}
		if (kept != 0 && owners[0] != peer)
			ret_content->mixed = true;
		owners[kept] = peer;
		pkts[kept++] = pkts[i];
	}
	return kept;
}

/* Moves the packets of the first one's peer to `out`, in their order. */
static uint32_t gather(struct vpn_packet **pkts, struct wg_peer **owners, uint32_t *n,
		       struct vpn_packet **out)
{
	struct wg_peer *peer = owners[0];
	uint32_t taken = 0, left = 0;
	for (uint32_t i = 0; i < *n; i++) {
		if (owners[i] == peer) {
			out[taken++] = pkts[i];
			continue;
		}
		owners[left] = owners[i];
		pkts[left++] = pkts[i];
	}
	*n = left;
	return taken;
}

/* ---- sealing ---- */

uint32_t wg_send_padding(uint32_t len, uint32_t mtu)
{
	uint32_t last = mtu != 0 && len > mtu ? len % mtu : len;
	uint32_t padded = (last + WG_PADDING - 1) / WG_PADDING * WG_PADDING;
	if (mtu != 0 && padded > mtu)
		padded = mtu;
	return padded - last;
}

/* Makes a message of the packet, but for the sealing. */
static void frame(struct batch *b, struct vpn_packet *p, const struct wg_keypair *k,
		  uint64_t counter, uint32_t mtu)
{
	uint32_t pad = wg_send_padding(p->len, mtu);
	struct wg_aead_job *job = &b->jobs[b->n];
	uint8_t *data = vpn_packet_data(p);
	memset(data + p->len, 0, pad);
	job->key = k->send_key;
	job->counter = counter;
	job->data = data;
	job->len = p->len + pad;
	p->off -= WG_DATA_HEADER;
	p->len = job->len + WG_DATA_OVERHEAD;
	data -= WG_DATA_HEADER;
	wg_store_le32(data, b->l->wg->types.of[WG_TYPE_DATA].first);
	wg_store_le32(data + 4, k->remote_index);
	wg_store_le64(data + 8, counter);
	b->pkts[b->n++] = p;
}

/* The session to send under; *ret_counter is the first of n counters that are ours. NULL: none. */
static struct wg_keypair *reserve(struct wg_lane *l, struct wg_peer *peer, uint32_t n,
				  uint64_t *ret_counter)
{
	struct wg_keypair *k = atomic_load_explicit(&peer->current, memory_order_acquire);
	if (k == NULL || !wg_keypair_is_fresh(k, l->pub->now_ns))
		return NULL;
	uint64_t used = atomic_load_explicit(&k->send_counter, memory_order_relaxed);
	/* lanes that ask together cannot pass the end by more than 64 batches, far from a wrap */
	if (used >= WG_REJECT_AFTER_MESSAGES - n)
		return NULL;
	*ret_counter = atomic_fetch_add_explicit(&k->send_counter, n, memory_order_relaxed);
	return *ret_counter < WG_REJECT_AFTER_MESSAGES - n ? k : NULL;
}

/* Whitepaper section 6.2: a session that has been used long enough is renewed by who began it. */
static bool wants_renewal(const struct wg_lane *l, const struct wg_keypair *k, uint64_t counter)
{
	return counter > WG_REKEY_AFTER_MESSAGES ||
	       (k->initiator && l->pub->now_ns >= k->created_ns + WG_REKEY_AFTER_TIME);
}

static void after_sending(struct wg_lane *l, struct wg_peer *peer, bool data, bool locked)
{
	wg_timers_any_passed(l, peer, locked);
	wg_timers_any_sent(peer);
	if (data)
		wg_timers_data_sent(l, peer, locked);
}

/* Frames a peer's packets into the batch. False: there is no session, nothing has happened. */
static bool add_group(struct batch *b, struct wg_peer *peer, struct vpn_packet **pkts, uint32_t n)
{
	struct wg_lane *l = b->l;
	struct vpn_endpoint *to = &b->to[b->groups];
	uint32_t mtu = atomic_load_explicit(&l->wg->mtu, memory_order_relaxed);
	uint64_t counter, bytes = 0;
	if (!wg_peer_target(peer, to))
		return false;
	struct wg_keypair *k = reserve(l, peer, n, &counter);
	if (k == NULL)
		return false;
	b->groups++;
	for (uint32_t i = 0; i < n; i++) {
		frame(b, pkts[i], k, counter + i, mtu);
		pkts[i]->endpoint = to->family != VPN_AF_NONE ? to : NULL;
		bytes += pkts[i]->len;
	}
	wg_peer_count_tx(&peer->lanes[l->pub->index], bytes);
	after_sending(l, peer, true, false);
	if (wants_renewal(l, k, counter) && wg_handshake_may_initiate(l, peer))
		wg_handshake_initiate(l, peer, false);
	return true;
}

static void finish(struct batch *b)
{
	struct wg_lane *l = b->l;
	if (b->n == 0)
		return;
	l->wg->engine->seal(l->aead, b->jobs, b->n);
	wg_lane_push(l, b->pkts, b->n);
}

bool wg_send_to(struct wg_lane *l, struct wg_peer *peer, struct vpn_packet **pkts, uint32_t n)
{
	struct batch b;
	b.l = l;
	b.n = 0;
	b.groups = 0;
	if (!add_group(&b, peer, pkts, n))
		return false;
	finish(&b);
	return true;
}

/* ---- packets that cannot go now ---- */

/* Drops what would come back to us for ever; the rest moves together. */
static uint32_t drop_loops(struct wg_lane *l, const struct vpn_endpoint *to,
			   struct vpn_packet **pkts, uint32_t n)
{
	const struct wg_ports ports = atomic_load_explicit(&l->wg->ports, memory_order_relaxed);
	uint32_t kept = 0;
	for (uint32_t i = 0; i < n; i++) {
		struct wg_inner in;
		const uint8_t *data = vpn_packet_data(pkts[i]);
		if (wg_inner_parse(data, pkts[i]->len, &in) &&
		    wg_inner_is_loop(data, &in, to, ports))
			drop(l, pkts[i], DROP_LOOP);
		else
			pkts[kept++] = pkts[i];
	}
	return kept;
}

/* One peer's packets: into the batch, or staged for the session that is begun, or dropped. udp: there may be
 * some of our own among them. */
static void add_or_stage(struct batch *b, struct wg_peer *peer, struct vpn_packet **pkts,
			 uint32_t n, bool udp)
{
	struct wg_lane *l = b->l;
	struct vpn_endpoint to;
	if (!atomic_load_explicit(&peer->running, memory_order_relaxed)) {
		vpn_count(l->pub, DROP_DOWN, n);
		l->host->release(l->pub, pkts, n);
		return;
	}
	if (!wg_peer_target(peer, &to)) {
		wg_icmp_unreachable(l, pkts[0]);
		vpn_count(l->pub, DROP_NO_ENDPOINT, n);
		l->host->release(l->pub, pkts, n);
		return;
	}
	if (udp)
		n = drop_loops(l, &to, pkts, n);
	/* another lane has got the session, and our wake has not come yet */
	if (n != 0 && peer->lanes[l->pub->index].first != NULL)
		wg_staging_flush(l, peer);
	if (n == 0 || add_group(b, peer, pkts, n))
		return;
	wg_staging_put(l, peer, pkts, n);
	if (wg_handshake_may_initiate(l, peer))
		wg_handshake_initiate(l, peer, false);
}

uint32_t wg_send(struct wg_lane *l, struct vpn_packet **pkts, uint32_t n)
{
	struct wg_peer *owners[VPN_BATCH_MAX];
	struct vpn_packet *group[VPN_BATCH_MAX];
	struct batch b;
	struct content content;
	if (l->held.n != 0)
		return 0; /* writable() follows when they have gone */
	if (n > VPN_BATCH_MAX)
		n = VPN_BATCH_MAX;
	b.l = l;
	b.n = 0;
	b.groups = 0;
	uint32_t left = route(l, pkts, n, owners, &content);
	if (left != 0 && !content.mixed) {
		add_or_stage(&b, owners[0], pkts, left, content.udp);
		left = 0;
	}
	while (left != 0) {
		struct wg_peer *peer = owners[0];
		uint32_t k = gather(pkts, owners, &left, group);
		add_or_stage(&b, peer, group, k, content.udp);
	}
	finish(&b);
	return n;
}

/* ---- keepalives ---- */

void wg_send_keepalive_locked(struct wg_lane *l, struct wg_peer *peer, uint32_t pool)
{
	struct batch b;
	struct vpn_endpoint to;
	uint64_t counter;
	if (!atomic_load(&peer->running) || !wg_peer_target(peer, &to))
		return;
	struct wg_keypair *k = reserve(l, peer, 1, &counter);
	if (k == NULL) {
		wg_handshake_initiate_locked(l, peer, false);
		return;
	}
	struct vpn_packet *p = wg_lane_packet(l, pool, 0);
	if (p == NULL)
		return;
	b.l = l;
	b.n = 0;
	frame(&b, p, k, counter, 0);
	l->wg->engine->seal(l->aead, b.jobs, 1);
	wg_peer_count_tx(&peer->lanes[l->pub->index], p->len);
	vpn_count(l->pub, KEEPALIVES_SENT, 1);
	wg_lane_post(l, p, &to);
	after_sending(l, peer, false, true);
	if (wants_renewal(l, k, counter))
		wg_handshake_initiate_locked(l, peer, false);
}
