/* SPDX-License-Identifier: BSD-2-Clause */
/* origin: where and when a change to the system was made: which run of which machine, which network. */
#ifndef VPNCORE_CORE_ORIGIN_H
#define VPNCORE_CORE_ORIGIN_H

#include <stdbool.h>
#include <stdint.h>

struct origin {
	uint8_t boot[16]; /* of this run of the machine: for origin_is_other_boot() */
	uint64_t netns;   /* the network namespace, unique within one boot; 0 = not known */
	uint64_t wall_ns; /* since 1970-01-01 UTC */
	uint32_t pid;
};

/* Of this process, now. What the system does not tell stays zero. [main] */
void origin_here(struct origin *out);

/* Whether the machine has certainly started anew since `then`. [main] */
bool origin_is_other_boot(const struct origin *then, const struct origin *now);

/* Whether this process has the network namespace that the machine (or container) began with; true where
 * there are no namespaces, and `unknown` where the system does not tell. [main] */
bool origin_is_first_netns(bool unknown);

/* The namespace that the number of this process is of; 0 = not known. [any] */
uint64_t origin_pid_namespace(void);

#endif
