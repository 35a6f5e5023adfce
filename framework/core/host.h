/* SPDX-License-Identifier: BSD-2-Clause */
/* host: the table of services (plugin.h section 10) that an instance gets. */
#ifndef VPNCORE_CORE_HOST_H
#define VPNCORE_CORE_HOST_H

#include "pipeline.h"

/* Fills in->host; `stage` is NULL for routes and dns. [main] */
void host_init(struct instance *in, const struct graph *graph, const struct graph_stage *stage);

/* Fills in what undo() gets, which has no instance: log, clocks and randomness. Keeps both names. [main] */
void host_init_bare(struct vpn_host *host, const char *name, const char *pipeline);

#endif
