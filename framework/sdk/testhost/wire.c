/* SPDX-License-Identifier: BSD-2-Clause */
/* wire: joins two stages by a network that delays, loses, reorders and duplicates by a seed. */
#include <stdlib.h>
#include <string.h>

#include "internal.h"

#define QUEUE_DEFAULT   65536u
#define REORDER_DEFAULT UINT64_C(1000000)

/* A packet under way. */
struct flight {
	uint64_t due;
	uint64_t order; /* equal times: first in, first out */
	uint32_t lane;
	uint32_t len;
	uint32_t flags;
	uint8_t *data;
};

/* One direction. */
struct way {
	struct testhost_wire *wire;
	struct testhost_stage *from, *to;
	struct vpn_endpoint endpoint; /* of `from` */
	struct flight *heap;          /* soonest first */
	uint32_t n, room;
	uint64_t order;
	struct testhost_wire_stats stats;
};

struct testhost_wire {
	struct testhost_wire *next;
	struct testhost_wire_setup setup;
	uint64_t rng;
	struct way ways[2];
};

static bool before(const struct flight *a, const struct flight *b)
{
	return a->due != b->due ? a->due < b->due : a->order < b->order;
}

static void swap(struct flight *a, struct flight *b)
{
	struct flight t = *a;
	*a = *b;
	*b = t;
}

static void heap_push(struct way *w, struct flight f)
{
	if (w->n == w->room) {
		w->room = w->room * 2 + 64;
		w->heap = realloc(w->heap, w->room * sizeof(*w->heap));
		if (w->heap == NULL)
			abort();
	}
	uint32_t i = w->n++;
	w->heap[i] = f;
	for (; i != 0 && before(&w->heap[i], &w->heap[(i - 1) / 2]); i = (i - 1) / 2)
		swap(&w->heap[i], &w->heap[(i - 1) / 2]);
}

static struct flight heap_pop(struct way *w)
{
	struct flight first = w->heap[0];
	w->heap[0] = w->heap[--w->n];
	for (uint32_t i = 0;;) {
		uint32_t least = i, left = 2 * i + 1;
		for (uint32_t k = left; k <= left + 1 && k < w->n; k++)
			if (before(&w->heap[k], &w->heap[least]))
				least = k;
		if (least == i)
			return first;
		swap(&w->heap[i], &w->heap[least]);
		i = least;
	}
}

static bool chance(struct testhost_wire *w, uint32_t ppm)
{
	return ppm != 0 && rng_next(&w->rng) % TESTHOST_PPM < ppm;
}

static void launch(struct way *way, const struct vpn_packet *p, uint32_t lane)
{
	struct testhost_wire *w = way->wire;
	const struct testhost_wire_setup *setup = &w->setup;
	uint64_t due = way->from->host->now + setup->delay_ns;
	if (way->n >= (setup->queue != 0 ? setup->queue : QUEUE_DEFAULT)) {
		way->stats.overflowed++;
		return;
	}
	if (setup->jitter_ns != 0)
		due += rng_next(&w->rng) % (setup->jitter_ns + 1);
	if (chance(w, setup->reorder_ppm)) {
		due += setup->reorder_ns != 0 ? setup->reorder_ns : REORDER_DEFAULT;
		way->stats.reordered++;
	}
	struct flight f = {
		.due = due,
		.order = way->order++,
		.lane = lane,
		.len = p->len,
		.flags = (p->flags & VPN_PACKET_HAS_CLASS) != 0
				 ? p->flags & (0xff000000u | VPN_PACKET_HAS_CLASS)
				 : 0,
		.data = get(p->len + 1u),
	};
	memcpy(f.data, vpn_packet_data(p), p->len);
	if (p->len != 0 && chance(w, setup->corrupt_ppm)) {
		uint64_t bit = rng_next(&w->rng) % (UINT64_C(8) * p->len);
		f.data[bit / 8] ^= (uint8_t)(1u << bit % 8);
		way->stats.corrupted++;
	}
	heap_push(way, f);
}

void way_send(struct way *way, const struct vpn_packet *p, uint32_t lane)
{
	const struct testhost_wire_setup *setup = &way->wire->setup;
	way->stats.sent++;
	if (setup->mtu != 0 && p->len > setup->mtu) {
		way->stats.too_big++;
		return;
	}
	if (chance(way->wire, setup->loss_ppm)) {
		way->stats.lost++;
		return;
	}
	launch(way, p, lane);
	if (chance(way->wire, setup->duplicate_ppm)) {
		way->stats.duplicated++;
		launch(way, p, lane);
	}
}

static const struct way *other_way(const struct way *way)
{
	return &way->wire->ways[way == &way->wire->ways[0]];
}

