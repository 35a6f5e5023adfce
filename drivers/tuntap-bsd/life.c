/* SPDX-License-Identifier: BSD-2-Clause */
/* tuntap-bsd: the device component for TUN and TAP on FreeBSD, OpenBSD, NetBSD and DragonFly. */
#include "life.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "fault.h"
#include "io.h"

#ifndef VPNCORE_VERSION
#define VPNCORE_VERSION "0.1.0"
#endif

#define MIN_MTU_IPV6 1280u /* RFC 8200 section 5 */

void bsd_tuntap_gone(struct bsd_tuntap *t)
{
	struct vpn_error err = {.size = sizeof(err)};
	if (t->failed)
		return;
	t->failed = true;
	bsd_fault(&err, VPN_ECLOSED, 0, NULL, "device %s was removed by another program",
		  t->device.name);
	t->host->fail(t->host, &err);
}

static void tell_subscriber(struct bsd_tuntap *t)
{
	pthread_mutex_lock(&t->subscriber_lock);
	if (t->changed != NULL)
		t->changed(t->changed_ctx);
	pthread_mutex_unlock(&t->subscriber_lock);
}

void bsd_tuntap_set_info(struct bsd_tuntap *t, uint32_t mtu, bool up)
{
	struct vpn_device_info now = {.mtu = mtu};
	now.ifindex = t->control.ops->index(t->device.name);
	now.layer = t->device.kind == BSD_ETHERNET ? VPN_L2 : VPN_L3;
	now.flags = up ? VPN_DEVICE_UP : 0;
	/* what lies behind a name's end is nothing to compare */
	memcpy(now.name, t->device.name, strnlen(t->device.name, sizeof(t->device.name) - 1));
	pthread_mutex_lock(&t->lock);
	bool changed = memcmp(&t->info, &now, sizeof(now)) != 0;
	t->info = now;
	pthread_mutex_unlock(&t->lock);
	if (changed)
		tell_subscriber(t);
}

/* ---- what the manifest says, on this kernel ---- */

static vpn_status validate(const void *config, struct vpn_error *err)
{
	const struct bsd_options *o = config;
	const struct bsd_kernel *k = bsd_kernel_here();
	vpn_status status = bsd_options_validate(config, err);
	if (status != VPN_OK || k == NULL || o->mtu == 0)
		return status;
	const struct bsd_layer *layer = &k->layers[o->layer == BSD_ETHERNET ? 1 : 0];
	if (o->mtu >= layer->mtu_min && o->mtu <= layer->mtu_max)
		return VPN_OK;
	return bsd_fault(err, VPN_EINVAL, 0, "/mtu",
			 "a %s device of %s takes %u..%u (or write 0: as the stack allows)",
			 layer->word, k->name, layer->mtu_min, layer->mtu_max);
}

static void needs(const void *config, struct vpn_needs *out)
{
	const struct bsd_options *o = config;
	out->flags = o->layer == BSD_ETHERNET ? VPN_L2 : VPN_L3;
	out->mtu = (uint32_t)o->mtu;
}

/* ---- life ---- */

static void destroy(void *inst)
{
	struct bsd_tuntap *t = inst;
	if (t == NULL)
		return;
	bsd_addresses_clear(&t->addresses);
	pthread_mutex_destroy(&t->subscriber_lock);
	pthread_mutex_destroy(&t->lock);
	free(t);
}

static vpn_status create(const struct vpn_host *host, const void *config, void **inst,
			 struct vpn_error *err)
{
	struct bsd_tuntap *t = calloc(1, sizeof(*t));
	*inst = NULL;
	if (t == NULL)
		return bsd_fault(err, VPN_ENOMEM, 0, NULL, "out of memory");
	pthread_mutex_init(&t->lock, NULL);
	pthread_mutex_init(&t->subscriber_lock, NULL);
	t->host = host;
	t->options = config;
	t->control = (struct bsd_control){bsd_kernel_here(), bsd_ops_here(), -1, -1};
	t->device.fd = t->monitor.fd = -1;
	vpn_status status = VPN_OK;
	if (t->control.kernel != NULL)
		status = bsd_addresses_init(&t->addresses, t->options, t->control.kernel, err);
	if (status != VPN_OK) {
		destroy(t);
		return status;
	}
	*inst = t;
	return VPN_OK;
}

