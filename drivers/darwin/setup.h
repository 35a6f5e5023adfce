/* SPDX-License-Identifier: BSD-2-Clause */
/* setup: brings the interface of an open device to what the options say, and takes back what of it
 * would outlive the interface. */
#ifndef DARWIN_SETUP_H
#define DARWIN_SETUP_H

#include "link.h"
#include "options.h"

/* The addresses that the options ask for. */
struct darwin_setup {
	struct darwin_address *wanted;
	bool *added; /* by us */
	uint32_t n;
};

/* [main] */
vpn_status darwin_setup_init(struct darwin_setup *s, const struct darwin_options *o,
			     struct vpn_error *err);
void darwin_setup_clear(struct darwin_setup *s);

/* MTU, MAC (NULL: as it is), addresses, up. Stops at the first thing that cannot be done. [main] */
vpn_status darwin_setup_apply(struct darwin_setup *s, const struct darwin_options *o,
			      struct darwin_link *link, uint32_t mtu, const uint8_t *mac,
			      struct vpn_error *err);

/* Adds the addresses and their routes anew, after the link was down. Returns 0 or an errno. [lane] */
int darwin_setup_restore(struct darwin_setup *s, struct darwin_link *link);

/* Removes the addresses that were added: a route of an IPv6 address through lo0 would stay. [main] */
void darwin_setup_undo(struct darwin_setup *s, struct darwin_link *link);

/* Whether an address is one of those that the options ask for. [any] */
bool darwin_setup_wants(const struct darwin_setup *s, uint8_t family, const uint8_t *addr);

#endif
