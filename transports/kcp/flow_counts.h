/* SPDX-License-Identifier: BSD-2-Clause */
/* flow_counts: what the engine of our own wire counts; rows as in counts.h. */
#ifndef KCP_FLOW_COUNTS_H
#define KCP_FLOW_COUNTS_H

/* clang-format off */
#define KCP_FLOW_COUNTS(X) \
	X(DROP_FRAME, "drop_frame", 1, "own wire: a frame that is malformed or says what cannot be") \
	X(DROP_NOT_OPEN, "drop_not_open", 1, "own wire: came before the session was open") \
	X(DROP_OUTSIDE, "drop_outside", 1, "own wire: number far outside of what can be under way") \
	X(DROP_REPEATED, "drop_repeated", 1, "own wire: data that was here already") \
	X(DROP_LATE, "drop_late", 1, "own wire: data that came after it was given up") \
	X(DROP_HELLO, "drop_hello", 1, "own wire: a session's begin or end that does not fit") \
	X(DROP_STRAY, "drop_stray", 1, "own wire: for a session that is not known") \
	X(DATA_SENT, "data_sent", 0, "own wire: messages sent, the first time") \
	X(DATA_RESENT, "data_resent", 0, "own wire: messages sent again") \
	X(DATA_GIVEN_UP, "data_given_up", 0, "own wire: lost messages too old to be sent again") \
	X(DATA_RECEIVED, "data_received", 0, "own wire: messages that were new") \
	X(DATA_MISSED, "data_missed", 0, "own wire: messages that did not come in time") \
	X(DATA_HELD, "data_held", 0, "own wire: messages that waited for one before them") \
	X(PARITY_USED, "parity_used", 0, "own wire: parity that brought a message back") \
	X(LOST, "lost", 0, "own wire: datagrams that the network lost, by the peer's reports") \
	X(LOST_WRONGLY, "lost_wrongly", 0, "own wire: of these, those that came after all") \
	X(TAIL_PROBES, "tail_probes", 0, "own wire: probes for want of an acknowledgement") \
	X(RESETS, "resets", 0, "own wire: times that the peer did not know the session any more")
/* clang-format on */

#endif
