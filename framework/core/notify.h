/* SPDX-License-Identifier: BSD-2-Clause */
/* notify: tells the service manager our state (the protocol of sd_notify(3)). */
#ifndef VPNCORE_CORE_NOTIFY_H
#define VPNCORE_CORE_NOTIFY_H

/* Sends `state` ("READY=1", "STOPPING=1", "STATUS=...") to $NOTIFY_SOCKET. Returns 1 when it was sent, 0 when there is
 * no service manager, -errno on failure. [any] */
int notify_send(const char *state);

#endif
