/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * monitor: what happens to the device while it runs. A routing socket tells that something has changed
 * somewhere; what it is of our device is asked anew, so that no message is taken apart.
 */
#ifndef BSD_MONITOR_H
#define BSD_MONITOR_H

#include <stdbool.h>
#include <stdint.h>
#include <vpncore/plugin.h>

struct bsd_tuntap;

struct bsd_monitor {
	int fd; /* -1 = closed */
	bool up;
	uint32_t mtu;
};

/* Begins to listen; the device is what t->info says. [main] */
vpn_status bsd_monitor_open(struct bsd_tuntap *t, struct vpn_error *err);

/* Also after a failure, and again. [main] */
void bsd_monitor_close(struct bsd_tuntap *t);

/* Messages have come. Lane 0. */
void bsd_monitor_ready(struct bsd_tuntap *t);

/* Looks at the device; false when it is gone, which ends the pipeline. Lane 0. */
bool bsd_monitor_look(struct bsd_tuntap *t);

#endif
