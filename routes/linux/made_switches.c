/* SPDX-License-Identifier: BSD-2-Clause */
/* made_switches: values under /proc/sys. */
#include <errno.h>
#include <string.h>

#include "fault.h"
#include "made.h"
#include "switch.h"

static vpn_status note(struct routes_run *run, const struct routes_switch *set, const char *before,
		       uint64_t *ret_id)
{
	struct routes_record record = {.version = ROUTES_RECORD_VERSION,
				       .kind = ROUTES_KIND_SWITCH};
	record.u.change.set = *set;
	memcpy(record.u.change.before, before, sizeof(record.u.change.before));
	return routes_made_note(run->routes, 0, &record, ret_id, run->err);
}

/* The records of what goes along come first, so that they are undone last. */
static vpn_status note_along(struct routes_run *run, const struct routes_switch *set)
{
	struct routes_list along = {.items = NULL};
	vpn_status status = VPN_OK;
	uint64_t id = 0;
	int e = routes_switch_along(set->path, &along);
	if (e != 0)
		status = routes_fault(run->err, routes_status(e), e, NULL,
				      "cannot read what depends on %s: %s", set->path, strerror(e));
	for (uint32_t i = 0; i < along.n && status == VPN_OK; i++) {
		const struct routes_along *a = (struct routes_along *)along.items + i;
		status = note(run, &a->set, a->before, &id);
	}
	routes_list_free(&along);
	return status;
}

static vpn_status set_fault(struct vpn_error *err, int e, const struct routes_switch *set)
{
	return routes_fault(err, routes_status(e), e, NULL, "cannot set %s to %s: %s%s", set->path,
			    set->value, strerror(e),
			    e == EROFS ? ": /proc/sys is read-only, set it outside of the container"
				       : "");
}

static vpn_status turn(struct routes_run *run, const struct routes_switch *set, const char *before)
{
	uint64_t id = 0;
	vpn_status status = note_along(run, set);
	if (status == VPN_OK)
		status = note(run, set, before, &id);
	if (status != VPN_OK)
		return status;
	int e = routes_switch_write(set->path, set->value);
	if (e == 0)
		return VPN_OK;
	run->routes->journal->forget(run->routes->journal_inst, id);
	return set_fault(run->err, e, set);
}

static struct routes_made_switch *find(struct routes *r, const struct routes_switch *set)
{
	struct routes_made_switch *m = r->switches.items;
	for (uint32_t i = 0; i < r->switches.n; i++)
		if (strcmp(m[i].set.path, set->path) == 0)
			return &m[i];
	return NULL;
}

static vpn_status keep(struct routes_run *run, const struct routes_switch *set)
{
	struct routes *r = run->routes;
	struct routes_made_switch *known = find(r, set);
	char now[ROUTES_SWITCH_VALUE];
	int e = routes_switch_read(set->path, now);
	if (e != 0)
		return set_fault(run->err, e, set);
	bool right = strcmp(now, set->value) == 0;
	if (known == NULL) {
		struct routes_made_switch m = {.set = *set, .was_off = !right};
		if (!routes_list_add(&r->switches, &m, sizeof(m)))
			return routes_fault(run->err, VPN_ENOMEM, 0, NULL, "out of memory");
		return right ? VPN_OK : turn(run, set, now);
	}
	if (right)
		return VPN_OK;
	if (!routes_made_may_repair(run, &known->patience, set->path))
		return VPN_OK;
	routes_log(r->host, VPN_LOG_WARN, "%s was set to %s by another program: set to %s again",
		   set->path, now, set->value);
	if (!known->was_off) {
		known->was_off = true;
		return turn(run, set, now);
	}
	e = routes_switch_write(set->path, set->value);
	return e == 0 ? VPN_OK : set_fault(run->err, e, set);
}

bool routes_made_switches(struct routes_run *run)
{
	const struct routes_switch *set = run->plan->switches.items;
	bool goes_on = true;
	for (uint32_t i = 0; i < run->plan->switches.n && goes_on; i++)
		goes_on = routes_made_goes_on(run, keep(run, &set[i]));
	return goes_on;
}
