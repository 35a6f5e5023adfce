/* SPDX-License-Identifier: BSD-2-Clause */
#include "array.h"

#include <errno.h>
#include <stdint.h>
#include <stdlib.h>

void *array_resize(void *old, size_t n, size_t size)
{
	if (size != 0 && n > SIZE_MAX / size) {
		errno = ENOMEM;
		return NULL;
	}
	return realloc(old,
		       n * size > 0 ? n * size : 1); /* of 0 it would be free() on some systems */
}
