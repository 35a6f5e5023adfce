/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * world: a pipeline of bench_scale with what stands around it: no kernel and no network, but components
 * that make packets and take them. All else is the product's: manifest, graph, lanes, links, pools, and
 * the wireguard transport as a plugin file.
 *
 * Ends: one end seals and the other opens, on the same lane. The other end hangs in the same pipeline;
 * what leaves the first one at `turn` 0 is handed to the turn below the other end, which pushes it up:
 *
 *	device --> wireguard A --> turn 0        turn 0 <-- wireguard B1 <-- turn 1
 *
 * in the manifest: device, A, turn 0, B1, turn 1, B2, turn 2, ... : A has a session with each B, and
 * lane i sends to B number i mod sessions. What B opens ends at the turn above it.
 *
 * Crowd: A has thousands of peers; `far` at the bottom plays them all, with keys of its own.
 *
 * Stages: device, null transports, far; nothing else.
 */
#ifndef BENCH_WORLD_H
#define BENCH_WORLD_H

#include <stdatomic.h>
#include <stdbool.h>
#include <vpncore/vpncore.h>

#define WORLDS         2u /* pipelines at one time */
#define WORLD_LANES    4u
#define WORLD_SESSIONS 4u /* B ends */
#define WORLD_NULLS    4u

enum world_mode {
	WORLD_IDLE,
	WORLD_FIRST,     /* one packet for each lane: sessions begin */
	WORLD_CHECK,     /* the device sends; every byte is looked at */
	WORLD_SEND,      /* the device sends */
	WORLD_HANDSHAKE, /* far begins a session for each client */
	WORLD_CHECK_FAR, /* far sends; every byte is looked at */
	WORLD_SEND_FAR,  /* far sends */
};

struct world_lane {
	_Alignas(128) _Atomic uint64_t offered; /* packets that the source has pushed */
	_Atomic uint64_t delivered;             /* and those that have come out of the other end */
	_Atomic uint64_t wrong;                 /* refused, or not what was sent */
	_Atomic uint64_t busy_ns;               /* in pushes of far, without its own sealing */
	_Atomic bool busy;                      /* the source is at work */
};

struct world_shape {
	uint32_t lanes, batch, bytes; /* of an IP packet */
	uint32_t sessions;            /* B ends; 0 = none */
	uint32_t nulls;               /* null transports below the device; without wireguard */
	uint32_t clients;             /* of far */
	uint32_t run;                 /* packets to one client one after the other */
};

struct world_turn;
struct world_device;
struct world_far;

struct world {
	struct world_shape shape;
	struct vpncore_pipeline *pipeline;
	_Atomic int mode; /* enum world_mode */
	struct world_lane lanes[WORLD_LANES];
	/* the components' own, registered by start() */
	struct world_device *device;
	struct world_far *far;
	struct world_turn *turns[WORLD_SESSIONS + 1];
};

extern struct world worlds[WORLDS];

/* Makes the pipeline in worlds[number], starts it, begins its sessions, and sends packets that are looked
 * at. False: said on stderr. [main] */
bool world_start(uint32_t number, const struct world_shape *shape);

/*
 * Stops and frees it. False when packets were lost or wrong: said on stderr. Where several lanes share a
 * session packets may be lost: while the system lets a lane wait that has sealed a batch, the others can
 * get ahead by more than the receiver's window. [main]
 */
bool world_stop(uint32_t number);

/* The sources begin with `mode`, or are told to end and waited for. [main] */
void world_begin(struct world *w, enum world_mode mode);
bool world_end(struct world *w);

/* Packets that were delivered so far, on all lanes. [any] */
uint64_t world_delivered(const struct world *w);
uint64_t world_busy_ns(const struct world *w);

/* ---- for the components ---- */

#define WORLD_PATTERN_AT 28u /* behind IPv4 and UDP: a number, then bytes that follow from it */

static inline void world_add(_Atomic uint64_t *counter, uint64_t n)
{
	uint64_t sum = atomic_load_explicit(counter, memory_order_relaxed) + n;
	atomic_store_explicit(counter, sum, memory_order_relaxed);
}

static inline enum world_mode world_mode(const struct world *w)
{
	return (enum world_mode)atomic_load_explicit(&w->mode, memory_order_acquire);
}

/* Address of the n-th B end or client, in network order; world_source() is A's own side. */
void world_address(uint8_t addr[4], uint32_t n);
extern const uint8_t world_source[4];

/* Writes an IPv4 packet of shape.bytes; the payload only with `whole`. */
void world_write(const struct world *w, uint8_t *data, const uint8_t src[4], const uint8_t dst[4],
		 uint64_t number, bool whole);
/* Whether it is such a packet, byte for byte with `whole`. */
bool world_is_right(const struct world *w, const struct vpn_packet *p, bool whole);

/* Takes packets at the end of their way: looks at them, counts them and gives them back. */
void world_sink(struct world *w, const struct vpn_host *host, struct vpn_lane *lane,
		struct vpn_packet **pkts, uint32_t n);

/* Client or B end that a lane sends its i-th packet to. */
uint32_t world_choose(const struct world *w, uint32_t lane, uint64_t i);

void world_wake_device(struct world_device *d);
void world_wake_far(struct world_far *f);
/* Clients whose sessions have begun. */
uint32_t world_far_sessions(const struct world_far *f);

/* Public key of the n-th client, whose responder has the other key. */
void world_client_key(uint8_t public_key[32], uint32_t n);
/* Private key of an end: A is 0. */
void world_end_key(uint8_t private_key[32], uint32_t n);

extern const struct vpn_component world_component_device, world_component_null,
	world_component_turn, world_component_far;

#endif
