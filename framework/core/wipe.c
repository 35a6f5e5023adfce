/* SPDX-License-Identifier: BSD-2-Clause */
#include "wipe.h"

#include <string.h>

/* What a volatile pointer calls is not known to the compiler, so that it cannot leave the call out. */
static void *(*const volatile set)(void *at, int byte, size_t len) = memset;

void wipe(void *at, size_t len)
{
	if (len > 0)
		set(at, 0, len);
}
