/* SPDX-License-Identifier: BSD-2-Clause */
/* control: the kernel control socket that is a utun device for as long as it is open. Facts: xnu
 * bsd/net/if_utun.c, bsd/kern/kern_control.c. */
#ifndef UTUN_CONTROL_H
#define UTUN_CONTROL_H

#include "ops.h"
#include "utun_options.h"

struct utun_control {
	int fd; /* -1 = closed */
	char name[DARWIN_IFNAMSIZ];
};

/* Makes the device that the options describe, or takes a duplicate of the descriptor that was handed
 * in. On failure nothing is left open. [main] */
vpn_status utun_control_open(struct utun_control *c, const struct utun_options *o,
			     struct vpn_error *err);

/* The device is gone then, with its addresses and routes. Also when not open. [main] */
void utun_control_close(struct utun_control *c);

#endif
