/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * flow_rx: the receiver. Each message is delivered once: at once, or, when it has to stay behind one
 * of its lane that is missing, as soon as that has come or was given up. A ring of arrivals, by id:
 *
 *        tail               floor                         next
 *    ------|------------------|-----------------------------|------->  ids
 *          |  shards that     |  delivered, held, missing    |  not heard of
 *          |  parity may need |
 *
 * The floor is the first message that is missing. It is given up when the sender says so (PING), when it
 * has been missing for longer than the sender would still send it, and when the ring is too short.
 */
#include <stdlib.h>
#include <string.h>

#include "flow_parts.h"

#define ACK_EVERY       32u    /* datagrams */
#define ACK_DELAY_MOST  10000u /* a little longer than a group: its parity is in the same ack */
#define ACK_DELAY_SHARE 6u     /* of a round trip */
#define ACK_DELAY       2000u  /* while that is not known */
#define ACK_DELAY_LEAST 500u
#define ACK_SOON        1000u /* after the last one, when something is missing */
#define ACK_RUNS        12u   /* and one for each datagram since the last one, */
#define ACK_RUNS_MOST   64u
#define ACK_BYTES       192u
#define MEASURE_US      2000000u
#define HOLD_LEAST      10000u /* what a group and its parity take, "datagram" */
#define HOLD_MOST       60000u
#define WINDOW_LEAST    128u
#define WINDOW_MOST     16384u

static uint32_t power_of_two(uint32_t n)
{
	uint32_t p = 1;
	while (p < n)
		p *= 2;
	return p;
}

bool flow_rx_init(struct kcp_flow *f)
{
	uint32_t wanted = f->settings->rcv_wnd;
	if (wanted < WINDOW_LEAST)
		wanted = WINDOW_LEAST;
	if (wanted > WINDOW_MOST)
		wanted = WINDOW_MOST;
	uint32_t size = power_of_two(wanted + FLOW_KEEP);
	f->rx.mask = size - 1;
	f->rx.window = size - FLOW_KEEP;
	kcp_group_pending_init(&f->rx.pending, f->cells);
	f->rx.arrivals = calloc(size, sizeof(*f->rx.arrivals));
	f->rx.ready = calloc(size, sizeof(*f->rx.ready));
	return f->rx.arrivals != NULL && f->rx.ready != NULL;
}

static void forget_one(struct kcp_flow *f)
{
	struct flow_arrival *a = flow_arrival_at(f, f->rx.tail++);
	if (a->state == FLOW_READY || a->state == FLOW_HELD)
		flow_count(f, KCP_DROP_ABOVE_FULL, 1);
	kcp_cells_give(f->cells, a->cell);
	*a = (struct flow_arrival){0};
}

static void forget_all(struct kcp_flow *f)
{
	while (f->rx.tail < f->rx.next)
		forget_one(f);
}

/* What is far behind the floor is of no use to parity any more; what waits for the device stays. */
static void follow_floor(struct kcp_flow *f)
{
	struct flow_rx *rx = &f->rx;
	while (rx->floor - rx->tail > FLOW_KEEP &&
	       flow_arrival_at(f, rx->tail)->state != FLOW_READY)
		forget_one(f);
}

void flow_rx_clear(struct kcp_flow *f)
{
	if (f->rx.arrivals != NULL)
		forget_all(f);
	kcp_group_pending_clear(&f->rx.pending);
	free(f->rx.arrivals);
	free(f->rx.ready);
}

void flow_rx_reset(struct kcp_flow *f, uint64_t now_us)
{
	struct flow_rx *rx = &f->rx;
	forget_all(f);
	kcp_group_pending_clear(&rx->pending);
	kcp_group_pending_init(&rx->pending, f->cells);
	rx->next = rx->floor = rx->tail = FLOW_FIRST_ID;
	rx->ready_head = rx->ready_tail = 0;
	uint64_t first = FLOW_FIRST_ID + flow_begin_first_pn(f->peer_id, f->own_id);
	kcp_ranges_init(&rx->pns, first);
	rx->largest_us = now_us;
	rx->ack_us = KCP_NEVER;
	rx->acked_us = 0;
	rx->measuring_us = 0;
	rx->unacked = 0;
}

