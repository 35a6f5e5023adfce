/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * hooks: the commands that a pipeline runs when it is up and when it goes down.
 *
 * That it has to run "on_down" is written into the journal before "on_up" is run: after a crash it is run
 * by whoever undoes the rest. Without root there is no journal, and after a crash nobody runs it.
 */
#ifndef VPNCORE_CORE_HOOKS_H
#define VPNCORE_CORE_HOOKS_H

#include "journal.h"
#include "pipeline.h"

#define HOOKS_KIND 0u /* in the journal: no component's */
#define HOOKS_ID   "on_down"

/* Whether the pipeline needs a journal for them. [main] */
bool hooks_want_journal(const struct manifest *m);

/* Runs on_up, one command after the other, until one fails. Call hooks_down() in any case. [main] */
vpn_status hooks_up(struct pipeline *p, struct vpn_error *err);

/* Runs all commands of on_down when hooks_up() was called. The first error is returned. Idempotent. [main] */
vpn_status hooks_down(struct pipeline *p, struct vpn_error *err);

/* Runs on_down as the journal has it, for undo_entry(). */
vpn_status hooks_undo(const struct journal_entry *e, struct vpn_error *err);

#endif
