/* SPDX-License-Identifier: BSD-2-Clause */
#include "place.h"

#include <stdio.h>

/* openresolv calls it "keys" since 3.16, and takes "interfaces" where that is there alone. */
static const struct {
	enum resolvconf_kind kind;
	const char *folder;
} places[RESOLVCONF_PLACES] = {
	{RESOLVCONF_DEBIAN, RESOLVCONF_STATE "/interface"},
	{RESOLVCONF_OPENRESOLV, RESOLVCONF_STATE "/keys"},
	{RESOLVCONF_OPENRESOLV, RESOLVCONF_STATE "/interfaces"},
};

bool resolvconf_place(size_t i, enum resolvconf_kind kind, const char *key,
		      char path[RESOLVCONF_PLACE_MAX])
{
	snprintf(path, RESOLVCONF_PLACE_MAX, "%s%s%s", places[i].folder, key != NULL ? "/" : "",
		 key != NULL ? key : "");
	return places[i].kind == kind;
}
