/* SPDX-License-Identifier: BSD-2-Clause */
#include "fake.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

struct fake {
	const struct vpn_host *host;
	struct fake_config config;
	char tag;
	struct vpn_lane *const *lanes;
	int fds[FAKE_LANES];
	uint32_t n_fds;
	struct vpn_packet *held[FAKE_LANES][64]; /* the device keeps what was not taken */
	uint32_t n_held[FAKE_LANES];
};

struct fake_log fake_log;

void fake_reset(void)
{
	memset(&fake_log, 0, sizeof(fake_log));
	fake_log.take_limit = 1000;
	fake_log.unwatched = -1;
	for (int i = 0; i < FAKE_LANES; i++)
		fake_log.outer[i] = -1;
}

static void note(char what, char who)
{
	size_t n = strlen(fake_log.order);
	if (n + 3 < sizeof(fake_log.order)) {
		fake_log.order[n] = what;
		fake_log.order[n + 1] = who;
	}
}

static vpn_status create(const struct vpn_host *host, const struct fake_config *config, char tag,
			 void **inst, struct vpn_error *err)
{
	struct fake *f = calloc(1, sizeof(*f));
	if (f == NULL) {
		err->status = VPN_ENOMEM;
		return VPN_ENOMEM;
	}
	f->host = host;
	f->tag = tag;
	if (config != NULL)
		f->config = *config;
	*inst = f;
	note('c', tag);
	if (f->config.fail_create) {
		err->status = VPN_EIO;
		return VPN_EIO; /* half-built: the host destroys it */
	}
	fake_log.created++;
	return VPN_OK;
}

static vpn_status create_device(const struct vpn_host *host, const void *config, void **inst,
				struct vpn_error *err)
{
	fake_log.device_host = host;
	return create(host, config, 'D', inst, err);
}

static vpn_status create_middle(const struct vpn_host *host, const void *config, void **inst,
				struct vpn_error *err)
{
	return create(host, config, 'M', inst, err);
}

static vpn_status create_bottom(const struct vpn_host *host, const void *config, void **inst,
				struct vpn_error *err)
{
	fake_log.bottom_host = host;
	return create(host, config, 'B', inst, err);
}

static vpn_status start(void *inst, struct vpn_lane *const *lanes, struct vpn_error *err)
{
	struct fake *f = inst;
	f->lanes = lanes;
	note('s', f->tag);
	if (f->config.fail_start) {
		err->status = VPN_EIO;
		return VPN_EIO;
	}
	fake_log.started++;
	return VPN_OK;
}

static vpn_status start_device(void *inst, struct vpn_lane *const *lanes, struct vpn_error *err)
{
	struct fake *f = inst;
	vpn_status status = start(inst, lanes, err);
	for (uint32_t i = 0; i < f->host->n_lanes && status == VPN_OK; i++) {
		int pair[2];
		if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, pair) !=
		    0)
			return err->status = VPN_EIO;
		f->fds[f->n_fds++] = pair[0];
		fake_log.outer[i] = pair[1];
		status = f->host->watch(lanes[i], pair[0], VPN_POLLIN, i);
	}
	return err->status = status;
}

static void stop(void *inst)
{
	struct fake *f = inst;
	note('p', f->tag);
	fake_log.stopped++;
	for (uint32_t i = 0; i < f->n_fds; i++) {
		f->host->watch(f->lanes[i], f->fds[i], 0, 0);
		close(f->fds[i]);
		f->host->release(f->lanes[i], f->held[i], f->n_held[i]);
	}
	f->n_fds = 0;
}

static void destroy(void *inst)
{
	struct fake *f = inst;
	if (f == NULL)
		return;
	note('d', f->tag);
	fake_log.destroyed++;
	free(f);
}

static vpn_status device_info(void *inst, struct vpn_device_info *out)
{
	(void)inst;
	out->ifindex = 4711;
	strcpy(out->name, "fake0");
	return VPN_OK;
}

static const void *get_extension(void *inst, const char *id)
{
	static const struct vpn_device_ext ext = {.size = sizeof(ext), .info = device_info};
	struct fake *f = inst;
	return f->tag == 'D' && strcmp(id, VPN_EXT_DEVICE) == 0 ? &ext : NULL;
}

