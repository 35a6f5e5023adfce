/* SPDX-License-Identifier: BSD-2-Clause */
/* deadline by libuv's timer, which counts milliseconds. */
#include "deadline.h"

#define NS_PER_MS UINT64_C(1000000)

static void on_timer(uv_timer_t *timer)
{
	struct deadline *d = timer->data;
	d->at_ns = 0;
	d->expired(d->ctx);
}

int deadline_init(struct deadline *d, uv_loop_t *loop, void (*expired)(void *ctx), void *ctx)
{
	*d = (struct deadline){.fd = -1, .expired = expired, .ctx = ctx};
	d->handle.timer.data = d;
	return uv_timer_init(loop, &d->handle.timer);
}

void deadline_set(struct deadline *d, uint64_t at_ns, uint64_t now_ns)
{
	if (at_ns == d->at_ns)
		return;
	d->at_ns = at_ns;
	if (at_ns == 0) {
		uv_timer_stop(&d->handle.timer);
		return;
	}
	uint64_t wait_ns = at_ns > now_ns ? at_ns - now_ns : 0;
	uv_update_time(d->handle.timer.loop);
	uv_timer_start(&d->handle.timer, on_timer, (wait_ns + NS_PER_MS - 1) / NS_PER_MS, 0);
}

void deadline_clear(struct deadline *d)
{
	(void)d;
}
