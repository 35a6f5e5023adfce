/* SPDX-License-Identifier: BSD-2-Clause */
#include "mainloop.h"

#include <stdlib.h>

#include "fault.h"
#include "lane.h"

struct main_watch {
	uv_poll_t poll;
	struct main_watch *next;
	struct mainloop *m;
	int fd;
	int wanted; /* UV_READABLE, UV_WRITABLE */
	void (*ready)(void *ctx, int fd, uint32_t events);
	void *ctx;
};

struct main_timer {
	uv_timer_t timer;
	struct main_timer *next;
	struct mainloop *m;
	uint64_t deadline_ns;
	void (*expired)(void *ctx);
	void *ctx;
};

struct main_post {
	struct main_post *next;
	void (*fn)(void *ctx);
	void *ctx;
};

struct main_waker {
	uv_async_t async;
	struct mainloop *m; /* NULL when it is gone */
};

/* The handle is the first member of what it belongs to. */
static void free_handle(uv_handle_t *handle)
{
	free(handle);
}

static void end_handle(uv_handle_t *handle)
{
	if (!uv_is_closing(handle))
		uv_close(handle, free_handle);
}

/* ---- descriptors --------------------------------------------------------------------------------- */

static void on_poll(uv_poll_t *poll, int status, int events);

static bool is_there(const struct mainloop *m, const struct main_watch *w)
{
	const struct main_watch *at = m->watches;
	while (at != NULL && at != w)
		at = at->next;
	return at != NULL;
}

/* libuv stops polling what has an error; here it is told, and polled on for as long as it is watched. Who
 * looks for data only meets the error when it reads. */
static void on_poll(uv_poll_t *poll, int status, int events)
{
	struct main_watch *w = (struct main_watch *)poll;
	struct mainloop *m = w->m;
	uint32_t seen = status < 0 ? VPN_POLLERR : 0;
	if (status < 0)
		events = w->wanted;
	if ((events & UV_READABLE) != 0)
		seen |= VPN_POLLIN;
	if ((events & UV_WRITABLE) != 0)
		seen |= VPN_POLLOUT;
	w->ready(w->ctx, w->fd, seen);
	if (status < 0 && is_there(m, w))
		uv_poll_start(&w->poll, w->wanted, on_poll);
}

static void remove_watch(struct main_watch **at)
{
	struct main_watch *w = *at;
	*at = w->next;
	uv_poll_stop(&w->poll);
	end_handle((uv_handle_t *)&w->poll);
}

static struct main_watch *add_watch(struct mainloop *m, int fd)
{
	struct main_watch *w = calloc(1, sizeof(*w));
	if (w == NULL || uv_poll_init(m->loop, &w->poll, fd) != 0) {
		free(w);
		return NULL;
	}
	w->fd = fd;
	w->m = m;
	w->next = m->watches;
	m->watches = w;
	return w;
}

static vpn_status watch(void *inst, int fd, uint32_t events,
			void (*ready)(void *ctx, int fd, uint32_t events), void *ctx)
{
	struct mainloop *m = inst;
	struct main_watch **at = &m->watches;
	while (*at != NULL && (*at)->fd != fd)
		at = &(*at)->next;
	if (events == 0) {
		if (*at != NULL)
			remove_watch(at);
		return VPN_OK;
	}
	struct main_watch *w = *at != NULL ? *at : add_watch(m, fd);
	if (w == NULL)
		return VPN_EIO;
	w->ready = ready;
	w->ctx = ctx;
	w->wanted = (events & VPN_POLLIN) != 0 ? UV_READABLE : 0;
	if ((events & VPN_POLLOUT) != 0)
		w->wanted |= UV_WRITABLE;
	return uv_poll_start(&w->poll, w->wanted, on_poll) == 0 ? VPN_OK : VPN_EIO;
}

/* ---- deadlines ----------------------------------------------------------------------------------- */

static void start_timer(struct main_timer *t);

/* The loop's clock stands still while it works, and counts milliseconds. */
static void on_timer(uv_timer_t *timer)
{
	struct main_timer *t = (struct main_timer *)timer;
	struct main_timer **at = &t->m->timers;
	if (lane_now_ns() < t->deadline_ns) {
		start_timer(t);
		return;
	}
	while (*at != t)
		at = &(*at)->next;
	*at = t->next;
	end_handle((uv_handle_t *)&t->timer);
	t->expired(t->ctx);
}

