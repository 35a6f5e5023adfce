/* SPDX-License-Identifier: BSD-2-Clause */
/* preloaded_none: the table of linked-in plugins for programs that have none. */
#include <ltdl.h>

const lt_dlsymlist *loader_preloaded(void);

const lt_dlsymlist *loader_preloaded(void)
{
	/* libltdl looks at the second row whatever the first says */
	static const lt_dlsymlist none[] = {{"vpncore", NULL}, {NULL, NULL}};
	return none;
}
