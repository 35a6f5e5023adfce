/* SPDX-License-Identifier: BSD-2-Clause */
/* system: vpncore_system_* of vpncore/vpncore.h: questions to routes and dns components, of no pipeline. */
#include <stdlib.h>
#include <string.h>
#include <vpncore/vpncore.h>

#include "control.h"
#include "fault.h"
#include "host.h"
#include "query.h"

struct vpncore_system {
	struct loader *loader;
	struct log_sink log;
};

/* A question on its way to a component, and where the answer goes. */
struct question {
	uint32_t kind; /* VPN_KIND_* */
	const char *extension;
	const char *what;
	vpn_status (*ask)(const struct question *q, const struct answerer *a,
			  const struct vpn_host *host, struct vpn_error *err);
	uint32_t family;
	const struct vpn_address *to;
	struct vpn_route *route;
	int (*fn)(void *ctx, const struct vpn_dns_info *info);
	void *ctx;
};

int vpncore_system_open(struct vpncore_system **ret, const struct vpncore_callbacks *callbacks,
			struct vpn_error *err)
{
	struct vpn_error why = VPN_ERROR_INIT;
	struct vpncore_system *s = calloc(1, sizeof(*s));
	struct control control;
	*ret = NULL;
	if (s == NULL)
		return fault(err, VPN_ENOMEM, 0, "out of memory");
	s->log.level = VPN_LOG_INFO;
	if (callbacks != NULL && VPN_HAS(callbacks, struct vpncore_callbacks, log)) {
		s->log.line = callbacks->log;
		s->log.ctx = callbacks->ctx;
	}
	control_enter(&control, &s->log);
	s->loader = loader_new(&why);
	control_leave(&control);
	if (s->loader == NULL) {
		free(s);
		return fault_pass(err, &why, why.status);
	}
	*ret = s;
	return VPN_OK;
}

struct vpncore_system *vpncore_system_free(struct vpncore_system *s)
{
	struct control control;
	if (s == NULL)
		return NULL;
	control_enter(&control, &s->log);
	loader_free(s->loader);
	control_leave(&control);
	free(s);
	return NULL;
}

/* A component that fails without a word is no reason to fail without one. */
static vpn_status told(const struct answerer *a, const struct question *q, vpn_status status,
		       struct vpn_error *err)
{
	if (status == VPN_OK)
		return VPN_OK;
	if (err->text[0] == '\0')
		fault(err, status, err->os_errno, "%s cannot tell %s: status %d", a->component->id,
		      q->what, status);
	err->status = status;
	return status;
}

/* Asks the component that fits best; one that cannot answer here leaves it to the next. */
static vpn_status ask_all(struct vpncore_system *s, const struct question *q, struct vpn_error *err)
{
	struct query found;
	query_find(&found, s->loader, q->kind, q->extension);
	vpn_status status = VPN_ENOTSUP;
	for (size_t i = 0; i < found.n && status == VPN_ENOTSUP; i++) {
		const struct answerer *a = &found.list[i];
		struct vpn_host host;
		host_init_bare(&host, a->component->id, "");
		*err = (struct vpn_error)VPN_ERROR_INIT;
		status = told(a, q, q->ask(q, a, &host, err), err);
	}
	return found.n > 0 ? status : query_none(s->loader, q->kind, q->what, err);
}

static vpn_status ask(struct vpncore_system *s, const struct question *q, struct vpn_error *err)
{
	struct vpn_error why = VPN_ERROR_INIT;
	struct control control;
	control_enter(&control, &s->log);
	vpn_status status = ask_all(s, q, &why);
	control_leave(&control);
	return fault_pass(err, &why, status);
}

/* ---- routes -------------------------------------------------------------------------------------- */

static vpn_status ask_default(const struct question *q, const struct answerer *a,
			      const struct vpn_host *host, struct vpn_error *err)
{
	const struct vpn_route_query_ext *ext = a->ext;
	if (!VPN_HAS(ext, struct vpn_route_query_ext, default_route) || ext->default_route == NULL)
		return VPN_ENOTSUP;
	return ext->default_route(host, q->family, q->route, err);
}

static vpn_status ask_route_to(const struct question *q, const struct answerer *a,
			       const struct vpn_host *host, struct vpn_error *err)
{
	const struct vpn_route_query_ext *ext = a->ext;
	if (!VPN_HAS(ext, struct vpn_route_query_ext, route_to) || ext->route_to == NULL)
		return VPN_ENOTSUP;
	return ext->route_to(host, q->to, q->route, err);
}

static bool is_ip(uint32_t family)
{
	return family == VPN_AF_INET || family == VPN_AF_INET6;
}

static vpn_status refuse_family(uint32_t family, struct vpn_error *err)
{
	return fault(err, VPN_EINVAL, 0, "family %u is neither VPN_AF_INET nor VPN_AF_INET6",
		     family);
}

/* The caller's struct may be of another version than the component's: it has what both know. */
static vpn_status ask_route(struct vpncore_system *s, struct question *q, struct vpn_route *out,
			    struct vpn_error *err)
{
	struct vpn_route route = {.size = sizeof(route)};
	q->kind = VPN_KIND_ROUTES;
	q->extension = VPN_EXT_ROUTE_QUERY;
	q->what = "the system's routes";
	q->route = &route;
	vpn_status status = ask(s, q, err);
	if (status != VPN_OK)
		return status;
	route.ifname[sizeof(route.ifname) - 1] = '\0';
	route.size = out->size;
	memcpy(out, &route, route.size < sizeof(route) ? route.size : sizeof(route));
	return VPN_OK;
}

int vpncore_system_default_route(struct vpncore_system *s, uint32_t family, struct vpn_route *out,
				 struct vpn_error *err)
{
	struct question q = {.ask = ask_default, .family = family};
	return is_ip(family) ? ask_route(s, &q, out, err) : refuse_family(family, err);
}

int vpncore_system_route_to(struct vpncore_system *s, const struct vpn_address *to,
			    struct vpn_route *out, struct vpn_error *err)
{
	struct question q = {.ask = ask_route_to, .to = to};
	return is_ip(to->family) ? ask_route(s, &q, out, err) : refuse_family(to->family, err);
}

/* ---- name servers -------------------------------------------------------------------------------- */

static vpn_status ask_dns(const struct question *q, const struct answerer *a,
			  const struct vpn_host *host, struct vpn_error *err)
{
	const struct vpn_dns_query_ext *ext = a->ext;
	if (!VPN_HAS(ext, struct vpn_dns_query_ext, read) || ext->read == NULL)
		return VPN_ENOTSUP;
	return ext->read(host, q->fn, q->ctx, err);
}

int vpncore_system_dns(struct vpncore_system *s,
		       int (*fn)(void *ctx, const struct vpn_dns_info *info), void *ctx,
		       struct vpn_error *err)
{
	const struct question q = {.kind = VPN_KIND_DNS,
				   .extension = VPN_EXT_DNS_QUERY,
				   .what = "the system's name servers",
				   .ask = ask_dns,
				   .fn = fn,
				   .ctx = ctx};
	return ask(s, &q, err);
}
