/* SPDX-License-Identifier: BSD-2-Clause */
/* made_tables: our tables of nftables. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "fault.h"
#include "made.h"
#include "nft.h"
#include "ruleset.h"
#include "switch.h"

static vpn_status open_nft(struct routes_run *run)
{
	struct routes *r = run->routes;
	if (r->nft == NULL)
		r->nft = routes_nft_open();
	return r->nft != NULL
		       ? VPN_OK
		       : routes_fault(run->err, VPN_ENOTSUP, 0, NULL,
				      "cannot open nftables: the kernel lacks it, or memory");
}

/* Whether a switch of forwarding was off before, or is about to be switched on. */
static bool is_opened(const struct routes_run *run, const char *path)
{
	const struct routes *r = run->routes;
	const struct routes_switch *set = run->plan->switches.items;
	const struct routes_made_switch *m = r->switches.items;
	char now[ROUTES_SWITCH_VALUE];
	for (uint32_t i = 0; i < r->switches.n; i++)
		if (strcmp(m[i].set.path, path) == 0 && m[i].was_off)
			return true;
	for (uint32_t i = 0; i < run->plan->switches.n; i++)
		if (strcmp(set[i].path, path) == 0)
			return routes_switch_read(path, now) != 0 || strcmp(now, set[i].value) != 0;
	return false;
}

static struct routes_ruleset ruleset_of(const struct routes_run *run)
{
	return (struct routes_ruleset){
		.options = run->routes->options,
		.scene = run->scene,
		.plan = run->plan,
		.pipeline = run->routes->host->pipeline,
		.device = run->scene->device.name,
		.opened4 = is_opened(run, ROUTES_FORWARD4),
		.opened6 = is_opened(run, ROUTES_FORWARD6),
	};
}

static void forget_table(struct routes_made_table *t)
{
	free(t->text);
	free(t->listed);
	*t = (struct routes_made_table){.text = NULL};
}

static vpn_status load(struct routes_run *run, struct routes_made_table *t, const char *name,
		       char *text)
{
	vpn_status status = routes_nft_run(run->routes->nft, text, run->err);
	if (status != VPN_OK) {
		free(text);
		return status;
	}
	struct routes_patience patience = t->patience;
	forget_table(t);
	t->patience = patience;
	t->text = text;
	t->listed = routes_nft_list(run->routes->nft, name);
	return VPN_OK;
}

/* Whether the table is as it was when we had loaded it. */
static bool is_intact(const struct routes *r, const struct routes_made_table *t, const char *name)
{
	char *now = routes_nft_list(r->nft, name);
	bool same = now != NULL && t->listed != NULL && strcmp(now, t->listed) == 0;
	free(now);
	return same;
}

/* Takes `text`. */
static vpn_status keep(struct routes_run *run, struct routes_made_table *t, const char *name,
		       char *text)
{
	struct routes *r = run->routes;
	char what[128];
	bool same = t->text != NULL && strcmp(t->text, text) == 0;
	if (same && is_intact(r, t, name)) {
		free(text);
		return VPN_OK;
	}
	snprintf(what, sizeof(what), "the nftables table %s", name);
	if (same && !routes_made_may_repair(run, &t->patience, what)) {
		free(text);
		return VPN_OK;
	}
	if (same) {
		routes_log(r->host, VPN_LOG_WARN,
			   "the nftables table %s was changed by another program: put back", name);
	}
	return load(run, t, name, text);
}

static vpn_status check_device(struct routes_run *run)
{
	if (routes_ruleset_takes(run->scene->device.name))
		return VPN_OK;
	return routes_fault(run->err, VPN_EINVAL, 0, NULL,
			    "the device's name \"%s\" cannot stand in a rule of nftables: use "
			    "letters, digits and ._-+@ alone",
			    run->scene->device.name);
}

/* One with an owner is not to be made first, as routes_nft_delete() does: without the flag that is refused. */
static vpn_status unload(struct routes_run *run, struct routes_made_table *t, const char *name)
{
	char command[ROUTES_TABLE_NAME + 32];
	if (t->text == NULL)
		return VPN_OK;
	snprintf(command, sizeof(command), "delete table inet %s\n", name);
	vpn_status status = routes_nft_run(run->routes->nft, command, run->err);
	if (status == VPN_OK)
		forget_table(t);
	return status;
}

