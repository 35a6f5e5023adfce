/* SPDX-License-Identifier: BSD-2-Clause */
/* load: loads and unloads a kernel extension, by the system's own programs and with their arguments as
 * they are. What they say is not believed: the list of what is loaded is. */
#ifndef TAP_LOAD_H
#define TAP_LOAD_H

#include <vpncore/plugin.h>

#include "kext.h"

/* Has it loaded when it returns VPN_OK. Tries five times, a second apart, as long as that can help.
 * [main] */
vpn_status tap_load(const struct tap_system *system, const struct tap_found *found,
		    struct vpn_error *err);

/* VPN_OK when it is not loaded any more, VPN_EBUSY when the system keeps it. [main] */
vpn_status tap_unload(const char *id, struct vpn_error *err);

#endif
