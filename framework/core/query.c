/* SPDX-License-Identifier: BSD-2-Clause */
#include "query.h"

#include <string.h>

#include "fault.h"
#include "host.h"

static const void *extension(const struct vpn_component *c, const char *id)
{
	if (!VPN_HAS(c, struct vpn_component, get_static) || c->get_static == NULL)
		return NULL;
	return c->get_static(id);
}

static uint32_t figure_of(const struct vpn_component *c)
{
	const struct vpn_probe_ext *ext = extension(c, VPN_EXT_PROBE);
	struct vpn_error why = VPN_ERROR_INIT;
	struct vpn_host host;
	if (ext == NULL || !VPN_HAS(ext, struct vpn_probe_ext, probe) || ext->probe == NULL)
		return QUERY_UNSAID;
	host_init_bare(&host, c->id, "");
	return ext->probe(&host, &why);
}

static bool stands_before(const struct answerer *a, const struct answerer *b)
{
	return a->figure > b->figure ||
	       (a->figure == b->figure && strcmp(a->component->id, b->component->id) < 0);
}

static void insert(struct query *q, const struct answerer *a)
{
	size_t i = q->n;
	if (i == QUERY_MOST)
		return;
	for (; i > 0 && stands_before(a, &q->list[i - 1]); i--)
		q->list[i] = q->list[i - 1];
	q->list[i] = *a;
	q->n++;
}

/* The first plugin of the search path that has this component is the one that counts. */
static bool is_known(const struct query *q, const struct vpn_component *c)
{
	for (size_t i = 0; i < q->n; i++)
		if (strcmp(q->list[i].component->id, c->id) == 0)
			return true;
	return false;
}

static void collect(struct query *q, const struct loader *l, uint32_t kind, const char *id)
{
	for (size_t i = 0; i < loader_count(l); i++) {
		const struct vpn_component *c = loader_at(l, i)->component;
		if (c->kind != kind || !loader_is_searched(l, i) ||
		    (c->lifecycle->flags & VPN_AUTO) == 0 || is_known(q, c))
			continue;
		struct answerer a = {.component = c, .ext = extension(c, id)};
		if (a.ext == NULL)
			continue;
		a.figure = figure_of(c);
		insert(q, &a);
	}
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
