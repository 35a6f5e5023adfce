/* SPDX-License-Identifier: BSD-2-Clause */
/* choice: which component "auto" takes, and why. */
#ifndef VPNCORE_CORE_CHOICE_H
#define VPNCORE_CORE_CHOICE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "loader.h"

#define CHOICE_FIT_UNSAID 50u /* of a component that has no VPN_EXT_PROBE */
#define CHOICE_FIT_MAX    100u

struct choice_item {
	const struct loaded *loaded;
	bool takes; /* the options that the manifest gives it */
	uint32_t
		fit; /* 0 = it cannot work here .. CHOICE_FIT_MAX; 0 when it does not take the options */
	char why[320]; /* one line; empty when the component says nothing */
};

struct choice {
	struct choice_item *items; /* by id; NULL in a zeroed one */
	size_t n;
	const struct choice_item *taken; /* NULL = none of them can be */
};

/*
 * Looks at each component of this kind that has been found by the search path and that "auto" may take:
 * `takes` says whether it takes the manifest's options and is what is asked for, and writes why not; those
 * that do are asked by VPN_EXT_PROBE, unless the loader is set to another platform than this one. The greatest
 * figure is taken, the first by id of equal ones. Fills *out, which was zeroed or cleared; false when there
 * is no memory. [main]
 */
bool choice_make(struct choice *out, const struct loader *l, uint32_t kind,
		 bool (*takes)(void *ctx, const struct loaded *c, char *why, size_t cap),
		 void *ctx);

/* Frees and zeroes. */
void choice_clear(struct choice *c);

/* Whether any takes the options. */
bool choice_has_takers(const struct choice *c);

/* Text for a person: "resolved: 90 of 100: it is in charge", "file: refuses the options: ...". */
void choice_text(const struct choice_item *item, char *buf, size_t cap);

#endif
