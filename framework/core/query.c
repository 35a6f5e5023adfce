/* SPDX-License-Identifier: BSD-2-Clause */
#include "query.h"

#include "choice.h"
#include "fault.h"

static const void *extension(const struct vpn_component *c, const char *id)
{
	if (!VPN_HAS(c, struct vpn_component, get_static) || c->get_static == NULL)
		return NULL;
	return c->get_static(id);
}

static bool answers(void *ctx, const struct loaded *c, char *why, size_t cap)
{
	(void)why;
	(void)cap;
	return extension(c->component, ctx) != NULL;
}

/* The greatest figure first; those of equal ones stay in the order of their names. */
static void insert(struct query *q, const struct choice_item *item, const char *id)
{
	const struct vpn_component *c = item->loaded->component;
	size_t i = q->n;
	if (i == QUERY_MOST)
		return;
	for (; i > 0 && q->list[i - 1].figure < item->fit; i--)
		q->list[i] = q->list[i - 1];
	q->list[i] = (struct answerer){c, extension(c, id), item->fit};
	q->n++;
}

static void collect(struct query *q, const struct loader *l, uint32_t kind, const char *id)
{
	struct choice choice = {0};
	if (!choice_make(&choice, l, kind, answers, (void *)(uintptr_t)id))
		return;
	for (size_t i = 0; i < choice.n; i++)
		if (choice.items[i].takes)
			insert(q, &choice.items[i], id);
	choice_clear(&choice);
}

void query_find(struct query *q, struct loader *l, uint32_t kind, const char *id)
{
	*q = (struct query){.n = 0};
	loader_scan_kind(l, kind);
	collect(q, l, kind, id);
	if (q->n > 0)
		return;
	loader_scan(l);
	collect(q, l, kind, id);
}

vpn_status query_none(struct loader *l, uint32_t kind, const char *what, struct vpn_error *err)
{
	if (loader_refused_count(l) == 0)
		return fault(err, VPN_ENOTSUP, 0,
			     "no %s component that can tell %s is installed for this platform",
			     loader_kind_name(kind), what);
	const struct refused *r = loader_refused_at(l, 0);
	return fault(err, VPN_ENOTSUP, 0,
		     "no %s component that can tell %s can be used; %zu refused, such as %s: %s",
		     loader_kind_name(kind), what, loader_refused_count(l), r->path, r->text);
}
