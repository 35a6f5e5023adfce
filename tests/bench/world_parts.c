/* SPDX-License-Identifier: BSD-2-Clause */
/* world_parts: device, null transport and turn of a world, and the table of all of its components. */
#include <ltdl.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include "world.h"

#define TURN_MTU 2000u /* more than all overheads and one packet */

struct part_config {
	uint64_t world, number;
	uint32_t bottom;
	uint64_t mtu;
};

struct world_device {
	const struct vpn_host *host;
	struct world *world;
	uint64_t next[WORLD_LANES]; /* number of the next packet */
};

struct world_turn {
	const struct vpn_host *host;
	struct world *world;
	uint32_t number;
	struct vpn_lane *const *lanes;
	struct vpn_endpoint endpoint; /* where packets from the other side of the turn come from */
};

static const struct vpn_option options[] = {
	{.name = "world", .type = VPN_OPT_UINT, .offset = offsetof(struct part_config, world)},
	{.name = "number", .type = VPN_OPT_UINT, .offset = offsetof(struct part_config, number)},
	{.name = "bottom", .type = VPN_OPT_BOOL, .offset = offsetof(struct part_config, bottom)},
	{.name = "mtu", .type = VPN_OPT_UINT, .offset = offsetof(struct part_config, mtu)},
};

static const struct vpn_option_table option_table = VPN_OPTION_TABLE(options, struct part_config);

static vpn_status out_of_memory(struct vpn_error *err)
{
	err->status = VPN_ENOMEM;
	strcpy(err->text, "out of memory");
	return VPN_ENOMEM;
}

static void stop(void *inst)
{
	(void)inst;
}

static void destroy(void *inst)
{
	free(inst);
}

static void set_endpoint(struct vpn_endpoint *e, uint32_t port)
{
	static const uint8_t address[4] = {192, 0, 2, 1};
	*e = (struct vpn_endpoint){.family = VPN_AF_INET, .port = (uint16_t)port};
	memcpy(e->addr, address, sizeof(address));
}

/* ---- device ---- */

static void device_needs(const void *config, struct vpn_needs *out)
{
	const struct part_config *c = config;
	out->flags = VPN_L3 | VPN_LANE_AWARE;
	out->mtu = (uint32_t)c->mtu;
}

static vpn_status device_create(const struct vpn_host *host, const void *config, void **inst,
				struct vpn_error *err)
{
	const struct part_config *c = config;
	struct world_device *d = calloc(1, sizeof(*d));
	if (d == NULL)
		return out_of_memory(err);
	d->host = host;
	d->world = &worlds[c->world];
	*inst = d;
	return VPN_OK;
}

static vpn_status device_start(void *inst, struct vpn_lane *const *lanes, struct vpn_error *err)
{
	struct world_device *d = inst;
	(void)lanes;
	(void)err;
	d->world->device = d;
	return VPN_OK;
}

static uint32_t make(struct world_device *d, struct vpn_lane *lane, struct vpn_packet **pkts,
		     uint32_t n, bool whole)
{
	struct world *w = d->world;
	uint64_t number = d->next[lane->index];
	uint8_t dst[4];
	n = d->host->alloc(lane, VPN_POOL_TX, pkts, n);
	for (uint32_t i = 0; i < n; i++) {
		world_address(dst, world_choose(w, lane->index, number + i));
		world_write(w, vpn_packet_data(pkts[i]), world_source, dst, number + i, whole);
		pkts[i]->len = w->shape.bytes;
	}
	d->next[lane->index] = number + n;
	return n;
}

static uint32_t device_ready(void *inst, struct vpn_lane *lane, uint64_t token, uint32_t events)
{
	struct world_device *d = inst;
	struct world *w = d->world;
	struct world_lane *l = &w->lanes[lane->index];
	struct vpn_packet *pkts[VPN_BATCH_MAX];
	enum world_mode mode = world_mode(w);
	(void)token;
	(void)events;
	if (mode != WORLD_FIRST && mode != WORLD_CHECK && mode != WORLD_SEND) {
		atomic_store(&l->busy, false);
		return VPN_IDLE;
	}
	uint32_t n = make(d, lane, pkts, mode == WORLD_FIRST ? 1 : lane->max_batch,
			  mode != WORLD_SEND);
	uint32_t taken = n != 0 ? vpn_push(lane->down, pkts, n) : 0;
	world_add(&l->offered, taken);
	if (taken < n) {
		world_add(&l->wrong, n - taken);
		d->host->release(lane, pkts + taken, n - taken);
	}
	if (mode != WORLD_FIRST)
		return VPN_MORE;
	atomic_store(&l->busy, false);
	return VPN_IDLE;
}

