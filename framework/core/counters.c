/* SPDX-License-Identifier: BSD-2-Clause */
/* counters: what has passed each stage of a pipeline, as text. */
#include <stdio.h>

#include "pipeline.h"

struct text {
	char buf[1024];
	size_t len;
};

static void add(struct text *t, const char *name, const char *what, uint64_t value)
{
	int n = snprintf(t->buf + t->len, sizeof(t->buf) - t->len, " %s%s=%llu", name, what,
			 (unsigned long long)value);
	if (n > 0 && t->len + (size_t)n < sizeof(t->buf))
		t->len += (size_t)n;
	else
		t->buf[t->len] = '\0'; /* what does not fit is left out whole */
}

static void add_link(struct text *t, const char *direction, const struct link *l)
{
	struct link_counters c = link_read(l);
	t->len += (size_t)snprintf(t->buf + t->len, sizeof(t->buf) - t->len, " %s", direction);
	add(t, "packets", "", c.packets);
	add(t, "bytes", "", c.bytes);
	add(t, "batches", "", c.batches);
	if (c.refused != 0)
		add(t, "refused", "", c.refused);
}

/* Counters of the component, those that are not zero. */
static void add_own(struct text *t, const struct instance *in, const struct lane_part *part)
{
	const struct vpn_lifecycle *life = in->component->lifecycle;
	for (uint32_t i = 0; i < life->n_counters; i++) {
		uint64_t value = __atomic_load_n(&part->counters[i], __ATOMIC_RELAXED);
		if (value != 0)
			add(t, life->counters[i].name, "", value);
	}
}

void pipeline_counters(const struct pipeline *p, void (*line)(void *ctx, const char *text),
		       void *ctx)
{
	for (uint32_t k = 0; k < p->n_lanes; k++) {
		const struct lane *l = p->lanes[k];
		for (size_t i = 0; i < p->n_stages; i++) {
			/* a stage stands with the links to the stage above it, the device with those below */
			const struct lane_part *upper = &l->parts[i == 0 ? 0 : i - 1];
			const struct lane_part *lower = &l->parts[i == 0 ? 1 : i];
			struct text t;
			t.len = (size_t)snprintf(t.buf, sizeof(t.buf),
						 "counters: lane %u %.64s:", k,
						 p->instances[i].part->name);
			add_link(&t, "down", &upper->link_down);
			add_link(&t, "up", &lower->link_up);
			add_own(&t, &p->instances[i], &l->parts[i]);
			line(ctx, t.buf);
		}
	}
}
