/* SPDX-License-Identifier: BSD-2-Clause */
#include "pipeline.h"

#include <stdlib.h>
#include <string.h>

#include "fault.h"
#include "hooks.h"
#include "host.h"
#include "log.h"

/* Packets of one lane. Pieces cover two full large reads more than one batch needs. */
#define TX_PACKETS    1024u
#define RX_PACKETS    512u
#define LARGE_PACKETS 16u
#define PIECES        2048u
#define RX_MARGIN     128u /* headers of stages that arrive in front of the data */

static const struct vpn_lifecycle *life_of(const struct instance *in)
{
	return in->component->lifecycle;
}

static struct pool_shape shape_of(const struct graph *g)
{
	uint32_t largest = 0;
	for (size_t i = 0; i < g->n_stages; i++)
		if (g->stages[i].mtu_above > largest)
			largest = g->stages[i].mtu_above;
	uint32_t path = g->stages[g->n_stages - 1].needs.mtu;
	if (path > largest)
		largest = path;
	return (struct pool_shape){
		.headroom = g->headroom,
		.data = {largest + g->tailroom, largest + g->tailroom + RX_MARGIN, POOL_LARGE_BYTES,
			 0},
		.count = {TX_PACKETS, RX_PACKETS, LARGE_PACKETS, PIECES},
	};
}

/* A plugin that fails without saying why is no reason to go on as if nothing had happened, nor to end
 * with an empty message. */
static vpn_status told(struct vpn_error *err, const struct instance *in, vpn_status status,
		       const char *what)
{
	if (status == VPN_OK)
		return VPN_OK;
	if (err->text[0] == '\0')
		fault(err, status, err->os_errno, "%s: %s failed with status %d and says no more",
		      in->part->name, what, status);
	err->status = status;
	return status;
}

static vpn_status make_instance(struct pipeline *p, const struct manifest_part *part,
				const struct graph_stage *stage, struct vpn_error *err)
{
	struct instance *in = &p->instances[p->n_instances++];
	in->pipeline = p;
	in->part = part;
	in->component = part->loaded->component;
	host_init(in, p->graph, stage);
	vpn_status status = mainloop_init(&in->main, p->events.loop, err);
	if (status != VPN_OK)
		return status;
	status = told(err, in, life_of(in)->create(&in->host, part->config, &in->inst, err),
		      "create()");
	in->created = status == VPN_OK;
	if (status != VPN_OK && in->inst != NULL) {
		life_of(in)->destroy(in->inst);
		in->inst = NULL;
	}
	return status;
}

static vpn_status make_instances(struct pipeline *p, struct vpn_error *err)
{
	const struct graph *g = p->graph;
	const struct manifest_part *beside[] = {&g->manifest->routes, &g->manifest->dns};
	vpn_status status = VPN_OK;
	p->instances = calloc(g->n_stages + 2, sizeof(*p->instances));
	if (p->instances == NULL)
		return fault(err, VPN_ENOMEM, 0, "out of memory");
	for (size_t i = 0; i < g->n_stages && status == VPN_OK; i++)
		status = make_instance(p, g->stages[i].part, &g->stages[i], err);
	p->n_stages = p->n_instances;
	for (size_t i = 0; i < 2 && status == VPN_OK; i++)
		if (beside[i]->loaded != NULL)
			status = make_instance(p, beside[i], NULL, err);
	return status;
}

static vpn_status make_lanes(struct pipeline *p, struct vpn_error *err)
{
	struct pool_shape shape = shape_of(p->graph);
	p->lanes = calloc(p->graph->n_lanes, sizeof(*p->lanes));
	if (p->lanes == NULL)
		return fault(err, VPN_ENOMEM, 0, "out of memory");
	for (uint32_t i = 0; i < p->graph->n_lanes; i++) {
		p->lanes[i] = lane_new(i, p->n_stages, &shape, err);
		if (p->lanes[i] == NULL)
			return err->status;
		lane_tell_stir(p->lanes[i], p->events.stirred, p->events.ctx);
		p->n_lanes++;
	}
	return VPN_OK;
}

