/* SPDX-License-Identifier: BSD-2-Clause */
/* stage: an instance under test: its life, its counters, and what it told the pipeline. */
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include "internal.h"

#define HAS_LIFE(s, f) \
	(VPN_HAS((s)->component->lifecycle, struct vpn_lifecycle, f) && \
	 (s)->component->lifecycle->f != NULL)

_Thread_local int testhost_in_component;

void stage_enter(struct testhost_stage *s, enum phase phase, uint32_t lane)
{
	s->phase = phase;
	s->phase_lane = lane;
	for (uint32_t i = 0; i < s->setup.n_lanes; i++) {
		struct part *part = &s->parts[i];
		part->pub.now_ns = s->host->now;
		part->before = part->pub;
	}
	testhost_in_component = 1;
}

/* All of struct vpn_lane but `user` is the host's. */
static bool lane_is_intact(const struct part *part)
{
	struct vpn_lane now = part->pub;
	now.user = part->before.user;
	return memcmp(&now, &part->before, sizeof(now)) == 0;
}

void stage_leave(struct testhost_stage *s)
{
	testhost_in_component = 0;
	s->phase = PHASE_NONE;
	for (uint32_t i = 0; i < s->setup.n_lanes; i++) {
		struct part *part = &s->parts[i];
		if (lane_is_intact(part))
			continue;
		REPORT("%s: the component changed a field of vpn_lane other than user",
		       s->setup.name);
		void *user = part->pub.user;
		part->pub = part->before;
		part->pub.user = user;
	}
}

bool stage_can(const struct testhost_stage *s, enum phase phase)
{
	return s->phase == phase;
}

/* A function that fails says why, in the error that it was given. */
static vpn_status check_error(const struct testhost_stage *s, const char *function,
			      vpn_status status, const struct vpn_error *err)
{
	if (status > 0)
		REPORT("%s: %s() returned %d, which is no status", s->setup.name, function,
		       (int)status);
	if (err->size != sizeof(*err))
		REPORT("%s: %s() changed the size of its error", s->setup.name, function);
	if (status < 0 && (err->status != status || err->text[0] == '\0'))
		REPORT("%s: %s() returned %d without saying so, and why, in its error",
		       s->setup.name, function, (int)status);
	return status;
}

static void error_init(struct vpn_error *err)
{
	memset(err, 0, sizeof(*err));
	err->size = sizeof(*err);
}

static void fill_setup(struct testhost_stage *s, const struct testhost_setup *setup)
{
	struct testhost_setup *to = &s->setup;
	bool flows = s->component->kind == VPN_KIND_DEVICE ||
		     s->component->kind == VPN_KIND_TRANSPORT;
	if (setup != NULL)
		*to = *setup;
	if (to->name == NULL)
		to->name = s->component->id;
	if (to->n_lanes == 0)
		to->n_lanes = flows ? 1 : 0;
	if (to->layer == 0)
		to->layer = VPN_L3;
	if (to->mtu_above == 0)
		to->mtu_above = 1420;
	if (to->max_batch == 0)
		to->max_batch = 64;
	if (to->pool_size == 0)
		to->pool_size = 1024;
	if (to->log_level == 0)
		to->log_level = VPN_LOG_DEBUG;
}

static void fill_needs(struct testhost_stage *s)
{
	struct testhost_setup *to = &s->setup;
	s->needs.size = sizeof(s->needs);
	if (s->component->lifecycle->needs == NULL)
		return; /* routes or dns */
	testhost_in_component = 1;
	s->component->lifecycle->needs(to->config, &s->needs);
	testhost_in_component = 0;
	if (s->needs.size != sizeof(s->needs))
		REPORT("%s: needs() changed the size of its struct", to->name);
	if (s->needs.align > 64 || (s->needs.align & (s->needs.align - 1)) != 0)
		REPORT("%s: align %u is no power of two up to 64", to->name,
		       (unsigned)s->needs.align);
	if (to->n_lanes > 1 && (s->needs.flags & VPN_LANE_AWARE) == 0)
		REPORT("%s: %u lanes for a component that is not lane-aware", to->name,
		       (unsigned)to->n_lanes);
	if (to->headroom == 0)
		to->headroom = s->needs.headroom;
	if (to->tailroom == 0)
		to->tailroom = s->needs.tailroom;
	if (s->needs.max_batch != 0 && s->needs.max_batch < to->max_batch)
		to->max_batch = s->needs.max_batch;
	if ((s->needs.flags & VPN_BOTTOM) != 0)
		to->mtu_below = 0;
	else if (to->mtu_below == 0)
		to->mtu_below = to->mtu_above + s->needs.overhead;
}

