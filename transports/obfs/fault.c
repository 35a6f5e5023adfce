/* SPDX-License-Identifier: BSD-2-Clause */
#include "fault.h"

#include <stdarg.h>
#include <stdio.h>

vpn_status obfs_fault(struct vpn_error *err, vpn_status status, const char *where,
		      const char *format, ...)
{
	va_list args;
	if (err == NULL)
		return status;
	err->status = status;
	snprintf(err->where, sizeof(err->where), "%s", where);
	va_start(args, format);
	vsnprintf(err->text, sizeof(err->text), format, args);
	va_end(args);
	return status;
}

void obfs_log(const struct vpn_host *host, uint32_t level, const char *format, ...)
{
	char text[256];
	va_list args;
	if (level > host->log_level)
		return;
	va_start(args, format);
	vsnprintf(text, sizeof(text), format, args);
	va_end(args);
	host->log(host, level, text);
}
