/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * awg_frame: WireGuard's messages as AmneziaWG puts them on the wire, one at a time. Facts: device/send.go
 * and device/receive.go of amneziawg-go 0.2.19 and 3.1.
 *
 *	S random bytes | the message, its first word out of a range H | trailer (3.1, handshakes only)
 *
 * Each of the four messages has its own S and H. With header protection (3.0) the first 12 bytes of S are
 * the nonce of a ChaCha20 keystream (RFC 8439, counter 0) that lies over the whole of a handshake message,
 * and over the 16 bytes in front of the ciphertext of data.
 */
#ifndef OBFS_AWG_FRAME_H
#define OBFS_AWG_FRAME_H

#include <stdbool.h>
#include <vpncore/plugin.h>

#include "random.h"

enum awg_kind {
	AWG_INITIATION,
	AWG_RESPONSE,
	AWG_COOKIE,
	AWG_DATA,
	AWG_KINDS,
	AWG_NONE = AWG_KINDS
};

#define AWG_NONCE_LEN 12u
#define AWG_KEY_LEN   32u

struct awg_range {
	uint32_t first, last;
};

/* The same on all lanes and never changed. */
struct awg_frame {
	struct awg_range h[AWG_KINDS]; /* no two overlap */
	uint32_t s[AWG_KINDS];
	bool protect; /* every s is AWG_NONCE_LEN at least */
	bool trailers;
	uint8_t key[AWG_KEY_LEN];
};

/* Bytes of a message; of data the least: header and tag. */
extern const uint32_t awg_frame_size[AWG_KINDS];

/* What a message from above is, by its word and length. AWG_NONE: no message that was agreed on. [any] */
enum awg_kind awg_frame_kind(const struct awg_frame *f, const struct vpn_packet *p);

/*
 * Makes a message ready for the wire, in place: takes s[kind] bytes of headroom, and `trailer` bytes of
 * tailroom, which is 0 for data. Draws data's word; those of handshakes are covered by MACs and come
 * from above. [lane]
 */
void awg_frame_seal(const struct awg_frame *f, struct obfs_random *r, struct vpn_packet *p,
		    enum awg_kind kind, uint32_t trailer);

/* The reverse: leaves the message alone in the packet, its word as it was on the wire. AWG_NONE: it is no
 * message, and has not been changed. [lane] */
enum awg_kind awg_frame_open(const struct awg_frame *f, struct vpn_packet *p);

#endif