static uint32_t offer(struct fake *f, struct vpn_lane *lane)
{
	uint32_t i = lane->index, n = f->n_held[i];
	uint32_t taken = n != 0 ? vpn_push(lane->down, f->held[i], n) : 0;
	memmove(f->held[i], f->held[i] + taken, (n - taken) * sizeof(f->held[i][0]));
	f->n_held[i] = n - taken;
	f->host->watch(lane, f->fds[i], n == taken ? VPN_POLLIN : 0, i);
	return n == taken ? VPN_MORE : VPN_IDLE;
}

static uint32_t device_ready(void *inst, struct vpn_lane *lane, uint64_t token, uint32_t events)
{
	struct fake *f = inst;
	uint32_t i = lane->index;
	(void)events;
	if (token == VPN_TOKEN_WAKE) {
		fake_log.wakes++;
		return VPN_IDLE;
	}
	while (f->n_held[i] < 8) {
		struct vpn_packet *p;
		if (f->host->alloc(lane, VPN_POOL_TX, &p, 1) == 0)
			break;
		ssize_t n = recv(f->fds[i], vpn_packet_data(p), vpn_packet_tailroom(p), 0);
		if (n <= 0) {
			f->host->release(lane, &p, 1);
			break;
		}
		p->len = (uint32_t)n;
		f->held[i][f->n_held[i]++] = p;
	}
	return f->n_held[i] != 0 ? offer(f, lane) : VPN_IDLE;
}

static uint32_t device_writable(void *inst, struct vpn_lane *lane, uint32_t direction)
{
	fake_log.writables += direction == VPN_DOWN;
	return offer(inst, lane);
}

static uint32_t device_recv(void *inst, struct vpn_lane *lane, struct vpn_packet **pkts, uint32_t n)
{
	struct fake *f = inst;
	for (uint32_t i = 0; i < n; i++)
		if (send(f->fds[lane->index], vpn_packet_data(pkts[i]), pkts[i]->len,
			 MSG_NOSIGNAL) < 0)
			vpn_count(lane, FAKE_DROP_FULL, 1);
	f->host->release(lane, pkts, n);
	return n;
}

static void timer(void *inst, struct vpn_lane *lane, uint64_t now_ns)
{
	(void)inst;
	if (now_ns >= lane->now_ns)
		fake_log.timers++;
}

static void device_timer(void *inst, struct vpn_lane *lane, uint64_t now_ns)
{
	const struct fake *f = inst;
	timer(inst, lane, now_ns);
	if (fake_log.unwatched >= 0)
		f->host->watch(lane, fake_log.unwatched, 0, 0);
}

static void resolved(void *inst, struct vpn_lane *lane, uint64_t token, vpn_status status,
		     const struct vpn_endpoint *endpoints, uint32_t n)
{
	(void)inst;
	(void)lane;
	if (status == VPN_OK && n >= 1 && token == 42 && endpoints[0].port == 9 &&
	    endpoints[0].family == VPN_AF_INET && memcmp(endpoints[0].addr, "\x7f\0\0\1", 4) == 0)
		fake_log.resolved++;
	else
		fake_log.resolve_failed++;
}

static uint32_t middle_send(void *inst, struct vpn_lane *lane, struct vpn_packet **pkts, uint32_t n)
{
	(void)inst;
	return vpn_push(lane->down, pkts, n);
}

static uint32_t middle_recv(void *inst, struct vpn_lane *lane, struct vpn_packet **pkts, uint32_t n)
{
	(void)inst;
	return vpn_push(lane->up, pkts, n);
}

static uint32_t middle_writable(void *inst, struct vpn_lane *lane, uint32_t direction)
{
	struct fake *f = inst;
	f->host->writable(lane, direction);
	return VPN_IDLE;
}

/* Takes up to the limit; when it took less it arms a deadline, at which it takes more. */
static uint32_t bottom_send(void *inst, struct vpn_lane *lane, struct vpn_packet **pkts, uint32_t n)
{
	struct fake *f = inst;
	uint32_t limit = fake_log.take_limit;
	uint32_t k = n < limit ? n : limit;
	if (k < n)
		f->host->arm(lane, lane->now_ns + 1000000);
	return k != 0 ? vpn_push(lane->up, pkts, k) : 0;
}

