/* SPDX-License-Identifier: BSD-2-Clause */
#include "undo.h"

#include <stdio.h>
#include <string.h>

#include "aside.h"
#include "fault.h"
#include "hooks.h"
#include "host.h"
#include "log.h"

/* The plugin's file as it was, else whatever the search path has now: an update may have moved it. */
static const struct vpn_component *find_component(struct loader *loader,
						  const struct journal_entry *e,
						  struct vpn_error *err)
{
	const struct loaded *found = NULL;
	if (e->path[0] == '/')
		found = loader_find(loader, e->kind, e->id, e->path, err);
	if (found == NULL)
		found = loader_find(loader, e->kind, e->id, NULL, err);
	return found != NULL ? found->component : NULL;
}

/* A command is run once, whatever comes of it. */
static vpn_status undo_hook(struct journal *j, struct journal_entry *e)
{
	struct vpn_error err = VPN_ERROR_INIT;
	if (hooks_undo(e, &err) != VPN_OK)
		log_printf(VPN_LOG_ERROR, "", "%s: %s%s%s", j->key, err.text,
			   err.os_errno != 0 ? ": " : "",
			   err.os_errno != 0 ? strerror(err.os_errno) : "");
	journal_forget(j, e->number);
	return VPN_OK;
}

vpn_status undo_entry(struct journal *j, struct loader *loader, struct journal_entry *e,
		      struct vpn_error *err)
{
	struct vpn_host host;
	if (e->kind == HOOKS_KIND)
		return undo_hook(j, e);
	const struct vpn_component *c = find_component(loader, e, err);
	if (c == NULL)
		return err->status;
	if (!VPN_HAS(c, struct vpn_component, undo) || c->undo == NULL)
		return fault(err, VPN_ENOTSUP, 0, "%s cannot undo what it has changed", e->id);
	host_init_bare(&host, e->id, j->key);
	vpn_status status = c->undo(&host, e->flags, e->data, e->len, err);
	if (status == VPN_OK) {
		journal_forget(j, e->number);
		return VPN_OK;
	}
	if (err->text[0] == '\0')
		fault(err, status, err->os_errno, "undo() failed with status %d and says no more",
		      status);
	err->status = status;
	return status;
}

static void say_failed(const struct journal *j, const struct journal_entry *e,
		       const struct vpn_error *err)
{
	bool os = err->os_errno != 0;
	log_printf(VPN_LOG_ERROR, e->id, "%s: a change cannot be undone: %s%s%s%s", j->key,
		   err->text, os ? " (" : "", os ? strerror(err->os_errno) : "", os ? ")" : "");
}

static bool is_meant(const struct journal_entry *e, uint32_t flags)
{
	bool stage = e->kind == VPN_KIND_DEVICE || e->kind == VPN_KIND_TRANSPORT;
	return (flags & (stage ? UNDO_PLANS : UNDO_STAGES)) == 0;
}

static void undo_one(struct journal *j, struct loader *loader, struct journal_entry *e,
		     uint32_t flags, struct undo_result *result)
{
	struct vpn_error err = VPN_ERROR_INIT;
	if (!is_meant(e, flags))
		return;
	if ((e->flags & VPN_JOURNAL_KEEP) != 0 && (flags & UNDO_KEPT) == 0) {
		result->n_kept++;
	} else if (undo_entry(j, loader, e, &err) == VPN_OK) {
		result->n_undone++;
	} else {
		say_failed(j, e, &err);
		result->n_failed++;
		if ((flags & UNDO_FORGET) != 0)
			journal_forget(j, e->number);
	}
}

/* Forgotten when the user says that the namespace is no more, and what was changed in it neither. */
static void forget_away(struct journal *j, uint64_t number, struct undo_result *result)
{
	result->n_failed++;
	journal_forget(j, number);
}

static void say_away(const struct journal *j, uint32_t flags)
{
	log_printf(
		(flags & UNDO_ASKED) != 0 ? VPN_LOG_WARN : VPN_LOG_INFO, "",
		"%s: was changed in another network namespace and can be undone only there: ip "
		"netns "
		"exec NAME vpncore cleanup; when that is gone, forget it: vpncore cleanup --forget",
		j->key);
}

void undo_journal(struct journal *j, struct loader *loader, uint32_t flags,
		  struct undo_result *result)
{
	/* forgetting a change begins its file anew, as one of this namespace */
	const bool away[STATE_PLACES] = {journal_file_is_elsewhere(j, STATE_RUN),
					 journal_file_is_elsewhere(j, STATE_LIB)};
	bool left = false;
	/* only entries at or behind i go away meanwhile */
	for (size_t i = j->n_entries; i-- > 0;) {
		struct journal_entry *e = j->entries[i];
		if (!away[journal_place_of(e->flags)])
			undo_one(j, loader, e, flags, result);
		else if ((flags & UNDO_FORGET) != 0)
			forget_away(j, e->number, result);
		else
			left = true;
	}
	if (!left)
		return;
	result->n_away++;
	say_away(j, flags);
}

void undo_instance(const char *key, enum state_role role, unsigned wait_ms, struct loader *loader,
		   uint32_t flags, struct undo_result *result)
{
	struct vpn_error err = VPN_ERROR_INIT;
	struct journal *j = journal_open(key, role, wait_ms, &err);
	if (j == NULL && err.status == VPN_EBUSY) {
		result->n_busy++;
		return;
	}
	if (j == NULL) {
		log_printf(VPN_LOG_ERROR, "", "%s: %s%s%s", key, err.text,
			   err.os_errno != 0 ? ": " : "",
			   err.os_errno != 0 ? strerror(err.os_errno) : "");
		result->n_unread++;
		return;
	}
	if ((flags & UNDO_ASKED) != 0)
		aside_adopt_files(j);
	undo_journal(j, loader, flags, result);
	journal_close(j);
}

struct sweep {
	const char *except;
	struct loader *loader;
	uint32_t flags;
	unsigned wait_ms;
	struct undo_result *result;
};

static void sweep_one(void *ctx, const char *key)
{
	struct sweep *s = ctx;
	if (s->except == NULL || strcmp(s->except, key) != 0)
		undo_instance(key, STATE_ROLE_UNDO, s->wait_ms, s->loader, s->flags, s->result);
}

vpn_status undo_all(const char *except, struct loader *loader, uint32_t flags, unsigned wait_ms,
		    struct undo_result *result, struct vpn_error *err)
{
	struct sweep s = {except, loader, flags, wait_ms, result};
	return state_dir_each(sweep_one, &s, err);
}
