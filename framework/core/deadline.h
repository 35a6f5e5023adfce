/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * deadline: one timer of a lane's loop, set to an absolute time of the monotonic clock. Exact where
 * the system has a nanosecond timer with a descriptor (deadline_linux.c), else to a millisecond
 * (deadline_uv.c).
 */
#ifndef VPNCORE_CORE_DEADLINE_H
#define VPNCORE_CORE_DEADLINE_H

#include <stdint.h>
#include <uv.h>

struct deadline {
	union {
		uv_poll_t poll;
		uv_timer_t timer;
	} handle;
	int fd;
	uint64_t at_ns; /* as set last; 0 = not set */
	void (*expired)(void *ctx);
	void *ctx;
};

/* Returns 0 or a libuv error. The handle is closed by uv_close() on deadline_handle(). */
int deadline_init(struct deadline *d, uv_loop_t *loop, void (*expired)(void *ctx), void *ctx);
void deadline_set(struct deadline *d, uint64_t at_ns, uint64_t now_ns); /* 0 = off */

/* Gives up the descriptor; call after the loop's handles are closed. */
void deadline_clear(struct deadline *d);

#endif
