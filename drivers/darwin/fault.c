/* SPDX-License-Identifier: BSD-2-Clause */
#include "fault.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>

vpn_status darwin_fault(struct vpn_error *err, vpn_status status, int os_errno, const char *where,
			const char *format, ...)
{
	va_list args;
	if (err == NULL)
		return status;
	err->status = status;
	err->os_errno = os_errno;
	snprintf(err->where, sizeof(err->where), "%s", where != NULL ? where : "");
	va_start(args, format);
	vsnprintf(err->text, sizeof(err->text), format, args);
	va_end(args);
	return status;
}

vpn_status darwin_status(int os_errno)
{
	switch (os_errno) {
	case EPERM:
	case EACCES:
		return VPN_EPERM;
	case ENOMEM:
	case ENOBUFS:
		return VPN_ENOMEM;
	case EBUSY:
		return VPN_EBUSY;
	case ENOENT:
	case ENODEV:
	case ENXIO:
		return VPN_ENOENT;
	case ETIMEDOUT:
		return VPN_ETIMEDOUT;
	default:
		return VPN_EIO;
	}
}

void darwin_log(const struct vpn_host *host, uint32_t level, const char *format, ...)
{
	char text[512];
	va_list args;
	if (level > host->log_level)
		return;
	va_start(args, format);
	vsnprintf(text, sizeof(text), format, args);
	va_end(args);
	host->log(host, level, text);
}
