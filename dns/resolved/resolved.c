/* SPDX-License-Identifier: BSD-2-Clause */
/* resolved: the dns component for machines whose names systemd-resolved looks up. */
#include "resolved.h"

#include <net/if.h>
#include <string.h>

#include "common/fault.h"
#include "keep.h"
#include "link.h"
#include "options.h"
#include "place.h"
#include "query.h"
#include "trouble.h"
#include "undo.h"
#include "view.h"

#ifndef VPNCORE_VERSION
#define VPNCORE_VERSION "0.1.0"
#endif

/* The kernel tells systemd-resolved of a new device a moment after us. */
#define NEW_LINK_US UINT64_C(2000000)
#define STEP_US     UINT64_C(20000)

/* ---- looking ---- */

/* Reads what is set on the device; waits for systemd-resolved to know it. */
static int read_link(struct resolved *r, struct resolved_settings *now, uint64_t deadline,
		     sd_bus_error *said)
{
	const bool never = false;
	const uint64_t patience = resolved_bus_now() + NEW_LINK_US;
	bool more;
	for (;;) {
		int e = resolved_link_read(&r->bus, r->settings.ifindex, deadline, now, &more,
					   said);
		if (!resolved_trouble_is_no_link(said) || resolved_bus_now() >= patience)
			return e;
		sd_bus_error_free(said);
		(void)resolved_bus_drive(&r->bus, &never, resolved_bus_now() + STEP_US);
	}
}

static vpn_status look(struct resolved *r, uint64_t deadline, struct vpn_error *err)
{
	struct resolved_settings now;
	sd_bus_error said = SD_BUS_ERROR_NULL;
	vpn_status status = VPN_OK;
	int e = resolved_bus_ping(&r->bus, deadline, &said);
	if (e == 0 && resolved_place_is_elsewhere(&r->bus, deadline))
		return resolved_place_fault(err);
	if (e == 0)
		e = read_link(r, &now, deadline, &said);
	if (e != 0)
		status = resolved_trouble(err, e, &said, r->settings.ifname);
	else if (now.n_servers > 0 || now.n_domains > 0)
		dns_log(r->dns.host, VPN_LOG_WARN,
			"%s has name servers or domains in systemd-resolved already: ours take "
			"their "
			"place, and they do not come back",
			r->settings.ifname);
	sd_bus_error_free(&said);
	return status;
}

static void on_rival(void *ctx, const char *domain, uint32_t ifindex)
{
	const struct resolved *r = ctx;
	char name[IF_NAMESIZE];
	const char *other = ifindex == 0 ? "resolved.conf" : if_indextoname(ifindex, name);
	bool all = strcmp(domain, ".") == 0;
	dns_log(r->dns.host, r->dns.options->block_outside ? VPN_LOG_DEBUG : VPN_LOG_WARN,
		"names%s%.200s are also asked at the servers of %s, which has that domain too: "
		"systemd-resolved asks both at once. Take it away there, or set "
		"\"block_outside\": true",
		all ? "" : " below ", all ? "" : domain,
		other != NULL ? other : "another interface");
}

/* What others have is no reason not to start. */
static void look_for_rivals(struct resolved *r, uint64_t deadline)
{
	struct resolved_view view;
	sd_bus_error said = SD_BUS_ERROR_NULL;
	if (resolved_view_read(&r->bus, deadline, &view, &said) == 0)
		resolved_view_rivals(&view, &r->settings, on_rival, r);
	else
		dns_log(r->dns.host, VPN_LOG_DEBUG,
			"cannot see which other name servers systemd-resolved has");
	resolved_view_clear(&view);
	sd_bus_error_free(&said);
}

/* ---- setting ---- */

static vpn_status push(struct resolved *r, uint64_t deadline, struct vpn_error *err)
{
	int e = resolved_push_begin(&r->push, &r->bus, &r->settings);
	if (e == 0)
		e = resolved_bus_drive(&r->bus, &r->push.done, deadline);
	if (e == 0)
		e = r->push.error;
	return e == 0 ? VPN_OK : resolved_trouble(err, e, &r->push.said, r->settings.ifname);
}

static vpn_status set(struct dns *d, struct vpn_error *err)
{
	struct resolved *r = (struct resolved *)d;
	const uint64_t deadline = resolved_bus_now() + RESOLVED_LIMIT_US;
	resolved_settings_make(&r->settings, d->options, &d->device);
	r->push.host = d->host;
	int e = resolved_bus_open(&r->bus, err);
	if (e != 0)
		return dns_status(e);
	vpn_status status = look(r, deadline, err);
	if (status == VPN_OK)
		status = dns_note(d, 0, &r->settings, resolved_settings_len(&r->settings),
				  &r->record, err);
	r->is_noted = status == VPN_OK;
	/* listens first, so that no restart is missed */
	e = status == VPN_OK ? resolved_keep_watch(r) : 0;
	if (e != 0)
		status = resolved_trouble_no_bus(err, e);
	if (status == VPN_OK)
		status = push(r, deadline, err);
	if (status != VPN_OK)
		return status;
	look_for_rivals(r, deadline);
	return resolved_keep_begin(r, err);
}

/* The interface may outlive us: the record knows what is to be taken back. */
static vpn_status unset(struct dns *d, struct vpn_error *err)
{
	struct resolved *r = (struct resolved *)d;
	resolved_keep_end(r);
	if (!r->is_noted)
		return VPN_OK;
	r->is_noted = false;
	return d->journal->undo(d->journal_inst, r->record, err);
}

static void leave(struct dns *d)
{
	resolved_keep_end((struct resolved *)d);
}

/* ---- the component ---- */

static const struct dns_backend backend = {
	.size = sizeof(struct resolved),
	.close = leave,
	.set = set,
	.unset = unset,
};

static vpn_status create(const struct vpn_host *host, const void *config, void **inst,
			 struct vpn_error *err)
{
	return dns_create(&backend, host, config, inst, err);
}

static const struct vpn_lifecycle lifecycle = {
	.size = sizeof(lifecycle),
	.flags = VPN_AUTO,
	.options = &resolved_option_table,
	.validate = resolved_options_validate,
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
	.id = "resolved",
	.summary = "name servers by systemd-resolved, with split DNS",
	.lifecycle = &lifecycle,
	.plan = &plan,
	.undo = resolved_undo,
	.get_static = resolved_query_get,
};

static const struct vpn_component *const components[] = {&component, NULL};

VPN_PLUGIN(dns_resolved, "resolved", VPNCORE_VERSION, "BSD-2-Clause", "", "", components);