/* How long a message may be missing before those behind it go on. */
static uint64_t hold_us(const struct kcp_flow *f)
{
	if (f->peer_budget_us != 0)
		return f->peer_budget_us;
	uint64_t t = HOLD_LEAST + f->rtt.srtt_us / 4;
	return t < HOLD_MOST ? t : HOLD_MOST;
}

/* ---- delivery ---- */

static void deliver(struct kcp_flow *f, struct vpn_packet *p)
{
	flow_count(f, KCP_DATA_RECEIVED, 1);
	if (!f->out.deliver(f->out.ctx, p))
		flow_drop(f, p, KCP_DROP_ABOVE_FULL);
}

static void deliver_copy(struct kcp_flow *f, const uint8_t *data, uint32_t len)
{
	struct vpn_packet *p = f->out.fresh(f->out.ctx, KCP_FRESH_UP);
	if (p == NULL) {
		flow_count(f, KCP_DROP_NO_MEMORY, 1);
		return;
	}
	memcpy(vpn_packet_data(p), data, len);
	p->len = len;
	deliver(f, p);
}

/* Parity may need the shard as long as it is behind the floor by less than FLOW_KEEP. */
static void deliver_held(struct kcp_flow *f, struct flow_arrival *a)
{
	a->state = FLOW_DELIVERED;
	deliver_copy(f, a->cell + KCP_FRAME_SHARD_LEN, (uint32_t)a->len - KCP_FRAME_SHARD_LEN);
}

static bool can_deliver(const struct kcp_flow *f)
{
	return f->out.can_deliver(f->out.ctx);
}

/* The device is full: the message waits in its cell for it, and its lane behind it. */
static void wait_for_device(struct kcp_flow *f, struct flow_arrival *a, uint64_t id)
{
	struct flow_rx *rx = &f->rx;
	if (a->cell == NULL || rx->ready_tail - rx->ready_head > rx->mask) {
		a->state = FLOW_DELIVERED;
		flow_count(f, KCP_DROP_ABOVE_FULL, 1);
		return;
	}
	a->state = FLOW_READY;
	rx->ready[rx->ready_tail++ & rx->mask] = (uint32_t)id;
}

/* Whoever waits for this one, and for that one, and so on: all go. */
static void release_waiters(struct kcp_flow *f, struct flow_arrival *a)
{
	while (a->has_waiter && a->state >= FLOW_DELIVERED) {
		uint64_t id = kcp_frame_expand(f->rx.next, a->waiter);
		a->has_waiter = false;
		a = flow_arrival_at(f, id);
		if (a->state != FLOW_HELD)
			return;
		if (can_deliver(f))
			deliver_held(f, a);
		else
			wait_for_device(f, a, id);
	}
}

void flow_rx_resume(struct kcp_flow *f)
{
	struct flow_rx *rx = &f->rx;
	while (rx->ready_head != rx->ready_tail && can_deliver(f)) {
		uint64_t id = kcp_frame_expand(rx->next, rx->ready[rx->ready_head++ & rx->mask]);
		struct flow_arrival *a = flow_arrival_at(f, id);
		if (id < rx->tail || a->state != FLOW_READY)
			continue; /* given up */
		deliver_held(f, a);
		release_waiters(f, a);
	}
}

static void advance_floor(struct kcp_flow *f)
{
	struct flow_rx *rx = &f->rx;
	while (rx->floor < rx->next && flow_arrival_at(f, rx->floor)->state >= FLOW_READY)
		rx->floor++;
	follow_floor(f);
}

