/* SPDX-License-Identifier: BSD-2-Clause */
/* platform of macOS. */
#include "platform.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdlib.h>
#include <unistd.h>
#include <uv.h>

int platform_pipe(int ends[2])
{
	if (pipe(ends) != 0)
		return -1;
	if (fcntl(ends[0], F_SETFD, FD_CLOEXEC) == 0 && fcntl(ends[1], F_SETFD, FD_CLOEXEC) == 0)
		return 0;
	int e = errno;
	close(ends[0]);
	close(ends[1]);
	errno = e;
	return -1;
}

const char *platform_getenv(const char *name)
{
	return issetugid() ? NULL : getenv(name);
}

void platform_close_from(int lowest)
{
	int n = getdtablesize();
	for (int fd = lowest; fd < n; fd++)
		close(fd);
}

/* fsync(2) of macOS leaves the disk's own cache out, which the end of a process does not touch; with it
 * (F_FULLFSYNC) each change would take tens of milliseconds. */
int platform_sync(int fd)
{
	return fsync(fd);
}

const char *platform_program(void)
{
	static char path[PATH_MAX];
	size_t size = sizeof(path);
	return uv_exepath(path, &size) == 0 ? path : NULL;
}

void platform_be_spared(void)
{
}
