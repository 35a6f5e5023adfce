/* SPDX-License-Identifier: BSD-2-Clause */
/* tap-kext-darwin: the device component for TAP on macOS. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "advice.h"
#include "fault.h"
#include "load.h"
#include "node.h"
#include "tap_io.h"

#ifndef VPNCORE_VERSION
#define VPNCORE_VERSION "0.1.0"
#endif

struct tap {
	struct darwin_device device;
	const struct tap_options *options;
	struct tap_node node;
	struct tap_io io;
	bool started;
	char loaded[64]; /* id of what we load and shall unload; "" = nothing */
	const struct vpn_journal_ext
		*journal; /* NULL = the host has none, or nothing is unloaded */
	void *journal_inst;
	uint64_t record; /* of the journal, 0 = none */
};

/* A record of the journal: this extension was loaded for us. */
struct tap_record {
	uint32_t version; /* 1 */
	char id[64];
};
_Static_assert(sizeof(struct tap_record) == 68, "written to disk");

/* ---- life ---- */

static void needs(const void *config, struct vpn_needs *out)
{
	const struct tap_options *o = config;
	out->flags = VPN_L2;
	out->mtu = (uint32_t)o->common.mtu;
}

static void destroy(void *inst)
{
	struct tap *t = inst;
	if (t == NULL)
		return;
	darwin_device_clear(&t->device);
	free(t);
}

static vpn_status create(const struct vpn_host *host, const void *config, void **inst,
			 struct vpn_error *err)
{
	struct tap *t = calloc(1, sizeof(*t));
	*inst = NULL;
	if (t == NULL)
		return darwin_fault(err, VPN_ENOMEM, 0, NULL, "out of memory");
	t->options = config;
	t->node.fd = -1;
	tap_ready_init(&t->io.ready);
	vpn_status status = darwin_device_init(&t->device, host, true, &t->options->common, err);
	if (status != VPN_OK) {
		destroy(t);
		return status;
	}
	*inst = t;
	return VPN_OK;
}

/* ---- the extension ---- */

/* Before the change, how to undo it. */
static vpn_status write_record(struct tap *t, const char *id, struct vpn_error *err)
{
	struct tap_record record = {.version = 1};
	memcpy(record.id, id, strlen(id) + 1);
	if (t->journal == NULL || id[0] == '\0')
		return VPN_OK;
	return t->journal->add(t->journal_inst, 0, &record, sizeof(record), &t->record, err);
}

static void unload(struct tap *t)
{
	struct vpn_error err = {.size = sizeof(err)};
	vpn_status status = VPN_OK;
	if (t->record != 0)
		status = t->journal->undo(t->journal_inst, t->record, &err);
	else if (t->loaded[0] != '\0')
		status = tap_unload(t->loaded, &err);
	if (status != VPN_OK)
		darwin_log(t->device.host, VPN_LOG_WARN, "%s", err.text);
	t->record = 0;
	t->loaded[0] = '\0';
}

static vpn_status load_extension(struct tap *t, const struct tap_system *system,
				 const struct tap_found *found, struct vpn_error *err)
{
	vpn_status status = write_record(t, found->id, err);
	if (status != VPN_OK)
		return status;
	if (t->options->unload)
		memcpy(t->loaded, found->id, sizeof(t->loaded));
	status = tap_load(system, found, err);
	if (status == VPN_OK)
		darwin_log(t->device.host, VPN_LOG_INFO, "loaded %s from %s", found->id,
			   found->path);
	else
		unload(t); /* it may be there all the same, when nobody could see whether it is */
	return status;
}

/* There is no node: loads the extension when that is wanted, or says what is missing. */
static vpn_status provide_node(struct tap *t, struct vpn_error *err)
{
	struct tap_system system = tap_system_read();
	struct tap_loaded loaded;
	struct tap_found found;
	int e = tap_kext_list(&loaded);
	if (e == 0 && loaded.n_tap > 1)
		return tap_advice_collision(&loaded, err);
	bool there = tap_kext_find(t->options->kext, &system, &found);
	if (e == 0 && loaded.n_tap == 1) { /* and has made no nodes */
		snprintf(found.id, sizeof(found.id), "%s", loaded.taps[0]->id);
		return tap_advice_explain(TAP_NO_SLOT, &system, &found, "", err);
	}
	if (!there && t->options->kext != NULL && t->options->kext[0] != '\0')
		return darwin_fault(err, VPN_ENOENT, 0, "/kext", "there is no %s",
				    t->options->kext);
	if (!there)
		return tap_advice_explain(TAP_NOT_INSTALLED, &system, NULL, "", err);
	if (!t->options->load)
		return tap_advice_explain(TAP_NOT_LOADED, &system, &found, "", err);
	return load_extension(t, &system, &found, err);
}

static vpn_status open_node(struct tap *t, struct vpn_error *err)
{
	bool absent = false;
	vpn_status status = tap_node_open(&t->node, t->options, &absent, err);
	if (!absent)
		return status;
	status = provide_node(t, err);
	if (status == VPN_OK)
		status = tap_node_open(&t->node, t->options, &absent, err);
	if (status != VPN_OK && absent && err != NULL && err->text[0] == '\0')
		darwin_fault(err, VPN_ENOENT, 0, "/name",
			     "the extension is loaded, and has made no /dev/%s", t->node.name);
	return status;
}

