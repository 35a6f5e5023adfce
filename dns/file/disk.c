/* SPDX-License-Identifier: BSD-2-Clause */
#include "disk.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/xattr.h>
#include <unistd.h>

#define MODE  0644 /* everybody's programs read it */
#define LABEL "security.selinux"

int dns_file_disk_kind(const char *path, enum dns_file_kind *ret, bool *ret_mounted)
{
	struct statx st;
	*ret = DNS_FILE_NONE;
	*ret_mounted = false;
	if (statx(AT_FDCWD, path, AT_SYMLINK_NOFOLLOW, STATX_TYPE, &st) != 0)
		return errno == ENOENT ? 0 : errno;
	*ret = S_ISREG(st.stx_mode)   ? DNS_FILE_REGULAR
	       : S_ISLNK(st.stx_mode) ? DNS_FILE_LINK
				      : DNS_FILE_OTHER;
	*ret_mounted = (st.stx_attributes & STATX_ATTR_MOUNT_ROOT) != 0; /* since Linux 5.8 */
	return 0;
}

static int read_all(int fd, char *buf, size_t cap, size_t *ret_len)
{
	char one;
	size_t len = 0;
	for (;;) {
		ssize_t n = len < cap ? read(fd, buf + len, cap - len) : read(fd, &one, 1);
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return errno;
		*ret_len = len;
		if (n == 0)
			return 0;
		if (len == cap)
			return EFBIG;
		len += (size_t)n;
	}
}

/* Without waiting for anything, and not through a link. */
static int open_regular(const char *path, int flags, int *ret_fd)
{
	struct stat st;
	*ret_fd = open(path, flags | O_NOFOLLOW | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
	if (*ret_fd < 0)
		return errno;
	if (fstat(*ret_fd, &st) == 0 && S_ISREG(st.st_mode))
		return 0;
	close(*ret_fd);
	return EINVAL;
}

int dns_file_disk_read(const char *path, char *buf, size_t cap, size_t *ret_len)
{
	int fd;
	int e = open_regular(path, O_RDONLY, &fd);
	if (e != 0)
		return e;
	e = read_all(fd, buf, cap, ret_len);
	close(fd);
	return e;
}

/* At the file's beginning. */
static int write_all(int fd, const char *text, size_t len)
{
	size_t at = 0;
	while (at < len) {
		ssize_t n = pwrite(fd, text + at, len - at, (off_t)at);
		if (n < 0 && errno != EINTR)
			return errno;
		if (n > 0)
			at += (size_t)n;
	}
	return 0;
}

/* Under SELinux a file in /etc would get another label than resolv.conf has, and services could not read
 * it. Elsewhere there is none. */
static void copy_label(const char *like, int fd)
{
	char label[256];
	ssize_t n = getxattr(like, LABEL, label, sizeof(label));
	if (n > 0)
		(void)fsetxattr(fd, LABEL, label, (size_t)n, 0);
}

int dns_file_disk_create(const char *path, const char *like, const char *text, size_t len)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, MODE);
	if (fd < 0)
		return errno;
	int e = write_all(fd, text, len);
	if (e == 0 && fchmod(fd, MODE) != 0) /* whatever the umask */
		e = errno;
	copy_label(like, fd);
	if (e == 0 && fsync(fd) != 0)
		e = errno;
	close(fd);
	if (e != 0)
		unlink(path);
	return e;
}

/* Longer or shorter last: until then no room is given back that `before` would need. */
static int put(int fd, const char *text, size_t len)
{
	int e = write_all(fd, text, len);
	if (e == 0 && ftruncate(fd, (off_t)len) != 0)
		e = errno;
	if (e == 0 && fsync(fd) != 0)
		e = errno;
	return e;
}

int dns_file_disk_overwrite(const char *path, const char *text, size_t len, const char *before,
			    size_t n_before)
{
	int fd;
	int e = open_regular(path, O_WRONLY, &fd);
	if (e != 0)
		return e;
	e = put(fd, text, len);
	if (e != 0)
		(void)put(fd, before, n_before);
	close(fd);
	return e;
}

void dns_file_disk_sync_folder(const char *path)
{
	char folder[256];
	const char *slash = strrchr(path, '/');
	int n = slash == path ? 1 : (int)(slash - path);
	snprintf(folder, sizeof(folder), "%.*s", n, path);
	int fd = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0)
		return;
	(void)fsync(fd);
	close(fd);
}

/* `now` over `before`, broken off after k bytes: now[0..k) and then before[k..). */
static bool is_torn(const char *text, size_t len, const char *now, size_t n_now, const char *before,
		    size_t n_before)
{
	size_t k = 0;
	while (k < len && k < n_now && text[k] == now[k])
		k++;
	/* any lesser k may be the one where it broke off */
	size_t same = 0; /* of the ends */
	while (same < len && len <= n_before && text[len - 1 - same] == before[len - 1 - same])
		same++;
	return len == n_before ? k + same >= len : len > n_before && len <= n_now && k == len;
}

bool dns_file_disk_is_between(const char *text, size_t len, const char *now, size_t n_now,
			      const char *before, size_t n_before)
{
	if (len == n_now && memcmp(text, now, len) == 0)
		return true;
	return is_torn(text, len, now, n_now, before, n_before);
}
