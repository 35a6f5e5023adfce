/* SPDX-License-Identifier: BSD-2-Clause */
/* link: the neighbours of a stage: takes what it pushes, records it, or puts it on a wire. */
#include <stdlib.h>
#include <string.h>

#include "internal.h"

static void keep(struct end *e, struct vpn_packet *p)
{
	if (p->endpoint_word == STALE_WORD) {
		REPORT("push: a packet with an endpoint whose push returned long ago");
		p->endpoint = NULL;
	}
	struct record *r = get(sizeof(*r) + p->len);
	memcpy(r->data, vpn_packet_data(p), p->len);
	r->pub = (struct testhost_record){
		.data = r->data,
		.len = p->len,
		.flags = p->flags,
		.at_ns = e->part->stage->host->now,
		.stamp_ns = p->stamp_ns,
		.push = e->pushes,
		.headroom = p->off,
		.has_endpoint = p->endpoint != NULL,
	};
	if (p->endpoint != NULL)
		r->pub.endpoint = *p->endpoint;
	*e->last = r;
	e->last = &r->next;
	e->n_records++;
}

/* What the arguments of a push must be. The number of sound packets at the front of the batch. */
static uint32_t check_batch(struct end *e, struct vpn_packet **pkts, uint32_t n)
{
	struct part *part = e->part;
	struct store *store = &part->stage->host->store;
	uint32_t sound = 0;
	if (!stage_can(part->stage, PHASE_LANE) || part->stage->phase_lane != part->pub.index)
		REPORT("push: outside of a [lane] function of this lane");
	if (n == 0 || n > part->pub.max_batch)
		REPORT("push: %u packets; a batch has 1..%u", (unsigned)n,
		       (unsigned)part->pub.max_batch);
	while (sound < n) {
		struct box *b = box_check(store, pkts[sound], part, OWNER_STAGE, "push");
		if (b == NULL)
			break;
		if (b->seen) {
			REPORT("push: a packet stands twice in one batch");
			break;
		}
		b->seen = true;
		sound++;
	}
	for (uint32_t i = 0; i < sound; i++)
		((struct box *)pkts[i])->seen = false;
	return sound;
}

static void take(struct end *e, struct box *b)
{
	if (e->way != NULL)
		way_send(e->way, &b->pub, e->part->pub.index);
	else
		keep(e, &b->pub);
	box_free(&e->part->stage->host->store, b);
}

static uint32_t push(void *ctx, struct vpn_packet **pkts, uint32_t n)
{
	struct end *e = ctx;
	int before = host_begin();
	uint32_t taken = check_batch(e, pkts, n);
	if (taken > e->budget)
		taken = e->budget;
	if (e->budget != UINT32_MAX)
		e->budget -= taken;
	e->pushes++;
	for (uint32_t i = 0; i < taken; i++) {
		take(e, (struct box *)pkts[i]);
		pkts[i] = NULL; /* the neighbour may overwrite what it took */
	}
	host_end(before);
	return taken;
}

void end_init(struct end *e, struct part *part, uint32_t direction)
{
	*e = (struct end){
		.pub = {.size = sizeof(e->pub), .ctx = e, .push = push},
		.part = part,
		.direction = direction,
		.budget = UINT32_MAX,
	};
	e->last = &e->first;
}

static struct record *shift(struct end *e)
{
	struct record *r = e->first;
	if (r == NULL)
		return NULL;
	e->first = r->next;
	if (e->first == NULL)
		e->last = &e->first;
	e->n_records--;
	return r;
}

void end_clear(struct end *e)
{
	struct record *r;
	free(e->current);
	e->current = NULL;
	while ((r = shift(e)) != NULL)
		free(r);
}

static struct end *end_of(const struct testhost_stage *s, uint32_t lane, uint32_t direction)
{
	return &s->parts[lane].ends[direction];
}

const struct testhost_record *testhost_next(struct testhost_stage *s, uint32_t lane,
					    uint32_t direction)
{
	struct end *e = end_of(s, lane, direction);
	free(e->current);
	e->current = shift(e);
	return e->current != NULL ? &e->current->pub : NULL;
}

uint32_t testhost_waiting(const struct testhost_stage *s, uint32_t lane, uint32_t direction)
{
	return end_of(s, lane, direction)->n_records;
}

void testhost_clear(struct testhost_stage *s, uint32_t lane, uint32_t direction)
{
	end_clear(end_of(s, lane, direction));
}

void testhost_limit(struct testhost_stage *s, uint32_t lane, uint32_t direction, uint32_t packets)
{
	end_of(s, lane, direction)->budget = packets;
}

uint32_t testhost_writable_calls(const struct testhost_stage *s, uint32_t lane, uint32_t direction)
{
	return end_of(s, lane, direction)->writable_calls;
}
