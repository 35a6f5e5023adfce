/* SPDX-License-Identifier: BSD-2-Clause */
#include "device.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <linux/if_tun.h>
#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>
#include <vpncore/tcpip.h>

#include "fault.h"
#include "holder.h"
#include "place.h"

/* Linux 6.2 and newer; headers of Debian 12 do not have them. */
#ifndef TUN_F_USO4
#define TUN_F_USO4 0x20
#define TUN_F_USO6 0x40
#endif

#define OFFLOAD_TCP     (TUN_F_CSUM | TUN_F_TSO4 | TUN_F_TSO6)
#define OFFLOAD_TCP_UDP (OFFLOAD_TCP | TUN_F_USO4 | TUN_F_USO6)

static const char node[] = "/dev/net/tun";

static const char *layer_word(bool ethernet)
{
	return ethernet ? "ethernet" : "ip";
}

static const char *mode_word(bool ethernet)
{
	return ethernet ? "tap" : "tun";
}

bool tuntap_device_name(int fd, char name[IFNAMSIZ])
{
	struct ifreq req;
	memset(&req, 0, sizeof(req));
	if (ioctl(fd, TUNGETIFF, &req) != 0)
		return false;
	memcpy(name, req.ifr_name, IFNAMSIZ);
	name[IFNAMSIZ - 1] = '\0';
	return true;
}

/* ---- opening ---- */

static vpn_status open_node(int *ret, struct vpn_error *err)
{
	*ret = open(node, O_RDWR | O_CLOEXEC | O_NONBLOCK);
	if (*ret >= 0)
		return VPN_OK;
	int e = errno;
	switch (e) {
	case ENOENT:
	case ENODEV:
	case ENXIO:
		return tuntap_fault(err, VPN_ENOENT, e, NULL,
				    "%s is not there: load the driver (modprobe tun); give a "
				    "container the node (--device %s); "
				    "or make it (mkdir -p /dev/net && mknod %s c 10 200)",
				    node, node, node);
	case EPERM:
	case EACCES:
		return tuntap_fault(err, VPN_EPERM, e, NULL,
				    "may not open %s: in a container start it with --device %s "
				    "--cap-add NET_ADMIN; elsewhere chmod 0666 %s",
				    node, node, node);
	default:
		return tuntap_fault(err, tuntap_status(e), e, NULL, "cannot open %s: %s", node,
				    strerror(e));
	}
}

static vpn_status explain_eperm(const struct tuntap_device *d, const char *name,
				const struct tuntap_link *link, struct vpn_error *err)
{
	const char *mode = mode_word(d->ethernet);
	if (link == NULL)
		return tuntap_fault(err, VPN_EPERM, EPERM, "/name",
				    "making a device needs CAP_NET_ADMIN: run as root, or let root "
				    "make it once: "
				    "ip tuntap add dev %s mode %s user USER",
				    name[0] != '\0' && strchr(name, '%') == NULL ? name : "vpn0",
				    mode);
	if (link->owner != UINT32_MAX)
		return tuntap_fault(err, VPN_EPERM, EPERM, "/name",
				    "%s belongs to user %u: run as that user, or as root", name,
				    link->owner);
	return tuntap_fault(err, VPN_EPERM, EPERM, "/name",
			    "%s belongs to group %u: run as a member of it, or as root", name,
			    link->group);
}