/* It goes with our process: no record. */
bool routes_made_guard(struct routes_run *run)
{
	struct routes_ruleset ruleset = ruleset_of(run);
	char name[ROUTES_TABLE_NAME];
	char *text = NULL;
	vpn_status status = check_device(run);
	if (status == VPN_OK && !routes_ruleset_guard(&ruleset, &text))
		status = routes_fault(run->err, VPN_ENOMEM, 0, NULL, "out of memory");
	routes_ruleset_guard_name(run->routes->host->pipeline, name);
	if (status == VPN_OK && text != NULL)
		status = open_nft(run);
	if (status == VPN_OK && text != NULL) {
		status = keep(run, &run->routes->guard, name, text);
	} else {
		free(text);
		if (status == VPN_OK)
			status = unload(run, &run->routes->guard, name);
	}
	if (status == VPN_OK)
		run->routes->blocks_dns = run->scene->block_dns;
	return routes_made_goes_on(run, status);
}

/* ---- forwarding ---- */

/* Before the switch is on, and until it is off again: its record is the older one. */
bool routes_made_forward(struct routes_run *run)
{
	struct routes *r = run->routes;
	struct routes_ruleset ruleset = ruleset_of(run);
	struct routes_record record = {.version = ROUTES_RECORD_VERSION, .kind = ROUTES_KIND_TABLE};
	char name[ROUTES_TABLE_NAME];
	char *text = NULL;
	uint64_t id = 0;
	vpn_status status = check_device(run);
	if (status == VPN_OK && !routes_ruleset_forward(&ruleset, &text))
		status = routes_fault(run->err, VPN_ENOMEM, 0, NULL, "out of memory");
	if (status != VPN_OK || text == NULL)
		return routes_made_goes_on(run, status);
	routes_ruleset_forward_name(r->host->pipeline, name);
	memcpy(record.u.table, name, strlen(name)); /* zeroed; the name is shorter */
	status = open_nft(run);
	if (status == VPN_OK && r->forward.text == NULL)
		status = routes_made_note(r, 0, &record, &id, run->err);
	if (status == VPN_OK)
		return routes_made_goes_on(run, keep(run, &r->forward, name, text));
	free(text);
	return routes_made_goes_on(run, status);
}

/* ---- kill switch ---- */

struct search {
	const char *table;
	uint64_t id;
	bool found;
};

static int on_record(void *ctx, uint64_t id, uint32_t flags, const void *data, uint32_t len)
{
	const struct routes_record *record = data;
	struct search *s = ctx;
	if ((flags & VPN_JOURNAL_KEEP) == 0 || len != sizeof(*record) ||
	    record->kind != ROUTES_KIND_TABLE || strcmp(record->u.table, s->table) != 0)
		return 0;
	s->id = id;
	s->found = true;
	return 1;
}

/* A lockdown of an earlier run has its record already; one that is none any more loses it. */
static vpn_status note_lock(struct routes_run *run, const char *name)
{
	struct routes *r = run->routes;
	struct routes_record record = {.version = ROUTES_RECORD_VERSION, .kind = ROUTES_KIND_TABLE};
	struct search search = {.table = name};
	bool keeps = r->options->kill_switch == ROUTES_KILL_LOCKDOWN;
	vpn_status status = VPN_OK;
	uint64_t id = 0;
	memcpy(record.u.table, name, strlen(name)); /* zeroed; the name is shorter */
	r->journal->each(r->journal_inst, on_record, &search);
	if (!search.found || !keeps)
		status = routes_made_note(r, keeps ? VPN_JOURNAL_KEEP : 0, &record, &id, run->err);
	if (status == VPN_OK && search.found && !keeps)
		r->journal->forget(r->journal_inst, search.id);
	return status;
}

/* The lockdown of an earlier run, when the manifest has none now. */
static vpn_status lift(struct routes_run *run, const char *name)
{
	struct routes *r = run->routes;
	struct search search = {.table = name};
	if (!run->first)
		return VPN_OK;
	r->journal->each(r->journal_inst, on_record, &search);
	if (!search.found)
		return VPN_OK;
	routes_log(r->host, VPN_LOG_INFO,
		   "the lockdown of an earlier run ends: the manifest has "
		   "none now");
	return r->journal->undo(r->journal_inst, search.id, run->err);
}

bool routes_made_lock(struct routes_run *run)
{
	struct routes_ruleset ruleset = ruleset_of(run);
	char name[ROUTES_TABLE_NAME];
	char *text = NULL;
	vpn_status status = check_device(run);
	routes_ruleset_lock_name(run->routes->host->pipeline, name);
	if (status == VPN_OK && !routes_ruleset_lock(&ruleset, &text))
		status = routes_fault(run->err, VPN_ENOMEM, 0, NULL, "out of memory");
	if (status == VPN_OK && text == NULL)
		return routes_made_goes_on(run, lift(run, name));
	if (status == VPN_OK)
		status = open_nft(run);
	if (status == VPN_OK && run->routes->lock.text == NULL)
		status = note_lock(run, name);
	if (status == VPN_OK)
		return routes_made_goes_on(run, keep(run, &run->routes->lock, name, text));
	free(text);
	return routes_made_goes_on(run, status);
}
