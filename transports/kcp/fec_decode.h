/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * fec_decode: the receiver of kcp-go's FEC. It keeps copies of packets of the newest four groups (kcp-go
 * keeps those not more than three groups old) in memory of its own, until a group is whole or as many of
 * its packets have come as it has data packets, and then brings back what is missing.
 *
 * The group's shape (data/parity) is the sender's affair. It begins as configured, or unknown, and when
 * packets do not fit it, it is worked out from the types seen in the last 1024 seqids.
 *
 * Nothing here is authenticated when crypt is "null" or "none". Forged packets can spoil groups, no more:
 * memory is bounded, and a lone far jump of seqid moves nothing (several in a row do: a peer restarted).
 */
#ifndef KCP_FEC_DECODE_H
#define KCP_FEC_DECODE_H

#include "fec.h"

#define KCP_FEC_GROUPS 4u

/* In packets or groups, since creation. */
struct kcp_fec_counters {
	uint64_t data;           /* data packets */
	uint64_t parity;         /* parity packets */
	uint64_t oob;            /* out-of-band packets */
	uint64_t recovered;      /* data packets brought back */
	uint64_t malformed;      /* too long, empty, or of a wrong size: dropped */
	uint64_t misplaced;      /* the type does not fit the shape: not used for recovery */
	uint64_t outside;        /* seqid too old, or a far jump: not used for recovery */
	uint64_t duplicate;      /* was there already: not used for recovery */
	uint64_t bad_groups;     /* recovery gave nonsense, or lengths that cannot be */
	uint64_t lost_groups;    /* left behind with data packets missing */
	uint64_t evicted_groups; /* given up for want of memory */
	uint64_t tuned;          /* times that another shape was found */
};

struct kcp_fec_decoder;

/*
 * n_data and n_parity: the shape to begin with, both 0 for unknown. payload_max: the longest payload that
 * a peer may send, 1..KCP_FEC_PAYLOAD_MAX. n_slots: copies of packets to have memory for, each of
 * payload_max + 2 bytes, 0..KCP_FEC_SLOTS_MAX. A group takes as many as it has data packets while it is
 * not whole, and some more to bring back lost ones; groups with n_slots data packets or more are not kept.
 * Untouched slots cost address space only, where the system gives memory lazily. NULL without memory or
 * when the numbers are not so. [main, lane: a session's setup]
 */
/* Enough for four groups of kcptun's 10/3 whatever is lost, and for one of up to 127 data packets. */
#define KCP_FEC_SLOTS     128u
#define KCP_FEC_SLOTS_MAX 4096u
struct kcp_fec_decoder *kcp_fec_decoder_create(uint32_t n_data, uint32_t n_parity,
					       uint32_t payload_max, uint32_t n_slots);
/* Accepts NULL. */
void kcp_fec_decoder_destroy(struct kcp_fec_decoder *d);

/* What a packet brought. */
struct kcp_fec_input {
	enum kcp_fec_type type;
	const uint8_t *payload; /* inside of the packet: a KCP datagram, of OOB conv and payload */
	uint32_t len;           /* no payload with parity: NULL, 0 */
	uint32_t n_recovered;   /* to fetch by kcp_fec_recovered() before the next call */
};

/*
 * Takes a packet from its FEC header on (kcp_fec_type() is not KCP_FEC_NOT). Data and OOB are always
 * handed back, also twice: KCP knows what it has, and here nobody can tell a forgery from the original.
 * A packet that was brought back is handed up as such once.
 * False when malformed: counted, to be dropped, *ret_in is zeroes. [lane]
 */
bool kcp_fec_decode(struct kcp_fec_decoder *d, const uint8_t *packet, uint32_t len,
		    struct kcp_fec_input *ret_in);

/* KCP datagram i of those brought back; *ret_len > 0. Valid until the next kcp_fec_decode(). */
const uint8_t *kcp_fec_recovered(const struct kcp_fec_decoder *d, uint32_t i, uint32_t *ret_len);

/* The shape in use; zeroes while it is unknown. */
void kcp_fec_decoder_shape(const struct kcp_fec_decoder *d, uint32_t *ret_data,
			   uint32_t *ret_parity);

const struct kcp_fec_counters *kcp_fec_decoder_counters(const struct kcp_fec_decoder *d);

#endif
