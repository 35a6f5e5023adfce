/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * mimic_rtp: headers of RTP (RFC 3550 section 5.1) as a call with sound and picture has them, one port for
 * both (RFC 8843). SRTP (RFC 3711) leaves these headers in the clear, and what follows looks random.
 *
 *	 0                   1                   2                   3
 *	+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
 *	|V=2|P|X|  CC   |M|     PT      |       sequence number         |
 *	|                           timestamp                           |
 *	|                 synchronisation source (SSRC)                 |
 *	+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
 *
 * Small packets are sound while no more than one comes in 20 ms: 48 kHz, a mark after a silence (RFC 3551
 * section 4.1). All others are picture: 90 kHz, one timestamp for the packets of a frame, a mark on the
 * last one (RFC 6184 section 5.1). A frame ends with a batch, after 16 ms, or at once where little is sent.
 */
#ifndef MIMIC_RTP_H
#define MIMIC_RTP_H

#include <stdbool.h>
#include <stdint.h>

#include "random.h"

#define MIMIC_RTP_HEADER 12u

/* Dynamic payload types (RFC 3551 section 6) with the numbers that browsers give Opus and VP8. */
#define MIMIC_RTP_SOUND   111u
#define MIMIC_RTP_PICTURE 96u

/* One direction of a call. */
struct mimic_rtp {
	struct mimic_rtp_stream {
		uint32_t ssrc;
		uint32_t timestamp; /* of the last packet */
		uint16_t number;    /* of the next packet */
		bool begun;
		uint64_t at_ns; /* sound: the last packet; picture: the frame's first */
	} sound, picture;
	bool open;   /* the frame has no mark yet */
	bool sparse; /* it came so late that it will be alone */
};

/* Draws what a sender draws: sources, first numbers and first timestamps. */
void mimic_rtp_init(struct mimic_rtp *r, struct obfs_random *random);

/* Writes the header in front of `len` bytes that leave at now_ns; `last`: nothing follows in this batch. */
void mimic_rtp_put(struct mimic_rtp *r, uint8_t *at, uint32_t len, bool last, uint64_t now_ns);

/* Whether a datagram has such a header, and something behind it. */
bool mimic_rtp_is_data(const uint8_t *datagram, uint32_t len);

#endif
