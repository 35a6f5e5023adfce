/* SPDX-License-Identifier: BSD-2-Clause */
/* link: what systemd-resolved has of one interface. Everything here waits for the answer, at most until the
 * deadline (resolved_bus_now()'s clock), and starts nothing. All functions are [main]. */
#ifndef RESOLVED_LINK_H
#define RESOLVED_LINK_H

#include "bus.h"
#include "settings.h"

/* Calls fn for each entry of a dictionary of properties, of any interface of any object; fn reads the value
 * out of the variant that m stands in front of, or leaves it. Returns 0 or an errno. */
int resolved_link_properties(struct resolved_bus *b, const char *path, const char *interface,
			     int (*fn)(void *ctx, const char *name, sd_bus_message *m), void *ctx,
			     uint64_t deadline, sd_bus_error *ret_error);

/* The path of an interface's object; to be freed. NULL without memory. */
char *resolved_link_path(uint32_t ifindex);

/* Reads an address as resolved writes it ("iay"); other families are VPN_AF_NONE. Negative errno. */
int resolved_link_read_address(sd_bus_message *m, struct vpn_address *out);

/* Its servers, domains and default route. What is more than can be ours is left out, and *ret_more set. */
int resolved_link_read(struct resolved_bus *b, uint32_t ifindex, uint64_t deadline,
		       struct resolved_settings *out, bool *ret_more, sd_bus_error *ret_error);

/* Everything of it back to nothing, and the cache emptied. */
int resolved_link_revert(struct resolved_bus *b, uint32_t ifindex, uint64_t deadline,
			 sd_bus_error *ret_error);

#endif
