/* SPDX-License-Identifier: BSD-2-Clause */
#include "chance.h"

#define GAMMA 0x9e3779b97f4a7c15u

__extension__ typedef unsigned __int128 wide;

static uint64_t mix(uint64_t z)
{
	z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9u;
	z = (z ^ z >> 27) * 0x94d049bb133111ebu;
	return z ^ z >> 31;
}

void chance_init(struct chance *c, uint64_t seed, uint32_t stream)
{
	c->state = mix(mix(seed + GAMMA) + (stream + 1) * GAMMA);
}

uint64_t chance_draw(struct chance *c)
{
	c->state += GAMMA;
	return mix(c->state);
}

bool chance_hits(struct chance *c, double share)
{
	/* 53 bits: what a double holds exactly, so that the result is below 1 */
	return (double)(chance_draw(c) >> 11) * 0x1p-53 < share;
}

uint64_t chance_below(struct chance *c, uint64_t n)
{
	/* the upper half of the product: evenly spread but for n / 2^64 */
	return (uint64_t)((wide)chance_draw(c) * n >> 64);
}
