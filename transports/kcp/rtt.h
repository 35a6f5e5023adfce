/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * rtt: the round-trip time of one session, smoothed as in RFC 6298 section 2, and its least value
 * within the last 10 seconds. Microseconds. [any], one caller at a time.
 */
#ifndef KCP_RTT_H
#define KCP_RTT_H

#include <stdbool.h>
#include <stdint.h>

#define KCP_RTT_MIN_WINDOW_US 10000000u
#define KCP_RTT_MOST_US       60000000u /* a longer sample is taken for this */

struct kcp_rtt {
	uint64_t srtt_us;                 /* 0 = not measured yet */
	uint64_t var_us;                  /* mean deviation */
	uint64_t latest_us;               /* the last sample */
	uint64_t min_us;                  /* least sample in the window */
	uint64_t min_at_us;               /* when it was taken */
	uint64_t next_min_us, next_at_us; /* least since half a window: follows when min has aged */
};

void kcp_rtt_init(struct kcp_rtt *r);

/* Adds a sample of an answer that belongs to one transmission only (RFC 6298 section 3). */
void kcp_rtt_sample(struct kcp_rtt *r, uint64_t rtt_us, uint64_t now_us);

/* srtt + max(granularity, 4 * var), within [floor, ceiling]; `initial_us` while nothing is measured. */
uint64_t kcp_rtt_timeout(const struct kcp_rtt *r, uint64_t granularity_us, uint64_t floor_us,
			 uint64_t ceiling_us, uint64_t initial_us);

static inline bool kcp_rtt_is_known(const struct kcp_rtt *r)
{
	return r->srtt_us != 0;
}

#endif
