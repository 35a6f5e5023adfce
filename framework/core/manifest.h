/* SPDX-License-Identifier: BSD-2-Clause */
/* manifest: a pipeline's JSON file, read, checked and turned into components with their options. */
#ifndef VPNCORE_CORE_MANIFEST_H
#define VPNCORE_CORE_MANIFEST_H

#include <stdbool.h>
#include <stdint.h>
#include <vpncore/plugin.h>

#include "choice.h"
#include "hook_list.h"
#include "loader.h"
#include "position.h"
#include "problems.h"

#define MANIFEST_LANES_MAX  64u
#define MANIFEST_STAGES_MAX 16u
#define MANIFEST_BYTES_MAX  (16u << 20)

struct manifest_part {
	const struct loaded *loaded;
	void *config;  /* struct of the component's option table; NULL when it has no options */
	char *pointer; /* "/pipeline/1" */
	char *name;    /* for messages: the id, with ".2" and so on when it stands twice */
	int line, column;
	struct choice choice; /* of "auto"; no items where the component is named */
};

/*
 * Top-level keys: "vpncore" (must be 1), "name" (default: the file's name without its ending; letters,
 * digits, '-', '_', '.'), "pipeline" (required), "routes", "dns", "allow_insecure" (false), "lanes"
 * (1..64, default 1), "batch" (1..256, default 128), "log" { "level": error|warn|info|debug, "format":
 * text|json }, "on_up", "on_down" (commands: hook_list.h), "hook_timeout" ("30s"), "description", "$schema" and any key beginning with "//" (comments, ignored everywhere).
 *
 * A stage has "device" (an id, or "auto") or "transport" (an id), may have "plugin" (the absolute path
 * of a file to load it from), and has the options of its component beside them. "routes" and "dns" have
 * "backend" (an id, default "auto"), "plugin", and the options of theirs.
 */
struct manifest {
	struct loader *loader; /* that found the components */
	char *file;
	char *name;
	struct manifest_part stages[MANIFEST_STAGES_MAX]; /* device first, bottom transport last */
	size_t n_stages;
	struct manifest_part routes; /* loaded == NULL when absent */
	struct manifest_part dns;
	bool allow_insecure;
	uint32_t lanes;
	uint32_t batch;
	uint32_t log_level; /* VPN_LOG_* */
	bool log_json;
	struct hook_list on_up, on_down;
	uint64_t hook_timeout_ns;    /* of one command */
	struct positions *positions; /* of the JSON text; NULL in a manifest that was not parsed */
};

/*
 * Reads and checks the file: syntax, keys, plugins, options, each component's validate(). All
 * problems of one pass go to *problems. Returns the manifest, or NULL when any error was found.
 * Loads plugin code; touches nothing else. [main]
 */
struct manifest *manifest_load(const char *file, struct loader *loader, struct problems *problems);

/* The same from memory; `file` is for messages and for relative paths of secrets. */
struct manifest *manifest_parse(const char *file, const char *text, size_t len,
				struct loader *loader, struct problems *problems);

/* Wipes and frees. Accepts NULL, returns NULL. */
struct manifest *manifest_free(struct manifest *m);

#endif
