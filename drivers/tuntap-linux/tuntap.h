/* SPDX-License-Identifier: BSD-2-Clause */
/* tuntap: an instance of the driver, as its parts see it. */
#ifndef TUNTAP_TUNTAP_H
#define TUNTAP_TUNTAP_H

#include <pthread.h>
#include <stdatomic.h>

#include "device.h"
#include "monitor.h"
#include "setup.h"

struct tuntap_queue;

/* Tokens of ready(). */
#define TUNTAP_TOKEN_QUEUE   0u
#define TUNTAP_TOKEN_MONITOR 1u
#define TUNTAP_TOKEN_AWAY    2u

/* In the order of the table in tuntap.c. */
enum tuntap_counter {
	TUNTAP_SUPER_READ,
	TUNTAP_SUPER_WRITTEN,
	TUNTAP_MERGED,
	TUNTAP_OVERSIZE,
	TUNTAP_STARVED,
	TUNTAP_BLOCKED,
	TUNTAP_FALLBACKS,
	TUNTAP_READ_ERRORS,
	TUNTAP_DROP_TOO_BIG,
	TUNTAP_DROP_BAD_OFFLOAD,
	TUNTAP_DROP_MALFORMED,
	TUNTAP_DROP_ECN,
	TUNTAP_DROP_DOWN,
	TUNTAP_DROP_BUSY,
	TUNTAP_DROP_NO_BUFFERS,
	TUNTAP_DROP_REFUSED,
	TUNTAP_COUNTERS,
};

struct tuntap {
	const struct vpn_host *host;
	const struct tuntap_options *options;
	struct vpn_lane *const *lanes;
	struct tuntap_netlink netlink; /* [main], or lane 0 while the lanes run */
	struct tuntap_device device;
	struct tuntap_setup setup;
	struct tuntap_monitor monitor;
	struct tuntap_queue **queues; /* one for each lane */
	pthread_mutex_t lock;         /* of info */
	struct vpn_device_info info;
	pthread_mutex_t subscriber_lock; /* held while changed() runs, so not that of info */
	void (*changed)(void *ctx);
	void *changed_ctx;
	atomic_bool failed;
};

/* The device is gone: ends the pipeline, once. [lane] */
void tuntap_gone(struct tuntap *t);

/* The device's name now: others may rename it, so device.name is lane 0's alone. [any] */
void tuntap_name(struct tuntap *t, char name[IFNAMSIZ]);

/* Keeps what info() tells up to date, and tells the subscriber of a change. [main], or lane 0 */
void tuntap_set_info(struct tuntap *t, const struct tuntap_link *link);

#endif
