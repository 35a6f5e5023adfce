/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * bench_scale: how the data path grows: with lanes, with peers, and with stages. Whole pipelines in one
 * process, with the wireguard transport as a plugin, and no kernel below or above them (world.h).
 *
 *	bench_scale [--json] [--bytes N] [--rounds N] [--only lanes|peers|stages|batches]
 *	bench_scale --self-check
 *
 * lanes:   each packet is sealed by one end and opened by another. With one lane; with more, each with a
 *          session of its own ("lanes") or all in one session ("one_session"); and, for comparison, two
 *          pipelines of one lane each, which share nothing ("apart"), and bare threads ("ceiling").
 *          What lanes reach is to be compared with the ceiling: no program gains more than the machine.
 * peers:   one lane, each packet to or from another peer than the one before, or in runs of 16. The rate
 *          is that of packets that are sealed once and opened once.
 * stages:  null transports between a device and a sink, without wireguard.
 * batches: lanes 1, with batches of other sizes.
 *
 * Rounds are interleaved; the median counts, with the quartiles beside it.
 */
#include <libgen.h>
#include <limits.h>
#include <sodium.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "ceiling.h"
#include "log.h"
#include "measure.h"
#include "world.h"

#define ROUNDS_MAX 51u
#define ROWS_MAX   64u
#define WINDOW_NS  150000000u
#define MOMENT_NS  5000000u /* of a self-check */
#define TRIES      6000     /* moments before a source counts as dead */
#define RUN        16u
#define BATCH      128u /* the manifest's default */

struct row {
	const char *section;
	char name[24];
	const char *kind; /* second level of the section, or NULL */
	uint32_t bytes;   /* 0: units are no packets */
	double pps[ROUNDS_MAX];
	uint32_t n;
	double median, low, high;
};

struct scale {
	struct measure_options options;
	uint32_t bytes, rounds;
	uint64_t window_ns;
	struct row rows[ROWS_MAX];
	uint32_t n_rows;
	bool failed;
};

/* ---- rows ---- */

static void note(struct scale *s, const char *section, const char *kind, const char *name,
		 uint32_t bytes, double pps)
{
	struct row *r = s->rows;
	while (r < s->rows + s->n_rows &&
	       (strcmp(r->section, section) != 0 || strcmp(r->name, name) != 0 ||
		(r->kind != kind &&
		 (r->kind == NULL || kind == NULL || strcmp(r->kind, kind) != 0))))
		r++;
	if (r == s->rows + s->n_rows) {
		if (s->n_rows++ == ROWS_MAX)
			abort();
		*r = (struct row){.section = section, .kind = kind, .bytes = bytes};
		snprintf(r->name, sizeof(r->name), "%s", name);
	}
	r->pps[r->n++] = pps;
	if (!(pps > 0) && !s->failed) {
		fprintf(stderr, "bench_scale: %s, %s: no work was done\n", section, name);
		s->failed = true;
	}
}

static void note_number(struct scale *s, const char *section, const char *kind, uint32_t number,
			uint32_t bytes, double pps)
{
	char name[24];
	snprintf(name, sizeof(name), "%u", number);
	note(s, section, kind, name, bytes, pps);
}

static bool wants(const struct scale *s, const char *section)
{
	return s->options.only == NULL || strcmp(s->options.only, section) == 0;
}

/* ---- windows ---- */

static uint64_t delivered(uint32_t n)
{
	uint64_t total = 0;
	for (uint32_t i = 0; i < n; i++)
		total += world_delivered(&worlds[i]);
	return total;
}

/* Packets per second that come out of the first n worlds together. */
static double watch(struct scale *s, uint32_t n, enum world_mode mode)
{
	for (uint32_t i = 0; i < n; i++)
		world_begin(&worlds[i], mode);
	measure_pause(s->window_ns / 10);
	uint64_t begin = measure_now_ns(), before = delivered(n);
	measure_pause(s->window_ns);
	for (int tries = 0; delivered(n) == before && tries < TRIES; tries++)
		measure_pause(MOMENT_NS); /* a busy machine: at least one batch */
	uint64_t after = delivered(n), end = measure_now_ns();
	for (uint32_t i = 0; i < n; i++)
		s->failed |= !world_end(&worlds[i]);
	return (double)(after - before) * 1e9 / (double)(end - begin);
}

static double run_worlds(struct scale *s, uint32_t n, const struct world_shape *shape)
{
	uint32_t started = 0;
	double pps = 0;
	if (s->failed)
		return 0; /* it was said why */
	while (started < n && world_start(started, shape))
		started++;
	if (started == n)
		pps = watch(s, n, WORLD_SEND);
	else
		s->failed = true;
	for (uint32_t i = 0; i < started; i++)
		s->failed |= !world_stop(i);
	return pps;
}

/* ---- sections ---- */

