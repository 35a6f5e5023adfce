/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * ranges: which datagram numbers have come, in a window of the last KCP_RANGES_WINDOW, and how an
 * acknowledgement says so: runs, newest first. After the largest number (in the ACK's head) follow
 *
 *   run0 | gap1 | run1 | gap2 | run2 ...
 *
 * each as its length less one, in little-endian groups of seven bits, the high bit set when another
 * group follows (LEB128), in the shortest form of at most three bytes. A run has come, a gap has
 * not; nothing is said about what is before the last run. [any], one caller at a time.
 */
#ifndef KCP_RANGES_H
#define KCP_RANGES_H

#include <stdbool.h>
#include <stdint.h>

#define KCP_RANGES_WINDOW 8192u
#define KCP_RANGES_WORDS  (KCP_RANGES_WINDOW / 64)

struct kcp_ranges {
	uint64_t largest; /* nothing has come when it equals `first` - 1 */
	uint64_t first;   /* numbers below were never in the window */
	uint64_t bits[KCP_RANGES_WORDS];
};

enum kcp_ranges_result {
	KCP_RANGES_NEXT,     /* new, follows the largest */
	KCP_RANGES_AHEAD,    /* new, some before it are missing */
	KCP_RANGES_BETWEEN,  /* new, was missing */
	KCP_RANGES_REPEATED, /* has come before */
	KCP_RANGES_OUTSIDE   /* too far back to know, or too far ahead */
};

/* first: the number that the peer begins with, above KCP_RANGES_WINDOW. */
void kcp_ranges_init(struct kcp_ranges *r, uint64_t first);

/* Adds a number; `ahead`: how far beyond the largest it may be. O(ahead / 64). */
enum kcp_ranges_result kcp_ranges_add(struct kcp_ranges *r, uint64_t n, uint32_t ahead);

static inline bool kcp_ranges_is_empty(const struct kcp_ranges *r)
{
	return r->largest < r->first;
}

/* Writes runs into data[0..cap), at most `most` of them; not empty. Returns bytes. O(window / 64). */
uint32_t kcp_ranges_write(const struct kcp_ranges *r, uint8_t *data, uint32_t cap, uint32_t most);

/* Reads runs. */
struct kcp_runs {
	const uint8_t *data;
	uint32_t len;
	uint64_t next; /* the run or gap to come ends here */
	bool is_first, is_bad;
};

static inline void kcp_runs_init(struct kcp_runs *it, const uint8_t *data, uint32_t len,
				 uint64_t largest)
{
	*it = (struct kcp_runs){.data = data, .len = len, .next = largest, .is_first = true};
}

/* The next run is *ret_low .. *ret_high, inclusive. False: no more, or is_bad: malformed, or would go
 * below 0. A malformed one may give runs before it is found out. */
bool kcp_runs_next(struct kcp_runs *it, uint64_t *ret_low, uint64_t *ret_high);

#endif
