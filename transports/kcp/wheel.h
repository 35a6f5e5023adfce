/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * wheel: many deadlines at O(1) each. A ring of 256 slots of one tick; an entry further away than the
 * ring reaches waits in the last slot and is moved on when that comes. Entries are numbered places of
 * an array of links that the caller has; an entry fires up to a tick late, never early. One thread.
 */
#ifndef KCP_WHEEL_H
#define KCP_WHEEL_H

#include <stdbool.h>
#include <stdint.h>

#define KCP_WHEEL_SLOTS 256u
#define KCP_WHEEL_NONE  UINT32_MAX

/* One for each entry, zeroed by kcp_wheel_init(). */
struct kcp_wheel_link {
	uint64_t due_us;
	uint32_t before, after; /* in the slot's ring */
	uint32_t slot;          /* KCP_WHEEL_NONE = not planned */
};

struct kcp_wheel {
	struct kcp_wheel_link *links; /* the caller's */
	uint32_t tick_us;
	uint32_t count;                      /* planned entries */
	uint64_t tick;                       /* all slots up to this one are done */
	uint64_t full[KCP_WHEEL_SLOTS / 64]; /* slots that hold something */
	uint32_t slots[KCP_WHEEL_SLOTS];     /* first entry */
};

void kcp_wheel_init(struct kcp_wheel *w, struct kcp_wheel_link *links, uint32_t n_links,
		    uint32_t tick_us, uint64_t now_us);

/* Plans entry i for due_us, in place of an earlier plan. */
void kcp_wheel_plan(struct kcp_wheel *w, uint32_t i, uint64_t due_us);

/* Takes entry i out. Nothing when it is not planned. */
void kcp_wheel_cancel(struct kcp_wheel *w, uint32_t i);

static inline bool kcp_wheel_has(const struct kcp_wheel *w, uint32_t i)
{
	return w->links[i].slot != KCP_WHEEL_NONE;
}

/* Takes out and returns an entry that is due, KCP_WHEEL_NONE when there is none. Earlier ticks come
 * first; within one tick the order is any. */
uint32_t kcp_wheel_pop(struct kcp_wheel *w, uint64_t now_us);

/* When pop() is to be asked next: not later than a tick behind the first deadline; may be early when
 * that is far away. UINT64_MAX when nothing is planned. */
uint64_t kcp_wheel_next(const struct kcp_wheel *w);

#endif
