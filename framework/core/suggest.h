/* SPDX-License-Identifier: BSD-2-Clause */
/* suggest: the name that was probably meant. */
#ifndef VPNCORE_CORE_SUGGEST_H
#define VPNCORE_CORE_SUGGEST_H

#include <stddef.h>

struct suggest {
	const char *word; /* what was written */
	const char *best; /* the nearest name so far, or NULL */
	size_t distance;
};

/* Names longer than this are not compared. */
#define SUGGEST_MAX 64u

void suggest_init(struct suggest *s, const char *word);

/* Offers a name; keeps it (by pointer) when it is the nearest yet: at most two letters changed, added,
 * left out or swapped (one in short words), or the word begins it. */
void suggest_offer(struct suggest *s, const char *name);

#endif
