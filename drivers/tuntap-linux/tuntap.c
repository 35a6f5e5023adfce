/* SPDX-License-Identifier: BSD-2-Clause */
/* tuntap-linux: the device component for TUN and TAP on Linux. */
#include "tuntap.h"

#include <stdlib.h>
#include <string.h>

#include "fault.h"
#include "queue.h"

#ifndef VPNCORE_VERSION
#define VPNCORE_VERSION "0.1.0"
#endif

void tuntap_name(struct tuntap *t, char name[IFNAMSIZ])
{
	pthread_mutex_lock(&t->lock);
	memcpy(name, t->info.name, IFNAMSIZ);
	pthread_mutex_unlock(&t->lock);
}

void tuntap_gone(struct tuntap *t)
{
	struct vpn_error err = {.size = sizeof(err)};
	char name[IFNAMSIZ];
	if (atomic_exchange(&t->failed, true))
		return;
	tuntap_name(t, name);
	tuntap_fault(&err, VPN_ECLOSED, 0, NULL, "device %s was deleted by another program", name);
	t->host->fail(t->host, &err);
}

static void tell_subscriber(struct tuntap *t)
{
	pthread_mutex_lock(&t->subscriber_lock);
	if (t->changed != NULL)
		t->changed(t->changed_ctx);
	pthread_mutex_unlock(&t->subscriber_lock);
}

void tuntap_set_info(struct tuntap *t, const struct tuntap_link *link)
{
	struct vpn_device_info now = {.mtu = link->mtu};
	/* an index of another network namespace would be that of another device here */
	now.ifindex = t->monitor.moved ? 0 : link->index;
	now.layer = t->device.ethernet ? VPN_L2 : VPN_L3;
	now.flags = (link->flags & IFF_UP) != 0 ? VPN_DEVICE_UP : 0;
	memcpy(now.name, link->name, sizeof(link->name));
	pthread_mutex_lock(&t->lock);
	bool changed = memcmp(&t->info, &now, sizeof(now)) != 0;
	t->info = now;
	pthread_mutex_unlock(&t->lock);
	if (changed && now.name[0] != '\0')
		tell_subscriber(t);
}

/* ---- life ---- */

static void needs(const void *config, struct vpn_needs *out)
{
	const struct tuntap_options *o = config;
	out->flags = (o->layer == TUNTAP_ETHERNET ? VPN_L2 : VPN_L3) | VPN_LANE_AWARE;
	out->mtu = (uint32_t)o->mtu;
}

static void destroy(void *inst)
{
	struct tuntap *t = inst;
	if (t == NULL)
		return;
	tuntap_setup_clear(&t->setup);
	free(t->queues);
	pthread_mutex_destroy(&t->subscriber_lock);
	pthread_mutex_destroy(&t->lock);
	free(t);
}

static vpn_status create(const struct vpn_host *host, const void *config, void **inst,
			 struct vpn_error *err)
{
	struct tuntap *t = calloc(1, sizeof(*t));
	*inst = NULL;
	if (t == NULL)
		return tuntap_fault(err, VPN_ENOMEM, 0, NULL, "out of memory");
	pthread_mutex_init(&t->lock, NULL);
	pthread_mutex_init(&t->subscriber_lock, NULL);
	t->host = host;
	t->options = config;
	t->queues = calloc(host->n_lanes, sizeof(struct tuntap_queue *));
	vpn_status status = tuntap_setup_init(&t->setup, t->options, err);
	if (status == VPN_OK && t->queues == NULL)
		status = tuntap_fault(err, VPN_ENOMEM, 0, NULL, "out of memory");
	if (status != VPN_OK) {
		destroy(t);
		return status;
	}
	*inst = t;
	return VPN_OK;
}

static void stop(void *inst)
{
	struct tuntap *t = inst;
	if (t->lanes == NULL)
		return;
	for (uint32_t i = 0; i < t->host->n_lanes; i++)
		t->queues[i] = tuntap_queue_free(t->queues[i]);
	if (t->device.persistent && !t->device.elsewhere && !t->monitor.moved &&
	    t->netlink.sock != NULL)
		tuntap_setup_undo(&t->setup, &t->netlink, t->info.ifindex);
	tuntap_monitor_close(t);
	tuntap_device_close(&t->device);
	tuntap_netlink_close(&t->netlink);
	t->lanes = NULL;
}