static void miss(struct kcp_flow *f, struct flow_arrival *a)
{
	a->state = FLOW_MISSED;
	flow_count(f, KCP_DATA_MISSED, 1);
	release_waiters(f, a);
}

/* Gives up what is missing below `to`. What is held there waits for one that is given up as well. */
static void raise_floor(struct kcp_flow *f, uint64_t to)
{
	struct flow_rx *rx = &f->rx;
	while (rx->floor < to && rx->floor < rx->next) {
		struct flow_arrival *a = flow_arrival_at(f, rx->floor);
		if (a->state == FLOW_MISSING) {
			miss(f, a);
		} else if (a->state == FLOW_HELD) {
			wait_for_device(f, a, rx->floor);
		}
		rx->floor++;
		follow_floor(f);
	}
	advance_floor(f);
}

static void expire(struct kcp_flow *f, uint64_t now_us)
{
	struct flow_rx *rx = &f->rx;
	uint64_t hold = hold_us(f);
	while (rx->floor < rx->next) {
		struct flow_arrival *a = flow_arrival_at(f, rx->floor);
		if (a->state == FLOW_MISSING && now_us < a->noticed_us + hold)
			return;
		raise_floor(f, rx->floor + 1);
	}
}

/* Further ahead than all that is kept: of what lies between nothing would be left, step by step either. */
static void leap(struct kcp_flow *f, uint64_t to)
{
	struct flow_rx *rx = &f->rx;
	raise_floor(f, rx->next);
	forget_all(f);
	flow_count(f, KCP_DATA_MISSED, to - rx->window - rx->next);
	rx->next = rx->floor = rx->tail = to - rx->window;
}

/* All ids below `to` exist: those not seen yet are missing from now on. */
static void hear_of(struct kcp_flow *f, uint64_t to, uint64_t now_us)
{
	struct flow_rx *rx = &f->rx;
	if (to > rx->next && to - rx->next > rx->mask)
		leap(f, to);
	while (rx->next < to) {
		if (rx->next - rx->floor >= rx->window)
			raise_floor(f, rx->floor + 1);
		if (rx->next - rx->tail > rx->mask)
			forget_one(f); /* the device is slower than the network for too long */
		struct flow_arrival *a = flow_arrival_at(f, rx->next);
		*a = (struct flow_arrival){
			.state = FLOW_MISSING, .noticed_us = now_us, .group = KCP_GROUP_NONE};
		rx->next++;
	}
}

/* ---- a message ---- */

struct incoming {
	uint64_t id;
	struct kcp_frame_shard head;
	const uint8_t *payload;
	struct vpn_packet *packet; /* the message alone, to be delivered itself; NULL = copy */
	uint8_t *cell;             /* the shard, ours; NULL = none */
	bool is_covered;           /* parity may need it */
};

/* Can it go on, or has it to wait for the one before it in its lane? */
static bool is_in_order(const struct kcp_flow *f, const struct incoming *in)
{
	if (in->head.back == 0 || in->head.lane == 0)
		return true;
	uint64_t before = in->id - in->head.back;
	if (before < f->rx.tail)
		return true;
	const struct flow_arrival *a = flow_arrival_at(f, before);
	/* two that wait for one: only a hostile peer says so */
	return a->state >= FLOW_DELIVERED || a->has_waiter;
}

static uint8_t *shard_cell(struct kcp_flow *f, const struct incoming *in)
{
	if (in->cell != NULL)
		return in->cell;
	uint8_t *cell = kcp_cells_spare(f->cells);
	if (cell == NULL)
		return NULL;
	kcp_frame_write_shard(cell, &in->head);
	memcpy(cell + KCP_FRAME_SHARD_LEN, in->payload, in->head.len);
	return cell;
}

