/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * catalog: for which platforms each plugin of the tree is, whether it has been built here or not. A plugin
 * from elsewhere is not in it. The rows come from the build files; the program has them beside the table of
 * linked-in plugins (framework/cli/preloaded.c.in).
 */
#ifndef VPNCORE_CORE_CATALOG_H
#define VPNCORE_CORE_CATALOG_H

#include <stdbool.h>
#include <stdint.h>

struct catalog_row {
	uint32_t kind;         /* VPN_KIND_* */
	const char *id;        /* NULL ends the rows */
	const char *platforms; /* names with a space between them; "" = all */
};

/* What the program brings. [any] */
const struct catalog_row *catalog_rows(void);
const char *catalog_host(void); /* the platform that this is built for */

/* Names of platforms: linux, freebsd, ...; NULL ends them. [any] */
const char *const *catalog_platforms(void);

/* The platforms that a component is for, "" when it is for all or not in the catalog. [any] */
const char *catalog_platforms_of(uint32_t kind, const char *id);

/* Whether a component is for a platform. What is not in the catalog is taken to be. [any] */
bool catalog_serves(uint32_t kind, const char *id, const char *platform);

#endif
