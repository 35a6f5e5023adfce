/* SPDX-License-Identifier: BSD-2-Clause */
/* short_plugin: a descriptor that ends before 1.0 does. */
#include "harmless.h"

HARMLESS_PLUGIN(vpncore_plugin_v1, VPN_PLUGIN_MAGIC, 24, 1, 0, 0, harmless_list);
