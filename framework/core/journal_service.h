/* SPDX-License-Identifier: BSD-2-Clause */
/* journal_service: the journal of a running pipeline, as its components see it: VPN_EXT_JOURNAL. */
#ifndef VPNCORE_CORE_JOURNAL_SERVICE_H
#define VPNCORE_CORE_JOURNAL_SERVICE_H

#include "journal.h"
#include "loader.h"
#include "reaper.h"

struct journal_service {
	struct journal *journal; /* NULL = not open */
	struct loader *loader;   /* to find who can undo */
	struct reaper reaper;
	bool asked;        /* for a reaper: it is there, or was said to be absent */
	unsigned n_failed; /* changes that could not be undone at the end */
};

/*
 * Undoes what dead instances have left, and opens the journal of this one when `wanted`. What cannot be
 * undone is logged and is no reason not to start. VPN_EBUSY when a pipeline of this name runs, and what
 * journal_open() returns. [main]
 */
vpn_status journal_service_begin(struct journal_service *s, const char *pipeline, bool wanted,
				 struct loader *loader, struct vpn_error *err);

/* Undoes what plans and commands have left in the journal, but what is to be kept: what a device or
 * transport has written down it undoes itself, in stop(). [main] */
void journal_service_undo_plans(struct journal_service *s);

/* Undoes what these have left, and closes the journal. VPN_EIO when something could not be undone, here or
 * by journal_service_undo_plans(). Idempotent. [main] */
vpn_status journal_service_end(struct journal_service *s, struct vpn_error *err);

/* Writes a change down, and has a reaper before the first one. [main] */
vpn_status journal_service_add(struct journal_service *s, const struct journal_entry *e,
			       uint64_t *ret_number, struct vpn_error *err);

/* The service; its `inst` is a struct instance. */
extern const struct vpn_journal_ext journal_service_ext;

#endif
