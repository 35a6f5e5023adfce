/* SPDX-License-Identifier: BSD-2-Clause */
/* loader: finds plugin files, checks them, loads them through libltdl, and never unloads them. */
#ifndef VPNCORE_CORE_LOADER_H
#define VPNCORE_CORE_LOADER_H

#include <stdbool.h>
#include <stddef.h>
#include <vpncore/plugin.h>

struct loader;

/* A component that can be used. Owned by the loader. */
struct loaded {
	const struct vpn_component *component;
	const struct vpn_plugin *plugin;
	const char *path; /* absolute, or "(built in)" for a preloaded one */
};

/* A file, or a component of one, that was looked at and refused. Owned by the loader. */
struct refused {
	const char *path;
	const char *text;
};

/* Process-wide state of libltdl is set up by the first loader. [main] */
struct loader *loader_new(struct vpn_error *err);
struct loader *loader_free(struct loader *l); /* returns NULL; code stays loaded */

/*
 * Finds a component. With `file` NULL the built-in list is searched, then the directories of
 * VPNCORE_PLUGIN_PATH (colon-separated, absolute; ignored when the program is set-id), then the
 * built-in plugin directory; otherwise `file`, an absolute path, alone is loaded. In each directory the
 * file that is named for the component is tried first, then the others. NULL and *err say what
 * is there instead; loader_refused_at() has each refused file with its reason. [main]
 */
const struct loaded *loader_find(struct loader *l, uint32_t kind, const char *id, const char *file,
				 struct vpn_error *err);

/* Loads everything that the search path has, for `plugin list`. [main] */
void loader_scan(struct loader *l);

/* Loads the files that are named for components of this kind ("driver-tuntap-linux.so"): a choice among
 * them needs no others in memory. [main] */
void loader_scan_kind(struct loader *l, uint32_t kind);

/*
 * From now on components are for another platform than this one: those that the catalog has for it, with
 * the ones in the folder "foreign" of each directory, which are to be looked at only. `platform` must
 * stay. False when there is no memory. [main]
 */
bool loader_set_platform(struct loader *l, const char *platform);

/* Whether a component is for the platform that was set; true when none was. */
bool loader_serves(const struct loader *l, const struct loaded *c);

/* As it was set; NULL = this one. */
const char *loader_platform(const struct loader *l);

/* What has been loaded so far. */
size_t loader_count(const struct loader *l);
const struct loaded *loader_at(const struct loader *l, size_t i);
size_t loader_refused_count(const struct loader *l);
const struct refused *loader_refused_at(const struct loader *l, size_t i);

/* Whether the i-th was found by the search path, not by a path in a manifest. */
bool loader_is_searched(const struct loader *l, size_t i);

const char *loader_kind_name(uint32_t kind); /* "device", "transport", "routes", "dns" */

/* Whether a name can be a component's id: letters, digits, '.', '_', '-', at most 64. */
bool loader_id_is_valid(const char *id);

#endif
