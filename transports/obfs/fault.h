/* SPDX-License-Identifier: BSD-2-Clause */
/* fault: fills a struct vpn_error, and logs lines. */
#ifndef OBFS_FAULT_H
#define OBFS_FAULT_H

#include <vpncore/plugin.h>

#if defined(__GNUC__)
#define OBFS_PRINTF_LIKE(f, a) __attribute__((format(printf, f, a)))
#else
#define OBFS_PRINTF_LIKE(f, a)
#endif

/* Fills *err (may be NULL) and returns `status`. `where` is a JSON pointer or "". [any] */
vpn_status obfs_fault(struct vpn_error *err, vpn_status status, const char *where,
		      const char *format, ...) OBFS_PRINTF_LIKE(4, 5);

/* One line, formatted only when its level is wanted. Not per packet. [any] */
void obfs_log(const struct vpn_host *host, uint32_t level, const char *format, ...)
	OBFS_PRINTF_LIKE(3, 4);

#endif