/* The sender's address, and which of the receiver's own the packet came to. */
static struct vpn_endpoint seen_endpoint(const struct way *way)
{
	const struct vpn_endpoint *own = &other_way(way)->endpoint;
	struct vpn_endpoint e = way->endpoint;
	if (own->family == e.family)
		memcpy(e.local, own->addr, sizeof(e.local));
	return e;
}

static void deliver(struct way *way, uint32_t lane, struct vpn_packet **pkts, uint32_t n)
{
	uint32_t taken = testhost_offer(way->to, lane, VPN_UP, pkts, n);
	way->stats.delivered += taken;
	way->stats.refused += n - taken;
	for (uint32_t i = taken; i < n; i++)
		testhost_drop(way->to, pkts[i]);
}

/* All packets that are due and stand together for one lane go up in one batch. */
static bool deliver_batch(struct way *way)
{
	struct vpn_packet *pkts[VPN_BATCH_MAX];
	struct vpn_endpoint from = seen_endpoint(way);
	uint64_t now = way->from->host->now;
	uint32_t n = 0, lane = way->n != 0 ? way->heap[0].lane : 0;
	while (way->n != 0 && way->heap[0].due <= now && way->heap[0].lane == lane &&
	       n < way->to->setup.max_batch) {
		/* NOLINTBEGIN(clang-analyzer-unix.Malloc): heap_pop() has taken f out of the heap */
		struct flight f = heap_pop(way);
		if (way->to->state == STATE_RUNNING) {
			pkts[n] = testhost_packet(way->to, lane, VPN_UP, f.data, f.len);
			pkts[n]->flags = f.flags;
			testhost_packet_from(way->to, pkts[n], &from);
			n++;
		} else {
			way->stats.refused++;
		}
		free(f.data);
		/* NOLINTEND(clang-analyzer-unix.Malloc) */
	}
	if (n != 0)
		deliver(way, lane, pkts, n);
	return n != 0;
}

bool wires_deliver(struct testhost *h)
{
	bool any = false;
	for (struct testhost_wire *w = h->wires; w != NULL; w = w->next)
		for (uint32_t i = 0; i < 2; i++)
			any |= deliver_batch(&w->ways[i]);
	return any;
}

uint64_t wires_next(const struct testhost *h)
{
	uint64_t next = NEVER;
	for (const struct testhost_wire *w = h->wires; w != NULL; w = w->next)
		for (uint32_t i = 0; i < 2; i++)
			if (w->ways[i].n != 0 && w->ways[i].heap[0].due < next)
				next = w->ways[i].heap[0].due;
	return next;
}

static void attach(struct way *way, struct testhost_wire *w, struct testhost_stage *from,
		   struct testhost_stage *to)
{
	way->wire = w;
	way->from = from;
	way->to = to;
	for (uint32_t i = 0; i < from->setup.n_lanes; i++)
		from->parts[i].ends[VPN_DOWN].way = way;
}

struct testhost_wire *testhost_join(struct testhost_stage *a, struct testhost_stage *b,
				    const struct testhost_wire_setup *setup)
{
	struct testhost_wire *w = get(sizeof(*w));
	if (a->setup.n_lanes != b->setup.n_lanes || a == b)
		REPORT("testhost_join: two stages with the same number of lanes are needed");
	testhost_wire_set(w, setup);
	w->rng = testhost_random(a->host);
	attach(&w->ways[0], w, a, b);
	attach(&w->ways[1], w, b, a);
	w->ways[0].endpoint = testhost_endpoint("192.0.2.1:1001");
	w->ways[1].endpoint = testhost_endpoint("192.0.2.2:1002");
	w->next = a->host->wires;
	a->host->wires = w;
	return w;
}

void testhost_wire_set(struct testhost_wire *w, const struct testhost_wire_setup *setup)
{
	w->setup = setup != NULL ? *setup : (struct testhost_wire_setup){0};
}

void testhost_wire_move(struct testhost_wire *w, const struct testhost_stage *s,
			const struct vpn_endpoint *endpoint)
{
	w->ways[w->ways[0].from != s].endpoint = *endpoint;
}

struct testhost_wire_stats testhost_wire_stats(const struct testhost_wire *w,
					       const struct testhost_stage *from)
{
	return w->ways[w->ways[0].from != from].stats;
}

static void detach(struct way *way)
{
	for (uint32_t i = 0; i < way->from->setup.n_lanes; i++)
		way->from->parts[i].ends[VPN_DOWN].way = NULL;
	for (uint32_t i = 0; i < way->n; i++)
		free(way->heap[i].data);
	free(way->heap);
}

void wires_cut(struct testhost_stage *s)
{
	for (struct testhost_wire **at = &s->host->wires; *at != NULL;) {
		struct testhost_wire *w = *at;
		if (w->ways[0].from != s && w->ways[1].from != s) {
			at = &w->next;
			continue;
		}
		*at = w->next;
		detach(&w->ways[0]);
		detach(&w->ways[1]);
		free(w);
	}
}
