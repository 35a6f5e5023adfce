/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * fate: what happens to the n-th datagram of a direction. It follows from the model, the seed, the direction
 * and n; neither time nor content has a part in it.
 */
#ifndef IMPAIR_FATE_H
#define IMPAIR_FATE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "chance.h"

/* Shares are from 0 to 1, times in nanoseconds. */
struct fate_model {
	double loss;
	/*
	 * Loss in bursts: Gilbert (1960), Elliott (1963). The line is good or bad. p: good becomes bad after a
	 * datagram, r: bad becomes good; k: a datagram passes while it is good, h: while it is bad. The line
	 * begins good, and stays so with p == 0. On average (1-k) r/(p+r) + (1-h) p/(p+r) are lost.
	 */
	double p, r, k, h;
	double duplicate;
	double corrupt;
	uint32_t corrupt_bits; /* of a datagram that is corrupted */
	double reorder;
	uint64_t hold_ns;   /* so much later does a reordered datagram leave */
	uint64_t jitter_ns; /* delay is added evenly from 0 to this */
};

enum fate_end { FATE_PASSES, FATE_LOST, FATE_LOST_IN_BURST };

struct fate {
	enum fate_end end;
	bool duplicated, corrupted, reordered;
	uint64_t jitter_ns, copy_jitter_ns; /* the copy's has no meaning when there is none */
};

enum fate_use {
	FATE_LOSS,
	FATE_BURST_LOSS,
	FATE_BURST_MOVE,
	FATE_DUPLICATE,
	FATE_CORRUPT,
	FATE_CORRUPT_WHERE,
	FATE_REORDER,
	FATE_JITTER,
	FATE_COPY_JITTER,
	FATE_USES
};

struct fates {
	struct fate_model model;
	struct chance chances[FATE_USES];
	bool bad; /* the line of Gilbert and Elliott */
};

/* A model that lets everything pass. */
void fate_model_init(struct fate_model *m);

void fates_init(struct fates *f, const struct fate_model *m, uint64_t seed, uint32_t direction);

/* The fate of the next datagram. What it does not have happen is false and 0. */
void fates_next(struct fates *f, struct fate *ret);

/* Turns model.corrupt_bits bits of a datagram over, no bit twice when it has that many. */
void fates_corrupt(struct fates *f, uint8_t *bytes, size_t len);

#endif