static void pass_on(struct kcp_flow *f, struct flow_arrival *a, const struct incoming *in)
{
	/* those that wait for the device come first */
	if (f->rx.ready_head != f->rx.ready_tail)
		flow_rx_resume(f);
	if (f->rx.ready_head != f->rx.ready_tail || !can_deliver(f)) {
		if (a->cell == NULL)
			a->cell = shard_cell(f, in);
		wait_for_device(f, a, in->id);
		if (in->packet != NULL)
			f->out.release(f->out.ctx, in->packet);
		return;
	}
	a->state = FLOW_DELIVERED;
	if (in->packet != NULL)
		deliver(f, in->packet);
	else
		deliver_copy(f, in->payload, in->head.len);
}

static void drop_incoming(struct kcp_flow *f, const struct incoming *in, enum kcp_count reason)
{
	kcp_cells_give(f->cells, in->cell);
	if (in->packet != NULL)
		flow_drop(f, in->packet, reason);
	else
		flow_count(f, reason, 1);
}

/* Takes packet and cell of *in. True: it is new. */
static bool arrive(struct kcp_flow *f, const struct incoming *in, uint64_t now_us)
{
	struct flow_rx *rx = &f->rx;
	if (in->id < rx->tail) {
		drop_incoming(f, in, KCP_DROP_REPEATED);
		return false;
	}
	hear_of(f, in->id + 1, now_us);
	struct flow_arrival *a = flow_arrival_at(f, in->id);
	if (a->state != FLOW_MISSING) {
		drop_incoming(f, in, a->state == FLOW_MISSED ? KCP_DROP_LATE : KCP_DROP_REPEATED);
		return false;
	}
	bool in_order = is_in_order(f, in);
	a->len = (uint16_t)(in->head.len + KCP_FRAME_SHARD_LEN);
	if (in->cell != NULL || in->is_covered || !in_order)
		a->cell = shard_cell(f, in);
	if (!in_order && a->cell != NULL) {
		struct flow_arrival *before = flow_arrival_at(f, in->id - in->head.back);
		before->has_waiter = true;
		before->waiter = (uint32_t)in->id;
		a->state = FLOW_HELD;
		flow_count(f, KCP_DATA_HELD, 1);
		if (in->packet != NULL)
			f->out.release(f->out.ctx, in->packet);
		return true;
	}
	/* without a cell to hold it in, out of order is better than not at all */
	pass_on(f, a, in);
	release_waiters(f, a);
	advance_floor(f);
	return true;
}

/* ---- parity ---- */

static bool covers(const struct kcp_group_rx *g, uint64_t id)
{
	return g->n != 0 && id >= g->base && id - g->base < g->n;
}

/* False: can never be recovered, something that it needs was not kept. */
static bool gather(const struct kcp_flow *f, const struct kcp_group_rx *g,
		   struct kcp_group_shard *shards, uint32_t *ret_missing)
{
	*ret_missing = 0;
	for (uint32_t i = 0; i < g->n; i++) {
		uint64_t id = g->base + i;
		const struct flow_arrival *a = flow_arrival_at(f, id);
		if (id < f->rx.tail)
			return false;
		shards[i] = (struct kcp_group_shard){0};
		if (a->cell != NULL) {
			/* not what was covered: a shard longer than its parity */
			if (a->len > g->len)
				return false;
			shards[i] = (struct kcp_group_shard){a->cell, a->len};
		} else if (a->state == FLOW_DELIVERED) {
			return false;
		} else {
			++*ret_missing;
		}
	}
	return true;
}

static void arrive_recovered(struct kcp_flow *f, uint64_t id, uint8_t *cell, uint32_t len,
			     uint64_t now_us)
{
	struct incoming in = {.id = id, .cell = cell};
	if (!kcp_frame_parse_shard(cell, len, &in.head) || in.head.len > f->message) {
		kcp_cells_give(f->cells, cell);
		flow_count(f, KCP_DROP_FRAME, 1);
		return;
	}
	in.payload = cell + KCP_FRAME_SHARD_LEN;
	/* given up in the meantime: the others of the group are worth it all the same */
	if (arrive(f, &in, now_us))
		flow_count(f, KCP_PARITY_USED, 1);
}

