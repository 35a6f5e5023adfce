/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * uapi_socket: the listening socket of the UAPI and its file.
 *
 * The file comes into being closed to others and ready to be connected to: it is bound, is given its mode
 * and listens under a hidden name, and is then linked to its own. wg(8) deletes a socket that refuses a
 * connection, and one between bind() and listen() would.
 */
#include "uapi_socket.h"

#include <errno.h>
#include <fcntl.h>
#include <sodium.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "text.h"

#define BACKLOG 16
#define TRIES   3 /* to put our file in the place of a dead one */

static vpn_status status_of(int os_errno)
{
	if (os_errno == EACCES || os_errno == EPERM)
		return VPN_EPERM;
	return os_errno == ENOMEM || os_errno == ENOBUFS ? VPN_ENOMEM : VPN_EIO;
}

static vpn_status fail(struct vpn_error *err, const char *doing, const char *path)
{
	int e = errno;
	return wg_fault(err, status_of(e), e, "", "cannot %s %s", doing, path);
}

static void to_address(const char *path, struct sockaddr_un *out)
{
	memset(out, 0, sizeof(*out));
	out->sun_family = AF_UNIX;
	snprintf(out->sun_path, sizeof(out->sun_path), "%s", path);
}

/* ---- names ---- */

static bool is_name(const char *name)
{
	return name[0] != '\0' && strchr(name, '/') == NULL && strcmp(name, ".") != 0 &&
	       strcmp(name, "..") != 0;
}

static vpn_status name_files(struct wg_uapi_socket *s, const char *directory, const char *name,
			     char hidden[sizeof(s->path)], struct vpn_error *err)
{
	if (!is_name(name))
		return wg_fault(err, VPN_EINVAL, 0, "", "\"%s\" cannot name a socket", name);
	int n = snprintf(hidden, sizeof(s->path), "%s/.%s.%08x", directory, name,
			 randombytes_random());
	int m = snprintf(s->path, sizeof(s->path), "%s/%s.sock", directory, name);
	if (n < 0 || m < 0 || (size_t)n >= sizeof(s->path) || (size_t)m >= sizeof(s->path))
		return wg_fault(err, VPN_EINVAL, 0, "", "\"%s\" is too long for a socket's name",
				name);
	return VPN_OK;
}

/* ---- the file ---- */

/* Whether somebody would be wronged if we took the file away. */
static bool is_live(const char *path)
{
	struct sockaddr_un address;
	struct stat st;
	bool live = true;
	if (lstat(path, &st) != 0)
		return errno != ENOENT;
	if (!S_ISSOCK(st.st_mode))
		return true;
	int fd = wg_uapi_system_socket();
	if (fd < 0)
		return true;
	to_address(path, &address);
	if (connect(fd, (const struct sockaddr *)&address, sizeof(address)) != 0)
		live = errno != ECONNREFUSED && errno != ENOENT;
	close(fd);
	return live;
}

/* Gives the hidden file its name. */
static vpn_status publish(struct wg_uapi_socket *s, const char *hidden, struct vpn_error *err)
{
	for (int i = 0; i < TRIES; i++) {
		if (link(hidden, s->path) == 0)
			return VPN_OK;
		if (errno != EEXIST)
			return fail(err, "make", s->path);
		if (is_live(s->path))
			break;
		if (unlink(s->path) != 0 && errno != ENOENT)
			return fail(err, "replace", s->path);
	}
	return wg_fault(err, VPN_EBUSY, EADDRINUSE, "",
			"another program answers at %s: stop it, or give the device another name",
			s->path);
}

static vpn_status listen_hidden(struct wg_uapi_socket *s, const char *hidden, struct vpn_error *err)
{
	if (wg_uapi_system_bind(s->fd, hidden) != 0)
		return fail(err, "make", s->path);
	if (listen(s->fd, BACKLOG) != 0)
		return fail(err, "listen on", s->path);
	return VPN_OK;
}