static void make_parts(struct testhost_stage *s)
{
	bool bottom = (s->needs.flags & VPN_BOTTOM) != 0;
	bool device = s->component->kind == VPN_KIND_DEVICE;
	s->parts = get((s->setup.n_lanes + 1u) * sizeof(*s->parts));
	for (uint32_t i = 0; i < s->setup.n_lanes; i++) {
		struct part *part = &s->parts[i];
		part->stage = s;
		end_init(&part->ends[VPN_UP], part, VPN_UP);
		end_init(&part->ends[VPN_DOWN], part, VPN_DOWN);
		part->pub = (struct vpn_lane){
			.size = sizeof(part->pub),
			.index = i,
			.up = device ? NULL : &part->ends[VPN_UP].pub,
			.down = bottom ? NULL : &part->ends[VPN_DOWN].pub,
			.counters = get((s->component->lifecycle->n_counters + 1u) *
					sizeof(uint64_t)),
			.max_batch = s->setup.max_batch,
			.host_private = part,
		};
	}
}

static bool is_sound(const struct vpn_component *c)
{
	const struct vpn_lifecycle *life = c->lifecycle;
	bool piped = c->kind == VPN_KIND_DEVICE || c->kind == VPN_KIND_TRANSPORT;
	if (!VPN_HAS(c, struct vpn_component, plan) || c->id == NULL || life == NULL ||
	    life->size < sizeof(*life) || (piped && life->needs == NULL) || life->create == NULL ||
	    life->start == NULL || life->stop == NULL || life->destroy == NULL) {
		REPORT("the component lacks its size, id or a function that every component has");
		return false;
	}
	return true;
}

static void stage_done(struct testhost_stage *s)
{
	for (uint32_t i = 0; s->parts != NULL && i < s->setup.n_lanes; i++) {
		struct part *part = &s->parts[i];
		while (part->questions != NULL) {
			struct question *q = part->questions;
			part->questions = q->next;
			free(q);
		}
		end_clear(&part->ends[VPN_UP]);
		end_clear(&part->ends[VPN_DOWN]);
		loans_end(part);
		free(part->watches);
		free(part->pub.counters);
	}
	free(s->parts);
	free(s);
}

static vpn_status validate(struct testhost_stage *s, struct vpn_error *err)
{
	if (s->component->lifecycle->validate == NULL)
		return VPN_OK;
	testhost_in_component = 1;
	vpn_status status = s->component->lifecycle->validate(s->setup.config, err);
	testhost_in_component = 0;
	return check_error(s, "validate", status, err);
}

static vpn_status create(struct testhost_stage *s, struct vpn_error *err)
{
	stage_enter(s, PHASE_CREATE, 0);
	vpn_status status = s->component->lifecycle->create(&s->services, s->setup.config, &s->inst,
							    err);
	stage_leave(s);
	check_error(s, "create", status, err);
	if (status == VPN_OK)
		return VPN_OK;
	stage_enter(s, PHASE_DESTROY, 0);
	s->component->lifecycle->destroy(s->inst);
	stage_leave(s);
	return status;
}

struct testhost_stage *testhost_add(struct testhost *h, const struct vpn_component *component,
				    const struct testhost_setup *setup, struct vpn_error *err)
{
	struct vpn_error own;
	if (err == NULL)
		err = &own;
	error_init(err);
	if (!is_sound(component))
		return NULL;
	struct testhost_stage *s = get(sizeof(*s));
	s->host = h;
	s->component = component;
	fill_setup(s, setup);
	if (validate(s, err) != VPN_OK) {
		free(s);
		return NULL;
	}
	fill_needs(s);
	make_parts(s);
	services_fill(s);
	if (create(s, err) != VPN_OK) {
		stage_done(s);
		return NULL;
	}
	s->next = h->stages;
	h->stages = s;
	return s;
}

vpn_status testhost_start(struct testhost_stage *s, struct vpn_error *err)
{
	struct vpn_error own;
	if (err == NULL)
		err = &own;
	error_init(err);
	if (s->state != STATE_CREATED) {
		REPORT("%s: start in another state than CREATED", s->setup.name);
		return VPN_EINVAL;
	}
	struct vpn_lane **lanes = get((s->setup.n_lanes + 1u) * sizeof(struct vpn_lane *));
	for (uint32_t i = 0; i < s->setup.n_lanes; i++)
		lanes[i] = &s->parts[i].pub;
	stage_enter(s, PHASE_START, 0);
	vpn_status status = s->component->lifecycle->start(s->inst, lanes, err);
	stage_leave(s);
	free(lanes); /* the lanes stay, the array need not */
	check_error(s, "start", status, err);
	if (status == VPN_OK)
		s->state = STATE_RUNNING;
	else
		testhost_stop(s);
	return status;
}

