/* SPDX-License-Identifier: BSD-2-Clause */
#include "object.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "prefix.h"

#define FIRST_ITEMS 16u

int routes_route_compare(const struct routes_route *a, const struct routes_route *b)
{
	return memcmp(a, b, sizeof(*a)); /* no padding, see the assertion of its size */
}

int routes_rule_compare(const struct routes_rule *a, const struct routes_rule *b)
{
	return memcmp(a, b, sizeof(*a));
}

bool routes_route_same_key(const struct routes_route *a, const struct routes_route *b)
{
	return a->table == b->table && a->metric == b->metric &&
	       routes_prefix_equal(&a->dst, &b->dst);
}

const char *routes_route_text(const struct routes_route *r, char buf[ROUTES_OBJECT_TEXT])
{
	char prefix[ROUTES_PREFIX_TEXT];
	snprintf(buf, ROUTES_OBJECT_TEXT, "route %s table %u metric %u",
		 routes_prefix_text(&r->dst, prefix), r->table, r->metric);
	return buf;
}

const char *routes_rule_text(const struct routes_rule *r, char buf[ROUTES_OBJECT_TEXT])
{
	snprintf(buf, ROUTES_OBJECT_TEXT, "rule with preference %u (IPv%c)", r->preference,
		 r->family == VPN_AF_INET6 ? '6' : '4');
	return buf;
}

bool routes_list_add(struct routes_list *l, const void *item, size_t size)
{
	if (l->n == l->max) {
		uint32_t max = l->max != 0 ? 2 * l->max : FIRST_ITEMS;
		void *items = realloc(l->items, max * size);
		if (items == NULL)
			return false;
		l->items = items;
		l->max = max;
	}
	memcpy((char *)l->items + l->n++ * size, item, size);
	return true;
}

void routes_list_remove(struct routes_list *l, uint32_t i, size_t size)
{
	char *at = (char *)l->items + i * size;
	memmove(at, at + size, (l->n - i - 1) * size);
	l->n--;
}

void routes_list_free(struct routes_list *l)
{
	free(l->items);
	memset(l, 0, sizeof(*l));
}
