/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * micro_push: what a packet costs in a stage that does nothing. A batch goes through the host's
 * link into a null transport, which pushes it through the next link into a sink:
 *
 *	push -> [link] -> null transport -> [link] -> sink
 *
 * Both links count packets, bytes and batches as they do in a pipeline. Beside it stand the pool's
 * own services. bench_scale has the same in whole pipelines.
 */
#include <stdlib.h>
#include <string.h>
#include <vpncore/plugin.h>

#include "link.h"
#include "pool.h"
#include "stages.h"

#define LEN    1300u
#define PIECES 44u /* of a large read */

struct fixture {
	struct pool pool;
	struct vpn_lane lane; /* the null transport's */
	struct link in, out;
	const struct vpn_link *volatile first; /* nothing is inlined across it */
	uint32_t batch;
	uint64_t offered, sunk;
	struct vpn_packet *pkts[VPN_BATCH_MAX];
};

static uint32_t null_send(void *inst, struct vpn_lane *lane, struct vpn_packet **pkts, uint32_t n)
{
	(void)inst;
	return vpn_push(lane->down, pkts, n);
}

static uint32_t sink(void *inst, struct vpn_lane *lane, struct vpn_packet **pkts, uint32_t n)
{
	struct fixture *f = inst;
	(void)lane;
	(void)pkts;
	f->sunk += n;
	return n;
}

static void set_up(struct fixture *f)
{
	const struct pool_shape shape = {
		.headroom = 64,
		.data = {LEN, LEN, POOL_LARGE_BYTES, 0},
		.count = {2 * VPN_BATCH_MAX, 1, 1, 2 * PIECES},
	};
	if (pool_init(&f->pool, &shape) != VPN_OK)
		abort();
	link_init(&f->in, null_send, NULL, &f->lane);
	link_init(&f->out, sink, f, &f->lane);
	f->lane = (struct vpn_lane){
		.size = sizeof(f->lane), .down = &f->out.pub, .max_batch = VPN_BATCH_MAX};
	f->first = &f->in.pub;
}

static uint32_t take(struct fixture *f)
{
	uint32_t n = pool_alloc(&f->pool, VPN_POOL_TX, 0, f->pkts, f->batch);
	for (uint32_t i = 0; i < n; i++)
		f->pkts[i]->len = LEN;
	return n;
}

static uint32_t push(void *ctx)
{
	struct fixture *f = ctx;
	f->offered += f->batch;
	return vpn_push(f->first, f->pkts, f->batch);
}

static uint32_t push_pooled(void *ctx)
{
	struct fixture *f = ctx;
	uint32_t n = take(f);
	f->offered += n;
	vpn_push(f->first, f->pkts, n);
	pool_release(&f->pool, f->pkts, n);
	return n;
}

static uint32_t split(void *ctx)
{
	struct fixture *f = ctx;
	struct vpn_packet *large, *pieces[PIECES];
	if (pool_alloc(&f->pool, VPN_POOL_RX_LARGE, 0, &large, 1) != 1)
		return 0;
	large->len = PIECES * LEN;
	uint32_t n = pool_split(&f->pool, large, LEN, pieces, PIECES);
	f->offered += n;
	f->sunk += n == PIECES && pieces[n - 1]->len == LEN ? n : 0;
	pool_release(&f->pool, pieces, n);
	return n;
}

/* Nothing was lost, and nothing is out but what we hold ourselves. */
static bool check(void *ctx)
{
	struct fixture *f = ctx;
	return f->offered != 0 && f->sunk == f->offered;
}

static void measure(struct measure *m, struct fixture *f, const char *text,
		    uint32_t (*work)(void *ctx))
{
	char variant[56];
	snprintf(variant, sizeof(variant), "%s, batch %u", text, f->batch);
	measure_run(m, &(struct measure_case){.stage = "push",
					      .variant = variant,
					      .bytes = LEN,
					      .work = work,
					      .check = check,
					      .ctx = f});
}

void stages_push(struct measure *m)
{
	static const uint32_t batches[] = {1, 32, 64, 128, VPN_BATCH_MAX};
	struct fixture *f;
	if (!measure_wants(m, "push"))
		return;
	f = calloc(1, sizeof(*f));
	if (f == NULL)
		abort();
	set_up(f);
	for (uint32_t b = 0; b < 5; b++) {
		f->batch = batches[b];
		uint32_t n = take(f);
		measure(m, f, "two links, null transport", push);
		pool_release(&f->pool, f->pkts, n);
		measure(m, f, "the same, alloc and release", push_pooled);
	}
	f->batch = PIECES;
	measure(m, f, "split and release", split);
	if (pool_outstanding(&f->pool) != 0 || link_read(&f->out).refused != 0)
		m->n_failed++;
	pool_clear(&f->pool);
	free(f);
}