static uint32_t device_recv(void *inst, struct vpn_lane *lane, struct vpn_packet **pkts, uint32_t n)
{
	struct world_device *d = inst;
	world_sink(d->world, d->host, lane, pkts, n);
	return n;
}

static vpn_status device_info(void *inst, struct vpn_device_info *out)
{
	const struct world_device *d = inst;
	struct vpn_device_info info = {.size = out->size,
				       .ifindex = 1,
				       .mtu = d->host->mtu_above,
				       .layer = VPN_L3,
				       .name = "bench0",
				       .flags = VPN_DEVICE_UP};
	memcpy(out, &info, out->size < sizeof(info) ? out->size : sizeof(info));
	return VPN_OK;
}

static const void *device_extension(void *inst, const char *id)
{
	static const struct vpn_device_ext ext = {
		.size = offsetof(struct vpn_device_ext, subscribe), .info = device_info};
	(void)inst;
	return strcmp(id, VPN_EXT_DEVICE) == 0 ? &ext : NULL;
}

void world_wake_device(struct world_device *d)
{
	for (uint32_t i = 0; i < d->world->shape.lanes; i++) {
		atomic_store(&d->world->lanes[i].busy, true);
		d->host->wake(d->host, i);
	}
}

static const struct vpn_lifecycle device_life = {
	.size = sizeof(device_life),
	.options = &option_table,
	.needs = device_needs,
	.create = device_create,
	.start = device_start,
	.stop = stop,
	.destroy = destroy,
	.get_extension = device_extension,
};
static const struct vpn_flow device_flow = {
	.size = sizeof(device_flow), .recv = device_recv, .ready = device_ready};
const struct vpn_component world_component_device = {
	.size = sizeof(world_component_device),
	.kind = VPN_KIND_DEVICE,
	.id = "bench-device",
	.summary = "makes packets, and counts what comes up",
	.lifecycle = &device_life,
	.flow = &device_flow,
};

/* ---- null ---- */

static void null_needs(const void *config, struct vpn_needs *out)
{
	(void)config;
	out->flags = VPN_L2 | VPN_L3 | VPN_LANE_AWARE;
}

static vpn_status null_create(const struct vpn_host *host, const void *config, void **inst,
			      struct vpn_error *err)
{
	(void)host;
	(void)config;
	*inst = malloc(1); /* it has nothing to keep, but NULL would be no instance */
	return *inst != NULL ? VPN_OK : out_of_memory(err);
}

static vpn_status null_start(void *inst, struct vpn_lane *const *lanes, struct vpn_error *err)
{
	(void)inst;
	(void)lanes;
	(void)err;
	return VPN_OK;
}

static uint32_t null_send(void *inst, struct vpn_lane *lane, struct vpn_packet **pkts, uint32_t n)
{
	(void)inst;
	return vpn_push(lane->down, pkts, n);
}

static uint32_t null_recv(void *inst, struct vpn_lane *lane, struct vpn_packet **pkts, uint32_t n)
{
	(void)inst;
	return vpn_push(lane->up, pkts, n);
}

static const struct vpn_lifecycle null_life = {
	.size = sizeof(null_life),
	.options = &option_table,
	.needs = null_needs,
	.create = null_create,
	.start = null_start,
	.stop = stop,
	.destroy = destroy,
};
static const struct vpn_flow null_flow = {
	.size = sizeof(null_flow), .send = null_send, .recv = null_recv};
const struct vpn_component world_component_null = {
	.size = sizeof(world_component_null),
	.kind = VPN_KIND_TRANSPORT,
	.id = "bench-null",
	.summary = "passes packets on",
	.lifecycle = &null_life,
	.flow = &null_flow,
};

/* ---- turn ---- */

static void turn_needs(const void *config, struct vpn_needs *out)
{
	const struct part_config *c = config;
	out->flags = VPN_L3 | VPN_LANE_AWARE;
	if (c->bottom == 0)
		return;
	out->flags |= VPN_BOTTOM;
	out->mtu = TURN_MTU;
}

