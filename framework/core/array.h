/* SPDX-License-Identifier: BSD-2-Clause */
/* array: reallocarray(3), which not every system has. */
#ifndef VPNCORE_CORE_ARRAY_H
#define VPNCORE_CORE_ARRAY_H

#include <stddef.h>

/* Room for n elements of `size` bytes each, with what `old` (NULL = nothing) has in it. NULL, and `old`
 * stays, when there is no memory or the product is too large. [any] */
void *array_resize(void *old, size_t n, size_t size);

#endif
