/* SPDX-License-Identifier: BSD-2-Clause */
#include "work.h"

#include <stdlib.h>
#include <string.h>

#include "fault.h"
#include "made.h"
#include "prefix.h"
#include "route.h"
#include "rule.h"

vpn_status routes_made_note(struct routes *r, uint32_t flags, const struct routes_record *record,
			    uint64_t *ret_id, struct vpn_error *err)
{
	return r->journal->add(r->journal_inst, flags, record, (uint32_t)sizeof(*record), ret_id,
			       err);
}

bool routes_made_goes_on(struct routes_run *run, vpn_status status)
{
	if (status == VPN_OK)
		return true;
	if (run->status == VPN_OK) {
		run->status = status;
		run->first_err = *run->err;
	}
	return !run->first;
}

/* ---- patience ---- */

/* Ten repairs in a minute, then it is a fight that we do not fight. */
#define REPAIRS   10u
#define MINUTE_NS UINT64_C(60000000000)

static void on_again(void *ctx)
{
	struct routes *r = ctx;
	if (r->reconciler != NULL)
		r->reconcile->stir(r->reconciler);
}

void routes_work_rest(struct routes *r)
{
	r->again_ns = 0;
	(void)r->loop->arm(r->loop_inst, 0, on_again, r);
}

void routes_made_again(struct routes_run *run, uint64_t at_ns)
{
	struct routes *r = run->routes;
	if (r->again_ns != 0 && r->again_ns <= at_ns)
		return;
	r->again_ns = at_ns;
	/* without memory for it the next change of something tries again */
	(void)r->loop->arm(r->loop_inst, at_ns, on_again, r);
}

bool routes_made_may_repair(struct routes_run *run, struct routes_patience *patience,
			    const char *text)
{
	if (patience->n == 0 || run->now_ns - patience->since_ns >= MINUTE_NS) {
		patience->told &= patience->n == REPAIRS; /* the same fight goes on */
		patience->since_ns = run->now_ns;
		patience->n = 0;
	}
	if (patience->n < REPAIRS) {
		patience->n++;
		run->repairs++;
		return true;
	}
	if (!patience->told)
		routes_log(run->routes->host, VPN_LOG_ERROR,
			   "another program undoes %s again and again: %u repairs within a "
			   "minute, no more before it is over. systemd-networkd does so without "
			   "ManageForeignRoutingPolicyRules=no, see docs/routes.md",
			   text, REPAIRS);
	patience->told = true;
	routes_made_again(run, patience->since_ns + MINUTE_NS);
	return false;
}

/* ---- the scene ---- */

struct reading {
	const struct routes_options *options;
	struct routes_scene *scene;
	bool out_of_memory;
};

static int on_peer(void *ctx, const struct vpn_peer_info *peer)
{
	struct reading *reading = ctx;
	uint32_t metric = routes_options_metric(reading->options, peer->id);
	for (uint32_t i = 0; i < peer->n_allowed; i++) {
		struct routes_allowed a = {.prefix = peer->allowed[i], .metric = metric};
		if (!routes_list_add(&reading->scene->allowed, &a, sizeof(a)))
			reading->out_of_memory = true;
	}
	if (peer->endpoint.family == VPN_AF_INET || peer->endpoint.family == VPN_AF_INET6) {
		struct vpn_prefix at = routes_prefix_host(peer->endpoint.family,
							  peer->endpoint.addr);
		if (!routes_list_add(&reading->scene->endpoints, &at, sizeof(at)))
			reading->out_of_memory = true;
	}
	return reading->out_of_memory;
}

static vpn_status read_peers(struct routes *r, struct routes_scene *scene)
{
	struct reading reading = {.options = r->options, .scene = scene};
	if (r->peers == NULL)
		return VPN_OK;
	scene->has_peers = true;
	vpn_status status = r->peers->each(r->peers_inst, on_peer, &reading);
	return reading.out_of_memory ? VPN_ENOMEM : status;
}

