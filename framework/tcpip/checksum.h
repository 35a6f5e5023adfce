/* SPDX-License-Identifier: BSD-2-Clause */
/* checksum: the engines behind tcpip_csum_partial() and tcpip_csum_copy(), and helpers for sums. */
#ifndef VPNCORE_TCPIP_CHECKSUM_H
#define VPNCORE_TCPIP_CHECKSUM_H

#include <string.h>
#include <vpncore/tcpip.h>

/* Below this many bytes the portable code is used at once: a vector loop would not pay. */
#define CHECKSUM_SMALL 64u

struct checksum_engine {
	const char *name;
	uint64_t (*partial)(const uint8_t *data, size_t len, uint64_t acc);
	uint64_t (*copy)(uint8_t *dst, const uint8_t *src, size_t len, uint64_t acc);
};

uint64_t checksum_partial_portable(const uint8_t *data, size_t len, uint64_t acc);
uint64_t checksum_copy_portable(uint8_t *dst, const uint8_t *src, size_t len, uint64_t acc);

extern const struct checksum_engine checksum_portable;

/* The fastest engine that this processor runs: one file per architecture. */
const struct checksum_engine *checksum_best(void);

/* A 16-bit number as the word that it is in memory. */
static inline uint16_t checksum_word(uint16_t value)
{
	uint16_t word;
	uint8_t bytes[2];

	tcpip_store_be16(bytes, value);
	memcpy(&word, bytes, sizeof(word));
	return word;
}

static inline uint32_t checksum_word32(uint32_t value)
{
	uint32_t word;
	uint8_t bytes[4];

	tcpip_store_be32(bytes, value);
	memcpy(&word, bytes, sizeof(word));
	return word;
}

static inline uint64_t checksum_load64(const uint8_t *p)
{
	uint64_t v;

	memcpy(&v, p, sizeof(v));
	return v;
}

static inline uint32_t checksum_load32(const uint8_t *p)
{
	uint32_t v;

	memcpy(&v, p, sizeof(v));
	return v;
}

static inline uint16_t checksum_load16(const uint8_t *p)
{
	uint16_t v;

	memcpy(&v, p, sizeof(v));
	return v;
}

/* Folds to 16 bits, still in memory order. */
static inline uint16_t checksum_fold_word(uint64_t acc)
{
	acc = (acc & 0xffffffffu) + (acc >> 32);
	acc = (acc & 0xffffffffu) + (acc >> 32);
	acc = (acc & 0xffffu) + (acc >> 16);
	acc = (acc & 0xffffu) + (acc >> 16);
	return (uint16_t)acc;
}

static inline uint16_t checksum_fold(uint64_t acc)
{
	return checksum_word(checksum_fold_word(acc));
}

static inline uint16_t checksum_final(uint64_t acc)
{
	return (uint16_t)~checksum_fold(acc);
}

/* Sum of the addresses of an IP header; never overflows, as its terms have 32 bits. */
static inline uint64_t checksum_addresses4(const uint8_t *src, const uint8_t *dst)
{
	return (uint64_t)checksum_load32(src) + checksum_load32(dst);
}

static inline uint64_t checksum_addresses6(const uint8_t *src, const uint8_t *dst)
{
	uint64_t acc = 0;

	for (unsigned int i = 0; i < 16; i += 4)
		acc += (uint64_t)checksum_load32(src + i) + checksum_load32(dst + i);
	return acc;
}

/* Sum of a header whose length is a multiple of 4 and small. */
static inline uint64_t checksum_header(const uint8_t *h, size_t len)
{
	uint64_t acc = 0;

	for (size_t i = 0; i < len; i += 4)
		acc += checksum_load32(h + i);
	return acc;
}

#endif
