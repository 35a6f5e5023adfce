/* SPDX-License-Identifier: BSD-2-Clause */
/* undo: undoes what journals hold, by the components that made the changes. All functions are [main]. */
#ifndef VPNCORE_CORE_UNDO_H
#define VPNCORE_CORE_UNDO_H

#include "journal.h"
#include "loader.h"

#define UNDO_WAIT_MS 10000u /* for another one who undoes the same */

#define UNDO_KEPT   0x0001u /* VPN_JOURNAL_KEEP as well */
#define UNDO_FORGET 0x0002u /* forgets what cannot be undone */
#define UNDO_ASKED  0x0004u /* somebody has asked for it: files are adopted (aside_adopt_files()) */
#define UNDO_PLANS  0x0008u /* only what is not of a device or transport */
#define UNDO_STAGES 0x0010u /* only what is of a device or transport */

struct undo_result {
	unsigned n_undone;
	unsigned n_failed;
	unsigned n_kept;   /* left, because they are to be kept */
	unsigned n_busy;   /* instances that run */
	unsigned n_away;   /* instances with changes of other network namespaces, which are left */
	unsigned n_unread; /* instances whose journal could not be opened */
};

/* Undoes one change and forgets it. When it fails *err says why and the change stays in the journal. */
vpn_status undo_entry(struct journal *j, struct loader *loader, struct journal_entry *e,
		      struct vpn_error *err);

/* Undoes all changes of an open journal, the newest first; one that fails is logged, and the others go
 * on. Those of another network namespace are left, or forgotten with UNDO_FORGET. Adds to *result. */
void undo_journal(struct journal *j, struct loader *loader, uint32_t flags,
		  struct undo_result *result);

/* The same for the instance `key`, whose journal is opened and closed. What cannot be opened is logged and
 * counted; an instance that runs is counted only. Adds to *result. */
void undo_instance(const char *key, enum state_role role, unsigned wait_ms, struct loader *loader,
		   uint32_t flags, struct undo_result *result);

/* The same for all instances but `except` (NULL = none). */
vpn_status undo_all(const char *except, struct loader *loader, uint32_t flags, unsigned wait_ms,
		    struct undo_result *result, struct vpn_error *err);

#endif
