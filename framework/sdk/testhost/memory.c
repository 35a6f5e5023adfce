/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * memory: makes the component's n-th allocation fail. This file takes part in programs that are
 * linked with -Wl,--wrap=malloc and so on (see testhost_fail_memory()): the linker then sends
 * their calls here, and __real_ names to the C library.
 */
#include <errno.h>
#include <stdlib.h>

#include "internal.h"

void *__real_malloc(size_t n);
void *__real_calloc(size_t n, size_t size);
void *__real_realloc(void *p, size_t n);
void *__real_aligned_alloc(size_t align, size_t n);
int __real_posix_memalign(void **ret, size_t align, size_t n);

void *__wrap_malloc(size_t n);
void *__wrap_calloc(size_t n, size_t size);
void *__wrap_realloc(void *p, size_t n);
void *__wrap_aligned_alloc(size_t align, size_t n);
int __wrap_posix_memalign(void **ret, size_t align, size_t n);

static _Atomic uint32_t left;
static atomic_bool failed;

void testhost_fail_memory(uint32_t n)
{
	left = n;
	failed = false;
}

bool testhost_memory_failed(void)
{
	return failed;
}

/* Whether this call is the one. Only the component's own calls count. */
static bool hits(void)
{
	if (!testhost_in_component || left == 0 || --left != 0)
		return false;
	failed = true;
	errno = ENOMEM;
	return true;
}

void *__wrap_malloc(size_t n)
{
	return hits() ? NULL : __real_malloc(n);
}

void *__wrap_calloc(size_t n, size_t size)
{
	return hits() ? NULL : __real_calloc(n, size);
}

void *__wrap_realloc(void *p, size_t n)
{
	return hits() ? NULL : __real_realloc(p, n);
}

void *__wrap_aligned_alloc(size_t align, size_t n)
{
	return hits() ? NULL : __real_aligned_alloc(align, n);
}

int __wrap_posix_memalign(void **ret, size_t align, size_t n)
{
	return hits() ? ENOMEM : __real_posix_memalign(ret, align, n);
}
