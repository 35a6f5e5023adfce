/* SPDX-License-Identifier: BSD-2-Clause */
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "origin.h"

#ifndef SO_NETNS_COOKIE
#define SO_NETNS_COOKIE 71 /* asm-generic/socket.h, since Linux 5.14 */
#endif

/* "/proc/sys/kernel/random/boot_id" (random(4)): a UUID in text. */
static void read_boot(uint8_t boot[16])
{
	char text[64];
	size_t n = 0;
	int fd = open("/proc/sys/kernel/random/boot_id", O_RDONLY | O_CLOEXEC);
	ssize_t len = fd >= 0 ? read(fd, text, sizeof(text) - 1) : -1;
	if (fd >= 0)
		close(fd);
	for (ssize_t i = 0; i + 1 < len && n < 16; i++) {
		char pair[3] = {text[i], text[i + 1], '\0'}, *end;
		unsigned long byte = strtoul(pair, &end, 16);
		if (end != pair + 2)
			continue; /* a hyphen */
		boot[n++] = (uint8_t)byte;
		i++;
	}
}

/* The kernel's own number of the namespace, which is never used again; where it is too old for that,
 * the number of the namespace's inode. */
static uint64_t read_netns(void)
{
	uint64_t cookie = 0;
	socklen_t len = sizeof(cookie);
	struct stat st;
	int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	bool known = fd >= 0 && getsockopt(fd, SOL_SOCKET, SO_NETNS_COOKIE, &cookie, &len) == 0;
	if (fd >= 0)
		close(fd);
	if (known)
		return cookie;
	return stat("/proc/self/ns/net", &st) == 0 ? (uint64_t)st.st_ino : 0;
}

void origin_here(struct origin *out)
{
	struct timespec now;
	memset(out, 0, sizeof(*out));
	clock_gettime(CLOCK_REALTIME, &now);
	read_boot(out->boot);
	out->netns = read_netns();
	out->wall_ns = (uint64_t)now.tv_sec * UINT64_C(1000000000) + (uint64_t)now.tv_nsec;
	out->pid = (uint32_t)getpid();
}

bool origin_is_other_boot(const struct origin *then, const struct origin *now)
{
	return memcmp(then->boot, now->boot, sizeof(now->boot)) != 0;
}

bool origin_is_first_netns(bool unknown)
{
	struct stat first, ours;
	if (stat("/proc/1/ns/net", &first) != 0 || stat("/proc/self/ns/net", &ours) != 0)
		return unknown;
	return first.st_dev == ours.st_dev && first.st_ino == ours.st_ino;
}

uint64_t origin_pid_namespace(void)
{
	struct stat st;
	return stat("/proc/self/ns/pid", &st) == 0 ? (uint64_t)st.st_ino : 0;
}