static vpn_status explain_einval(const struct tuntap_device *d, const char *name,
				 const struct tuntap_link *link, struct vpn_error *err)
{
	if (link == NULL)
		return tuntap_fault(err, VPN_EINVAL, EINVAL, "/name",
				    "the kernel refuses the name \"%s\"", name);
	if (strcmp(link->kind, "tun") != 0)
		return tuntap_fault(
			err, VPN_EINVAL, EINVAL, "/name",
			"%s is there already, and is no TUN or TAP device: choose another name",
			name);
	if (link->ethernet != d->ethernet)
		return tuntap_fault(err, VPN_EINVAL, EINVAL, "/layer",
				    "%s is there already as a %s device: write \"layer\": \"%s\", "
				    "or choose another name",
				    name, mode_word(link->ethernet), layer_word(link->ethernet));
	return tuntap_fault(
		err, VPN_EINVAL, EINVAL, "/name",
		"%s was made with one queue and cannot serve several lanes: make it anew by "
		"ip tuntap add dev %s mode %s multi_queue, or leave \"lanes\" out",
		name, name, mode_word(d->ethernet));
}

static vpn_status explain_ebusy(const struct tuntap_options *o, const char *name,
				struct vpn_error *err)
{
	char holder[128];
	if (o->exclusive)
		return tuntap_fault(err, VPN_EBUSY, EBUSY, "/exclusive",
				    "%s is there already, and \"exclusive\" asks for a new device",
				    name);
	tuntap_holder_find(name, holder, sizeof(holder));
	return tuntap_fault(err, VPN_EBUSY, EBUSY, "/name",
			    "%s is in use by %s: stop that, or choose another name", name, holder);
}

static vpn_status explain_iff(const struct tuntap_device *d, const struct tuntap_options *o,
			      struct tuntap_netlink *nl, const char *name, int e,
			      struct vpn_error *err)
{
	struct tuntap_link there;
	bool known = name[0] != '\0' && tuntap_netlink_get_link(nl, 0, name, &there) == 0;
	switch (e) {
	case EPERM:
		return explain_eperm(d, name, known ? &there : NULL, err);
	case EINVAL:
		return explain_einval(d, name, known ? &there : NULL, err);
	case EBUSY:
		return explain_ebusy(o, name, err);
	case E2BIG:
		return tuntap_fault(err, VPN_EBUSY, e, NULL,
				    "%s has no room for another queue (%u are wanted)", name,
				    d->n_queues);
	default:
		return tuntap_fault(err, tuntap_status(e), e, "/name",
				    "cannot make the device \"%s\": %s", name, strerror(e));
	}
}

/* Attaches fd to the device `name`, which becomes the kernel's. Returns 0 or an errno. */
static int set_iff(int fd, char name[IFNAMSIZ], unsigned int flags)
{
	struct ifreq req;
	memset(&req, 0, sizeof(req));
	memcpy(req.ifr_name, name, IFNAMSIZ);
	req.ifr_flags = (short)flags;
	if (ioctl(fd, TUNSETIFF, &req) != 0)
		return errno;
	memcpy(name, req.ifr_name, IFNAMSIZ);
	return 0;
}

static unsigned int wanted_flags(const struct tuntap_device *d, const struct tuntap_options *o)
{
	unsigned int flags = IFF_NO_PI | (d->ethernet ? IFF_TAP : IFF_TUN);
	if (o->offload != TUNTAP_OFF)
		flags |= IFF_VNET_HDR;
	if (d->multi_queue)
		flags |= IFF_MULTI_QUEUE;
	if (o->exclusive && d->name[0] == '\0')
		flags |= IFF_TUN_EXCL;
	return flags;
}

static vpn_status open_queue(struct tuntap_device *d, const struct tuntap_options *o,
			     struct tuntap_netlink *nl, uint32_t i, struct vpn_error *err)
{
	char name[IFNAMSIZ] = "";
	vpn_status status = open_node(&d->fds[i], err);
	if (status != VPN_OK)
		return status;
	snprintf(name, sizeof(name), "%s", i == 0 && o->name != NULL ? o->name : d->name);
	int e = set_iff(d->fds[i], name, wanted_flags(d, o));
	if (e == EINVAL && i == 0 && !d->multi_queue) {
		/* a device that was made with several queues takes nobody who asks for one */
		d->multi_queue = true;
		e = set_iff(d->fds[i], name, wanted_flags(d, o));
		d->multi_queue = e == 0;
	}
	if (e != 0)
		return explain_iff(d, o, nl, name, e, err);
	memcpy(d->name, name, IFNAMSIZ);
	return VPN_OK;
}