static void measure_lanes(struct scale *s)
{
	static const uint32_t counts[] = {1, 2, 4};
	for (uint32_t i = 0; i < 3; i++) {
		struct world_shape shape = {.lanes = counts[i],
					    .batch = BATCH,
					    .bytes = s->bytes,
					    .sessions = counts[i]};
		note_number(s, "lanes", NULL, counts[i], s->bytes, run_worlds(s, 1, &shape));
		for (int k = 0; k < CEILING_KINDS; k++)
			note_number(s, "ceiling", ceiling_name((enum ceiling_kind)k), counts[i],
				    k == CEILING_CIPHER ? s->bytes : 0,
				    ceiling_measure((enum ceiling_kind)k, counts[i], s->bytes,
						    s->window_ns));
		shape.sessions = 1;
		/* a lane that waits for a processor would fall out of the receiver's window */
		if (counts[i] > 1 && counts[i] <= sysconf(_SC_NPROCESSORS_ONLN))
			note_number(s, "one_session", NULL, counts[i], s->bytes,
				    run_worlds(s, 1, &shape));
		shape.lanes = 1;
		if (counts[i] == 2)
			note_number(s, "apart", NULL, 2, s->bytes, run_worlds(s, 2, &shape));
	}
}

/* Sealing by the clock on the wall; opening by the time within the pushes: far's own sealing is no part
 * of it. */
static void watch_crowd(struct scale *s, bool runs, uint32_t clients)
{
	struct world *w = &worlds[0];
	double seal = watch(s, 1, WORLD_SEND);
	uint64_t busy = world_busy_ns(w), before = world_delivered(w);
	(void)watch(s, 1, WORLD_SEND_FAR);
	uint64_t opened = world_delivered(w) - before;
	busy = world_busy_ns(w) - busy;
	double open = busy != 0 ? (double)opened * 1e9 / (double)busy : 0;
	double both = seal > 0 && open > 0 ? 1 / (1 / seal + 1 / open) : 0;
	note_number(s, "peers", runs ? "runs" : NULL, clients, s->bytes, both);
	note_number(s, "peers", runs ? "runs_seal" : "seal", clients, s->bytes, seal);
	note_number(s, "peers", runs ? "runs_open" : "open", clients, s->bytes, open);
}

static void measure_peers(struct scale *s)
{
	static const uint32_t counts[] = {1, 100, 10000};
	for (uint32_t i = 0; i < 3; i++) {
		struct world_shape shape = {.lanes = 1,
					    .batch = BATCH,
					    .bytes = s->bytes,
					    .clients = counts[i],
					    .run = 1};
		if (s->options.self_check && counts[i] > 100)
			shape.clients = 300;
		if (!world_start(0, &shape)) {
			s->failed = true;
			return;
		}
		for (uint32_t r = 0; r < s->rounds; r++) {
			worlds[0].shape.run = 1;
			watch_crowd(s, false, counts[i]);
			worlds[0].shape.run = RUN;
			watch_crowd(s, true, counts[i]);
		}
		s->failed |= !world_stop(0);
	}
}

static void measure_stages(struct scale *s)
{
	for (uint32_t i = 0; i <= WORLD_NULLS; i++) {
		struct world_shape shape = {
			.lanes = 1, .batch = BATCH, .bytes = s->bytes, .nulls = i};
		note_number(s, "stages", NULL, i, s->bytes, run_worlds(s, 1, &shape));
	}
}

static void measure_batches(struct scale *s)
{
	static const uint32_t sizes[] = {1, 16, 32, 64, 128, 256};
	for (uint32_t i = 0; i < 6; i++) {
		struct world_shape shape = {
			.lanes = 1, .batch = sizes[i], .bytes = s->bytes, .sessions = 1};
		note_number(s, "batches", NULL, sizes[i], s->bytes, run_worlds(s, 1, &shape));
	}
}

/* ---- output ---- */

static void sum_up(struct scale *s)
{
	for (uint32_t i = 0; i < s->n_rows; i++) {
		struct row *r = &s->rows[i];
		r->median = measure_median(r->pps, r->n, &r->low, &r->high);
	}
}

/* The row that a row is compared with: one lane, one peer, no stage, the smallest batch. */
static const struct row *base_of(const struct scale *s, const struct row *r)
{
	bool lanes = strcmp(r->section, "one_session") == 0 || strcmp(r->section, "apart") == 0;
	const char *section = lanes ? "lanes" : r->section;
	for (uint32_t i = 0; i < s->n_rows; i++)
		if (strcmp(s->rows[i].section, section) == 0 &&
		    (s->rows[i].kind == r->kind || (r->kind != NULL && s->rows[i].kind != NULL &&
						    strcmp(s->rows[i].kind, r->kind) == 0)))
			return &s->rows[i];
	return r;
}

static void print_table(const struct scale *s)
{
	printf("%-12s %-10s %6s %12s %25s %9s %9s %7s\n", "", "", "", "1/s", "quartiles", "ns",
	       "MB/s", "ratio");
	for (uint32_t i = 0; i < s->n_rows; i++) {
		const struct row *r = &s->rows[i];
		printf("%-12s %-10s %6s %12.0f %12.0f %12.0f ", r->section,
		       r->kind != NULL ? r->kind : "", r->name, r->median, r->low, r->high);
		if (r->bytes != 0)
			printf("%9.1f %9.1f", 1e9 / r->median, r->median * r->bytes / 1e6);
		else
			printf("%9s %9s", "", "");
		printf(" %7.2f\n", r->median / base_of(s, r)->median);
	}
}

