/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * uapi: the cross-platform configuration protocol on a unix socket, which wg(8) speaks:
 * /var/run/wireguard/NAME.sock. https://www.wireguard.com/xplatform/
 *
 * A thread of its own serves it, one client at a time for each connection, several connections at the
 * same time. It touches no packet and changes the instance through config.h only.
 */
#ifndef WG_UAPI_H
#define WG_UAPI_H

#include "config.h"

#define WG_UAPI_CLIENTS 16u /* at the same time; more wait until one goes */

struct wg_uapi;

/*
 * Opens the socket for the interface `name` (or takes `fd`, a listening unix socket, when that is
 * not negative) and starts the thread. A socket that nobody answers on any more is replaced; a live
 * one is VPN_EBUSY. NULL and *err filled on failure: VPN_EINVAL for a bad name or `fd`, VPN_EPERM
 * without privilege, VPN_EBUSY, VPN_EIO, VPN_ENOMEM; `fd` is still the caller's then. Only root and
 * the user that we run as are served. When somebody deletes or renames the socket file, `gone` is
 * called, once, on the thread; it takes note and returns, and does not close. [main]
 */
struct wg_uapi *wg_uapi_open(struct wg *wg, const char *name, int fd, void (*gone)(void *ctx),
			     void *ctx, struct vpn_error *err);

/* Likewise in another directory. For tests. */
struct wg_uapi *wg_uapi_open_in(const char *directory, struct wg *wg, const char *name, int fd,
				void (*gone)(void *ctx), void *ctx, struct vpn_error *err);

/* Ends connections and the thread, removes the socket file. Not with the
 * configuration locked: the thread may wait for it. Accepts NULL, returns NULL. [main] */
struct wg_uapi *wg_uapi_close(struct wg_uapi *u);

#endif
