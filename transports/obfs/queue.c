/* SPDX-License-Identifier: BSD-2-Clause */
#include "queue.h"

bool obfs_queue_add(struct obfs_queue *q, struct vpn_packet *p, const struct vpn_endpoint *endpoint)
{
	if (q->end == OBFS_QUEUE_ROOM)
		return false;
	p->endpoint = NULL;
	if (endpoint != NULL) {
		q->endpoints[q->end] = *endpoint;
		p->endpoint = &q->endpoints[q->end];
	}
	q->pkts[q->end++] = p;
	return true;
}

/* What is added within a push goes behind what is under way: slots are used again when all have left. */
bool obfs_queue_push(struct obfs_queue *q, const struct vpn_link *link, uint32_t max_batch)
{
	if (q->pushing)
		return false;
	q->pushing = true;
	while (q->first != q->end && !q->blocked) {
		uint32_t n = q->end - q->first;
		uint32_t first = q->first;
		if (n > max_batch)
			n = max_batch;
		uint32_t taken = vpn_push(link, q->pkts + first, n);
		q->first = first + taken;
		q->blocked = taken < n;
	}
	q->pushing = false;
	if (q->first != q->end)
		return false;
	q->first = 0;
	q->end = 0;
	return true;
}
