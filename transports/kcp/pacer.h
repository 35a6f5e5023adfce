/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * pacer: spreads datagrams over time at a rate. What is sent moves the time at which all of it is paid
 * for; a sender may be ahead of that by the burst, so that batches and a timer's coarseness cost no
 * throughput. Unused time is not saved up beyond the burst. [any], one caller at a time.
 */
#ifndef KCP_PACER_H
#define KCP_PACER_H

#include <stdbool.h>
#include <stdint.h>

#define KCP_PACER_BURST_US 1000u /* at least this time's worth may go at once, */
#define KCP_PACER_BURST    4u    /* and at least so many datagrams */

struct kcp_pacer {
	uint64_t paid_ns; /* when what was sent is paid for */
	uint64_t sent_ns; /* when something was sent last */
	uint64_t burst_ns;
	uint64_t ns_per_byte; /* 2^-20 ns; 0 = no limit */
	uint64_t rate;        /* bytes/s; 0 = no limit */
	uint32_t datagram;
};

/* datagram: bytes of a large one. The rate is unlimited until it is set. */
void kcp_pacer_init(struct kcp_pacer *p, uint32_t datagram);

/* bytes_per_s 0 = no limit. What is owed are bytes: they are paid for at the new rate, so that a moment of a
 * very low one does not silence the sender for long. Cheap when it has not changed. */
void kcp_pacer_set_rate(struct kcp_pacer *p, uint64_t bytes_per_s);

/* True when a datagram may go now: it may use the burst up to its last byte and beyond by itself. */
static inline bool kcp_pacer_may_send(const struct kcp_pacer *p, uint64_t now_us)
{
	return p->paid_ns <= now_us * 1000 + p->burst_ns;
}

void kcp_pacer_sent(struct kcp_pacer *p, uint32_t bytes, uint64_t now_us);

/* When may_send() will be true: now_us or later. Waits for half of the burst, so that what goes
 * then goes as a batch. */
uint64_t kcp_pacer_next(const struct kcp_pacer *p, uint64_t now_us);

#endif