/* An extension that an earlier run has loaded for itself: unloads it unless somebody uses it. */
static vpn_status undo(const struct vpn_host *host, uint32_t flags, const void *data, uint32_t len,
		       struct vpn_error *err)
{
	struct tap_record record;
	(void)host;
	(void)flags;
	if (len != sizeof(record))
		return darwin_fault(err, VPN_EINVAL, 0, NULL, "the record is not of this version");
	memcpy(&record, data, sizeof(record));
	if (record.version != 1 || memchr(record.id, '\0', sizeof(record.id)) == NULL ||
	    tap_kext_by_id(record.id) == NULL)
		return darwin_fault(err, VPN_EINVAL, 0, NULL,
				    "the record names no known extension");
	return tap_unload(record.id, err);
}

/* ---- start and stop ---- */

static void stop(void *inst)
{
	struct tap *t = inst;
	if (!t->started)
		return;
	darwin_queue_clear(&t->io.queue);
	tap_ready_close(&t->io.ready);
	darwin_device_close(&t->device);
	tap_node_close(&t->node);
	unload(t);
	t->started = false;
}

static void find_journal(struct tap *t)
{
	const struct vpn_host *host = t->device.host;
	const struct vpn_journal_ext *ext = NULL;
	if (t->options->unload && VPN_HAS(host, struct vpn_host, get_service) &&
	    host->get_service != NULL)
		ext = host->get_service(host, VPN_EXT_JOURNAL, &t->journal_inst);
	t->journal = ext;
}

static vpn_status start(void *inst, struct vpn_lane *const *lanes, struct vpn_error *err)
{
	struct tap *t = inst;
	const struct tap_options *o = t->options;
	const struct vpn_host *host = t->device.host;
	t->started = true;
	find_journal(t);
	vpn_status status = open_node(t, err);
	if (status == VPN_OK)
		status = darwin_device_open(&t->device, t->node.name, &o->common,
					    o->mac.is_set ? o->mac.addr : NULL, lanes[0], err);
	if (status == VPN_OK)
		status = tap_ready_open(&t->io.ready, t->node.fd, (enum tap_readiness)o->readiness,
					host, lanes[0], err);
	if (status != VPN_OK)
		return status;
	t->io.fd = t->node.fd;
	darwin_queue_init(&t->io.queue, &tap_port, &t->device, lanes[0]);
	status = tap_port.watch(&t->io.queue, true);
	if (status != VPN_OK)
		return darwin_fault(err, status, 0, NULL, "cannot watch the device's kqueue");
	darwin_log(host, VPN_LOG_INFO, "%s: TAP device, MTU %u, waits by %s", t->node.name,
		   t->device.mtu, t->io.ready.kq >= 0 ? "kevent" : "select");
	return VPN_OK;
}

/* ---- data path ---- */

static uint32_t take(void *inst, struct vpn_lane *lane, struct vpn_packet **pkts, uint32_t n)
{
	struct tap *t = inst;
	(void)lane;
	darwin_queue_write(&t->io.queue, pkts, n);
	return n;
}

static uint32_t ready(void *inst, struct vpn_lane *lane, uint64_t token, uint32_t events)
{
	struct tap *t = inst;
	(void)lane;
	(void)events;
	if (token == DARWIN_TOKEN_QUEUE || token == VPN_TOKEN_WAKE)
		return tap_io_ready(&t->io);
	if (token == DARWIN_TOKEN_MONITOR)
		darwin_monitor_ready(&t->device);
	return VPN_IDLE;
}

static void timer(void *inst, struct vpn_lane *lane, uint64_t now_ns)
{
	struct tap *t = inst;
	(void)lane;
	(void)now_ns;
	darwin_queue_timer(&t->io.queue);
}

static uint32_t writable(void *inst, struct vpn_lane *lane, uint32_t direction)
{
	struct tap *t = inst;
	(void)lane;
	if (direction == VPN_DOWN)
		darwin_queue_writable(&t->io.queue);
	return VPN_IDLE;
}

/* ---- extensions ---- */

static vpn_status info(void *inst, struct vpn_device_info *out)
{
	struct tap *t = inst;
	return darwin_device_info(&t->device, out);
}

static void subscribe(void *inst, void (*changed)(void *ctx), void *ctx)
{
	struct tap *t = inst;
	darwin_device_subscribe(&t->device, changed, ctx);
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
	.options = &tap_option_table,
	.counters = darwin_counters,
	.n_counters = DARWIN_COUNTERS,
	.validate = tap_options_validate,
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
	.id = "tap-kext-darwin",
	.summary = "TAP devices of macOS by the kernel extensions of tuntaposx and Tunnelblick",
	.lifecycle = &lifecycle,
	.flow = &flow,
	.undo = undo,
};

static const struct vpn_component *const components[] = {&component, NULL};

VPN_PLUGIN(driver_tap_kext_darwin, "tap-kext-darwin", VPNCORE_VERSION, "BSD-2-Clause", "", "",
	   components);
