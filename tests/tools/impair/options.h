/* SPDX-License-Identifier: BSD-2-Clause */
/* options: the command line of impair, checked. */
#ifndef IMPAIR_OPTIONS_H
#define IMPAIR_OPTIONS_H

#include <stdbool.h>
#include <stdint.h>

#include "fate.h"
#include "line.h"
#include "quantity.h"

/* The directions: from clients to the other side, and back. */
enum way { WAY_UP, WAY_DOWN, WAYS };

struct options {
	union endpoint listen, to;
	union endpoint source, client; /* family 0: not given */
	uint64_t seed;
	uint32_t max_flows;
	uint64_t memory; /* bytes of datagrams under way */
	bool realtime;
	struct fate_model fate[WAYS];
	struct line_model line[WAYS];
};

enum options_end { OPTIONS_OK, OPTIONS_HELP, OPTIONS_BAD };

#define OPTIONS_ERROR 256

/*
 * Reads argv[1] to argv[argc - 1]. OPTIONS_BAD: `reterr` says in one line what is wrong with which option.
 * OPTIONS_HELP: help was asked for.
 */
enum options_end options_read(struct options *ret, int argc, char **argv,
			      char reterr[OPTIONS_ERROR]);

/* The text of --help. */
extern const char options_help[];

#endif
