/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * fec: kcp-go's FEC header, in front of each KCP datagram when the sender has FEC (fec.go of
 * github.com/xtaci/kcp-go/v5). Little-endian:
 *
 *   0 u32 seqid | 4 u16 type | 6 u16 size | payload
 *
 * size is the payload's length plus 2: it counts itself. A data shard of Reed-Solomon is size and
 * payload; parity has no size of its own, its shard begins at byte 6. A group is n_data data packets and
 * then n_parity parity packets; seqid counts both, the place in the group is seqid % (data + parity).
 * seqids end below the largest multiple of (data + parity) that fits 32 bits.
 */
#ifndef KCP_FEC_H
#define KCP_FEC_H

#include <stdbool.h>
#include <stdint.h>

#define KCP_FEC_HEADER      8u     /* bytes in front of the payload */
#define KCP_FEC_PAYLOAD_MAX 65533u /* size has 16 bits */
#define KCP_FEC_SIZE_AT     6u     /* where a shard begins */

/* In a plain KCP datagram there is the command, 81 to 84, in the place of the type's low byte. */
enum kcp_fec_type {
	KCP_FEC_NOT = 0, /* a plain KCP datagram, or too short to say */
	KCP_FEC_DATA = 0xf1,
	KCP_FEC_PARITY = 0xf2,
	KCP_FEC_OOB = 0xf3 /* kcp-go 5.6.60 on: u32 conv and payload; seqid 0xffffffff, no FEC */
};

/* What a decrypted packet is. [any] */
enum kcp_fec_type kcp_fec_type(const uint8_t *packet, uint32_t len);

/* Writes the header's first 6 bytes (all of parity's) to `packet`, and for data and OOB the size of `len`
 * bytes of payload behind it. len <= KCP_FEC_PAYLOAD_MAX. [any] */
void kcp_fec_store(uint8_t *packet, uint32_t seqid, enum kcp_fec_type type, uint32_t len);

/* The end of seqids for groups of so many packets (1..256); they go on with 0. */
uint32_t kcp_fec_end(uint32_t n_group);

#endif