static void print_row(const struct scale *s, const struct row *r)
{
	printf("\"%s\": {\"pps\": %.0f, \"bps\": %.0f, \"low\": %.0f, \"high\": %.0f, \"ns\": "
	       "%.2f, "
	       "\"ratio\": %.4f}",
	       r->name, r->median, r->median * r->bytes, r->low, r->high, 1e9 / r->median,
	       r->median / base_of(s, r)->median);
}

/* {"lanes": {"1": {...}}, "ceiling": {"cipher": {"1": {...}}}}: bps are bytes in a second. */
static void print_json(const struct scale *s)
{
	static const char *const sections[] = {"lanes", "one_session", "apart",  "ceiling",
					       "peers", "stages",      "batches"};
	printf("{\"bytes\": %u, \"rounds\": %u, \"processors\": %ld", s->bytes, s->rounds,
	       sysconf(_SC_NPROCESSORS_ONLN));
	for (uint32_t k = 0; k < sizeof(sections) / sizeof(sections[0]); k++) {
		bool printed[ROWS_MAX] = {false};
		const char *comma = "";
		printf(",\n\"%s\": {", sections[k]);
		for (uint32_t i = 0; i < s->n_rows; i++) {
			const struct row *r = &s->rows[i];
			if (strcmp(r->section, sections[k]) != 0 || printed[i])
				continue;
			printf("%s\n\t", comma);
			comma = ",";
			if (r->kind == NULL) {
				print_row(s, r);
				continue;
			}
			printf("\"%s\": {", r->kind);
			for (uint32_t j = i; j < s->n_rows; j++) {
				const struct row *other = &s->rows[j];
				if (strcmp(other->section, r->section) != 0 ||
				    other->kind == NULL || strcmp(other->kind, r->kind) != 0)
					continue;
				printf("%s\n\t\t", j != i ? "," : "");
				print_row(s, other);
				printed[j] = true;
			}
			printf("}");
		}
		printf("}");
	}
	printf("}\n");
}

/* ---- */

/* Unless it is told otherwise, it takes the plugins of its own build. */
static void find_plugins(void)
{
	char path[PATH_MAX], plugins[PATH_MAX + 16], real[PATH_MAX];
	ssize_t n = readlink("/proc/self/exe", path, sizeof(path) - 1);
	if (getenv("VPNCORE_PLUGIN_PATH") != NULL || n < 0)
		return;
	path[n] = '\0';
	snprintf(plugins, sizeof(plugins), "%s/../plugins", dirname(path));
	if (realpath(plugins, real) != NULL)
		setenv("VPNCORE_PLUGIN_PATH", real, 1);
}

static bool read_number(int argc, char **argv, int *i, const char *name, uint32_t least,
			uint32_t most, uint32_t *out)
{
	char *end;
	if (strcmp(argv[*i], name) != 0 || *i + 1 >= argc)
		return false;
	unsigned long n = strtoul(argv[*i + 1], &end, 10);
	if (*end != '\0' || n < least || n > most)
		return false;
	*out = (uint32_t)n;
	*i += 1;
	return true;
}

/* Takes out its own arguments and leaves the rest to measure_arguments(). */
static bool read_arguments(struct scale *s, int argc, char **argv)
{
	int left = 1;
	for (int i = 1; i < argc; i++)
		if (!read_number(argc, argv, &i, "--bytes", 48, 1420, &s->bytes) &&
		    !read_number(argc, argv, &i, "--rounds", 1, ROUNDS_MAX, &s->rounds))
			argv[left++] = argv[i];
	return measure_arguments(&s->options, left, argv);
}

int main(int argc, char **argv)
{
	static struct scale s = {.bytes = 1420, .rounds = 9, .window_ns = WINDOW_NS};
	if (!read_arguments(&s, argc, argv)) {
		fprintf(stderr, "usage: bench_scale [--json] [--self-check] [--bytes 48..1420] "
				"[--rounds N] [--only SECTION]\n");
		return 2;
	}
	if (sodium_init() < 0)
		return 1;
	if (s.options.self_check) {
		s.rounds = 1;
		s.window_ns = MOMENT_NS;
	}
	find_plugins();
	log_configure(VPN_LOG_ERROR, false);
	for (uint32_t r = 0; r < s.rounds && !s.failed; r++) {
		if (wants(&s, "lanes"))
			measure_lanes(&s);
		if (wants(&s, "stages"))
			measure_stages(&s);
		if (wants(&s, "batches"))
			measure_batches(&s);
	}
	if (wants(&s, "peers") && !s.failed)
		measure_peers(&s);
	if (s.n_rows == 0) {
		fprintf(stderr, "bench_scale: there is no such section\n");
		return 1;
	}
	sum_up(&s);
	if (s.options.json)
		print_json(&s);
	else if (s.options.self_check)
		printf("%u figures, %s\n", s.n_rows,
		       s.failed ? "some of them wrong" : "all packets right");
	else
		print_table(&s);
	return s.failed ? 1 : 0;
}
