/* SPDX-License-Identifier: BSD-2-Clause */
/* preloaded_none: the table of linked-in plugins for programs that have none, such as tests. */
#include <ltdl.h>

const lt_dlsymlist *loader_preloaded(void);

const lt_dlsymlist *loader_preloaded(void)
{
	static const lt_dlsymlist none[] = {{NULL, NULL}};
	return none;
}
