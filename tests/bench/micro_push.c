/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * micro_push: what a packet costs in a stage that does nothing. A batch goes through the host's
 * link into a null transport, which pushes it through the next link into a sink:
 *
 *	push -> [link] -> null transport -> [link] -> sink
 *
 * Both links count packets, bytes and batches as they do in a pipeline. Prints the median of
 * several runs in nanoseconds per packet, with and without taking the packets from the pool and
 * giving them back. usage: bench_push [batch [runs]]
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <vpncore/plugin.h>

#include "link.h"
#include "pool.h"

#define ROUNDS   100000u /* batches in a run */
#define RUNS_MAX 101u
#define LEN      1300u

struct bench {
	struct pool pool;
	struct vpn_lane lane; /* the null transport's */
	struct link in, out;
	uint64_t sunk;
};

static uint32_t null_send(void *inst, struct vpn_lane *lane, struct vpn_packet **pkts, uint32_t n)
{
	(void)inst;
	return vpn_push(lane->down, pkts, n);
}

static uint32_t sink(void *inst, struct vpn_lane *lane, struct vpn_packet **pkts, uint32_t n)
{
	struct bench *b = inst;
	(void)lane;
	(void)pkts;
	b->sunk += n;
	return n;
}

static double now_ns(void)
{
	struct timespec t;
	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec * 1e9 + (double)t.tv_nsec;
}

static vpn_status set_up(struct bench *b, uint32_t batch)
{
	const struct pool_shape shape = {
		.headroom = 64,
		.data = {LEN, LEN, 0, 0},
		.count = {2 * batch, 1, 1, 1},
	};
	memset(b, 0, sizeof(*b));
	if (pool_init(&b->pool, &shape) != VPN_OK)
		return VPN_ENOMEM;
	link_init(&b->in, null_send, NULL, &b->lane);
	link_init(&b->out, sink, b, &b->lane);
	b->lane = (struct vpn_lane){
		.size = sizeof(b->lane), .down = &b->out.pub, .max_batch = batch};
	return VPN_OK;
}

static uint32_t take(struct bench *b, struct vpn_packet **pkts, uint32_t batch)
{
	uint32_t n = pool_alloc(&b->pool, VPN_POOL_TX, 0, pkts, batch);
	for (uint32_t i = 0; i < n; i++)
		pkts[i]->len = LEN;
	return n;
}

/* The link is reached through a volatile pointer: nothing is inlined across it. */
static double run_push(struct bench *b, uint32_t batch)
{
	struct vpn_packet *pkts[VPN_BATCH_MAX];
	const struct vpn_link *volatile first = &b->in.pub;
	uint32_t n = take(b, pkts, batch);
	double begin = now_ns();
	for (uint32_t i = 0; i < ROUNDS; i++)
		vpn_push(first, pkts, n);
	double end = now_ns();
	pool_release(&b->pool, pkts, n);
	return (end - begin) / ((double)ROUNDS * batch);
}

static double run_pooled(struct bench *b, uint32_t batch)
{
	struct vpn_packet *pkts[VPN_BATCH_MAX];
	const struct vpn_link *volatile first = &b->in.pub;
	double begin = now_ns();
	for (uint32_t i = 0; i < ROUNDS; i++) {
		uint32_t n = take(b, pkts, batch);
		vpn_push(first, pkts, n);
		pool_release(&b->pool, pkts, n);
	}
	return (now_ns() - begin) / ((double)ROUNDS * batch);
}

static int by_size(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;
	return (x > y) - (x < y);
}

static double median(struct bench *b, uint32_t batch, uint32_t runs,
		     double (*run)(struct bench *, uint32_t))
{
	double times[RUNS_MAX];
	for (uint32_t i = 0; i < runs; i++)
		times[i] = run(b, batch);
	qsort(times, runs, sizeof(times[0]), by_size);
	return times[runs / 2];
}

static uint32_t argument(int argc, char **argv, int i, uint32_t dflt, uint32_t max)
{
	unsigned long n = argc > i ? strtoul(argv[i], NULL, 10) : dflt;
	return n >= 1 && n <= max ? (uint32_t)n : dflt;
}

int main(int argc, char **argv)
{
	static struct bench b;
	uint32_t batch = argument(argc, argv, 1, 64, VPN_BATCH_MAX);
	uint32_t runs = argument(argc, argv, 2, 15, RUNS_MAX);
	if (set_up(&b, batch) != VPN_OK) {
		fprintf(stderr, "bench_push: out of memory\n");
		return 1;
	}
	double push = median(&b, batch, runs, run_push);
	double pooled = median(&b, batch, runs, run_pooled);
	printf("batch %u, two links and a null transport: %.2f ns per packet; "
	       "with alloc and release: %.2f ns (medians of %u runs)\n",
	       (unsigned)batch, push, pooled, (unsigned)runs);
	uint64_t expected = (uint64_t)ROUNDS * batch * runs * 2;
	pool_clear(&b.pool);
	if (b.sunk != expected || link_read(&b.out).packets != expected) {
		fprintf(stderr, "bench_push: packets were lost\n");
		return 1;
	}
	return 0;
}
