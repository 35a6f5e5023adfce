/* SPDX-License-Identifier: BSD-2-Clause */
/* clock: CLOCK_MONOTONIC in nanoseconds. */
#ifndef IMPAIR_CLOCK_H
#define IMPAIR_CLOCK_H

#include <stdint.h>
#include <time.h>

static inline uint64_t clock_read_ns(clockid_t id)
{
	struct timespec t;
	clock_gettime(id, &t);
	return (uint64_t)t.tv_sec * 1000000000u + (uint64_t)t.tv_nsec;
}

static inline uint64_t clock_now_ns(void)
{
	return clock_read_ns(CLOCK_MONOTONIC);
}

#endif