/* Recovers the group if it can be, and forgets it when it is of no use any more. */
static void try_group(struct kcp_flow *f, uint8_t index, uint64_t now_us)
{
	const struct kcp_group_rx *g = &f->rx.pending.groups[index];
	struct kcp_group_shard shards[KCP_GROUP_DATA];
	uint8_t *out[KCP_GROUP_DATA] = {NULL};
	uint32_t missing;
	bool possible = gather(f, g, shards, &missing);
	if (possible && missing > g->n_rows)
		return;
	uint64_t base = g->base;
	uint32_t n = g->n;
	uint32_t len = g->len;
	if (possible && missing != 0)
		(void)kcp_group_recover(&f->rx.pending, index, shards, out);
	kcp_group_drop(&f->rx.pending, index);
	for (uint32_t i = 0; i < n; i++)
		if (out[i] != NULL)
			arrive_recovered(f, base + i, out[i], len, now_us);
}

static bool is_complete(const struct kcp_flow *f, uint64_t base, uint32_t n)
{
	for (uint64_t id = base; id < base + n; id++)
		if (id >= f->rx.floor && flow_arrival_at(f, id)->state == FLOW_MISSING)
			return false;
	return true;
}

static bool take_parity(struct kcp_flow *f, const struct kcp_frame *h, struct vpn_packet *p,
			uint64_t now_us)
{
	struct flow_rx *rx = &f->rx;
	uint64_t base = kcp_frame_expand(rx->next, h->id);
	uint8_t evicted;
	if (h->small == 0 || h->small > KCP_GROUP_DATA || h->word >= KCP_GROUP_ROWS ||
	    base > rx->next + FLOW_AHEAD) {
		flow_drop(f, p, KCP_DROP_FRAME);
		return false;
	}
	if (base < rx->tail || base + h->small <= rx->floor) { /* not needed */
		flow_count(f, KCP_PARITY_RECEIVED, 1);
		f->out.release(f->out.ctx, p);
		return true;
	}
	flow_count(f, KCP_PARITY_RECEIVED, 1);
	/* parity comes after all of its group: what is not here by now is missing */
	hear_of(f, base + h->small, now_us);
	uint8_t index = base < rx->tail || is_complete(f, base, h->small)
				? KCP_GROUP_NONE
				: kcp_group_keep(&rx->pending, base, h->small, h->word,
						 vpn_packet_data(p) + KCP_FRAME_HEAD_LEN,
						 p->len - KCP_FRAME_HEAD_LEN, &evicted);
	if (index == KCP_GROUP_NONE) {
		f->out.release(f->out.ctx, p);
		return true;
	}
	if (rx->pending.groups[index].n_rows == 1)
		for (uint32_t i = 0; i < h->small; i++)
			flow_arrival_at(f, base + i)->group = index;
	f->out.release(f->out.ctx, p);
	try_group(f, index, now_us);
	return true;
}

static void check_group(struct kcp_flow *f, uint64_t id, uint64_t now_us)
{
	if (f->rx.pending.n_used == 0 || id < f->rx.tail)
		return;
	uint8_t index = flow_arrival_at(f, id)->group;
	if (index < KCP_GROUP_PENDING && covers(&f->rx.pending.groups[index], id))
		try_group(f, index, now_us);
}

/* ---- datagrams ---- */

