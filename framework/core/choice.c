/* SPDX-License-Identifier: BSD-2-Clause */
#include "choice.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "fault.h"
#include "host.h"

static bool is_candidate(const struct loader *l, size_t i, uint32_t kind)
{
	const struct loaded *c = loader_at(l, i);
	return c->component->kind == kind && loader_is_searched(l, i) && loader_serves(l, c) &&
	       (c->component->lifecycle->flags & VPN_AUTO) != 0;
}

static int compare_items(const void *a, const void *b)
{
	const struct choice_item *x = a, *y = b;
	return strcmp(x->loaded->component->id, y->loaded->component->id);
}

/* Of two with one id the first that was found counts, as when it is named. */
static bool has_id(const struct choice *c, const char *id)
{
	for (size_t i = 0; i < c->n; i++)
		if (strcmp(c->items[i].loaded->component->id, id) == 0)
			return true;
	return false;
}

static const struct vpn_probe_ext *probe_of(const struct vpn_component *c)
{
	if (!VPN_HAS(c, struct vpn_component, get_static) || c->get_static == NULL)
		return NULL;
	const struct vpn_probe_ext *ext = c->get_static(VPN_EXT_PROBE);
	return ext != NULL && VPN_HAS(ext, struct vpn_probe_ext, probe) ? ext : NULL;
}

static void ask(struct choice_item *item)
{
	const struct vpn_component *c = item->loaded->component;
	const struct vpn_probe_ext *ext = probe_of(c);
	struct vpn_error why = VPN_ERROR_INIT;
	struct vpn_host host;
	item->fit = CHOICE_FIT_UNSAID;
	if (ext == NULL)
		return;
	host_init_bare(&host, c->id, "");
	item->fit = ext->probe(&host, &why);
	if (item->fit > CHOICE_FIT_MAX)
		item->fit = CHOICE_FIT_MAX;
	why.text[sizeof(why.text) - 1] = '\0';
	snprintf(item->why, sizeof(item->why), "%s", why.text);
}

/* This machine cannot tell how well a component fits another system. */
static void assume(struct choice_item *item, const char *platform)
{
	item->fit = CHOICE_FIT_UNSAID;
	snprintf(item->why, sizeof(item->why), "it is for %s; this machine was not asked",
		 platform);
}

bool choice_make(struct choice *out, const struct loader *l, uint32_t kind,
		 bool (*takes)(void *ctx, const struct loaded *c, char *why, size_t cap), void *ctx)
{
	out->n = 0;
	out->items = calloc(loader_count(l) + 1, sizeof(*out->items));
	if (out->items == NULL)
		return false;
	for (size_t i = 0; i < loader_count(l); i++) {
		const struct loaded *c = loader_at(l, i);
		if (c != NULL && is_candidate(l, i, kind) && !has_id(out, c->component->id))
			out->items[out->n++].loaded = c;
	}
	qsort(out->items, out->n, sizeof(*out->items), compare_items);
	for (size_t i = 0; i < out->n; i++) {
		struct choice_item *item = &out->items[i];
		item->takes = takes(ctx, item->loaded, item->why, sizeof(item->why));
		if (item->takes && loader_platform(l) == NULL)
			ask(item);
		else if (item->takes)
			assume(item, loader_platform(l));
		if (item->fit > 0 && (out->taken == NULL || item->fit > out->taken->fit))
			out->taken = item;
	}
	return true;
}

void choice_clear(struct choice *c)
{
	free(c->items);
	*c = (struct choice){.n = 0};
}

bool choice_has_takers(const struct choice *c)
{
	for (size_t i = 0; i < c->n; i++)
		if (c->items[i].takes)
			return true;
	return false;
}

void choice_text(const struct choice_item *item, char *buf, size_t cap)
{
	const char *id = item->loaded->component->id;
	if (!item->takes)
		snprintf(buf, cap, "%s: refuses the options%s%s", id,
			 item->why[0] != '\0' ? ": " : "", item->why);
	else
		snprintf(buf, cap, "%s: %u of %u: %s", id, item->fit, CHOICE_FIT_MAX,
			 item->why[0] != '\0' ? item->why
					      : "does not say how well it fits this machine");
}
