/* SPDX-License-Identifier: BSD-2-Clause */
/* node: one of /dev/tap0 to /dev/tap15. The interface of the same name exists while it is open, and one
 * program at a time has it. Facts: tuntaposx tuntap.cc, tap.cc, test_char_dev.py. */
#ifndef TAP_NODE_H
#define TAP_NODE_H

#include "ops.h"
#include "tap_options.h"

struct tap_node {
	int fd; /* -1 = closed */
	char name[DARWIN_IFNAMSIZ];
};

/*
 * Opens the node that the options name, or the first that is free, and makes it non-blocking.
 * *ret_absent: there is no such node, and *err says nothing yet: a kernel extension is missing.
 * [main]
 */
vpn_status tap_node_open(struct tap_node *n, const struct tap_options *o, bool *ret_absent,
			 struct vpn_error *err);

/* The interface goes with it. Also when not open. [main] */
void tap_node_close(struct tap_node *n);

#endif
