/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * ceiling: what the machine itself gains from more threads: threads that share nothing do the same work,
 * each on memory of its own. Two processors may be two threads of one core, or somebody else's as well.
 */
#ifndef BENCH_CEILING_H
#define BENCH_CEILING_H

#include <stdbool.h>
#include <stdint.h>

#define CEILING_THREADS 4u

enum ceiling_kind {
	CEILING_INTEGER, /* arithmetic in registers */
	CEILING_CIPHER,  /* packets are sealed and opened in place, 128 at a time */
	CEILING_COPY,    /* memory is copied that no second-level cache holds */
	CEILING_KINDS
};

const char *ceiling_name(enum ceiling_kind kind);

/* Units of work per second of `threads` threads together, over about duration_ns; 0 when they could not
 * be started. Units are packets of `bytes` for CIPHER, arbitrary else. */
double ceiling_measure(enum ceiling_kind kind, uint32_t threads, uint32_t bytes,
		       uint64_t duration_ns);

#endif