static void stop(void *inst)
{
	struct bsd_tuntap *t = inst;
	if (t->lane == NULL)
		return;
	t->io = bsd_io_free(t->io);
	bsd_monitor_close(t);
	if (t->device.fd >= 0 && t->device.lasts)
		bsd_addresses_remove(&t->addresses, &t->control, t->device.name);
	int e = bsd_device_close(&t->device, &t->control, &t->journal);
	if (e != 0)
		bsd_log(t->host, VPN_LOG_WARN, "cannot remove the device %s: %s", t->device.name,
			strerror(e));
	bsd_control_close(&t->control);
	t->lane = NULL;
}

/* ---- the start ---- */

/* What the stack carries, as far as the kernel takes it; or what was asked for. */
static vpn_status choose_mtu(const struct bsd_tuntap *t, uint32_t *ret, struct vpn_error *err)
{
	const struct bsd_layer *layer = t->device.layer;
	uint32_t room = t->device.kind == BSD_ETHERNET ? BSD_ETHERNET_ROOM : 0;
	*ret = (uint32_t)t->options->mtu;
	if (*ret == 0)
		*ret = t->host->mtu_above - room;
	if (t->options->mtu == 0 && *ret > layer->mtu_max)
		*ret = layer->mtu_max;
	if (*ret < layer->mtu_min)
		return bsd_fault(
			err, VPN_ENOTSUP, 0, "/mtu",
			"this stack carries %u bytes, and a %s device of %s takes at least "
			"%u: raise the path's MTU",
			*ret, layer->word, t->control.kernel->name, layer->mtu_min);
	if (*ret < MIN_MTU_IPV6 && bsd_addresses_has_ipv6(&t->addresses))
		return bsd_fault(err, VPN_EADDR, 0, "/addresses",
				 "IPv6 needs an MTU of at least %u, and this stack carries %u: "
				 "raise the path's MTU or leave IPv6 addresses out",
				 MIN_MTU_IPV6, *ret);
	return VPN_OK;
}

static vpn_status request_fault(const struct bsd_tuntap *t, const char *where, const char *what,
				int e, struct vpn_error *err)
{
	if (e == EPERM || e == EACCES)
		return bsd_fault(err, VPN_EPERM, e, where, "%s: %s needs root", t->device.name,
				 what);
	return bsd_fault(err, bsd_status(e), e, where, "%s: %s failed: %s", t->device.name, what,
			 strerror(e));
}

static vpn_status set_mtu(struct bsd_tuntap *t, struct vpn_error *err)
{
	uint32_t wanted, now = 0;
	vpn_status status = choose_mtu(t, &wanted, err);
	if (status != VPN_OK)
		return status;
	int e = bsd_request_get_mtu(&t->control, t->device.name, &now);
	if (e == 0 && now != wanted)
		e = bsd_request_set_mtu(&t->control, t->device.name, wanted);
	return e != 0 ? request_fault(t, "/mtu", "setting the MTU", e, err) : VPN_OK;
}

static vpn_status set_mac(struct bsd_tuntap *t, struct vpn_error *err)
{
	if (!t->options->mac.is_set)
		return VPN_OK;
	int e = bsd_request_set_mac(&t->control, t->device.name, t->options->mac.addr);
	return e != 0 ? request_fault(t, "/mac", "setting the MAC address", e, err) : VPN_OK;
}

/* Not worth failing for: a kernel without these switches works too. */
static void quiet_ipv6(struct bsd_tuntap *t)
{
	if (t->device.kind == BSD_IP && bsd_addresses_has_ipv6(&t->addresses))
		(void)bsd_request_quiet_ipv6(&t->control, t->device.name);
}

