/* SPDX-License-Identifier: BSD-2-Clause */
/* relay: takes datagrams from sockets, decides when they depart, and has them sent then. One thread. */
#ifndef IMPAIR_RELAY_H
#define IMPAIR_RELAY_H

#include <stdbool.h>
#include <stdint.h>

#include "counts.h"
#include "fate.h"
#include "flows.h"
#include "line.h"
#include "options.h"
#include "schedule.h"
#include "sender.h"
#include "store.h"

/* Of one direction. */
struct relay_way {
	struct fates fates;
	struct line line;
	struct schedule schedule;
	struct counts counts;
	struct sender sender;
};

struct relay {
	int epoll, listen_fd;
	uint32_t listen_missed;
	uint32_t listen_overhead, to_overhead; /* of IP and UDP header, for the rate */
	struct store store;
	struct flows flows;
	struct relay_way ways[WAYS];
	struct receiver *receiver;
};

/* Opens the socket of --listen. False: reterr says why not, and nothing is held. */
bool relay_init(struct relay *r, const struct options *o, char reterr[OPTIONS_ERROR]);
void relay_done(struct relay *r);

/* relay_run() ends when this file can be read; once, before it runs. False: errno says why not. */
bool relay_watch(struct relay *r, int fd);

/* Works until then. False: the system failed, errno says how. */
bool relay_run(struct relay *r);

#endif
