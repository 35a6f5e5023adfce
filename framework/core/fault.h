/* SPDX-License-Identifier: BSD-2-Clause */
/* fault: fills a vpn_error. */
#ifndef VPNCORE_CORE_FAULT_H
#define VPNCORE_CORE_FAULT_H

#include <vpncore/plugin.h>

#define VPN_ERROR_INIT \
	{ \
		.size = sizeof(struct vpn_error) \
	}

/* Fills *err, when it is not NULL, and returns `status`. [any] */
vpn_status fault(struct vpn_error *err, vpn_status status, int os_errno, const char *format, ...)
	__attribute__((format(printf, 4, 5)));

/* Gives *why to a caller who may not want it (err NULL), when `status` is a failure. Returns status. */
vpn_status fault_pass(struct vpn_error *err, const struct vpn_error *why, vpn_status status);

#endif
