/* SPDX-License-Identifier: BSD-2-Clause */
/* vpncore graph: draws the pipeline of a manifest. */
#include <getopt.h>
#include <stdio.h>
#include <string.h>

#include "commands.h"
#include "fault.h"
#include "graph.h"
#include "output.h"

typedef void draw_fn(const struct graph *g, void (*line)(void *ctx, const char *text), void *ctx);

static const char *const format_names[] = {"text", "dot", NULL};
static draw_fn *const formats[] = {graph_text, graph_dot};

static draw_fn *format_find(const char *name)
{
	for (size_t i = 0; format_names[i] != NULL; i++)
		if (strcmp(name, format_names[i]) == 0)
			return formats[i];
	return NULL;
}

static int draw_file(const char *file, draw_fn *draw)
{
	struct vpn_error err = VPN_ERROR_INIT;
	struct problems problems;
	struct graph graph;
	struct loader *loader = loader_new(&err);
	if (loader == NULL) {
		fprintf(stderr, "vpncore: %s\n", err.text);
		return STATUS_FAILED;
	}
	problems_init(&problems, file);
	struct manifest *m = manifest_load(file, loader, &problems);
	bool good = m != NULL && graph_build(&graph, m, &problems);
	problems_print(&problems, output_line, stderr);
	if (good)
		draw(&graph, output_line, stdout);
	manifest_free(m);
	problems_clear(&problems);
	loader_free(loader);
	return good ? STATUS_OK : STATUS_REFUSED;
}

int cmd_graph(int argc, char **argv)
{
	static const struct option known[] = {
		{"format", required_argument, NULL, 'f'},
		{"help", no_argument, NULL, 'h'},
		{NULL, 0, NULL, 0},
	};
	draw_fn *draw = graph_text;
	int c;
	while ((c = getopt_long(argc, argv, ":f:h", known, NULL)) != -1) {
		switch (c) {
		case 'f':
			draw = format_find(optarg);
			if (draw == NULL)
				return help_refuse_word("graph", "format", optarg, format_names);
			break;
		case 'h':
			help_print("graph");
			return STATUS_OK;
		default:
			return help_refuse_option("graph", c, argv, known);
		}
	}
	if (optind + 1 != argc)
		return help_refuse("graph",
				   optind == argc ? "which manifest?" : "give one manifest");
	return draw_file(argv[optind], draw);
}
