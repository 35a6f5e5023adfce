/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * copies: segments that are to be sent once more, a little after they were sent. What is lost holds up all
 * that follows; sent again and lost once more, it does so for another round trip. With a copy that is rare.
 * On the wire it is a retransmission like any other.
 *
 *   sent again   a copy, two where the path loses much; one more each further time
 *   small        (acknowledgements of TCP within, mostly) a copy the first time as well, where it loses at all
 *
 * Bounded: copies are never more than a quarter of the new segments, so a path that loses for want of room
 * is not fed twice. Names of segments and times only, no data. [any], one caller at a time.
 */
#ifndef KCP_COPIES_H
#define KCP_COPIES_H

#include <stdbool.h>
#include <stdint.h>

#define KCP_COPIES_MOST  1024u /* that wait, a power of two */
#define KCP_COPIES_SMALL 128u  /* bytes of data up to which a segment is small */

struct kcp_copy {
	uint64_t due_us;
	uint32_t sn;
	uint16_t xmit; /* transmissions of the segment when the copy was planned */
	uint16_t more; /* copies that follow this one */
};

struct kcp_copies {
	struct kcp_copy ring[KCP_COPIES_MOST];
	uint32_t head, tail;
	uint32_t quarters; /* of copies that may still be planned */
	uint32_t loss_q16; /* share of the last transmissions that were lost, 2^-16 */
};

/* What has become of a transmission. */
void kcp_copies_learn(struct kcp_copies *c, bool lost);

/* A segment with `len` bytes of data was sent for the xmit-th time: plans the copies that it is worth, as far
 * as they are earned and there is room, one after another. due_us: of the first; not before that of an
 * earlier call. UINT64_MAX: none now, a new segment earns all the same. */
void kcp_copies_plan(struct kcp_copies *c, uint32_t sn, uint32_t xmit, uint32_t len,
		     uint64_t due_us);

/* The first that is due, NULL: none is. */
const struct kcp_copy *kcp_copies_first(const struct kcp_copies *c, uint64_t now_us);

/* Takes the first out, which was sent; plans the next copy of its segment for due_us. */
void kcp_copies_sent(struct kcp_copies *c, uint64_t due_us);

/* Takes the first out, which is of no use any more. */
void kcp_copies_pop(struct kcp_copies *c);

/* When the first is due; UINT64_MAX: none waits. */
uint64_t kcp_copies_next(const struct kcp_copies *c);

#endif
