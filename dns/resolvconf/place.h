/* SPDX-License-Identifier: BSD-2-Clause */
/* place: the folders in which the programs of this name keep what they were given. */
#ifndef DNS_RESOLVCONF_PLACE_H
#define DNS_RESOLVCONF_PLACE_H

#include <stdbool.h>
#include <stddef.h>

#include "program.h"

#define RESOLVCONF_STATE     "/run/resolvconf" /* of both; its default in openresolv */
#define RESOLVCONF_PLACES    3u
#define RESOLVCONF_PLACE_MAX 128u

/* The file of a key (NULL = its folder) at place i of RESOLVCONF_PLACES; false when a program of this
 * kind has no such place. [any] */
bool resolvconf_place(size_t i, enum resolvconf_kind kind, const char *key,
		      char path[RESOLVCONF_PLACE_MAX]);

#endif
