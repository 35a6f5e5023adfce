/* SPDX-License-Identifier: BSD-2-Clause */
/* made: the steps of routes_work_run(), one for each kind of object; each adds to *repairs. [main] */
#ifndef ROUTES_MADE_H
#define ROUTES_MADE_H

#include "linux.h"
#include "record.h"

/* State of one run. */
struct routes_run {
	struct routes *routes;
	const struct routes_plan *plan;
	const struct routes_scene *scene;
	bool first;
	uint32_t repairs;
	vpn_status status; /* the first failure */
	struct vpn_error *err;
};

/* Writes a record. */
vpn_status routes_made_note(struct routes *r, uint32_t flags, const struct routes_record *record,
			    uint64_t *ret_id, struct vpn_error *err);

/* Keeps the first failure of a run. Returns whether to go on: not when it is the first run. */
bool routes_made_goes_on(struct routes_run *run, vpn_status status);

bool routes_made_routes(struct routes_run *run);
bool routes_made_rules(struct routes_run *run);
bool routes_made_switches(struct routes_run *run);
bool routes_made_guard(struct routes_run *run);
bool routes_made_lock(struct routes_run *run);

#endif
