/* SPDX-License-Identifier: BSD-2-Clause */
#include "lane.h"

#include <string.h>

#include "wireguard.h"

#define RECLAIM_AGAIN (10 * WG_MS) /* another lane was inside */

void wg_lane_enter(struct wg_lane *l)
{
	wg_epoch_enter(&l->wg->epoch, l->pub->index);
}

/* Frees what no lane can be reading any more. Returns when to try again, or 0. */
static uint64_t reclaim(struct wg_lane *l)
{
	struct wg *wg = l->wg;
	if (!atomic_load_explicit(&wg->has_retired, memory_order_relaxed))
		return 0;
	wg_lock(wg);
	bool left = wg_epoch_reclaim(&wg->epoch);
	atomic_store(&wg->has_retired, left);
	wg_unlock(wg);
	return left ? l->pub->now_ns + RECLAIM_AGAIN : 0;
}

static uint64_t sooner(uint64_t a, uint64_t b)
{
	return a < b ? a : b;
}

static void arm(struct wg_lane *l, uint64_t reclaim_at)
{
	uint64_t at = UINT64_MAX;
	if (l->queue.count != 0)
		at = l->pub->now_ns;
	if (reclaim_at != 0)
		at = sooner(at, reclaim_at);
	if (l->pub->index == 0) {
		at = sooner(at,
			    atomic_load_explicit(&l->wg->timers.first_at, memory_order_relaxed));
		at = sooner(at, atomic_load_explicit(&l->wg->names.first_at, memory_order_relaxed));
		at = sooner(at, atomic_load_explicit(&l->wg->tell_at, memory_order_relaxed));
	}
	if (at == UINT64_MAX)
		at = 0;
	if (at == l->armed_ns)
		return;
	l->armed_ns = at;
	l->host->arm(l->pub, at);
}

void wg_lane_leave(struct wg_lane *l)
{
	struct wg_epoch *e = &l->wg->epoch;
	wg_epoch_leave(e, l->pub->index);
	if (e->slots[l->pub->index].depth != 0)
		return;
	arm(l, l->pub->index == 0 ? reclaim(l) : 0);
}

struct vpn_packet *wg_lane_packet(struct wg_lane *l, uint32_t pool, uint32_t len)
{
	struct vpn_packet *p = NULL;
	if (l->host->alloc(l->pub, pool, &p, 1) != 1) {
		vpn_count(l->pub, DROP_NO_PACKETS, 1);
		return NULL;
	}
	p->len = len;
	return p;
}

static void drop(struct wg_lane *l, struct vpn_packet **pkts, uint32_t n)
{
	vpn_count(l->pub, DROP_BELOW_FULL, n);
	l->host->release(l->pub, pkts, n);
}

/* Keeps what the stage below has not taken. */
static void hold(struct wg_lane *l, struct vpn_packet **pkts, uint32_t n)
{
	struct wg_outgoing *h = &l->held;
	uint32_t room = VPN_BATCH_MAX - h->n;
	uint32_t k = n < room ? n : room;
	for (uint32_t i = 0; i < k; i++) {
		if (pkts[i]->endpoint != NULL)
			h->to[h->n] = *pkts[i]->endpoint;
		else
			h->to[h->n].family = VPN_AF_NONE;
		h->pkts[h->n++] = pkts[i];
	}
	if (k < n)
		drop(l, pkts + k, n - k);
}

void wg_lane_push(struct wg_lane *l, struct vpn_packet **pkts, uint32_t n)
{
	uint32_t max = l->pub->max_batch;
	uint32_t done = 0;
	while (done < n && l->held.n == 0) {
		uint32_t chunk = n - done < max ? n - done : max;
		uint32_t taken = vpn_push(l->pub->down, pkts + done, chunk);
		done += taken;
		if (taken < chunk)
			break;
	}
	if (done < n)
		hold(l, pkts + done, n - done);
}

void wg_lane_post(struct wg_lane *l, struct vpn_packet *p, const struct vpn_endpoint *to)
{
	struct wg_outgoing *box = &l->outbox;
	if (box->n == WG_OUTBOX) {
		drop(l, &p, 1);
		return;
	}
	box->to[box->n] = *to;
	box->pkts[box->n++] = p;
}

/* Sends a copy: while a push lasts, its source may be filled anew. */
static void send_copy(struct wg_lane *l, struct wg_outgoing *from)
{
	struct wg_outgoing out;
	out.n = from->n;
	memcpy(out.pkts, from->pkts, out.n * sizeof(struct vpn_packet *));
	memcpy(out.to, from->to, out.n * sizeof(out.to[0]));
	for (uint32_t i = 0; i < out.n; i++)
		out.pkts[i]->endpoint = out.to[i].family != VPN_AF_NONE ? &out.to[i] : NULL;
	from->n = 0;
	wg_lane_push(l, out.pkts, out.n);
}

void wg_lane_flush(struct wg_lane *l)
{
	if (l->outbox.n != 0)
		send_copy(l, &l->outbox);
}

void wg_lane_resume(struct wg_lane *l)
{
	if (l->held.n != 0)
		send_copy(l, &l->held);
	if (l->held.n == 0)
		l->host->writable(l->pub, VPN_DOWN);
}

void wg_lane_clear(struct wg_lane *l)
{
	wg_staging_clear(l);
	if (l->outbox.n != 0)
		l->host->release(l->pub, l->outbox.pkts, l->outbox.n);
	if (l->held.n != 0)
		l->host->release(l->pub, l->held.pkts, l->held.n);
	l->outbox.n = 0;
	l->held.n = 0;
	l->queue.count = 0;
}
