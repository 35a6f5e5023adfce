/* SPDX-License-Identifier: BSD-2-Clause */
/* resolvconf: the dns component for machines whose names are in the hands of resolvconf(8). */
#include "resolvconf.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "child.h"
#include "common/fault.h"
#include "common/fit.h"
#include "record.h"
#include "split.h"
#include "system.h"
#include "watch.h"

#ifndef VPNCORE_VERSION
#define VPNCORE_VERSION "0.1.0"
#endif

/* Ten repairs in a minute, then it is a fight that we do not fight. */
#define SETTLE_MS 300u
#define REPAIRS   10u
#define WINDOW_MS 60000u

#define PROBE_MS 900u

/* ---- giving ---- */

/* openresolv: the metric comes before those of network cards; exclusive (-x) leaves the servers of all
 * others out; private (-p) is for the domains alone, a second one (since 3.16, nothing before) keeps
 * these from being searched. */
static void make_words(const struct resolvconf *r, const char *argv[8])
{
	size_t n = 0;
	argv[n++] = r->program.path;
	argv[n++] = "-a";
	argv[n++] = r->key;
	if (r->program.kind == RESOLVCONF_OPENRESOLV) {
		argv[n++] = "-m";
		argv[n++] = "0";
		argv[n++] = r->split ? "-p" : "-x";
		if (r->split && r->dns.options->search.count == 0)
			argv[n++] = "-p";
	}
	argv[n] = NULL;
}

/* A new record takes the place of the one before only when both have been true. */
static vpn_status note(struct resolvconf *r, const struct resolvconf_child *child,
		       struct vpn_error *err)
{
	uint64_t id = 0;
	struct resolvconf_record *record = calloc(1, sizeof(*record));
	if (record == NULL)
		return dns_fault(err, VPN_ENOMEM, 0, NULL, "out of memory");
	resolvconf_record_make(record, &r->program, r->key, child);
	record->text_len = (uint32_t)strlen(r->text);
	memcpy(record->text, r->text, record->text_len);
	vpn_status status = dns_note(&r->dns, 0, record, resolvconf_record_len(record), &id, err);
	free(record);
	if (status != VPN_OK)
		return status;
	if (r->has_record)
		r->dns.journal->forget(r->dns.journal_inst, r->record);
	r->record = id;
	r->has_record = true;
	return VPN_OK;
}

static vpn_status verify(struct resolvconf *r, const struct resolvconf_child *child,
			 struct vpn_error *err)
{
	char words[128];
	vpn_status status = r->split ? resolvconf_split_verify(r->dns.options, err)
				     : resolvconf_system_verify(r->dns.host, &r->program, child,
								r->dns.options, err);
	if (status == VPN_OK && child->status != 0)
		dns_log(r->dns.host, VPN_LOG_WARN,
			"resolvconf has our servers, but it ended with status %d: %s",
			child->status, resolvconf_child_words(child, words));
	return status;
}

static vpn_status give(struct resolvconf *r, struct vpn_error *err)
{
	const char *argv[8];
	struct resolvconf_child child;
	make_words(r, argv);
	vpn_status status = resolvconf_child_open(&child, argv, r->text, err);
	/* the process waits, so that the record can say which one it is */
	if (status == VPN_OK)
		status = note(r, &child, err);
	if (status == VPN_OK)
		status = resolvconf_child_run(&child, RESOLVCONF_LIMIT_MS, err);
	if (status == VPN_OK)
		status = verify(r, &child, err);
	resolvconf_child_close(&child);
	return status;
}

/* ---- the backend ---- */

static vpn_status backend_open(struct dns *d, struct vpn_error *err)
{
	struct resolvconf *r = (struct resolvconf *)d;
	const struct resolvconf_options *o = (const struct resolvconf_options *)d->options;
	vpn_status status = resolvconf_program_find(o->command, RESOLVCONF_LIMIT_MS, &r->program,
						    err);
	r->split = !dns_options_is_everything(d->options);
	if (status == VPN_OK)
		status = resolvconf_system_fits(err);
	if (status == VPN_OK && r->split)
		status = resolvconf_split_check(&r->program, RESOLVCONF_LIMIT_MS, err);
	return status;
}

