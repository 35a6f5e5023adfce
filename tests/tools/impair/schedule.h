/* SPDX-License-Identifier: BSD-2-Clause */
/* schedule: datagrams by the time at which they depart; of equal times, the one that came first. */
#ifndef IMPAIR_SCHEDULE_H
#define IMPAIR_SCHEDULE_H

#include <stdbool.h>
#include <stdint.h>

struct departure {
	uint64_t at_ns;
	uint64_t serial; /* set by schedule_add() */
	uint64_t arrived_ns;
	uint32_t flow;
	uint32_t first; /* block of the store */
	uint32_t len;   /* bytes of the datagram */
};

/* A heap of four children each. */
struct schedule {
	struct departure *heap;
	uint32_t n, capacity;
	uint64_t serial;
};

/* False: no memory. Memory is taken from the system as it is first used. */
bool schedule_init(struct schedule *s, uint32_t capacity);
void schedule_done(struct schedule *s);

/* False: there are as many as the capacity is. */
bool schedule_add(struct schedule *s, const struct departure *d);

/* Puts one back that schedule_take() has given; it is as early as it was. There is room. */
void schedule_return(struct schedule *s, const struct departure *d);

/* The earliest, NULL when there is none; valid until the next change. */
const struct departure *schedule_first(const struct schedule *s);

/* Removes the earliest. There is one. */
void schedule_take(struct schedule *s, struct departure *ret);

#endif
