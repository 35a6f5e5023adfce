/* SPDX-License-Identifier: BSD-2-Clause */
/* undefined: calls a function that is nowhere. */
#include "harmless.h"

void nosuch_function(void);
extern VPN_EXPORT void call_it(void);

void call_it(void)
{
	nosuch_function();
}

HARMLESS_PLUGIN(vpncore_plugin_v1, VPN_PLUGIN_MAGIC, (uint32_t)sizeof(struct vpn_plugin), 1, 0, 0,
		harmless_list);
