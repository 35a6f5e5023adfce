/* SPDX-License-Identifier: BSD-2-Clause */
/* advice: why there is no TAP device, and what the user can do about it on this macOS and this
 * processor. docs/macos.md tells it at length. */
#ifndef TAP_ADVICE_H
#define TAP_ADVICE_H

#include <vpncore/plugin.h>

#include "kext.h"

enum tap_reason {
	TAP_NOT_INSTALLED,
	TAP_NOT_LOADED,    /* nobody has asked for it yet */
	TAP_NOT_APPROVED,  /* by the user, in the settings */
	TAP_NEEDS_RESTART, /* approved since the last start */
	TAP_NO_SLOT,       /* the kernel has no character device left, or another has the nodes */
	TAP_WRONG_CPU,
	TAP_UNSIGNED, /* not signed, not notarized */
	TAP_NO_RIGHTS,
	TAP_WRONG_PLACE, /* outside of /Library/Extensions on macOS 11 */
	TAP_LOAD_FAILED,
};

/* What a failed kextload, kextutil or kmutil means by what it printed. */
enum tap_reason tap_advice_classify(const char *output);

/* Whether trying once more can help. */
bool tap_advice_is_final(enum tap_reason reason);

/* Fills *err. `found` may be NULL; `output` is what the last program printed, or "". Returns
 * err->status: VPN_ENOENT, VPN_EPERM, VPN_ENOTSUP, VPN_EBUSY or VPN_EIO. */
vpn_status tap_advice_explain(enum tap_reason reason, const struct tap_system *system,
			      const struct tap_found *found, const char *output,
			      struct vpn_error *err);

/* Two extensions that make the same nodes are loaded. VPN_EBUSY. */
vpn_status tap_advice_collision(const struct tap_loaded *loaded, struct vpn_error *err);

#endif