/* Gives each stage its part of each lane. */
static vpn_status place_instance(struct pipeline *p, size_t i, struct vpn_error *err)
{
	struct instance *in = &p->instances[i];
	in->lanes = calloc(p->n_lanes, sizeof(struct vpn_lane *));
	in->parts = calloc(p->n_lanes, sizeof(struct lane_part *));
	if (in->lanes == NULL || in->parts == NULL)
		return fault(err, VPN_ENOMEM, 0, "out of memory");
	for (uint32_t k = 0; k < p->n_lanes; k++) {
		vpn_status status = lane_set_part(p->lanes[k], i, in->part->name,
						  in->component->flow, in->inst,
						  life_of(in)->n_counters, p->graph->max_batch);
		if (status != VPN_OK)
			return fault(err, status, 0, "out of memory");
		in->parts[k] = &p->lanes[k]->parts[i];
		in->lanes[k] = &in->parts[k]->pub;
	}
	return VPN_OK;
}

struct pipeline *pipeline_new(const struct graph *graph, const struct pipeline_events *events,
			      struct vpn_error *err)
{
	struct pipeline *p = calloc(1, sizeof(*p));
	if (p == NULL) {
		fault(err, VPN_ENOMEM, 0, "out of memory");
		return NULL;
	}
	pthread_mutex_init(&p->lock, NULL);
	p->graph = graph;
	if (events != NULL)
		p->events = *events;
	p->error.size = sizeof(p->error);
	vpn_status status = make_instances(p, err);
	if (status == VPN_OK)
		status = make_lanes(p, err);
	for (size_t i = 0; i < p->n_stages && status == VPN_OK; i++)
		status = place_instance(p, i, err);
	if (status != VPN_OK)
		return pipeline_free(p, NULL);
	for (uint32_t k = 0; k < p->n_lanes; k++)
		lane_wire(p->lanes[k]);
	return p;
}

bool pipeline_device(struct pipeline *p, struct vpn_device_info *out)
{
	struct instance *device = &p->instances[0];
	if (!device->started)
		return false;
	const struct vpn_device_ext *ext = life_of(device)->get_extension(device->inst,
									  VPN_EXT_DEVICE);
	/* a device of ABI 1.0 has no flags to tell: not known is up */
	*out = (struct vpn_device_info){.size = sizeof(*out), .flags = VPN_DEVICE_UP};
	return ext != NULL && ext->info(device->inst, out) == VPN_OK;
}

static vpn_status apply_plans(struct pipeline *p, struct vpn_error *err)
{
	struct vpn_device_info device;
	if (p->n_instances > p->n_stages && !pipeline_device(p, &device))
		return fault(err, VPN_EIO, 0, "the device does not say what it is called");
	for (size_t i = p->n_stages; i < p->n_instances; i++) {
		struct instance *in = &p->instances[i];
		in->started = true;
		vpn_status status = told(err, in, life_of(in)->start(in->inst, NULL, err),
					 "start()");
		if (status == VPN_OK) {
			in->applied =
				true; /* also when it fails half-way: revert() undoes what was done */
			status = told(err, in, in->component->plan->apply(in->inst, &device, err),
				      "apply()");
		}
		if (status != VPN_OK)
			return status;
	}
	return VPN_OK;
}

static bool keeps_journal(const struct vpn_component *c)
{
	return VPN_HAS(c, struct vpn_component, undo) && c->undo != NULL;
}

/* Before anything is started: what an earlier run has left must not be taken for the system's own. */
static vpn_status begin_journal(struct pipeline *p, struct vpn_error *err)
{
	const struct manifest *m = p->graph->manifest;
	bool wanted = hooks_want_journal(m);
	for (size_t i = 0; i < p->n_instances; i++)
		wanted |= keeps_journal(p->instances[i].component);
	return journal_service_begin(&p->journal, m->name, wanted, m->loader, err);
}

