/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * backlog: what waits to be sent, bounded by the time that it waits. Controlled delay as in RFC 8289:
 * when the waiting time has stayed above the target for an interval, messages are dropped at the
 * head, more often the longer it lasts, so that whoever fills the queue slows down. A ring of fixed
 * size; nothing is allocated after init. [any], one caller at a time.
 */
#ifndef KCP_BACKLOG_H
#define KCP_BACKLOG_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct kcp_backlog_item {
	void *what; /* the caller's: a packet, a cell */
	uint32_t bytes;
	uint32_t tag;   /* the caller's */
	uint64_t at_us; /* when it came */
};

/* The state of RFC 8289 section 5, by the names used there. */
struct kcp_codel {
	uint64_t target_us, interval_us;
	uint64_t
		first_above_us; /* when the delay will have been above the target for an interval */
	uint64_t drop_next_us;
	uint32_t count, last_count;
	bool dropping;
};

struct kcp_backlog {
	struct kcp_backlog_item *items;
	uint32_t mask; /* of the ring */
	uint32_t most;
	uint32_t head, tail;
	uint64_t bytes;
	uint32_t datagram; /* a queue of no more than this is never dropped from */
	struct kcp_codel codel;
};

enum kcp_backlog_verdict {
	KCP_BACKLOG_EMPTY,
	KCP_BACKLOG_SEND,
	KCP_BACKLOG_DROP /* the caller drops the item and asks again */
};

/* most: items, 1..65536. target_us 0: no dropping by time. The interval is 20 targets and at least
 * 100 ms (RFC 8289 section 3.2, 4.3). datagram: bytes of a large one. False: no memory. */
bool kcp_backlog_init(struct kcp_backlog *b, uint32_t most, uint64_t target_us, uint32_t datagram);

/* Frees the ring; the items are the caller's (pop them before). Accepts a zeroed one. */
void kcp_backlog_clear(struct kcp_backlog *b);

/* False: full. */
bool kcp_backlog_push(struct kcp_backlog *b, void *what, uint32_t bytes, uint32_t tag,
		      uint64_t now_us);

/* The item that waits longest, NULL when empty. */
static inline const struct kcp_backlog_item *kcp_backlog_peek(const struct kcp_backlog *b)
{
	return b->head != b->tail ? &b->items[b->head & b->mask] : NULL;
}

/* Takes the item that waits longest and says what is to be done with it. */
enum kcp_backlog_verdict kcp_backlog_pop(struct kcp_backlog *b, uint64_t now_us,
					 struct kcp_backlog_item *out);

/* Takes the oldest item without judging it; false: empty. For making room and for the end. */
bool kcp_backlog_take(struct kcp_backlog *b, struct kcp_backlog_item *out);

static inline uint32_t kcp_backlog_count(const struct kcp_backlog *b)
{
	return b->tail - b->head;
}

static inline bool kcp_backlog_is_full(const struct kcp_backlog *b)
{
	return b->tail - b->head >= b->most;
}

#endif
