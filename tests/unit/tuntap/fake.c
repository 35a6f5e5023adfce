/* SPDX-License-Identifier: BSD-2-Clause */
#include "fake.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define HEADROOM 64u
#define TAILROOM 32u

static struct fake *fake_of(const struct vpn_lane *lane)
{
	return lane->host_private;
}

static uint64_t clock_ns(void)
{
	struct timespec t;
	clock_gettime(CLOCK_MONOTONIC, &t);
	return (uint64_t)t.tv_sec * UINT64_C(1000000000) + (uint64_t)t.tv_nsec;
}

static void on_log(const struct vpn_host *host, uint32_t level, const char *text)
{
	struct fake *f = host->ctx;
	size_t used = strlen(f->log);
	(void)level;
	snprintf(f->log + used, sizeof(f->log) - used, "%s\n", text);
}

static uint64_t on_now(const struct vpn_host *host)
{
	(void)host;
	return clock_ns();
}

/* Each packet is an allocation of its own, so that a sanitizer sees every byte too far. */
static struct vpn_packet *new_packet(uint32_t data)
{
	struct vpn_packet *p = aligned_alloc(64, sizeof(*p));
	assert_non_null(p);
	memset(p, 0, sizeof(*p));
	p->cap = HEADROOM + data + TAILROOM;
	p->buf = malloc(p->cap);
	assert_non_null(p->buf);
	p->off = HEADROOM;
	return p;
}

static uint32_t on_alloc(struct vpn_lane *lane, uint32_t pool, struct vpn_packet **out, uint32_t n)
{
	struct fake *f = fake_of(lane);
	(void)pool;
	if (n > f->pool)
		n = f->pool;
	for (uint32_t i = 0; i < n; i++)
		out[i] = new_packet(f->host.mtu_above);
	f->pool -= n;
	f->taken += n;
	return n;
}

static void on_release(struct vpn_lane *lane, struct vpn_packet **pkts, uint32_t n)
{
	struct fake *f = fake_of(lane);
	for (uint32_t i = 0; i < n; i++) {
		free(pkts[i]->buf);
		free(pkts[i]);
	}
	assert_true(n <= f->taken);
	f->pool += n;
	f->taken -= n;
}

static vpn_status on_watch(struct vpn_lane *lane, int fd, uint32_t events, uint64_t token)
{
	struct fake *f = fake_of(lane);
	uint32_t at = FAKE_WATCHES;
	for (uint32_t i = FAKE_WATCHES; i-- > 0;) {
		if (f->watches[i].lane == NULL && at == FAKE_WATCHES)
			at = i;
		if (f->watches[i].lane == lane && f->watches[i].fd == fd)
			at = i;
	}
	for (uint32_t i = 0; i < FAKE_WATCHES; i++)
		if (f->watches[i].lane == lane && f->watches[i].fd == fd)
			at = i;
	if (events == 0 && f->watches[at].lane == NULL)
		return VPN_OK;
	assert_true(at < FAKE_WATCHES);
	f->watches[at].lane = events != 0 ? lane : NULL;
	f->watches[at].fd = fd;
	f->watches[at].events = events;
	f->watches[at].token = token;
	return VPN_OK;
}

static void on_arm(struct vpn_lane *lane, uint64_t deadline_ns)
{
	fake_of(lane)->deadline[lane->index] = deadline_ns;
}

static void on_notify(const struct vpn_host *host, uint32_t event, uint64_t value)
{
	struct fake *f = host->ctx;
	(void)value;
	if (f->n_events < FAKE_EVENTS)
		f->events[f->n_events++] = event;
}

static void on_fail(const struct vpn_host *host, const struct vpn_error *err)
{
	struct fake *f = host->ctx;
	assert_false(f->failed);
	f->failed = true;
	f->failure = *err;
}

static void capture(struct fake *f, const struct vpn_packet *p)
{
	struct fake_packet *c = &f->captured[f->n_captured++];
	assert_true(f->n_captured <= FAKE_CAPTURED);
	assert_true(p->off + p->len + TAILROOM <= p->cap);
	assert_int_equal(p->off, HEADROOM);
	c->data = malloc(p->len != 0 ? p->len : 1);
	assert_non_null(c->data);
	memcpy(c->data, p->buf + p->off, p->len);
	c->len = p->len;
	c->flags = p->flags;
}