static void bottom_timer(void *inst, struct vpn_lane *lane, uint64_t now_ns)
{
	struct fake *f = inst;
	timer(inst, lane, now_ns);
	fake_log.take_limit = 1000;
	f->host->writable(lane, VPN_DOWN);
}

static void needs(const void *config, struct vpn_needs *out)
{
	(void)config;
	out->flags = VPN_L3 | VPN_LANE_AWARE;
}

static const struct vpn_counter counters[FAKE_COUNTERS] = {
	{"drop_full", "the test does not read", VPN_COUNTER_DROP, 0},
};

#define LIFECYCLE(create_fn, start_fn) \
	{ \
		.size = sizeof(struct vpn_lifecycle), .counters = counters, \
		.n_counters = FAKE_COUNTERS, .needs = needs, .create = (create_fn), \
		.start = (start_fn), .stop = stop, .destroy = destroy, \
		.get_extension = get_extension, \
	}

static const struct vpn_lifecycle device_life = LIFECYCLE(create_device, start_device);
static const struct vpn_lifecycle middle_life = LIFECYCLE(create_middle, start);
static const struct vpn_lifecycle bottom_life = LIFECYCLE(create_bottom, start);

static const struct vpn_flow device_flow = {
	.size = sizeof(device_flow),
	.recv = device_recv,
	.ready = device_ready,
	.timer = device_timer,
	.writable = device_writable,
	.resolved = resolved,
};
static const struct vpn_flow middle_flow = {
	.size = sizeof(middle_flow),
	.send = middle_send,
	.recv = middle_recv,
	.writable = middle_writable,
};
static const struct vpn_flow bottom_flow = {
	.size = sizeof(bottom_flow),
	.send = bottom_send,
	.timer = bottom_timer,
};

const struct vpn_component fake_device = {sizeof(fake_device),
					  VPN_KIND_DEVICE,
					  "fake-device",
					  "",
					  &device_life,
					  &device_flow,
					  NULL,
					  NULL,
					  NULL};
const struct vpn_component fake_middle = {sizeof(fake_middle),
					  VPN_KIND_TRANSPORT,
					  "fake-middle",
					  "",
					  &middle_life,
					  &middle_flow,
					  NULL,
					  NULL,
					  NULL};
const struct vpn_component fake_bottom = {sizeof(fake_bottom),
					  VPN_KIND_TRANSPORT,
					  "fake-bottom",
					  "",
					  &bottom_life,
					  &bottom_flow,
					  NULL,
					  NULL,
					  NULL};

static struct loaded loaded[3] = {
	{.component = &fake_device}, {.component = &fake_middle}, {.component = &fake_bottom}};

static void add_stage(struct manifest *m, struct graph *g, struct loaded *l, void *config)
{
	struct manifest_part *part = &m->stages[m->n_stages++];
	struct graph_stage *stage = &g->stages[g->n_stages++];
	part->loaded = l;
	part->config = config;
	part->name = (char *)(uintptr_t)l->component->id;
	stage->part = part;
	stage->mtu_above = 1500;
	stage->mtu_below = 1500;
	stage->n_lanes = g->n_lanes;
}

void fake_graph(struct manifest *m, struct graph *g, uint32_t lanes, int middle,
		struct fake_config *device, struct fake_config *bottom)
{
	static char name[] = "test";
	memset(m, 0, sizeof(*m));
	memset(g, 0, sizeof(*g));
	m->name = name;
	m->lanes = lanes;
	g->manifest = m;
	g->layer = VPN_L3;
	g->n_lanes = lanes;
	g->headroom = 64;
	g->max_batch = 64;
	g->mtu = 1500;
	add_stage(m, g, &loaded[0], device);
	if (middle)
		add_stage(m, g, &loaded[1], NULL);
	add_stage(m, g, &loaded[2], bottom);
	g->stages[g->n_stages - 1].mtu_below = 0;
	g->stages[g->n_stages - 1].needs.mtu = 1500;
}
