/* SPDX-License-Identifier: BSD-2-Clause */
/* obfs: datagrams that a classifier cannot name. The component; what they look like is the mode's. */
#include <sodium.h>
#include <stdlib.h>

#include "fault.h"
#include "mode.h"

#ifndef VPNCORE_VERSION
#define VPNCORE_VERSION "0"
#endif

struct obfs {
	const struct vpn_host *host;
	const struct obfs_mode *mode;
	void *state;
	uint32_t n_lanes;
	struct obfs_lane *lanes[]; /* threads: each on its own */
};

/* ---- queues and pushes ---- */

static void keep(struct obfs_lane *l, uint32_t direction, struct vpn_packet *p,
		 const struct vpn_endpoint *endpoint)
{
	if (obfs_queue_add(&l->queue[direction], p, endpoint))
		return;
	obfs_count(l, direction == VPN_UP ? OBFS_DROP_ABOVE_FULL : OBFS_DROP_BELOW_FULL, 1);
	l->host->release(l->lane, &p, 1);
}

void obfs_emit(struct obfs_lane *l, struct vpn_packet *p, const struct vpn_endpoint *to)
{
	keep(l, VPN_DOWN, p, to);
}

static const struct vpn_link *link_of(const struct obfs_lane *l, uint32_t direction)
{
	return direction == VPN_UP ? l->lane->up : l->lane->down;
}

/* Pushes a batch, and keeps what the neighbour does not take, behind what waits already. */
static void pass(struct obfs_lane *l, uint32_t direction, struct vpn_packet **pkts, uint32_t n)
{
	struct obfs_queue *q = &l->queue[direction];
	uint32_t taken = 0;
	if (n == 0)
		return;
	if (obfs_queue_is_empty(q) && !q->blocked) {
		taken = vpn_push(link_of(l, direction), pkts, n);
		q->blocked = q->blocked || taken < n;
	}
	for (; taken < n; taken++)
		keep(l, direction, pkts[taken], pkts[taken]->endpoint);
}

/* Sends what waits. When all has gone, whoever was refused may come again. */
static void drain(struct obfs_lane *l, uint32_t direction)
{
	struct obfs_queue *q = &l->queue[direction];
	if (!obfs_queue_push(q, link_of(l, direction), l->lane->max_batch) || !q->refused)
		return;
	q->refused = false;
	l->host->writable(l->lane, direction);
}

/* True when a batch may be taken in this direction. */
static bool accepts(struct obfs_lane *l, uint32_t direction)
{
	struct obfs_queue *q = &l->queue[direction];
	if (obfs_queue_is_empty(q) && !q->blocked)
		return true;
	q->refused = true;
	return false;
}

/* What a mode has emitted goes out before anything else happens, so that nobody is refused for it. */
static void send_emitted(struct obfs_lane *l)
{
	if (!obfs_queue_is_empty(&l->queue[VPN_DOWN]))
		drain(l, VPN_DOWN);
}

/* ---- down ---- */

/* Datagrams of the mode's own, in front of a packet. */
static void lead(struct obfs_lane *l, const struct obfs_mode *mode, const struct vpn_packet *p)
{
	struct vpn_packet *out[OBFS_LEAD_MOST];
	uint32_t n = mode->before(l, p, out, OBFS_LEAD_MOST);
	for (uint32_t i = 0; i < n; i++) {
		out[i]->endpoint = p->endpoint;
		out[i]->stamp_ns = p->stamp_ns;
		out[i]->flags = p->flags;
	}
	for (uint32_t i = 0; i < n;) {
		uint32_t part = n - i < l->lane->max_batch ? n - i : l->lane->max_batch;
		pass(l, VPN_DOWN, out + i, part);
		i += part;
	}
}

static void end(struct obfs_lane *l, struct vpn_packet *p, uint8_t fate)
{
	if (fate != OBFS_CONSUMED)
		obfs_count(l, (enum obfs_count)(fate - 1), 1);
	l->host->release(l->lane, &p, 1);
}

