/* SPDX-License-Identifier: BSD-2-Clause */
#include "common/frame.h"

#include <stdlib.h>
#include <string.h>

#include "common/fault.h"

vpn_status dns_create(const struct dns_backend *backend, const struct vpn_host *host,
		      const void *config, void **inst, struct vpn_error *err)
{
	struct dns *d = calloc(1, backend->size);
	*inst = d;
	if (d == NULL)
		return dns_fault(err, VPN_ENOMEM, 0, NULL, "out of memory");
	d->backend = backend;
	d->host = host;
	d->options = config;
	return VPN_OK;
}

vpn_status dns_start(void *inst, struct vpn_lane *const *lanes, struct vpn_error *err)
{
	struct dns *d = inst;
	const struct vpn_host *host = d->host;
	(void)lanes;
	d->journal = host->get_service(host, VPN_EXT_JOURNAL, &d->journal_inst);
	d->loop = host->get_service(host, VPN_EXT_LOOP, &d->loop_inst);
	d->reconcile = host->get_service(host, VPN_EXT_RECONCILE, &d->reconcile_inst);
	if (d->journal == NULL || d->loop == NULL || d->reconcile == NULL)
		return dns_fault(err, VPN_ENOTSUP, 0, NULL,
				 "this program has no journal or event loop for dns: run the "
				 "pipeline with `vpncore run`");
	d->routes = host->get_service(host, VPN_EXT_ROUTES, &d->routes_inst);
	if (d->routes == NULL && d->options->block_outside)
		return dns_fault(err, VPN_ENOTSUP, 0, "/block_outside",
				 "queries are blocked by the routes component, and there is none "
				 "that can: add \"routes\": {} to the manifest");
	return d->backend->open != NULL ? d->backend->open(d, err) : VPN_OK;
}

void dns_stop(void *inst)
{
	struct dns *d = inst;
	if (d->backend->close != NULL)
		d->backend->close(d);
}

void dns_destroy(void *inst)
{
	if (inst == NULL)
		return;
	dns_stop(inst);
	free(inst);
}

/* ---- what is wanted of the routes ---- */

/* A resolver on this machine is not reached through the tunnel. */
static bool is_loopback(const struct vpn_address *a)
{
	static const uint8_t one[16] = {[15] = 1};
	return a->family == VPN_AF_INET6 ? memcmp(a->addr, one, sizeof(one)) == 0
					 : a->addr[0] == 127;
}

static vpn_status want(struct dns *d, struct vpn_error *err)
{
	struct vpn_prefix in_tunnel[DNS_SERVERS_MAX];
	struct vpn_routes_wanted wanted = {.size = sizeof(wanted), .in_tunnel = in_tunnel};
	const struct dns_options *o = d->options;
	if (o->block_outside)
		wanted.flags |= VPN_ROUTES_BLOCK_DNS;
	for (uint32_t i = 0; o->server_routes && i < o->servers.count && i < DNS_SERVERS_MAX; i++) {
		const struct vpn_address *a = dns_options_server(o, i);
		if (is_loopback(a))
			continue;
		struct vpn_prefix *p = &in_tunnel[wanted.n_in_tunnel++];
		*p = (struct vpn_prefix){.family = a->family,
					 .length = a->family == VPN_AF_INET6 ? 128 : 32};
		memcpy(p->addr, a->addr, sizeof(p->addr));
	}
	if (wanted.flags == 0 && wanted.n_in_tunnel == 0)
		return VPN_OK;
	if (d->routes == NULL) {
		dns_log(d->host, VPN_LOG_DEBUG,
			"the manifest has no routes: the way to the servers is left as it is");
		return VPN_OK;
	}
	d->wants = true;
	return d->routes->want(d->routes_inst, &wanted, err);
}

static vpn_status want_nothing(struct dns *d, struct vpn_error *err)
{
	const struct vpn_routes_wanted nothing = {.size = sizeof(nothing)};
	if (!d->wants)
		return VPN_OK;
	d->wants = false;
	return d->routes->want(d->routes_inst, &nothing, err);
}

/* ---- repairs ---- */

static int32_t run(void *ctx)
{
	struct dns *d = ctx;
	struct vpn_error err = {.size = sizeof(err)};
	if (!d->is_set)
		return 0;
	int32_t found = d->backend->repair(d, &err);
	if (found >= 0) {
		d->complaint[0] = '\0';
		return found;
	}
	if (strcmp(d->complaint, err.text) != 0)
		dns_log(d->host, VPN_LOG_WARN, "%s", err.text);
	memcpy(d->complaint, err.text, sizeof(d->complaint));
	return found;
}

static void fight(void *ctx, uint32_t repairs)
{
	const struct dns *d = ctx;
	dns_log(d->host, VPN_LOG_ERROR, "%s (%u repairs within %u s)", d->backend->fight, repairs,
		d->backend->window_ms / 1000);
}

static vpn_status open_reconciler(struct dns *d, struct vpn_error *err)
{
	const struct dns_backend *b = d->backend;
	const struct vpn_reconcile spec = {.size = sizeof(spec),
					   .settle_ms = b->settle_ms,
					   .most = b->most,
					   .window_ms = b->window_ms,
					   .ctx = d,
					   .run = run,
					   .fight = b->fight != NULL ? fight : NULL};
	if (b->repair == NULL)
		return VPN_OK;
	d->reconciler = d->reconcile->open(d->reconcile_inst, &spec);
	return d->reconciler != NULL ? VPN_OK
				     : dns_fault(err, VPN_ENOMEM, 0, NULL, "out of memory");
}

void dns_stir(struct dns *d)
{
	if (d->reconciler != NULL)
		d->reconcile->stir(d->reconciler);
}

/* ---- the plan ---- */

vpn_status dns_apply(void *inst, const struct vpn_device_info *device, struct vpn_error *err)
{
	struct dns *d = inst;
	size_t known = device->size < sizeof(d->device) ? device->size : sizeof(d->device);
	memset(&d->device, 0, sizeof(d->device));
	memcpy(&d->device, device, known);
	d->device.size = sizeof(d->device);
	/* the way to the servers first: the system asks them as soon as they are set */
	vpn_status status = want(d, err);
	if (status == VPN_OK)
		status = open_reconciler(d, err);
	if (status == VPN_OK)
		status = d->backend->set(d, err);
	d->is_set = status == VPN_OK;
	return status;
}

vpn_status dns_revert(void *inst, struct vpn_error *err)
{
	struct dns *d = inst;
	if (d->reconciler != NULL)
		d->reconcile->close(d->reconciler);
	d->reconciler = NULL;
	d->is_set = false;
	vpn_status status = d->backend->unset != NULL ? d->backend->unset(d, err) : VPN_OK;
	vpn_status second = want_nothing(d, status == VPN_OK ? err : NULL);
	return status != VPN_OK ? status : second;
}

vpn_status dns_note(struct dns *d, uint32_t flags, const void *record, size_t len, uint64_t *ret_id,
		    struct vpn_error *err)
{
	return d->journal->add(d->journal_inst, flags, record, (uint32_t)len, ret_id, err);
}
