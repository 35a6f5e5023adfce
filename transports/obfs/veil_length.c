/* SPDX-License-Identifier: BSD-2-Clause */
#include "veil_length.h"

#include <sodium.h>

/* How wide a step of each kind may be. A handshake's few sizes are spread over hundreds of bytes; data
 * that comes in numbers gets less. */
static const struct {
	uint8_t least, most;
} widths[VEIL_N_KINDS] = {
	[VEIL_HANDSHAKE] = {16, 32}, /* 0..255 to 0..511 bytes */
	[VEIL_SMALL] = {4, 10},      /* 0..63 to 0..159 */
	[VEIL_TAIL] = {2, 8},        /* 0..31 to 0..127 */
};

/* No step is six times as likely as another, so that no length stands out. */
#define WEIGHT_LEAST 64u

void veil_length_init(struct veil_lengths *l, const uint8_t seed[OBFS_KEY_LEN])
{
	static const uint8_t zeroes[crypto_stream_chacha20_ietf_NONCEBYTES];
	uint8_t drawn[VEIL_N_KINDS][1 + VEIL_LENGTH_STEPS];
	_Static_assert(crypto_stream_chacha20_ietf_KEYBYTES == OBFS_KEY_LEN, "the seed");
	crypto_stream_chacha20_ietf(&drawn[0][0], sizeof(drawn), zeroes, seed);
	for (uint32_t k = 0; k < VEIL_N_KINDS; k++) {
		uint32_t weights[VEIL_LENGTH_STEPS], sum = 0, so_far = 0;
		uint32_t choices = widths[k].most - widths[k].least + 1u;
		for (uint32_t i = 0; i < VEIL_LENGTH_STEPS; i++) {
			uint32_t d = drawn[k][1 + i];
			weights[i] = WEIGHT_LEAST + d * d / 256;
			sum += weights[i];
		}
		l->of[k].width = widths[k].least + drawn[k][0] % choices;
		for (uint32_t i = 0; i < VEIL_LENGTH_STEPS; i++) {
			so_far += weights[i];
			l->of[k].until[i] = (uint16_t)(so_far * 65536u / sum - 1);
		}
	}
	sodium_memzero(drawn, sizeof(drawn));
}

uint32_t veil_length_draw(const struct veil_lengths *l, enum veil_kind kind, uint32_t random,
			  uint32_t limit)
{
	uint32_t chance = random & 0xffff, width = l->of[kind].width, step = 0;
	while (chance > l->of[kind].until[step])
		step++;
	uint32_t drawn = step * width + ((random >> 16) * width >> 16);
	/* not the limit itself: that would become the length of many */
	return drawn <= limit ? drawn : drawn % (limit + 1);
}
