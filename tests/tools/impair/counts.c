/* SPDX-License-Identifier: BSD-2-Clause */
#include "counts.h"

#include <inttypes.h>
#include <string.h>

static const char *const loss_names[COUNTS_LOSSES] = {"random", "burst", "queue",
						      "memory", "flows", "refused"};

void counts_init(struct counts *c)
{
	memset(c, 0, sizeof(*c));
	c->delay_min_ns = UINT64_MAX;
}

/* Four buckets for each power of two; below 4 ns one for each. */
static uint32_t bucket_of(uint64_t ns)
{
	if (ns < 4)
		return (uint32_t)ns;
	uint32_t power = 63 - (uint32_t)__builtin_clzll(ns);
	return power * 4 + (uint32_t)(ns >> (power - 2) & 3) - 4;
}

/* The largest value of a bucket. */
static uint64_t bucket_end(uint32_t bucket)
{
	if (bucket < 4)
		return bucket;
	uint32_t power = (bucket + 4) / 4;
	return ((uint64_t)(4 + bucket % 4 + 1) << (power - 2)) - 1;
}

void counts_deliver(struct counts *c, uint32_t bytes, uint64_t arrived_ns, uint64_t due_ns,
		    uint64_t now_ns)
{
	uint64_t delay = now_ns - arrived_ns, late = now_ns - due_ns;
	c->delivered++;
	c->delivered_bytes += bytes;
	c->delay_sum_ns += delay;
	if (delay < c->delay_min_ns)
		c->delay_min_ns = delay;
	if (delay > c->delay_max_ns)
		c->delay_max_ns = delay;
	c->late_sum_ns += late;
	if (late > c->late_max_ns)
		c->late_max_ns = late;
	c->late[bucket_of(late)]++;
}

uint64_t counts_late_quantile(const struct counts *c, double share)
{
	uint64_t seen = 0;
	for (uint32_t i = 0; i < COUNTS_LATE_BUCKETS; i++) {
		seen += c->late[i];
		if (seen > 0 && (double)seen >= share * (double)c->delivered)
			return bucket_end(i) < c->late_max_ns ? bucket_end(i) : c->late_max_ns;
	}
	return 0;
}

static double us(uint64_t ns)
{
	return (double)ns / 1e3;
}

static double mean_us(const struct counts *c, uint64_t sum_ns)
{
	return c->delivered > 0 ? us(sum_ns) / (double)c->delivered : 0;
}

void counts_print(const struct counts *c, uint64_t pending, FILE *out)
{
	fprintf(out, "{\"in\": %" PRIu64 ", \"in_bytes\": %" PRIu64 ", \"lost\": {", c->in,
		c->in_bytes);
	for (int i = 0; i < COUNTS_LOSSES; i++)
		fprintf(out, "%s\"%s\": %" PRIu64, i > 0 ? ", " : "", loss_names[i], c->lost[i]);
	fprintf(out,
		"}, \"corrupted\": %" PRIu64 ", \"duplicated\": %" PRIu64
		", \"reordered\": %" PRIu64 ", \"pending\": %" PRIu64 ", \"missed\": %" PRIu64,
		c->corrupted, c->duplicated, c->reordered, pending, c->missed);
	fprintf(out, ", \"delivered\": %" PRIu64 ", \"delivered_bytes\": %" PRIu64, c->delivered,
		c->delivered_bytes);
	fprintf(out, ", \"delay_us\": {\"min\": %.1f, \"mean\": %.1f, \"max\": %.1f}",
		c->delivered > 0 ? us(c->delay_min_ns) : 0, mean_us(c, c->delay_sum_ns),
		us(c->delay_max_ns));
	fprintf(out,
		", \"late_us\": {\"mean\": %.1f, \"p50\": %.1f, \"p99\": %.1f, \"max\": %.1f}}",
		mean_us(c, c->late_sum_ns), us(counts_late_quantile(c, 0.5)),
		us(counts_late_quantile(c, 0.99)), us(c->late_max_ns));
}
