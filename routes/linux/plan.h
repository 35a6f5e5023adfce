/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * plan: what shall be in the kernel, as a pure function of the options and the scene.
 *
 *   split    a few networks: routes in table main.
 *   policy   everything, or something is to stay outside: a table of its own, and rules
 *
 *       preference + slot        marked packets   -> main
 *       preference + 10 + slot   marked packets   -> unreachable: they never enter the tunnel
 *       preference + 20 + slot   all the others   -> our table (single networks)
 *       preference + 30 + slot   all the others   -> our table (full tunnel)
 *
 * so that in our table a route through the tunnel wins over any in main, "throw" gives a network back to
 * main, and "unreachable" stands where the tunnel carries nothing. A slot is what keeps pipelines on one
 * machine apart.
 */
#ifndef ROUTES_PLAN_H
#define ROUTES_PLAN_H

#include "object.h"
#include "options.h"
#include "scene.h"

#define ROUTES_SLOTS       10u
#define ROUTES_FIRST_TABLE 7600u
#define ROUTES_RULE_STEP   10u

/* Metric of the route that holds when the tunnel's own default is gone: behind every other one. */
#define ROUTES_LAST_METRIC UINT32_C(4294967294)

/* What was found free when the pipeline started. */
struct routes_place {
	uint32_t slot;
	uint32_t table;
};

struct routes_plan {
	bool policy;
	struct routes_list routes;   /* struct routes_route, sorted, each key once */
	struct routes_list rules;    /* struct routes_rule, in the order to add them */
	struct routes_list switches; /* struct routes_switch */
	struct routes_list lan;      /* struct vpn_prefix: reachable beside the tunnel */
	struct routes_list inside;   /* struct vpn_prefix: the tunnel's own networks, for nat */
};

void routes_plan_clear(struct routes_plan *plan);

/* Fills *ret, which is zeroed. VPN_ENOMEM, or VPN_EINVAL where the scene does not fit the options:
 * err says what. [main] */
vpn_status routes_plan_make(const struct routes_options *o, const struct routes_scene *s,
			    const struct routes_place *place, struct routes_plan *ret,
			    struct vpn_error *err);

/* Whether a full tunnel carries a family: the device has an address of it, and some peer takes all of
 * it where peers are known. [any] */
bool routes_plan_carries(const struct routes_scene *s, uint8_t family);

#endif
