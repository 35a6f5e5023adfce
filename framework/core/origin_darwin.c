/* SPDX-License-Identifier: BSD-2-Clause */
#include <string.h>
#include <sys/sysctl.h>
#include <time.h>
#include <unistd.h>
#include <uuid/uuid.h>

#include "origin.h"

/* kern.bootsessionuuid (xnu, bsd/kern/kern_sysctl.c): a UUID in text. */
static void read_boot(uint8_t boot[16])
{
	char text[64] = "";
	size_t len = sizeof(text) - 1;
	if (sysctlbyname("kern.bootsessionuuid", text, &len, NULL, 0) != 0 ||
	    uuid_parse(text, boot) != 0)
		memset(boot, 0, 16);
}

void origin_here(struct origin *out)
{
	struct timespec now;
	memset(out, 0, sizeof(*out));
	clock_gettime(CLOCK_REALTIME, &now);
	read_boot(out->boot);
	out->wall_ns = (uint64_t)now.tv_sec * UINT64_C(1000000000) + (uint64_t)now.tv_nsec;
	out->pid = (uint32_t)getpid();
}

bool origin_is_other_boot(const struct origin *then, const struct origin *now)
{
	return memcmp(then->boot, now->boot, sizeof(now->boot)) != 0;
}

bool origin_is_first_netns(bool unknown)
{
	(void)unknown;
	return true;
}

uint64_t origin_pid_namespace(void)
{
	return 0;
}