static uint32_t on_push(void *ctx, struct vpn_packet **pkts, uint32_t n)
{
	struct vpn_lane *lane = ctx;
	struct fake *f = fake_of(lane);
	assert_true(n != 0 && n <= lane->max_batch);
	f->pushes++;
	if (f->on_packet != NULL) {
		f->on_packet(f, lane, pkts, n);
		return n;
	}
	if (n > f->accept)
		n = f->accept;
	f->accept -= n;
	for (uint32_t i = 0; i < n; i++)
		capture(f, pkts[i]);
	on_release(lane, pkts, n);
	return n;
}

static void init_host(struct fake *f, uint32_t n_lanes, uint32_t mtu_above)
{
	f->host = (struct vpn_host){
		.size = sizeof(f->host),
		.abi_major = VPN_ABI_MAJOR,
		.n_lanes = n_lanes,
		.log_level = VPN_LOG_DEBUG,
		.mtu_above = mtu_above,
		.mtu_below = mtu_above,
		.name = "tuntap-linux",
		.pipeline = "test",
		.ctx = f,
		.log = on_log,
		.now_ns = on_now,
		.alloc = on_alloc,
		.release = on_release,
		.watch = on_watch,
		.arm = on_arm,
		.notify = on_notify,
		.fail = on_fail,
	};
}

void fake_init(struct fake *f, uint32_t n_lanes, uint32_t mtu_above)
{
	memset(f, 0, sizeof(*f));
	init_host(f, n_lanes, mtu_above);
	f->pool = 4096;
	f->accept = UINT32_MAX;
	f->down = (struct vpn_link){.size = sizeof(f->down), .ctx = &f->lanes[0], .push = on_push};
	for (uint32_t i = 0; i < n_lanes; i++) {
		f->lanes[i] = (struct vpn_lane){
			.size = sizeof(f->lanes[i]),
			.index = i,
			.down = &f->down,
			.counters = f->counters[i],
			.now_ns = clock_ns(),
			.max_batch = 64,
			.host_private = f,
		};
		f->lane_list[i] = &f->lanes[i];
	}
}

void fake_check_clean(struct fake *f)
{
	for (uint32_t i = 0; i < f->n_captured; i++)
		free(f->captured[i].data);
	f->n_captured = 0;
	for (uint32_t i = 0; i < FAKE_WATCHES; i++)
		assert_null(f->watches[i].lane);
	assert_int_equal(f->taken, 0);
}

int fake_turn(struct fake *f, const struct vpn_flow *flow, void *inst, int timeout_ms)
{
	struct pollfd fds[FAKE_WATCHES];
	uint32_t at[FAKE_WATCHES];
	nfds_t n = 0;
	int had = 0;
	for (uint32_t i = 0; i < FAKE_WATCHES; i++) {
		if (f->watches[i].lane == NULL)
			continue;
		fds[n] = (struct pollfd){.fd = f->watches[i].fd, .events = POLLIN};
		at[n++] = i;
	}
	if (poll(fds, n, timeout_ms) <= 0)
		return 0;
	for (nfds_t i = 0; i < n; i++) {
		uint32_t w = at[i];
		uint32_t events = (fds[i].revents & POLLIN ? VPN_POLLIN : 0) |
				  (fds[i].revents & POLLERR ? VPN_POLLERR : 0);
		if (events == 0 || f->watches[w].lane == NULL || f->watches[w].fd != fds[i].fd)
			continue;
		had++;
		f->watches[w].lane->now_ns = clock_ns();
		flow->ready(inst, f->watches[w].lane, f->watches[w].token, events);
	}
	return had;
}

uint32_t fake_watched(const struct fake *f, int fd)
{
	for (uint32_t i = 0; i < FAKE_WATCHES; i++)
		if (f->watches[i].lane != NULL && f->watches[i].fd == fd)
			return f->watches[i].events;
	return 0;
}

struct vpn_packet *fake_packet(struct fake *f, const void *data, uint32_t len, uint32_t flags)
{
	struct vpn_packet *p = new_packet(len);
	memcpy(p->buf + p->off, data, len);
	p->len = len;
	p->flags = flags;
	f->taken++;
	return p;
}

bool fake_saw_event(const struct fake *f, uint32_t event)
{
	for (uint32_t i = 0; i < f->n_events; i++)
		if (f->events[i] == event)
			return true;
	return false;
}
