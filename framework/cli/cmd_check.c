/* SPDX-License-Identifier: BSD-2-Clause */
/* vpncore check: says everything that is wrong with manifests, and changes nothing. */
#include <getopt.h>
#include <stdio.h>
#include <string.h>

#include "catalog.h"
#include "commands.h"
#include "fault.h"
#include "graph.h"
#include "output.h"

/* "FILE: ok: site-a: tuntap-linux, udp; MTU 1420; 1 lane"; "ok on freebsd" for another platform */
static void print_summary(const char *file, const struct graph *g)
{
	const char *platform = loader_platform(g->manifest->loader);
	output_plain(stdout, file);
	printf(": ok%s%s: %s:", platform != NULL ? " on " : "", platform != NULL ? platform : "",
	       g->manifest->name);
	for (size_t i = 0; i < g->n_stages; i++) {
		fputs(i == 0 ? " " : ", ", stdout);
		output_plain(stdout, g->stages[i].part->name);
	}
	printf("; MTU %u; %u lane%s\n", g->mtu, g->n_lanes, g->n_lanes == 1 ? "" : "s");
}

/* "    /dns: takes resolved: 90 of 100: it is in charge", and one "not" line for each other one. */
static void print_choice(const struct manifest_part *part)
{
	char text[512];
	const struct choice *c = &part->choice;
	for (size_t i = 0; i < c->n; i++) {
		choice_text(&c->items[i], text, sizeof(text));
		printf("    %s: %s ", part->pointer, &c->items[i] == c->taken ? "takes" : "not");
		output_plain(stdout, text);
		putchar('\n');
	}
}

/* What "auto" chose, and why. */
static void print_choices(const struct manifest *m)
{
	for (size_t i = 0; i < m->n_stages; i++)
		print_choice(&m->stages[i]);
	print_choice(&m->routes);
	print_choice(&m->dns);
}

enum talk { TALK_QUIET, TALK_NORMAL, TALK_VERBOSE };

/* True when the file is good. */
static bool check_file(struct loader *loader, const char *file, enum talk talk)
{
	struct problems problems;
	struct graph graph;
	problems_init(&problems, file);
	struct manifest *m = manifest_load(file, loader, &problems);
	bool good = m != NULL && graph_build(&graph, m, &problems);
	problems_print(&problems, output_line, stderr);
	if (good && talk != TALK_QUIET)
		print_summary(file, &graph);
	if (good && talk == TALK_VERBOSE)
		print_choices(m);
	manifest_free(m);
	problems_clear(&problems);
	return good;
}

static int check_files(int n, char **files, const char *platform, enum talk talk)
{
	struct vpn_error err = VPN_ERROR_INIT;
	struct loader *loader = loader_new(&err);
	if (loader != NULL && platform != NULL && !loader_set_platform(loader, platform)) {
		fault(&err, VPN_ENOMEM, 0, "out of memory");
		loader = loader_free(loader);
	}
	if (loader == NULL) {
		fprintf(stderr, "vpncore: %s\n", err.text);
		return STATUS_FAILED;
	}
	int status = STATUS_OK;
	for (int i = 0; i < n; i++)
		if (!check_file(loader, files[i], talk))
			status = STATUS_REFUSED;
	loader_free(loader);
	return status;
}

static bool is_platform(const char *name)
{
	for (const char *const *p = catalog_platforms(); *p != NULL; p++)
		if (strcmp(*p, name) == 0)
			return true;
	return false;
}

int cmd_check(int argc, char **argv)
{
	static const struct option known[] = {
		{"platform", required_argument, NULL, 'p'},
		{"quiet", no_argument, NULL, 'q'},
		{"verbose", no_argument, NULL, 'v'},
		{"help", no_argument, NULL, 'h'},
		{NULL, 0, NULL, 0},
	};
	const char *platform = NULL;
	enum talk talk = TALK_NORMAL;
	int c;
	while ((c = getopt_long(argc, argv, ":p:qvh", known, NULL)) != -1) {
		switch (c) {
		case 'p':
			platform = optarg;
			break;
		case 'q':
			talk = TALK_QUIET;
			break;
		case 'v':
			talk = TALK_VERBOSE;
			break;
		case 'h':
			help_print("check");
			return STATUS_OK;
		default:
			return help_refuse_option("check", c, argv, known);
		}
	}
	if (optind == argc)
		return help_refuse("check", "which manifest?");
	if (platform != NULL && !is_platform(platform))
		return help_refuse_word("check", "platform", platform, catalog_platforms());
	if (platform != NULL && strcmp(platform, catalog_host()) == 0)
		platform = NULL;
	return check_files(argc - optind, argv + optind, platform, talk);
}