static void backend_close(struct dns *d)
{
	struct resolvconf *r = (struct resolvconf *)d;
	resolvconf_watch_close(r);
	dns_resolv_clear(&r->given);
}

static vpn_status prepare(struct resolvconf *r, struct vpn_error *err)
{
	bool sorted = false;
	char *order = resolvconf_key_order();
	vpn_status status = resolvconf_key_make(r->program.kind, r->dns.device.name, order, r->key,
						&sorted, err);
	free(order);
	if (status != VPN_OK)
		return status;
	if (!sorted)
		dns_log(r->dns.host, VPN_LOG_WARN,
			"/etc/resolvconf/interface-order has no line such as \"tun*\": the servers "
			"of others may come before ours");
	resolvconf_key_text(r->dns.options, r->split, r->text);
	if (dns_resolv_parse(r->text, strlen(r->text), &r->given) != 0)
		return dns_fault(err, VPN_ENOMEM, 0, NULL, "out of memory");
	return VPN_OK;
}

static vpn_status check_free(const struct resolvconf *r, struct vpn_error *err)
{
	struct dns_resolv now;
	bool there = false;
	vpn_status status = resolvconf_key_read(&r->program, r->key, &now, &there, err);
	if (status == VPN_OK && there && !resolvconf_key_same(&now, &r->given))
		status = dns_fault(err, VPN_EBUSY, 0, NULL,
				   "resolvconf has something of another program as \"%s\": "
				   "`resolvconf -d %s` removes it",
				   r->key, r->key);
	dns_resolv_clear(&now);
	return status;
}

static void say_limits(const struct resolvconf *r)
{
	const struct dns_options *o = r->dns.options;
	dns_log(r->dns.host, VPN_LOG_INFO, "%s has our servers as %s", r->program.version, r->key);
	if (r->program.kind == RESOLVCONF_DEBIAN && !o->block_outside)
		dns_log(r->dns.host, VPN_LOG_WARN,
			"Debian's resolvconf keeps the machine's other servers behind ours, and "
			"they "
			"are asked when ours do not answer: \"block_outside\": true prevents that");
	if (!r->split && o->servers.count > DNS_RESOLV_SERVERS_MAX)
		dns_log(r->dns.host, VPN_LOG_WARN,
			"of %u servers programs ask the first %u (resolv.conf(5))",
			o->servers.count, DNS_RESOLV_SERVERS_MAX);
}

static vpn_status backend_set(struct dns *d, struct vpn_error *err)
{
	struct resolvconf *r = (struct resolvconf *)d;
	vpn_status status = prepare(r, err);
	if (status == VPN_OK)
		status = check_free(r, err);
	if (status == VPN_OK)
		status = give(r, err);
	if (status == VPN_OK)
		status = resolvconf_watch_open(r, err);
	if (status == VPN_OK)
		say_limits(r);
	return status;
}

/* At once: the servers are ours to ask only as long as the routes lead to them. */
static vpn_status backend_unset(struct dns *d, struct vpn_error *err)
{
	struct resolvconf *r = (struct resolvconf *)d;
	resolvconf_watch_close(r);
	if (!r->has_record)
		return VPN_OK;
	r->has_record = false;
	return d->journal->undo(d->journal_inst, r->record, err);
}

static int32_t backend_repair(struct dns *d, struct vpn_error *err)
{
	struct resolvconf *r = (struct resolvconf *)d;
	struct dns_resolv now;
	bool there = false;
	vpn_status status = resolvconf_key_read(&r->program, r->key, &now, &there, err);
	bool same = there && resolvconf_key_same(&now, &r->given);
	dns_resolv_clear(&now);
	if (status == VPN_OK && !same) {
		dns_log(d->host, VPN_LOG_WARN,
			"another program %s our servers in resolvconf: they are given again",
			there ? "changed" : "deleted");
		status = give(r, err);
	}
	resolvconf_watch_follow(r);
	return status != VPN_OK ? status : !same;
}

