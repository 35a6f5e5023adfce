/* SPDX-License-Identifier: BSD-2-Clause */
/* utun-darwin: the device component for macOS. */
#include <stdlib.h>
#include <string.h>

#include "control.h"
#include "fault.h"
#include "io.h"

#ifndef VPNCORE_VERSION
#define VPNCORE_VERSION "0.1.0"
#endif

struct utun {
	struct darwin_device device;
	const struct utun_options *options;
	struct utun_control control;
	struct utun_io io;
	bool started;
};

/* ---- life ---- */

static void needs(const void *config, struct vpn_needs *out)
{
	const struct utun_options *o = config;
	out->flags = VPN_L3;
	out->mtu = (uint32_t)o->common.mtu;
}

static void destroy(void *inst)
{
	struct utun *u = inst;
	if (u == NULL)
		return;
	darwin_device_clear(&u->device);
	free(u);
}

static vpn_status create(const struct vpn_host *host, const void *config, void **inst,
			 struct vpn_error *err)
{
	struct utun *u = calloc(1, sizeof(*u));
	*inst = NULL;
	if (u == NULL)
		return darwin_fault(err, VPN_ENOMEM, 0, NULL, "out of memory");
	u->options = config;
	u->control.fd = -1;
	vpn_status status = darwin_device_init(&u->device, host, false, &u->options->common, err);
	if (status != VPN_OK) {
		destroy(u);
		return status;
	}
	*inst = u;
	return VPN_OK;
}

static void stop(void *inst)
{
	struct utun *u = inst;
	if (!u->started)
		return;
	darwin_queue_clear(&u->io.queue);
	darwin_device_close(&u->device);
	utun_control_close(&u->control);
	u->started = false;
}

static void announce(const struct utun *u)
{
	darwin_log(u->device.host, VPN_LOG_INFO, "%s: utun device, MTU %u, reads %s, writes %s",
		   u->control.name, u->device.mtu,
		   u->io.receive != NULL ? "in batches" : "one by one",
		   u->io.send != NULL ? "in batches" : "one by one");
}

static vpn_status start(void *inst, struct vpn_lane *const *lanes, struct vpn_error *err)
{
	struct utun *u = inst;
	u->started = true;
	vpn_status status = utun_io_probe(&u->io, u->options, err);
	if (status == VPN_OK)
		status = utun_control_open(&u->control, u->options, err);
	if (status == VPN_OK)
		status = darwin_device_open(&u->device, u->control.name, &u->options->common, NULL,
					    lanes[0], err);
	if (status != VPN_OK)
		return status;
	u->io.fd = u->control.fd;
	darwin_queue_init(&u->io.queue, &utun_port, &u->device, lanes[0]);
	status = utun_port.watch(&u->io.queue, true);
	if (status != VPN_OK)
		return darwin_fault(err, status, 0, NULL, "cannot watch the device's descriptor");
	announce(u);
	return VPN_OK;
}

/* ---- data path ---- */

static uint32_t take(void *inst, struct vpn_lane *lane, struct vpn_packet **pkts, uint32_t n)
{
	struct utun *u = inst;
	(void)lane;
	darwin_queue_write(&u->io.queue, pkts, n);
	return n;
}

static uint32_t ready(void *inst, struct vpn_lane *lane, uint64_t token, uint32_t events)
{
	struct utun *u = inst;
	(void)lane;
	(void)events;
	if (token == DARWIN_TOKEN_QUEUE)
		return darwin_queue_read(&u->io.queue);
	if (token == DARWIN_TOKEN_MONITOR)
		darwin_monitor_ready(&u->device);
	return VPN_IDLE;
}

static void timer(void *inst, struct vpn_lane *lane, uint64_t now_ns)
{
	struct utun *u = inst;
	(void)lane;
	(void)now_ns;
	darwin_queue_timer(&u->io.queue);
}

static uint32_t writable(void *inst, struct vpn_lane *lane, uint32_t direction)
{
	struct utun *u = inst;
	(void)lane;
	if (direction == VPN_DOWN)
		darwin_queue_writable(&u->io.queue);
	return VPN_IDLE;
}

/* ---- extensions ---- */

static vpn_status info(void *inst, struct vpn_device_info *out)
{
	struct utun *u = inst;
	return darwin_device_info(&u->device, out);
}

static void subscribe(void *inst, void (*changed)(void *ctx), void *ctx)
{
	struct utun *u = inst;
	darwin_device_subscribe(&u->device, changed, ctx);
}

static const void *get_extension(void *inst, const char *id)
{
	static const struct vpn_device_ext device = {
		.size = sizeof(device), .info = info, .subscribe = subscribe};
	(void)inst;
	return strcmp(id, VPN_EXT_DEVICE) == 0 ? &device : NULL;
}

/* ---- the component ---- */

static const struct vpn_lifecycle lifecycle = {
	.size = sizeof(lifecycle),
	.flags = VPN_AUTO,
	.options = &utun_option_table,
	.counters = darwin_counters,
	.n_counters = DARWIN_COUNTERS,
	.validate = utun_options_validate,
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
	.id = "utun-darwin",
	.summary = "utun devices of macOS",
	.lifecycle = &lifecycle,
	.flow = &flow,
};

static const struct vpn_component *const components[] = {&component, NULL};

VPN_PLUGIN(driver_utun_darwin, "utun-darwin", VPNCORE_VERSION, "BSD-2-Clause", "", "", components);
