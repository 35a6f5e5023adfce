/* SPDX-License-Identifier: BSD-2-Clause */
/* newer_minor: a later minor with a longer descriptor and flags that may be ignored: loads. */
#define HARMLESS_ID "test-newer-minor"
#include "harmless.h"

struct later {
	struct vpn_plugin now;
	const char *more;
};

extern VPN_EXPORT const struct later vpncore_plugin_v1;
const struct later vpncore_plugin_v1 = {{VPN_PLUGIN_MAGIC, (uint32_t)sizeof(struct later), 1, 9,
					 0x00008000u, "later", "1.9", "BSD-2-Clause", "", "",
					 harmless_list},
					"of a later minor"};
