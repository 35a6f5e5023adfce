/* SPDX-License-Identifier: BSD-2-Clause */
#include "copies.h"

#include <stddef.h>

#define ONE           4u          /* new segments for each copy */
#define QUARTERS_MOST (256 * ONE) /* saved up: enough for a window that has lost much */
#define MASK          (KCP_COPIES_MOST - 1)
#define WEIGHT        256u  /* transmissions over which the loss is averaged */
#define LOSES         512u  /* 2^-16: 0.8 %, what a clean path never has */
#define LOSES_MUCH    3277u /* 2^-16: 5 %: of a window of hundreds some are lost, and their copies */
#define MOST_EACH     3u

void kcp_copies_learn(struct kcp_copies *c, bool lost)
{
	if (lost)
		c->loss_q16 += (65536u - c->loss_q16) / WEIGHT;
	else
		c->loss_q16 -= (c->loss_q16 + WEIGHT - 1) / WEIGHT;
}

static uint32_t wanted(const struct kcp_copies *c, uint32_t xmit, uint32_t len)
{
	if (xmit == 1)
		return len <= KCP_COPIES_SMALL && c->loss_q16 >= LOSES ? 1 : 0;
	uint32_t n = xmit - 1 + (c->loss_q16 >= LOSES_MUCH);
	return n < MOST_EACH ? n : MOST_EACH;
}

static void add(struct kcp_copies *c, const struct kcp_copy *copy)
{
	if (c->quarters < ONE || c->tail - c->head == KCP_COPIES_MOST)
		return;
	c->quarters -= ONE;
	c->ring[c->tail++ & MASK] = *copy;
}

void kcp_copies_plan(struct kcp_copies *c, uint32_t sn, uint32_t xmit, uint32_t len,
		     uint64_t due_us)
{
	if (xmit == 1 && c->quarters < QUARTERS_MOST)
		c->quarters++;
	uint32_t n = wanted(c, xmit, len);
	if (n != 0 && due_us != UINT64_MAX)
		add(c, &(struct kcp_copy){.due_us = due_us,
					  .sn = sn,
					  .xmit = (uint16_t)xmit,
					  .more = (uint16_t)(n - 1)});
}

const struct kcp_copy *kcp_copies_first(const struct kcp_copies *c, uint64_t now_us)
{
	const struct kcp_copy *first = &c->ring[c->head & MASK];
	return c->head != c->tail && first->due_us <= now_us ? first : NULL;
}

void kcp_copies_sent(struct kcp_copies *c, uint64_t due_us)
{
	struct kcp_copy next = c->ring[c->head++ & MASK];
	if (next.more-- == 0)
		return;
	next.due_us = due_us;
	add(c, &next);
}

void kcp_copies_pop(struct kcp_copies *c)
{
	c->head++;
}

uint64_t kcp_copies_next(const struct kcp_copies *c)
{
	return c->head != c->tail ? c->ring[c->head & MASK].due_us : UINT64_MAX;
}
