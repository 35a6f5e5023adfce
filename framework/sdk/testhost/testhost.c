/* SPDX-License-Identifier: BSD-2-Clause */
/* testhost: time, chance, reports, and the loop that does what is due. */
#include <poll.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "internal.h"

#define START_NOW  UINT64_C(1000000000000)       /* 1000 s after the start of the machine */
#define START_WALL UINT64_C(1700000000000000000) /* November 2023 */

static testhost_report_fn report_fn;
static void *report_ctx;

void testhost_on_report(testhost_report_fn fn, void *ctx)
{
	report_fn = fn;
	report_ctx = ctx;
}

void report(const char *file, int line, const char *format, ...)
{
	char text[4096];
	int before = host_begin();
	va_list args;
	va_start(args, format);
	vsnprintf(text, sizeof(text), format, args);
	va_end(args);
	if (report_fn == NULL) {
		fprintf(stderr, "%s:%d: %s\n", file, line, text);
		abort();
	}
	report_fn(report_ctx, file, line, text);
	host_end(before);
}

void *get(size_t n)
{
	void *p = calloc(1, n);
	if (p == NULL)
		abort();
	return p;
}

char *get_text(const char *text)
{
	size_t n = strlen(text) + 1;
	return memcpy(get(n), text, n);
}

/* splitmix64 */
uint64_t rng_next(uint64_t *state)
{
	uint64_t z = *state += UINT64_C(0x9e3779b97f4a7c15);
	z = (z ^ z >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
	z = (z ^ z >> 27) * UINT64_C(0x94d049bb133111eb);
	return z ^ z >> 31;
}

bool fault_hits(struct fault *f)
{
	if (f->left == 0 || --f->left != 0)
		return false;
	f->left = f->again;
	return true;
}

struct testhost *testhost_new(uint64_t seed)
{
	struct testhost *h = calloc(1, sizeof(*h));
	if (h == NULL)
		return NULL;
	pthread_mutex_init(&h->lock, NULL);
	h->thread = pthread_self();
	h->now = START_NOW;
	h->wall = START_WALL;
	h->rng = seed;
	store_init(&h->store);
	return h;
}

static void free_lists(struct testhost *h)
{
	while (h->scripts != NULL) {
		struct script *s = h->scripts;
		h->scripts = s->next;
		free(s->name);
		free(s->endpoints);
		free(s);
	}
	while (h->services != NULL) {
		struct service *s = h->services;
		h->services = s->next;
		free(s);
	}
	for (size_t i = 0; i < h->n_lines; i++)
		free(h->lines[i].text);
	free(h->lines);
	for (size_t i = 0; i < h->n_asked; i++)
		free(h->asked[i]);
	free(h->asked);
}

struct testhost *testhost_free(struct testhost *h)
{
	if (h == NULL)
		return NULL;
	while (h->stages != NULL)
		testhost_remove(h->stages);
	free_lists(h);
	store_clear(&h->store);
	pthread_mutex_destroy(&h->lock);
	free(h);
	return NULL;
}

uint64_t testhost_now(const struct testhost *h)
{
	return h->now;
}

void testhost_set_wall(struct testhost *h, uint64_t ns_since_1970)
{
	h->wall = ns_since_1970;
}

uint64_t testhost_random(struct testhost *h)
{
	pthread_mutex_lock(&h->lock);
	uint64_t value = rng_next(&h->rng);
	pthread_mutex_unlock(&h->lock);
	return value;
}

bool testhost_logged(const struct testhost *h, uint32_t level, const char *text)
{
	for (size_t i = 0; i < h->n_lines; i++)
		if ((level == UINT32_MAX || h->lines[i].level == level) &&
		    strstr(h->lines[i].text, text) != NULL)
			return true;
	return false;
}

/* Calls ready() for a wake until the stage has nothing left. Returns the number of calls. */
static uint32_t run_wake(struct part *part)
{
	uint32_t calls = 1;
	while (testhost_ready(part->stage, part->pub.index, VPN_TOKEN_WAKE, 0) == VPN_MORE &&
	       calls < REST_MAX)
		calls++;
	return calls;
}

static uint32_t run_part(struct part *part, uint64_t now)
{
	uint32_t calls = 0;
	if (atomic_exchange(&part->woken, false))
		calls += run_wake(part);
	if (part->questions != NULL) {
		part_answer(part);
		calls++;
	}
	if (part->deadline != 0 && part->deadline <= now) {
		stage_timer(part);
		calls++;
	}
	return calls;
}

static uint32_t run_once(struct testhost *h)
{
	uint32_t calls = 0;
	for (struct testhost_stage *s = h->stages; s != NULL; s = s->next)
		for (uint32_t i = 0; s->state == STATE_RUNNING && i < s->setup.n_lanes; i++)
			calls += run_part(&s->parts[i], h->now);
	return calls + wires_deliver(h);
}

void testhost_run(struct testhost *h)
{
	uint32_t calls, sum = 0;
	while ((calls = run_once(h)) != 0) {
		sum += calls;
		if (sum < REST_MAX)
			continue;
		REPORT("a component does not come to rest: %u calls and time stands still",
		       (unsigned)sum);
		return;
	}
}

static uint64_t sooner(uint64_t a, uint64_t b)
{
	return a < b ? a : b;
}

uint64_t testhost_next_event(const struct testhost *h)
{
	uint64_t next = wires_next(h);
	for (const struct testhost_stage *s = h->stages; s != NULL; s = s->next)
		for (uint32_t i = 0; s->state == STATE_RUNNING && i < s->setup.n_lanes; i++) {
			const struct part *part = &s->parts[i];
			if (part->deadline != 0)
				next = sooner(next, part->deadline);
			if (part->questions != NULL || atomic_load(&part->woken))
				next = sooner(next, h->now);
		}
	return next;
}

static void set_now(struct testhost *h, uint64_t now)
{
	h->wall += now - h->now;
	h->now = now;
}

void testhost_advance(struct testhost *h, uint64_t ns)
{
	uint64_t target = h->now + ns;
	testhost_run(h);
	for (;;) {
		uint64_t next = testhost_next_event(h);
		if (next > target || next <= h->now) /* the latter only after a report */
			break;
		set_now(h, next);
		testhost_run(h);
	}
	set_now(h, target);
}

/* What is watched, over all stages and lanes. */
struct watched {
	struct part *part;
	struct testhost_watch watch;
};

static size_t collect(const struct testhost *h, struct watched **ret)
{
	size_t n = 0;
	*ret = NULL;
	for (struct testhost_stage *s = h->stages; s != NULL; s = s->next)
		for (uint32_t i = 0; i < s->setup.n_lanes; i++)
			for (uint32_t k = 0; k < s->parts[i].n_watches; k++) {
				*ret = realloc(*ret, (n + 1) * sizeof(**ret));
				if (*ret == NULL)
					abort();
				(*ret)[n++] = (struct watched){&s->parts[i],
							       s->parts[i].watches[k]};
			}
	return n;
}

static bool still_watched(const struct watched *w)
{
	for (uint32_t i = 0; i < w->part->n_watches; i++)
		if (w->part->watches[i].fd == w->watch.fd &&
		    w->part->watches[i].token == w->watch.token)
			return true;
	return false;
}

static uint32_t events_of(short revents)
{
	uint32_t events = 0;
	if ((revents & POLLIN) != 0)
		events |= VPN_POLLIN;
	if ((revents & POLLOUT) != 0)
		events |= VPN_POLLOUT;
	if ((revents & (POLLERR | POLLHUP | POLLNVAL)) != 0)
		events |= VPN_POLLERR;
	return events;
}

uint32_t testhost_poll(struct testhost *h, int timeout_ms)
{
	struct watched *watched;
	size_t n = collect(h, &watched);
	struct pollfd *fds = get((n + 1) * sizeof(*fds));
	uint32_t called = 0;
	for (size_t i = 0; i < n; i++) {
		fds[i].fd = watched[i].watch.fd;
		if ((watched[i].watch.events & VPN_POLLIN) != 0)
			fds[i].events |= POLLIN;
		if ((watched[i].watch.events & VPN_POLLOUT) != 0)
			fds[i].events |= POLLOUT;
	}
	if (poll(fds, (nfds_t)n, timeout_ms) <= 0)
		n = 0;
	for (size_t i = 0; i < n; i++) {
		struct part *part = watched[i].part;
		uint32_t events = events_of(fds[i].revents);
		if (events == 0 || part->stage->state != STATE_RUNNING ||
		    !still_watched(&watched[i]))
			continue;
		testhost_ready(part->stage, part->pub.index, watched[i].watch.token, events);
		called++;
	}
	free(fds);
	free(watched);
	return called;
}

void testhost_answer(struct testhost *h, const char *name, vpn_status status,
		     const struct vpn_endpoint *endpoints, uint32_t n)
{
	struct script *s = get(sizeof(*s));
	s->name = get_text(name);
	s->status = status;
	s->endpoints = get((n + 1) * sizeof(*endpoints));
	if (n != 0)
		memcpy(s->endpoints, endpoints, n * sizeof(*endpoints));
	s->n = n;
	s->next = h->scripts;
	h->scripts = s;
}

uint32_t testhost_resolve_calls(const struct testhost *h, const char *name)
{
	uint32_t n = 0;
	for (size_t i = 0; i < h->n_asked; i++)
		n += strcmp(h->asked[i], name) == 0;
	return n;
}

void testhost_serve(struct testhost *h, const char *id, const void *functions, void *inst)
{
	struct service *s = get(sizeof(*s));
	*s = (struct service){.next = h->services, .id = id, .functions = functions, .inst = inst};
	h->services = s;
}

void testhost_fail_alloc(struct testhost *h, uint32_t n, bool again)
{
	h->alloc = (struct fault){.left = n, .again = again ? n : 0};
}

void testhost_fail_service(struct testhost *h, uint32_t n, vpn_status status)
{
	h->service = (struct fault){.left = n, .status = status};
}