static vpn_status open_queues(struct tuntap_device *d, const struct tuntap_options *o,
			      struct tuntap_netlink *nl, struct vpn_error *err)
{
	struct tuntap_link link;
	vpn_status status = VPN_OK;
	bool named = o->name != NULL && o->name[0] != '\0' && strchr(o->name, '%') == NULL;
	d->existed = named && tuntap_netlink_get_link(nl, 0, o->name, &link) == 0;
	d->multi_queue = d->n_queues > 1;
	/* the kernel would let us join, and share the traffic between us and them */
	if (d->existed && link.n_queues != 0)
		return explain_ebusy(o, o->name, err);
	for (uint32_t i = 0; i < d->n_queues && status == VPN_OK; i++)
		status = open_queue(d, o, nl, i, err);
	return status;
}

/* ---- a descriptor that was handed in ---- */

static vpn_status adopt_queue(struct tuntap_device *d, const struct tuntap_options *o,
			      struct vpn_error *err)
{
	char name[IFNAMSIZ];
	int given = (int)o->fd;
	if (d->n_queues > 1)
		return tuntap_fault(err, VPN_EINVAL, 0, "/fd",
				    "one descriptor is one queue: leave \"lanes\" out");
	int flags = fcntl(given, F_GETFL);
	if (flags < 0)
		return tuntap_fault(err, VPN_EINVAL, errno, "/fd", "descriptor %d is not open",
				    given);
	if (!tuntap_device_name(given, name))
		return tuntap_fault(
			err, VPN_EINVAL, errno, "/fd",
			"descriptor %d is no TUN or TAP device, or TUNSETIFF was not done on it",
			given);
	d->fds[0] = fcntl(given, F_DUPFD_CLOEXEC, 0);
	if (d->fds[0] < 0 || fcntl(given, F_SETFD, FD_CLOEXEC) != 0 ||
	    fcntl(given, F_SETFL, flags | O_NONBLOCK) != 0)
		return tuntap_fault(err, VPN_EIO, errno, "/fd",
				    "cannot take descriptor %d over: %s", given, strerror(errno));
	d->existed = true;
	return VPN_OK;
}

/* ---- what it is now ---- */

/* Reads the flags back: the kernel may have kept those of an existing device. */
static vpn_status read_back(struct tuntap_device *d, struct vpn_error *err)
{
	struct ifreq req;
	memset(&req, 0, sizeof(req));
	if (ioctl(d->fds[0], TUNGETIFF, &req) != 0)
		return tuntap_fault(err, VPN_EIO, errno, NULL,
				    "cannot read the flags of the device: %s", strerror(errno));
	memcpy(d->name, req.ifr_name, IFNAMSIZ);
	d->name[IFNAMSIZ - 1] = '\0';
	bool ethernet = (req.ifr_flags & IFF_TAP) != 0;
	if (ethernet != d->ethernet)
		return tuntap_fault(err, VPN_EINVAL, 0, "/layer",
				    "%s is a %s device: write \"layer\": \"%s\"", d->name,
				    mode_word(ethernet), layer_word(ethernet));
	d->vnet_hdr = (req.ifr_flags & IFF_VNET_HDR) != 0;
	d->persistent = (req.ifr_flags & IFF_PERSIST) != 0;
	d->multi_queue = (req.ifr_flags & IFF_MULTI_QUEUE) != 0;
	d->elsewhere = !tuntap_place_is_home(d->fds[0], d->name);
	return VPN_OK;
}

/* What the flags of a given descriptor do not tell: TUNGETIFF has IFF_NOFILTER where TUNSETIFF has
 * IFF_NO_PI. */
