/* SPDX-License-Identifier: BSD-2-Clause */
#include "monitor.h"

#include <errno.h>
#include <string.h>

#include "fault.h"
#include "life.h"

#define MESSAGES 64u   /* that are read before others have their turn */
#define MESSAGE  2048u /* bytes; what is longer is cut off, which does not matter */

/* ---- what has happened ---- */

static void on_up(struct bsd_tuntap *t)
{
	bsd_log(t->host, VPN_LOG_INFO, "%s is up again", t->device.name);
	t->host->notify(t->host, VPN_EVENT_LINK_UP, 0);
}

static void on_down(struct bsd_tuntap *t)
{
	bsd_log(t->host, VPN_LOG_WARN,
		"%s was set down by another program: packets are dropped until it is up again",
		t->device.name);
	t->host->notify(t->host, VPN_EVENT_LINK_DOWN, 0);
}

static void on_mtu(struct bsd_tuntap *t, uint32_t mtu)
{
	uint32_t most = t->host->mtu_above - (t->device.kind == BSD_ETHERNET ? TCPIP_ETH_LEN : 0);
	bsd_log(t->host, VPN_LOG_WARN, "%s: another program has changed the MTU to %u%s",
		t->device.name, mtu,
		mtu > most ? ", more than the stack carries: larger packets are dropped" : "");
	t->host->notify(t->host, VPN_EVENT_MTU, mtu);
}

static void follow_name(struct bsd_tuntap *t)
{
	char before[BSD_IFNAMSIZ];
	memcpy(before, t->device.name, sizeof(before));
	if (bsd_device_follow_name(&t->device, &t->control) == 0 &&
	    strcmp(before, t->device.name) != 0)
		bsd_log(t->host, VPN_LOG_INFO, "%s has a new name: %s", before, t->device.name);
}

bool bsd_monitor_look(struct bsd_tuntap *t)
{
	struct bsd_monitor *m = &t->monitor;
	uint32_t flags, mtu;
	follow_name(t);
	int e = bsd_request_get_flags(&t->control, t->device.name, &flags);
	if (e == ENXIO) {
		bsd_tuntap_gone(t);
		return false;
	}
	/* a look that fails is made good by the next one */
	if (e != 0 || bsd_request_get_mtu(&t->control, t->device.name, &mtu) != 0)
		return true;
	bool up = (flags & BSD_IFF_UP) != 0;
	if (mtu != m->mtu)
		on_mtu(t, mtu);
	if (up != m->up) {
		if (up)
			on_up(t);
		else
			on_down(t);
	}
	m->mtu = mtu;
	m->up = up;
	bsd_tuntap_set_info(t, mtu, up);
	return true;
}

/* ---- listening ---- */

vpn_status bsd_monitor_open(struct bsd_tuntap *t, struct vpn_error *err)
{
	struct bsd_monitor *m = &t->monitor;
	m->mtu = t->info.mtu;
	m->up = (t->info.flags & VPN_DEVICE_UP) != 0;
	int fd = t->control.ops->socket(t->control.kernel->af_route);
	if (fd < 0)
		return bsd_fault(err, bsd_status(-fd), -fd, NULL,
				 "cannot open a routing socket: %s", strerror(-fd));
	m->fd = fd;
	vpn_status status = t->host->watch(t->lane, fd, VPN_POLLIN, BSD_TOKEN_MONITOR);
	if (status != VPN_OK)
		return bsd_fault(err, status, 0, NULL, "cannot watch the routing socket");
	/* what has changed since the device was set up came before the socket */
	return bsd_monitor_look(t)
		       ? VPN_OK
		       : bsd_fault(err, VPN_ECLOSED, 0, NULL,
				   "device %s was removed while it was set up", t->device.name);
}

void bsd_monitor_close(struct bsd_tuntap *t)
{
	struct bsd_monitor *m = &t->monitor;
	if (m->fd < 0)
		return;
	(void)t->host->watch(t->lane, m->fd, 0, BSD_TOKEN_MONITOR);
	t->control.ops->close(m->fd);
	m->fd = -1;
}

void bsd_monitor_ready(struct bsd_tuntap *t)
{
	uint8_t message[MESSAGE];
	ssize_t got = 1;
	/* an overflow of the socket is an error, and a reason to look like any other message */
	for (uint32_t i = 0; i < MESSAGES && got > 0 && t->monitor.fd >= 0; i++)
		got = t->control.ops->receive(t->monitor.fd, message, sizeof(message));
	(void)bsd_monitor_look(t);
}
