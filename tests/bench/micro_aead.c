/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * micro_aead: what the AEAD engines of the wireguard transport cost, in nanoseconds per packet and
 * bytes per nanosecond. Each figure is the median of ROUNDS runs over PACKETS packets, which are
 * sealed and opened in place in calls of `batch` packets, with one key or another one each packet.
 */
#include "aead.h"

#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#define ROUNDS  101
#define PACKETS 128u
#define STRIDE  2048u
#define ROOM    16u /* in front of a packet: the header of a data message */

typedef void (*pass)(struct wg_aead *a, struct wg_aead_job *jobs, uint32_t n);

struct fixture {
	uint8_t slots[PACKETS * STRIDE];
	uint8_t keys[PACKETS][WG_KEY_LEN];
	struct wg_aead_job jobs[PACKETS];
	double sealing[ROUNDS];
	double opening[ROUNDS];
};

static uint64_t now_ns(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (uint64_t)ts.tv_sec * 1000000000u + (uint64_t)ts.tv_nsec;
}

static int by_value(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return (x > y) - (x < y);
}

static double median(double *t)
{
	qsort(t, ROUNDS, sizeof(t[0]), by_value);
	return t[ROUNDS / 2];
}

static void fill(struct fixture *f, uint32_t len, int n_keys)
{
	for (uint32_t i = 0; i < PACKETS; i++) {
		f->jobs[i].key = f->keys[n_keys == 1 ? 0 : i];
		f->jobs[i].counter = i;
		f->jobs[i].data = f->slots + (size_t)i * STRIDE + ROOM;
		f->jobs[i].len = len;
	}
}

/* ns per packet; whole batches only */
static double run(pass fn, struct wg_aead *a, struct fixture *f, uint32_t batch)
{
	uint32_t n = PACKETS / batch * batch;
	uint64_t start = now_ns();

	for (uint32_t i = 0; i < n; i += batch)
		fn(a, f->jobs + i, batch);
	return (double)(now_ns() - start) / n;
}

/* Opening wants what sealing has made: an engine may leave a forged packet early. */
static void measure(const struct wg_aead_engine *e, struct wg_aead *a, struct fixture *f,
		    uint32_t len, uint32_t batch, int n_keys)
{
	fill(f, len, n_keys);
	for (uint32_t r = 0; r < ROUNDS; r++) {
		f->sealing[r] = run(e->seal, a, f, batch);
		f->opening[r] = run(e->open, a, f, batch);
		for (uint32_t i = 0; i < PACKETS / batch * batch; i++)
			if (!f->jobs[i].ok)
				abort();
	}
	double sealing = median(f->sealing), opening = median(f->opening);
	printf("%-10s %6u %6u %5s %9.0f %9.0f %9.2f %9.2f\n", e->name, len, batch,
	       n_keys == 1 ? "one" : "many", sealing, opening, len / sealing, len / opening);
}

static void measure_engine(const struct wg_aead_engine *e, struct fixture *f)
{
	static const uint32_t lens[] = {64, 512, 1420}, batches[] = {1, 46, PACKETS};
	struct wg_aead *a = e->create();

	if (!a)
		abort();
	for (uint32_t l = 0; l < 3; l++)
		for (uint32_t b = 0; b < 3; b++)
			for (int n_keys = 1; n_keys <= 2; n_keys++)
				measure(e, a, f, lens[l], batches[b], n_keys);
	e->destroy(a);
}

int main(void)
{
	struct fixture *f;

	if (sodium_init() < 0)
		return 1;
	f = calloc(1, sizeof(*f));
	if (!f)
		return 1;
	randombytes_buf(f->keys, sizeof(f->keys));
	printf("%-10s %6s %6s %5s %9s %9s %9s %9s\n", "engine", "bytes", "batch", "keys", "seal ns",
	       "open ns", "seal B/ns", "open B/ns");
	for (const struct wg_aead_engine *const *e = wg_aead_engines(); *e; e++) {
		if ((*e)->usable())
			measure_engine(*e, f);
		else
			printf("%-10s does not work here\n", (*e)->name);
	}
	free(f);
	return 0;
}
