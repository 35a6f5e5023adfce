/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * recvwin: segments that came before their turn, or that the device did not take yet. A ring indexed by
 * sequence number; the data is in cells.
 *
 *   head ......... nxt ......... head + wnd
 *     in order, not taken   gaps among these
 */
#ifndef KCP_RECVWIN_H
#define KCP_RECVWIN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "cells.h"

struct kcp_received {
	uint8_t *cell; /* NULL: not here */
	uint32_t len;
	uint8_t frg;
};

struct kcp_recvwin {
	struct kcp_received *ring;
	struct kcp_cells *cells;
	uint32_t mask;
	uint32_t wnd;    /* segments */
	uint32_t head;   /* the first that was not taken out */
	uint32_t nxt;    /* all before it are here */
	uint32_t stored; /* segments in the ring */
};

enum kcp_recvwin_place { KCP_PLACE_OLD, KCP_PLACE_NEW, KCP_PLACE_OUTSIDE };

/* False: no memory. */
bool kcp_recvwin_init(struct kcp_recvwin *w, uint32_t wnd, struct kcp_cells *cells);
void kcp_recvwin_clear(struct kcp_recvwin *w);

/* Whether a segment is new: not here, and inside of the window. */
enum kcp_recvwin_place kcp_recvwin_place(const struct kcp_recvwin *w, uint32_t sn);

/* Stores a copy of a segment that place() calls new; `nxt` moves on over what is here. False: there is no
 * cell; nothing has changed. */
bool kcp_recvwin_store(struct kcp_recvwin *w, uint32_t sn, uint8_t frg, const uint8_t *data,
		       uint32_t len);

/* The segment `nxt` was taken directly, without being stored: head and nxt move on. Only while head
 * is nxt. */
void kcp_recvwin_pass(struct kcp_recvwin *w);

/* The segment at head, NULL when it is not here. */
static inline struct kcp_received *kcp_recvwin_first(const struct kcp_recvwin *w)
{
	struct kcp_received *r = &w->ring[w->head & w->mask];
	return w->head != w->nxt ? r : NULL;
}

/* Drops the segment at head, which is here. */
void kcp_recvwin_pop(struct kcp_recvwin *w);

/* Segments that the peer may still send, for the wire's field. */
uint16_t kcp_recvwin_free(const struct kcp_recvwin *w);

#endif
