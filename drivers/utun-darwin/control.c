/* SPDX-License-Identifier: BSD-2-Clause */
#include "control.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "fault.h"

/* ---- a new one ---- */

static vpn_status explain_connect(int e, int unit, struct vpn_error *err)
{
	switch (e) {
	case EPERM:
	case EACCES:
		return darwin_fault(err, VPN_EPERM, e, "/name",
				    "a utun device needs root: use sudo");
	case EBUSY:
		if (unit < 0)
			return darwin_fault(err, VPN_EBUSY, e, "/name",
					    "the system has no utun device left");
		return darwin_fault(err, VPN_EBUSY, e, "/name",
				    "utun%d is in use by another program: choose another number, "
				    "or \"utun%%d\" for a free one",
				    unit);
	default:
		return darwin_fault(err, darwin_status(e), e, "/name",
				    "cannot make the utun device: %s", strerror(e));
	}
}

static vpn_status connect_unit(struct utun_control *c, int unit, struct vpn_error *err)
{
	struct darwin_ctl_info info = {.name = DARWIN_UTUN_CONTROL};
	struct darwin_sockaddr_ctl address = {.len = sizeof(address),
					      .family = DARWIN_AF_SYSTEM,
					      .sysaddr = DARWIN_AF_SYS_CONTROL};
	if (darwin_ops.ioctl(c->fd, DARWIN_CTLIOCGINFO, &info) != 0)
		return darwin_fault(err, errno == ENOENT ? VPN_ENOTSUP : darwin_status(errno),
				    errno, NULL,
				    "this system has no utun (macOS 10.6.8 and newer have it): %s",
				    strerror(errno));
	address.id = info.id;
	address.unit = (uint32_t)(unit + 1); /* 0: the system chooses; N + 1 is utunN */
	if (darwin_ops.connect(c->fd, &address, sizeof(address)) != 0)
		return explain_connect(errno, unit, err);
	return VPN_OK;
}

static vpn_status make(struct utun_control *c, const struct utun_options *o, struct vpn_error *err)
{
	c->fd = darwin_ops.socket(DARWIN_AF_SYSTEM, DARWIN_SOCK_DGRAM, DARWIN_SYSPROTO_CONTROL);
	if (c->fd < 0)
		return darwin_fault(err, darwin_status(errno), errno, NULL,
				    "cannot open a control socket: %s", strerror(errno));
	/* Darwin has no SOCK_CLOEXEC */
	if (darwin_ops.set_cloexec(c->fd) != 0)
		return darwin_fault(err, VPN_EIO, errno, NULL,
				    "cannot keep the device from child processes: %s",
				    strerror(errno));
	return connect_unit(c, utun_options_unit(o), err);
}

/* ---- one that was handed in ---- */

static vpn_status adopt(struct utun_control *c, const struct utun_options *o, struct vpn_error *err)
{
	c->fd = darwin_ops.dup((int)o->fd);
	if (c->fd < 0)
		return darwin_fault(err, VPN_EINVAL, errno, "/fd",
				    "cannot take descriptor %d over: %s", (int)o->fd,
				    strerror(errno));
	/* the original stays open until we end: it must not go to hooks */
	if (darwin_ops.set_cloexec((int)o->fd) != 0)
		return darwin_fault(err, VPN_EIO, errno, "/fd",
				    "cannot keep descriptor %d from child processes: %s",
				    (int)o->fd, strerror(errno));
	return VPN_OK;
}

/* ---- both ---- */

static vpn_status read_name(struct utun_control *c, const struct utun_options *o,
			    struct vpn_error *err)
{
	uint32_t len = sizeof(c->name);
	char want[DARWIN_IFNAMSIZ];
	int unit = o->fd < 0 ? utun_options_unit(o) : -1;
	if (darwin_ops.getsockopt(c->fd, DARWIN_SYSPROTO_CONTROL, DARWIN_UTUN_OPT_IFNAME, c->name,
				  &len) != 0)
		return darwin_fault(err, o->fd >= 0 ? VPN_EINVAL : VPN_EIO, errno,
				    o->fd >= 0 ? "/fd" : NULL, "%s: %s",
				    o->fd >= 0 ? "this descriptor is no utun device"
					       : "cannot read the device's name",
				    strerror(errno));
	c->name[sizeof(c->name) - 1] = '\0';
	snprintf(want, sizeof(want), "utun%d", unit);
	if (unit >= 0 && strcmp(want, c->name) != 0)
		return darwin_fault(err, VPN_EIO, 0, "/name",
				    "the system has made %s where %s was asked for", c->name, want);
	return VPN_OK;
}

/* With the kernel's own limit of one packet it stops its queue after each, and a batch is never more
 * than one. Kernels older than the option do without. */
static vpn_status set_pending(struct utun_control *c, const struct utun_options *o,
			      struct vpn_error *err)
{
	uint32_t n = o->txqueuelen != 0 ? (uint32_t)o->txqueuelen : UTUN_DEFAULT_PENDING;
	if (darwin_ops.setsockopt(c->fd, DARWIN_SYSPROTO_CONTROL,
				  DARWIN_UTUN_OPT_MAX_PENDING_PACKETS, &n, sizeof(n)) == 0 ||
	    o->txqueuelen == 0)
		return VPN_OK;
	return darwin_fault(err, darwin_status(errno), errno, "/txqueuelen",
			    "%s: cannot set the queue's length: %s", c->name, strerror(errno));
}

vpn_status utun_control_open(struct utun_control *c, const struct utun_options *o,
			     struct vpn_error *err)
{
	c->fd = -1;
	memset(c->name, 0, sizeof(c->name));
	vpn_status status = o->fd >= 0 ? adopt(c, o, err) : make(c, o, err);
	if (status == VPN_OK)
		status = read_name(c, o, err);
	if (status == VPN_OK)
		status = set_pending(c, o, err);
	if (status == VPN_OK && darwin_ops.set_nonblock(c->fd) != 0)
		status = darwin_fault(err, VPN_EIO, errno, NULL,
				      "%s: cannot make it non-blocking: %s", c->name,
				      strerror(errno));
	if (status != VPN_OK)
		utun_control_close(c);
	return status;
}

void utun_control_close(struct utun_control *c)
{
	if (c->fd >= 0)
		darwin_ops.close(c->fd);
	c->fd = -1;
}
