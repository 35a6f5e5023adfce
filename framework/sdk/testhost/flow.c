/* SPDX-License-Identifier: BSD-2-Clause */
/* flow: the calls of a stage's data path, and the packets that the test gives it. */
#include <stddef.h>
#include <string.h>

#include "internal.h"

#define HAS_FLOW(s, f) \
	((s)->component->flow != NULL && VPN_HAS((s)->component->flow, struct vpn_flow, f) && \
	 (s)->component->flow->f != NULL)

struct vpn_packet *testhost_packet(struct testhost_stage *s, uint32_t lane, uint32_t direction,
				   const void *data, uint32_t len)
{
	uint32_t room = direction == VPN_DOWN ? s->setup.headroom : 0;
	uint32_t behind = direction == VPN_DOWN ? s->setup.tailroom : 0;
	struct box *b = box_new(&s->host->store, &s->parts[lane], OWNER_TEST, POOL_NONE, room,
				len + behind);
	if (len != 0)
		memcpy(vpn_packet_data(&b->pub), data, len);
	b->pub.len = len;
	b->pub.stamp_ns = s->host->now;
	return &b->pub;
}

void testhost_packet_from(struct testhost_stage *s, struct vpn_packet *p,
			  const struct vpn_endpoint *endpoint)
{
	(void)s;
	box_lend((struct box *)p, endpoint);
}

void testhost_drop(struct testhost_stage *s, struct vpn_packet *p)
{
	struct box *b = (struct box *)p;
	if (box_check(&s->host->store, p, b->part, OWNER_TEST, "testhost_drop") != NULL)
		box_free(&s->host->store, b);
}

/* FNV-1a over what must not change in a packet that was not taken. */
static uint64_t digest(const struct vpn_packet *p)
{
	uint64_t sum = UINT64_C(0xcbf29ce484222325) ^ p->off ^ (uint64_t)p->flags << 32;
	for (uint32_t i = 0; i < p->len; i++)
		sum = (sum ^ vpn_packet_data(p)[i]) * UINT64_C(0x100000001b3);
	return sum;
}

/* The packets that the stage left: they must be whole, and the test's again. */
static void give_back(struct testhost_stage *s, struct box *b, uint64_t before, bool in_place)
{
	if (!in_place)
		REPORT("%s: the array was changed behind the packets that were taken",
		       s->setup.name);
	if (b->owner != OWNER_STAGE) {
		REPORT("%s: a packet that was not taken has been pushed or released",
		       s->setup.name);
		return;
	}
	b->part->out[b->pool]--;
	b->owner = OWNER_TEST;
	if (digest(&b->pub) != before)
		REPORT("%s: a packet that was not taken has been changed", s->setup.name);
}

/* What a stage keeps has lost its endpoint: a pointer that was kept too becomes a bad one. */
static void end_loan(struct box *b)
{
	if (b->owner != OWNER_STAGE || b->lent == NULL)
		return;
	if (b->pub.endpoint == &b->lent->endpoint)
		b->pub.endpoint_word = STALE_WORD;
	box_take_back(b);
}

static uint32_t call_flow(struct testhost_stage *s, uint32_t lane, uint32_t direction,
			  struct vpn_packet **pkts, uint32_t n)
{
	const struct vpn_flow *flow = s->component->flow;
	uint32_t taken = 0;
	if (direction == VPN_DOWN ? !HAS_FLOW(s, send) : !HAS_FLOW(s, recv)) {
		REPORT("%s: has no %s()", s->setup.name, direction == VPN_DOWN ? "send" : "recv");
		return 0;
	}
	stage_enter(s, PHASE_LANE, lane);
	if (direction == VPN_DOWN)
		taken = flow->send(s->inst, &s->parts[lane].pub, pkts, n);
	else
		taken = flow->recv(s->inst, &s->parts[lane].pub, pkts, n);
	stage_leave(s);
	if (taken > n) {
		REPORT("%s: took %u of %u packets", s->setup.name, (unsigned)taken, (unsigned)n);
		taken = n;
	}
	return taken;
}

