/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * quiet: gives memory back while a pipeline carries nothing. When no lane has worked for a while the lanes
 * give up the memory of their packets, and then the process the code that it does not run just now: trim.h.
 * The next packet brings back what it needs, and pays for it with page faults. While packets move this
 * costs a timer each time that a pause could have been long enough; while they rest it costs nothing.
 */
#ifndef VPNCORE_CORE_QUIET_H
#define VPNCORE_CORE_QUIET_H

#include <stdbool.h>
#include <uv.h>

#include "pipeline.h"

#define QUIET_AFTER_MS 3000u /* longer than the pauses of someone who types, or of ping(8) */
#define QUIET_LANES_MS 100u  /* for the lanes to give up theirs */

struct quiet {
	uv_timer_t timer;
	uv_async_t stirred;
	struct pipeline *pipeline; /* NULL = not watched */
	uint64_t after_ms;
	bool resting; /* the lanes were asked to */
};

/* Adds its handles to the loop, whose owner closes them. 0, or libuv's error. [main] */
int quiet_init(struct quiet *q, uv_loop_t *loop);

/* Trims at once, and from now on whenever no lane has worked for after_ms, or up to twice as long. [main] */
void quiet_watch(struct quiet *q, struct pipeline *pipeline, uint64_t after_ms);

/* The pipeline is about to stop: it is not asked any more. [main] */
void quiet_end(struct quiet *q);

/* For pipeline_events.stirred, after quiet_init() and until its handles are closed. [any] */
void quiet_stir(struct quiet *q);

#endif
