/* SPDX-License-Identifier: BSD-2-Clause */
#include "lane.h"

#include <netdb.h>
#include <netinet/in.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "fault.h"

uint64_t lane_now_ns(void)
{
	return uv_hrtime();
}

static struct lane_part *part_of(struct vpn_lane *pub)
{
	return pub->host_private;
}

/* ---- tasks ---- */

static void enqueue(struct lane *l, struct task *t, uint32_t events)
{
	t->events |= events;
	if (t->queued)
		return;
	t->queued = true;
	t->next = NULL;
	*l->last = t;
	l->last = &t->next;
}

static struct task *dequeue(struct lane *l)
{
	struct task *t = l->first;
	l->first = t->next;
	if (l->first == NULL)
		l->last = &l->first;
	t->queued = false;
	return t;
}

static void forget(struct lane *l, struct task *t)
{
	struct task **at = &l->first;
	if (!t->queued)
		return;
	while (*at != t)
		at = &(*at)->next;
	*at = t->next;
	if (*at == NULL)
		l->last = at;
	t->queued = false;
	t->events = 0;
}

static int poll_events(uint32_t wanted)
{
	return ((wanted & VPN_POLLIN) != 0 ? UV_READABLE : 0) |
	       ((wanted & VPN_POLLOUT) != 0 ? UV_WRITABLE : 0);
}

static void on_poll(uv_poll_t *poll, int status, int events)
{
	struct watch *w = poll->data;
	uint32_t got = ((events & UV_READABLE) != 0 ? VPN_POLLIN : 0) |
		       ((events & UV_WRITABLE) != 0 ? VPN_POLLOUT : 0);
	if (status < 0) {
		/* libuv stops a descriptor that reports an error alone; the error may well pass */
		w->stopped = true;
		got = VPN_POLLERR | w->wanted;
	}
	enqueue(w->task.part->lane, &w->task, got);
}

static uint32_t run_ready(struct lane_part *p, struct task *t, uint32_t events)
{
	uint64_t token = t->watch != NULL ? t->watch->token : VPN_TOKEN_WAKE;
	if (p->flow->ready == NULL)
		return VPN_IDLE;
	uint32_t more = p->flow->ready(p->inst, &p->pub, token, events);
	if (t->watch != NULL && t->watch->stopped && t->watch->wanted != 0) {
		t->watch->stopped = false;
		uv_poll_start(&t->watch->poll, poll_events(t->watch->wanted), on_poll);
	}
	return more;
}

static void run_task(struct lane *l, struct task *t)
{
	struct lane_part *p = t->part;
	uint32_t events = t->events;
	uint32_t more = VPN_IDLE;
	t->events = 0;
	switch (t->kind) {
	case TASK_READY:
		more = run_ready(p, t, events);
		break;
	case TASK_WRITABLE_UP:
		if (p->flow->writable != NULL)
			more = p->flow->writable(p->inst, &p->pub, VPN_UP);
		break;
	case TASK_WRITABLE_DOWN:
		if (p->flow->writable != NULL)
			more = p->flow->writable(p->inst, &p->pub, VPN_DOWN);
		break;
	}
	if (more == VPN_MORE && (t->watch == NULL || t->watch->wanted != 0))
		enqueue(l, t, events);
}

/* ---- the turn ---- */

static void refresh_clock(struct lane *l)
{
	uint64_t now = lane_now_ns();
	for (size_t i = 0; i < l->n_parts; i++)
		l->parts[i].pub.now_ns = now;
}

static void run_timers(struct lane *l)
{
	uint64_t now = l->parts[0].pub.now_ns;
	for (size_t i = 0; i < l->n_parts; i++) {
		struct lane_part *p = &l->parts[i];
		if (p->deadline_ns == 0 || p->deadline_ns > now)
			continue;
		p->deadline_ns = 0;
		if (p->flow->timer != NULL)
			p->flow->timer(p->inst, &p->pub, now);
	}
}

/* Runs while the lane does not sleep: whoever else wants the processor goes first. */
static void on_idle(uv_idle_t *idle)
{
	const struct lane *l = idle->data;
	if (l->first == NULL)
		sched_yield();
}

/* Reads the clock and runs what is due: between batches too, so that load delays no timer. */
static void tick(struct lane *l)
{
	refresh_clock(l);
	run_timers(l);
}

/* Whether to poll once more instead of sleeping. Lingering takes from a credit that grows with time. */
static bool may_linger(struct lane *l, bool worked)
{
	struct lane_linger *g = &l->linger;
	uint64_t now = lane_now_ns();
	uint64_t passed = now - g->seen_ns;
	if (worked)
		g->worked_ns = now;
	g->seen_ns = now;
	g->credit_ns += passed / LANE_LINGER_SHARE;
	if (g->credit_ns > LANE_LINGER_MOST)
		g->credit_ns = LANE_LINGER_MOST;
	if (g->on)
		g->credit_ns -= passed < g->credit_ns ? passed : g->credit_ns;
	g->on = l->first == NULL && now < g->worked_ns + LANE_LINGER_NS && g->credit_ns != 0;
	return g->on;
}

