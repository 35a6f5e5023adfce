/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * replay: the ring of RFC 6479, without a lock.
 *
 * Counter c belongs to block c / 32; block b has word b % WORDS of the ring, and its turn, b / WORDS,
 * stands in the upper half of the word beside the 32 bits. A word whose turn is not the block's is
 * left over from an older block: its bits say nothing, and who comes first writes over it. In this
 * proof "newer" is of greater number.
 *
 * (1) A word only ever moves to a newer block. Who moves a word to block b has raised `greatest` to
 *     at least a counter of b before that, and the write releases. So who reads the word (acquire)
 *     and then `greatest` finds there at least the first counter of the block that the word is in:
 *     each write to a word is a compare-and-swap, so that later ones go on with the release sequence
 *     of those before (C11 section 5.1.2.4). Two blocks of one word are 256 blocks apart or more,
 *     and the first counter of the newer then at least 256 * 32 - 31 = 8161 above each counter of
 *     the older. That is more than the window of 8128: a lane with a counter of the older block is
 *     refused by `greatest` and does not write. If the word changes between its reading and its
 *     writing, the compare-and-swap fails, and both are read anew.
 *
 * (2) No counter is accepted twice. To accept c is to set its bit with a compare-and-swap from a word
 *     without it. While the word stays in its block no bit is taken away, and the bit refuses c; once
 *     the word has moved on it does not come back, by (1), and `greatest` refuses c.
 *
 * (3) Of several lanes that bring c and find it within the window one is told that it is new: the
 *     swap of one is the first, and that of each other fails and then finds the bit. A lane that has
 *     raised `greatest` but not yet swapped refuses nothing but what is too far behind a counter that
 *     has really come.
 *
 * A turn has 32 bits of its 51: two blocks with the same turn are 2^45 counters apart. If a peer left
 * out exactly so many, bits of the old block could refuse counters of the new one. A session of 180 s
 * does not come near that, and it errs on the safe side: bits are too many, never too few, and (1) does
 * not rest on turns.
 */
#include "replay.h"

#define BITS 32u
_Static_assert((WG_REPLAY_WORDS & (WG_REPLAY_WORDS - 1)) == 0,
	       "turns follow each other without a gap");
_Static_assert((WG_REPLAY_WORDS - 1) * BITS + 1 > WG_REPLAY_WINDOW, "(1) above");

void wg_replay_init(struct wg_replay *r)
{
	atomic_init(&r->greatest, 0);
	/* turn 0 without bits: so the first counters find the ring as it should be */
	for (uint32_t i = 0; i < WG_REPLAY_WORDS; i++)
		atomic_init(&r->words[i], 0);
}

/* Raises `greatest` to c if it is less. Relaxed: the swap of the word that follows releases it. */
static void raise_to(struct wg_replay *r, uint64_t greatest, uint64_t c)
{
	while (greatest < c)
		if (atomic_compare_exchange_weak_explicit(
			    &r->greatest, &greatest, c, memory_order_relaxed, memory_order_relaxed))
			return;
}

bool wg_replay_accept(struct wg_replay *r, uint64_t counter)
{
	if (counter >= WG_REJECT_AFTER_MESSAGES)
		return false;

	const uint64_t block = counter / BITS;
	const uint64_t turn = block / WG_REPLAY_WORDS << 32; /* its low 32 bits, in their place */
	const uint64_t bit = UINT64_C(1) << counter % BITS;
	_Atomic uint64_t *at = &r->words[block % WG_REPLAY_WORDS];
	uint64_t word = atomic_load_explicit(at, memory_order_acquire);
	uint64_t next;
	do {
		/* after the word, see (1) */
		uint64_t greatest = atomic_load_explicit(&r->greatest, memory_order_relaxed);
		if (greatest > counter && greatest - counter > WG_REPLAY_WINDOW)
			return false;
		bool ours = (word & ~UINT64_C(0xffffffff)) == turn;
		if (ours && (word & bit) != 0)
			return false;
		next = ours ? word | bit : turn | bit;
		raise_to(r, greatest, counter);
	} while (!atomic_compare_exchange_weak_explicit(at, &word, next, memory_order_acq_rel,
							memory_order_acquire));
	return true;
}
