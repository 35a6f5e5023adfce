/* SPDX-License-Identifier: BSD-2-Clause */
#include "record.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/fault.h"
#include "place.h"
#include "system.h"

#define OUTLIVE_MS 3000u /* for the process of a main one that has died */
#define LIMIT_MS   5000u /* for one run of the program: undo() takes a few seconds at most */

void resolvconf_record_make(struct resolvconf_record *r, const struct resolvconf_program *p,
			    const char *key, const struct resolvconf_child *child)
{
	r->version = RESOLVCONF_RECORD_VERSION;
	r->kind = p->kind;
	r->pid = child->pid;
	r->started = child->started;
	snprintf(r->program, sizeof(r->program), "%s", p->path);
	snprintf(r->key, sizeof(r->key), "%s", key);
}

uint32_t resolvconf_record_len(const struct resolvconf_record *r)
{
	return (uint32_t)offsetof(struct resolvconf_record, text) + r->text_len;
}

/* ---- undoing ---- */

struct undoing {
	const struct vpn_host *host;
	const struct resolvconf_record *record;
	struct resolvconf_program program;
	struct dns_resolv given; /* what we gave */
};

/* Whether there is nothing left of it, in spite of a status that is not 0: of all that resolvconf runs
 * when something changes, only resolv.conf is ours. */
static bool is_gone(const struct undoing *u)
{
	struct dns_resolv now;
	bool there = true;
	vpn_status status = resolvconf_key_read(&u->program, u->record->key, &now, &there, NULL);
	dns_resolv_clear(&now);
	return status == VPN_OK && !there && !resolvconf_system_asks(&u->given);
}

static vpn_status call(const struct undoing *u, const char *first, const char *second,
		       const char *third, struct vpn_error *err)
{
	char words[128];
	struct resolvconf_child c;
	const char *const argv[] = {u->program.path, first, second, third, NULL};
	vpn_status status = resolvconf_child_once(&c, argv, LIMIT_MS, err);
	if (status == VPN_OK && c.status != 0 && is_gone(u))
		dns_log(u->host, VPN_LOG_WARN,
			"our servers are out of resolvconf, but it ended with status %d: %s",
			c.status, resolvconf_child_words(&c, words));
	else if (status == VPN_OK)
		status = resolvconf_child_judge(&c, err);
	resolvconf_child_close(&c);
	return status;
}

/* openresolv deletes what belongs to a key one after the other: with -f also the rest, when somebody
 * who did that was killed. */
static vpn_status delete_key(const struct undoing *u, struct vpn_error *err)
{
	const char *key = u->record->key;
	return u->program.kind == RESOLVCONF_OPENRESOLV ? call(u, "-f", "-d", key, err)
							: call(u, "-d", key, NULL, err);
}

/* The key is gone: so is its trace in resolv.conf, unless whoever deleted it was killed before that. */
static vpn_status delete_rest(const struct undoing *u, struct vpn_error *err)
{
	vpn_status status = VPN_OK;
	if (u->program.kind == RESOLVCONF_OPENRESOLV)
		status = delete_key(u, err);
	if (status == VPN_OK && resolvconf_system_asks(&u->given))
		status = call(u, "-u", NULL, NULL, err);
	return status;
}

/* The program cannot be run any more: there is nothing to undo when what it keeps has gone with it. */
static vpn_status without_program(const struct undoing *u, const struct vpn_error *why,
				  struct vpn_error *err)
{
	char path[RESOLVCONF_PLACE_MAX];
	bool there = resolvconf_system_asks(&u->given);
	for (size_t i = 0; !there && i < RESOLVCONF_PLACES; i++)
		there = resolvconf_place(i, u->program.kind, u->record->key, path) &&
			resolvconf_system_has(path);
	if (!there)
		return VPN_OK;
	return dns_fault(err, why->status, why->os_errno, NULL,
			 "our name servers cannot be taken from resolvconf: %.100s. Install it "
			 "again, and run `vpncore cleanup`; or mend /etc/resolv.conf by hand",
			 why->text);
}

static vpn_status undo(struct undoing *u, struct vpn_error *err)
{
	struct vpn_error why = {.size = sizeof(why)};
	struct dns_resolv now;
	bool there = false;
	if (resolvconf_program_check(u->program.path, NULL, &why) != VPN_OK)
		return without_program(u, &why, err);
	vpn_status status = resolvconf_key_read(&u->program, u->record->key, &now, &there, err);
	bool ours = there && resolvconf_key_same(&now, &u->given);
	dns_resolv_clear(&now);
	if (status != VPN_OK)
		return status;
	if (!there)
		return delete_rest(u, err);
	if (ours)
		return delete_key(u, err);
	dns_log(u->host, VPN_LOG_INFO, "what resolvconf has as %s is not of our making: it stays",
		u->record->key);
	return VPN_OK;
}

static bool is_sound(const struct resolvconf_record *r)
{
	return r->version == RESOLVCONF_RECORD_VERSION &&
	       (r->kind == RESOLVCONF_OPENRESOLV || r->kind == RESOLVCONF_DEBIAN) &&
	       memchr(r->program, '\0', sizeof(r->program)) != NULL && r->program[0] == '/' &&
	       memchr(r->key, '\0', sizeof(r->key)) != NULL && resolvconf_key_is_sound(r->key);
}

/* A copy that is sound, to be freed. */
static vpn_status take(const void *data, uint32_t len, struct resolvconf_record **ret,
		       struct vpn_error *err)
{
	const size_t head = offsetof(struct resolvconf_record, text);
	struct resolvconf_record *r = calloc(1, sizeof(*r));
	*ret = r;
	if (r == NULL)
		return dns_fault(err, VPN_ENOMEM, 0, NULL, "out of memory");
	if (len >= head && len <= sizeof(*r)) {
		memcpy(r, data, len);
		if (len - head == r->text_len && is_sound(r))
			return VPN_OK;
	}
	return dns_fault(err, VPN_EINVAL, 0, NULL,
			 "this record makes no sense here (%u bytes, version %u): another version "
			 "of the plugin for resolvconf wrote it",
			 len, r->version);
}

vpn_status resolvconf_record_undo(const struct vpn_host *host, uint32_t flags, const void *data,
				  uint32_t len, struct vpn_error *err)
{
	struct resolvconf_record *r;
	struct undoing u = {.host = host};
	(void)flags;
	vpn_status status = take(data, len, &r, err);
	if (status == VPN_OK && dns_resolv_parse(r->text, r->text_len, &u.given) != 0)
		status = dns_fault(err, VPN_ENOMEM, 0, NULL, "out of memory");
	if (status == VPN_OK) {
		u.record = r;
		u.program.kind = (enum resolvconf_kind)r->kind;
		memcpy(u.program.path, r->program, sizeof(u.program.path));
		/* what the dead one began goes on without it, and comes to its end before we look */
		resolvconf_child_outlive(r->pid, r->started, OUTLIVE_MS);
		status = undo(&u, err);
	}
	dns_resolv_clear(&u.given);
	free(r);
	return status;
}
