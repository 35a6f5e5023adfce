/* SPDX-License-Identifier: BSD-2-Clause */
/* flow_parity: groups of which something is missing, until parity brings it back. */
#include "flow_parts.h"

static bool covers(const struct kcp_group_rx *g, uint64_t id)
{
	return g->n != 0 && id >= g->base && id - g->base < g->n;
}

/* False: can never be recovered, something that it needs was not kept. */
static bool gather(const struct kcp_flow *f, const struct kcp_group_rx *g,
		   struct kcp_group_shard *shards, uint32_t *ret_missing)
{
	*ret_missing = 0;
	for (uint32_t i = 0; i < g->n; i++) {
		uint64_t id = g->base + i;
		const struct flow_arrival *a = flow_arrival_at(f, id);
		if (id < f->rx.tail)
			return false;
		shards[i] = (struct kcp_group_shard){0};
		if (a->cell != NULL) {
			/* not what was covered: a shard longer than its parity */
			if (a->len > g->len)
				return false;
			shards[i] = (struct kcp_group_shard){a->cell, a->len};
		} else if (a->state == FLOW_DELIVERED) {
			return false;
		} else {
			++*ret_missing;
		}
	}
	return true;
}

static void arrive_recovered(struct kcp_flow *f, uint64_t id, uint8_t *cell, uint32_t len,
			     uint64_t now_us)
{
	struct flow_incoming in = {.id = id, .cell = cell};
	if (!kcp_frame_parse_shard(cell, len, &in.head) || in.head.len > f->message) {
		kcp_cells_give(f->cells, cell);
		flow_count(f, KCP_DROP_FRAME, 1);
		return;
	}
	in.payload = cell + KCP_FRAME_SHARD_LEN;
	/* given up in the meantime: the others of the group are worth it all the same */
	if (flow_arrival_take(f, &in, now_us))
		flow_count(f, KCP_PARITY_USED, 1);
}

/* Recovers the group if it can be, and forgets it when it is of no use any more. */
static void try_group(struct kcp_flow *f, uint8_t index, uint64_t now_us)
{
	const struct kcp_group_rx *g = &f->rx.pending.groups[index];
	struct kcp_group_shard shards[KCP_GROUP_DATA];
	uint8_t *out[KCP_GROUP_DATA] = {NULL};
	uint32_t missing;
	bool possible = gather(f, g, shards, &missing);
	if (possible && missing > g->n_rows)
		return;
	uint64_t base = g->base;
	uint32_t n = g->n;
	uint32_t len = g->len;
	if (possible && missing != 0)
		(void)kcp_group_recover(&f->rx.pending, index, shards, out);
	kcp_group_drop(&f->rx.pending, index);
	for (uint32_t i = 0; i < n; i++)
		if (out[i] != NULL)
			arrive_recovered(f, base + i, out[i], len, now_us);
}

static bool is_complete(const struct kcp_flow *f, uint64_t base, uint32_t n)
{
	for (uint64_t id = base; id < base + n; id++)
		if (id >= f->rx.floor && flow_arrival_at(f, id)->state == FLOW_MISSING)
			return false;
	return true;
}

bool flow_parity_take(struct kcp_flow *f, const struct kcp_frame *h, struct vpn_packet *p,
		      uint64_t now_us)
{
	struct flow_rx *rx = &f->rx;
	uint64_t base = kcp_frame_expand(rx->next, h->id);
	uint8_t evicted;
	if (h->small == 0 || h->small > KCP_GROUP_DATA || h->word >= KCP_GROUP_ROWS ||
	    base > rx->next + FLOW_AHEAD) {
		flow_drop(f, p, KCP_DROP_FRAME);
		return false;
	}
	if (base < rx->tail || base + h->small <= rx->floor) { /* not needed */
		flow_count(f, KCP_PARITY_RECEIVED, 1);
		f->out.release(f->out.ctx, p);
		return true;
	}
	flow_count(f, KCP_PARITY_RECEIVED, 1);
	/* parity comes after all of its group: what is not here by now is missing */
	flow_arrival_hear_of(f, base + h->small, now_us);
	uint8_t index = base < rx->tail || is_complete(f, base, h->small)
				? KCP_GROUP_NONE
				: kcp_group_keep(&rx->pending, base, h->small, h->word,
						 vpn_packet_data(p) + KCP_FRAME_HEAD_LEN,
						 p->len - KCP_FRAME_HEAD_LEN, &evicted);
	if (index == KCP_GROUP_NONE) {
		f->out.release(f->out.ctx, p);
		return true;
	}
	if (rx->pending.groups[index].n_rows == 1)
		for (uint32_t i = 0; i < h->small; i++)
			flow_arrival_at(f, base + i)->group = index;
	f->out.release(f->out.ctx, p);
	try_group(f, index, now_us);
	return true;
}

void flow_parity_check(struct kcp_flow *f, uint64_t id, uint64_t now_us)
{
	if (f->rx.pending.n_used == 0 || id < f->rx.tail)
		return;
	uint8_t index = flow_arrival_at(f, id)->group;
	if (index < KCP_GROUP_PENDING && covers(&f->rx.pending.groups[index], id))
		try_group(f, index, now_us);
}
