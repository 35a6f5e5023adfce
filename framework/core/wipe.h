/* SPDX-License-Identifier: BSD-2-Clause */
/* wipe: overwrites a secret, as explicit_bzero(3) does, which not every system has. */
#ifndef VPNCORE_CORE_WIPE_H
#define VPNCORE_CORE_WIPE_H

#include <stddef.h>

/* Also when nobody reads the memory again. [any] */
void wipe(void *at, size_t len);

#endif
