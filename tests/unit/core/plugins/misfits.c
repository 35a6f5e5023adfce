/* SPDX-License-Identifier: BSD-2-Clause */
/* misfits: components that are each wrong in one way, and a good one among them. */
#define HARMLESS_ID "test-good-one"
#include "harmless.h"

#define MISFIT(variable, kind, id, life, flow, plan) \
	static const struct vpn_component variable = {(uint32_t)sizeof(struct vpn_component), \
						      kind, \
						      id, \
						      "wrong", \
						      life, \
						      flow, \
						      plan, \
						      NULL, \
						      NULL}

static const struct vpn_lifecycle no_create = {.size = sizeof(no_create),
					       .needs = harmless_needs,
					       .start = harmless_start,
					       .stop = harmless_stop,
					       .destroy = harmless_stop};
static const struct vpn_lifecycle short_life = {.size = 40};
static const struct vpn_lifecycle must_know = {.size = sizeof(must_know),
					       .flags = 0x80000000u,
					       .needs = harmless_needs,
					       .create = harmless_create,
					       .start = harmless_start,
					       .stop = harmless_stop,
					       .destroy = harmless_stop};
static const struct vpn_flow no_functions = {.size = sizeof(no_functions)};
static const struct vpn_plan no_plan = {.size = sizeof(no_plan)};

static const struct vpn_option option[] = {{.name = "a", .type = 99}};
static const struct vpn_option_table table = {sizeof(table), sizeof(option[0]), option, 1, 8};
static const struct vpn_lifecycle bad_table = {.size = sizeof(bad_table),
					       .options = &table,
					       .needs = harmless_needs,
					       .create = harmless_create,
					       .start = harmless_start,
					       .stop = harmless_stop,
					       .destroy = harmless_stop};

MISFIT(unknown_kind, 77, "unknown-kind", &harmless_life, &harmless_flow, NULL);
MISFIT(no_id, VPN_KIND_TRANSPORT, NULL, &harmless_life, &harmless_flow, NULL);
MISFIT(bad_id, VPN_KIND_TRANSPORT, "../up", &harmless_life, &harmless_flow, NULL);
MISFIT(lifeless, VPN_KIND_TRANSPORT, "lifeless", NULL, &harmless_flow, NULL);
MISFIT(shortlived, VPN_KIND_TRANSPORT, "shortlived", &short_life, &harmless_flow, NULL);
MISFIT(uncreated, VPN_KIND_TRANSPORT, "uncreated", &no_create, &harmless_flow, NULL);
MISFIT(demanding, VPN_KIND_TRANSPORT, "demanding", &must_know, &harmless_flow, NULL);
MISFIT(tabled, VPN_KIND_TRANSPORT, "tabled", &bad_table, &harmless_flow, NULL);
MISFIT(flowless, VPN_KIND_TRANSPORT, "flowless", &harmless_life, NULL, NULL);
MISFIT(sendless, VPN_KIND_TRANSPORT, "sendless", &harmless_life, &no_functions, NULL);
MISFIT(recvless, VPN_KIND_DEVICE, "recvless", &harmless_life, &harmless_flow, NULL);
MISFIT(planless, VPN_KIND_ROUTES, "planless", &harmless_life, NULL, &no_plan);

static const struct vpn_component *const misfits[] = {
	&unknown_kind, &no_id,    &bad_id,   &lifeless, &shortlived, &uncreated, &demanding,
	&tabled,       &flowless, &sendless, &recvless, &planless,   &harmless,  NULL};

HARMLESS_PLUGIN(vpncore_plugin_v1, VPN_PLUGIN_MAGIC, (uint32_t)sizeof(struct vpn_plugin), 1, 0, 0,
		misfits);
