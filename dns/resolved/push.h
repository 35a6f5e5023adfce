/* SPDX-License-Identifier: BSD-2-Clause */
/* push: tells systemd-resolved the settings of an interface, without waiting for it. */
#ifndef RESOLVED_PUSH_H
#define RESOLVED_PUSH_H

#include "bus.h"
#include "settings.h"

#define RESOLVED_PUSH_CALLS 4u

struct resolved_push;

struct resolved_push_call {
	struct resolved_push *push;
	uint32_t index;
	sd_bus_slot *slot;
};

struct resolved_push {
	const struct vpn_host *host;
	bool done;
	int error; /* errno of the first call that failed, 0 = all is set */
	sd_bus_error said;
	void (*ended)(void *ctx); /* called once, unless it was cleared; may be NULL */
	void *ctx;
	uint32_t left;
	struct resolved_push_call calls[RESOLVED_PUSH_CALLS];
};

/* Sends the calls; the answers come while the bus is driven or by the loop, at most RESOLVED_LIMIT_US
 * later. *p is zeroed but for host, ended and ctx; *s is not needed afterwards. Returns
 * 0 or an errno. [main] */
int resolved_push_begin(struct resolved_push *p, struct resolved_bus *b,
			const struct resolved_settings *s);

/* Forgets answers that are still to come. Idempotent. [main] */
void resolved_push_clear(struct resolved_push *p);

#endif
