/* SPDX-License-Identifier: BSD-2-Clause */
/* twice: two components of one kind with the same id. The first is good. */
#define HARMLESS_ID "test-twice"
#include "harmless.h"

static const struct vpn_component *const two[] = {&harmless, &harmless, NULL};

HARMLESS_PLUGIN(vpncore_plugin_v1, VPN_PLUGIN_MAGIC, (uint32_t)sizeof(struct vpn_plugin), 1, 0, 0,
		two);
