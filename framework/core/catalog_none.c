/* SPDX-License-Identifier: BSD-2-Clause */
/* catalog_none: the rows for programs that have none, such as tests. */
#include <stddef.h>

#include "catalog.h"

const struct catalog_row *catalog_rows(void)
{
	static const struct catalog_row none[] = {{0, NULL, NULL}};
	return none;
}

const char *catalog_host(void)
{
	return "linux";
}
