/* SPDX-License-Identifier: BSD-2-Clause */
#include "trust.h"

#include <errno.h>
#include <limits.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define LINKS_MOST 40 /* as path_resolution(7) */

struct reason {
	char *at;
	size_t cap;
};

/* Writes why, and returns false. */
static bool distrust(const struct reason *why, const char *format, ...)
	__attribute__((format(printf, 2, 3)));

static bool distrust(const struct reason *why, const char *format, ...)
{
	va_list args;
	va_start(args, format);
	vsnprintf(why->at, why->cap, format, args);
	va_end(args);
	return false;
}

static bool is_ours(const char *path, const struct stat *st, const char *what,
		    const struct reason *why)
{
	if (st->st_uid != 0 && st->st_uid != geteuid())
		return distrust(why,
				"%s%s belongs to user %u, who is neither root nor you; chown it",
				what, path, (unsigned)st->st_uid);
	if ((st->st_mode & (S_IWGRP | S_IWOTH)) != 0)
		return distrust(why, "others can write %s%s (mode %04o); chmod go-w it", what, path,
				(unsigned)(st->st_mode & 07777));
	return true;
}

/* Cuts the last component off an absolute path; false at the root. */
static bool go_up(char *path)
{
	char *slash = strrchr(path, '/');
	if (slash == NULL || path[1] == '\0')
		return false;
	slash[slash == path] = '\0';
	return true;
}

/* The folders above: nobody may be able to put another one in place of ours. Those with the sticky bit
 * (/tmp) let only owners rename. */
static bool parents_are_safe(char *dir, const struct reason *why)
{
	struct stat st;
	while (go_up(dir)) {
		if (stat(dir, &st) != 0)
			return distrust(why, "folder %s: %s", dir, strerror(errno));
		if ((st.st_mode & S_IWOTH) != 0 && (st.st_mode & S_ISVTX) == 0)
			return distrust(why,
					"anybody can write the folder %s (mode %04o); chmod o-w it",
					dir, (unsigned)(st.st_mode & 07777));
	}
	return true;
}

/* The folder in which a file or a link stands, and those above; `path` is used up. */
static bool folder_is_ours(char *path, const struct reason *why)
{
	struct stat st;
	if (!go_up(path) || stat(path, &st) != 0)
		return distrust(why, "folder %s: %s", path, strerror(errno));
	return is_ours(path, &st, "its folder ", why) && parents_are_safe(path, why);
}

/* Where a symbolic link at path[PATH_MAX] leads, in its place; false when it is none or too long. */
static bool follow(char *path)
{
	char target[PATH_MAX], folder[PATH_MAX];
	ssize_t n = readlink(path, target, sizeof(target) - 1);
	if (n <= 0)
		return false;
	target[n] = '\0';
	snprintf(folder, sizeof(folder), "%s", path);
	if (target[0] == '/')
		folder[0] = '\0';
	else
		go_up(folder);
	int len = snprintf(path, PATH_MAX, "%s%s%s", folder, folder[0] != '\0' ? "/" : "", target);
	return len < PATH_MAX;
}

static bool links_are_ours(const char *path, const struct reason *why)
{
	char at[PATH_MAX], used[PATH_MAX];
	struct stat st;
	int n = snprintf(at, sizeof(at), "%s", path);
	if (n >= (int)sizeof(at))
		return distrust(why, "%s", strerror(ENAMETOOLONG));
	for (int i = 0; i < LINKS_MOST; i++) {
		if (lstat(at, &st) != 0)
			return distrust(why, "%s", strerror(errno));
		if (!S_ISLNK(st.st_mode))
			return true;
		memcpy(used, at, sizeof(used));
		if (!folder_is_ours(used, why))
			return false;
		if (!follow(at))
			return distrust(why, "a link in it leads nowhere");
	}
	return distrust(why, "%s", strerror(ELOOP));
}

bool trust_path(const char *path, char *why, size_t cap)
{
	const struct reason reason = {why, cap};
	struct stat st;
	if (!links_are_ours(path, &reason))
		return false;
	char *real = realpath(path, NULL);
	if (real == NULL || stat(real, &st) != 0) {
		free(real);
		return distrust(&reason, "%s", strerror(errno));
	}
	bool good = S_ISREG(st.st_mode) ? is_ours("it", &st, "", &reason)
					: distrust(&reason, "not a regular file");
	good = good && folder_is_ours(real, &reason);
	free(real);
	return good;
}
