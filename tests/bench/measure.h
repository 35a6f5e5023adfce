/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * measure: times pieces of work and prints what they cost, as a table or as JSON. A figure is the
 * median of several repetitions, with their quartiles beside it. Each piece of work says how to find
 * out that it was really done; a piece that was not is a failure of the program, a slow one never is.
 */
#ifndef BENCH_MEASURE_H
#define BENCH_MEASURE_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

/* From the command line. */
struct measure_options {
	bool json;
	bool self_check;  /* for a moment only: that everything works, not how fast */
	const char *only; /* the stage to measure, NULL = all */
};

struct measure_case {
	const char *stage;   /* "seal" */
	const char *variant; /* "ipsec-mb, batch 64"; copied */
	uint32_t bytes;      /* of a packet; 0 where bytes do not matter */
	/* Does the work and returns how many packets that was. */
	uint32_t (*work)(void *ctx);
	/* Before each call of work(), not timed: for work that uses up what it is given. NULL: work() is
	 * called as often as fills the time of a repetition. */
	void (*prepare)(void *ctx);
	/* After the measurement: whether the work was done, and rightly. */
	bool (*check)(void *ctx);
	void *ctx;
};

struct measure_row {
	const char *stage;
	char variant[56];
	uint32_t bytes;
	double ns, low, high; /* per packet: median and quartiles */
};

struct measure {
	struct measure_options options;
	struct measure_row *rows;
	uint32_t n_rows, room;
	uint32_t n_failed; /* cases whose check() said no */
};

/* Reads --json, --self-check, --only STAGE. False: something else was given. */
bool measure_arguments(struct measure_options *o, int argc, char **argv);

/* Monotonic clock, nanoseconds. */
uint64_t measure_now_ns(void);

/* Sleeps; only ever as long as a figure is watched, or between two looks at a condition. */
void measure_pause(uint64_t ns);

/* Measures one case and keeps the result as a row. A case whose check() fails is named on stderr. */
void measure_run(struct measure *m, const struct measure_case *c);

/* Whether the options ask for this stage: saves the setting up. */
bool measure_wants(const struct measure *m, const char *stage);

/* Sorts `values` and returns the median; *ret_low and *ret_high get the quartiles, and may be NULL. */
double measure_median(double *values, uint32_t n, double *ret_low, double *ret_high);

/* Takes what was used before out of the caches of a processor: writes to more memory than they hold. */
void measure_evict(void);

/* Prints the rows to stdout as a table or as {"stages": [...]}, and frees them. Returns the exit status. */
int measure_finish(struct measure *m);

#endif
