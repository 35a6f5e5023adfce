/* SPDX-License-Identifier: BSD-2-Clause */
#include "node.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "advice.h"
#include "fault.h"

/* Which process has a node open: the extension tells it in the interface's status, "open (pid 12)". */
static int find_holder(const char *name)
{
	static const char mark[] = "open (pid ";
	struct darwin_ifstat status = {0};
	long pid = 0;
	int fd = darwin_ops.socket(DARWIN_AF_INET, DARWIN_SOCK_DGRAM, 0);
	if (fd < 0)
		return 0;
	snprintf(status.name, sizeof(status.name), "%s", name);
	if (darwin_ops.ioctl(fd, DARWIN_SIOCGIFSTATUS, &status) == 0) {
		status.text[sizeof(status.text) - 1] = '\0';
		const char *at = strstr(status.text, mark);
		pid = at != NULL ? strtol(at + sizeof(mark) - 1, NULL, 10) : 0;
	}
	darwin_ops.close(fd);
	return pid > 0 && pid <= INT32_MAX ? (int)pid : 0;
}

static vpn_status explain_busy(const char *name, bool any, struct vpn_error *err)
{
	char holder[48] = "another program";
	int pid = any ? 0 : find_holder(name);
	if (any)
		return darwin_fault(err, VPN_EBUSY, EBUSY, "/name",
				    "all of tap0 to tap%d are in use, and there are no more",
				    TAP_NODES - 1);
	if (pid > 0)
		snprintf(holder, sizeof(holder), "process %d", pid);
	return darwin_fault(err, VPN_EBUSY, EBUSY, "/name",
			    "%s is in use by %s: stop that, or choose another name", name, holder);
}

static vpn_status explain_open(const char *name, int e, bool any, struct vpn_error *err)
{
	struct tap_loaded loaded;
	switch (e) {
	case EBUSY:
		return explain_busy(name, any, err);
	case EPERM:
	case EACCES:
		return darwin_fault(err, VPN_EPERM, e, "/name",
				    "opening /dev/%s needs root (or chown it): use sudo", name);
	case EIO: /* the interface could not be made */
		if (tap_kext_list(&loaded) == 0 && loaded.n_tap > 1)
			return tap_advice_collision(&loaded, err);
		return darwin_fault(err, VPN_EIO, e, "/name",
				    "the kernel extension could not make the interface %s: another "
				    "extension may have that name; restart, or choose another",
				    name);
	default:
		return darwin_fault(err, darwin_status(e), e, "/name", "cannot open /dev/%s: %s",
				    name, strerror(e));
	}
}

static bool is_absent(int e)
{
	return e == ENOENT || e == ENXIO || e == ENODEV;
}

/* Returns 0 or an errno. */
static int open_unit(struct tap_node *n, int unit)
{
	char path[32];
	snprintf(n->name, sizeof(n->name), "tap%d", unit);
	snprintf(path, sizeof(path), "/dev/%s", n->name);
	n->fd = darwin_ops.open(path);
	return n->fd >= 0 ? 0 : errno;
}

/* The first that is free; of the errors, one that is not "absent" says more. */
static int open_any(struct tap_node *n)
{
	int worst = ENOENT;
	for (int unit = 0; unit < TAP_NODES; unit++) {
		int e = open_unit(n, unit);
		if (e == 0 || (e != EBUSY && !is_absent(e)))
			return e;
		if (e == EBUSY)
			worst = EBUSY;
	}
	return worst;
}

vpn_status tap_node_open(struct tap_node *n, const struct tap_options *o, bool *ret_absent,
			 struct vpn_error *err)
{
	int32_t on = 1;
	int unit = tap_options_unit(o);
	n->fd = -1;
	int e = unit >= 0 ? open_unit(n, unit) : open_any(n);
	*ret_absent = is_absent(e);
	if (e != 0)
		return *ret_absent ? VPN_ENOENT : explain_open(n->name, e, unit < 0, err);
	/* a property of the device, not of the descriptor: nobody else can have it open */
	if (darwin_ops.ioctl(n->fd, DARWIN_FIONBIO, &on) == 0)
		return VPN_OK;
	e = errno;
	tap_node_close(n);
	return darwin_fault(err, VPN_EIO, e, NULL, "%s: cannot make it non-blocking: %s", n->name,
			    strerror(e));
}

void tap_node_close(struct tap_node *n)
{
	if (n->fd >= 0)
		darwin_ops.close(n->fd);
	n->fd = -1;
}
