/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * checksum_portable: one's complement sums by 64-bit words with end-around carry (RFC 1071 section
 * 2).
 */
#include "checksum.h"

/* The last 0..7 bytes as one word, zero-padded. */
static uint64_t tail_word(const uint8_t *p, size_t len)
{
	uint8_t word[8] = {0};

	for (size_t i = 0; i < len; i++)
		word[i] = p[i];
	return checksum_load64(word);
}

uint64_t checksum_partial_portable(const uint8_t *data, size_t len, uint64_t acc)
{
	uint64_t a = acc, b = 0;

	for (; len >= 32; data += 32, len -= 32) {
		a = tcpip_csum_add(a, checksum_load64(data));
		b = tcpip_csum_add(b, checksum_load64(data + 8));
		a = tcpip_csum_add(a, checksum_load64(data + 16));
		b = tcpip_csum_add(b, checksum_load64(data + 24));
	}
	for (; len >= 8; data += 8, len -= 8)
		a = tcpip_csum_add(a, checksum_load64(data));
	if (len)
		b = tcpip_csum_add(b, tail_word(data, len));
	return tcpip_csum_add(a, b);
}

uint64_t checksum_copy_portable(uint8_t *dst, const uint8_t *src, size_t len, uint64_t acc)
{
	uint64_t a = acc, b = 0, w[4];

	for (; len >= 32; src += 32, dst += 32, len -= 32) {
		memcpy(w, src, sizeof(w));
		memcpy(dst, w, sizeof(w));
		a = tcpip_csum_add(a, w[0]);
		b = tcpip_csum_add(b, w[1]);
		a = tcpip_csum_add(a, w[2]);
		b = tcpip_csum_add(b, w[3]);
	}
	for (; len >= 8; src += 8, dst += 8, len -= 8) {
		w[0] = checksum_load64(src);
		memcpy(dst, w, 8);
		a = tcpip_csum_add(a, w[0]);
	}
	if (len) {
		memcpy(dst, src, len);
		b = tcpip_csum_add(b, tail_word(src, len));
	}
	return tcpip_csum_add(a, b);
}

const struct checksum_engine checksum_portable = {
	.name = "portable",
	.partial = checksum_partial_portable,
	.copy = checksum_copy_portable,
};