/* Addresses bring some devices up by themselves; one that shall not be up is taken down again. */
static vpn_status set_up(struct bsd_tuntap *t, uint32_t before, struct vpn_error *err)
{
	uint32_t wanted = t->options->up ? BSD_IFF_UP : before & BSD_IFF_UP;
	int e = bsd_request_set_flags(&t->control, t->device.name, BSD_IFF_UP, wanted);
	return e != 0 ? request_fault(t, "/up", "bringing it up", e, err) : VPN_OK;
}

static vpn_status read_state(struct bsd_tuntap *t, uint32_t *ret_flags, struct vpn_error *err)
{
	uint32_t mtu;
	int e = bsd_request_get_flags(&t->control, t->device.name, ret_flags);
	if (e == 0)
		e = bsd_request_get_mtu(&t->control, t->device.name, &mtu);
	if (e != 0)
		return request_fault(t, NULL, "reading its state", e, err);
	bsd_tuntap_set_info(t, mtu, (*ret_flags & BSD_IFF_UP) != 0);
	return VPN_OK;
}

static vpn_status configure(struct bsd_tuntap *t, struct vpn_error *err)
{
	uint32_t before = 0, after;
	int e = bsd_request_get_flags(&t->control, t->device.name, &before);
	if (e != 0)
		return request_fault(t, NULL, "reading its flags", e, err);
	vpn_status status = set_mtu(t, err);
	if (status == VPN_OK)
		status = set_mac(t, err);
	if (status != VPN_OK)
		return status;
	quiet_ipv6(t);
	status = bsd_addresses_add(&t->addresses, t->options, &t->control, t->device.name, err);
	if (status == VPN_OK)
		status = set_up(t, before, err);
	if (status == VPN_OK)
		status = read_state(t, &after, err);
	return status;
}

static vpn_status open_io(struct bsd_tuntap *t, struct vpn_error *err)
{
	t->io = bsd_io_new(t);
	if (t->io == NULL)
		return bsd_fault(err, VPN_ENOMEM, 0, NULL, "out of memory");
	vpn_status status = bsd_io_watch(t->io, true);
	return status != VPN_OK
		       ? bsd_fault(err, status, 0, NULL, "cannot watch the device's descriptor")
		       : VPN_OK;
}

static void announce(const struct bsd_tuntap *t)
{
	const struct bsd_options *o = t->options;
	const char *name = t->device.name;
	bsd_log(t->host, VPN_LOG_INFO, "%s: %s device, MTU %u", name,
		t->device.kind == BSD_ETHERNET ? "TAP" : "TUN", t->info.mtu);
	if (t->device.wish_lost)
		bsd_log(t->host, strchr(o->name, '%') != NULL ? VPN_LOG_DEBUG : VPN_LOG_WARN,
			"the device is called %s: %s cannot rename it to %s", name,
			t->control.kernel->name, o->name);
	if (o->txqueuelen != 0)
		bsd_log(t->host, VPN_LOG_WARN,
			"%s: txqueuelen has no effect on %s, a sysctl sets the length of queues",
			name, t->control.kernel->name);
	if (t->addresses.point_to_point && o->addresses.count != 0)
		bsd_log(t->host, VPN_LOG_WARN,
			"%s: beside \"peers\", an IPv4 address reaches the first host of its "
			"network only; the rest of the network is left to routes",
			name);
}

static vpn_status start(void *inst, struct vpn_lane *const *lanes, struct vpn_error *err)
{
	struct bsd_tuntap *t = inst;
	if (t->control.kernel == NULL)
		return bsd_fault(err, VPN_ENOTSUP, 0, NULL,
				 "this file was built to check manifests for other systems");
	t->lane = lanes[0];
	t->journal.ext = t->host->get_service(t->host, VPN_EXT_JOURNAL, &t->journal.inst);
	int e = bsd_control_open(&t->control);
	if (e != 0)
		return bsd_fault(err, bsd_status(e), e, NULL, "cannot open a socket: %s",
				 strerror(e));
	vpn_status status = bsd_device_open(&t->device, t->options, &t->control, &t->journal,
					    t->addresses.n != 0, t->addresses.point_to_point, err);
	if (status == VPN_OK)
		status = configure(t, err);
	if (status == VPN_OK)
		status = bsd_monitor_open(t, err);
	if (status == VPN_OK)
		status = open_io(t, err);
	if (status == VPN_OK) {
		bsd_device_settle(&t->device, t->options, &t->journal);
		announce(t);
	}
	return status;
}