/* The first work after a pause is told of; what follows only reads a flag. */
static void stir(struct lane *l)
{
	if (atomic_load_explicit(&l->stirred, memory_order_relaxed))
		return;
	atomic_store(&l->stirred, true);
	if (l->on_stir != NULL)
		l->on_stir(l->on_stir_ctx);
}

/* By turns, until the budget is spent; who is left is first in the next turn. */
static void run_tasks(struct lane *l)
{
	uint64_t end = 0;
	while (l->first != NULL) {
		tick(l);
		uint64_t now = l->parts[0].pub.now_ns;
		if (end == 0)
			end = now + LANE_BUDGET_NS;
		else if (now >= end)
			break;
		if (l->first != NULL) /* a timer may have ended its watch */
			run_task(l, dequeue(l));
	}
}

static void on_check(uv_check_t *check)
{
	struct lane *l = check->data;
	bool working = l->first != NULL;
	if (working || l->expired)
		stir(l);
	if (l->expired && !working)
		tick(l);
	l->expired = false;
	run_tasks(l);
	if (may_linger(l, working) || l->first != NULL)
		uv_idle_start(&l->idle, on_idle);
	else
		uv_idle_stop(&l->idle);
}

static void on_prepare(uv_prepare_t *prepare)
{
	struct lane *l = prepare->data;
	uint64_t next = 0;
	for (size_t i = 0; i < l->n_parts; i++) {
		uint64_t at = l->parts[i].deadline_ns;
		if (at != 0 && (next == 0 || at < next))
			next = at;
	}
	deadline_set(&l->deadline, next, l->parts[0].pub.now_ns);
}

static void on_expired(void *ctx)
{
	struct lane *l = ctx;
	l->expired = true;
}

static void on_async(uv_async_t *async)
{
	struct lane *l = async->data;
	if (atomic_load(&l->stopping)) {
		uv_stop(&l->loop);
		return;
	}
	if (atomic_exchange(&l->resting, false))
		pool_rest(&l->pool);
	for (size_t i = 0; i < l->n_parts; i++)
		if (atomic_exchange(&l->parts[i].woken, false))
			enqueue(l, &l->parts[i].wake, 0);
}

/* ---- services ---- */

uint32_t lane_alloc(struct vpn_lane *pub, uint32_t pool, struct vpn_packet **out, uint32_t n)
{
	return pool_alloc(&part_of(pub)->lane->pool, pool, pub->now_ns, out, n);
}

void lane_release(struct vpn_lane *pub, struct vpn_packet **pkts, uint32_t n)
{
	pool_release(&part_of(pub)->lane->pool, pkts, n);
}

uint32_t lane_split(struct vpn_lane *pub, struct vpn_packet *parent, uint32_t piece_len,
		    struct vpn_packet **out, uint32_t n)
{
	return pool_split(&part_of(pub)->lane->pool, parent, piece_len, out, n);
}

static struct watch *find_watch(struct lane_part *p, int fd)
{
	struct watch *w = p->watches;
	while (w != NULL && w->fd != fd)
		w = w->next;
	return w;
}

static vpn_status add_watch(struct lane_part *p, int fd, struct watch **ret)
{
	struct watch *w = calloc(1, sizeof(*w));
	if (w == NULL)
		return VPN_ENOMEM;
	if (uv_poll_init(&p->lane->loop, &w->poll, fd) != 0) {
		free(w);
		return VPN_EIO;
	}
	w->poll.data = w;
	w->fd = fd;
	w->task = (struct task){.part = p, .watch = w, .kind = TASK_READY};
	w->next = p->watches;
	p->watches = w;
	*ret = w;
	return VPN_OK;
}

vpn_status lane_watch(struct vpn_lane *pub, int fd, uint32_t events, uint64_t token)
{
	struct lane_part *p = part_of(pub);
	struct watch *w = find_watch(p, fd);
	vpn_status status = VPN_OK;
	if (fd < 0)
		return VPN_EINVAL;
	if (w == NULL && events == 0)
		return VPN_OK;
	if (w == NULL)
		status = add_watch(p, fd, &w);
	if (status != VPN_OK)
		return status;
	w->token = token;
	if (events == w->wanted && !w->stopped)
		return VPN_OK;
	w->wanted = events;
	w->stopped = false;
	if (events == 0) {
		uv_poll_stop(&w->poll);
		forget(p->lane, &w->task);
		return VPN_OK;
	}
	if (uv_poll_start(&w->poll, poll_events(events), on_poll) == 0)
		return VPN_OK;
	w->wanted = 0;
	return VPN_EIO;
}

