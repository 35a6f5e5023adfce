/* SPDX-License-Identifier: BSD-2-Clause */
/* present: which of a mapping's pages this process has, as Linux tells in /proc/self/pagemap. */
#ifndef TESTS_RUNTIME_PRESENT_H
#define TESTS_RUNTIME_PRESENT_H

#include <stddef.h>

/* How many of the whole pages within are present. Fails the test when it cannot be found out. */
int count_present(const void *at, size_t bytes);

/* Maps a new file of `bytes` with 0x5a in every byte, privately; `writable` as the mapping is made. All of
 * its pages are present. */
unsigned char *map_file(size_t bytes, int writable);

#endif
