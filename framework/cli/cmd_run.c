/* SPDX-License-Identifier: BSD-2-Clause */
/* vpncore run: brings the pipeline of a manifest up and serves it. */
#include <getopt.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>

#include "commands.h"
#include "fault.h"
#include "graph.h"
#include "help.h"
#include "log.h"
#include "serve.h"

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
	/* a limit of files' sizes is an error like others */
	signal(SIGXFSZ, SIG_IGN);
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
		result = serve_graph(&graph, NULL);
	}
	manifest_free(m);
	problems_clear(&problems);
	loader_free(loader);
	return result;
}
