/* SPDX-License-Identifier: BSD-2-Clause */
/* vpncore plugin show: describes one component. */
#include <errno.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "commands.h"
#include "describe.h"
#include "fault.h"
#include "output.h"

static const uint32_t kinds[] = {VPN_KIND_DEVICE, VPN_KIND_TRANSPORT, VPN_KIND_ROUTES,
				 VPN_KIND_DNS};
static const char *const kind_names[] = {"device", "transport", "routes", "dns", NULL};

#define N_KINDS (sizeof(kinds) / sizeof(kinds[0]))

struct show {
	const char *id;
	const char *file; /* as given, or NULL to search */
	uint32_t kind;    /* 0 = any */
	bool json;
};

/* Finds it in one plugin file. A file that is refused is so for every kind. */
static int find_in_file(struct loader *l, const struct show *s, const struct loaded **ret)
{
	struct vpn_error err = VPN_ERROR_INIT;
	char *path = realpath(s->file, NULL);
	if (path == NULL) {
		fprintf(stderr, "vpncore: %s: %s\n", s->file, strerror(errno));
		return STATUS_REFUSED;
	}
	for (size_t i = 0; i < N_KINDS && *ret == NULL; i++)
		if (s->kind == 0 || s->kind == kinds[i])
			*ret = loader_find(l, kinds[i], s->id, path, &err);
	free(path);
	if (*ret != NULL)
		return STATUS_OK;
	if (err.status == VPN_ENOENT && s->kind == 0)
		fprintf(stderr, "vpncore: %s has no component \"%s\"\n", s->file, s->id);
	else
		fprintf(stderr, "vpncore: %s\n", err.text);
	return STATUS_REFUSED;
}

/* No such component: the nearest one, and the files that might have had it. */
static int refuse_id(const struct loader *l, const char *id)
{
	size_t n = loader_count(l);
	const char **ids = calloc(n + 1, sizeof(*ids));
	for (size_t i = 0; i < n && ids != NULL; i++)
		ids[i] = loader_at(l, i)->component->id;
	const char *near = ids != NULL ? help_nearest(id, ids) : NULL;
	for (size_t i = 0; i < loader_refused_count(l); i++) {
		const struct refused *r = loader_refused_at(l, i);
		output_plain(stderr, r->path);
		fputs(": refused: ", stderr);
		output_line(stderr, r->text);
	}
	if (near != NULL)
		fprintf(stderr, "vpncore: no plugin has a component \"%s\"; did you mean \"%s\"?\n",
			id, near);
	else
		fprintf(stderr,
			"vpncore: no plugin has a component \"%s\"; see 'vpncore plugin list'\n",
			id);
	free(ids);
	return STATUS_REFUSED;
}

static int find_in_path(struct loader *l, const struct show *s, const struct loaded **ret)
{
	loader_scan(l);
	for (size_t i = 0; i < loader_count(l); i++) {
		const struct loaded *c = loader_at(l, i);
		if (strcmp(c->component->id, s->id) != 0)
			continue;
		if (s->kind != 0 && s->kind != c->component->kind)
			continue;
		if (*ret != NULL && (*ret)->component->kind != c->component->kind)
			return help_refuse("plugin show",
					   "\"%s\" is a %s and a %s: say which with --kind", s->id,
					   loader_kind_name((*ret)->component->kind),
					   loader_kind_name(c->component->kind));
		if (*ret == NULL)
			*ret = c;
	}
	return *ret != NULL ? STATUS_OK : refuse_id(l, s->id);
}

static int show(const struct show *s)
{
	struct vpn_error err = VPN_ERROR_INIT;
	const struct loaded *found = NULL;
	struct loader *l = loader_new(&err);
	if (l == NULL) {
		fprintf(stderr, "vpncore: %s\n", err.text);
		return STATUS_FAILED;
	}
	int status = s->file != NULL ? find_in_file(l, s, &found) : find_in_path(l, s, &found);
	if (status == STATUS_OK && s->json)
		status = output_json(describe_json(found)) ? STATUS_OK : STATUS_FAILED;
	else if (status == STATUS_OK)
		describe_text(found);
	loader_free(l);
	return status;
}

static uint32_t kind_of(const char *name)
{
	for (size_t i = 0; i < N_KINDS; i++)
		if (strcmp(name, kind_names[i]) == 0)
			return kinds[i];
	return 0;
}

int cmd_plugin_show(int argc, char **argv)
{
	static const struct option known[] = {
		{"kind", required_argument, NULL, 'k'},
		{"plugin", required_argument, NULL, 'p'},
		{"json", no_argument, NULL, 'j'},
		{"help", no_argument, NULL, 'h'},
		{NULL, 0, NULL, 0},
	};
	struct show s = {0};
	int c;
	while ((c = getopt_long(argc, argv, ":k:p:jh", known, NULL)) != -1) {
		switch (c) {
		case 'k':
			s.kind = kind_of(optarg);
			if (s.kind == 0)
				return help_refuse_word("plugin show", "kind", optarg, kind_names);
			break;
		case 'p':
			s.file = optarg;
			break;
		case 'j':
			s.json = true;
			break;
		case 'h':
			help_print("plugin show");
			return STATUS_OK;
		default:
			return help_refuse_option("plugin show", c, argv, known);
		}
	}
	if (optind + 1 != argc)
		return help_refuse("plugin show",
				   optind == argc ? "which component?" : "give one component");
	s.id = argv[optind];
	return show(&s);
}