static vpn_status start_all(struct pipeline *p, struct vpn_error *err)
{
	for (size_t i = p->n_stages; i-- > 0;) {
		struct instance *in = &p->instances[i];
		in->started = true;
		for (uint32_t k = 0; k < p->n_lanes; k++)
			in->lanes[k]->now_ns = lane_now_ns();
		vpn_status status = told(err, in, life_of(in)->start(in->inst, in->lanes, err),
					 "start()");
		if (status != VPN_OK)
			return status;
	}
	for (uint32_t k = 0; k < p->n_lanes; k++) {
		vpn_status status = lane_run(p->lanes[k], err);
		if (status != VPN_OK)
			return status;
	}
	vpn_status status = apply_plans(p, err);
	return status == VPN_OK ? hooks_up(p, err) : status;
}

vpn_status pipeline_start(struct pipeline *p, struct vpn_error *err)
{
	if (p->started)
		return fault(err, VPN_EINVAL, 0,
			     "the pipeline was started before; make a new one to start it again");
	p->started = true;
	vpn_status status = begin_journal(p, err);
	if (status == VPN_OK)
		status = start_all(p, err);
	if (status != VPN_OK) {
		struct vpn_error ignored = VPN_ERROR_INIT;
		(void)pipeline_stop(p, &ignored); /* the first error is the one to tell */
	}
	return status;
}

vpn_status pipeline_stop(struct pipeline *p, struct vpn_error *err)
{
	vpn_status status = hooks_down(p, err);
	for (size_t i = p->n_instances; i-- > p->n_stages;) {
		struct instance *in = &p->instances[i];
		vpn_status reverted = in->applied ? told(err, in,
							 in->component->plan->revert(in->inst, err),
							 "revert()")
						  : VPN_OK;
		if (reverted != VPN_OK)
			status = reverted;
		in->applied = false;
	}
	journal_service_undo_plans(&p->journal);
	for (uint32_t k = 0; k < p->n_lanes; k++)
		lane_halt(p->lanes[k]);
	for (size_t i = 0; i < p->n_instances; i++) {
		struct instance *in = &p->instances[i];
		if (in->started)
			life_of(in)->stop(in->inst);
		in->started = false;
		mainloop_clear(&in->main);
	}
	vpn_status undone = journal_service_end(&p->journal, err);
	return undone != VPN_OK ? undone : status;
}

bool pipeline_quiet(struct pipeline *p)
{
	bool quiet = true;
	for (uint32_t k = 0; k < p->n_lanes; k++)
		quiet &= lane_quiet(p->lanes[k]);
	return quiet;
}

void pipeline_rest(struct pipeline *p)
{
	for (uint32_t k = 0; k < p->n_lanes; k++)
		lane_rest(p->lanes[k]);
}

bool pipeline_error(struct pipeline *p, struct vpn_error *err)
{
	pthread_mutex_lock(&p->lock);
	bool failed = p->failed;
	if (failed)
		*err = p->error;
	pthread_mutex_unlock(&p->lock);
	return failed;
}

struct pipeline *pipeline_free(struct pipeline *p, bool *ret_lookups_left)
{
	struct vpn_error ignored = VPN_ERROR_INIT;
	if (p == NULL)
		return NULL;
	(void)pipeline_stop(p, &ignored);
	for (size_t i = 0; i < p->n_instances; i++) {
		struct instance *in = &p->instances[i];
		if (in->created)
			life_of(in)->destroy(in->inst);
		mainloop_clear(&in->main);
		pthread_mutex_destroy(&in->main.lock);
		free(in->lanes);
		free(in->parts);
	}
	for (uint32_t k = 0; k < p->n_lanes; k++) {
		uint32_t lost = pool_outstanding(&p->lanes[k]->pool);
		if (lost != 0)
			log_printf(VPN_LOG_DEBUG, p->graph->manifest->name,
				   "lane %u: %u packets were not released", k, lost);
		p->lanes[k] = lane_free(p->lanes[k], ret_lookups_left);
	}
	pthread_mutex_destroy(&p->lock);
	free(p->lanes);
	free(p->instances);
	free(p);
	return NULL;
}
