/* SPDX-License-Identifier: BSD-2-Clause */
/* query: which components know how the system routes, and which name servers it asks. */
#ifndef VPNCORE_CORE_QUERY_H
#define VPNCORE_CORE_QUERY_H

#include "loader.h"

#define QUERY_MOST 8u /* components of one kind on one platform; there are three of dns */

struct answerer {
	const struct vpn_component *component;
	const void *ext; /* its static extension */
	uint32_t figure; /* of VPN_EXT_PROBE */
};

struct query {
	struct answerer list[QUERY_MOST];
	size_t n;
};

/*
 * Finds the components of a kind that "auto" may choose and that have the static extension `id`, the one
 * with the highest figure first, in alphabetical order where figures are equal. One with the figure 0,
 * which cannot change anything on this machine, may be able to look all the same: it stands last. [main]
 */
void query_find(struct query *q, struct loader *l, uint32_t kind, const char *id);

/* VPN_ENOTSUP: nobody was found. `what` is what was asked for: "the system's routes". */
vpn_status query_none(struct loader *l, uint32_t kind, const char *what, struct vpn_error *err);

#endif
