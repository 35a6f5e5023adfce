/* SPDX-License-Identifier: BSD-2-Clause */
#include "journal_service.h"

#include <stdint.h>
#include <string.h>
#include <unistd.h>

#include "aside.h"
#include "fault.h"
#include "log.h"
#include "pipeline.h"
#include "undo.h"

static void say_undone(const struct undo_result *result)
{
	if (result->n_undone > 0)
		log_printf(VPN_LOG_INFO, "", "undid %u change%s that an earlier run had left",
			   result->n_undone, result->n_undone == 1 ? "" : "s");
}

/* Other instances' remains are nothing that keeps this one from starting. */
static void sweep(const char *key, struct loader *loader, struct undo_result *result)
{
	struct vpn_error err = VPN_ERROR_INIT;
	if (loader != NULL && geteuid() == 0 && undo_all(key, loader, 0, 0, result, &err) != VPN_OK)
		log_printf(VPN_LOG_WARN, "", "what other pipelines may have left is not undone: %s",
			   err.text);
}

/* What is in it may be of a container that was here before, or of another one that shares the folder. */
static vpn_status make_own(struct journal *j, struct vpn_error *err)
{
	uint64_t netns;
	aside_adopt_files(j);
	vpn_status status = aside_put(j, &netns, err);
	if (status != VPN_OK || netns == 0)
		return status;
	log_printf(VPN_LOG_INFO, "",
		   "%s: changes that an earlier run has made in another network namespace are left "
		   "to that, as %.*s@%llu",
		   j->key, (int)strcspn(j->key, "@"), j->key, (unsigned long long)netns);
	aside_forget_oldest(j->key);
	return VPN_OK;
}

static vpn_status open_own(struct journal_service *s, const char *key, struct undo_result *result,
			   struct vpn_error *err)
{
	s->journal = journal_open(key, STATE_ROLE_RUN, UNDO_WAIT_MS, err);
	if (s->journal == NULL)
		return err->status;
	vpn_status status = make_own(s->journal, err);
	if (status == VPN_OK)
		undo_journal(s->journal, s->loader, 0, result);
	else
		s->journal = journal_close(s->journal);
	return status;
}

vpn_status journal_service_begin(struct journal_service *s, const char *pipeline, bool wanted,
				 struct loader *loader, struct vpn_error *err)
{
	char key[STATE_KEY_MAX];
	struct undo_result result = {0};
	*s = (struct journal_service){.loader = loader, .reaper = {.fd = -1}};
	state_dir_key(pipeline, key);
	vpn_status status = wanted ? open_own(s, key, &result, err) : VPN_OK;
	if (status == VPN_OK)
		sweep(wanted ? key : NULL, loader, &result);
	say_undone(&result);
	return status;
}

void journal_service_undo_plans(struct journal_service *s)
{
	struct undo_result result = {0};
	if (s->journal != NULL)
		undo_journal(s->journal, s->loader, UNDO_PLANS, &result);
	s->n_failed += result.n_failed;
}

vpn_status journal_service_end(struct journal_service *s, struct vpn_error *err)
{
	struct undo_result result = {0};
	if (s->journal == NULL)
		return VPN_OK;
	undo_journal(s->journal, s->loader, UNDO_STAGES, &result);
	s->journal = journal_close(s->journal);
	reaper_dismiss(&s->reaper);
	result.n_failed += s->n_failed;
	if (result.n_failed == 0)
		return VPN_OK;
	return fault(err, VPN_EIO, 0,
		     "%u change%s could not be undone; vpncore cleanup tries again",
		     result.n_failed, result.n_failed == 1 ? "" : "s");
}

/* ---- for components ------------------------------------------------------------------------------ */

static struct journal_service *service_of(void *inst)
{
	return &((struct instance *)inst)->pipeline->journal;
}

static bool is_of(const struct journal_entry *e, const struct instance *in)
{
	return e->kind == in->component->kind && strcmp(e->id, in->component->id) == 0;
}

static bool can_undo(const struct vpn_component *c)
{
	return VPN_HAS(c, struct vpn_component, undo) && c->undo != NULL;
}

/* Before the first change: from then on there is something to wait for. */
static void have_reaper(struct journal_service *s)
{
	struct vpn_error err = VPN_ERROR_INIT;
	if (s->asked)
		return;
	s->asked = true;
	if (reaper_start(&s->reaper, s->journal->key, &err) != VPN_OK)
		log_printf(VPN_LOG_WARN, "",
			   "after a crash nobody undoes changes at once, but the next start or "
			   "vpncore "
			   "cleanup: %s%s%s",
			   err.text, err.os_errno != 0 ? ": " : "",
			   err.os_errno != 0 ? strerror(err.os_errno) : "");
}

vpn_status journal_service_add(struct journal_service *s, const struct journal_entry *e,
			       uint64_t *ret_number, struct vpn_error *err)
{
	have_reaper(s);
	return journal_add(s->journal, e, ret_number, err);
}

static vpn_status add(void *inst, uint32_t flags, const void *data, uint32_t len, uint64_t *ret_id,
		      struct vpn_error *err)
{
	const struct instance *in = inst;
	struct journal_service *s = service_of(inst);
	const char *path = in->part->loaded->path;
	if (s->journal == NULL || !can_undo(in->component))
		return fault(err, VPN_ENOTSUP, 0, "%s has no undo() and so no journal",
			     in->component->id);
	if (len > VPN_JOURNAL_BYTES_MAX || (flags >> 16) != 0)
		return fault(err, VPN_EINVAL, 0, "a record has %u bytes, flags 0x%08x", len, flags);
	const struct journal_entry e = {
		.flags = flags & (VPN_JOURNAL_FILES | VPN_JOURNAL_KEEP),
		.kind = in->component->kind,
		.id = (char *)(uintptr_t)in->component->id,
		.path = (char *)(uintptr_t)(path[0] == '/' ? path : ""),
		.data = (void *)(uintptr_t)data,
		.len = len,
	};
	return journal_service_add(s, &e, ret_id, err);
}

static struct journal_entry *own_entry(void *inst, uint64_t id)
{
	struct journal_service *s = service_of(inst);
	struct journal_entry *e = s->journal != NULL ? journal_find(s->journal, id) : NULL;
	return e != NULL && is_of(e, inst) ? e : NULL;
}

static void forget(void *inst, uint64_t id)
{
	if (own_entry(inst, id) != NULL)
		journal_forget(service_of(inst)->journal, id);
}

static vpn_status undo(void *inst, uint64_t id, struct vpn_error *err)
{
	struct journal_service *s = service_of(inst);
	struct journal_entry *e = own_entry(inst, id);
	if (e == NULL)
		return fault(err, VPN_ENOENT, 0, "there is no record %llu", (unsigned long long)id);
	return undo_entry(s->journal, s->loader, e, err);
}

static void each(void *inst,
		 int (*fn)(void *ctx, uint64_t id, uint32_t flags, const void *data, uint32_t len),
		 void *ctx)
{
	struct journal *j = service_of(inst)->journal;
	for (size_t i = 0; j != NULL && i < j->n_entries; i++) {
		const struct journal_entry *e = j->entries[i];
		if (is_of(e, inst) && fn(ctx, e->number, e->flags, e->data, e->len) != 0)
			return;
	}
}

const struct vpn_journal_ext journal_service_ext = {.size = sizeof(journal_service_ext),
						    .add = add,
						    .forget = forget,
						    .undo = undo,
						    .each = each};