static vpn_status check_packet_info(const struct tuntap_device *d, struct tuntap_netlink *nl,
				    struct vpn_error *err)
{
	struct tuntap_link link;
	if (d->elsewhere || tuntap_netlink_get_link(nl, 0, d->name, &link) != 0 ||
	    !link.packet_info)
		return VPN_OK;
	return tuntap_fault(err, VPN_ENOTSUP, 0, "/fd", "%s was opened without IFF_NO_PI", d->name);
}

/* Settles what is offloaded. The kernel keeps the mask for the device, not for the descriptor, so
 * an existing device may still have that of an earlier program: it is always set. */
static vpn_status set_offload(struct tuntap_device *d, const struct tuntap_options *o,
			      struct vpn_error *err)
{
	const int header = (int)TCPIP_VNET_HDR_LEN;
	bool must = o->offload == TUNTAP_ON, must_uso = must && o->uso == TUNTAP_ON;
	int fd = d->fds[0];
	d->offload = TUNTAP_OFFLOAD_NONE;
	if (d->vnet_hdr && ioctl(fd, TUNSETVNETHDRSZ, &header) != 0)
		return tuntap_fault(err, VPN_EIO, errno, "/offload",
				    "%s: cannot set the header's size: %s", d->name,
				    strerror(errno));
	if (d->vnet_hdr && o->offload != TUNTAP_OFF &&
	    ioctl(fd, TUNSETOFFLOAD, (unsigned long)OFFLOAD_TCP) == 0) {
		d->offload = TUNTAP_OFFLOAD_TCP;
		if (o->uso != TUNTAP_OFF &&
		    ioctl(fd, TUNSETOFFLOAD, (unsigned long)OFFLOAD_TCP_UDP) == 0)
			d->offload = TUNTAP_OFFLOAD_TCP_UDP;
	}
	if (d->offload == TUNTAP_OFFLOAD_NONE)
		(void)ioctl(fd, TUNSETOFFLOAD, 0ul);
	if (must && d->offload == TUNTAP_OFFLOAD_NONE)
		return tuntap_fault(err, VPN_ENOTSUP, 0, "/offload",
				    "the kernel refuses offload on %s%s: write \"auto\"", d->name,
				    d->vnet_hdr ? "" : ", which was made without IFF_VNET_HDR");
	if (must_uso && d->offload != TUNTAP_OFFLOAD_TCP_UDP)
		return tuntap_fault(err, VPN_ENOTSUP, 0, "/uso",
				    "UDP offload needs Linux 6.2: write \"uso\": \"auto\"");
	return VPN_OK;
}

/* ---- owner, group, persistence ---- */

static bool parse_number(const char *text, uint32_t *ret)
{
	char *end;
	errno = 0;
	unsigned long n = strtoul(text, &end, 10);
	*ret = (uint32_t)n;
	return text[0] >= '0' && text[0] <= '9' && *end == '\0' && errno == 0 && n < UINT32_MAX;
}

static vpn_status find_user(const char *text, uint32_t *ret, struct vpn_error *err)
{
	struct passwd entry, *found = NULL;
	char buf[4096];
	if (parse_number(text, ret))
		return VPN_OK;
	if (getpwnam_r(text, &entry, buf, sizeof(buf), &found) != 0 || found == NULL)
		return tuntap_fault(err, VPN_ENOENT, 0, "/owner", "there is no user \"%s\"", text);
	*ret = found->pw_uid;
	return VPN_OK;
}

static vpn_status find_group(const char *text, uint32_t *ret, struct vpn_error *err)
{
	struct group entry, *found = NULL;
	char buf[16384];
	if (parse_number(text, ret))
		return VPN_OK;
	if (getgrnam_r(text, &entry, buf, sizeof(buf), &found) != 0 || found == NULL)
		return tuntap_fault(err, VPN_ENOENT, 0, "/group", "there is no group \"%s\"", text);
	*ret = found->gr_gid;
	return VPN_OK;
}

