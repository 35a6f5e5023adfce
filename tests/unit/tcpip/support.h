/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * support: packets built byte by byte, a naive checksum and a seeded generator, for the toolkit's
 * tests.
 */
#ifndef TCPIP_TEST_SUPPORT_H
#define TCPIP_TEST_SUPPORT_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <vpncore/tcpip.h>

#define N_OF(a) (sizeof(a) / sizeof((a)[0]))

/* What build() makes. Zero values give a plain IPv4 packet. */
struct spec {
	int family; /* 4 (also 0) or 6 */
	uint8_t protocol;
	uint32_t l2_len; /* 0 or 14 */
	uint32_t payload_len;
	uint32_t seq, ack;
	uint16_t flags, window;
	uint16_t sport, dport;
	uint8_t ttl, tos;
	uint16_t id;
	uint32_t flow_label;
	bool no_df, reserved_bit, no_checksum;
	uint8_t ip_options;  /* bytes, a multiple of 4 */
	uint8_t tcp_options; /* bytes, a multiple of 4 */
	uint8_t option_fill;
	uint32_t payload_seed; /* payload byte k is payload_byte(payload_seed + k) */
};

/*
 * Writes the packet with all checksums right and returns its length. `out` holds 65535 + 14 bytes.
 */
size_t build(uint8_t *out, const struct spec *spec);

uint8_t payload_byte(uint32_t k);

/* The one's complement checksum, byte by byte. */
uint16_t naive_checksum(const uint8_t *data, size_t len, uint32_t start);

/* Sets all checksums of a built packet anew, naively. */
void fix_checksums(uint8_t *packet, const struct spec *spec, size_t len);

/* Whether the checksums of an untagged IP packet are right, by the naive sum. */
bool checksums_right(const uint8_t *l3, size_t len);

struct rng {
	uint64_t state;
};

uint32_t rng_next(struct rng *rng);
uint32_t rng_below(struct rng *rng, uint32_t n);

/*
 * A heap copy of exactly `len` bytes, so that a sanitizer sees every access behind it. Caller
 * frees.
 */
uint8_t *exact_copy(const uint8_t *data, size_t len);

#endif
