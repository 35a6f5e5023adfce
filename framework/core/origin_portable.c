/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * origin where the system has no name for one run of the machine. kern.boottime of the BSDs is none: it is the
 * time of day less the time since the start, and moves when the clock is set. So the time since the start
 * is noted: when it is less than it was, the machine has started anew. When it is not, that is not
 * known; but the rc scripts of these systems empty /var/run when the machine starts.
 */
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "origin.h"

#define NS_PER_S UINT64_C(1000000000)

static uint64_t now_ns(clockid_t clock)
{
	struct timespec now;
	if (clock_gettime(clock, &now) != 0)
		return 0;
	return (uint64_t)now.tv_sec * NS_PER_S + (uint64_t)now.tv_nsec;
}

void origin_here(struct origin *out)
{
	memset(out, 0, sizeof(*out));
	uint64_t up_ns = now_ns(CLOCK_MONOTONIC);
	memcpy(out->boot, &up_ns, sizeof(up_ns));
	out->wall_ns = now_ns(CLOCK_REALTIME);
	out->pid = (uint32_t)getpid();
}

bool origin_is_other_boot(const struct origin *then, const struct origin *now)
{
	uint64_t then_ns, up_ns;
	memcpy(&then_ns, then->boot, sizeof(then_ns));
	memcpy(&up_ns, now->boot, sizeof(up_ns));
	return up_ns < then_ns;
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
