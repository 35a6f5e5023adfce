/* SPDX-License-Identifier: BSD-2-Clause */
/* fault: fills a struct vpn_error, and logs lines. */
#ifndef KCP_FAULT_H
#define KCP_FAULT_H

#include <vpncore/plugin.h>

#if defined(__GNUC__)
#define KCP_PRINTF_LIKE(f, a) __attribute__((format(printf, f, a)))
#else
#define KCP_PRINTF_LIKE(f, a)
#endif

/* Fills *err (may be NULL) and returns `status`. `where` is a JSON pointer or "". [any] */
vpn_status kcp_fault(struct vpn_error *err, vpn_status status, int os_errno, const char *where,
		     const char *format, ...) KCP_PRINTF_LIKE(5, 6);

/* One line, formatted only when its level is wanted. Not per packet. [any] */
void kcp_log(const struct vpn_host *host, uint32_t level, const char *format, ...)
	KCP_PRINTF_LIKE(3, 4);

#endif
