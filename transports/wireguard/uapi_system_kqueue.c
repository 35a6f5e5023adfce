/* SPDX-License-Identifier: BSD-2-Clause */
/* uapi_system of the BSDs and macOS. */
#include <sys/types.h>

#include "uapi_system.h"

#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/event.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/time.h>
#include <sys/un.h>
#include <unistd.h>

#ifndef MSG_NOSIGNAL
#define MSG_NOSIGNAL 0 /* macOS before 14: SO_NOSIGPIPE does that */
#endif

/* A descriptor that others have opened without flags; it is closed when they cannot be set. */
static int with_flags(int fd)
{
	if (fd < 0 || (fcntl(fd, F_SETFD, FD_CLOEXEC) == 0 && fcntl(fd, F_SETFL, O_NONBLOCK) == 0))
		return fd;
	int e = errno;
	close(fd);
	errno = e;
	return -1;
}

int wg_uapi_system_socket(void)
{
	return with_flags(socket(AF_UNIX, SOCK_STREAM, 0));
}

/* As long as the socket does not listen nobody can connect, whatever the file's mode. */
int wg_uapi_system_bind(int fd, const char *path)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	snprintf(address.sun_path, sizeof(address.sun_path), "%s", path);
	if (bind(fd, (const struct sockaddr *)&address, sizeof(address)) != 0)
		return -1;
	return chmod(path, S_IRUSR | S_IWUSR);
}

int wg_uapi_system_accept(int fd)
{
	int client = with_flags(accept(fd, NULL, NULL));
#ifdef SO_NOSIGPIPE
	int on = 1;
	if (client >= 0)
		(void)setsockopt(client, SOL_SOCKET, SO_NOSIGPIPE, &on, sizeof(on));
#endif
	return client;
}

ssize_t wg_uapi_system_send(int fd, const void *data, size_t len)
{
	return send(fd, data, len, MSG_NOSIGNAL | MSG_DONTWAIT);
}

int wg_uapi_system_pipe(int ends[2])
{
	if (pipe(ends) != 0)
		return -1;
	ends[0] = with_flags(ends[0]);
	ends[1] = with_flags(ends[1]);
	if (ends[0] >= 0 && ends[1] >= 0)
		return 0;
	int e = errno;
	for (int i = 0; i < 2; i++)
		if (ends[i] >= 0)
			close(ends[i]);
	errno = e;
	return -1;
}

bool wg_uapi_system_user(int fd, uid_t *ret_user)
{
	gid_t group;
	return getpeereid(fd, ret_user, &group) == 0;
}

/* A socket's file cannot be opened, and so not be watched; its folder can. */
static int open_folder(const char *path)
{
	char folder[sizeof(((struct sockaddr_un *)NULL)->sun_path) + 1];
	const char *slash = strrchr(path, '/');
	int n = slash == NULL || slash == path ? 1 : (int)(slash - path);
	snprintf(folder, sizeof(folder), "%.*s", n, slash == NULL ? "." : path);
	return open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
}

int wg_uapi_system_watch(struct wg_uapi_watch *w, const char *path)
{
	struct kevent change;
	w->folder_fd = open_folder(path);
	w->fd = w->folder_fd >= 0 ? kqueue() : -1;
	if (w->fd >= 0) {
		/* NetBSD has an integer where the others have a pointer */
		EV_SET(&change, (uintptr_t)w->folder_fd, EVFILT_VNODE, EV_ADD | EV_CLEAR,
		       NOTE_WRITE, 0, 0);
		if (fcntl(w->fd, F_SETFD, FD_CLOEXEC) == 0 &&
		    kevent(w->fd, &change, 1, NULL, 0, NULL) == 0)
			return 0;
	}
	int e = errno;
	wg_uapi_system_unwatch(w);
	errno = e;
	return -1;
}

void wg_uapi_system_drain(const struct wg_uapi_watch *w)
{
	const struct timespec at_once = {0};
	struct kevent events[4];
	while (kevent(w->fd, NULL, 0, events, 4, &at_once) > 0)
		continue;
}

void wg_uapi_system_unwatch(struct wg_uapi_watch *w)
{
	if (w->fd >= 0)
		close(w->fd);
	if (w->folder_fd >= 0)
		close(w->folder_fd);
	w->fd = w->folder_fd = -1;
}
