/* SPDX-License-Identifier: BSD-2-Clause */
/* vpncore run: brings a pipeline up, serves signals, takes it down. */
#include <getopt.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <uv.h>

#include "commands.h"
#include "fault.h"
#include "graph.h"
#include "help.h"
#include "log.h"
#include "notify.h"
#include "pipeline.h"

struct run {
	uv_loop_t loop;
	uv_async_t failed;
	uv_signal_t term, intr, hup, usr1;
	struct pipeline *pipeline;
	bool ended;
};

struct run_options {
	const char *file;
	int level; /* -1 = as the manifest says */
	int json;
};

static void say(void *ctx, const char *text)
{
	(void)ctx;
	fprintf(stderr, "%s\n", text);
}

static void say_counters(void *ctx, const char *text)
{
	(void)ctx;
	log_plain(text);
}

static void show_counters(struct run *r)
{
	pipeline_counters(r->pipeline, say_counters, NULL);
}

static void on_stop(uv_signal_t *signal, int number)
{
	struct run *r = signal->data;
	log_printf(VPN_LOG_INFO, "", "%s: stopping", number == SIGINT ? "SIGINT" : "SIGTERM");
	r->ended = true;
	uv_stop(&r->loop);
}

static void on_usr1(uv_signal_t *signal, int number)
{
	(void)number;
	show_counters(signal->data);
}

static void on_hup(uv_signal_t *signal, int number)
{
	(void)signal;
	(void)number;
	log_text(VPN_LOG_WARN, "",
		 "SIGHUP: no component here can reload; restart to apply a changed manifest");
}

static void on_failed_async(uv_async_t *async)
{
	struct run *r = async->data;
	r->ended = true;
	uv_stop(&r->loop);
}

static void on_failed(void *ctx)
{
	struct run *r = ctx;
	uv_async_send(&r->failed);
}

static int loop_init(struct run *r)
{
	const struct {
		uv_signal_t *handle;
		uv_signal_cb cb;
		int number;
	} signals[] = {
		{&r->term, on_stop, SIGTERM},
		{&r->intr, on_stop, SIGINT},
		{&r->hup, on_hup, SIGHUP},
		{&r->usr1, on_usr1, SIGUSR1},
	};
	int e = uv_loop_init(&r->loop);
	if (e != 0)
		return e;
	e = uv_async_init(&r->loop, &r->failed, on_failed_async);
	r->failed.data = r;
	for (size_t i = 0; i < sizeof(signals) / sizeof(signals[0]) && e == 0; i++) {
		uv_signal_init(&r->loop, signals[i].handle);
		signals[i].handle->data = r;
		e = uv_signal_start(signals[i].handle, signals[i].cb, signals[i].number);
	}
	return e;
}

static void close_handle(uv_handle_t *handle, void *arg)
{
	(void)arg;
	uv_close(handle, NULL);
}

static void loop_clear(struct run *r)
{
	uv_walk(&r->loop, close_handle, NULL);
	uv_run(&r->loop, UV_RUN_DEFAULT);
	uv_loop_close(&r->loop);
}

static void say_error(const char *name, const struct vpn_error *err)
{
	if (err->os_errno != 0)
		log_printf(VPN_LOG_ERROR, name, "%s (%s)", err->text, strerror(err->os_errno));
	else
		log_text(VPN_LOG_ERROR, name, err->text);
}

static void announce(const struct graph *g)
{
	char state[256];
	log_printf(VPN_LOG_INFO, "", "pipeline %s is up: MTU %u, %u lane%s", g->manifest->name,
		   g->mtu, g->n_lanes, g->n_lanes == 1 ? "" : "s");
	snprintf(state, sizeof(state), "READY=1\nSTATUS=pipeline %.128s is up", g->manifest->name);
	int e = notify_send(state);
	if (e < 0)
		log_printf(VPN_LOG_WARN, "", "cannot tell the service manager: %s", strerror(-e));
}

