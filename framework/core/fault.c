/* SPDX-License-Identifier: BSD-2-Clause */
#include "fault.h"

#include <stdarg.h>
#include <stdio.h>

vpn_status fault(struct vpn_error *err, vpn_status status, int os_errno, const char *format, ...)
{
	va_list ap;
	if (err == NULL)
		return status;
	err->status = status;
	err->os_errno = os_errno;
	va_start(ap, format);
	vsnprintf(err->text, sizeof(err->text), format, ap);
	va_end(ap);
	return status;
}