static const struct dns_backend backend = {
	.size = sizeof(struct resolvconf),
	.open = backend_open,
	.close = backend_close,
	.set = backend_set,
	.unset = backend_unset,
	.repair = backend_repair,
	.settle_ms = SETTLE_MS,
	.most = REPAIRS,
	.window_ms = WINDOW_MS,
	.fight = "another program takes our servers out of resolvconf again and again: they stay "
		 "away until the minute is over",
};

/* ---- the component ---- */

/* Whether this machine's resolvconf has split DNS, as far as can be known before the start; so "auto"
 * looks for another backend where it has none. */
static vpn_status check_split(const struct resolvconf_options *o, struct vpn_error *err)
{
	struct resolvconf_program p;
	struct vpn_error unknown = {.size = sizeof(unknown)};
	if (dns_options_is_everything(&o->common) ||
	    resolvconf_program_find(o->command, PROBE_MS, &p, &unknown) != VPN_OK)
		return VPN_OK;
	vpn_status status = resolvconf_split_check(&p, PROBE_MS, err);
	return status == VPN_ENOTSUP ? status : VPN_OK;
}

static vpn_status validate(const void *config, struct vpn_error *err)
{
	const struct resolvconf_options *o = config;
	vpn_status status = dns_options_validate(&o->common, err);
	if (status == VPN_OK && o->command != NULL)
		status = resolvconf_program_check(o->command, "/command", err);
	if (status == VPN_OK)
		status = check_split(o, err);
	return status;
}

static vpn_status create(const struct vpn_host *host, const void *config, void **inst,
			 struct vpn_error *err)
{
	return dns_create(&backend, host, config, inst, err);
}

static uint32_t probe(const struct vpn_host *host, struct vpn_error *why)
{
	struct resolvconf_program p;
	(void)host;
	if (resolvconf_program_find(NULL, PROBE_MS, &p, why) != VPN_OK ||
	    resolvconf_system_fits(why) != VPN_OK)
		return DNS_FIT_NONE;
	bool product = resolvconf_system_is_product();
	dns_fault(why, VPN_OK, 0, NULL,
		  product ? "%s writes " RESOLVCONF_FILE
			  : "%s is there, but " RESOLVCONF_FILE " is not of its making",
		  p.version);
	return product ? DNS_FIT_IN_CHARGE : DNS_FIT_CONTESTED;
}

static const struct vpn_probe_ext probe_ext = {.size = sizeof(probe_ext), .probe = probe};

static const void *get_static(const char *id)
{
	return strcmp(id, VPN_EXT_PROBE) == 0 ? &probe_ext : NULL;
}

static const struct vpn_option options[] = {
	DNS_OPTION_ROWS,
	{.name = "command",
	 .type = VPN_OPT_STRING,
	 .min = 1,
	 .max = RESOLVCONF_PATH_MAX - 1,
	 .offset = (uint32_t)offsetof(struct resolvconf_options, command),
	 .doc = "Absolute path of resolvconf(8), where it is not /sbin/resolvconf, "
		"/usr/sbin/resolvconf or /usr/bin/resolvconf."},
};

static const struct vpn_option_table option_table = VPN_OPTION_TABLE(options,
								     struct resolvconf_options);

static const struct vpn_lifecycle lifecycle = {
	.size = sizeof(lifecycle),
	.flags = VPN_AUTO,
	.options = &option_table,
	.validate = validate,
	.create = create,
	.start = dns_start,
	.stop = dns_stop,
	.destroy = dns_destroy,
};

static const struct vpn_plan plan = {
	.size = sizeof(plan),
	.apply = dns_apply,
	.revert = dns_revert,
};

static const struct vpn_component component = {
	.size = sizeof(component),
	.kind = VPN_KIND_DNS,
	.id = "resolvconf",
	.summary = "name servers through openresolv or Debian's resolvconf",
	.lifecycle = &lifecycle,
	.plan = &plan,
	.undo = resolvconf_record_undo,
	.get_static = get_static,
};

static const struct vpn_component *const components[] = {&component, NULL};

VPN_PLUGIN(dns_resolvconf, "resolvconf", VPNCORE_VERSION, "BSD-2-Clause", "", "", components);