static uint32_t device_mtu(const struct tuntap *t)
{
	if (t->options->mtu != 0)
		return (uint32_t)t->options->mtu;
	return t->host->mtu_above - (t->device.ethernet ? TUNTAP_ETHERNET_ROOM : 0);
}

/* A device in another namespace was set up there by whoever handed it in. */
static vpn_status accept_as_it_is(struct tuntap *t, struct vpn_error *err)
{
	struct tuntap_link link = {.mtu = device_mtu(t), .flags = IFF_UP};
	if (t->setup.n != 0)
		return tuntap_fault(err, VPN_ENOTSUP, 0, "/addresses",
				    "%s is in another network namespace: add its addresses there, "
				    "and leave them out here",
				    t->device.name);
	memcpy(link.name, t->device.name, sizeof(link.name));
	return tuntap_monitor_open(t, &link, err);
}

static vpn_status configure(struct tuntap *t, struct vpn_error *err)
{
	struct tuntap_link link;
	if (t->device.elsewhere)
		return accept_as_it_is(t, err);
	vpn_status status = tuntap_setup_apply(&t->setup, t->options, &t->device, &t->netlink,
					       device_mtu(t), &link, err);
	/* also when only a part was done: stop() needs the index to undo it */
	tuntap_set_info(t, &link);
	return status == VPN_OK ? tuntap_monitor_open(t, &link, err) : status;
}

static vpn_status open_queues(struct tuntap *t, struct vpn_error *err)
{
	for (uint32_t i = 0; i < t->host->n_lanes; i++) {
		struct tuntap_queue *q = tuntap_queue_new(t, t->lanes[i], t->device.fds[i]);
		if (q == NULL)
			return tuntap_fault(err, VPN_ENOMEM, 0, NULL, "out of memory");
		t->queues[i] = q;
		t->lanes[i]->user = q;
		vpn_status status = tuntap_queue_watch(q, true);
		if (status != VPN_OK)
			return tuntap_fault(err, status, 0, NULL,
					    "cannot watch the device's descriptor");
	}
	return VPN_OK;
}

static void announce(const struct tuntap *t)
{
	static const char *const offloads[] = {"no offload", "TCP offload", "TCP and UDP offload"};
	tuntap_log(t->host, VPN_LOG_INFO, "%s: %s device, MTU %u, %u queue(s), %s", t->info.name,
		   t->device.ethernet ? "TAP" : "TUN", t->info.mtu, t->device.n_queues,
		   offloads[t->device.offload]);
}

static vpn_status start(void *inst, struct vpn_lane *const *lanes, struct vpn_error *err)
{
	struct tuntap *t = inst;
	t->lanes = lanes;
	int e = tuntap_netlink_open(&t->netlink);
	if (e != 0)
		return tuntap_fault(err, tuntap_status(e), e, NULL,
				    "cannot open a netlink socket: %s", strerror(e));
	vpn_status status = tuntap_device_open(&t->device, t->options, &t->netlink,
					       t->host->n_lanes, err);
	if (status == VPN_OK)
		status = configure(t, err);
	if (status == VPN_OK)
		status = open_queues(t, err);
	if (status == VPN_OK)
		status = tuntap_device_set_persistence(&t->device, t->options, err);
	if (status == VPN_OK)
		announce(t);
	return status;
}

/* ---- data path ---- */

static uint32_t take(void *inst, struct vpn_lane *lane, struct vpn_packet **pkts, uint32_t n)
{
	(void)inst;
	tuntap_queue_write(lane->user, pkts, n);
	return n;
}

static uint32_t ready(void *inst, struct vpn_lane *lane, uint64_t token, uint32_t events)
{
	(void)events;
	if (token == TUNTAP_TOKEN_QUEUE)
		return tuntap_queue_read(lane->user);
	if (token == TUNTAP_TOKEN_MONITOR || token == TUNTAP_TOKEN_AWAY)
		tuntap_monitor_ready(inst, token);
	return VPN_IDLE;
}

static void timer(void *inst, struct vpn_lane *lane, uint64_t now_ns)
{
	(void)inst;
	(void)now_ns;
	tuntap_queue_timer(lane->user);
}

