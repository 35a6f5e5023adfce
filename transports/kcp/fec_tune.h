/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * fec_tune: works out how many data and parity packets a group of a sender of kcp-go's FEC has, from the
 * types of its last packets. kcp-go (autotune.go) sorts its last 258 packets and looks for a whole run of
 * each type, with nothing lost in front of it or in it. Here a shape is proposed by the beginnings of two
 * groups in a row and the beginning of the parity between them, and taken when what was received agrees,
 * up to a sixteenth: losses elsewhere and single forgeries do not matter.
 */
#ifndef KCP_FEC_TUNE_H
#define KCP_FEC_TUNE_H

#include <stdbool.h>
#include <stdint.h>

#define KCP_FEC_SAMPLES 1024u /* seqids that are looked back upon: four of the largest groups */

/* All zeroes to begin with. */
struct kcp_fec_tune {
	uint32_t seqid[KCP_FEC_SAMPLES];
	uint8_t type[KCP_FEC_SAMPLES]; /* low byte of enum kcp_fec_type, 0 for none */
};

struct kcp_fec_shape {
	uint32_t n_data;
	uint32_t n_parity;
};

/* Notes a packet. True when it is the last or first of its type's run: worth a look. [lane] */
bool kcp_fec_tune_note(struct kcp_fec_tune *t, uint32_t seqid, bool parity);

/* Whether the packets up to `seqid` agree with a shape. Some microseconds. [lane] */
bool kcp_fec_tune_agrees(const struct kcp_fec_tune *t, uint32_t seqid,
			 const struct kcp_fec_shape *shape);

/* Finds the shape of the packets up to `seqid`. Some microseconds. [lane] */
bool kcp_fec_tune_find(const struct kcp_fec_tune *t, uint32_t seqid, struct kcp_fec_shape *ret);

#endif
