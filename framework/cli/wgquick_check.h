/* SPDX-License-Identifier: BSD-2-Clause */
/* wgquick_check: what can be said of a wg-quick file only when all of it is known. */
#ifndef VPNCORE_CLI_WGQUICK_CHECK_H
#define VPNCORE_CLI_WGQUICK_CHECK_H

#include "wgquick.h"

/* Finds what is missing, peers and prefixes that stand twice, and what needs routes. Marks prefixes
 * that stand twice in one peer. [any] */
void wgquick_check(struct wgquick *w, struct problems *problems);

#endif
