/* SPDX-License-Identifier: BSD-2-Clause */
/* world: a folder with a resolv.conf, and a host whose journal outlives the process, for tests of dns/file. */
#ifndef TEST_DNS_WORLD_H
#define TEST_DNS_WORLD_H

#include <stdbool.h>
#include <vpncore/plugin.h>

#include "options.h"

#define WORLD_RECORDS 64

struct world_record {
	bool is_there;
	uint32_t flags, len;
	char data[66000] __attribute__((aligned(8)));
};

/* In memory that is shared with children. */
struct world {
	struct world_record records[WORLD_RECORDS];
	uint32_t n;
	bool journal_fails;
	char logged[8192];
};

struct world *world_new(void); /* with a new folder; one at a time */
void world_free(struct world *w);

extern char world_folder[64];
extern char world_path[96]; /* of its resolv.conf */

const struct vpn_host *world_host(void);

/* Options for its resolv.conf with one server and one domain. */
const struct dns_file_options *world_options(void);

/* Every name in the folder with what it is and what it says, as text. Temporary names are not hidden. */
void world_picture(char *buf, size_t cap);

void world_write(const char *name, const char *text);
void world_read(const char *name, char *buf, size_t cap); /* "" when there is none */

/* What reaper, next start and cleanup do: the newest first; records of failed ones stay. The number of those. */
uint32_t world_undo_all(void);

uint32_t world_count(void); /* records that are there */

/* The component, as the host has it. */
const struct vpn_component *world_component(void);

#endif