static bool take_data(struct kcp_flow *f, const struct kcp_frame *h, struct vpn_packet *p,
		      uint64_t now_us)
{
	struct incoming in = {
		.id = kcp_frame_expand(f->rx.next, h->id),
		.head = {.back = h->word, .lane = h->small},
		.payload = vpn_packet_data(p) + KCP_FRAME_HEAD_LEN,
		.packet = p,
		.is_covered = (h->flags & KCP_FRAME_COVERED) != 0,
	};
	uint32_t len = p->len - KCP_FRAME_HEAD_LEN;
	if (in.id > f->rx.next + FLOW_AHEAD || len > f->message) {
		flow_drop(f, p, KCP_DROP_FRAME);
		return false;
	}
	in.head.len = (uint16_t)len;
	p->off += KCP_FRAME_HEAD_LEN;
	p->len = len;
	if (arrive(f, &in, now_us))
		check_group(f, in.id, now_us);
	return true;
}

static bool take_multi(struct kcp_flow *f, const struct kcp_frame *h, struct vpn_packet *p,
		       uint64_t now_us)
{
	const uint8_t *at = vpn_packet_data(p) + KCP_FRAME_HEAD_LEN;
	uint32_t left = p->len - KCP_FRAME_HEAD_LEN;
	struct incoming in = {
		.id = kcp_frame_expand(f->rx.next, h->id),
		.is_covered = (h->flags & KCP_FRAME_COVERED) != 0,
	};
	if (h->small == 0 || in.id > f->rx.next + FLOW_AHEAD) {
		flow_drop(f, p, KCP_DROP_FRAME);
		return false;
	}
	for (uint32_t i = 0; i < h->small; i++) {
		if (!kcp_frame_parse_shard(at, left, &in.head) || in.head.len > f->message) {
			flow_drop(f, p, KCP_DROP_FRAME);
			return i != 0;
		}
		in.payload = at + KCP_FRAME_SHARD_LEN;
		if (arrive(f, &in, now_us))
			check_group(f, in.id, now_us);
		at += KCP_FRAME_SHARD_LEN + in.head.len;
		left -= KCP_FRAME_SHARD_LEN + in.head.len;
		in.id++;
	}
	f->out.release(f->out.ctx, p);
	return true;
}

static bool take_ping(struct kcp_flow *f, const struct kcp_frame *h, struct vpn_packet *p,
		      uint64_t now_us)
{
	uint64_t floor = kcp_frame_expand(f->rx.next, h->id);
	bool good = floor <= f->rx.next + FLOW_AHEAD;
	if (good) {
		hear_of(f, floor, now_us);
		raise_floor(f, floor);
	}
	if (good)
		f->out.release(f->out.ctx, p);
	else
		flow_drop(f, p, KCP_DROP_FRAME);
	return good;
}

/* ---- acknowledgements ---- */

static uint64_t ack_delay(const struct kcp_flow *f)
{
	if (!kcp_rtt_is_known(&f->rtt))
		return ACK_DELAY;
	uint64_t t = f->rtt.srtt_us / ACK_DELAY_SHARE;
	if (t < ACK_DELAY_LEAST)
		t = ACK_DELAY_LEAST;
	return t < ACK_DELAY_MOST ? t : ACK_DELAY_MOST;
}

static void want_ack(struct kcp_flow *f, enum kcp_ranges_result how, uint64_t pn, uint64_t now_us)
{
	struct flow_rx *rx = &f->rx;
	uint64_t due = now_us + ack_delay(f);
	rx->unacked++;
	if (how == KCP_RANGES_BETWEEN && rx->pns.largest - pn > rx->reach)
		rx->reach = (uint32_t)(rx->pns.largest - pn);
	if (rx->unacked >= ACK_EVERY)
		due = now_us;
	else if (how != KCP_RANGES_NEXT && rx->acked_us + ACK_SOON < due)
		due = rx->acked_us + ACK_SOON;
	if (due < rx->ack_us)
		rx->ack_us = due;
}

/* Old news takes room: so much that it has been told several times when acks are lost, and as far back as
 * datagrams come late. */
static uint32_t runs_to_tell(struct flow_rx *rx)
{
	uint32_t runs = ACK_RUNS + rx->unacked + rx->reach / 4;
	rx->reach -= (rx->reach + 15) / 16;
	return runs < ACK_RUNS_MOST ? runs : ACK_RUNS_MOST;
}

