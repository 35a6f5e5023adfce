/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * frame: the byte formats of our own wire ("datagram", "deadline"). Everything is little-endian. One
 * frame is one datagram. docs/protocols/kcp.md has the same in words.
 *
 *   offset  0     u8   kind (high four bits) and flags (low four)
 *           4     u32  number of the session at the receiver: low half of the id it chose
 *
 *   DATA    1 u8 lane | 2 u16 back | 8 u32 pn | 12 u32 id | 16 payload to the end
 *   MULTI   1 u8 count | 2 u16 0 | 8 u32 pn | 12 u32 first id | 16 count * (shard head | payload)
 *   PARITY  1 u8 n | 2 u8 row | 3 u8 0 | 8 u32 pn | 12 u32 base id | 16 parity of the n shards
 *   PING    1..3 0 | 8 u32 pn | 12 u32 floor
 *   ACK     1 u8 0 | 2 u16 delay, 16 us | 8 u32 largest pn | 12 u32 floor | 16 runs (ranges.h)
 *   CLOSE   1 u8 reason | 2 u16 0 | 8 u64 receiver's id | 16 u64 sender's id
 *   RESET   1..3 0 | 4 u32 0 | 8 u32 the number that is not known | 12 u32 pn of that datagram
 *   HELLO, COOKIE, WELCOME
 *           1 u8 version | 2 u8 mode | 3 u8 0 | 8 u64 sender's id | 16 u64 receiver's id | 24 u32 first
 *           pn | 28 u32 window | 32 u32 budget, us | 36 u32 largest message | 40 u64 0 | 48 cookie[16]
 *
 *           first pn: of the sender, in WELCOME; 0 in the others. It follows from both ids (the high half of
 *           the sender's xor the low half of the receiver's), and is there for who reads a capture.
 *
 *   shard   0 u16 length | 2 u16 back | 4 u8 lane | 5 u8 0 | 6 payload
 */
#ifndef KCP_FRAME_H
#define KCP_FRAME_H

#include <stdbool.h>
#include <stdint.h>

#include "le.h"

#define KCP_FRAME_DATA    0x10u
#define KCP_FRAME_MULTI   0x20u
#define KCP_FRAME_PARITY  0x30u
#define KCP_FRAME_ACK     0x40u
#define KCP_FRAME_PING    0x50u
#define KCP_FRAME_HELLO   0x80u
#define KCP_FRAME_COOKIE  0x90u
#define KCP_FRAME_WELCOME 0xa0u
#define KCP_FRAME_RESET   0xb0u
#define KCP_FRAME_CLOSE   0xc0u

/* Flag of DATA and MULTI: parity may follow that covers these, so keep a copy. */
#define KCP_FRAME_COVERED 0x01u

#define KCP_FRAME_HEAD_LEN   16u /* of DATA, MULTI, PARITY, PING, ACK; length of RESET */
#define KCP_FRAME_CLOSE_LEN  24u
#define KCP_FRAME_HELLO_LEN  64u
#define KCP_FRAME_SHARD_LEN  6u
#define KCP_FRAME_COOKIE_LEN 16u
#define KCP_FRAME_VERSION    1u
#define KCP_FRAME_BACK_MAX   65535u
#define KCP_FRAME_DELAY_UNIT 16u /* us */

/* HELLO and WELCOME: what the sender will do with what it sends. */
#define KCP_FRAME_MODE_DATAGRAM 1u
#define KCP_FRAME_MODE_DEADLINE 2u

/* Reasons of CLOSE. */
#define KCP_FRAME_CLOSE_STOPPED 0u
#define KCP_FRAME_CLOSE_IDLE    1u

/* The head of DATA, MULTI, PARITY, PING and ACK; fields have the meaning that their kind gives. */
struct kcp_frame {
	uint8_t kind; /* KCP_FRAME_*, without flags */
	uint8_t flags;
	uint8_t small; /* at 1: lane, count, n */
	uint16_t word; /* at 2: back, row, delay */
	uint32_t number;
	uint32_t pn;
	uint32_t id;
};

struct kcp_frame_hello {
	uint8_t kind;
	uint8_t version;
	uint8_t mode;
	uint32_t number;
	uint64_t sender, receiver;
	uint32_t first_pn, window, budget_us, message;
	uint8_t cookie[KCP_FRAME_COOKIE_LEN];
};

struct kcp_frame_shard {
	uint16_t len;
	uint16_t back;
	uint8_t lane;
};

/* The number whose low 32 bits are `low` and which is nearest to `near`. */
static inline uint64_t kcp_frame_expand(uint64_t near, uint32_t low)
{
	return near + (uint64_t)(int64_t)(int32_t)(low - (uint32_t)near);
}

/* The kind of a datagram, and *ret_number; 0 when it is none: too short, an unknown kind. What is fixed
 * in length has that length, reserved fields are checked by the functions below. [any] */
uint8_t kcp_frame_peek(const uint8_t *data, uint32_t len, uint32_t *ret_number);

/* Reads a head of 16 bytes; the caller has peeked. [any] */
void kcp_frame_parse(const uint8_t *data, struct kcp_frame *out);
void kcp_frame_write(uint8_t *data, const struct kcp_frame *f);

/* HELLO, COOKIE, WELCOME: KCP_FRAME_HELLO_LEN bytes. False: another version, or reserved bits. */
bool kcp_frame_parse_hello(const uint8_t *data, struct kcp_frame_hello *out);
void kcp_frame_write_hello(uint8_t *data, const struct kcp_frame_hello *h);

/* Reads the shard head at data[0..len) and checks that its payload is there, not empty. */
bool kcp_frame_parse_shard(const uint8_t *data, uint32_t len, struct kcp_frame_shard *out);
void kcp_frame_write_shard(uint8_t *data, const struct kcp_frame_shard *s);

#endif
