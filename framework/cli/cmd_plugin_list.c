/* SPDX-License-Identifier: BSD-2-Clause */
/* vpncore plugin list: the components that can be used, and the files that were refused. */
#include <getopt.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "commands.h"
#include "fault.h"
#include "loader.h"
#include "output.h"

enum column { KIND, ID, VERSION, PATH, N_COLUMNS };

static const char *cell(const struct loaded *c, enum column column)
{
	switch (column) {
	case KIND:
		return loader_kind_name(c->component->kind);
	case ID:
		return c->component->id;
	case VERSION:
		return c->plugin->version != NULL ? c->plugin->version : "-";
	default:
		return c->path;
	}
}

/* By kind, then id: the order of directories says nothing. */
static int compare(const void *a, const void *b)
{
	const struct loaded *left = *(const struct loaded *const *)a;
	const struct loaded *right = *(const struct loaded *const *)b;
	if (left->component->kind != right->component->kind)
		return left->component->kind < right->component->kind ? -1 : 1;
	int order = strcmp(left->component->id, right->component->id);
	return order != 0 ? order : strcmp(left->path, right->path);
}

/* All components of the loader, sorted; NULL without memory. The caller frees the array. */
static const struct loaded **sorted(const struct loader *l, size_t *ret_n)
{
	size_t n = loader_count(l);
	const struct loaded **all = calloc(n + 1, sizeof(struct loaded *));
	if (all == NULL)
		return NULL;
	for (size_t i = 0; i < n; i++)
		all[i] = loader_at(l, i);
	qsort(all, n, sizeof(struct loaded *), compare);
	*ret_n = n;
	return all;
}

static void put_cell(const char *text, int width, bool last)
{
	output_plain(stdout, text);
	if (last)
		putchar('\n');
	else
		printf("%*s", width - (int)strlen(text) + 2, "");
}

/* A line for each, with a heading; on a terminal without the path, which gets a line of its own. */
static void print_table(const struct loaded *const *all, size_t n, bool terminal)
{
	static const char *const heading[N_COLUMNS] = {"KIND", "ID", "VERSION", "PATH"};
	int width[N_COLUMNS];
	int n_padded = terminal ? PATH : N_COLUMNS;
	for (int k = 0; k < N_COLUMNS; k++) {
		width[k] = (int)strlen(heading[k]);
		for (size_t i = 0; i < n; i++)
			if ((int)strlen(cell(all[i], (enum column)k)) > width[k])
				width[k] = (int)strlen(cell(all[i], (enum column)k));
	}
	for (int k = 0; k < n_padded; k++)
		put_cell(heading[k], width[k], false);
	put_cell("SUMMARY", 0, true);
	for (size_t i = 0; i < n; i++) {
		for (int k = 0; k < n_padded; k++)
			put_cell(cell(all[i], (enum column)k), width[k], false);
		put_cell(all[i]->component->summary, 0, true);
		if (terminal) {
			printf("%*s", width[KIND] + 2, "");
			put_cell(all[i]->path, 0, true);
		}
	}
}

static void print_refused(const struct loader *l)
{
	for (size_t i = 0; i < loader_refused_count(l); i++) {
		const struct refused *r = loader_refused_at(l, i);
		output_plain(stderr, r->path);
		fputs(": refused: ", stderr);
		output_line(stderr, r->text);
	}
}

static json_t *component_json(const struct loaded *c)
{
	return json_pack("{s:s, s:o, s:o, s:o, s:o}", "kind", loader_kind_name(c->component->kind),
			 "id", output_json_string(c->component->id), "version",
			 output_json_string(c->plugin->version), "path",
			 output_json_string(c->path), "summary",
			 output_json_string(c->component->summary));
}

static bool print_json(const struct loader *l, const struct loaded *const *all, size_t n)
{
	json_t *components = json_array();
	json_t *refused = json_array();
	int failed = 0;
	for (size_t i = 0; i < n; i++)
		failed |= json_array_append_new(components, component_json(all[i]));
	for (size_t i = 0; i < loader_refused_count(l); i++) {
		const struct refused *r = loader_refused_at(l, i);
		failed |= json_array_append_new(
			refused, json_pack("{s:o, s:o}", "path", output_json_string(r->path),
					   "reason", output_json_string(r->text)));
	}
	json_t *all_json = json_pack("{s:o, s:o}", "components", components, "refused", refused);
	if (failed != 0) {
		json_decref(all_json);
		all_json = NULL;
	}
	return output_json(all_json);
}

static int list(bool json)
{
	struct vpn_error err = VPN_ERROR_INIT;
	struct loader *l = loader_new(&err);
	if (l == NULL) {
		fprintf(stderr, "vpncore: %s\n", err.text);
		return STATUS_FAILED;
	}
	loader_scan(l);
	size_t n = 0;
	int status = STATUS_OK;
	const struct loaded **all = sorted(l, &n);
	if (all == NULL) {
		fputs("vpncore: out of memory\n", stderr);
		status = STATUS_FAILED;
	} else if (json) {
		status = print_json(l, all, n) ? STATUS_OK : STATUS_FAILED;
	} else {
		print_table(all, n, isatty(STDOUT_FILENO) == 1);
		print_refused(l);
	}
	free(all);
	loader_free(l);
	return status;
}

int cmd_plugin_list(int argc, char **argv)
{
	static const struct option known[] = {
		{"json", no_argument, NULL, 'j'},
		{"help", no_argument, NULL, 'h'},
		{NULL, 0, NULL, 0},
	};
	bool json = false;
	int c;
	while ((c = getopt_long(argc, argv, ":jh", known, NULL)) != -1) {
		switch (c) {
		case 'j':
			json = true;
			break;
		case 'h':
			help_print("plugin list");
			return STATUS_OK;
		default:
			return help_refuse_option("plugin list", c, argv, known);
		}
	}
	if (optind != argc)
		return help_refuse("plugin list", "unexpected argument \"%s\"", argv[optind]);
	return list(json);
}
