/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * segment: the 24 bytes in front of each piece of data of the KCP protocol (skywind3000/kcp,
 * protocol.txt). All numbers are little-endian; a datagram holds one or more segments.
 *
 *   0 conv u32 | 4 cmd u8 | 5 frg u8 | 6 wnd u16 | 8 ts u32 | 12 sn u32 | 16 una u32 | 20 len u32
 */
#ifndef KCP_SEGMENT_H
#define KCP_SEGMENT_H

#include <stdbool.h>
#include <stdint.h>

#define KCP_SEGMENT_BYTES 24u

#define KCP_CMD_PUSH 81u /* data */
#define KCP_CMD_ACK  82u /* sn was received; ts is that of the data */
#define KCP_CMD_WASK 83u /* what is your window? */
#define KCP_CMD_WINS 84u /* my window is wnd */

struct kcp_segment {
	uint32_t conv;
	uint8_t cmd;
	uint8_t frg;  /* fragments of the message that follow this one */
	uint16_t wnd; /* free places in the sender's receive window, segments */
	uint32_t ts;  /* sender's clock, ms; in an ACK the one of the data it answers */
	uint32_t sn;
	uint32_t una; /* all before this have been received */
	uint32_t len; /* bytes of data behind the header */
};

enum kcp_segment_fault {
	KCP_SEGMENT_OK,
	KCP_SEGMENT_SHORT,  /* fewer than 24 bytes are left */
	KCP_SEGMENT_LENGTH, /* its data does not fit into the datagram */
	KCP_SEGMENT_COMMAND /* none of the four */
};

/* Reads the segment at `in`, of which `left` bytes are the datagram's. *out is filled, except when
 * the datagram is too short. [any] */
enum kcp_segment_fault kcp_segment_read(const uint8_t *in, uint32_t left, struct kcp_segment *out);

/* Writes 24 bytes. [any] */
void kcp_segment_write(uint8_t out[KCP_SEGMENT_BYTES], const struct kcp_segment *s);

/* How far sn `a` is behind `b`, modulo 2^32: positive when a comes later. */
static inline int32_t kcp_segment_distance(uint32_t a, uint32_t b)
{
	return (int32_t)(a - b);
}

#endif
