/* SPDX-License-Identifier: BSD-2-Clause */
#include "link.h"

static void add(uint64_t *counter, uint64_t n)
{
	__atomic_store_n(counter, *counter + n, __ATOMIC_RELAXED);
}

static uint32_t push_batch(struct link *l, struct vpn_packet **pkts, uint32_t n)
{
	uint64_t bytes = 0;
	for (uint32_t i = 0; i < n; i++)
		bytes += pkts[i]->len;
	uint32_t taken = l->take(l->inst, l->lane, pkts, n);
	if (taken > n)
		taken = n; /* a stage cannot take what it was not offered */
	if (taken < n) {
		for (uint32_t i = taken; i < n; i++)
			bytes -= pkts[i]->len;
		add(&l->counters.refused, n - taken);
	}
	add(&l->counters.packets, taken);
	add(&l->counters.bytes, bytes);
	add(&l->counters.batches, 1);
	return taken;
}

/* Stages size their arrays by max_batch: one that offers more than it may is held to it. */
static uint32_t push(void *ctx, struct vpn_packet **pkts, uint32_t n)
{
	struct link *l = ctx;
	uint32_t max = l->lane->max_batch, done = 0;
	while (n - done > max) {
		uint32_t taken = push_batch(l, pkts + done, max);
		done += taken;
		if (taken < max)
			return done;
	}
	return done + push_batch(l, pkts + done, n - done);
}

void link_init(struct link *l,
	       uint32_t (*take)(void *inst, struct vpn_lane *lane, struct vpn_packet **pkts,
				uint32_t n),
	       void *inst, struct vpn_lane *lane)
{
	*l = (struct link){
		.pub = {.size = sizeof(l->pub), .ctx = l, .push = push},
		.take = take,
		.inst = inst,
		.lane = lane,
	};
}

struct link_counters link_read(const struct link *l)
{
	return (struct link_counters){
		.packets = __atomic_load_n(&l->counters.packets, __ATOMIC_RELAXED),
		.bytes = __atomic_load_n(&l->counters.bytes, __ATOMIC_RELAXED),
		.batches = __atomic_load_n(&l->counters.batches, __ATOMIC_RELAXED),
		.refused = __atomic_load_n(&l->counters.refused, __ATOMIC_RELAXED),
	};
}
