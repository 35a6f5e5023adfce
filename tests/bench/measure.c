/* SPDX-License-Identifier: BSD-2-Clause */
#include "measure.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>

#define REPETITIONS 31u        /* of work that is repeated to fill its time */
#define SINGLES     201u       /* of work that is done once after each prepare() */
#define SLICE_NS    1000000u   /* time of one repetition */
#define CHECK_COUNT 3u         /* repetitions of a self-check */
#define CALLS_MAX   (1u << 22) /* of work() in a repetition */
#define EVICT_BYTES (8u << 20) /* four times a second-level cache of 2 MiB */
#define CACHE_LINE  64u

bool measure_arguments(struct measure_options *o, int argc, char **argv)
{
	*o = (struct measure_options){.json = false};
	for (int i = 1; i < argc; i++) {
		if (strcmp(argv[i], "--json") == 0)
			o->json = true;
		else if (strcmp(argv[i], "--self-check") == 0)
			o->self_check = true;
		else if (strcmp(argv[i], "--only") == 0 && i + 1 < argc)
			o->only = argv[++i];
		else
			return false;
	}
	return true;
}

uint64_t measure_now_ns(void)
{
	struct timespec ts;
	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (uint64_t)ts.tv_sec * 1000000000u + (uint64_t)ts.tv_nsec;
}

void measure_pause(uint64_t ns)
{
	struct timespec t = {(time_t)(ns / 1000000000u), (long)(ns % 1000000000u)};
	nanosleep(&t, NULL);
}

static int by_value(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;
	return (x > y) - (x < y);
}

double measure_median(double *values, uint32_t n, double *ret_low, double *ret_high)
{
	qsort(values, n, sizeof(values[0]), by_value);
	if (ret_low != NULL)
		*ret_low = values[n / 4];
	if (ret_high != NULL)
		*ret_high = values[n - 1 - n / 4];
	return values[n / 2];
}

void measure_evict(void)
{
	static volatile uint8_t *filler;
	if (filler == NULL)
		filler = malloc(EVICT_BYTES);
	if (filler == NULL)
		abort();
	for (uint32_t i = 0; i < EVICT_BYTES; i += CACHE_LINE)
		filler[i]++;
}

bool measure_wants(const struct measure *m, const char *stage)
{
	return m->options.only == NULL || strcmp(m->options.only, stage) == 0;
}

/* ns per packet of `calls` calls */
static double time_calls(const struct measure_case *c, uint32_t calls)
{
	uint64_t packets = 0, begin = measure_now_ns();
	for (uint32_t i = 0; i < calls; i++)
		packets += c->work(c->ctx);
	uint64_t end = measure_now_ns();
	return (double)(end - begin) / (double)(packets != 0 ? packets : 1);
}

static double time_once(const struct measure_case *c)
{
	c->prepare(c->ctx);
	return time_calls(c, 1);
}

/* How many calls fill a repetition. They warm the caches, too. */
static uint32_t calibrate(const struct measure_case *c)
{
	for (uint32_t calls = 1;; calls *= 2) {
		uint64_t begin = measure_now_ns();
		time_calls(c, calls);
		if (measure_now_ns() - begin >= SLICE_NS || calls >= CALLS_MAX)
			return calls;
	}
}

static struct measure_row *add_row(struct measure *m)
{
	if (m->n_rows == m->room) {
		m->room = m->room != 0 ? m->room * 2 : 64;
		m->rows = realloc(m->rows, m->room * sizeof(*m->rows));
		if (m->rows == NULL)
			abort();
	}
	return &m->rows[m->n_rows++];
}

void measure_run(struct measure *m, const struct measure_case *c)
{
	double times[SINGLES];
	bool brief = m->options.self_check;
	if (!measure_wants(m, c->stage))
		return;
	uint32_t n = brief ? CHECK_COUNT : c->prepare != NULL ? SINGLES : REPETITIONS;
	uint32_t calls = brief || c->prepare != NULL ? 1 : calibrate(c);
	for (uint32_t i = 0; i < n; i++)
		times[i] = c->prepare != NULL ? time_once(c) : time_calls(c, calls);
	struct measure_row *r = add_row(m);
	r->stage = c->stage;
	r->bytes = c->bytes;
	snprintf(r->variant, sizeof(r->variant), "%s", c->variant);
	r->ns = measure_median(times, n, &r->low, &r->high);
	if (c->check(c->ctx))
		return;
	fprintf(stderr, "%s, %s, %u bytes: the work was not done, or not rightly\n", c->stage,
		c->variant, c->bytes);
	m->n_failed++;
}

/* ---- output ---- */

/* 0 where it says nothing */
static double bytes_per_second(const struct measure_row *r)
{
	return r->ns > 0 ? r->bytes / r->ns * 1e9 : 0;
}

static void print_table(const struct measure *m)
{
	printf("%-10s %-42s %6s %10s %21s %9s\n", "stage", "", "bytes", "ns/packet", "quartiles",
	       "MB/s");
	for (uint32_t i = 0; i < m->n_rows; i++) {
		const struct measure_row *r = &m->rows[i];
		printf("%-10s %-42s ", r->stage, r->variant);
		if (r->bytes != 0)
			printf("%6u %10.1f %10.1f %10.1f %9.0f\n", r->bytes, r->ns, r->low, r->high,
			       bytes_per_second(r) / 1e6);
		else
			printf("%6s %10.1f %10.1f %10.1f %9s\n", "", r->ns, r->low, r->high, "");
	}
}

static void print_json(const struct measure *m)
{
	printf("{\"stages\": [");
	for (uint32_t i = 0; i < m->n_rows; i++) {
		const struct measure_row *r = &m->rows[i];
		printf("%s\n{\"stage\": \"%s\", \"variant\": \"%s\", \"bytes\": %u, \"ns\": %.2f, "
		       "\"low\": %.2f, \"high\": %.2f, \"bytes_per_second\": %.0f}",
		       i != 0 ? "," : "", r->stage, r->variant, r->bytes, r->ns, r->low, r->high,
		       bytes_per_second(r));
	}
	printf("\n]}\n");
}

int measure_finish(struct measure *m)
{
	if (m->options.json)
		print_json(m);
	else if (m->options.self_check)
		printf("%u pieces of work, %u failed\n", m->n_rows, m->n_failed);
	else
		print_table(m);
	bool none = m->n_rows == 0;
	if (none)
		fprintf(stderr, "there is no such stage\n");
	free(m->rows);
	return none || m->n_failed != 0 ? 1 : 0;
}
