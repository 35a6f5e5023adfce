/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * arq: the engine of "reliable": each message arrives once and in order, on the wire of KCP. An
 * engine.h object, kcp_arq_ops; arq_parts.h says what is in which file.
 *
 * What it does otherwise than the common implementations, on the same wire:
 *   - nothing waits for a tick: what may go, goes with the flush() after each batch
 *   - no walk over all segments: timeouts are in a wheel, and what an acknowledgement tells of earlier
 *     segments follows from the order of transmissions (sendwin.h)
 *   - everything is paced; the window is in bytes as congestion.h has it, and in segments as the peer says
 *   - of the peer's window only the newest word counts: una orders them, and as long as una is the same a
 *     window can only grow
 *   - an una or sn of what was never sent changes nothing
 *
 * It belongs to [lane] entirely.
 */
#ifndef KCP_ARQ_H
#define KCP_ARQ_H

#include "backlog.h"
#include "congestion.h"
#include "copies.h"
#include "engine.h"
#include "pacer.h"
#include "packer.h"
#include "reader.h"
#include "recvwin.h"
#include "rtt.h"
#include "segment.h"
#include "sendwin.h"

#define KCP_ARQ_WAITING_MOST 256u /* messages, held as packets of the sending pool */
#define KCP_ARQ_ACKS_MOST    256u
#define KCP_ARQ_SAID_MOST    32u
#define KCP_ARQ_FRAGMENTS    127u /* of a message, as others take them: IKCP_WND_RCV - 1 */

struct kcp_arq_ack {
	uint32_t sn, ts;
	bool twice; /* what it answers was at least twice as long */
};

struct kcp_arq {
	const struct kcp_settings *settings;
	struct kcp_outlet outlet;
	struct kcp_cells *cells;
	uint32_t conv;
	uint32_t mtu, mss;
	uint32_t message; /* most bytes of one */

	/* sending */
	struct kcp_backlog backlog;
	struct vpn_packet *cutting; /* the message that is being cut, or put into the stream */
	uint32_t cut;               /* bytes of it that have gone; with the stream's prefix */
	struct kcp_sendwin window;
	struct kcp_copies copies;
	struct kcp_packer packer;
	struct kcp_rtt rtt;
	struct kcp_pacer pacer;
	struct kcp_congestion congestion;
	bool round_open; /* within kcp_congestion_ack_begin() .. _end() */
	bool lost_waits; /* a lost segment, or a copy, waits for pace or congestion */
	bool refused;    /* send() has; writable() is owed */

	/* what acknowledgements say about the order of transmissions: the `resend` highest */
	uint32_t tops[KCP_RESEND_MOST + 1];
	uint32_t n_tops;
	uint32_t heard_order; /* highest of the datagram at hand */
	bool has_heard;
	/* the newest transmission that is known to have arrived: its number, when it was sent and when
	 * that was known; 0 = none */
	uint32_t newest_order;
	uint64_t newest_sent_us, newest_heard_us;

	/* the peer's window */
	uint32_t peer_wnd; /* segments from peer_una on */
	uint32_t peer_una;
	uint64_t probe_us; /* when to ask for it; 0 = not */
	uint64_t probe_wait_us;
	bool ask, tell;

	/* receiving */
	struct kcp_recvwin received;
	struct kcp_reader reader;
	uint32_t read; /* bytes of the first segment that are read: stream */
	struct kcp_arq_ack acks[KCP_ARQ_ACKS_MOST];
	uint32_t n_acks;
	struct kcp_arq_ack
		said[KCP_ARQ_SAID_MOST]; /* of the last datagrams with acks, the newest */
	uint32_t n_said;
	uint64_t ack_due_us; /* 0 = none is owed */
	bool was_full;       /* the window that we told last was 0 */

	/* the peer's life */
	uint64_t heard_us;   /* a valid datagram came */
	uint64_t asked_us;   /* something is unanswered since then; 0 = nothing is */
	uint64_t timeout_us; /* of congestion: since when there is no answer */
	uint64_t stale_us;   /* since then all datagrams are of an earlier life; 0 = not */
	uint32_t n_stale;
	bool has_proof;
};

/* What stands first in a datagram, for who looks for its session. */
struct kcp_arq_peek {
	uint32_t conv, sn, una;
	uint8_t cmd;
};

/* False: not a datagram of KCP. [any] */
bool kcp_arq_peek(const uint8_t *data, uint32_t len, struct kcp_arq_peek *out);

/* Whether a datagram's first segment is one that this engine could be sent: number and una near those of
 * its windows. For a peer that turns up at another address. */
bool kcp_arq_fits(const void *engine, const uint8_t *data, uint32_t len);

/* Gives the conversation another number before anything of the peer was heard: everything that was sent
 * goes again, under the new one. */
void kcp_arq_renumber(void *engine, uint32_t conv);

#endif
