/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * ruleset: our three nftables tables as text for libnftables; see nft(8). Pure.
 *
 *   vpncore.NAME           guard: marks of answers, spoofed packets, masquerade, MSS, queries to name
 *                          servers. It has an owner: the kernel removes it with our process.
 *   vpncore-forward.NAME   limits to forwarding, where we have switched it on. It has no owner: it has to be
 *                          there as long as the switch is on, also when our process has died.
 *   vpncore-lock.NAME      kill switch. It has no owner: it stays until somebody removes it.
 *
 * Each text replaces the table as a whole in one transaction.
 */
#ifndef ROUTES_RULESET_H
#define ROUTES_RULESET_H

#include "object.h"
#include "options.h"
#include "scene.h"

struct routes_plan;

struct routes_ruleset {
	const struct routes_options *options;
	const struct routes_scene *scene;
	const struct routes_plan *plan;
	const char *pipeline; /* its name */
	const char *device;
	bool opened4; /* we switch on forwarding, nobody else */
	bool opened6;
};

#define ROUTES_TABLE_NAME 96u

void routes_ruleset_guard_name(const char *pipeline, char buf[ROUTES_TABLE_NAME]);
void routes_ruleset_forward_name(const char *pipeline, char buf[ROUTES_TABLE_NAME]);
void routes_ruleset_lock_name(const char *pipeline, char buf[ROUTES_TABLE_NAME]);

/* Whether a device's name can stand in a ruleset: others would end its quotes, or match more. */
bool routes_ruleset_takes(const char *device);

/* The text, which is the caller's to free(). *ret is NULL when no such table is needed; false without
 * memory. */
bool routes_ruleset_guard(const struct routes_ruleset *r, char **ret);
bool routes_ruleset_forward(const struct routes_ruleset *r, char **ret);
bool routes_ruleset_lock(const struct routes_ruleset *r, char **ret);

#endif
