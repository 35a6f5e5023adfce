/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * report: tells the log of datagrams that do not fit, which is what two sides with different settings see
 * of each other. Seldom: a line at once, the next after a minute, then after twice as long each time.
 * Strangers send what does not fit as well, so once something has fitted the lines are for debugging.
 */
#ifndef OBFS_REPORT_H
#define OBFS_REPORT_H

#include <stdbool.h>
#include <stddef.h>
#include <vpncore/plugin.h>

struct obfs_report {
	bool heard;          /* something has fitted */
	uint64_t refused;    /* datagrams that did not, since the last line */
	uint64_t due_ns;     /* of the next line */
	uint64_t between_ns; /* and from that one to the next */
};

/* One more that does not fit: keeps its size and origin for the line, if one is due now. `mode` is the name
 * of the mode. The text holds no contents. [lane] */
void obfs_report_refused(struct obfs_report *r, const struct vpn_host *host, uint64_t now_ns,
			 const char *mode, const struct vpn_packet *p);

#define OBFS_ORIGIN_TEXT 64u

/* Writes "192.0.2.1:7", "[2001:db8::1]:7" or what stands for an endpoint that is not known. Returns buf. [any] */
const char *obfs_report_origin(const struct vpn_endpoint *e, char *buf, size_t cap);

#endif