static void read_port(struct routes *r, struct routes_scene *scene)
{
	struct vpn_socket_info info = {.size = sizeof(info)};
	if (r->socket == NULL || r->socket->info(r->socket_inst, &info) != VPN_OK)
		return;
	scene->port = info.port;
	scene->port_last = info.port_last;
}

static vpn_status read_scene(struct routes *r, struct routes_scene *scene, struct vpn_error *err)
{
	scene->device = r->device;
	int e = routes_scene_read(&r->netlink, scene);
	if (e != 0)
		return routes_fault(err, routes_status(e), e, NULL,
				    "cannot read the machine's addresses: %s", strerror(e));
	read_port(r, scene);
	vpn_status status = read_peers(r, scene);
	if (status == VPN_OK && !routes_want_read(&r->want, scene))
		status = VPN_ENOMEM;
	if (status != VPN_OK)
		return routes_fault(err, status, 0, NULL, "cannot read the transport's peers");
	return VPN_OK;
}

/* ---- the way out ---- */

#define ENDPOINTS_MAX \
	64u /* that are looked up; all of a server's peers change their way together */

static uint64_t add_up(uint64_t sum, const void *data, size_t n)
{
	const uint8_t *at = data;
	for (size_t i = 0; i < n; i++)
		sum = (sum ^ at[i]) * UINT64_C(0x100000001b3); /* FNV-1a */
	return sum;
}

/* The way that packets to the endpoints take outside, as a sum. */
static uint64_t sum_of_ways(struct routes *r, const struct routes_scene *scene)
{
	const struct vpn_prefix *at = scene->endpoints.items;
	uint64_t sum = UINT64_C(0xcbf29ce484222325);
	for (uint32_t i = 0; i < scene->endpoints.n && i < ENDPOINTS_MAX; i++) {
		struct vpn_address to = {.family = at[i].family};
		struct routes_lookup found = {.type = 0};
		memcpy(to.addr, at[i].addr, sizeof(to.addr));
		if (routes_route_lookup(&r->netlink, &to, (uint32_t)r->options->mark, &found) != 0)
			memset(&found, 0, sizeof(found));
		sum = add_up(sum, at[i].addr, sizeof(at[i].addr));
		sum = add_up(sum, &found.type, sizeof(found.type));
		sum = add_up(sum, &found.ifindex, sizeof(found.ifindex));
		sum = add_up(sum, found.gateway, sizeof(found.gateway));
		sum = add_up(sum, found.source, sizeof(found.source));
	}
	return sum;
}

/* Our address and interface stick to a peer until it is heard elsewhere, which it is not when packets
 * leave by a way that is none any more. */
static void follow_way(struct routes *r, const struct routes_scene *scene)
{
	uint64_t way = sum_of_ways(r, scene);
	bool changed = r->way != 0 && way != r->way;
	r->way = way;
	if (!changed || r->peers == NULL || !VPN_HAS(r->peers, struct vpn_peers_ext, reroute))
		return;
	routes_log(r->host, VPN_LOG_INFO, "the way to the endpoints has changed");
	r->peers->reroute(r->peers_inst);
}

/* ---- a place ---- */

static bool is_taken(const struct routes *r, const struct routes_list *rules, uint32_t slot)
{
	const struct routes_rule *rule = rules->items;
	for (uint32_t i = 0; i < rules->n; i++)
		for (uint32_t step = 0; step < 4; step++)
			if (rule[i].preference ==
			    r->options->preference + step * ROUTES_RULE_STEP + slot)
				return true;
	return false;
}

static int try_slot(struct routes *r, const struct routes_list *rules, uint32_t slot,
		    bool *ret_free)
{
	uint32_t table = r->options->table != 0 ? (uint32_t)r->options->table
						: ROUTES_FIRST_TABLE + slot;
	bool used = is_taken(r, rules, slot);
	int e = used || r->options->table != 0 ? 0
					       : routes_route_table_used(&r->netlink, table, &used);
	*ret_free = e == 0 && !used;
	if (*ret_free)
		r->place = (struct routes_place){.slot = slot, .table = table};
	return e;
}

