/* SPDX-License-Identifier: BSD-2-Clause */
/* vpncore cleanup: undoes what pipelines that are gone have left. */
#include <getopt.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>

#include "aside.h"
#include "commands.h"
#include "fault.h"
#include "hooks.h"
#include "output.h"
#include "undo.h"

struct cleanup {
	struct loader *loader;
	uint32_t flags; /* UNDO_* */
	bool list;
	bool named; /* by the user: one that runs is a failure then */
	bool failed;
};

static const char *plural(unsigned n)
{
	return n == 1 ? "" : "s";
}

/* Pipelines that are said by name are looked for in this network namespace; a whole key is taken too. */
static void key_of(const char *name, char key[STATE_KEY_MAX])
{
	if (strchr(name, '@') != NULL)
		snprintf(key, STATE_KEY_MAX, "%s", name);
	else
		state_dir_key(name, key);
}

static void clean(void *ctx, const char *key)
{
	struct cleanup *c = ctx;
	struct undo_result r = {0};
	undo_instance(key, STATE_ROLE_UNDO, UNDO_WAIT_MS, c->loader, c->flags, &r);
	if (r.n_busy > 0)
		printf("%s: runs, and is left alone\n", key);
	else if (r.n_undone > 0 || r.n_unread + r.n_away == 0)
		printf("%s: %u change%s undone", key, r.n_undone, plural(r.n_undone));
	if (r.n_failed > 0)
		printf(", %u %s", r.n_failed,
		       (c->flags & UNDO_FORGET) != 0 ? "forgotten" : "could not be undone");
	if (r.n_kept > 0)
		printf(", %u to be kept (--all undoes them)", r.n_kept);
	if (r.n_undone > 0 || r.n_busy + r.n_unread + r.n_away == 0)
		putchar('\n');
	c->failed |= r.n_failed + r.n_unread + r.n_away > 0 || (r.n_busy > 0 && c->named);
}

/* "2 changes by routes linux", "on_down is to be run" */
static void print_row(const struct journal_entry *e, size_t n)
{
	if (e->kind == HOOKS_KIND) {
		output_plain(stdout, e->id);
		fputs(" is to be run", stdout);
		return;
	}
	printf("%zu change%s by %s ", n, n == 1 ? "" : "s", loader_kind_name(e->kind));
	output_plain(stdout, e->id);
}

/* Each row of changes of one component is one line. */
static void print_entries(const struct journal *j)
{
	for (size_t i = 0, n; i < j->n_entries; i += n) {
		const struct journal_entry *e = j->entries[i];
		for (n = 1; i + n < j->n_entries && j->entries[i + n]->flags == e->flags &&
			    j->entries[i + n]->kind == e->kind &&
			    strcmp(j->entries[i + n]->id, e->id) == 0;)
			n++;
		printf("%s: ", j->key);
		print_row(e, n);
		printf("%s%s\n", (e->flags & VPN_JOURNAL_FILES) != 0 ? ", of files" : "",
		       (e->flags & VPN_JOURNAL_KEEP) != 0 ? ", to be kept" : "");
	}
}

static void list(void *ctx, const char *key)
{
	struct cleanup *c = ctx;
	struct vpn_error err = VPN_ERROR_INIT;
	struct journal *j = journal_open(key, STATE_ROLE_UNDO, UNDO_WAIT_MS, &err);
	if (j == NULL && err.status == VPN_EBUSY) {
		printf("%s: runs\n", key);
	} else if (j == NULL) {
		output_line(stderr, err.text);
		c->failed = true;
	} else {
		aside_adopt_files(j);
		if (journal_is_elsewhere(j))
			printf("%s: of another network namespace\n", key);
		print_entries(j);
	}
	journal_close(j);
}

static void each_named(struct cleanup *c, int n, char **names)
{
	c->named = true;
	for (int i = 0; i < n; i++) {
		char key[STATE_KEY_MAX];
		key_of(names[i], key);
		if (c->list)
			list(c, key);
		else
			clean(c, key);
	}
}

static int run(struct cleanup *c, int n, char **names)
{
	struct vpn_error err = VPN_ERROR_INIT;
	c->loader = loader_new(&err);
	if (c->loader == NULL) {
		fprintf(stderr, "vpncore: %s\n", err.text);
		return STATUS_FAILED;
	}
	if (n > 0) {
		each_named(c, n, names);
	} else if (state_dir_each(c->list ? list : clean, c, &err) != VPN_OK) {
		fprintf(stderr, "vpncore: %s\n", err.text);
		c->failed = true;
	}
	loader_free(c->loader);
	return c->failed ? STATUS_FAILED : STATUS_OK;
}

int cmd_cleanup(int argc, char **argv)
{
	static const struct option known[] = {
		{"all", no_argument, NULL, 'a'},
		{"forget", no_argument, NULL, 'f'},
		{"list", no_argument, NULL, 'l'},
		{"help", no_argument, NULL, 'h'},
		{NULL, 0, NULL, 0},
	};
	struct cleanup c = {.flags = UNDO_ASKED};
	int o;
	while ((o = getopt_long(argc, argv, ":aflh", known, NULL)) != -1) {
		switch (o) {
		case 'a':
			c.flags |= UNDO_KEPT;
			break;
		case 'f':
			c.flags |= UNDO_FORGET;
			break;
		case 'l':
			c.list = true;
			break;
		case 'h':
			help_print("cleanup");
			return STATUS_OK;
		default:
			return help_refuse_option("cleanup", o, argv, known);
		}
	}
	for (int i = optind; i < argc; i++)
		if (!state_dir_key_is_valid(argv[i]))
			return help_refuse("cleanup", "\"%s\" cannot be the name of a pipeline",
					   argv[i]);
	/* a change is undone as a whole, whoever reads what is said about it */
	signal(SIGPIPE, SIG_IGN);
	signal(SIGXFSZ, SIG_IGN);
	return run(&c, argc - optind, argv + optind);
}