static uint32_t writable(void *inst, struct vpn_lane *lane, uint32_t direction)
{
	(void)inst;
	if (direction == VPN_DOWN)
		tuntap_queue_writable(lane->user);
	return VPN_IDLE;
}

/* ---- extensions ---- */

static vpn_status info(void *inst, struct vpn_device_info *out)
{
	struct tuntap *t = inst;
	struct vpn_device_info copy;
	pthread_mutex_lock(&t->lock);
	copy = t->info;
	pthread_mutex_unlock(&t->lock);
	uint32_t size = out->size < sizeof(copy) ? out->size : (uint32_t)sizeof(copy);
	copy.size = out->size;
	memcpy(out, &copy, size);
	return copy.name[0] != '\0' ? VPN_OK : VPN_ENOENT;
}

static void subscribe(void *inst, void (*changed)(void *ctx), void *ctx)
{
	struct tuntap *t = inst;
	pthread_mutex_lock(&t->subscriber_lock);
	t->changed = changed;
	t->changed_ctx = ctx;
	pthread_mutex_unlock(&t->subscriber_lock);
}

static const void *get_extension(void *inst, const char *id)
{
	static const struct vpn_device_ext device = {
		.size = sizeof(device), .info = info, .subscribe = subscribe};
	(void)inst;
	return strcmp(id, VPN_EXT_DEVICE) == 0 ? &device : NULL;
}

/* ---- the component ---- */

/* In the order of enum tuntap_counter. */
static const struct vpn_counter counters[] = {
	{"super_read", "super-packets that the kernel handed over", 0, 0},
	{"super_written", "super-packets written to the kernel", 0, 0},
	{"merged", "packets that went into them", 0, 0},
	{"oversize", "packets from the other side that exceed our MTU, delivered", 0, 0},
	{"starved", "times that the packet pool was empty", 0, 0},
	{"blocked", "times that the stage below was full", 0, 0},
	{"fallbacks", "super-packets that the kernel refused, written packet by packet", 0, 0},
	{"read_errors", "reads that failed", 0, 0},
	{"drop_too_big", "packets from the kernel that exceed what the stack carries",
	 VPN_COUNTER_DROP, 0},
	{"drop_bad_offload", "packets from the kernel with an impossible offload header",
	 VPN_COUNTER_DROP, 0},
	{"drop_malformed", "packets from the other side that are no IP packet or frame",
	 VPN_COUNTER_DROP, 0},
	{"drop_ecn", "packets with an impossible pair of ECN marks (RFC 6040)", VPN_COUNTER_DROP,
	 0},
	{"drop_down", "packets for a device that was down or gone", VPN_COUNTER_DROP, 0},
	{"drop_busy", "packets that the kernel had no room for", VPN_COUNTER_DROP, 0},
	{"drop_no_buffers", "packets that the kernel had no memory for", VPN_COUNTER_DROP, 0},
	{"drop_refused", "packets that the kernel refused", VPN_COUNTER_DROP, 0},
};
_Static_assert(sizeof(counters) / sizeof(counters[0]) == TUNTAP_COUNTERS,
	       "one name for each counter");

static const struct vpn_lifecycle lifecycle = {
	.size = sizeof(lifecycle),
	.flags = VPN_AUTO,
	.options = &tuntap_option_table,
	.counters = counters,
	.n_counters = TUNTAP_COUNTERS,
	.validate = tuntap_options_validate,
	.needs = needs,
	.create = create,
	.start = start,
	.stop = stop,
	.destroy = destroy,
	.get_extension = get_extension,
};

static const struct vpn_flow flow = {
	.size = sizeof(flow),
	.recv = take,
	.ready = ready,
	.timer = timer,
	.writable = writable,
};

static const struct vpn_component component = {
	.size = sizeof(component),
	.kind = VPN_KIND_DEVICE,
	.id = "tuntap-linux",
	.summary = "TUN and TAP devices of Linux",
	.lifecycle = &lifecycle,
	.flow = &flow,
};

static const struct vpn_component *const components[] = {&component, NULL};

VPN_PLUGIN(driver_tuntap_linux, "tuntap-linux", VPNCORE_VERSION, "BSD-2-Clause", "", "",
	   components);
