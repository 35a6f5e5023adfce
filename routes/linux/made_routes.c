/* SPDX-License-Identifier: BSD-2-Clause */
/* made_routes: routes and rules. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "fault.h"
#include "made.h"
#include "route.h"
#include "rule.h"

static int by_route(const void *a, const void *b)
{
	return routes_route_compare(a, b); /* the first member of struct routes_made_route too */
}

static void *find_route(const struct routes_list *sorted, size_t size, const struct routes_route *r)
{
	return sorted->n == 0 ? NULL : bsearch(r, sorted->items, sorted->n, size, by_route);
}

static vpn_status route_fault(struct vpn_error *err, int e, const struct routes_route *route)
{
	char text[ROUTES_OBJECT_TEXT];
	routes_route_text(route, text);
	if (e == EEXIST)
		return routes_fault(err, VPN_EBUSY, e, NULL,
				    "%s is there already and not ours: `ip route` shows it; choose "
				    "another \"metric\", \"exclude\" the network or remove it",
				    text);
	if (e == EPERM)
		return routes_fault(err, VPN_EPERM, e, NULL,
				    "no permission to change routes: run as root or grant "
				    "CAP_NET_ADMIN");
	return routes_fault(err, routes_status(e), e, NULL, "cannot add %s: %s", text, strerror(e));
}

/* A new one: the record first. */
static vpn_status make_route(struct routes_run *run, const struct routes_route *route,
			     struct routes_list *made)
{
	struct routes *r = run->routes;
	struct routes_record record = {.version = ROUTES_RECORD_VERSION, .kind = ROUTES_KIND_ROUTE};
	struct routes_made_route m = {.route = *route};
	record.u.route = *route;
	vpn_status status = routes_made_note(r, 0, &record, &m.id, run->err);
	if (status != VPN_OK)
		return status;
	int e = routes_route_add(&r->netlink, route);
	if (e != 0) {
		r->journal->forget(r->journal_inst, m.id);
		if (e == EEXIST && !routes_list_add(&r->blocked, route, sizeof(*route)))
			return routes_fault(run->err, VPN_ENOMEM, 0, NULL, "out of memory");
		return route_fault(run->err, e, route);
	}
	if (routes_list_add(made, &m, sizeof(m)))
		return VPN_OK;
	return routes_fault(run->err, VPN_ENOMEM, 0, NULL, "out of memory for the routes");
}

/* One that is ours and was taken away, or has another one in its place. */
static vpn_status put_back(struct routes_run *run, const struct routes_route *route)
{
	struct routes_netlink *nl = &run->routes->netlink;
	char text[ROUTES_OBJECT_TEXT];
	int e = routes_route_add(nl, route);
	bool replaced = e == EEXIST;
	if (replaced)
		e = routes_route_replace(nl, route);
	if (e != 0)
		return route_fault(run->err, e, route);
	routes_log(run->routes->host, VPN_LOG_WARN, "%s was %s by another program: put back",
		   routes_route_text(route, text), replaced ? "replaced" : "removed");
	return VPN_OK;
}

/* One that is ours. */
static vpn_status keep_route(struct routes_run *run, const struct routes_list *there,
			     struct routes_made_route *m, struct routes_list *made)
{
	char text[ROUTES_OBJECT_TEXT];
	bool right = find_route(there, sizeof(struct routes_route), &m->route) != NULL;
	bool repair = !right &&
		      routes_made_may_repair(run, &m->patience, routes_route_text(&m->route, text));
	if (!routes_list_add(made, m, sizeof(*m)))
		return routes_fault(run->err, VPN_ENOMEM, 0, NULL, "out of memory for the routes");
	return repair ? put_back(run, &m->route) : VPN_OK;
}

/* Whether another one has its place, and it is not time yet to look again. */
static bool is_blocked(const struct routes *r, const struct routes_route *route)
{
	const struct routes_route *at = r->blocked.items;
	for (uint32_t i = 0; i < r->blocked.n; i++)
		if (routes_route_compare(&at[i], route) == 0)
			return true;
	return false;
}

static void unmake_routes(struct routes_run *run)
{
	struct routes *r = run->routes;
	const struct routes_made_route *m = r->routes.items;
	struct vpn_error ignored = {.size = sizeof(ignored)};
	for (uint32_t i = 0; i < r->routes.n; i++)
		if (find_route(&run->plan->routes, sizeof(struct routes_route), &m[i].route) ==
		    NULL)
			(void)r->journal->undo(r->journal_inst, m[i].id, &ignored);
}

static bool put_routes(struct routes_run *run, const struct routes_list *there,
		       struct routes_list *made)
{
	struct routes *r = run->routes;
	const struct routes_route *wanted = run->plan->routes.items;
	bool goes_on = true;
	for (uint32_t i = 0; i < run->plan->routes.n && goes_on; i++) {
		struct routes_made_route *m = find_route(&r->routes, sizeof(*m), &wanted[i]);
		if (m == NULL && is_blocked(r, &wanted[i]))
			continue;
		vpn_status status = m != NULL ? keep_route(run, there, m, made)
					      : make_route(run, &wanted[i], made);
		goes_on = routes_made_goes_on(run, status);
	}
	return goes_on;
}

