/* SPDX-License-Identifier: BSD-2-Clause */
/* view: what systemd-resolved asks whom for, of all interfaces. */
#ifndef RESOLVED_VIEW_H
#define RESOLVED_VIEW_H

#include "bus.h"
#include "settings.h"

struct resolved_view_server {
	uint32_t ifindex; /* 0 = of resolved.conf */
	struct vpn_endpoint at;
};

struct resolved_view_domain {
	uint32_t ifindex;
	char *name; /* with "~" in front when it is for routing only */
};

struct resolved_view {
	struct resolved_view_server *servers, *fallback;
	struct resolved_view_domain *domains;
	uint32_t n_servers, n_fallback, n_domains;
	bool has_ports; /* `servers` are from the property with ports */
	bool fallback_has_ports;
};

/* Reads it; to be cleared in any case. Returns 0 or an errno, as resolved_bus_call(). [main] */
int resolved_view_read(struct resolved_bus *b, uint64_t deadline, struct resolved_view *out,
		       sd_bus_error *ret_error);
void resolved_view_clear(struct resolved_view *v);

/* Whether an interface has servers, and this domain (without "~"). */
bool resolved_view_has_servers(const struct resolved_view *v, uint32_t ifindex);
bool resolved_view_has_domain(const struct resolved_view *v, uint32_t ifindex, const char *name);

/* Another interface whose servers are asked for a domain of ours at the same time: calls fn for each, with
 * our domain and the other's index. */
void resolved_view_rivals(const struct resolved_view *v, const struct resolved_settings *ours,
			  void (*fn)(void *ctx, const char *domain, uint32_t ifindex), void *ctx);

#endif