vpn_status routes_work_place(struct routes *r, struct vpn_error *err)
{
	struct routes_list rules = {.items = NULL};
	bool found = false;
	int e = routes_rule_dump(&r->netlink, &rules);
	for (uint32_t slot = 0; slot < ROUTES_SLOTS && e == 0 && !found; slot++)
		e = try_slot(r, &rules, slot, &found);
	routes_list_free(&rules);
	if (e != 0)
		return routes_fault(err, routes_status(e), e, NULL,
				    "cannot read rules and routes: %s", strerror(e));
	if (!found)
		return routes_fault(err, VPN_EBUSY, 0, "/preference",
				    "no rules are free from preference %u on: `ip rule` shows who "
				    "has them; choose another \"preference\"",
				    (unsigned int)r->options->preference);
	return VPN_OK;
}

/* ---- one run ---- */

/* The kill switch comes before everything, what limits forwarding before its switches, and the rule that leads
 * into our table last. */
static void run_steps(struct routes_run *run)
{
	static bool (*const steps[])(struct routes_run *) = {
		routes_made_lock,  routes_made_forward, routes_made_switches,
		routes_made_guard, routes_made_routes,  routes_made_rules};
	for (size_t i = 0; i < sizeof(steps) / sizeof(steps[0]); i++)
		if (!steps[i](run))
			return;
}

/* Sockets that go into the tunnel themselves would make it a circle. */
static vpn_status check_protected(const struct routes *r, const struct routes_plan *plan,
				  struct vpn_error *err)
{
	bool needed = plan->policy || r->options->kill_switch != ROUTES_KILL_OFF;
	if (!needed || atomic_load(&r->n_protected) != 0)
		return VPN_OK;
	return routes_fault(err, VPN_ENOTSUP, 0, NULL,
			    "the transport at the bottom does not ask for its sockets to be kept "
			    "out of the tunnel (" VPN_EXT_PROTECT "): a full tunnel, \"exclude\" "
			    "and the kill switch cannot work with it");
}

vpn_status routes_work_run(struct routes *r, bool first, uint32_t *ret_repairs,
			   struct vpn_error *err)
{
	struct routes_scene scene = {.port = 0};
	struct routes_plan plan = {.policy = false};
	struct routes_run run = {.routes = r,
				 .plan = &plan,
				 .scene = &scene,
				 .first = first,
				 .now_ns = r->host->now_ns(r->host),
				 .status = VPN_OK,
				 .err = err};
	if (r->again_ns != 0 && run.now_ns >= r->again_ns) {
		r->again_ns = 0;
		r->blocked.n = 0;
	}
	vpn_status status = read_scene(r, &scene, err);
	if (status == VPN_OK)
		status = routes_plan_make(r->options, &scene, &r->place, &plan, err);
	if (status == VPN_OK)
		status = check_protected(r, &plan, err);
	if (status == VPN_OK) {
		run_steps(&run);
		status = run.status;
		if (status != VPN_OK)
			*err = run.first_err;
		follow_way(r, &scene);
		routes_want_warn(r, &scene);
	}
	if (status != VPN_OK && !first)
		routes_made_again(&run, run.now_ns + MINUTE_NS);
	*ret_repairs = run.repairs;
	routes_plan_clear(&plan);
	routes_scene_clear(&scene);
	return status;
}

static void clear_table(struct routes_made_table *t)
{
	free(t->text);
	free(t->listed);
	memset(t, 0, sizeof(*t));
}

void routes_work_clear(struct routes *r)
{
	routes_list_free(&r->routes);
	routes_list_free(&r->rules);
	routes_list_free(&r->switches);
	routes_list_free(&r->blocked);
	routes_want_clear(&r->want);
	r->blocks_dns = false;
	clear_table(&r->guard);
	clear_table(&r->forward);
	clear_table(&r->lock);
}
