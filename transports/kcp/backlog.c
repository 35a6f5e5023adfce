/* SPDX-License-Identifier: BSD-2-Clause */
/* backlog: what waits to be sent, bounded by the time that it waits. */
#include "backlog.h"

#include <stdlib.h>

#define MOST_ITEMS        65536u
#define TARGETS           20u     /* in an interval: RFC 8289 section 4.3 takes 5 % */
#define LEAST_INTERVAL_US 100000u /* RFC 8289 section 4.3 */

static uint32_t power_of_two(uint32_t n)
{
	uint32_t p = 1;
	while (p < n)
		p *= 2;
	return p;
}

bool kcp_backlog_init(struct kcp_backlog *b, uint32_t most, uint64_t target_us, uint32_t datagram)
{
	if (most > MOST_ITEMS)
		most = MOST_ITEMS;
	if (most == 0)
		most = 1;
	*b = (struct kcp_backlog){.most = most, .datagram = datagram};
	b->codel.target_us = target_us;
	b->codel.interval_us = target_us * TARGETS;
	if (b->codel.interval_us < LEAST_INTERVAL_US)
		b->codel.interval_us = LEAST_INTERVAL_US;
	uint32_t size = power_of_two(most);
	b->mask = size - 1;
	b->items = calloc(size, sizeof(*b->items));
	return b->items != NULL;
}

void kcp_backlog_clear(struct kcp_backlog *b)
{
	free(b->items);
	*b = (struct kcp_backlog){0};
}

bool kcp_backlog_push(struct kcp_backlog *b, void *what, uint32_t bytes, uint32_t tag,
		      uint64_t now_us)
{
	if (kcp_backlog_is_full(b))
		return false;
	b->items[b->tail++ & b->mask] = (struct kcp_backlog_item){
		.what = what, .bytes = bytes, .tag = tag, .at_us = now_us};
	b->bytes += bytes;
	return true;
}

bool kcp_backlog_take(struct kcp_backlog *b, struct kcp_backlog_item *out)
{
	if (b->head == b->tail)
		return false;
	*out = b->items[b->head++ & b->mask];
	b->bytes -= out->bytes;
	return true;
}

/* ---- RFC 8289 section 5 ---- */

static uint32_t square_root(uint32_t n)
{
	uint32_t r = 0;
	for (uint32_t bit = 1u << 15; bit != 0; bit >>= 1)
		if ((uint64_t)(r | bit) * (r | bit) <= n)
			r |= bit;
	return r;
}

/* interval / sqrt(count), the root in steps of 2^-8. */
static uint64_t next_drop(const struct kcp_codel *c, uint64_t from_us)
{
	uint32_t count = c->count < 0xffffu ? c->count : 0xffffu;
	return from_us + c->interval_us * 256 / square_root(count << 16);
}

/* True when the queue has been too slow for an interval, judged by the item that leaves. */
static bool is_too_slow(struct kcp_backlog *b, const struct kcp_backlog_item *item, uint64_t now_us)
{
	struct kcp_codel *c = &b->codel;
	if (now_us - item->at_us < c->target_us || b->bytes <= b->datagram) {
		c->first_above_us = 0;
		return false;
	}
	if (c->first_above_us == 0) {
		c->first_above_us = now_us + c->interval_us;
		return false;
	}
	return now_us >= c->first_above_us;
}

static bool goes_on_dropping(struct kcp_codel *c, bool too_slow, uint64_t now_us)
{
	if (!too_slow) {
		c->dropping = false;
		return false;
	}
	if (now_us < c->drop_next_us)
		return false;
	c->count++;
	c->drop_next_us = next_drop(c, c->drop_next_us);
	return true;
}

/* Dropping begins where it ended when that was not long ago. */
static void begin_dropping(struct kcp_codel *c, uint64_t now_us)
{
	uint32_t delta = c->count - c->last_count;
	bool recently = now_us < c->drop_next_us + 16 * c->interval_us;
	c->dropping = true;
	c->count = delta > 1 && recently ? delta : 1;
	c->last_count = c->count;
	c->drop_next_us = next_drop(c, now_us);
}

enum kcp_backlog_verdict kcp_backlog_pop(struct kcp_backlog *b, uint64_t now_us,
					 struct kcp_backlog_item *out)
{
	struct kcp_codel *c = &b->codel;
	if (!kcp_backlog_take(b, out)) {
		c->first_above_us = 0;
		c->dropping = false;
		return KCP_BACKLOG_EMPTY;
	}
	if (c->target_us == 0)
		return KCP_BACKLOG_SEND;
	bool too_slow = is_too_slow(b, out, now_us);
	if (c->dropping)
		return goes_on_dropping(c, too_slow, now_us) ? KCP_BACKLOG_DROP : KCP_BACKLOG_SEND;
	if (!too_slow)
		return KCP_BACKLOG_SEND;
	begin_dropping(c, now_us);
	return KCP_BACKLOG_DROP;
}
