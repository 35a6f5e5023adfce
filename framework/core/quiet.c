/* SPDX-License-Identifier: BSD-2-Clause */
#include "quiet.h"

#include "trim.h"

static void on_timer(uv_timer_t *timer);

static void wait_for_quiet(struct quiet *q, uint64_t ms)
{
	uv_timer_start(&q->timer, on_timer, ms, 0);
}

static void on_timer(uv_timer_t *timer)
{
	struct quiet *q = timer->data;
	bool rested = q->resting;
	q->resting = false;
	if (!pipeline_quiet(q->pipeline)) {
		wait_for_quiet(q, q->after_ms);
	} else if (!rested) {
		pipeline_rest(q->pipeline);
		q->resting = true;
		wait_for_quiet(q, QUIET_LANES_MS);
	} else {
		trim_memory(); /* and nothing more until a lane stirs */
	}
}

static void on_stirred(uv_async_t *async)
{
	struct quiet *q = async->data;
	if (q->pipeline != NULL && !uv_is_active((uv_handle_t *)&q->timer))
		wait_for_quiet(q, q->after_ms);
}

int quiet_init(struct quiet *q, uv_loop_t *loop)
{
	uv_timer_init(loop, &q->timer);
	q->timer.data = q;
	q->stirred.data = q;
	q->pipeline = NULL;
	q->resting = false;
	return uv_async_init(loop, &q->stirred, on_stirred);
}

void quiet_watch(struct quiet *q, struct pipeline *pipeline, uint64_t after_ms)
{
	q->pipeline = pipeline;
	q->after_ms = after_ms;
	trim_memory();
	wait_for_quiet(q, after_ms);
}

void quiet_end(struct quiet *q)
{
	q->pipeline = NULL;
	uv_timer_stop(&q->timer);
}

void quiet_stir(struct quiet *q)
{
	uv_async_send(&q->stirred);
}
