/* SPDX-License-Identifier: BSD-2-Clause */
/* trouble: what the bus or systemd-resolved refused, in words that say how to mend it. */
#ifndef RESOLVED_TROUBLE_H
#define RESOLVED_TROUBLE_H

#include <stdbool.h>
#include <systemd/sd-bus.h>
#include <vpncore/plugin.h>

/* Fills *err, which may be NULL, and returns its status. `os_errno` is positive; `error` is what the other
 * side said, or unset. `device` is the interface that the call was about, NULL when it was about none. */
vpn_status resolved_trouble(struct vpn_error *err, int os_errno, const sd_bus_error *error,
			    const char *device);

/* The same when there is no connection. */
vpn_status resolved_trouble_no_bus(struct vpn_error *err, int os_errno);

/* systemd-resolved does not run, and the bus cannot start it. */
bool resolved_trouble_is_absence(const sd_bus_error *error);

/* systemd-resolved does not know the interface. */
bool resolved_trouble_is_no_link(const sd_bus_error *error);

/* This version of systemd-resolved does not have the method. */
bool resolved_trouble_is_old(const sd_bus_error *error);

#endif
