/* SPDX-License-Identifier: BSD-2-Clause */
/* no_components: an empty plugin. */
#include "harmless.h"

static const struct vpn_component *const none[] = {NULL};

HARMLESS_PLUGIN(vpncore_plugin_v1, VPN_PLUGIN_MAGIC, (uint32_t)sizeof(struct vpn_plugin), 1, 0, 0,
		none);

const void *unused(void);

const void *unused(void)
{
	return harmless_list;
}
