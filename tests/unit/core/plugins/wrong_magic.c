/* SPDX-License-Identifier: BSD-2-Clause */
/* wrong_magic: a symbol of our name, of something else. */
#include "harmless.h"

HARMLESS_PLUGIN(vpncore_plugin_v1, 0x12345678u, (uint32_t)sizeof(struct vpn_plugin), 1, 0, 0,
		harmless_list);
