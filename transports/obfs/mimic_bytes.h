/* SPDX-License-Identifier: BSD-2-Clause */
/* mimic_bytes: numbers in network order, of any width. */
#ifndef MIMIC_BYTES_H
#define MIMIC_BYTES_H

#include <stdint.h>

static inline void be_store(uint8_t *at, uint64_t value, uint32_t bytes)
{
	for (uint32_t i = 0; i < bytes; i++)
		at[i] = (uint8_t)(value >> 8 * (bytes - 1 - i));
}

static inline uint64_t be_load(const uint8_t *at, uint32_t bytes)
{
	uint64_t value = 0;
	for (uint32_t i = 0; i < bytes; i++)
		value = value << 8 | at[i];
	return value;
}

#endif