/* ---- data path ---- */

static uint32_t take(void *inst, struct vpn_lane *lane, struct vpn_packet **pkts, uint32_t n)
{
	struct bsd_tuntap *t = inst;
	(void)lane;
	bsd_io_write(t->io, pkts, n);
	return n;
}

static uint32_t ready(void *inst, struct vpn_lane *lane, uint64_t token, uint32_t events)
{
	struct bsd_tuntap *t = inst;
	(void)lane;
	(void)events;
	if (token == BSD_TOKEN_DEVICE)
		return bsd_io_read(t->io);
	if (token == BSD_TOKEN_MONITOR)
		bsd_monitor_ready(t);
	return VPN_IDLE;
}

static void timer(void *inst, struct vpn_lane *lane, uint64_t now_ns)
{
	struct bsd_tuntap *t = inst;
	(void)lane;
	(void)now_ns;
	bsd_io_timer(t->io);
}

static uint32_t writable(void *inst, struct vpn_lane *lane, uint32_t direction)
{
	struct bsd_tuntap *t = inst;
	(void)lane;
	if (direction == VPN_DOWN)
		bsd_io_writable(t->io);
	return VPN_IDLE;
}

/* ---- extensions ---- */

static vpn_status info(void *inst, struct vpn_device_info *out)
{
	struct bsd_tuntap *t = inst;
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
	struct bsd_tuntap *t = inst;
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

/* In the order of enum bsd_counter. */
static const struct vpn_counter counters[] = {
	{"oversize", "packets from the other side that exceed our MTU, delivered", 0, 0},
	{"starved", "times that the packet pool was empty", 0, 0},
	{"blocked", "times that the stage below was full", 0, 0},
	{"read_errors", "reads that failed", 0, 0},
	{"drop_too_big", "packets from the kernel that exceed what the stack carries",
	 VPN_COUNTER_DROP, 0},
	{"drop_not_ip", "packets from the kernel that are no IP packet or frame", VPN_COUNTER_DROP,
	 0},
	{"drop_malformed", "packets from the other side that are no IP packet or frame",
	 VPN_COUNTER_DROP, 0},
	{"drop_ecn", "packets with an impossible pair of ECN marks (RFC 6040)", VPN_COUNTER_DROP,
	 0},
	{"drop_down", "packets for a device that was down or gone", VPN_COUNTER_DROP, 0},
	{"drop_busy", "packets that the kernel had no room for", VPN_COUNTER_DROP, 0},
	{"drop_no_buffers", "packets that the kernel had no memory for", VPN_COUNTER_DROP, 0},
	{"drop_refused", "packets that the kernel refused, or takes from nobody: too large",
	 VPN_COUNTER_DROP, 0},
};
_Static_assert(sizeof(counters) / sizeof(counters[0]) == BSD_COUNTERS, "one name for each counter");

static const struct vpn_lifecycle lifecycle = {
	.size = sizeof(lifecycle),
	.flags = VPN_AUTO,
	.options = &bsd_option_table,
	.counters = counters,
	.n_counters = BSD_COUNTERS,
	.validate = validate,
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
	.id = "tuntap-bsd",
	.summary = "TUN and TAP devices of FreeBSD, OpenBSD, NetBSD and DragonFly",
	.lifecycle = &lifecycle,
	.flow = &flow,
	.undo = bsd_record_undo,
};

static const struct vpn_component *const components[] = {&component, NULL};

VPN_PLUGIN(driver_tuntap_bsd, "tuntap-bsd", VPNCORE_VERSION, "BSD-2-Clause", "", "", components);
