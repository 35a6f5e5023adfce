/* SPDX-License-Identifier: BSD-2-Clause */
#include "device.h"

#include <string.h>

#include "fault.h"

const struct vpn_counter darwin_counters[DARWIN_COUNTERS] = {
	{"oversize", "packets from the other side that exceed our MTU, delivered", 0, 0},
	{"starved", "times that the packet pool was empty", 0, 0},
	{"blocked", "times that the stage below was full", 0, 0},
	{"read_errors", "reads that failed", 0, 0},
	{"drop_too_big", "packets from the kernel that exceed what the stack carries",
	 VPN_COUNTER_DROP, 0},
	{"drop_malformed", "packets from the other side that are no IP packet or frame",
	 VPN_COUNTER_DROP, 0},
	{"drop_oversize", "frames from the other side that the kernel would cut off at the MTU",
	 VPN_COUNTER_DROP, 0},
	{"drop_ecn", "packets with an impossible pair of ECN marks (RFC 6040)", VPN_COUNTER_DROP,
	 0},
	{"drop_down", "packets for a device that was down or gone", VPN_COUNTER_DROP, 0},
	{"drop_busy", "packets that the kernel had no room for", VPN_COUNTER_DROP, 0},
	{"drop_no_buffers", "packets that the kernel had no memory for", VPN_COUNTER_DROP, 0},
	{"drop_refused", "packets that the kernel refused", VPN_COUNTER_DROP, 0},
};

vpn_status darwin_device_init(struct darwin_device *d, const struct vpn_host *host, bool ethernet,
			      const struct darwin_options *o, struct vpn_error *err)
{
	memset(d, 0, sizeof(*d));
	d->host = host;
	d->ethernet = ethernet;
	d->link = (struct darwin_link)DARWIN_LINK_CLOSED;
	d->monitor.fd = -1;
	pthread_mutex_init(&d->lock, NULL);
	pthread_mutex_init(&d->subscriber_lock, NULL);
	return darwin_setup_init(&d->setup, o, err);
}

void darwin_device_clear(struct darwin_device *d)
{
	darwin_setup_clear(&d->setup);
	pthread_mutex_destroy(&d->subscriber_lock);
	pthread_mutex_destroy(&d->lock);
}

uint32_t darwin_device_mtu(const struct darwin_device *d, const struct darwin_options *o)
{
	if (o->mtu != 0)
		return (uint32_t)o->mtu;
	return d->host->mtu_above - (d->ethernet ? DARWIN_ETHERNET_ROOM : 0);
}

vpn_status darwin_device_open(struct darwin_device *d, const char *name,
			      const struct darwin_options *o, const uint8_t *mac,
			      struct vpn_lane *lane, struct vpn_error *err)
{
	d->lane = lane;
	d->opened = true;
	int e = darwin_link_open(&d->link, name, !d->ethernet);
	if (e != 0)
		return darwin_fault(err, darwin_status(e), e, NULL,
				    "cannot find the interface %s: %s", name, strerror(e));
	d->mtu = darwin_device_mtu(d, o);
	d->up = o->up != 0;
	vpn_status status = darwin_setup_apply(&d->setup, o, &d->link, d->mtu, mac, err);
	if (status == VPN_OK)
		status = darwin_monitor_open(d, err);
	if (status == VPN_OK)
		darwin_device_tell(d);
	return status;
}

void darwin_device_close(struct darwin_device *d)
{
	if (!d->opened)
		return;
	darwin_monitor_close(d);
	if (d->link.sock4 >= 0)
		darwin_setup_undo(&d->setup, &d->link);
	darwin_link_close(&d->link);
	d->opened = false;
}

void darwin_device_gone(struct darwin_device *d, int os_errno)
{
	struct vpn_error err = {.size = sizeof(err)};
	if (atomic_exchange(&d->failed, true))
		return;
	darwin_fault(&err, VPN_ECLOSED, os_errno, NULL,
		     "the system has taken the device %s away%s%s", d->link.name,
		     os_errno != 0 ? ": " : "", os_errno != 0 ? strerror(os_errno) : "");
	d->host->fail(d->host, &err);
}

void darwin_device_tell(struct darwin_device *d)
{
	struct vpn_device_info now = {.mtu = d->mtu, .ifindex = d->link.index};
	now.layer = d->ethernet ? VPN_L2 : VPN_L3;
	now.flags = d->up ? VPN_DEVICE_UP : 0;
	memcpy(now.name, d->link.name, sizeof(d->link.name));
	pthread_mutex_lock(&d->lock);
	bool changed = memcmp(&d->info, &now, sizeof(now)) != 0;
	d->info = now;
	pthread_mutex_unlock(&d->lock);
	if (!changed)
		return;
	pthread_mutex_lock(&d->subscriber_lock);
	if (d->changed != NULL)
		d->changed(d->changed_ctx);
	pthread_mutex_unlock(&d->subscriber_lock);
}

vpn_status darwin_device_info(struct darwin_device *d, struct vpn_device_info *out)
{
	struct vpn_device_info copy;
	pthread_mutex_lock(&d->lock);
	copy = d->info;
	pthread_mutex_unlock(&d->lock);
	uint32_t size = out->size < sizeof(copy) ? out->size : (uint32_t)sizeof(copy);
	copy.size = out->size;
	memcpy(out, &copy, size);
	return copy.name[0] != '\0' ? VPN_OK : VPN_ENOENT;
}

void darwin_device_subscribe(struct darwin_device *d, void (*changed)(void *ctx), void *ctx)
{
	pthread_mutex_lock(&d->subscriber_lock);
	d->changed = changed;
	d->changed_ctx = ctx;
	pthread_mutex_unlock(&d->subscriber_lock);
}
