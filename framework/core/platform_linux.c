/* SPDX-License-Identifier: BSD-2-Clause */
#include "platform.h"

#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

int platform_pipe(int ends[2])
{
	return pipe2(ends, O_CLOEXEC);
}

const char *platform_getenv(const char *name)
{
	return secure_getenv(name);
}

void platform_close_from(int lowest)
{
	closefrom(lowest);
}

int platform_sync(int fd)
{
	return fdatasync(fd);
}

/* Good also when the file has been replaced since. */
const char *platform_program(void)
{
	return "/proc/self/exe";
}

/* proc(5): never chosen by the OOM killer; where that is not allowed it stays as it is. */
void platform_be_spared(void)
{
	int fd = open("/proc/self/oom_score_adj", O_WRONLY | O_CLOEXEC);
	if (fd < 0)
		return;
	if (write(fd, "-1000", 5) != 5)
		(void)lseek(fd, 0, SEEK_SET);
	close(fd);
}
