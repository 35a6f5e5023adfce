/* SPDX-License-Identifier: BSD-2-Clause */
#include "uapi_system.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/inotify.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

int wg_uapi_system_socket(void)
{
	return socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
}

/* The file gets the mode of the socket (net/unix/af_unix.c). umask() would be the process's, and other
 * threads make files as well. */
int wg_uapi_system_bind(int fd, const char *path)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	snprintf(address.sun_path, sizeof(address.sun_path), "%s", path);
	if (fchmod(fd, S_IRUSR | S_IWUSR) != 0)
		return -1;
	return bind(fd, (const struct sockaddr *)&address, sizeof(address));
}

int wg_uapi_system_accept(int fd)
{
	return accept4(fd, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
}

ssize_t wg_uapi_system_send(int fd, const void *data, size_t len)
{
	return send(fd, data, len, MSG_NOSIGNAL | MSG_DONTWAIT);
}

int wg_uapi_system_pipe(int ends[2])
{
	return pipe2(ends, O_CLOEXEC | O_NONBLOCK);
}

bool wg_uapi_system_user(int fd, uid_t *ret_user)
{
	struct ucred c;
	socklen_t len = sizeof(c);
	if (getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &c, &len) != 0)
		return false;
	*ret_user = c.uid;
	return true;
}

int wg_uapi_system_watch(struct wg_uapi_watch *w, const char *path)
{
	w->folder_fd = -1;
	w->fd = inotify_init1(IN_NONBLOCK | IN_CLOEXEC);
	if (w->fd < 0)
		return -1;
	/* The socket keeps the inode, so that deletion shows as a change of its link count. */
	if (inotify_add_watch(w->fd, path, IN_ATTRIB | IN_DELETE_SELF | IN_MOVE_SELF) >= 0)
		return 0;
	int e = errno;
	wg_uapi_system_unwatch(w);
	errno = e;
	return -1;
}

void wg_uapi_system_drain(const struct wg_uapi_watch *w)
{
	char events[1024];
	while (read(w->fd, events, sizeof(events)) > 0)
		continue;
}

void wg_uapi_system_unwatch(struct wg_uapi_watch *w)
{
	if (w->fd >= 0)
		close(w->fd);
	w->fd = -1;
}
