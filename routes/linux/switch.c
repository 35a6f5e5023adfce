/* SPDX-License-Identifier: BSD-2-Clause */
#include "switch.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

static int open_switch(const char *path, int flags)
{
	char full[ROUTES_SWITCH_PATH + 16];
	snprintf(full, sizeof(full), "/proc/sys/%s", path);
	return open(full, flags | O_CLOEXEC | O_NOFOLLOW);
}

int routes_switch_read(const char *path, char value[ROUTES_SWITCH_VALUE])
{
	int fd = open_switch(path, O_RDONLY);
	if (fd < 0)
		return errno;
	ssize_t n = read(fd, value, ROUTES_SWITCH_VALUE);
	int e = n < 0 ? errno : 0;
	close(fd);
	if (e != 0)
		return e;
	if (n == ROUTES_SWITCH_VALUE)
		return EOVERFLOW;
	value[n] = '\0';
	value[strcspn(value, "\n")] = '\0';
	return 0;
}

int routes_switch_write(const char *path, const char *value)
{
	size_t len = strlen(value);
	int fd = open_switch(path, O_WRONLY);
	if (fd < 0)
		return errno;
	ssize_t n = write(fd, value, len);
	int e = n < 0 ? errno : (size_t)n != len ? EIO : 0;
	close(fd);
	return e;
}

static bool is_forwarding_of_one(const char *path, const char *root)
{
	size_t n = strlen(root);
	const char *name = path + n;
	const char *slash = strncmp(path, root, n) == 0 ? strchr(name, '/') : NULL;
	return slash != NULL && slash != name && name[0] != '.' &&
	       strcmp(slash, "/forwarding") == 0;
}

bool routes_switch_is_ours(const char *path)
{
	static const char *const ours[] = {"net/ipv4/conf/all/src_valid_mark", ROUTES_FORWARD4,
					   ROUTES_FORWARD6, ROUTES_REDIRECTS};
	for (size_t i = 0; i < sizeof(ours) / sizeof(ours[0]); i++)
		if (strcmp(path, ours[i]) == 0)
			return true;
	return is_forwarding_of_one(path, "net/ipv4/conf/") ||
	       is_forwarding_of_one(path, "net/ipv6/conf/");
}

/* ---- what goes along ---- */

static int add_along(const char *path, const char *made, const char *before,
		     struct routes_list *ret)
{
	struct routes_along along = {.set.path = ""};
	char now[ROUTES_SWITCH_VALUE];
	if (routes_switch_read(path, now) != 0 || strcmp(now, before) != 0)
		return 0;
	snprintf(along.set.path, sizeof(along.set.path), "%s", path);
	snprintf(along.set.value, sizeof(along.set.value), "%s", made);
	snprintf(along.before, sizeof(along.before), "%s", before);
	return routes_list_add(ret, &along, sizeof(along)) ? 0 : ENOMEM;
}

int routes_switch_along(const char *path, struct routes_list *ret)
{
	bool six = strcmp(path, ROUTES_FORWARD6) == 0;
	const char *family = six ? "net/ipv6/conf" : "net/ipv4/conf";
	char name[ROUTES_SWITCH_PATH];
	if (!six && strcmp(path, ROUTES_FORWARD4) != 0)
		return 0;
	snprintf(name, sizeof(name), "/proc/sys/%s", family);
	DIR *dir = opendir(name);
	if (dir == NULL)
		return errno;
	int e = six ? 0 : add_along(ROUTES_REDIRECTS, "1", "0", ret);
	for (struct dirent *d = readdir(dir); d != NULL && e == 0; d = readdir(dir)) {
		int n = snprintf(name, sizeof(name), "%s/%s/forwarding", family, d->d_name);
		if (d->d_name[0] != '.' && strcmp(d->d_name, "all") != 0 && n < (int)sizeof(name))
			e = add_along(name, "0", "1", ret);
	}
	closedir(dir);
	return e;
}
