/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * reader: messages out of segments that are in order. Message mode: the fragments of a message up to the
 * one with frg 0. Stream mode: a stream of bytes in which each message stands behind its length, 16 bits,
 * little-endian. What is larger than a message may be is dropped as it comes, so that no peer can make
 * us wait for its end with all the rest behind it.
 */
#ifndef KCP_READER_H
#define KCP_READER_H

#include "engine.h"

#define KCP_STREAM_PREFIX 2u

struct kcp_reader {
	const struct kcp_outlet *outlet;
	uint8_t *buf;  /* the beginning of a message */
	uint32_t most; /* bytes of a message */
	uint32_t len;  /* bytes in buf */
	uint32_t want; /* stream: bytes of this message, 0 = the length is not complete */
	uint32_t skip; /* stream: bytes to drop */
	bool stream;
	bool inside; /* message: a fragment with others behind it has come */
	bool spoilt; /* message: drop up to the fragment with frg 0 */
	uint8_t next_frg;
	uint8_t prefix[KCP_STREAM_PREFIX];
	uint32_t n_prefix;
};

/* False: no memory. */
bool kcp_reader_init(struct kcp_reader *r, const struct kcp_outlet *outlet, bool stream,
		     uint32_t most);
void kcp_reader_clear(struct kcp_reader *r);

/* True when a segment with this frg is a message by itself: the caller may deliver it directly. */
static inline bool kcp_reader_is_whole(const struct kcp_reader *r, uint8_t frg, uint32_t len)
{
	return !r->stream && !r->inside && frg == 0 && len != 0 && len <= r->most;
}

/* Reads a segment, whose first `from` bytes were read before. Returns how many bytes are read now, all of
 * them in most cases; fewer when the device takes no more or there is no packet. A segment of message
 * mode is read whole or not at all. *ret_done: the whole segment is read. */
uint32_t kcp_reader_take(struct kcp_reader *r, uint8_t frg, const uint8_t *data, uint32_t len,
			 uint32_t from, bool *ret_done);

#endif
