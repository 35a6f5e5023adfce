/* SPDX-License-Identifier: BSD-2-Clause */
/* reconcile: when to compare what is with what shall be: VPN_EXT_RECONCILE of plugin.h. */
#include <stdlib.h>
#include <string.h>

#include "lane.h"
#include "mainloop.h"

#define MS             UINT64_C(1000000)
#define SETTLE_AT_MOST 10u /* times settle_ms after the first stir, as plugin.h says */

struct vpn_reconciler {
	struct vpn_reconciler *next;
	struct mainloop *m;
	struct vpn_reconcile spec;
	uint64_t stirred_ns; /* when it was stirred first since the last run, 0 = not */
	uint64_t window_ns;  /* when this window began, 0 = none is open */
	uint32_t repairs;    /* in this window */
	bool waiting;        /* for the window's end */
	bool told;           /* of a fight that has not ended */
};

static void on_deadline(void *ctx);

static void arm_at(struct vpn_reconciler *r, uint64_t deadline_ns)
{
	/* without memory for it the next stir tries again */
	(void)mainloop_ext.arm(r->m, deadline_ns, on_deadline, r);
}

static uint64_t window_end(const struct vpn_reconciler *r)
{
	return r->window_ns + r->spec.window_ms * MS;
}

/* A window that is over takes its count with it; one without repairs ends a fight. */
static void turn_window(struct vpn_reconciler *r, uint64_t now)
{
	if (r->window_ns != 0 && now < window_end(r))
		return;
	if (r->repairs < r->spec.most)
		r->told = false;
	r->window_ns = 0;
	r->repairs = 0;
}

static void wait_for_window(struct vpn_reconciler *r)
{
	r->waiting = true;
	arm_at(r, window_end(r));
}

static void count_repairs(struct vpn_reconciler *r, uint32_t n, uint64_t now)
{
	if (r->window_ns == 0)
		r->window_ns = now;
	r->repairs += n;
	if (r->repairs < r->spec.most)
		return;
	wait_for_window(r);
	if (!r->told && r->spec.fight != NULL)
		r->spec.fight(r->spec.ctx, r->repairs);
	r->told = true;
}

static void on_deadline(void *ctx)
{
	struct vpn_reconciler *r = ctx;
	uint64_t now = lane_now_ns();
	bool wanted = r->stirred_ns != 0;
	turn_window(r, now);
	r->waiting = false;
	r->stirred_ns = 0;
	if (!wanted)
		return;
	int32_t n = r->spec.run(r->spec.ctx);
	if (n > 0) {
		count_repairs(r, (uint32_t)n, now);
	} else if (n < 0) {
		if (r->window_ns == 0)
			r->window_ns = now;
		r->stirred_ns = now;
		wait_for_window(r);
	}
}

static void stir(struct vpn_reconciler *r)
{
	uint64_t now = lane_now_ns();
	if (r->stirred_ns == 0)
		r->stirred_ns = now;
	if (r->waiting)
		return;
	uint64_t at = now + r->spec.settle_ms * MS;
	uint64_t latest = r->stirred_ns + SETTLE_AT_MOST * r->spec.settle_ms * MS;
	arm_at(r, at < latest ? at : latest);
}

static struct vpn_reconciler *reconciler_open(void *inst, const struct vpn_reconcile *spec)
{
	struct mainloop *m = inst;
	struct vpn_reconciler *r = calloc(1, sizeof(*r));
	if (r == NULL)
		return NULL;
	r->m = m;
	memcpy(&r->spec, spec, spec->size < sizeof(r->spec) ? spec->size : sizeof(r->spec));
	if (r->spec.most == 0)
		r->spec.most = 1;
	r->next = m->reconcilers;
	m->reconcilers = r;
	return r;
}

static void reconciler_close(struct vpn_reconciler *r)
{
	if (r == NULL)
		return;
	struct vpn_reconciler **at = &r->m->reconcilers;
	while (*at != r)
		at = &(*at)->next;
	*at = r->next;
	arm_at(r, 0);
	free(r);
}

void reconcile_clear(struct mainloop *m)
{
	struct vpn_reconciler *r = m->reconcilers, *next;
	m->reconcilers = NULL;
	for (; r != NULL; r = next) {
		next = r->next;
		arm_at(r, 0);
		free(r);
	}
}

const struct vpn_reconcile_ext reconcile_ext = {.size = sizeof(reconcile_ext),
						.open = reconciler_open,
						.stir = stir,
						.close = reconciler_close};