static vpn_status make(struct wg_uapi_socket *s, const char *directory, const char *hidden,
		       struct vpn_error *err)
{
	if (mkdir(directory, 0755) != 0 && errno != EEXIST)
		return fail(err, "make", directory);
	s->fd = wg_uapi_system_socket();
	if (s->fd < 0)
		return fail(err, "make", s->path);
	vpn_status status = listen_hidden(s, hidden, err);
	if (status == VPN_OK)
		status = publish(s, hidden, err);
	(void)unlink(hidden);
	return status;
}

static vpn_status take(struct wg_uapi_socket *s, int fd, struct vpn_error *err)
{
	int flags = fcntl(fd, F_GETFL);
	int listens = 0;
	socklen_t len = sizeof(listens);
	if (flags < 0 || getsockopt(fd, SOL_SOCKET, SO_ACCEPTCONN, &listens, &len) != 0 || !listens)
		return wg_fault(err, VPN_EINVAL, 0, "", "descriptor %d does not listen", fd);
	if (fcntl(fd, F_SETFL, flags | O_NONBLOCK) != 0 || fcntl(fd, F_SETFD, FD_CLOEXEC) != 0)
		return fail(err, "take", "a socket");
	s->fd = fd;
	return VPN_OK;
}

/* Notes which file is ours, and has deletion and renaming told. A taken socket may have none. */
static vpn_status watch(struct wg_uapi_socket *s, bool may_lack, struct vpn_error *err)
{
	struct stat st;
	if (lstat(s->path, &st) != 0 || !S_ISSOCK(st.st_mode)) {
		if (may_lack)
			return VPN_OK;
		return fail(err, "find", s->path);
	}
	if (wg_uapi_system_watch(&s->watch, s->path) != 0)
		return fail(err, "watch", s->path);
	s->device = st.st_dev;
	s->inode = st.st_ino;
	return VPN_OK;
}

static bool is_ours(const struct wg_uapi_socket *s)
{
	struct stat st;
	return lstat(s->path, &st) == 0 && st.st_dev == s->device && st.st_ino == s->inode;
}

/* ---- life ---- */

vpn_status wg_uapi_socket_open(struct wg_uapi_socket *s, const char *directory, const char *name,
			       int fd, struct vpn_error *err)
{
	char hidden[sizeof(s->path)];
	memset(s, 0, sizeof(*s));
	s->fd = -1;
	s->watch.fd = s->watch.folder_fd = -1;
	vpn_status status = name_files(s, directory, name, hidden, err);
	if (status != VPN_OK)
		return status;
	status = fd >= 0 ? take(s, fd, err) : make(s, directory, hidden, err);
	if (status == VPN_OK)
		status = watch(s, fd >= 0, err);
	if (status == VPN_OK)
		return VPN_OK;
	if (fd >= 0)
		s->fd = -1; /* the caller's */
	wg_uapi_socket_close(s);
	return status;
}

void wg_uapi_socket_close(struct wg_uapi_socket *s)
{
	/* while we still listen: nobody can have taken the name for that of a dead socket */
	if (s->inode != 0 && is_ours(s))
		(void)unlink(s->path);
	wg_uapi_system_unwatch(&s->watch);
	if (s->fd >= 0)
		close(s->fd);
	s->fd = -1;
	s->inode = 0;
}

bool wg_uapi_socket_is_gone(struct wg_uapi_socket *s)
{
	if (s->watch.fd >= 0)
		wg_uapi_system_drain(&s->watch);
	return !is_ours(s);
}

/* ---- clients ---- */

static bool is_permitted(int fd)
{
	uid_t user;
	return wg_uapi_system_user(fd, &user) && (user == 0 || user == geteuid());
}

int wg_uapi_socket_accept(const struct wg_uapi_socket *s)
{
	int fd = wg_uapi_system_accept(s->fd);
	if (fd < 0 || is_permitted(fd))
		return fd;
	close(fd);
	errno = EACCES;
	return -1;
}
