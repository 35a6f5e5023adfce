/* SPDX-License-Identifier: BSD-2-Clause */
/* flows: the clients. Each has a socket of its own towards the other side. */
#ifndef IMPAIR_FLOWS_H
#define IMPAIR_FLOWS_H

#include <stdbool.h>
#include <stdint.h>

#include "options.h"

#define FLOWS_NONE UINT32_MAX

struct flow {
	union endpoint client;
	int fd;                     /* connected to --to */
	uint32_t missed;            /* the kernel's count of drops at this socket, as last seen */
	uint32_t next;              /* of the same bucket */
	uint64_t latest[WAYS];      /* departure, for the order of its datagrams */
	uint32_t segment_max[WAYS]; /* larger datagrams are not sent by UDP_SEGMENT */
};

/* Sockets and their settings. */

/*
 * A socket that is bound to `own` (NULL: the system's choice) and, with `to`, connected. It does not block, says
 * when datagrams came (SO_TIMESTAMPNS), gives trains of them (UDP_GRO) and lets larger ones than the path's
 * MTU be cut up. Returns -errno when it cannot be.
 */
int flows_socket(const union endpoint *own, const union endpoint *to, int family);

struct flows {
	struct flow *flows; /* numbers 0 to n - 1 */
	uint32_t n, max;
	uint32_t *buckets;
	uint32_t mask;
	union endpoint to, source;
};

bool flows_init(struct flows *f, const struct options *o);
void flows_done(struct flows *f);

/*
 * The number of a client's flow; a new one is made. FLOWS_NONE: there are as many as there may be, or there is
 * no socket. *ret_new says that it has just been made.
 */
uint32_t flows_find(struct flows *f, const union endpoint *client, bool *ret_new);

#endif
