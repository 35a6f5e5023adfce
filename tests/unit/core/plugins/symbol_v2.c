/* SPDX-License-Identifier: BSD-2-Clause */
/* symbol_v2: made for the next major of the ABI, as its symbol says. */
#include "harmless.h"

HARMLESS_PLUGIN(vpncore_plugin_v2, VPN_PLUGIN_MAGIC, (uint32_t)sizeof(struct vpn_plugin), 2, 0, 0,
		harmless_list);
