/* SPDX-License-Identifier: BSD-2-Clause */
#include "fate.h"

#include <string.h>

void fate_model_init(struct fate_model *m)
{
	memset(m, 0, sizeof(*m));
	m->k = 1;
	m->corrupt_bits = 1;
}

void fates_init(struct fates *f, const struct fate_model *m, uint64_t seed, uint32_t direction)
{
	f->model = *m;
	f->bad = false;
	for (uint32_t use = 0; use < FATE_USES; use++)
		chance_init(&f->chances[use], seed, direction * FATE_USES + use);
}

/* The datagram meets the line as the one before has left it. */
static bool lost_in_burst(struct fates *f)
{
	const struct fate_model *m = &f->model;
	if (m->p == 0 && m->k == 1)
		return false;
	bool lost = !chance_hits(&f->chances[FATE_BURST_LOSS], f->bad ? m->h : m->k);
	if (chance_hits(&f->chances[FATE_BURST_MOVE], f->bad ? m->r : m->p))
		f->bad = !f->bad;
	return lost;
}

static bool happens(struct fates *f, enum fate_use use, double share)
{
	return share > 0 && chance_hits(&f->chances[use], share);
}

static uint64_t jitter(struct fates *f, enum fate_use use)
{
	return f->model.jitter_ns == 0 ? 0 : chance_below(&f->chances[use], f->model.jitter_ns + 1);
}

/* Every use draws for every datagram, lost or not: a decision depends on the datagram's number alone. */
void fates_next(struct fates *f, struct fate *ret)
{
	const struct fate_model *m = &f->model;
	bool lost = happens(f, FATE_LOSS, m->loss);
	bool burst = lost_in_burst(f);
	ret->end = lost ? FATE_LOST : burst ? FATE_LOST_IN_BURST : FATE_PASSES;
	ret->duplicated = happens(f, FATE_DUPLICATE, m->duplicate);
	ret->corrupted = happens(f, FATE_CORRUPT, m->corrupt);
	ret->reordered = happens(f, FATE_REORDER, m->reorder);
	ret->jitter_ns = jitter(f, FATE_JITTER);
	ret->copy_jitter_ns = jitter(f, FATE_COPY_JITTER);
}

void fates_corrupt(struct fates *f, uint8_t *bytes, size_t len)
{
	uint64_t n_bits = (uint64_t)len * 8;
	uint64_t turned[64];
	uint32_t n = f->model.corrupt_bits < 64 ? f->model.corrupt_bits : 64;
	if (n > n_bits)
		n = (uint32_t)n_bits;
	for (uint32_t i = 0; i < n; i++) {
		/* the i-th of those that are left: Floyd's way to choose without repetition */
		uint64_t last = n_bits - n + i;
		uint64_t bit = chance_below(&f->chances[FATE_CORRUPT_WHERE], last + 1);
		for (uint32_t k = 0; k < i; k++) {
			if (turned[k] == bit) {
				bit = last;
				break;
			}
		}
		turned[i] = bit;
		bytes[bit / 8] ^= (uint8_t)(1u << bit % 8);
	}
}
