/* SPDX-License-Identifier: BSD-2-Clause */
/* folder: a folder of its own for a test, with files of given contents and modes. */
#include "folder.h"

#include <fcntl.h>
#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static void must(int good, const char *what)
{
	if (good)
		return;
	perror(what);
	abort();
}

char *folder_new(void)
{
	char *folder = strdup("/tmp/vpncore-test-XXXXXX");
	must(folder != NULL && mkdtemp(folder) != NULL, "mkdtemp");
	must(chmod(folder, 0755) == 0, "chmod");
	return folder;
}

static int remove_one(const char *path, const struct stat *st, int type, struct FTW *at)
{
	(void)st;
	(void)type;
	(void)at;
	return remove(path);
}

void folder_free(char *folder)
{
	must(nftw(folder, remove_one, 8, FTW_DEPTH | FTW_PHYS) == 0, folder);
	free(folder);
}

char *folder_path(const char *folder, const char *name)
{
	size_t n = strlen(folder) + strlen(name) + 2;
	char *path = malloc(n);
	must(path != NULL, "malloc");
	snprintf(path, n, "%s/%s", folder, name);
	return path;
}

void folder_write(const char *folder, const char *name, const void *data, size_t len, mode_t mode)
{
	char *path = folder_path(folder, name);
	int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	must(fd >= 0, path);
	must(write(fd, data, len) == (ssize_t)len, path);
	must(fchmod(fd, mode) == 0 && close(fd) == 0, path);
	free(path);
}

void folder_copy(const char *folder, const char *name, const char *from, mode_t mode)
{
	struct stat st;
	int fd = open(from, O_RDONLY | O_CLOEXEC);
	must(fd >= 0 && fstat(fd, &st) == 0, from);
	size_t len = (size_t)st.st_size;
	char *data = malloc(len);
	must(data != NULL && read(fd, data, len) == (ssize_t)len, from);
	must(close(fd) == 0, from);
	folder_write(folder, name, data, len, mode);
	free(data);
}
