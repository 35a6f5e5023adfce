/* SPDX-License-Identifier: BSD-2-Clause */
/* serve: brings a pipeline up, serves signals, takes it down. */
#ifndef VPNCORE_CLI_SERVE_H
#define VPNCORE_CLI_SERVE_H

#include <stdbool.h>

#include "graph.h"
#include "pipeline.h"

struct serve_hooks {
	/* Everything is up; false takes it down again, with exit status 1. [main] */
	bool (*up)(void *ctx, struct pipeline *p);
	/* A component has failed while all was up: the exit status. NULL: 1. [main] */
	int (*failed)(void *ctx, const struct vpn_error *err);
	void *ctx;
};

/* Runs the pipeline until SIGTERM, SIGINT or a failure, and returns the exit status; `hooks` may be
 * NULL. Starts threads. When the resolver cannot be waited for, the process ends here. [main] */
int serve_graph(const struct graph *g, const struct serve_hooks *hooks);

#endif
