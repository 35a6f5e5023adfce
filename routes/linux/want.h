/* SPDX-License-Identifier: BSD-2-Clause */
/* want: what another component wants of us: VPN_EXT_ROUTES of plugin.h. */
#ifndef ROUTES_WANT_H
#define ROUTES_WANT_H

#include "object.h"
#include "scene.h"

struct routes;

/* One network, and whether it was told that the session drops what is sent there. */
struct routes_wish {
	struct vpn_prefix to;
	bool told;
};

struct routes_want {
	struct routes_list wishes; /* struct routes_wish */
	bool block_dns;
};

extern const struct vpn_routes_ext routes_want_ext;

void routes_want_clear(struct routes_want *w);

/* Adds what is wanted to the scene; false without memory. [main] */
bool routes_want_read(const struct routes_want *w, struct routes_scene *scene);

/* Warns, once for each network, where no peer takes its addresses. [main] */
void routes_want_warn(struct routes *r, const struct routes_scene *scene);

#endif
