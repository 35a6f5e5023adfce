/* SPDX-License-Identifier: BSD-2-Clause */
/* linux: the routes component for Linux. */
#include "linux.h"

#include <errno.h>
#include <linux/rtnetlink.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "fault.h"
#include "nft.h"
#include "prefix.h"
#include "query.h"
#include "record.h"
#include "route.h"
#include "work.h"

#ifndef VPNCORE_VERSION
#define VPNCORE_VERSION "0.1.0"
#endif

#define SETTLE_MS 300u
#define WINDOW_MS 60000u

/* ---- protect ---- */

static vpn_status protect(void *inst, int fd, uint32_t family, struct vpn_error *err)
{
	struct routes *r = inst;
	const uint32_t ours = (uint32_t)r->options->mark, mask = (uint32_t)r->options->mask;
	uint32_t mark = 0;
	socklen_t len = sizeof(mark);
	(void)family;
	int failed = getsockopt(fd, SOL_SOCKET, SO_MARK, &mark, &len);
	mark = (mark & ~mask) | ours;
	if (failed == 0)
		failed = setsockopt(fd, SOL_SOCKET, SO_MARK, &mark, sizeof(mark));
	if (failed != 0)
		return routes_fault(
			err, routes_status(errno), errno, NULL,
			"cannot mark a socket to keep it out of the tunnel: %s%s", strerror(errno),
			errno == EPERM ? ": \"routes\" needs CAP_NET_ADMIN, run as root "
					 "or grant it"
				       : "");
	atomic_fetch_add(&r->n_protected, 1);
	return VPN_OK;
}

static const struct vpn_protect_ext protect_ext = {.size = sizeof(protect_ext), .protect = protect};

/* ---- life ---- */

static vpn_status create(const struct vpn_host *host, const void *config, void **inst,
			 struct vpn_error *err)
{
	struct routes *r = calloc(1, sizeof(*r));
	*inst = r;
	if (r == NULL)
		return routes_fault(err, VPN_ENOMEM, 0, NULL, "out of memory");
	r->host = host;
	r->options = config;
	atomic_init(&r->n_protected, 0);
	return VPN_OK;
}

static vpn_status start(void *inst, struct vpn_lane *const *lanes, struct vpn_error *err)
{
	struct routes *r = inst;
	const struct vpn_host *host = r->host;
	(void)lanes;
	r->journal = host->get_service(host, VPN_EXT_JOURNAL, &r->journal_inst);
	r->loop = host->get_service(host, VPN_EXT_LOOP, &r->loop_inst);
	r->reconcile = host->get_service(host, VPN_EXT_RECONCILE, &r->reconcile_inst);
	if (r->journal == NULL || r->loop == NULL || r->reconcile == NULL)
		return routes_fault(err, VPN_ENOTSUP, 0, NULL,
				    "this program has no journal or event loop for routes: run the "
				    "pipeline with `vpncore run`");
	r->peers = host->get_service(host, VPN_EXT_PEERS, &r->peers_inst);
	r->socket = host->get_service(host, VPN_EXT_SOCKET, &r->socket_inst);
	int e = routes_netlink_open(&r->netlink);
	if (e != 0)
		return routes_fault(err, routes_status(e), e, NULL, "cannot open rtnetlink: %s",
				    strerror(e));
	return VPN_OK;
}

static void stop(void *inst)
{
	struct routes *r = inst;
	routes_netlink_close(&r->netlink);
	routes_nft_close(r->nft);
	r->nft = NULL;
}

static void destroy(void *inst)
{
	struct routes *r = inst;
	if (r == NULL)
		return;
	stop(r);
	routes_work_clear(r);
	free(r);
}

static const void *get_extension(void *inst, const char *id)
{
	(void)inst;
	if (strcmp(id, VPN_EXT_ROUTES) == 0)
		return &routes_want_ext;
	return strcmp(id, VPN_EXT_PROTECT) == 0 ? &protect_ext : NULL;
}

/* ---- keeping it so ---- */

static vpn_status check_default(struct routes *r, struct vpn_error *err);

/* The host's count of repairs and its wait after a failure are for the component as a whole: one thing that is
 * fought over, or that fails, would hold up all the others. So each has a count of its own here, and the
 * host is told of neither. */
static int32_t run(void *ctx)
{
	struct routes *r = ctx;
	struct vpn_error err = {.size = sizeof(err)};
	uint32_t repairs = 0;
	vpn_status status = routes_work_run(r, false, &repairs, &err);
	if (status == VPN_OK && r->options->is_default)
		status = check_default(r, &err);
	if (status == VPN_OK && r->blocked.n == 0)
		r->complaint[0] = '\0';
	if (status == VPN_OK || strcmp(r->complaint, err.text) == 0)
		return 0;
	routes_log(r->host, VPN_LOG_WARN, "%s", err.text);
	memcpy(r->complaint, err.text, sizeof(r->complaint));
	return 0;
}

static void stir(void *ctx)
{
	struct routes *r = ctx;
	if (r->reconciler != NULL)
		r->reconcile->stir(r->reconciler);
}

/* On a thread of the transport's. */
static void transport_changed(void *ctx)
{
	struct routes *r = ctx;
	(void)r->loop->post(r->loop_inst, stir, r);
}

static void subscribe(struct routes *r, void (*changed)(void *ctx))
{
	if (r->peers != NULL)
		r->peers->subscribe(r->peers_inst, changed, r);
	/* of one that does not tell, the port is read with each run */
	if (r->socket != NULL && VPN_HAS(r->socket, struct vpn_socket_ext, subscribe))
		r->socket->subscribe(r->socket_inst, changed, r);
}

