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
	uint64_t now_ns;
	uint32_t repairs;
	vpn_status status;          /* of the first failure */
	struct vpn_error first_err; /* what it said */
	struct vpn_error *err;
};

/* Writes a record. */
vpn_status routes_made_note(struct routes *r, uint32_t flags, const struct routes_record *record,
			    uint64_t *ret_id, struct vpn_error *err);

/* Keeps the first failure of a run. Returns whether to go on: not when it is the first run. */
bool routes_made_goes_on(struct routes_run *run, vpn_status status);

/* Whether a thing that others have taken away or changed is put back: not more often than ten times within a
 * minute, so that it is no fight without end; then an error says so. `text` names the thing. */
bool routes_made_may_repair(struct routes_run *run, struct routes_patience *patience,
			    const char *text);

/* What has failed is tried again when the minute is over. */
void routes_made_again(struct routes_run *run, uint64_t at_ns);

bool routes_made_routes(struct routes_run *run);
bool routes_made_rules(struct routes_run *run);
bool routes_made_switches(struct routes_run *run);
bool routes_made_forward(struct routes_run *run);
bool routes_made_guard(struct routes_run *run);
bool routes_made_lock(struct routes_run *run);

#endif
