/* SPDX-License-Identifier: BSD-2-Clause */
/* rule: rules of policy routing in the kernel: RTM_*RULE of linux/fib_rules.h. Results are 0 or a
 * positive errno. [main] */
#ifndef ROUTES_RULE_H
#define ROUTES_RULE_H

#include "netlink.h"
#include "object.h"

/* EEXIST: there is one like it. */
int routes_rule_add(struct routes_netlink *nl, const struct routes_rule *r);
/* Removes one that is like this; 0 also when there is none. */
int routes_rule_delete(struct routes_netlink *nl, const struct routes_rule *r);

/* Removes the first rule with a preference, whatever it is; 0 also when there is none. */
int routes_rule_delete_first(struct routes_netlink *nl, uint8_t family, uint32_t preference);

/* Appends every rule of both families. One with what a struct routes_rule cannot express is_special. */
int routes_rule_dump(struct routes_netlink *nl,
		     struct routes_list *ret /* of struct routes_rule */);

#endif
