/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * engine: what carries the messages of one session. There are two: arq.h speaks the wire of KCP,
 * flow.h ours. Both know neither the pipeline nor a clock: they are given packets and the time, and
 * hand packets to an outlet; in unit tests that is a few lines over malloc().
 *
 *              send(message)                      deliver(message)
 *                    |          +----------+            ^
 *                    +--------->|  engine  |------------+
 *                    +--------->|          |------------+
 *                    |          +----------+            v
 *              input(datagram)                    emit(datagram)
 *
 * A datagram here is what an engine makes: the session puts FEC and crypt headers around it, and
 * takes them off before input(). Times are microseconds of one monotonic clock, never 0. One thread.
 *
 * Packets have the owner that plugin.h section 5 describes: who is handed one has it. `scratch` is
 * the engine's while it has the packet. A message handed to send() has at least `headroom` bytes in
 * front of its data and `tailroom` behind it for the engine's headers, so that the packet itself
 * can become the datagram; the room for the layers below stands before that and is not touched.
 */
#ifndef KCP_ENGINE_H
#define KCP_ENGINE_H

#include <stdbool.h>
#include <stdint.h>
#include <vpncore/plugin.h>

#include "counts.h"
#include "options.h"

#define KCP_NEVER UINT64_MAX

/* What a fresh packet is for. */
enum kcp_fresh {
	KCP_FRESH_DATA,   /* data or parity to the network */
	KCP_FRESH_ANSWER, /* acknowledgements, probes: from the receiving side's pool */
	KCP_FRESH_UP      /* a message to the device */
};

struct kcp_outlet {
	void *ctx;

	/* A packet with len 0 and room for a datagram of `mtu` bytes (or for the largest message).
	 * NULL: there is none now; what cannot wait is dropped and counted, the rest is tried again in
	 * the next flush(). */
	struct vpn_packet *(*fresh)(void *ctx, enum kcp_fresh what);

	/* Takes a datagram that goes to the peer. Batches are made behind this call. */
	void (*emit)(void *ctx, struct vpn_packet *datagram);

	/* Takes a message for the device. False: not taken, the device is full; resume() tells when to
	 * try again. An engine that keeps no messages drops it then and counts DROP_ABOVE_FULL. */
	bool (*deliver)(void *ctx, struct vpn_packet *message);

	/* True while deliver() would take a message. */
	bool (*can_deliver)(void *ctx);

	/* True while emit() should be called: false when the network side is full. Acks and probes wait
	 * too; flush() is called again when it is true again. */
	bool (*can_emit)(void *ctx);

	void (*release)(void *ctx, struct vpn_packet *p);

	/* Adds to a counter of the component. */
	void (*count)(void *ctx, enum kcp_count what, uint64_t n);

	/* After send() has refused: it will take messages now. */
	void (*writable)(void *ctx);

	/* The peer has begun anew (another session number in the own wire): the session resets. Not
	 * called from within the other calls' loops: return right after it. */
	void (*restarted)(void *ctx);
};

struct kcp_engine_setup {
	const struct kcp_settings *settings; /* kept */
	struct kcp_outlet outlet;
	struct kcp_cells *cells; /* storage for what waits, shared by the sessions: cells.h */
	uint32_t conv;           /* KCP: of both directions */
	uint32_t mtu;            /* most bytes of a datagram */
	uint32_t message;        /* most bytes of a message */
	bool initiator;          /* we began the session */
	uint64_t seed;           /* for what should differ from run to run */
	uint64_t now_us;
};

/* What session and status want to know. */
struct kcp_engine_state {
	uint64_t srtt_us;    /* 0 = not measured */
	uint64_t unheard_us; /* since when something is unanswered; 0 = nothing is */
	uint64_t rate_bps;   /* at which it is paced, 0 = not */
	uint32_t in_flight;  /* datagrams or segments that are not acknowledged */
	uint32_t queued;     /* messages that wait to be sent */
	uint32_t window;     /* in_flight may grow to this */
	uint32_t loss_ppm;   /* estimate */
	bool has_proof;      /* the peer has answered something that only it could */
};

struct kcp_engine_ops {
	const char *name;
	uint32_t headroom, tailroom; /* in front of and behind a message; see above */

	/* NULL: no memory. */
	void *(*create)(const struct kcp_engine_setup *setup);

	/* Releases all packets and cells. Accepts NULL. */
	void (*destroy)(void *engine);

	/* Takes a message, or returns false: full (the caller keeps the packet; outlet.writable()
	 * follows). Messages that it gives up later it drops and counts. Does not emit by itself:
	 * flush() follows after a batch of sends. */
	bool (*send)(void *engine, struct vpn_packet *message, uint64_t now_us);

	/* Takes a datagram of the peer. Delivers what becomes complete. False: nothing in it was valid;
	 * it has been counted. A flush() follows after a batch of inputs. `recovered`: came out of
	 * FEC, so its window field may be old. */
	bool (*input)(void *engine, struct vpn_packet *datagram, bool recovered, uint64_t now_us);

	/* Emits what is due: answers, retransmissions, new data as window and pace allow. Returns when
	 * it wants to be called next at the latest, KCP_NEVER = not before a send() or input(). */
	uint64_t (*flush)(void *engine, uint64_t now_us);

	/* The device takes messages again. A flush() follows. */
	void (*resume)(void *engine, uint64_t now_us);

	/* Has the next flush() ask the peer for a sign of life (WASK, ping). */
	void (*probe)(void *engine, uint64_t now_us);

	void (*state)(const void *engine, struct kcp_engine_state *out);
};

extern const struct kcp_engine_ops kcp_arq_ops;  /* arq.c: "reliable" */
extern const struct kcp_engine_ops kcp_flow_ops; /* flow.c: "datagram", "deadline" */

#endif
