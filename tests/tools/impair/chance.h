/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * chance: random numbers that follow from a seed alone. Each use has a stream of its own, so that one more
 * impairment does not change what the others decide.
 *
 * splitmix64: Steele, Lea, Flood, "Fast splittable pseudorandom number generators", OOPSLA 2014. Not for
 * secrets.
 */
#ifndef IMPAIR_CHANCE_H
#define IMPAIR_CHANCE_H

#include <stdbool.h>
#include <stdint.h>

struct chance {
	uint64_t state;
};

/* Streams of one seed differ; the same seed and stream give the same numbers everywhere. */
void chance_init(struct chance *c, uint64_t seed, uint32_t stream);

uint64_t chance_draw(struct chance *c);

/* True with a probability of `share`: 0 never, 1 always. Takes one draw. */
bool chance_hits(struct chance *c, double share);

/* From 0 to n - 1; 0 for n == 0. Takes one draw. */
uint64_t chance_below(struct chance *c, uint64_t n);

#endif
