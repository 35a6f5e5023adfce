/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * fec_encode: the sender of kcp-go's FEC. Parity grows as each data packet goes out, so no data packet
 * is kept. As in kcp-go since 5.6.22, a group whose last two data packets are half a second or more
 * apart gets no parity (it would come too late); its seqids are left out.
 */
#ifndef KCP_FEC_ENCODE_H
#define KCP_FEC_ENCODE_H

#include "fec.h"

#define KCP_FEC_GAP_US 500000u /* kcp-go: maxFECEncodeLatency */

struct kcp_fec_encoder;

/* n_data, n_parity >= 1, together <= 256; payload_max: the longest payload, 1..65533 bytes. NULL without
 * memory (n_parity packets and 32 * n_data * n_parity bytes) or when the numbers are not so.
 * [main, lane: a session's setup] */
struct kcp_fec_encoder *kcp_fec_encoder_create(uint32_t n_data, uint32_t n_parity,
					       uint32_t payload_max);
/* Accepts NULL. */
void kcp_fec_encoder_destroy(struct kcp_fec_encoder *e);

/*
 * Makes a data packet of `len` bytes at `payload` (1..payload_max): writes the header into the
 * KCP_FEC_HEADER bytes in front of it, and counts the packet in. Returns how many parity packets are to
 * be sent behind it: 0, or n_parity at a group's end. They are to be fetched before the next call. [lane]
 */
uint32_t kcp_fec_encode(struct kcp_fec_encoder *e, uint8_t *payload, uint32_t len, uint64_t now_us);

/* Length of each of those parity packets, with its header of 8 bytes. Not above
 * KCP_FEC_HEADER + payload_max. */
uint32_t kcp_fec_parity_len(const struct kcp_fec_encoder *e);

/* Copies parity packet i (header and all, kcp_fec_parity_len() bytes) to `packet`. [lane] */
void kcp_fec_parity(const struct kcp_fec_encoder *e, uint32_t i, uint8_t *packet);

#endif
