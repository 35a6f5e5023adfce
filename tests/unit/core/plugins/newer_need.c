/* SPDX-License-Identifier: BSD-2-Clause */
/* newer_need: a later minor with a flag that must be understood. */
#include "harmless.h"

HARMLESS_PLUGIN(vpncore_plugin_v1, VPN_PLUGIN_MAGIC, (uint32_t)sizeof(struct vpn_plugin), 1, 9,
		0x00010000u, harmless_list);
