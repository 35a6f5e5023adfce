/* SPDX-License-Identifier: BSD-2-Clause */
/* trust: whether a file that is going to be run can be changed or exchanged by others. */
#ifndef VPNCORE_CORE_TRUST_H
#define VPNCORE_CORE_TRUST_H

#include <stdbool.h>
#include <stddef.h>

/*
 * Whether a file, its folder and the folders above belong to root or to us and cannot be changed by others.
 * `path` is absolute. Where it leads through symbolic links, that holds for the folders in which these stand,
 * too. False with the reason, and what mends it, in why[cap]. [main]
 */
bool trust_path(const char *path, char *why, size_t cap);

#endif
