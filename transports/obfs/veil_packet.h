/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * veil_packet: what veil puts on the wire, for mode veil and for modes that put something around it.
 * docs/protocols/veil.md is the format; both kinds of packets look random from the first byte to the last.
 *
 *	sealed   nonce: 24 random | XChaCha20-Poly1305( header: 24 | data | zeros ) | tag: 16
 *	masked   see veil_mask.h
 */
#ifndef OBFS_VEIL_PACKET_H
#define OBFS_VEIL_PACKET_H

#include <stdbool.h>
#include <vpncore/plugin.h>

#include "random.h"
#include "veil_key.h"
#include "veil_length.h"
#include "veil_replay.h"

#define VEIL_HEADROOM 48u /* nonce and header */
#define VEIL_TAG      16u
#define VEIL_OVERHEAD (VEIL_HEADROOM + VEIL_TAG) /* of a sealed packet, without padding */
#define VEIL_TAILROOM (VEIL_TAG + VEIL_LENGTH_MOST)

/* Under "headers", what is sealed and not masked is shorter than this. Sealed, it is never longer than a
 * packet that fills the path, on any path of 576 bytes or more. */
#define VEIL_MASK_FROM 256u

struct veil_setup {
	const uint8_t *root; /* OBFS_KEY_LEN bytes, copied */
	uint64_t window_ms;
	uint64_t now_ms;
	uint64_t first_sender; /* random; lanes have this and the numbers behind it */
	uint32_t n_lanes;
	uint32_t largest; /* padded packets are not longer than this, bytes */
	bool whole;       /* everything is sealed: what comes from above need not be WireGuard's */
	bool leads;       /* something goes out in front of WireGuard's initiations */
};

struct veil;

/* What one lane sends as. */
struct veil_lane {
	uint64_t sender;
	uint64_t number; /* of the next sealed packet */
};

/* NULL: out of memory. [main] */
struct veil *veil_new(const struct veil_setup *setup);

/* Wipes the keys. Accepts NULL, returns NULL. [main] */
struct veil *veil_free(struct veil *v);

void veil_lane_init(const struct veil *v, struct veil_lane *own, uint32_t index);

/*
 * As struct obfs_mode has them; now_ms is the wall clock. Packets for seal() have VEIL_HEADROOM bytes in front
 * of their data and VEIL_TAG at least behind; padding takes what more there is, up to VEIL_TAILROOM. Under
 * "headers" WireGuard's data of VEIL_MASK_FROM bytes or more do not grow when they have `largest`
 * bytes. seal() drops nothing; fates are OBFS_LEAD or left. [lane]
 */
void veil_seal(const struct veil *v, struct veil_lane *own, struct obfs_random *random,
	       uint64_t now_ms, struct vpn_packet **pkts, uint32_t n, uint8_t *fates);

/* Counters: OBFS_DROP_SHORT, _FOREIGN, _STALE, _REPLAY, _REFLECTED as fates. A packet without data is
 * junk: its fate is OBFS_CONSUMED, and the caller counts it. [lane] */
void veil_open(const struct veil *v, uint64_t now_ms, struct vpn_packet **pkts, uint32_t n,
	       uint8_t *fates);

/* Makes junk of `len` bytes (VEIL_OVERHEAD or more) of a packet that is empty. The other side cannot
 * take it for anything else; nobody between can tell it from a packet with something in it. [lane] */
void veil_junk(const struct veil *v, struct veil_lane *own, struct obfs_random *random,
	       uint64_t now_ms, struct vpn_packet *p, uint32_t len);

#endif
