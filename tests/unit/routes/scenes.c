/* SPDX-License-Identifier: BSD-2-Clause */
#include "scenes.h"

#include <string.h>

#include "prefix.h"

static void add(struct routes_list *list, const void *item, size_t size)
{
	assert_true(routes_list_add(list, item, size));
}

static struct vpn_prefix prefix(const char *text)
{
	struct vpn_prefix p = routes_prefix_of(text);
	assert_int_not_equal(p.family, VPN_AF_NONE);
	return p;
}

static void fill(struct scenes *s, uint32_t which, struct vpn_list *list, const char *first,
		 va_list more)
{
	uint32_t n = 0;
	for (const char *text = first; text != NULL; text = va_arg(more, const char *))
		s->prefixes[which][n++] = prefix(text);
	*list = (struct vpn_list){s->prefixes[which], n, sizeof(struct vpn_prefix)};
}

void scenes_networks(struct scenes *s, const char *first, ...)
{
	va_list more;
	va_start(more, first);
	fill(s, 0, &s->options.networks, first, more);
	va_end(more);
}

void scenes_exclude(struct scenes *s, const char *first, ...)
{
	va_list more;
	va_start(more, first);
	fill(s, 1, &s->options.exclude, first, more);
	va_end(more);
}

void scenes_lan_list(struct scenes *s, const char *first, ...)
{
	va_list more;
	va_start(more, first);
	s->options.lan_access = ROUTES_LAN_LIST;
	fill(s, 2, &s->options.lan_networks, first, more);
	va_end(more);
}

void scenes_own(struct scenes *s, const char *first, ...)
{
	va_list more;
	routes_list_free(&s->scene.own);
	va_start(more, first);
	for (const char *text = first; text != NULL; text = va_arg(more, const char *)) {
		struct vpn_prefix p = prefix(text);
		add(&s->scene.own, &p, sizeof(p));
	}
	va_end(more);
}

void scenes_lan(struct scenes *s, const char *text)
{
	struct vpn_prefix p = prefix(text);
	add(&s->scene.lan, &p, sizeof(p));
}

void scenes_allow(struct scenes *s, const char *text, uint32_t metric)
{
	struct routes_allowed a = {.prefix = prefix(text), .metric = metric};
	s->scene.has_peers = true;
	add(&s->scene.allowed, &a, sizeof(a));
}

void scenes_endpoint(struct scenes *s, const char *text)
{
	struct vpn_prefix p = prefix(text);
	add(&s->scene.endpoints, &p, sizeof(p));
}

void scenes_want(struct scenes *s, const char *text)
{
	struct vpn_prefix p = prefix(text);
	add(&s->scene.wanted, &p, sizeof(p));
}

void scenes_init(struct scenes *s)
{
	memset(s, 0, sizeof(*s));
	s->err.size = sizeof(s->err);
	s->options = (struct routes_options){
		.preference = 7600,
		.mark = 0x76000000,
		.mask = 0xff000000,
		.protocol = 190,
		.allowed_ips = 1,
		.mss_clamp = 1,
	};
	s->place = (struct routes_place){.slot = 0, .table = ROUTES_FIRST_TABLE};
	s->scene.device.ifindex = DEVICE;
	s->scene.device.mtu = 1420;
	memcpy(s->scene.device.name, "wg0", 4);
	s->scene.device_up = true;
	s->scene.has_ipv6 = true;
	scenes_own(s, "10.78.0.2/24", "fd78::2/64", "fe80::2/64", NULL);
	scenes_lan(s, "192.168.5.0/24");
}

void scenes_clear(struct scenes *s)
{
	routes_plan_clear(&s->plan);
	routes_scene_clear(&s->scene);
}

vpn_status scenes_plan(struct scenes *s)
{
	routes_plan_clear(&s->plan);
	return routes_plan_make(&s->options, &s->scene, &s->place, &s->plan, &s->err);
}

const struct routes_route *scenes_route(const struct scenes *s, const char *to, uint8_t type)
{
	const struct routes_route *r = s->plan.routes.items;
	struct vpn_prefix p = prefix(to);
	for (uint32_t i = 0; i < s->plan.routes.n; i++)
		if (routes_prefix_equal(&r[i].dst, &p) && r[i].type == type)
			return &r[i];
	return NULL;
}
