/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * flow_arrival: each message is delivered once: at once, or, when it has to stay behind one of its lane that
 * is missing, as soon as that has come or was given up. A ring of arrivals, by id:
 *
 *        tail               floor                         next
 *    ------|------------------|-----------------------------|------->  ids
 *          |  shards that     |  delivered, held, missing    |  not heard of
 *          |  parity may need |
 *
 * The floor is the first message that is missing. It is given up when the sender says so (PING), when it
 * has been missing for longer than the sender would still send it, and when the ring is too short.
 */
#include <string.h>

#include "flow_parts.h"

#define HOLD_LEAST 10000u /* what a group and its parity take, "datagram" */
#define HOLD_MOST  60000u

static void forget_one(struct kcp_flow *f)
{
	struct flow_arrival *a = flow_arrival_at(f, f->rx.tail++);
	if (a->state == FLOW_READY || a->state == FLOW_HELD)
		flow_count(f, KCP_DROP_ABOVE_FULL, 1);
	kcp_cells_give(f->cells, a->cell);
	*a = (struct flow_arrival){0};
}

void flow_arrival_forget(struct kcp_flow *f)
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

/* How long a message may be missing before those behind it go on. */
uint64_t flow_arrival_hold(const struct kcp_flow *f)
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

void flow_arrival_resume(struct kcp_flow *f)
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

/* ---- the floor ---- */

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
void flow_arrival_raise_floor(struct kcp_flow *f, uint64_t to)
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

void flow_arrival_expire(struct kcp_flow *f, uint64_t now_us)
{
	struct flow_rx *rx = &f->rx;
	uint64_t hold = flow_arrival_hold(f);
	while (rx->floor < rx->next) {
		struct flow_arrival *a = flow_arrival_at(f, rx->floor);
		if (a->state == FLOW_MISSING && now_us < a->noticed_us + hold)
			return;
		flow_arrival_raise_floor(f, rx->floor + 1);
	}
}

/* Further ahead than all that is kept: of what lies between nothing would be left, step by step either. */
static void leap(struct kcp_flow *f, uint64_t to)
{
	struct flow_rx *rx = &f->rx;
	flow_arrival_raise_floor(f, rx->next);
	flow_arrival_forget(f);
	flow_count(f, KCP_DATA_MISSED, to - rx->window - rx->next);
	rx->next = rx->floor = rx->tail = to - rx->window;
}

/* All ids below `to` exist: those not seen yet are missing from now on. */
void flow_arrival_hear_of(struct kcp_flow *f, uint64_t to, uint64_t now_us)
{
	struct flow_rx *rx = &f->rx;
	if (to > rx->next && to - rx->next > rx->mask)
		leap(f, to);
	while (rx->next < to) {
		if (rx->next - rx->floor >= rx->window)
			flow_arrival_raise_floor(f, rx->floor + 1);
		if (rx->next - rx->tail > rx->mask)
			forget_one(f); /* the device is slower than the network for too long */
		struct flow_arrival *a = flow_arrival_at(f, rx->next);
		*a = (struct flow_arrival){
			.state = FLOW_MISSING, .noticed_us = now_us, .group = KCP_GROUP_NONE};
		rx->next++;
	}
}

/* ---- a message ---- */

/* Can it go on, or has it to wait for the one before it in its lane? */
static bool is_in_order(const struct kcp_flow *f, const struct flow_incoming *in)
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

static uint8_t *shard_cell(struct kcp_flow *f, const struct flow_incoming *in)
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

static void pass_on(struct kcp_flow *f, struct flow_arrival *a, const struct flow_incoming *in)
{
	/* those that wait for the device come first */
	if (f->rx.ready_head != f->rx.ready_tail)
		flow_arrival_resume(f);
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

static void drop_incoming(struct kcp_flow *f, const struct flow_incoming *in, enum kcp_count reason)
{
	kcp_cells_give(f->cells, in->cell);
	if (in->packet != NULL)
		flow_drop(f, in->packet, reason);
	else
		flow_count(f, reason, 1);
}

/* Takes packet and cell of *in. True: it is new. */
bool flow_arrival_take(struct kcp_flow *f, const struct flow_incoming *in, uint64_t now_us)
{
	struct flow_rx *rx = &f->rx;
	if (in->id < rx->tail) {
		drop_incoming(f, in, KCP_DROP_REPEATED);
		return false;
	}
	flow_arrival_hear_of(f, in->id + 1, now_us);
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
