/* SPDX-License-Identifier: BSD-2-Clause */
/* counts: what has happened to the datagrams of a direction, as JSON. */
#ifndef IMPAIR_COUNTS_H
#define IMPAIR_COUNTS_H

#include <stdint.h>
#include <stdio.h>

enum counts_loss {
	LOST_AT_RANDOM, /* --loss */
	LOST_IN_BURST,  /* --burst */
	LOST_QUEUE,     /* --queue was full */
	LOST_MEMORY,    /* --memory was full */
	LOST_FLOWS,     /* a client more than --flows */
	LOST_REFUSED,   /* nobody listens there, or the system did not send it */
	COUNTS_LOSSES
};

#define COUNTS_LATE_BUCKETS 256u

struct counts {
	uint64_t in, in_bytes; /* bytes of UDP payload, here and below */
	uint64_t lost[COUNTS_LOSSES];
	uint64_t corrupted, duplicated, reordered;
	uint64_t delivered, delivered_bytes;
	uint64_t missed;
	uint64_t delay_sum_ns, delay_min_ns, delay_max_ns; /* of those delivered */
	uint64_t late_sum_ns, late_max_ns;
	uint64_t late
		[COUNTS_LATE_BUCKETS]; /* by lateness, each bucket a quarter wider than that before */
};

void counts_init(struct counts *c);

/* One was delivered: when it arrived, when it was to depart, and when it did. */
void counts_deliver(struct counts *c, uint32_t bytes, uint64_t arrived_ns, uint64_t due_ns,
		    uint64_t now_ns);

/* The lateness in ns that a share (0 to 1) of the delivered did not exceed; at most a fifth too much. */
uint64_t counts_late_quantile(const struct counts *c, double share);

/* Writes one object; `pending` is how many are under way. */
void counts_print(const struct counts *c, uint64_t pending, FILE *out);

#endif
