/* SPDX-License-Identifier: BSD-2-Clause */
#include "place.h"

#include <errno.h>
#include <linux/if_tun.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "device.h"

#ifndef TUNGETDEVNETNS
#define TUNGETDEVNETNS _IO('T', 227) /* Linux 5.5 */
#endif

#define TRIES 4 /* to look where the device is: it may move while we do */

static bool is_ours(int ns)
{
	struct stat theirs, ours;
	return fstat(ns, &theirs) == 0 && stat("/proc/thread-self/ns/net", &ours) == 0 &&
	       theirs.st_dev == ours.st_dev && theirs.st_ino == ours.st_ino;
}

bool tuntap_place_is_home(int fd, const char *name)
{
	int ns = ioctl(fd, TUNGETDEVNETNS);
	if (ns < 0) /* needs CAP_NET_ADMIN and Linux 5.5; the name tells most of it */
		return if_nametoindex(name) != 0;
	bool ours = is_ours(ns);
	close(ns);
	return ours;
}

/* One look. ENODEV: the device has moved on. */
static int look(int fd, struct tuntap_netlink *nl, struct tuntap_place *ret)
{
	char name[IFNAMSIZ];
	int e = 0;
	*ret = (struct tuntap_place){.kind = TUNTAP_GONE, .nsid = -1};
	if (!tuntap_device_name(fd, name))
		return 0;
	ret->kind = TUNTAP_HIDDEN;
	int ns = ioctl(fd, TUNGETDEVNETNS);
	if (ns < 0)
		return errno;
	if (is_ours(ns))
		ret->kind = TUNTAP_HOME;
	else if ((e = tuntap_netlink_get_nsid(nl, ns, &ret->nsid)) == 0)
		ret->kind = TUNTAP_AWAY;
	close(ns); /* it keeps the namespace alive */
	if (e == 0)
		e = tuntap_netlink_get_link_in(nl, ret->nsid, 0, name, &ret->link);
	if (e == 0 && strcmp(ret->link.kind, "tun") != 0)
		e = ENODEV;
	return e;
}

void tuntap_place_find(int fd, struct tuntap_netlink *nl, struct tuntap_place *ret)
{
	int e = ENODEV;
	for (int i = 0; i < TRIES && e == ENODEV; i++)
		e = look(fd, nl, ret);
	if (e != 0)
		*ret = (struct tuntap_place){.kind = TUNTAP_HIDDEN, .nsid = -1};
}
