/* SPDX-License-Identifier: BSD-2-Clause */
#include "ceiling.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#include "aead.h"
#include "measure.h"

#define BATCH      128u
#define STRIDE     2048u
#define COPY_BYTES (8u << 20)
#define COPY_STEP  (64u << 10)
#define LOOK_NS    1000000u
#define TRIES      30000 /* looks before it is given up */

struct worker {
	_Alignas(128) _Atomic uint64_t units;
	enum ceiling_kind kind;
	uint32_t bytes;
	_Atomic bool *stop;
	_Atomic bool failed;
	pthread_t thread;
};

const char *ceiling_name(enum ceiling_kind kind)
{
	static const char *const names[] = {"integer", "cipher", "copy"};
	return names[kind];
}

static void count(struct worker *w, uint64_t n)
{
	atomic_store_explicit(&w->units, atomic_load_explicit(&w->units, memory_order_relaxed) + n,
			      memory_order_relaxed);
}

static bool goes_on(struct worker *w)
{
	return !atomic_load_explicit(w->stop, memory_order_relaxed);
}

/* Marsaglia's xorshift, four at a time so that the processor's units are busy. */
static void run_integer(struct worker *w)
{
	uint64_t x[4] = {88172645463325252u, 1, 2, 3};
	while (goes_on(w)) {
		for (uint32_t i = 0; i < 1000; i++)
			for (uint32_t k = 0; k < 4; k++) {
				x[k] ^= x[k] << 13;
				x[k] ^= x[k] >> 7;
				x[k] ^= x[k] << 17;
			}
		count(w, (x[0] ^ x[1] ^ x[2] ^ x[3]) != 0 ? 1 : 2);
	}
}

static void run_cipher(struct worker *w)
{
	static const uint8_t key[WG_KEY_LEN] = {1};
	const char *why;
	const struct wg_aead_engine *e = wg_aead_choose(WG_AEAD_AUTO, &why);
	struct wg_aead *a = e->create();
	struct wg_aead_job jobs[BATCH];
	uint8_t *slots = calloc(BATCH, STRIDE);
	if (a == NULL || slots == NULL) {
		atomic_store(&w->failed, true);
		goto out;
	}
	for (uint32_t i = 0; i < BATCH; i++)
		jobs[i] = (struct wg_aead_job){.key = key,
					       .counter = i,
					       .data = slots + (size_t)i * STRIDE,
					       .len = w->bytes};
	while (goes_on(w)) {
		e->seal(a, jobs, BATCH);
		e->open(a, jobs, BATCH);
		for (uint32_t i = 0; i < BATCH; i++)
			if (jobs[i].ok == 0)
				atomic_store(&w->failed, true);
		count(w, BATCH);
	}
out:
	free(slots);
	e->destroy(a);
}

static void run_copy(struct worker *w)
{
	uint8_t *from = calloc(1, COPY_BYTES), *to = calloc(1, COPY_BYTES);
	if (from == NULL || to == NULL)
		atomic_store(&w->failed, true);
	for (uint32_t at = 0; from != NULL && to != NULL && goes_on(w);
	     at = (at + COPY_STEP) % COPY_BYTES) {
		from[at]++;
		memcpy(to + at, from + at, COPY_STEP);
		if (to[at] != from[at])
			atomic_store(&w->failed, true);
		count(w, 1);
	}
	free(from);
	free(to);
}

static void *run(void *arg)
{
	struct worker *w = arg;
	switch (w->kind) {
	case CEILING_INTEGER:
		run_integer(w);
		break;
	case CEILING_CIPHER:
		run_cipher(w);
		break;
	default:
		run_copy(w);
		break;
	}
	return NULL;
}

/* Each has done more than `least` units: the first take longest. */
static bool wait_for_each(const struct worker *workers, uint32_t n, const uint64_t *least)
{
	for (int tries = 0; tries < TRIES; tries++) {
		bool all = true;
		for (uint32_t i = 0; i < n; i++)
			all &= atomic_load(&workers[i].units) > least[i] ||
			       atomic_load(&workers[i].failed);
		if (all)
			return true;
		measure_pause(LOOK_NS);
	}
	return false;
}

static uint64_t total(const struct worker *workers, uint32_t n)
{
	uint64_t units = 0;
	for (uint32_t i = 0; i < n; i++)
		units += atomic_load(&workers[i].units);
	return units;
}

double ceiling_measure(enum ceiling_kind kind, uint32_t threads, uint32_t bytes,
		       uint64_t duration_ns)
{
	struct worker workers[CEILING_THREADS];
	_Atomic bool stop = false;
	uint32_t n = 0;
	bool good;
	memset(workers, 0, sizeof(workers));
	for (; n < threads && n < CEILING_THREADS; n++) {
		workers[n].kind = kind;
		workers[n].bytes = bytes;
		workers[n].stop = &stop;
		if (pthread_create(&workers[n].thread, NULL, run, &workers[n]) != 0)
			break;
	}
	uint64_t least[CEILING_THREADS] = {0};
	good = wait_for_each(workers, n, least);
	for (uint32_t i = 0; i < n; i++)
		least[i] = atomic_load(&workers[i].units);
	uint64_t begin = measure_now_ns(), before = total(workers, n);
	measure_pause(duration_ns);
	good = good && wait_for_each(workers, n, least);
	uint64_t after = total(workers, n), end = measure_now_ns();
	atomic_store(&stop, true);
	for (uint32_t i = 0; i < n; i++) {
		pthread_join(workers[i].thread, NULL);
		good &= !atomic_load(&workers[i].failed);
	}
	return n == threads && good ? (double)(after - before) * 1e9 / (double)(end - begin) : 0;
}
