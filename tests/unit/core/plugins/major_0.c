/* SPDX-License-Identifier: BSD-2-Clause */
/* major_0: the right symbol, but a descriptor of major 0. */
#include "harmless.h"

HARMLESS_PLUGIN(vpncore_plugin_v1, VPN_PLUGIN_MAGIC, (uint32_t)sizeof(struct vpn_plugin), 0, 1, 0,
		harmless_list);
