/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * flow: the engine of "datagram" and "deadline": messages go out at once, each in a datagram (small
 * ones may share one), and are delivered once. What is lost is brought back by parity, and in
 * "deadline" by sending it again while that can still arrive in time. An engine.h object,
 * kcp_flow_ops; setup.conv is the session's number here (not 0), by which a listener finds it.
 *
 * Order. A VPN carries many flows, and those of TCP take disorder for loss. So each message says which
 * one before it belongs to the same lane (`back`); the receiver holds it until that one has come or is
 * given up, and lanes do not wait for each other. Lane 0 has no order: its messages are delivered as
 * they come. flow_lane.h says which messages go where.
 *
 *            hello                  welcome
 *   CLOSED ---------> ASKING ------------------> OPEN      (who begins)
 *   CLOSED ---- kcp_flow_adopt() --------------> OPEN      (who is asked)
 *   OPEN ---- reset, close, kcp_flow_adopt() --> as at the beginning; what waits is kept
 *
 * How a session begins is in flow_door.h. It belongs to [lane] entirely.
 */
#ifndef KCP_FLOW_H
#define KCP_FLOW_H

#include "engine.h"
#include "frame.h"

/* Room that a message needs in a datagram beyond its own bytes: the parity is the longest. */
#define KCP_FLOW_OVERHEAD (KCP_FRAME_HEAD_LEN + KCP_FRAME_SHARD_LEN)

struct kcp_flow;

/* Where a datagram belongs, without looking further. */
enum kcp_flow_peeked {
	KCP_FLOW_NONE,    /* not of our wire */
	KCP_FLOW_SESSION, /* to the session with *ret_number, whatever its endpoint */
	KCP_FLOW_HELLO,   /* to the door, flow_door.h */
	KCP_FLOW_RESET    /* to the session with this endpoint */
};

enum kcp_flow_peeked kcp_flow_peek(const uint8_t *data, uint32_t len, uint32_t *ret_number);

/*
 * The door has admitted this HELLO for the session (new, or the one that its endpoint has). The engine
 * answers in the next flush(). Begins anew when the peer's id is another one than before (restart, both
 * began at once: the smaller id yields); messages that wait to be sent stay. False: ignored, because
 * both have begun at once and the peer is to yield.
 */
bool kcp_flow_adopt(void *engine, const struct kcp_frame_hello *hello, uint64_t now_us);

/* Tells the peer that the session ends, in one datagram that nobody acknowledges. destroy() follows. */
void kcp_flow_close(void *engine, uint8_t reason, uint64_t now_us);

/* True once the peer has said CLOSE: the session may be ended. */
bool kcp_flow_is_closed(const void *engine);

#endif
