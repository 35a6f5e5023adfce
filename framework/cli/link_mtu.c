/* SPDX-License-Identifier: BSD-2-Clause */
#include "link_mtu.h"

#include <errno.h>
#include <fcntl.h>
#include <ifaddrs.h>
#include <net/if.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

static int ask(unsigned long request, const char *name, struct ifreq *ifr)
{
	int fd = socket(AF_INET, SOCK_DGRAM, 0);
	if (fd < 0)
		return -errno;
	(void)fcntl(fd, F_SETFD, FD_CLOEXEC);
	snprintf(ifr->ifr_name, sizeof(ifr->ifr_name), "%s", name);
	int e = ioctl(fd, request, ifr) != 0 ? -errno : 0;
	close(fd);
	return e;
}

uint32_t link_mtu_largest(void)
{
	struct ifaddrs *list = NULL;
	uint32_t largest = 0;
	if (getifaddrs(&list) != 0)
		return 0;
	for (const struct ifaddrs *a = list; a != NULL; a = a->ifa_next) {
		struct ifreq ifr = {0};
		if ((a->ifa_flags & IFF_UP) == 0 || (a->ifa_flags & IFF_LOOPBACK) != 0)
			continue;
		if (ask(SIOCGIFMTU, a->ifa_name, &ifr) == 0 && ifr.ifr_mtu > 0 &&
		    (uint32_t)ifr.ifr_mtu > largest)
			largest = (uint32_t)ifr.ifr_mtu;
	}
	freeifaddrs(list);
	return largest;
}

int link_mtu_set(const char *name, uint32_t mtu)
{
	struct ifreq ifr = {.ifr_mtu = (int)mtu};
	return ask(SIOCSIFMTU, name, &ifr);
}
