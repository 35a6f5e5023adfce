/* SPDX-License-Identifier: BSD-2-Clause */
/* fault: fills a vpn_error; logs. */
#ifndef DARWIN_FAULT_H
#define DARWIN_FAULT_H

#include <vpncore/plugin.h>

/* Returns `status`. `where` is an option's JSON pointer or NULL, os_errno 0 when no system call is
 * the cause. */
vpn_status darwin_fault(struct vpn_error *err, vpn_status status, int os_errno, const char *where,
			const char *format, ...) __attribute__((format(printf, 5, 6)));

/* The status for an errno of the kernel. */
vpn_status darwin_status(int os_errno);

/* Logs one formatted line, if the host wants lines of this level. */
void darwin_log(const struct vpn_host *host, uint32_t level, const char *format, ...)
	__attribute__((format(printf, 3, 4)));

#endif
