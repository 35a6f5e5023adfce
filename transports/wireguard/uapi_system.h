/* SPDX-License-Identifier: BSD-2-Clause */
/* uapi_system: what the UAPI's socket needs of the system. One file per family of systems. */
#ifndef WG_UAPI_SYSTEM_H
#define WG_UAPI_SYSTEM_H

#include <stdbool.h>
#include <sys/types.h>

/* A stream socket of AF_UNIX, non-blocking, closed on exec; -1 with errno. */
int wg_uapi_system_socket(void);

/* Binds it to a file that only its owner can connect to, once it listens. 0, or -1 with errno. */
int wg_uapi_system_bind(int fd, const char *path);

/* The next client, non-blocking, closed on exec; -1 with errno. */
int wg_uapi_system_accept(int fd);

/* What a client can take at once: bytes, or -1 with errno; without SIGPIPE. */
ssize_t wg_uapi_system_send(int fd, const void *data, size_t len);

/* A pipe whose ends are non-blocking and closed on exec. 0, or -1 with errno. */
int wg_uapi_system_pipe(int ends[2]);

/* The user at the other end; false when that is not known. */
bool wg_uapi_system_user(int fd, uid_t *ret_user);

struct wg_uapi_watch {
	int fd;        /* readable when something has happened to the file; -1 = no watch */
	int folder_fd; /* what it has to keep open; -1 = nothing */
};

/* Begins to watch a file for its end or its renaming. 0, or -1 with errno and nothing open. */
int wg_uapi_system_watch(struct wg_uapi_watch *w, const char *path);

/* Has fd readable no more until something else happens. What has happened is not told. */
void wg_uapi_system_drain(const struct wg_uapi_watch *w);

void wg_uapi_system_unwatch(struct wg_uapi_watch *w); /* idempotent */

#endif
