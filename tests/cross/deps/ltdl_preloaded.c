/* SPDX-License-Identifier: BSD-2-Clause */
/* libltdl's table of its own loaders, which libtool writes when it links libltdl. */
#include <ltdl.h>

const lt_dlvtable *dlopen_LTX_get_vtable(lt_user_data data);

const lt_dlsymlist lt_libltdlc_LTX_preloaded_symbols[] = {
	{"libltdlc", NULL},
	{"dlopen.a", NULL},
	{"dlopen_LTX_get_vtable", (void *)dlopen_LTX_get_vtable},
	{NULL, NULL},
};
