/* SPDX-License-Identifier: BSD-2-Clause */
/* scenes: options and scenes for the tests, and looking into a plan. */
#ifndef TEST_ROUTES_SCENES_H
#define TEST_ROUTES_SCENES_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "plan.h"

#define DEVICE 7u

struct scenes {
	struct routes_options options;
	struct routes_scene scene;
	struct routes_place place;
	struct routes_plan plan;
	struct vpn_error err;
	struct vpn_prefix prefixes[3][8]; /* what the lists of the options point to */
	struct vpn_address gateway;
};

/* The defaults of the option table, and a device wg0 that is up with 10.78.0.2/24 and fd78::2/64 beside a
 * LAN 192.168.5.0/24. */
void scenes_init(struct scenes *s);
void scenes_clear(struct scenes *s);

/* Each takes texts up to a NULL. */
void scenes_networks(struct scenes *s, const char *first, ...);
void scenes_exclude(struct scenes *s, const char *first, ...);
void scenes_lan_list(struct scenes *s, const char *first, ...);
void scenes_own(struct scenes *s, const char *first, ...); /* instead of those of scenes_init() */
void scenes_lan(struct scenes *s, const char *text);
void scenes_allow(struct scenes *s, const char *text, uint32_t metric); /* a peer's */
void scenes_endpoint(struct scenes *s, const char *text);
void scenes_want(struct scenes *s, const char *text); /* another component's */

vpn_status scenes_plan(struct scenes *s); /* into s->plan and s->err */

/* The route of the plan to a network in its table; NULL when there is none. */
const struct routes_route *scenes_route(const struct scenes *s, const char *to, uint8_t type);

#endif
