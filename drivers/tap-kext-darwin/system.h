/* SPDX-License-Identifier: BSD-2-Clause */
/* system: which macOS this is and on which processor: what it takes to load a kernel extension depends
 * on both. */
#ifndef TAP_SYSTEM_H
#define TAP_SYSTEM_H

#include <stdbool.h>

struct tap_system {
	int major, minor; /* 10.15, 11.0, 26.0; 0.0 when it cannot be told */
	bool apple_silicon;
};

/* [main] */
struct tap_system tap_system_read(void);

bool tap_system_is_at_least(const struct tap_system *s, int major, int minor);

#endif