void lane_arm(struct vpn_lane *pub, uint64_t deadline_ns)
{
	part_of(pub)->deadline_ns = deadline_ns;
}

void lane_writable(struct vpn_lane *pub, uint32_t direction)
{
	struct lane_part *p = part_of(pub);
	struct lane_part *to = direction == VPN_DOWN ? p->above : p->below;
	if (to != NULL)
		enqueue(p->lane, direction == VPN_DOWN ? &to->writable_down : &to->writable_up, 0);
}

void lane_wake(struct lane_part *part)
{
	atomic_store(&part->woken, true);
	uv_async_send(&part->lane->async);
}

static uint32_t endpoints_of(const struct addrinfo *list, uint16_t port, struct vpn_endpoint *out,
			     uint32_t max)
{
	uint32_t n = 0;
	for (; list != NULL && n < max; list = list->ai_next) {
		struct vpn_endpoint *e = &out[n];
		memset(e, 0, sizeof(*e));
		if (list->ai_family == AF_INET) {
			const struct sockaddr_in *sin = (const void *)list->ai_addr;
			e->family = VPN_AF_INET;
			memcpy(e->addr, &sin->sin_addr, 4);
		} else if (list->ai_family == AF_INET6) {
			const struct sockaddr_in6 *sin6 = (const void *)list->ai_addr;
			e->family = VPN_AF_INET6;
			e->scope = sin6->sin6_scope_id;
			memcpy(e->addr, &sin6->sin6_addr, 16);
		} else {
			continue;
		}
		e->port = port;
		n++;
	}
	return n;
}

static void on_lookup(uv_getaddrinfo_t *request, int status, struct addrinfo *list)
{
	struct lookup *k = request->data;
	struct vpn_endpoint found[16];
	uint32_t n = endpoints_of(status == 0 ? list : NULL, k->port, found, 16);
	struct lane_part *p = k->part;
	if (p != NULL) {
		struct lookup **at = &p->lane->lookups;
		while (*at != k)
			at = &(*at)->next;
		*at = k->next;
		p->pub.now_ns = lane_now_ns();
		p->flow->resolved(p->inst, &p->pub, k->token, n != 0 ? VPN_OK : VPN_EADDR, found,
				  n);
	}
	uv_freeaddrinfo(list);
	free(k);
}

vpn_status lane_resolve(struct vpn_lane *pub, const char *name, uint16_t port, uint32_t family,
			uint64_t token)
{
	struct lane_part *p = part_of(pub);
	struct addrinfo hints = {.ai_socktype = SOCK_DGRAM, .ai_family = AF_UNSPEC};
	if (p->flow->resolved == NULL)
		return VPN_EINVAL;
	if (family == VPN_AF_INET)
		hints.ai_family = AF_INET;
	if (family == VPN_AF_INET6)
		hints.ai_family = AF_INET6;
	struct lookup *k = calloc(1, sizeof(*k));
	if (k == NULL)
		return VPN_ENOMEM;
	k->request.data = k;
	k->part = p;
	k->token = token;
	k->port = port;
	if (uv_getaddrinfo(&p->lane->loop, &k->request, on_lookup, name, NULL, &hints) != 0) {
		free(k);
		return VPN_EADDR;
	}
	k->next = p->lane->lookups;
	p->lane->lookups = k;
	return VPN_OK;
}

/* ---- making and unmaking ---- */

static int init_handles(struct lane *l)
{
	int r = uv_loop_init(&l->loop);
	if (r != 0)
		return r;
	l->has_loop = true;
	uv_prepare_init(&l->loop, &l->prepare);
	uv_check_init(&l->loop, &l->check);
	uv_idle_init(&l->loop, &l->idle);
	l->prepare.data = l;
	l->idle.data = l;
	l->check.data = l;
	uv_prepare_start(&l->prepare, on_prepare);
	uv_check_start(&l->check, on_check);
	r = uv_async_init(&l->loop, &l->async, on_async);
	if (r != 0)
		return r;
	l->has_async = true;
	l->async.data = l;
	return deadline_init(&l->deadline, &l->loop, on_expired, l);
}

struct lane *lane_new(uint32_t index, size_t n_parts, const struct pool_shape *shape,
		      struct vpn_error *err)
{
	struct lane *l = calloc(1, sizeof(*l));
	if (l == NULL) {
		fault(err, VPN_ENOMEM, 0, "out of memory for lane %u", index);
		return NULL;
	}
	l->index = index;
	l->last = &l->first;
	l->deadline.fd = -1;
	l->parts = calloc(n_parts, sizeof(*l->parts));
	if (l->parts == NULL || pool_init(&l->pool, shape) != VPN_OK) {
		fault(err, VPN_ENOMEM, 0, "out of memory for the packets of lane %u", index);
		return lane_free(l, NULL);
	}
	l->n_parts = n_parts;
	int r = init_handles(l);
	if (r != 0) {
		fault(err, VPN_EIO, -r, "cannot make the event loop of lane %u: %s", index,
		      uv_strerror(r));
		return lane_free(l, NULL);
	}
	return l;
}

