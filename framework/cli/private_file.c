/* SPDX-License-Identifier: BSD-2-Clause */
#include "private_file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static int write_all(int fd, const char *data, size_t len)
{
	while (len > 0) {
		ssize_t n = write(fd, data, len);
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return -errno;
		data += n;
		len -= (size_t)n;
	}
	return 0;
}

/* What is replaced must be a file: a rename over anything else would fail later, or do harm. */
static int check_target(const char *path)
{
	struct stat st;
	if (lstat(path, &st) != 0)
		return errno == ENOENT ? 0 : -errno;
	if (S_ISDIR(st.st_mode))
		return -EISDIR;
	return S_ISREG(st.st_mode) ? 0 : -EEXIST;
}

/* Makes the file, or with `replace` one beside it. The descriptor, or a negative errno. */
static int create(struct private_file *file, bool replace)
{
	if (!replace) {
		int fd = open(file->path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW,
			      0600);
		return fd < 0 ? -errno : fd;
	}
	int e = check_target(file->path);
	if (e != 0)
		return e;
	if (asprintf(&file->temporary, "%s.XXXXXX", file->path) < 0) {
		file->temporary = NULL;
		return -ENOMEM;
	}
	int fd = mkostemp(file->temporary, O_CLOEXEC);
	return fd < 0 ? -errno : fd;
}

static int fill(int fd, const char *data, size_t len)
{
	int e = fchmod(fd, 0600) == 0 ? 0 : -errno;
	if (e == 0)
		e = write_all(fd, data, len);
	if (e == 0 && fsync(fd) != 0 && errno != EINVAL && errno != EROFS)
		e = -errno;
	if (close(fd) != 0 && e == 0)
		e = -errno;
	return e;
}

int private_files_write(struct private_files *f, const char *path, const char *data, size_t len)
{
	struct private_file *items = realloc(f->items, (f->n + 1) * sizeof(*items));
	if (items == NULL)
		return -ENOMEM;
	f->items = items;
	struct private_file *file = &items[f->n];
	*file = (struct private_file){.path = strdup(path)};
	if (file->path == NULL)
		return -ENOMEM;
	f->n++;
	int fd = create(file, f->replace);
	if (fd < 0)
		return fd;
	file->exists = true;
	return fill(fd, data, len);
}

static void clear(struct private_files *f)
{
	for (size_t i = 0; i < f->n; i++) {
		free(f->items[i].path);
		free(f->items[i].temporary);
	}
	free(f->items);
	f->items = NULL;
	f->n = 0;
}

int private_files_keep(struct private_files *f, char **ret_path)
{
	for (size_t i = 0; i < f->n; i++) {
		struct private_file *file = &f->items[i];
		if (file->temporary != NULL && rename(file->temporary, file->path) != 0) {
			int e = -errno;
			*ret_path = strdup(file->path);
			private_files_drop(f);
			return e;
		}
		file->exists = false;
	}
	clear(f);
	return 0;
}

void private_files_drop(struct private_files *f)
{
	for (size_t i = 0; i < f->n; i++) {
		const struct private_file *file = &f->items[i];
		if (file->exists)
			(void)unlink(file->temporary != NULL ? file->temporary : file->path);
	}
	clear(f);
}

void private_warn_stdout(const char *command)
{
	struct stat st;
	if (fstat(STDOUT_FILENO, &st) == 0 && S_ISREG(st.st_mode) &&
	    (st.st_mode & (S_IRWXG | S_IRWXO)) != 0)
		fprintf(stderr,
			"vpncore %s: warning: standard output is a file that others can open (mode "
			"%04o); chmod 600 it, or use -o\n",
			command, (unsigned)(st.st_mode & 07777));
}