/* Runs until a signal or a failure. Returns the exit status. */
static int serve(struct run *r, const struct graph *g)
{
	struct vpn_error err = VPN_ERROR_INIT;
	vpn_status status = pipeline_start(r->pipeline, &err);
	if (status != VPN_OK) {
		say_error(g->manifest->name, &err);
		return 1;
	}
	announce(g);
	while (!r->ended)
		uv_run(&r->loop, UV_RUN_DEFAULT);
	(void)notify_send("STOPPING=1");
	int result = pipeline_error(r->pipeline, &err) ? 1 : 0;
	if (pipeline_stop(r->pipeline, &err) != VPN_OK) {
		say_error(g->manifest->name, &err);
		result = 1;
	}
	if (log_level() >= VPN_LOG_INFO)
		show_counters(r);
	return result;
}

static int run_graph(const struct graph *g)
{
	struct run r = {0};
	struct vpn_error err = VPN_ERROR_INIT;
	const struct pipeline_events events = {.failed = on_failed, .ctx = &r};
	int e = loop_init(&r);
	if (e != 0) {
		fprintf(stderr, "vpncore: cannot make an event loop: %s\n", uv_strerror(e));
		return 1;
	}
	int result = 1;
	bool lookups_left = false;
	r.pipeline = pipeline_new(g, &events, &err);
	if (r.pipeline == NULL)
		say_error(g->manifest->name, &err);
	else
		result = serve(&r, g);
	pipeline_free(r.pipeline, &lookups_left);
	loop_clear(&r);
	if (lookups_left) {
		/* the resolver's thread waits for a name server; leaving by exit() would wait with it */
		fflush(NULL);
		_exit(result);
	}
	return result;
}

static const char *const level_names[] = {"error", "warn", "info", "debug", NULL};
static const char *const format_names[] = {"text", "json", NULL};

/* Index of a word in a NULL-terminated list, or -1. */
static int find(const char *const *names, const char *word)
{
	for (int i = 0; names[i] != NULL; i++)
		if (strcmp(names[i], word) == 0)
			return i;
	return -1;
}

/* Returns 0 to go on, else the exit status + 1. */
static int parse_options(int argc, char **argv, struct run_options *o)
{
	static const struct option longopts[] = {
		{"log-level", required_argument, NULL, 'l'},
		{"log-format", required_argument, NULL, 'f'},
		{"help", no_argument, NULL, 'h'},
		{NULL, 0, NULL, 0},
	};
	int c;
	while ((c = getopt_long(argc, argv, ":l:f:h", longopts, NULL)) != -1) {
		switch (c) {
		case 'l':
			o->level = find(level_names, optarg);
			if (o->level < 0)
				return help_refuse_word("run", "log level", optarg, level_names) +
				       1;
			break;
		case 'f':
			o->json = find(format_names, optarg);
			if (o->json < 0)
				return help_refuse_word("run", "log format", optarg, format_names) +
				       1;
			break;
		case 'h':
			help_print("run");
			return 1;
		default:
			return help_refuse_option("run", c, argv, longopts) + 1;
		}
	}
	if (optind + 1 != argc)
		return help_refuse("run", "give one manifest") + 1;
	o->file = argv[optind];
	return 0;
}

int cmd_run(int argc, char **argv)
{
	struct run_options o = {.level = -1, .json = -1};
	struct vpn_error err = VPN_ERROR_INIT;
	int stop = parse_options(argc, argv, &o);
	if (stop != 0)
		return stop - 1;
	/* whoever reads our log may go away; the tunnel stays */
	signal(SIGPIPE, SIG_IGN);
	struct loader *loader = loader_new(&err);
	if (loader == NULL) {
		fprintf(stderr, "vpncore: %s\n", err.text);
		return 1;
	}
	struct problems problems;
	struct graph graph;
	int result = 2;
	problems_init(&problems, o.file);
	struct manifest *m = manifest_load(o.file, loader, &problems);
	bool good = m != NULL && graph_build(&graph, m, &problems);
	problems_print(&problems, say, NULL);
	if (good) {
		log_configure(o.level >= 0 ? (uint32_t)o.level : m->log_level,
			      o.json >= 0 ? o.json == 1 : m->log_json);
		result = run_graph(&graph);
	}
	manifest_free(m);
	problems_clear(&problems);
	loader_free(loader);
	return result;
}