static vpn_status set_owners(const struct tuntap_device *d, const struct tuntap_options *o,
			     struct vpn_error *err)
{
	uint32_t id = 0;
	vpn_status status = o->owner != NULL ? find_user(o->owner, &id, err) : VPN_OK;
	if (status == VPN_OK && o->owner != NULL &&
	    ioctl(d->fds[0], TUNSETOWNER, (unsigned long)id) != 0)
		return tuntap_fault(err, tuntap_status(errno), errno, "/owner",
				    "%s: cannot set the owner: %s", d->name, strerror(errno));
	if (status == VPN_OK && o->group != NULL)
		status = find_group(o->group, &id, err);
	if (status == VPN_OK && o->group != NULL &&
	    ioctl(d->fds[0], TUNSETGROUP, (unsigned long)id) != 0)
		return tuntap_fault(err, tuntap_status(errno), errno, "/group",
				    "%s: cannot set the group: %s", d->name, strerror(errno));
	return status;
}

vpn_status tuntap_device_set_persistence(struct tuntap_device *d, const struct tuntap_options *o,
					 struct vpn_error *err)
{
	bool want = o->persist == TUNTAP_PERSIST_KEEP ? d->persistent
						      : o->persist == TUNTAP_PERSIST_ON;
	if (want == d->persistent)
		return VPN_OK;
	if (ioctl(d->fds[0], TUNSETPERSIST, want ? 1ul : 0ul) != 0)
		return tuntap_fault(err, tuntap_status(errno), errno, "/persist",
				    "%s: cannot change persistence: %s", d->name, strerror(errno));
	d->persistent = want;
	return VPN_OK;
}

/* ---- the whole ---- */

static vpn_status allocate(struct tuntap_device *d, uint32_t n_queues, struct vpn_error *err)
{
	memset(d, 0, sizeof(*d));
	if (n_queues == 0 || n_queues > TUNTAP_QUEUES_MAX)
		return tuntap_fault(err, VPN_EINVAL, 0, NULL, "a device has 1 to %u queues, not %u",
				    TUNTAP_QUEUES_MAX, n_queues);
	d->fds = malloc(n_queues * sizeof(*d->fds));
	if (d->fds == NULL)
		return tuntap_fault(err, VPN_ENOMEM, 0, NULL, "out of memory");
	d->n_queues = n_queues;
	for (uint32_t i = 0; i < n_queues; i++)
		d->fds[i] = -1;
	return VPN_OK;
}

vpn_status tuntap_device_open(struct tuntap_device *d, const struct tuntap_options *o,
			      struct tuntap_netlink *nl, uint32_t n_queues, struct vpn_error *err)
{
	vpn_status status = allocate(d, n_queues, err);
	if (status != VPN_OK)
		return status;
	d->ethernet = o->layer == TUNTAP_ETHERNET;
	status = o->fd >= 0 ? adopt_queue(d, o, err) : open_queues(d, o, nl, err);
	if (status == VPN_OK)
		status = read_back(d, err);
	if (status == VPN_OK && o->fd >= 0)
		status = check_packet_info(d, nl, err);
	if (status == VPN_OK)
		status = set_offload(d, o, err);
	if (status == VPN_OK)
		status = set_owners(d, o, err);
	if (status != VPN_OK)
		tuntap_device_close(d);
	return status;
}

void tuntap_device_close(struct tuntap_device *d)
{
	if (d->fds == NULL)
		return;
	/* the next program to attach shall not get super-packets that it did not ask for */
	if (d->persistent && d->fds[0] >= 0)
		(void)ioctl(d->fds[0], TUNSETOFFLOAD, 0ul);
	for (uint32_t i = 0; i < d->n_queues; i++)
		if (d->fds[i] >= 0)
			close(d->fds[i]);
	free(d->fds);
	d->fds = NULL;
	d->n_queues = 0;
}
