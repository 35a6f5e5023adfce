/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * veil_mask: WireGuard messages of data, without a byte added. Their header is masked with a hash of what
 * follows it, which is random: the sample of QUIC's header protection (RFC 9001 section 5.4). The three
 * bytes that WireGuard leaves zero say how many random bytes follow the message.
 *
 *	0      1         3      4          8           16                     len     len + tail
 *	+------+---------+------+----------+-----------+----------------------+-------+
 *	|  4   |  tail   |  0   | receiver |  counter  | ciphertext and tag   | tail  |
 *	+------+---------+------+----------+-----------+----------------------+-------+
 *	\________ xor SipHash-2-4-128(key, sample) ___/ \___ sample: 16 ___..
 */
#ifndef OBFS_VEIL_MASK_H
#define OBFS_VEIL_MASK_H

#include <stdbool.h>
#include <stdint.h>

#include "veil_key.h"
#include "veil_length.h"

#define VEIL_MASK_HEADER 16u
/* A message with one block of data; what a receiver takes. WireGuard pads data to blocks of 16. */
#define VEIL_MASK_SHORTEST 48u

/* Masks the header of a WireGuard message of data, of VEIL_MASK_SHORTEST bytes or more. [any] */
void veil_mask_put(const uint8_t key[VEIL_MASK_KEY], uint8_t *message, uint32_t tail);

/* Whether a datagram is such a message; then *ret_len is its length without the tail, and its header is
 * what it was. Otherwise nothing has changed. One of 2^23 datagrams that are something else passes: it
 * is for the stage above to know better. [any] */
bool veil_mask_take(const uint8_t key[VEIL_MASK_KEY], uint8_t *data, uint32_t len,
		    uint32_t *ret_len);

#endif
