/* SPDX-License-Identifier: BSD-2-Clause */
/* secret: texts that nobody else may read: from a file, from the environment, and wiped. */
#include "secret.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "fault.h"
#include "wipe.h"

static char *resolve_path(const char *folder, const char *path)
{
	char *whole = NULL;
	if (path[0] == '/')
		return strdup(path);
	return asprintf(&whole, "%s/%s", folder, path) >= 0 ? whole : NULL;
}

static bool is_private(int fd, const char *path, struct vpn_error *err)
{
	struct stat st;
	if (fstat(fd, &st) != 0) {
		fault(err, VPN_EIO, errno, "secret file %s: %s", path, strerror(errno));
	} else if (!S_ISREG(st.st_mode)) {
		fault(err, VPN_EINVAL, 0, "secret file %s is not a regular file", path);
	} else if (st.st_uid != 0 && st.st_uid != geteuid()) {
		fault(err, VPN_EPERM, 0,
		      "secret file %s belongs to user %u, who is neither root nor you; chown it",
		      path, (unsigned)st.st_uid);
	} else if ((st.st_mode & (S_IRWXG | S_IRWXO)) != 0) {
		fault(err, VPN_EPERM, 0,
		      "secret file %s is open to others (mode %04o); chmod 600 %s", path,
		      (unsigned)(st.st_mode & 07777), path);
	} else {
		return true;
	}
	return false;
}

/* Reads all of fd, at most SECRET_MAX bytes; the length, or -1 with errno. */
static ssize_t read_all(int fd, char *buf)
{
	size_t len = 0;
	while (len <= SECRET_MAX) {
		ssize_t n = read(fd, buf + len, SECRET_MAX + 1 - len);
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return -1;
		if (n == 0)
			break;
		len += (size_t)n;
	}
	return (ssize_t)len;
}

/* Leaves out one newline, with the carriage return in front of it, and checks what is left. */
static bool trim(char *buf, size_t len, const char *path, struct vpn_error *err)
{
	if (len > SECRET_MAX) {
		fault(err, VPN_EINVAL, 0, "secret file %s is longer than %u bytes", path,
		      SECRET_MAX);
		return false;
	}
	if (len > 0 && buf[len - 1] == '\n') {
		len--;
		if (len > 0 && buf[len - 1] == '\r')
			len--;
	}
	buf[len] = '\0';
	if (len == 0)
		fault(err, VPN_EINVAL, 0, "secret file %s is empty", path);
	else if (strlen(buf) != len)
		fault(err, VPN_EINVAL, 0, "secret file %s is not text: it has a NUL byte", path);
	else
		return true;
	return false;
}

static char *read_text(int fd, const char *path, struct vpn_error *err)
{
	/* Its whole size is allocated at once: growing would leave copies behind. */
	char *buf = calloc(1, SECRET_MAX + 2);
	if (buf == NULL) {
		fault(err, VPN_ENOMEM, 0, "out of memory");
		return NULL;
	}
	char *text = NULL;
	ssize_t len = read_all(fd, buf);
	if (len < 0)
		fault(err, VPN_EIO, errno, "secret file %s: %s", path, strerror(errno));
	else if (trim(buf, (size_t)len, path, err) && (text = strdup(buf)) == NULL)
		fault(err, VPN_ENOMEM, 0, "out of memory");
	wipe(buf, SECRET_MAX + 2);
	free(buf);
	return text;
}

char *secret_read(const char *folder, const char *path, struct vpn_error *err)
{
	char *text = NULL;
	char *whole = resolve_path(folder, path);
	if (whole == NULL) {
		fault(err, VPN_ENOMEM, 0, "out of memory");
		return NULL;
	}
	int fd = open(whole, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
	if (fd < 0) {
		fault(err, errno == ENOENT ? VPN_ENOENT : VPN_EIO, errno, "secret file %s: %s",
		      whole, strerror(errno));
	} else {
		if (is_private(fd, whole, err))
			text = read_text(fd, whole, err);
		close(fd);
	}
	free(whole);
	return text;
}

char *secret_from_env(const char *name, struct vpn_error *err)
{
	const char *value = getenv(name);
	char *text = NULL;
	if (value == NULL || *value == '\0')
		fault(err, VPN_ENOENT, 0, "environment variable %s is %s", name,
		      value == NULL ? "not set" : "empty");
	else if ((text = strdup(value)) == NULL)
		fault(err, VPN_ENOMEM, 0, "out of memory");
	return text;
}

char *secret_free(char *text)
{
	if (text != NULL)
		wipe(text, strlen(text));
	free(text);
	return NULL;
}