static vpn_status watch(struct routes *r, struct vpn_error *err)
{
	const struct vpn_reconcile spec = {.size = sizeof(spec),
					   .settle_ms = SETTLE_MS,
					   .most = 1,
					   .window_ms = WINDOW_MS,
					   .ctx = r,
					   .run = run};
	r->reconciler = r->reconcile->open(r->reconcile_inst, &spec);
	if (r->reconciler == NULL)
		return routes_fault(err, VPN_ENOMEM, 0, NULL, "out of memory");
	vpn_status status = routes_monitor_open(r, err);
	if (status == VPN_OK)
		subscribe(r, transport_changed);
	return status;
}

/* ---- the plan ---- */

/* Whether the manifest lets an address stay outside. */
static bool may_be_outside(const struct routes_options *o, const struct vpn_address *a)
{
	const struct vpn_list *lists[] = {&o->exclude, &o->lan_networks};
	struct vpn_prefix host = routes_prefix_host(a->family, a->addr);
	for (size_t k = 0; k < 2; k++)
		for (uint32_t i = 0; i < lists[k]->count; i++)
			if (routes_prefix_covers(routes_options_prefix(lists[k], i), &host))
				return true;
	return false;
}

/* What the kernel does with an address of the internet. */
static vpn_status check_probe(struct routes *r, const struct vpn_address *probe,
			      struct vpn_error *err)
{
	struct routes_lookup plain, marked;
	if (may_be_outside(r->options, probe))
		return VPN_OK;
	int e = routes_route_lookup(&r->netlink, probe, 0, &plain);
	if (e == EAFNOSUPPORT || e == EOPNOTSUPP)
		return VPN_OK; /* without IPv6 nothing leaves by it */
	if (e == 0)
		e = routes_route_lookup(&r->netlink, probe, (uint32_t)r->options->mark, &marked);
	if (e != 0)
		return routes_fault(err, routes_status(e), e, NULL, "cannot look up a route: %s",
				    strerror(e));
	if (plain.type == RTN_UNICAST && plain.ifindex != r->device.ifindex)
		return routes_fault(err, VPN_EBUSY, 0, "/default",
				    "a rule before ours takes the traffic to another interface: "
				    "`ip rule` shows it; choose a smaller \"preference\" than %u",
				    (unsigned int)r->options->preference);
	if (marked.type == RTN_UNICAST && marked.ifindex == r->device.ifindex)
		return routes_fault(err, VPN_EBUSY, 0, "/default",
				    "the tunnel's own packets would enter it: table main has a "
				    "default route through %s",
				    r->device.name);
	return VPN_OK;
}

static vpn_status check_default(struct routes *r, struct vpn_error *err)
{
	/* of networks for benchmarks, which nobody has: RFC 2544, RFC 5180 */
	static const struct vpn_address probes[] = {
		{.family = VPN_AF_INET, .addr = {198, 18, 0, 1}},
		{.family = VPN_AF_INET6, .addr = {0x20, 0x01, 0, 0x02, [15] = 1}},
	};
	vpn_status status = VPN_OK;
	for (size_t i = 0; i < sizeof(probes) / sizeof(probes[0]) && status == VPN_OK; i++)
		status = check_probe(r, &probes[i], err);
	return status;
}

static vpn_status apply(void *inst, const struct vpn_device_info *device, struct vpn_error *err)
{
	struct routes *r = inst;
	uint32_t repairs = 0;
	r->device = *device;
	/* listens first, so that nothing is missed */
	vpn_status status = watch(r, err);
	if (status == VPN_OK)
		status = routes_work_place(r, err);
	if (status == VPN_OK)
		status = routes_work_run(r, true, &repairs, err);
	if (status == VPN_OK && r->options->is_default)
		status = check_default(r, err);
	return status;
}

/* What is in the journal the host undoes right after this, the newest first. */
static vpn_status revert(void *inst, struct vpn_error *err)
{
	struct routes *r = inst;
	(void)err;
	subscribe(r, NULL);
	routes_work_rest(r);
	routes_monitor_close(r);
	r->reconcile->close(r->reconciler);
	r->reconciler = NULL;
	routes_nft_close(r->nft); /* and with it the guard */
	r->nft = NULL;
	routes_work_clear(r);
	return VPN_OK;
}

/* ---- the component ---- */

static const void *get_static(const char *id)
{
	return strcmp(id, VPN_EXT_ROUTE_QUERY) == 0 ? &routes_query_ext : NULL;
}

static const struct vpn_lifecycle lifecycle = {
	.size = sizeof(lifecycle),
	.flags = VPN_AUTO,
	.options = &routes_option_table,
	.validate = routes_options_validate,
	.create = create,
	.start = start,
	.stop = stop,
	.destroy = destroy,
	.get_extension = get_extension,
};

static const struct vpn_plan plan = {
	.size = sizeof(plan),
	.apply = apply,
	.revert = revert,
};

static const struct vpn_component component = {
	.size = sizeof(component),
	.kind = VPN_KIND_ROUTES,
	.id = "linux",
	.summary = "routes, rules, NAT and kill switch of Linux",
	.lifecycle = &lifecycle,
	.plan = &plan,
	.undo = routes_record_undo,
	.get_static = get_static,
};

static const struct vpn_component *const components[] = {&component, NULL};

VPN_PLUGIN(routes_linux, "linux", VPNCORE_VERSION, "BSD-2-Clause", "", "", components);
