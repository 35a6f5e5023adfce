/* SPDX-License-Identifier: BSD-2-Clause */
/* needs_gone: depends on a library that is not there. */
#include "harmless.h"

int gone_function(void);
extern VPN_EXPORT int call_it(void);

int call_it(void)
{
	return gone_function();
}

HARMLESS_PLUGIN(vpncore_plugin_v1, VPN_PLUGIN_MAGIC, (uint32_t)sizeof(struct vpn_plugin), 1, 0, 0,
		harmless_list);
