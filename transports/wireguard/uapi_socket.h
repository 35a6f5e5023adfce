/* SPDX-License-Identifier: BSD-2-Clause */
/* uapi_socket: the listening socket of the UAPI and its file. */
#ifndef WG_UAPI_SOCKET_H
#define WG_UAPI_SOCKET_H

#include <stdbool.h>
#include <sys/types.h>
#include <sys/un.h>
#include <vpncore/plugin.h>

#include "uapi_system.h"

#define WG_UAPI_DIRECTORY "/var/run/wireguard" /* where wg(8) looks; wireguard.com/xplatform */

struct wg_uapi_socket {
	int fd;                     /* listening, non-blocking */
	struct wg_uapi_watch watch; /* fd -1 = no file */
	char path[sizeof(((struct sockaddr_un *)NULL)->sun_path)];
	dev_t device; /* of the file, with its inode: is it still ours? */
	ino_t inode;
};

/*
 * Makes `directory`/NAME.sock, for its owner only, and the directory when it is not there. Replaces a
 * socket that nobody listens on. With `fd` not negative that socket is taken instead; the file, if
 * there is one, is then taken for its. VPN_EINVAL for a name that cannot be one, VPN_EPERM,
 * VPN_EBUSY, VPN_EIO; *s holds nothing then, and `fd` is still the caller's.
 */
vpn_status wg_uapi_socket_open(struct wg_uapi_socket *s, const char *directory, const char *name,
			       int fd, struct vpn_error *err);

/* Closes, and removes the file unless another one stands in its place. */
void wg_uapi_socket_close(struct wg_uapi_socket *s);

/* Reads what happened to the file. True: it is there no more under its name. */
bool wg_uapi_socket_is_gone(struct wg_uapi_socket *s);

/* The next client, non-blocking, or -1 with errno. Somebody who is neither root nor our own user is
 * turned away with EACCES, whatever the file's mode has become. */
int wg_uapi_socket_accept(const struct wg_uapi_socket *s);

#endif
