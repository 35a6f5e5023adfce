/* SPDX-License-Identifier: BSD-2-Clause */
/* fault: fills a vpn_error. */
#ifndef BSD_FAULT_H
#define BSD_FAULT_H

#include <vpncore/plugin.h>

/* Returns `status`. `where` is an option's JSON pointer or NULL, os_errno 0 when no system call is
 * the cause. */
vpn_status bsd_fault(struct vpn_error *err, vpn_status status, int os_errno, const char *where,
		     const char *format, ...) __attribute__((format(printf, 5, 6)));

/* The status for an errno of the kernel. */
vpn_status bsd_status(int os_errno);

/* Logs one formatted line, if the host wants lines of this level. */
void bsd_log(const struct vpn_host *host, uint32_t level, const char *format, ...)
	__attribute__((format(printf, 3, 4)));

#endif