/* A batch stays a batch, but where the mode wants something in front of a packet. */
static uint32_t flow_send(void *inst, struct vpn_lane *lane, struct vpn_packet **pkts, uint32_t n)
{
	const struct obfs *o = inst;
	struct obfs_lane *l = lane->user;
	uint8_t fates[VPN_BATCH_MAX] = {OBFS_PASS};
	uint32_t start = 0, kept = 0;
	if (!accepts(l, VPN_DOWN))
		return 0;
	if (n > VPN_BATCH_MAX)
		n = VPN_BATCH_MAX;
	o->mode->seal(l, pkts, n, fates);
	send_emitted(l);
	for (uint32_t i = 0; i < n; i++) {
		struct vpn_packet *p = pkts[i];
		if (fates[i] == OBFS_LEAD) {
			pass(l, VPN_DOWN, pkts + start, kept - start);
			start = kept;
			lead(l, o->mode, p);
		} else if (fates[i] == OBFS_KEPT) {
			continue;
		} else if (fates[i] != OBFS_PASS) {
			end(l, p, fates[i]);
			continue;
		}
		pkts[kept++] = p;
	}
	pass(l, VPN_DOWN, pkts + start, kept - start);
	return n;
}

/* ---- up ---- */

/* Junk ends here silently; what is dropped may become a line in the log. */
static void refuse(const struct obfs *o, struct obfs_lane *l, struct vpn_packet *p, uint8_t fate)
{
	if (fate != OBFS_CONSUMED)
		obfs_report_refused(&l->report, l->host, l->lane->now_ns, o->mode->name, p);
	end(l, p, fate);
}

static uint32_t flow_recv(void *inst, struct vpn_lane *lane, struct vpn_packet **pkts, uint32_t n)
{
	const struct obfs *o = inst;
	struct obfs_lane *l = lane->user;
	uint8_t fates[VPN_BATCH_MAX] = {OBFS_PASS};
	uint32_t kept = 0;
	if (!accepts(l, VPN_UP))
		return 0;
	if (n > VPN_BATCH_MAX)
		n = VPN_BATCH_MAX;
	o->mode->open(l, pkts, n, fates);
	send_emitted(l);
	for (uint32_t i = 0; i < n; i++) {
		struct vpn_packet *p = pkts[i];
		if (fates[i] != OBFS_PASS) {
			refuse(o, l, p, fates[i]);
			continue;
		}
		p->flags &= ~VPN_PACKET_VERIFIED; /* the data are not those that were verified */
		pkts[kept++] = p;
	}
	l->report.heard |= kept != 0;
	pass(l, VPN_UP, pkts, kept);
	return n;
}

static void flow_timer(void *inst, struct vpn_lane *lane, uint64_t now_ns)
{
	const struct obfs *o = inst;
	struct obfs_lane *l = lane->user;
	if (o->mode->timer == NULL)
		return;
	o->mode->timer(l, now_ns);
	send_emitted(l);
}

static uint32_t flow_writable(void *inst, struct vpn_lane *lane, uint32_t direction)
{
	struct obfs_lane *l = lane->user;
	(void)inst;
	l->queue[direction].blocked = false;
	drain(l, direction);
	return VPN_IDLE;
}

/* ---- life ---- */

static vpn_status make_lanes(struct obfs *o, struct vpn_error *err)
{
	for (uint32_t i = 0; i < o->n_lanes; i++) {
		struct obfs_lane *l = calloc(1, sizeof(*l));
		o->lanes[i] = l;
		if (l == NULL)
			return obfs_fault(err, VPN_ENOMEM, "", "out of memory");
		l->host = o->host;
		l->mode = o->state;
		if (o->mode->lane_size != 0 && (l->own = calloc(1, o->mode->lane_size)) == NULL)
			return obfs_fault(err, VPN_ENOMEM, "", "out of memory");
		obfs_random_init(&l->random, o->host);
	}
	return VPN_OK;
}