void testhost_stop(struct testhost_stage *s)
{
	stage_enter(s, PHASE_STOP, 0);
	s->component->lifecycle->stop(s->inst);
	stage_leave(s);
	s->state = STATE_STOPPED;
	for (uint32_t i = 0; i < s->setup.n_lanes; i++) {
		struct part *part = &s->parts[i];
		if (part->n_watches != 0)
			REPORT("%s: descriptor %d is still watched after stop()", s->setup.name,
			       part->watches[0].fd);
		part->n_watches = 0;
		part->deadline = 0;
		atomic_store(&part->woken, false);
	}
	uint32_t held = store_owned(&s->host->store, s, OWNER_STAGE);
	if (held != 0)
		REPORT("%s: %u packets are still held after stop()", s->setup.name, (unsigned)held);
}

vpn_status testhost_reload(struct testhost_stage *s, const void *config, struct vpn_error *err)
{
	struct vpn_error own;
	if (err == NULL)
		err = &own;
	error_init(err);
	if (s->state != STATE_RUNNING || !HAS_LIFE(s, reload)) {
		REPORT("%s: reload of an instance that does not run, or cannot", s->setup.name);
		return VPN_ENOTSUP;
	}
	stage_enter(s, PHASE_RELOAD, 0);
	vpn_status status = s->component->lifecycle->reload(s->inst, config, err);
	stage_leave(s);
	return check_error(s, "reload", status, err);
}

static void unlink_stage(struct testhost_stage *s)
{
	struct testhost_stage **at = &s->host->stages;
	while (*at != s)
		at = &(*at)->next;
	*at = s->next;
}

struct testhost_stage *testhost_remove(struct testhost_stage *s)
{
	if (s == NULL)
		return NULL;
	if (s->state != STATE_STOPPED)
		testhost_stop(s);
	stage_enter(s, PHASE_DESTROY, 0);
	s->component->lifecycle->destroy(s->inst);
	stage_leave(s);
	uint32_t left = store_owned(&s->host->store, s, OWNER_TEST);
	if (left != 0)
		REPORT("%s: the test still owns %u packets", s->setup.name, (unsigned)left);
	store_reclaim(&s->host->store, s);
	wires_cut(s);
	unlink_stage(s);
	stage_done(s);
	return NULL;
}

struct vpn_lane *testhost_lane(struct testhost_stage *s, uint32_t lane)
{
	return &s->parts[lane].pub;
}

const struct vpn_host *testhost_services(const struct testhost_stage *s)
{
	return &s->services;
}

const struct vpn_needs *testhost_needs(const struct testhost_stage *s)
{
	return &s->needs;
}

void *testhost_instance(const struct testhost_stage *s)
{
	return s->inst;
}

static uint64_t counter_sum(const struct testhost_stage *s, uint32_t i)
{
	uint64_t sum = 0;
	for (uint32_t lane = 0; lane < s->setup.n_lanes; lane++)
		sum += s->parts[lane].pub.counters[i];
	return sum;
}

uint64_t testhost_counter(const struct testhost_stage *s, const char *name)
{
	const struct vpn_lifecycle *life = s->component->lifecycle;
	for (uint32_t i = 0; i < life->n_counters; i++)
		if (strcmp(life->counters[i].name, name) == 0)
			return counter_sum(s, i);
	REPORT("%s: there is no counter \"%s\"", s->setup.name, name);
	return 0;
}

uint64_t testhost_drops(const struct testhost_stage *s)
{
	const struct vpn_lifecycle *life = s->component->lifecycle;
	uint64_t sum = 0;
	for (uint32_t i = 0; i < life->n_counters; i++)
		if ((life->counters[i].flags & VPN_COUNTER_DROP) != 0)
			sum += counter_sum(s, i);
	return sum;
}

uint32_t testhost_notified(const struct testhost_stage *s, uint32_t event, uint64_t *ret_value)
{
	if (event >= EVENTS_MAX)
		return 0;
	if (ret_value != NULL)
		*ret_value = s->notified_value[event];
	return s->notified[event];
}

const struct vpn_error *testhost_failed(const struct testhost_stage *s)
{
	return s->has_failed ? &s->failed : NULL;
}