static vpn_status turn_create(const struct vpn_host *host, const void *config, void **inst,
			      struct vpn_error *err)
{
	const struct part_config *c = config;
	struct world_turn *t = calloc(1, sizeof(*t));
	if (t == NULL)
		return out_of_memory(err);
	t->host = host;
	t->world = &worlds[c->world];
	t->number = (uint32_t)c->number;
	/* an end knows the other one by the port that the manifest gives it */
	set_endpoint(&t->endpoint, t->number != 0 ? t->number : WORLD_SESSIONS + 1);
	*inst = t;
	return VPN_OK;
}

static vpn_status turn_start(void *inst, struct vpn_lane *const *lanes, struct vpn_error *err)
{
	struct world_turn *t = inst;
	(void)err;
	t->lanes = lanes;
	t->world->turns[t->number] = t;
	return VPN_OK;
}

/* From an end above, to the end that stands above another turn. */
static void hand_over(struct world_turn *t, uint32_t other, uint32_t lane, struct vpn_packet **pkts,
		      uint32_t n)
{
	struct vpn_lane *there = t->world->turns[other]->lanes[lane];
	for (uint32_t i = 0; i < n; i++)
		pkts[i]->endpoint = &t->endpoint;
	uint32_t taken = vpn_push(there->up, pkts, n);
	if (taken < n) {
		world_add(&t->world->lanes[lane].wrong, n - taken);
		t->host->release(there, pkts + taken, n - taken);
	}
}

/* On the way nothing is to be read of a packet that will be looked at when it arrives. */
static bool is_hidden(const struct world *w, const struct vpn_packet *p)
{
	struct vpn_packet inner = *p;
	inner.off += 16;
	inner.len = w->shape.bytes;
	return p->len <= inner.len || !world_is_right(w, &inner, false);
}

static uint32_t turn_send(void *inst, struct vpn_lane *lane, struct vpn_packet **pkts, uint32_t n)
{
	struct world_turn *t = inst;
	struct world *w = t->world;
	if (t->number != 0) {
		hand_over(t, 0, lane->index, pkts, n);
		return n;
	}
	if (world_mode(w) == WORLD_CHECK)
		for (uint32_t i = 0; i < n; i++)
			if (!is_hidden(w, pkts[i]))
				world_add(&w->lanes[lane->index].wrong, 1);
	for (uint32_t begin = 0, end; begin < n; begin = end) {
		uint16_t to = pkts[begin]->endpoint->port;
		for (end = begin + 1; end < n && pkts[end]->endpoint->port == to; end++)
			;
		hand_over(t, to, lane->index, pkts + begin, end - begin);
	}
	return n;
}

/* From the end below: it has opened them. */
static uint32_t turn_recv(void *inst, struct vpn_lane *lane, struct vpn_packet **pkts, uint32_t n)
{
	struct world_turn *t = inst;
	world_sink(t->world, t->host, lane, pkts, n);
	return n;
}

static const struct vpn_lifecycle turn_life = {
	.size = sizeof(turn_life),
	.options = &option_table,
	.needs = turn_needs,
	.create = turn_create,
	.start = turn_start,
	.stop = stop,
	.destroy = destroy,
};
static const struct vpn_flow turn_flow = {
	.size = sizeof(turn_flow), .send = turn_send, .recv = turn_recv};
const struct vpn_component world_component_turn = {
	.size = sizeof(world_component_turn),
	.kind = VPN_KIND_TRANSPORT,
	.id = "bench-turn",
	.summary = "hands what one end sends to the other",
	.lifecycle = &turn_life,
	.flow = &turn_flow,
};

/* ---- the program's own plugin, in the list of those that are linked in ---- */

static const struct vpn_component *const components[] = {
	&world_component_device, &world_component_null, &world_component_turn, &world_component_far,
	NULL};
VPN_PLUGIN(bench_scale, "bench", "1.0.0", "BSD-2-Clause", "https://example.org/bench", "",
	   components);

const lt_dlsymlist *loader_preloaded(void);

const lt_dlsymlist *loader_preloaded(void)
{
	static const lt_dlsymlist list[] = {{"bench_scale.a", NULL},
					    {"bench_scale_LTX_vpncore_plugin_v1",
					     (void *)(uintptr_t)&VPN_PLUGIN_SYMBOL(bench_scale)},
					    {NULL, NULL}};
	return list;
}
