/* SPDX-License-Identifier: BSD-2-Clause */
#include "load.h"

#include <stdio.h>
#include <string.h>

#include "advice.h"
#include "fault.h"
#include "ops.h"

#define TRIES      5
#define PAUSE_MS   1000u
#define TIMEOUT_MS 20000u
#define OUTPUT     4096u

static const char kextload[] = "/sbin/kextload";
static const char kextutil[] = "/usr/bin/kextutil";
static const char kextunload[] = "/sbin/kextunload";
static const char kmutil[] = "/usr/bin/kmutil";

/* Runs one; an error of ours stands in `output` as if the program had printed it. */
static void run(const char *const *argv, char output[OUTPUT])
{
	int status = 0;
	int e = darwin_ops.run(argv, TIMEOUT_MS, output, OUTPUT, &status);
	if (e != 0)
		snprintf(output, OUTPUT, "%s: %s", argv[0], strerror(e));
}

static bool is_loaded(const char *id)
{
	struct tap_loaded now;
	if (tap_kext_list(&now) != 0)
		return false;
	return id[0] != '\0' ? tap_kext_is_loaded(&now, id) : now.n_tap != 0;
}

static void load_once(const struct tap_found *f, char output[OUTPUT])
{
	const char *const old[] = {kextload, f->path, NULL};
	const char *const fresh[] = {kmutil, "load", "-p", f->path, NULL};
	run(darwin_ops.exists(kextload) ? old : fresh, output);
}

/* The thorough one: says why, and loads where kextload would not. */
static void load_by_kextutil(const struct tap_found *f, char output[OUTPUT])
{
	const char *const argv[] = {kextutil, "-d", f->path, "-b", f->id, NULL};
	if (f->id[0] != '\0' && darwin_ops.exists(kextutil))
		run(argv, output);
}

/* What can be known before it is tried; TAP_LOAD_FAILED: nothing. */
static enum tap_reason foresee(const struct tap_system *s, const struct tap_found *f)
{
	static const char folder[] = "/Library/Extensions/";
	const struct tap_kext *known = tap_kext_by_id(f->id);
	if (s->apple_silicon && known != NULL && !known->apple_silicon)
		return TAP_WRONG_CPU;
	if (tap_system_is_at_least(s, 11, 0) && strncmp(f->path, folder, sizeof(folder) - 1) != 0)
		return TAP_WRONG_PLACE;
	return TAP_LOAD_FAILED;
}

/* Whether the user has approved it already: then it is the restart that is missing. Root may read the
 * system's list of decisions, a database of SQLite. */
static bool is_approved(const char *id)
{
	static const char sqlite[] = "/usr/bin/sqlite3";
	static const char list[] = "/private/var/db/SystemPolicyConfiguration/KextPolicy";
	char query[160], output[OUTPUT];
	const char *const argv[] = {sqlite, "-readonly", list, query, NULL};
	if (tap_kext_by_id(id) == NULL || !darwin_ops.exists(list))
		return false;
	snprintf(query, sizeof(query), "SELECT allowed FROM kext_policy WHERE bundle_id = '%s'",
		 id);
	run(argv, output);
	return strcmp(output, "1\n") == 0;
}

vpn_status tap_load(const struct tap_system *system, const struct tap_found *found,
		    struct vpn_error *err)
{
	char output[OUTPUT] = "";
	enum tap_reason reason = foresee(system, found);
	if (reason != TAP_LOAD_FAILED)
		return tap_advice_explain(reason, system, found, "", err);
	for (int i = 0; i < TRIES; i++) {
		if (i != 0)
			darwin_ops.sleep_ms(PAUSE_MS);
		load_once(found, output);
		if (is_loaded(found->id))
			return VPN_OK;
		reason = tap_advice_classify(output);
		if (tap_advice_is_final(reason))
			break;
	}
	if (!tap_advice_is_final(reason)) {
		load_by_kextutil(found, output);
		if (is_loaded(found->id))
			return VPN_OK;
		if (reason == TAP_LOAD_FAILED)
			reason = tap_advice_classify(output);
	}
	if (reason == TAP_NOT_APPROVED && tap_system_is_at_least(system, 11, 0) &&
	    is_approved(found->id))
		reason = TAP_NEEDS_RESTART;
	return tap_advice_explain(reason, system, found, output, err);
}

vpn_status tap_unload(const char *id, struct vpn_error *err)
{
	const char *const old[] = {kextunload, "-b", id, NULL};
	const char *const fresh[] = {kmutil, "unload", "-b", id, NULL};
	char output[OUTPUT] = "";
	struct tap_loaded now;
	int e = tap_kext_list(&now);
	if (e == 0 && !tap_kext_is_loaded(&now, id))
		return VPN_OK;
	run(darwin_ops.exists(kextunload) ? old : fresh, output);
	e = tap_kext_list(&now);
	if (e != 0)
		return darwin_fault(err, darwin_status(e), e, NULL,
				    "cannot see whether %s is unloaded: %s", id, strerror(e));
	if (!tap_kext_is_loaded(&now, id))
		return VPN_OK;
	return darwin_fault(err, VPN_EBUSY, 0, NULL,
			    "%s stays loaded: another program may have one of its devices open",
			    id);
}
