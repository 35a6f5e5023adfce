/* SPDX-License-Identifier: BSD-2-Clause */
#include "catalog.h"

#include <stddef.h>
#include <string.h>

const char *const *catalog_platforms(void)
{
	static const char *const names[] = {"linux",     "freebsd", "openbsd", "netbsd",
					    "dragonfly", "macos",   NULL};
	return names;
}

const char *catalog_platforms_of(uint32_t kind, const char *id)
{
	for (const struct catalog_row *row = catalog_rows(); row->id != NULL; row++)
		if (row->kind == kind && strcmp(row->id, id) == 0)
			return row->platforms;
	return "";
}

bool catalog_serves(uint32_t kind, const char *id, const char *platform)
{
	const char *at = catalog_platforms_of(kind, id);
	size_t n = strlen(platform);
	bool all = *at == '\0';
	while (*at != '\0') {
		size_t len = strcspn(at, " ");
		if (len == n && strncmp(at, platform, n) == 0)
			return true;
		at += len + (at[len] == ' ');
	}
	return all;
}
