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

vpn_status fault_pass(struct vpn_error *err, const struct vpn_error *why, vpn_status status)
{
	if (err == NULL || status == VPN_OK)
		return status;
	uint32_t size = err->size;
	*err = *why;
	err->size = size;
	err->status = status;
	return status;
}
