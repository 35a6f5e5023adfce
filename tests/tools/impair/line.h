/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * line: when a datagram leaves that has arrived. A queue before a link of a fixed rate, then a delay. The
 * link is exact: it keeps the fraction of a nanosecond that a datagram takes.
 *
 *	arrival --> [ queue ] --> link of `rate` --> delay + jitter (+ hold) --> departure
 */
#ifndef IMPAIR_LINE_H
#define IMPAIR_LINE_H

#include <stdbool.h>
#include <stdint.h>

struct line_model {
	uint64_t rate;     /* bit/s of IP packets; 0: no limit, and no queue */
	uint64_t queue_ns; /* a datagram that would wait for longer is dropped */
	uint64_t delay_ns;
	bool free; /* jitter may change the order */
};

struct line {
	struct line_model model;
	uint64_t idle_ns;  /* from then on the link has nothing to do */
	uint64_t fraction; /* of that nanosecond, in 1/rate */
};

void line_init(struct line *l, const struct line_model *m);

/*
 * A datagram whose IP packet has `bytes` arrives. False: the queue is full, and nothing has changed. True:
 * *ret_ns is when it has left the link. Times are nanoseconds of one clock that begins after 0.
 */
bool line_enter(struct line *l, uint64_t arrival_ns, uint32_t bytes, uint64_t *ret_ns);

/*
 * When a datagram that has left the link at `left_ns` departs. *latest_ns is the latest departure of its flow,
 * 0 before the first; unless the model is free, nothing departs before it. One that is held (hold_ns > 0) takes
 * no part in the order.
 */
uint64_t line_depart(const struct line *l, uint64_t left_ns, uint64_t jitter_ns, uint64_t hold_ns,
		     uint64_t *latest_ns);

#endif
