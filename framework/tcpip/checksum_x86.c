/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * checksum_x86: sums by AVX2. Each 64-bit lane gathers the 32-bit halves of the words without
 * carries; a lane overflows only after 2^32 additions. The rest of less than 32 bytes is read (and
 * copied) by one load that ends at the last byte, with the bytes that are summed already masked
 * out.
 */
#include <immintrin.h>

#include "checksum.h"

#define AVX2 __attribute__((target("avx2")))

/* mask + n reads 32 - n zero bytes, then n bytes of ones. */
static const uint8_t tail_mask[64] __attribute__((aligned(64))) = {
	[32] = 0xff, [33] = 0xff, [34] = 0xff, [35] = 0xff, [36] = 0xff, [37] = 0xff, [38] = 0xff,
	[39] = 0xff, [40] = 0xff, [41] = 0xff, [42] = 0xff, [43] = 0xff, [44] = 0xff, [45] = 0xff,
	[46] = 0xff, [47] = 0xff, [48] = 0xff, [49] = 0xff, [50] = 0xff, [51] = 0xff, [52] = 0xff,
	[53] = 0xff, [54] = 0xff, [55] = 0xff, [56] = 0xff, [57] = 0xff, [58] = 0xff, [59] = 0xff,
	[60] = 0xff, [61] = 0xff, [62] = 0xff, [63] = 0xff,
};

AVX2 static inline __m256i load(const uint8_t *p)
{
	return _mm256_loadu_si256((const __m256i_u *)p);
}

AVX2 static inline void store(uint8_t *p, __m256i v)
{
	_mm256_storeu_si256((__m256i_u *)p, v);
}

AVX2 static inline __m256i halves(__m256i v)
{
	const __m256i low = _mm256_set1_epi64x(0xffffffff);

	return _mm256_add_epi64(_mm256_and_si256(v, low), _mm256_srli_epi64(v, 32));
}

AVX2 static inline uint64_t across(__m256i v)
{
	__m128i s = _mm_add_epi64(_mm256_castsi256_si128(v), _mm256_extracti128_si256(v, 1));

	return (uint64_t)_mm_cvtsi128_si64(s) + (uint64_t)_mm_extract_epi64(s, 1);
}

/* `len` >= 32. An odd last byte is added apart, so that the masked load keeps even distances. */
AVX2 static uint64_t partial_avx2(const uint8_t *data, size_t len, uint64_t acc)
{
	__m256i a = _mm256_setzero_si256(), b = a;
	size_t even = len & ~(size_t)1, i = 0;

	for (; i + 128 <= even; i += 128) {
		a = _mm256_add_epi64(a, halves(load(data + i)));
		b = _mm256_add_epi64(b, halves(load(data + i + 32)));
		a = _mm256_add_epi64(a, halves(load(data + i + 64)));
		b = _mm256_add_epi64(b, halves(load(data + i + 96)));
	}
	for (; i + 32 <= even; i += 32)
		a = _mm256_add_epi64(a, halves(load(data + i)));
	if (i < even) {
		__m256i mask = load(tail_mask + (even - i));

		b = _mm256_add_epi64(b, halves(_mm256_and_si256(load(data + even - 32), mask)));
	}
	if (len & 1)
		acc = tcpip_csum_add(acc, checksum_word((uint16_t)(data[even] << 8)));
	return tcpip_csum_add(acc, across(_mm256_add_epi64(a, b)));
}

AVX2 static inline __m256i copy32(uint8_t *dst, const uint8_t *src)
{
	__m256i v = load(src);

	store(dst, v);
	return v;
}

AVX2 static uint64_t copy_avx2(uint8_t *dst, const uint8_t *src, size_t len, uint64_t acc)
{
	__m256i a = _mm256_setzero_si256(), b = a;
	size_t even = len & ~(size_t)1, i = 0;

	for (; i + 128 <= even; i += 128) {
		a = _mm256_add_epi64(a, halves(copy32(dst + i, src + i)));
		b = _mm256_add_epi64(b, halves(copy32(dst + i + 32, src + i + 32)));
		a = _mm256_add_epi64(a, halves(copy32(dst + i + 64, src + i + 64)));
		b = _mm256_add_epi64(b, halves(copy32(dst + i + 96, src + i + 96)));
	}
	for (; i + 32 <= even; i += 32)
		a = _mm256_add_epi64(a, halves(copy32(dst + i, src + i)));
	if (i < even) {
		__m256i mask = load(tail_mask + (even - i));
		__m256i v = copy32(dst + even - 32, src + even - 32);

		b = _mm256_add_epi64(b, halves(_mm256_and_si256(v, mask)));
	}
	if (len & 1) {
		dst[even] = src[even];
		acc = tcpip_csum_add(acc, checksum_word((uint16_t)(src[even] << 8)));
	}
	return tcpip_csum_add(acc, across(_mm256_add_epi64(a, b)));
}

static const struct checksum_engine avx2 = {
	.name = "avx2",
	.partial = partial_avx2,
	.copy = copy_avx2,
};

const struct checksum_engine *checksum_best(void)
{
	return __builtin_cpu_supports("avx2") ? &avx2 : &checksum_portable;
}