bool routes_made_routes(struct routes_run *run)
{
	struct routes *r = run->routes;
	struct routes_list there = {.items = NULL}, made = {.items = NULL};
	int e = routes_route_dump(&r->netlink, (uint8_t)r->options->protocol, &there);
	if (e != 0) {
		routes_list_free(&there);
		return routes_made_goes_on(run,
					   routes_fault(run->err, routes_status(e), e, NULL,
							"cannot read the routes: %s", strerror(e)));
	}
	if (there.n != 0)
		qsort(there.items, there.n, sizeof(struct routes_route), by_route);
	unmake_routes(run);
	bool goes_on = put_routes(run, &there, &made);
	/* on the way out of a start that failed, too: the journal has them all */
	routes_list_free(&there);
	routes_list_free(&r->routes);
	r->routes = made;
	if (made.n != 0)
		qsort(r->routes.items, made.n, sizeof(struct routes_made_route), by_route);
	return goes_on;
}

/* ---- rules ---- */

static bool has_rule(const struct routes_list *list, size_t size, const struct routes_rule *rule,
		     uint32_t *ret_at)
{
	for (uint32_t i = 0; i < list->n; i++) {
		const void *at = (const char *)list->items + i * size;
		*ret_at = i;
		if (routes_rule_compare(at, rule) == 0)
			return true;
	}
	return false;
}

static vpn_status rule_fault(struct vpn_error *err, int e, const struct routes_rule *rule)
{
	char text[ROUTES_OBJECT_TEXT];
	if (e == EPERM)
		return routes_fault(
			err, VPN_EPERM, e, NULL,
			"no permission to change rules of routing: run as root or grant "
			"CAP_NET_ADMIN");
	return routes_fault(err, routes_status(e), e, "/preference", "cannot add the %s: %s%s",
			    routes_rule_text(rule, text), strerror(e),
			    e == EEXIST ? ": another pipeline may have it, start again" : "");
}

static vpn_status make_rule(struct routes_run *run, const struct routes_rule *rule)
{
	struct routes *r = run->routes;
	struct routes_record record = {.version = ROUTES_RECORD_VERSION, .kind = ROUTES_KIND_RULE};
	struct routes_made_rule m = {.rule = *rule};
	record.u.rule = *rule;
	vpn_status status = routes_made_note(r, 0, &record, &m.id, run->err);
	if (status != VPN_OK)
		return status;
	int e = routes_rule_add(&r->netlink, rule);
	if (e == 0 && routes_list_add(&r->rules, &m, sizeof(m)))
		return VPN_OK;
	if (e == 0)
		return routes_fault(run->err, VPN_ENOMEM, 0, NULL, "out of memory for the rules");
	r->journal->forget(r->journal_inst, m.id);
	return rule_fault(run->err, e, rule);
}

/* How many stand where ours was: the preference was free when the pipeline started. */
static uint32_t count_at(const struct routes_list *there, const struct routes_rule *rule)
{
	const struct routes_rule *at = there->items;
	uint32_t n = 0;
	for (uint32_t i = 0; i < there->n; i++)
		n += at[i].family == rule->family && at[i].preference == rule->preference;
	return n;
}

static vpn_status keep_rule(struct routes_run *run, const struct routes_list *there,
			    struct routes_made_rule *m)
{
	struct routes_netlink *nl = &run->routes->netlink;
	const struct routes_rule *rule = &m->rule;
	char text[ROUTES_OBJECT_TEXT];
	uint32_t at = 0, others = count_at(there, rule);
	routes_rule_text(rule, text);
	if (has_rule(there, sizeof(*rule), rule, &at) ||
	    !routes_made_may_repair(run, &m->patience, text))
		return VPN_OK;
	/* it comes behind those of its preference: at no time is there none */
	int e = routes_rule_add(nl, rule);
	for (uint32_t i = 0; i < others && e == 0; i++)
		e = routes_rule_delete_first(nl, rule->family, rule->preference);
	if (e != 0 && e != EEXIST)
		return rule_fault(run->err, e, rule);
	routes_log(run->routes->host, VPN_LOG_WARN, "the %s was %s by another program: put back",
		   text, others != 0 ? "replaced" : "removed");
	return VPN_OK;
}

static void unmake_rules(struct routes_run *run)
{
	struct routes *r = run->routes;
	struct vpn_error ignored = {.size = sizeof(ignored)};
	uint32_t at = 0;
	for (uint32_t i = r->rules.n; i-- > 0;) {
		const struct routes_made_rule *m = (struct routes_made_rule *)r->rules.items + i;
		if (has_rule(&run->plan->rules, sizeof(m->rule), &m->rule, &at))
			continue;
		(void)r->journal->undo(r->journal_inst, m->id, &ignored);
		routes_list_remove(&r->rules, i, sizeof(*m));
	}
}

bool routes_made_rules(struct routes_run *run)
{
	struct routes *r = run->routes;
	struct routes_list there = {.items = NULL};
	const struct routes_rule *wanted = run->plan->rules.items;
	bool goes_on = true;
	int e = routes_rule_dump(&r->netlink, &there);
	if (e != 0)
		goes_on = routes_made_goes_on(run, routes_fault(run->err, routes_status(e), e, NULL,
								"cannot read the rules: %s",
								strerror(e)));
	else
		unmake_rules(run);
	for (uint32_t i = 0; e == 0 && i < run->plan->rules.n && goes_on; i++) {
		uint32_t at = 0;
		bool ours = has_rule(&r->rules, sizeof(struct routes_made_rule), &wanted[i], &at);
		struct routes_made_rule *made = r->rules.items;
		goes_on = routes_made_goes_on(run, ours ? keep_rule(run, &there, &made[at])
							: make_rule(run, &wanted[i]));
	}
	routes_list_free(&there);
	return goes_on;
}
