/* SPDX-License-Identifier: BSD-2-Clause */
#include "fec_tune.h"

#include "fec.h"
#include "rs.h"

#define SAMPLES_MIN    8u  /* fewer prove nothing */
#define TOLERANCE      16u /* one in so many may disagree */
#define CANDIDATES_MAX 4u

/* The type of a packet that came, KCP_FEC_NOT of one that did not (or is forgotten). */
static uint32_t type_of(const struct kcp_fec_tune *t, uint32_t seqid)
{
	uint32_t place = seqid % KCP_FEC_SAMPLES;
	return t->seqid[place] == seqid ? t->type[place] : (uint32_t)KCP_FEC_NOT;
}

bool kcp_fec_tune_note(struct kcp_fec_tune *t, uint32_t seqid, bool parity)
{
	uint32_t place = seqid % KCP_FEC_SAMPLES;
	uint32_t type = parity ? KCP_FEC_PARITY : KCP_FEC_DATA;
	uint32_t before = type_of(t, seqid - 1), after = type_of(t, seqid + 1);
	t->seqid[place] = seqid;
	t->type[place] = (uint8_t)type;
	return (before != KCP_FEC_NOT && before != type) || (after != KCP_FEC_NOT && after != type);
}

bool kcp_fec_tune_agrees(const struct kcp_fec_tune *t, uint32_t seqid,
			 const struct kcp_fec_shape *shape)
{
	uint32_t n = shape->n_data + shape->n_parity;
	uint32_t end = kcp_fec_end(n), place = seqid % n;
	uint32_t seen = 0, wrong = 0;

	for (uint32_t i = 0; i < KCP_FEC_SAMPLES; i++) {
		uint32_t s = seqid - i;
		uint32_t fits = place < shape->n_data ? KCP_FEC_DATA : KCP_FEC_PARITY;
		uint32_t type = type_of(t, s);
		if (type != KCP_FEC_NOT) {
			seen++;
			wrong += type != fits || s >= end;
		}
		/* in front of 0 there is the last group of all, and seqids that nobody uses */
		if (s == 0)
			place = UINT32_MAX % n;
		else
			place = place == 0 ? n - 1 : place - 1;
	}
	return seen >= SAMPLES_MIN && wrong <= seen / TOLERANCE;
}

/* A beginning of a group, the beginning of parity above it, the beginning of the next group. */
static bool propose(uint32_t begin, uint32_t turn, uint32_t next, struct kcp_fec_shape *ret)
{
	uint32_t n = next - begin;
	ret->n_data = turn - begin;
	ret->n_parity = next - turn;
	return n <= KCP_RS_SHARDS_MAX && begin % n == 0;
}

bool kcp_fec_tune_find(const struct kcp_fec_tune *t, uint32_t seqid, struct kcp_fec_shape *ret)
{
	uint32_t next = 0, turn = 0, candidates = 0;
	bool has_next = false, has_turn = false;

	for (uint32_t i = 0; i < KCP_FEC_SAMPLES && candidates < CANDIDATES_MAX; i++) {
		uint32_t s = seqid - i;
		uint32_t type = type_of(t, s), before = type_of(t, s - 1);
		/* the first seqid of all begins a group, whatever is in front of it */
		if (s == 0 && type == KCP_FEC_DATA)
			before = KCP_FEC_PARITY;
		if (type == KCP_FEC_NOT || before == KCP_FEC_NOT || type == before)
			continue;
		if (type == KCP_FEC_PARITY) {
			turn = s;
			has_turn = has_next;
			continue;
		}
		if (has_turn && propose(s, turn, next, ret)) {
			candidates++;
			if (kcp_fec_tune_agrees(t, seqid, ret))
				return true;
		}
		next = s;
		has_next = true;
		has_turn = false;
	}
	return false;
}
