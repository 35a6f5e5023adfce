/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * sendwin: segments that were sent and not acknowledged. A ring indexed by sequence number; the data is
 * in cells. Each segment is in one of two lists, so that none is ever searched for:
 *
 *   flying   in the order of their last transmissions, each with a timeout in the wheel
 *   lost     to be sent again, in the order in which that was found out
 *
 * "Order" is the number of a transmission. As in RACK (RFC 8985), what arrives tells of the fate of what
 * was transmitted before it, however often that was.
 */
#ifndef KCP_SENDWIN_H
#define KCP_SENDWIN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "cells.h"
#include "congestion.h"
#include "wheel.h"

#define KCP_NO_SEGMENT UINT32_MAX /* no place in the ring */

enum kcp_fate { KCP_FATE_GONE, KCP_FATE_FLYING, KCP_FATE_LOST };

struct kcp_sent {
	uint8_t *cell;
	uint64_t sent_us; /* the last time */
	struct kcp_congestion_sent rate;
	uint32_t rto_us;
	uint32_t order; /* of the last transmission */
	uint32_t before, after;
	uint16_t len;
	uint8_t frg;
	uint8_t fate : 2;
	uint8_t copied : 1;
	uint8_t xmit : 5; /* transmissions without copies, stays at its most */
};

#define KCP_XMIT_MOST 31u

struct kcp_list {
	uint32_t first, last; /* places in the ring */
};

struct kcp_sendwin {
	struct kcp_sent *ring;
	struct kcp_wheel_link *links;
	struct kcp_cells *cells;
	uint32_t mask;
	uint32_t wnd; /* segments */
	uint32_t una; /* the first that is not acknowledged */
	uint32_t nxt; /* the next new one */
	uint32_t order;
	struct kcp_list flying, lost;
	struct kcp_wheel wheel;
};

/* wnd: at most 32768. False: no memory. */
bool kcp_sendwin_init(struct kcp_sendwin *w, uint32_t wnd, struct kcp_cells *cells,
		      uint64_t now_us);
void kcp_sendwin_clear(struct kcp_sendwin *w);

/* The segment of a number between una and nxt, whatever its fate. */
static inline struct kcp_sent *kcp_sendwin_at(const struct kcp_sendwin *w, uint32_t sn)
{
	return &w->ring[sn & w->mask];
}

/* Whether the number was used and is not acknowledged by una. */
static inline bool kcp_sendwin_covers(const struct kcp_sendwin *w, uint32_t sn)
{
	return sn - w->una < w->nxt - w->una;
}

static inline bool kcp_sendwin_is_empty(const struct kcp_sendwin *w)
{
	return w->una == w->nxt;
}

static inline uint32_t kcp_sendwin_count(const struct kcp_sendwin *w)
{
	return w->nxt - w->una;
}

/* Takes a cell with a new segment's data, and gives it the next number. The window has room. It is to be
 * sent at once: see kcp_sendwin_transmitted(). */
struct kcp_sent *kcp_sendwin_add(struct kcp_sendwin *w, uint8_t *cell, uint32_t len, uint8_t frg);

/* A segment was (or is being) transmitted: it flies, last in order, until due_us. */
void kcp_sendwin_transmitted(struct kcp_sendwin *w, struct kcp_sent *s, uint64_t now_us,
			     uint64_t due_us);

/* The same for a copy of one that flies: it counts as the transmission before it. */
void kcp_sendwin_copied(struct kcp_sendwin *w, struct kcp_sent *s, uint64_t now_us,
			uint64_t due_us);

/* A flying segment is lost. */
void kcp_sendwin_lose(struct kcp_sendwin *w, struct kcp_sent *s);

/* A segment has arrived: its cell is given back. una stays, see kcp_sendwin_advance(). */
void kcp_sendwin_retire(struct kcp_sendwin *w, struct kcp_sent *s);

/* Moves una over what has arrived. True when it moved. */
bool kcp_sendwin_advance(struct kcp_sendwin *w);

/* The first of a list, NULL when it is empty. */
static inline struct kcp_sent *kcp_sendwin_first(const struct kcp_sendwin *w,
						 const struct kcp_list *list)
{
	return list->first != KCP_NO_SEGMENT ? &w->ring[list->first] : NULL;
}

/* The one behind it in its list. */
static inline struct kcp_sent *kcp_sendwin_after(const struct kcp_sendwin *w,
						 const struct kcp_sent *s)
{
	return s->after != KCP_NO_SEGMENT ? &w->ring[s->after] : NULL;
}

/* A flying segment whose timeout has passed, NULL when there is none (now). */
struct kcp_sent *kcp_sendwin_expired(struct kcp_sendwin *w, uint64_t now_us);

/* Such a segment goes on flying until due_us. */
void kcp_sendwin_postpone(struct kcp_sendwin *w, const struct kcp_sent *s, uint64_t due_us);

/* The number of a segment in the ring. */
uint32_t kcp_sendwin_number(const struct kcp_sendwin *w, const struct kcp_sent *s);

#endif