static vpn_status create(const struct vpn_host *host, const void *config, void **inst,
			 struct vpn_error *err)
{
	const struct obfs_options *options = config;
	struct obfs *o = calloc(1, sizeof(*o) + host->n_lanes * sizeof(o->lanes[0]));
	*inst = o;
	if (o == NULL)
		return obfs_fault(err, VPN_ENOMEM, "", "out of memory");
	o->host = host;
	o->mode = obfs_modes[options->mode];
	o->n_lanes = host->n_lanes;
	if (sodium_init() < 0)
		return obfs_fault(err, VPN_ENOTSUP, "", "libsodium cannot be used here");
	vpn_status status = o->mode->create(host, options, &o->state, err);
	if (status != VPN_OK)
		return status;
	return make_lanes(o, err);
}

static vpn_status start(void *inst, struct vpn_lane *const *lanes, struct vpn_error *err)
{
	struct obfs *o = inst;
	vpn_status status = o->mode->start != NULL ? o->mode->start(o->host, o->state, err)
						   : VPN_OK;
	for (uint32_t i = 0; i < o->n_lanes && status == VPN_OK; i++) {
		struct obfs_lane *l = o->lanes[i];
		l->lane = lanes[i];
		lanes[i]->user = l;
		if (o->mode->lane_start != NULL)
			o->mode->lane_start(l);
	}
	return status;
}

static void stop_lane(const struct obfs *o, struct obfs_lane *l)
{
	if (o->mode->lane_stop != NULL)
		o->mode->lane_stop(l);
	for (uint32_t direction = VPN_UP; direction <= VPN_DOWN; direction++) {
		struct obfs_queue *q = &l->queue[direction];
		if (!obfs_queue_is_empty(q))
			l->host->release(l->lane, q->pkts + q->first, q->end - q->first);
		q->first = 0;
		q->end = 0;
	}
	l->host->arm(l->lane, 0);
	l->lane->user = NULL;
	l->lane = NULL;
}

static void stop(void *inst)
{
	struct obfs *o = inst;
	for (uint32_t i = 0; i < o->n_lanes; i++)
		if (o->lanes[i] != NULL && o->lanes[i]->lane != NULL)
			stop_lane(o, o->lanes[i]);
}

static void destroy(void *inst)
{
	struct obfs *o = inst;
	if (o == NULL)
		return;
	stop(o);
	for (uint32_t i = 0; i < o->n_lanes; i++) {
		if (o->lanes[i] == NULL)
			continue;
		obfs_random_clear(&o->lanes[i]->random);
		free(o->lanes[i]->own);
		free(o->lanes[i]);
	}
	if (o->mode != NULL)
		o->mode->destroy(o->state);
	free(o);
}

/* ---- the component ---- */

#define OBFS_COUNTER_ROW(id, name_, drop, doc_) \
	[OBFS_##id] = {.name = (name_), .doc = (doc_), .flags = (drop) ? VPN_COUNTER_DROP : 0},

static const struct vpn_counter counters[OBFS_N_COUNTS] = {OBFS_COUNTS(OBFS_COUNTER_ROW)};

static const struct vpn_lifecycle lifecycle = {
	.size = sizeof(lifecycle),
	.options = &obfs_option_table,
	.counters = counters,
	.n_counters = OBFS_N_COUNTS,
	.validate = obfs_options_validate,
	.needs = obfs_options_needs,
	.create = create,
	.start = start,
	.stop = stop,
	.destroy = destroy,
};

static const struct vpn_flow flow = {
	.size = sizeof(flow),
	.send = flow_send,
	.recv = flow_recv,
	.timer = flow_timer,
	.writable = flow_writable,
};

static const struct vpn_component component = {
	.size = sizeof(component),
	.kind = VPN_KIND_TRANSPORT,
	.id = "obfs",
	.summary = "obfuscation: datagrams that a classifier cannot name, or takes for others",
	.lifecycle = &lifecycle,
	.flow = &flow,
};

static const struct vpn_component *const components[] = {&component, NULL};

VPN_PLUGIN(transport_obfs, "obfs", VPNCORE_VERSION, "BSD-2-Clause", "", "", components);