static bool emit_ack(struct kcp_flow *f, uint64_t now_us)
{
	struct flow_rx *rx = &f->rx;
	struct vpn_packet *p = f->out.fresh(f->out.ctx, KCP_FRESH_ANSWER);
	if (p == NULL)
		return false;
	uint64_t delay = (now_us - rx->largest_us) / KCP_FRAME_DELAY_UNIT;
	struct kcp_frame h = {
		.kind = KCP_FRAME_ACK,
		.word = delay < UINT16_MAX ? (uint16_t)delay : UINT16_MAX,
		.number = flow_peer_number(f),
		.pn = (uint32_t)rx->pns.largest,
		.id = (uint32_t)rx->floor,
	};
	uint8_t *data = vpn_packet_data(p);
	uint32_t room = f->mtu - KCP_FRAME_HEAD_LEN;
	kcp_frame_write(data, &h);
	p->len = KCP_FRAME_HEAD_LEN + kcp_ranges_write(&rx->pns, data + KCP_FRAME_HEAD_LEN,
						       room < ACK_BYTES ? room : ACK_BYTES,
						       runs_to_tell(rx));
	f->out.emit(f->out.ctx, p);
	flow_count(f, KCP_ACKS_SENT, 1);
	rx->ack_us = KCP_NEVER;
	rx->acked_us = now_us;
	rx->unacked = 0;
	return true;
}

/* Who only receives measures no round trip by what he sends: he asks now and then. */
static void measure(struct kcp_flow *f, uint64_t now_us)
{
	if (now_us - f->measured_us < MEASURE_US || now_us - f->rx.measuring_us < MEASURE_US)
		return;
	f->rx.measuring_us = now_us;
	f->tx.wants_ping = true;
}

void flow_rx_flush(struct kcp_flow *f, uint64_t now_us)
{
	flow_rx_resume(f);
	expire(f, now_us);
	if (f->rx.ack_us <= now_us && f->out.can_emit(f->out.ctx)) {
		measure(f, now_us);
		(void)emit_ack(f, now_us); /* without a packet: in the next flush */
	}
}

uint64_t flow_rx_next(const struct kcp_flow *f)
{
	const struct flow_rx *rx = &f->rx;
	uint64_t next = rx->ready_head == rx->ready_tail ? rx->ack_us : 0; /* soon */
	if (rx->floor < rx->next) {
		uint64_t hold = flow_arrival_at(f, rx->floor)->noticed_us + hold_us(f);
		next = hold < next ? hold : next;
	}
	return next;
}

bool flow_rx_input(struct kcp_flow *f, struct vpn_packet *p, uint64_t now_us)
{
	struct kcp_frame h;
	kcp_frame_parse(vpn_packet_data(p), &h);
	uint64_t pn = kcp_frame_expand(f->rx.pns.largest, h.pn);
	enum kcp_ranges_result how = kcp_ranges_add(&f->rx.pns, pn, FLOW_AHEAD);
	if (how == KCP_RANGES_OUTSIDE) {
		flow_drop(f, p, KCP_DROP_OUTSIDE);
		return false;
	}
	if (how <= KCP_RANGES_AHEAD)
		f->rx.largest_us = now_us;
	want_ack(f, how, pn, now_us);
	if (how == KCP_RANGES_REPEATED) {
		flow_drop(f, p, KCP_DROP_REPEATED);
		return true;
	}
	switch (h.kind) {
	case KCP_FRAME_DATA:
		return take_data(f, &h, p, now_us);
	case KCP_FRAME_MULTI:
		return take_multi(f, &h, p, now_us);
	case KCP_FRAME_PARITY:
		return take_parity(f, &h, p, now_us);
	default:
		return take_ping(f, &h, p, now_us);
	}
}
