/* SPDX-License-Identifier: BSD-2-Clause */
/* deadline by timerfd_create(2). */
#include "deadline.h"

#include <errno.h>
#include <sys/timerfd.h>
#include <time.h>
#include <unistd.h>

#define NS_PER_S UINT64_C(1000000000)

static void on_poll(uv_poll_t *poll, int status, int events)
{
	struct deadline *d = poll->data;
	uint64_t expirations;
	(void)status;
	(void)events;
	if (read(d->fd, &expirations, sizeof(expirations)) != (ssize_t)sizeof(expirations))
		return; /* it was set anew meanwhile */
	d->at_ns = 0;
	d->expired(d->ctx);
}

int deadline_init(struct deadline *d, uv_loop_t *loop, void (*expired)(void *ctx), void *ctx)
{
	*d = (struct deadline){.expired = expired, .ctx = ctx};
	d->fd = timerfd_create(CLOCK_MONOTONIC, TFD_NONBLOCK | TFD_CLOEXEC);
	if (d->fd < 0)
		return uv_translate_sys_error(errno);
	int r = uv_poll_init(loop, &d->handle.poll, d->fd);
	if (r == 0) {
		d->handle.poll.data = d;
		r = uv_poll_start(&d->handle.poll, UV_READABLE, on_poll);
	}
	if (r != 0)
		deadline_clear(d);
	return r;
}

void deadline_set(struct deadline *d, uint64_t at_ns, uint64_t now_ns)
{
	(void)now_ns;
	if (at_ns == d->at_ns)
		return;
	struct itimerspec when = {
		.it_value = {(time_t)(at_ns / NS_PER_S), (long)(at_ns % NS_PER_S)}};
	d->at_ns = at_ns;
	(void)timerfd_settime(d->fd, TFD_TIMER_ABSTIME, &when,
			      NULL); /* cannot fail: fd and time are valid */
}

void deadline_clear(struct deadline *d)
{
	if (d->fd >= 0)
		close(d->fd);
	d->fd = -1;
}