uint32_t testhost_offer(struct testhost_stage *s, uint32_t lane, uint32_t direction,
			struct vpn_packet **pkts, uint32_t n)
{
	struct box *mine[VPN_BATCH_MAX];
	uint64_t before[VPN_BATCH_MAX];
	struct part *part = &s->parts[lane];
	if (s->state != STATE_RUNNING || n == 0 || n > part->pub.max_batch) {
		REPORT("testhost_offer: %u packets; at most %u, to a running stage", (unsigned)n,
		       (unsigned)part->pub.max_batch);
		return 0;
	}
	for (uint32_t i = 0; i < n; i++) {
		mine[i] = box_check(&s->host->store, pkts[i], part, OWNER_TEST, "testhost_offer");
		if (mine[i] == NULL)
			return 0;
		before[i] = digest(pkts[i]);
	}
	for (uint32_t i = 0; i < n; i++) {
		mine[i]->owner = OWNER_STAGE;
		part->out[mine[i]->pool]++;
	}
	uint32_t taken = call_flow(s, lane, direction, pkts, n);
	for (uint32_t i = 0; i < taken; i++)
		end_loan(mine[i]);
	loans_end(part);
	for (uint32_t i = taken; i < n; i++)
		give_back(s, mine[i], before[i], pkts[i] == &mine[i]->pub);
	return taken;
}

static bool offer_one(struct testhost_stage *s, uint32_t lane, uint32_t direction,
		      struct vpn_packet *p)
{
	struct vpn_packet *one = p;
	bool taken = testhost_offer(s, lane, direction, &one, 1) == 1;
	if (!taken)
		testhost_drop(s, p);
	return taken;
}

bool testhost_send(struct testhost_stage *s, uint32_t lane, const void *data, uint32_t len)
{
	return offer_one(s, lane, VPN_DOWN, testhost_packet(s, lane, VPN_DOWN, data, len));
}

bool testhost_recv(struct testhost_stage *s, uint32_t lane, const void *data, uint32_t len,
		   const struct vpn_endpoint *endpoint)
{
	struct vpn_packet *p = testhost_packet(s, lane, VPN_UP, data, len);
	if (endpoint != NULL)
		testhost_packet_from(s, p, endpoint);
	return offer_one(s, lane, VPN_UP, p);
}

uint32_t testhost_watches(const struct testhost_stage *s, uint32_t lane, struct testhost_watch *out,
			  uint32_t max)
{
	const struct part *part = &s->parts[lane];
	for (uint32_t i = 0; i < max && i < part->n_watches; i++)
		out[i] = part->watches[i];
	return part->n_watches;
}

static uint32_t check_more(const struct testhost_stage *s, const char *function, uint32_t answer)
{
	if (answer != VPN_IDLE && answer != VPN_MORE)
		REPORT("%s: %s() returned %u", s->setup.name, function, (unsigned)answer);
	return answer;
}

uint32_t testhost_ready(struct testhost_stage *s, uint32_t lane, uint64_t token, uint32_t events)
{
	if (s->state != STATE_RUNNING || !HAS_FLOW(s, ready)) {
		REPORT("%s: does not run, or has no ready()", s->setup.name);
		return VPN_IDLE;
	}
	stage_enter(s, PHASE_LANE, lane);
	uint32_t answer = s->component->flow->ready(s->inst, &s->parts[lane].pub, token, events);
	stage_leave(s);
	return check_more(s, "ready", answer);
}

uint32_t testhost_writable(struct testhost_stage *s, uint32_t lane, uint32_t direction)
{
	if (s->state != STATE_RUNNING || !HAS_FLOW(s, writable))
		return VPN_IDLE;
	stage_enter(s, PHASE_LANE, lane);
	uint32_t answer = s->component->flow->writable(s->inst, &s->parts[lane].pub, direction);
	stage_leave(s);
	return check_more(s, "writable", answer);
}

void stage_timer(struct part *part)
{
	struct testhost_stage *s = part->stage;
	part->deadline = 0;
	stage_enter(s, PHASE_LANE, part->pub.index);
	s->component->flow->timer(s->inst, &part->pub, part->pub.now_ns);
	stage_leave(s);
}

uint64_t testhost_deadline(const struct testhost_stage *s, uint32_t lane)
{
	return s->parts[lane].deadline;
}
