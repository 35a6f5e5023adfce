/* SPDX-License-Identifier: BSD-2-Clause */
/* symbol_v0: made for an ABI before the first. */
#include "harmless.h"

HARMLESS_PLUGIN(vpncore_plugin_v0, VPN_PLUGIN_MAGIC, (uint32_t)sizeof(struct vpn_plugin), 0, 9, 0,
		harmless_list);
