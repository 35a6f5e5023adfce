/* SPDX-License-Identifier: BSD-2-Clause */
/* file: the dns component that writes /etc/resolv.conf itself. */
#include "file.h"

#include "common/fault.h"
#include "common/name.h"
#include "place.h"
#include "probe.h"
#include "record.h"
#include "watch.h"

#ifndef VPNCORE_VERSION
#define VPNCORE_VERSION "0.1.0"
#endif

/* Ten repairs in five seconds, then it is a fight that we do not fight. */
#define SETTLE_MS 100u
#define REPAIRS   10u
#define WINDOW_MS 5000u

/* What musl and glibc before 2.26 read of "search": MAXDNSRCH of <resolv.h>, and bytes. */
#define OLD_SEARCH_MAX   6u
#define OLD_SEARCH_BYTES 256u

static struct dns_file *file_of(struct dns *d)
{
	return (void *)d;
}

static void warn_of_limits(const struct dns *d)
{
	const struct dns_options *o = d->options;
	size_t bytes = 0;
	if (o->servers.count > DNS_RESOLV_SERVERS_MAX)
		dns_log(d->host, VPN_LOG_WARN,
			"programs ask the first %u servers of resolv.conf only: %u are left out",
			DNS_RESOLV_SERVERS_MAX, o->servers.count - DNS_RESOLV_SERVERS_MAX);
	for (uint32_t i = 0; i < o->search.count; i++)
		bytes += dns_name_len(dns_options_name(&o->search, i)) + 1;
	if (o->search.count > OLD_SEARCH_MAX || bytes > OLD_SEARCH_BYTES)
		dns_log(d->host, VPN_LOG_WARN,
			"some C libraries read %u domains and %u characters of \"search\", and "
			"there are %u with %zu: programs that use one will not search the others",
			OLD_SEARCH_MAX, OLD_SEARCH_BYTES, o->search.count, bytes);
}

static vpn_status file_open(struct dns *d, struct vpn_error *err)
{
	struct dns_file *f = file_of(d);
	(void)err;
	f->notify = -1;
	f->n_text = dns_file_text(dns_file_options(f), d->host->pipeline, f->text);
	warn_of_limits(d);
	return VPN_OK;
}

static vpn_status file_set(struct dns *d, struct vpn_error *err)
{
	struct dns_file *f = file_of(d);
	bool changed;
	vpn_status status = dns_file_place(f, &changed, err);
	if (status != VPN_OK)
		return status;
	dns_file_watch_open(f);
	dns_stir(d); /* for what happened before there was a watch */
	return VPN_OK;
}

static int32_t file_repair(struct dns *d, struct vpn_error *err)
{
	bool changed;
	vpn_status status = dns_file_place(file_of(d), &changed, err);
	if (status == VPN_OK && changed)
		dns_log(d->host, VPN_LOG_INFO,
			"another program has written %s: our servers are in it again, and what it "
			"wrote comes back in the end",
			dns_file_options(file_of(d))->path);
	return status == VPN_OK ? (int32_t)changed : status;
}

static vpn_status file_unset(struct dns *d, struct vpn_error *err)
{
	struct dns_file *f = file_of(d);
	dns_file_watch_close(f);
	if (!f->has_record)
		return VPN_OK;
	f->has_record = false;
	return d->journal->undo(d->journal_inst, f->record, err);
}

static const struct dns_backend backend = {
	.size = sizeof(struct dns_file),
	.open = file_open,
	.set = file_set,
	.unset = file_unset,
	.repair = file_repair,
	.settle_ms = SETTLE_MS,
	.most = REPAIRS,
	.window_ms = WINDOW_MS,
	.fight = "another program writes resolv.conf each time that we have: name its backend in "
		 "the "
		 "manifest, or have it leave the file alone, see docs/dns.md",
};

static vpn_status create(const struct vpn_host *host, const void *config, void **inst,
			 struct vpn_error *err)
{
	return dns_create(&backend, host, config, inst, err);
}

static const struct vpn_lifecycle lifecycle = {
	.size = sizeof(lifecycle),
	.flags = VPN_AUTO,
	.options = &dns_file_option_table,
	.validate = dns_file_options_validate,
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
	.id = "file",
	.summary = "name servers in /etc/resolv.conf",
	.lifecycle = &lifecycle,
	.plan = &plan,
	.undo = dns_file_record_undo,
	.get_static = dns_file_get_static,
};

static const struct vpn_component *const components[] = {&component, NULL};

VPN_PLUGIN(dns_file, "file", VPNCORE_VERSION, "BSD-2-Clause", "", "", components);
