/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * queue: packets that have been changed already and that a neighbour did not take. They cannot go back to
 * where they came from, so they wait here, in order, until writable(); meanwhile nothing new is taken.
 */
#ifndef OBFS_QUEUE_H
#define OBFS_QUEUE_H

#include <stdbool.h>
#include <vpncore/plugin.h>

/* The rest of a batch, and of another one that came within a push of the first. */
#define OBFS_QUEUE_ROOM (2 * VPN_BATCH_MAX)

struct obfs_queue {
	struct vpn_packet *pkts[OBFS_QUEUE_ROOM];
	struct vpn_endpoint endpoints[OBFS_QUEUE_ROOM];
	uint32_t first, end; /* waiting: pkts[first..end) */
	bool blocked;        /* the neighbour takes no more until it says so */
	bool refused;        /* whoever gives us packets has been told to wait */
	bool pushing;
};

static inline bool obfs_queue_is_empty(const struct obfs_queue *q)
{
	return q->first == q->end;
}

/* Keeps a packet with a copy of `endpoint` (may be NULL). False when there is no room. [lane] */
bool obfs_queue_add(struct obfs_queue *q, struct vpn_packet *p,
		    const struct vpn_endpoint *endpoint);

/* Pushes what waits unless the neighbour has had enough. True when nothing is left. [lane] */
bool obfs_queue_push(struct obfs_queue *q, const struct vpn_link *link, uint32_t max_batch);

#endif
