/* SPDX-License-Identifier: BSD-2-Clause */
/* counts: what this stage alone can know. A mode's own rows stand in a block of their own. */
#ifndef OBFS_COUNTS_H
#define OBFS_COUNTS_H

/* X(id, name, whether packets end there, text) */
#define OBFS_COUNTS(X) \
	X(DROP_BELOW_FULL, "drop_below_full", 1, \
	  "packets that the stage below did not take and that there was no room to keep") \
	X(DROP_ABOVE_FULL, "drop_above_full", 1, \
	  "packets that the stage above did not take and that there was no room to keep") \
	X(DROP_SHORT, "drop_short", 1, "packets too short for the mode, in either direction") \
	X(DROP_FOREIGN, "drop_foreign", 1, \
	  "datagrams that do not fit: strangers, or another mode or key on the other side") \
	X(DROP_STALE, "drop_stale", 1, \
	  "veil: authentic, but too old, or from a clock that is too far from ours") \
	X(DROP_REPLAY, "drop_replay", 1, "veil: authentic, but here before") \
	X(DROP_REFLECTED, "drop_reflected", 1, "veil: our own, sent back to us") \
	X(VEIL_JUNK, "veil_junk", 0, "veil: junk that the other side has sent on request") \
	X(DROP_HEADER, "drop_header", 1, \
	  "mimic: datagrams that are not valid as the protocol that is claimed") \
	X(DROP_NOT_READY, "drop_not_ready", 1, \
	  "mimic: packets that waited for a handshake which did not end, or for too many others") \
	X(MIMIC_FLIGHTS, "mimic_flights", 0, "mimic: datagrams of handshakes that were sent") \
	X(MIMIC_NO_PACKET, "mimic_no_packet", 0, \
	  "mimic: datagrams of handshakes for which there was no packet") \
	X(AWG_LEAD, "awg_lead", 0, "awg: datagrams sent before initiations: i1 to i5 and junk") \
	X(DROP_AWG_UNKNOWN, "drop_awg_unknown", 1, \
	  "awg: datagrams that are no message: the other side's junk, strangers, or other " \
	  "parameters") \
	X(DROP_AWG_ABOVE, "drop_awg_above", 1, \
	  "awg: packets from above that are no messages with the words that were agreed on") \
	X(DROP_AWG_COOKIE, "drop_awg_cookie", 1, \
	  "awg: cookie replies that disable_cookies kept back")

enum obfs_count {
#define OBFS_COUNT_ID(id, name, drop, doc) OBFS_##id,
	OBFS_COUNTS(OBFS_COUNT_ID)
#undef OBFS_COUNT_ID
		OBFS_N_COUNTS
};

#endif
