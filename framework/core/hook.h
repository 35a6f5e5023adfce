/* SPDX-License-Identifier: BSD-2-Clause */
/* hook: runs a command of the user's and logs what it says. */
#ifndef VPNCORE_CORE_HOOK_H
#define VPNCORE_CORE_HOOK_H

#include <vpncore/plugin.h>

/*
 * Runs argv, whose first word is an absolute path, with `env` as its whole environment, without input, in
 * "/" and in a process group of its own, and waits until it ends. Each line of its output is logged with
 * the name `who`. After timeout_ns the group is killed. Errors: VPN_EIO when it cannot be run or ends
 * otherwise than with status 0, VPN_ETIMEDOUT. [main]
 */
vpn_status hook_run(const char *who, char *const *argv, char *const *env, uint64_t timeout_ns,
		    struct vpn_error *err);

#endif
