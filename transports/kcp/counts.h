/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * counts: what the component counts, in one list. Each row: identifier, name, 1 if packets end here
 * (a drop), text. The rows of flow.c are in flow_counts.h.
 */
#ifndef KCP_COUNTS_H
#define KCP_COUNTS_H

#if __has_include("flow_counts.h")
#include "flow_counts.h"
#endif
#ifndef KCP_FLOW_COUNTS
#define KCP_FLOW_COUNTS(X)
#endif

/* clang-format off */
#define KCP_COUNTS(X) \
	/* on the way down */ \
	X(DROP_NO_SESSION, "drop_no_session", 1, "no peer to send to is known") \
	X(DROP_EMPTY, "drop_empty", 1, "a message without data came from above") \
	X(DROP_TOO_BIG, "drop_too_big", 1, "a message larger than the session carries") \
	X(DROP_QUEUE_OLD, "drop_queue_old", 1, "waited too long to be sent: more came than went") \
	X(DROP_QUEUE_FULL, "drop_queue_full", 1, "as many waited as may") \
	X(DROP_BELOW_FULL, "drop_below_full", 1, "the stage below took no more, and too many waited") \
	X(DROP_SESSION_ENDED, "drop_session_ended", 1, "waited to be sent when its session ended") \
	X(DROP_SEAL, "drop_seal", 1, "could not be encrypted: libcrypto failed") \
	X(DROP_NO_MEMORY, "drop_no_memory", 1, "no memory, or no packet, to keep or copy it") \
	/* on the way up */ \
	X(DROP_CRYPT, "drop_crypt", 1, "could not be decrypted: not our key, or damaged") \
	X(DROP_FEC, "drop_fec", 1, "has no valid FEC header, FEC that we do not use, or no session yet") \
	X(DROP_SHORT, "drop_short", 1, "too short to hold anything") \
	X(DROP_LENGTH, "drop_length", 1, "says that it holds more data than it does") \
	X(DROP_COMMAND, "drop_command", 1, "a command that does not exist") \
	X(DROP_CONV, "drop_conv", 1, "another conversation's, or none that we would begin") \
	X(DROP_ACCEPT, "drop_accept", 1, "from an unknown peer, and no more are accepted") \
	X(DROP_SESSION_RATE, "drop_session_rate", 1, "began a session sooner than those before it allow") \
	X(DROP_OOB, "drop_oob", 1, "kcp-go's out-of-band data, which nobody here takes") \
	X(DROP_MESSAGE, "drop_message", 1, "a message larger than any that we take, or fragments amiss") \
	X(DROP_ABOVE_FULL, "drop_above_full", 1, "the stage above took no more") \
	/* segments: several may be in one datagram */ \
	X(SEGMENTS_SENT, "segments_sent", 0, "data segments sent, the first time") \
	X(SEGMENTS_RESENT, "segments_resent", 0, "data segments sent again") \
	X(RESENT_FAST, "resent_fast", 0, "of these, because later ones had arrived") \
	X(RESENT_TIMEOUT, "resent_timeout", 0, "of these, because no answer came in time") \
	X(RESENT_COPIES, "resent_copies", 0, "of these, to be sure of what is lost easily") \
	X(SEGMENTS_RECEIVED, "segments_received", 0, "data segments that were new") \
	X(SEGMENTS_REPEATED, "segments_repeated", 0, "data segments that were here already") \
	X(SEGMENTS_OUTSIDE, "segments_outside", 0, "data segments outside of the window") \
	X(ACKS_SENT, "acks_sent", 0, "acknowledgements sent") \
	X(ACKS_RECEIVED, "acks_received", 0, "acknowledgements received") \
	X(ACKS_FORGED, "acks_forged", 0, "acknowledgements of what was never sent") \
	X(EMPTY_RECEIVED, "empty_received", 0, "messages without data, ignored") \
	X(PROBES_SENT, "probes_sent", 0, "questions for the peer's window") \
	X(WINDOW_STALLS, "window_stalls", 0, "times that the peer's window was closed") \
	X(SEND_BLOCKED, "send_blocked", 0, "times that the device was asked to wait") \
	/* layers and sessions */ \
	X(PARITY_RECEIVED, "parity_received", 0, "parity datagrams received") \
	X(FEC_RECOVERED, "fec_recovered", 0, "datagrams that parity brought back") \
	X(PARITY_SENT, "parity_sent", 0, "parity datagrams sent") \
	X(SESSIONS_BEGUN, "sessions_begun", 0, "sessions that began") \
	X(SESSIONS_IDLE, "sessions_idle", 0, "sessions that ended for want of traffic") \
	X(SESSIONS_DEAD, "sessions_dead", 0, "sessions whose peer did not answer any more") \
	X(PEER_RESTARTS, "peer_restarts", 0, "times that a peer began anew") \
	X(ROAMED, "roamed", 0, "times that a session's peer was found at another address") \
	KCP_FLOW_COUNTS(X)
/* clang-format on */

#define KCP_COUNT_ID(id, name, drop, doc) KCP_##id,
enum kcp_count { KCP_COUNTS(KCP_COUNT_ID) KCP_N_COUNTS };
#undef KCP_COUNT_ID

#endif