vpn_status lane_set_part(struct lane *l, size_t i, const char *name, const struct vpn_flow *flow,
			 void *inst, uint32_t n_counters, uint32_t max_batch)
{
	struct lane_part *p = &l->parts[i];
	p->lane = l;
	p->flow = flow;
	p->inst = inst;
	p->name = name;
	p->wake = (struct task){.part = p, .kind = TASK_READY};
	p->writable_up = (struct task){.part = p, .kind = TASK_WRITABLE_UP};
	p->writable_down = (struct task){.part = p, .kind = TASK_WRITABLE_DOWN};
	p->counters = calloc(n_counters + 1, sizeof(*p->counters));
	p->pub = (struct vpn_lane){
		.size = sizeof(p->pub),
		.index = l->index,
		.counters = p->counters,
		.now_ns = lane_now_ns(),
		.max_batch = max_batch,
		.host_private = p,
	};
	return p->counters != NULL ? VPN_OK : VPN_ENOMEM;
}

void lane_wire(struct lane *l)
{
	for (size_t i = 0; i + 1 < l->n_parts; i++) {
		struct lane_part *up = &l->parts[i], *down = &l->parts[i + 1];
		up->below = down;
		down->above = up;
		link_init(&up->link_down, down->flow->send, down->inst, &down->pub);
		link_init(&down->link_up, up->flow->recv, up->inst, &up->pub);
		up->pub.down = &up->link_down.pub;
		down->pub.up = &down->link_up.pub;
	}
}

void lane_tell_stir(struct lane *l, void (*on_stir)(void *ctx), void *ctx)
{
	l->on_stir = on_stir;
	l->on_stir_ctx = ctx;
}

bool lane_quiet(struct lane *l)
{
	return !atomic_exchange(&l->stirred, false);
}

void lane_rest(struct lane *l)
{
	atomic_store(&l->resting, true);
	uv_async_send(&l->async);
}

static void run(void *arg)
{
	struct lane *l = arg;
	uv_run(&l->loop, UV_RUN_DEFAULT);
}

vpn_status lane_run(struct lane *l, struct vpn_error *err)
{
	sigset_t all, old;
	/* signals belong to the control thread */
	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &old);
	int r = uv_thread_create(&l->thread, run, l);
	pthread_sigmask(SIG_SETMASK, &old, NULL);
	if (r != 0)
		return fault(err, VPN_EIO, -r, "cannot start the thread of lane %u: %s", l->index,
			     uv_strerror(r));
	l->has_thread = true;
	return VPN_OK;
}

void lane_halt(struct lane *l)
{
	if (l == NULL || !l->has_thread)
		return;
	atomic_store(&l->stopping, true);
	uv_async_send(&l->async);
	uv_thread_join(&l->thread);
	l->has_thread = false;
}

static void close_handle(uv_handle_t *handle, void *arg)
{
	(void)arg;
	if (!uv_is_closing(handle))
		uv_close(handle, NULL);
}

/* Cancels lookups; true when one is still running in the resolver. */
static bool abandon_lookups(struct lane *l)
{
	bool busy = false;
	struct lookup *next;
	for (struct lookup *k = l->lookups; k != NULL; k = next) {
		next = k->next;
		k->part = NULL;
		if (uv_cancel((uv_req_t *)&k->request) != 0)
			busy = true;
	}
	l->lookups = NULL;
	return busy;
}

static void free_parts(struct lane *l)
{
	for (size_t i = 0; i < l->n_parts; i++) {
		struct lane_part *p = &l->parts[i];
		while (p->watches != NULL) {
			struct watch *w = p->watches;
			p->watches = w->next;
			free(w);
		}
		free(p->counters);
	}
	free(l->parts);
}

struct lane *lane_free(struct lane *l, bool *ret_busy)
{
	if (l == NULL)
		return NULL;
	bool busy = false;
	if (l->has_loop) {
		busy = abandon_lookups(l);
		uv_walk(&l->loop, close_handle, NULL);
		/* handles close, cancelled lookups come back; a running one is not waited for */
		while (uv_run(&l->loop, UV_RUN_NOWAIT) != 0 && !busy)
			;
	}
	deadline_clear(&l->deadline);
	free_parts(l);
	pool_clear(&l->pool);
	if (l->has_loop && !busy)
		uv_loop_close(&l->loop);
	if (busy && ret_busy != NULL)
		*ret_busy = true;
	if (!busy)
		free(l);
	return NULL;
}
