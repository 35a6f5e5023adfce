/* SPDX-License-Identifier: BSD-2-Clause */
/* monitor: what others do to the interface while it runs: down, up, MTU, addresses. Facts: route(4),
 * RTM_IFINFO and RTM_DELADDR; messages are checked like packets. */
#ifndef DARWIN_MONITOR_H
#define DARWIN_MONITOR_H

#include <stdbool.h>
#include <vpncore/plugin.h>

struct darwin_device;

struct darwin_monitor {
	int fd; /* -1 = closed */
};

/* What a message of the routing socket says about one interface. */
struct darwin_event {
	enum { DARWIN_EVENT_OTHER, DARWIN_EVENT_STATE, DARWIN_EVENT_DELADDR } kind;
	uint32_t index;
	uint32_t flags, mtu;       /* of DARWIN_EVENT_STATE */
	struct vpn_prefix address; /* of DARWIN_EVENT_DELADDR; length is not known */
};

/* Reads a message. False when it is not what it should be. [any] */
bool darwin_monitor_parse(const uint8_t *message, size_t len, struct darwin_event *ret);

/* [main] */
vpn_status darwin_monitor_open(struct darwin_device *d, struct vpn_error *err);
void darwin_monitor_close(struct darwin_device *d); /* also when not open */

/* Handles what has come, for DARWIN_TOKEN_MONITOR. [lane] */
void darwin_monitor_ready(struct darwin_device *d);

#endif
