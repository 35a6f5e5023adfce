/* SPDX-License-Identifier: BSD-2-Clause */
/* life: an instance of the driver, as its parts see it. */
#ifndef BSD_LIFE_H
#define BSD_LIFE_H

#include <pthread.h>
#include <vpncore/tcpip.h>

#include "address.h"
#include "device.h"
#include "monitor.h"

struct bsd_io;

/* Tokens of ready(). */
#define BSD_TOKEN_DEVICE  0u
#define BSD_TOKEN_MONITOR 1u

/* In the order of the table in life.c. */
enum bsd_counter {
	BSD_OVERSIZE,
	BSD_STARVED,
	BSD_BLOCKED,
	BSD_READ_ERRORS,
	BSD_DROP_TOO_BIG,
	BSD_DROP_NOT_IP,
	BSD_DROP_MALFORMED,
	BSD_DROP_ECN,
	BSD_DROP_DOWN,
	BSD_DROP_BUSY,
	BSD_DROP_NO_BUFFERS,
	BSD_DROP_REFUSED,
	BSD_COUNTERS,
};

/* The device has one queue, so the instance has one lane. What is not marked otherwise belongs to
 * [main] until the lane runs, and to the lane then. */
struct bsd_tuntap {
	const struct vpn_host *host;
	const struct bsd_options *options;
	struct vpn_lane *lane; /* NULL = stopped */
	struct bsd_control control;
	struct bsd_journal journal;
	struct bsd_addresses addresses;
	struct bsd_device device;
	struct bsd_monitor monitor;
	struct bsd_io *io;
	bool failed;
	pthread_mutex_t lock; /* of info */
	struct vpn_device_info info;
	pthread_mutex_t subscriber_lock; /* held while changed() runs, so not that of info */
	void (*changed)(void *ctx);
	void *changed_ctx;
};

/* The device is gone: ends the pipeline, once. [lane] */
void bsd_tuntap_gone(struct bsd_tuntap *t);

/* Keeps what info() tells up to date, and tells the subscriber of a change. [main] [lane] */
void bsd_tuntap_set_info(struct bsd_tuntap *t, uint32_t mtu, bool up);

#endif
