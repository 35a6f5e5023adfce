/* SPDX-License-Identifier: BSD-2-Clause */
/* present: which of a mapping's pages this process has, as Linux tells in /proc/self/pagemap. */
#ifndef TESTS_RUNTIME_PRESENT_H
#define TESTS_RUNTIME_PRESENT_H

#include <stddef.h>

/* How many of the whole pages within are present. Fails the test when it cannot be found out. */
int count_present(const void *at, size_t bytes);

/* Constants of this program, PRESENT_BYTES of 0x5a at the beginning of a page. All of its pages are present. */
#define PRESENT_BYTES 262144u
const unsigned char *use_constants(void);

/* Maps a new file of `bytes` with 0x5a in every byte, privately, to be written to. All of its pages are
 * present. */
unsigned char *map_file(size_t bytes);

#endif
