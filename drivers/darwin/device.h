/* SPDX-License-Identifier: BSD-2-Clause */
/* device: what an instance of either driver has beside its descriptor: interface, addresses, what
 * others do to it while it runs, and what it tells of itself (VPN_EXT_DEVICE). */
#ifndef DARWIN_DEVICE_H
#define DARWIN_DEVICE_H

#include <pthread.h>
#include <stdatomic.h>

#include "monitor.h"
#include "setup.h"

/* Tokens of ready(); VPN_TOKEN_WAKE is the queue's too. */
#define DARWIN_TOKEN_QUEUE   0u
#define DARWIN_TOKEN_MONITOR 1u

/* In the order of darwin_counters. */
enum darwin_counter {
	DARWIN_OVERSIZE,
	DARWIN_STARVED,
	DARWIN_BLOCKED,
	DARWIN_READ_ERRORS,
	DARWIN_DROP_TOO_BIG,
	DARWIN_DROP_MALFORMED,
	DARWIN_DROP_OVERSIZE,
	DARWIN_DROP_ECN,
	DARWIN_DROP_DOWN,
	DARWIN_DROP_BUSY,
	DARWIN_DROP_NO_BUFFERS,
	DARWIN_DROP_REFUSED,
	DARWIN_COUNTERS,
};

extern const struct vpn_counter darwin_counters[DARWIN_COUNTERS];

struct darwin_device {
	const struct vpn_host *host;
	struct vpn_lane *lane;
	bool ethernet;
	bool opened; /* link, setup and monitor are in use */
	bool up;     /* lane 0 */
	uint32_t mtu;
	struct darwin_link link;
	struct darwin_setup setup;
	struct darwin_monitor monitor;
	pthread_mutex_t lock; /* of info */
	struct vpn_device_info info;
	pthread_mutex_t subscriber_lock; /* held while changed() runs, so not that of info */
	void (*changed)(void *ctx);
	void *changed_ctx;
	atomic_bool failed;
};

/* [main] */
vpn_status darwin_device_init(struct darwin_device *d, const struct vpn_host *host, bool ethernet,
			      const struct darwin_options *o, struct vpn_error *err);
void darwin_device_clear(struct darwin_device *d);

/* The MTU that the interface gets: bytes of an IP packet. [main] */
uint32_t darwin_device_mtu(const struct darwin_device *d, const struct darwin_options *o);

/* Sets up the interface `name`, which the driver has made, and begins to watch it. When it fails
 * darwin_device_close() undoes what was done. [main] */
vpn_status darwin_device_open(struct darwin_device *d, const char *name,
			      const struct darwin_options *o, const uint8_t *mac,
			      struct vpn_lane *lane, struct vpn_error *err);
void darwin_device_close(struct darwin_device *d); /* also when not open. [main] */

/* The kernel has taken the device away: ends the pipeline, once. [lane] */
void darwin_device_gone(struct darwin_device *d, int os_errno);

/* Keeps what info() tells up to date, and tells the subscriber of a change. [main] or [lane] */
void darwin_device_tell(struct darwin_device *d);

/* The functions of VPN_EXT_DEVICE. */
vpn_status darwin_device_info(struct darwin_device *d, struct vpn_device_info *out);
void darwin_device_subscribe(struct darwin_device *d, void (*changed)(void *ctx), void *ctx);

#endif