static void start_timer(struct main_timer *t)
{
	uint64_t now = lane_now_ns();
	uint64_t left = t->deadline_ns > now ? t->deadline_ns - now : 0;
	uv_update_time(t->m->loop);
	uv_timer_start(&t->timer, on_timer, (left + 999999) / 1000000, 0);
}

static vpn_status arm(void *inst, uint64_t deadline_ns, void (*expired)(void *ctx), void *ctx)
{
	struct mainloop *m = inst;
	struct main_timer **at = &m->timers;
	while (*at != NULL && ((*at)->expired != expired || (*at)->ctx != ctx))
		at = &(*at)->next;
	struct main_timer *t = *at;
	if (t != NULL && deadline_ns == 0) {
		*at = t->next;
		end_handle((uv_handle_t *)&t->timer);
	}
	if (deadline_ns == 0)
		return VPN_OK;
	if (t == NULL) {
		t = calloc(1, sizeof(*t));
		if (t == NULL)
			return VPN_ENOMEM;
		uv_timer_init(m->loop, &t->timer);
		t->m = m;
		t->expired = expired;
		t->ctx = ctx;
		t->next = m->timers;
		m->timers = t;
	}
	t->deadline_ns = deadline_ns;
	start_timer(t);
	return VPN_OK;
}

/* ---- calls --------------------------------------------------------------------------------------- */

static struct main_post *take_posts(struct mainloop *m)
{
	pthread_mutex_lock(&m->lock);
	struct main_post *posts = m->posts;
	m->posts = NULL;
	pthread_mutex_unlock(&m->lock);
	return posts;
}

static void free_posts(struct main_post *p)
{
	while (p != NULL) {
		struct main_post *next = p->next;
		free(p);
		p = next;
	}
}

/* One at a time: a call may take the instance's other ones away. */
static void on_wake(uv_async_t *async)
{
	const struct main_waker *w = (const struct main_waker *)async;
	struct main_post *p = w->m != NULL ? take_posts(w->m) : NULL;
	while (p != NULL) {
		struct main_post *next = p->next;
		if (w->m != NULL)
			p->fn(p->ctx);
		free(p);
		p = next;
	}
}

static vpn_status post(void *inst, void (*fn)(void *ctx), void *ctx)
{
	struct mainloop *m = inst;
	vpn_status status = VPN_OK;
	pthread_mutex_lock(&m->lock);
	struct main_post **at = &m->posts;
	while (*at != NULL && ((*at)->fn != fn || (*at)->ctx != ctx))
		at = &(*at)->next;
	if (*at == NULL && m->waker != NULL) {
		struct main_post *p = calloc(1, sizeof(*p));
		if (p == NULL) {
			status = VPN_ENOMEM;
		} else {
			p->fn = fn;
			p->ctx = ctx;
			*at = p;
			uv_async_send(&m->waker->async);
		}
	}
	pthread_mutex_unlock(&m->lock);
	return status;
}

/* ---- the whole ----------------------------------------------------------------------------------- */

const struct vpn_loop_ext mainloop_ext = {
	.size = sizeof(mainloop_ext), .watch = watch, .arm = arm, .post = post};

vpn_status mainloop_init(struct mainloop *m, uv_loop_t *loop, struct vpn_error *err)
{
	*m = (struct mainloop){.loop = loop};
	pthread_mutex_init(&m->lock, NULL);
	if (loop == NULL)
		return VPN_OK;
	m->waker = calloc(1, sizeof(*m->waker));
	int e = m->waker != NULL ? uv_async_init(loop, &m->waker->async, on_wake) : UV_ENOMEM;
	if (e == 0) {
		m->waker->m = m;
		uv_unref((uv_handle_t *)&m->waker->async);
		return VPN_OK;
	}
	free(m->waker);
	m->waker = NULL;
	return fault(err, VPN_EIO, -e, "the event loop takes no more");
}

void mainloop_clear(struct mainloop *m)
{
	reconcile_clear(m);
	while (m->watches != NULL)
		remove_watch(&m->watches);
	while (m->timers != NULL) {
		struct main_timer *t = m->timers;
		m->timers = t->next;
		end_handle((uv_handle_t *)&t->timer);
	}
	pthread_mutex_lock(&m->lock);
	struct main_waker *w = m->waker;
	m->waker = NULL;
	pthread_mutex_unlock(&m->lock);
	free_posts(take_posts(m));
	if (w != NULL) {
		w->m = NULL;
		end_handle((uv_handle_t *)&w->async);
	}
}
