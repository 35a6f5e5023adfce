/* SPDX-License-Identifier: BSD-2-Clause */
/* platform of FreeBSD, OpenBSD, NetBSD and DragonFly. */
#include "platform.h"

#include <fcntl.h>
#include <limits.h>
#include <stdlib.h>
#include <unistd.h>
#include <uv.h>

int platform_pipe(int ends[2])
{
	return pipe2(ends, O_CLOEXEC);
}

const char *platform_getenv(const char *name)
{
	return issetugid() ? NULL : getenv(name);
}

void platform_close_from(int lowest)
{
	(void)closefrom(lowest);
}

int platform_sync(int fd)
{
	return fdatasync(fd);
}

const char *platform_program(void)
{
	static char path[PATH_MAX];
	size_t size = sizeof(path);
	return uv_exepath(path, &size) == 0 ? path : NULL;
}

/* protect(1) of FreeBSD takes a process from the list for good, its children too: that is the
 * administrator's choice. The others have nothing like it. */
void platform_be_spared(void)
{
}
