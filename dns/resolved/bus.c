/* SPDX-License-Identifier: BSD-2-Clause */
#include "bus.h"

#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "trouble.h"

#define MESSAGES 64 /* that one turn of the loop takes */

uint64_t resolved_bus_now(void)
{
	struct timespec now;
	clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec * 1000000u + (uint64_t)now.tv_nsec / 1000u;
}

int resolved_bus_open(struct resolved_bus *b, struct vpn_error *err)
{
	memset(b, 0, sizeof(*b));
	b->fd = -1;
	int r = sd_bus_open_system(&b->bus);
	if (r >= 0)
		return 0;
	b->bus = NULL;
	resolved_trouble_no_bus(err, -r);
	return -r;
}

/* ---- without the loop ---- */

int resolved_bus_drive(struct resolved_bus *b, const bool *done, uint64_t deadline)
{
	while (!*done) {
		int r = sd_bus_process(b->bus, NULL);
		if (r < 0)
			return -r;
		if (r > 0)
			continue;
		uint64_t now = resolved_bus_now();
		if (now >= deadline)
			return ETIMEDOUT;
		r = sd_bus_wait(b->bus, deadline - now);
		if (r < 0 && r != -EINTR)
			return -r;
	}
	return 0;
}

int resolved_bus_method(struct resolved_bus *b, const char *method, sd_bus_message **ret)
{
	int r = sd_bus_message_new_method_call(b->bus, ret, RESOLVED_NAME, RESOLVED_PATH,
					       RESOLVED_MANAGER, method);
	if (r >= 0)
		r = sd_bus_message_set_auto_start(*ret, 0);
	return r < 0 ? -r : 0;
}

struct answer {
	bool done;
	sd_bus_message *message;
};

static int on_answer(sd_bus_message *m, void *ctx, sd_bus_error *ret_error)
{
	struct answer *a = ctx;
	(void)ret_error;
	a->message = sd_bus_message_ref(m);
	a->done = true;
	return 0;
}

int resolved_bus_call(struct resolved_bus *b, sd_bus_message *m, uint64_t deadline,
		      sd_bus_error *ret_error, sd_bus_message **ret_reply)
{
	struct answer a = {.done = false};
	sd_bus_slot *slot = NULL;
	/* the deadline is ours to keep */
	int r = sd_bus_call_async(b->bus, &slot, m, on_answer, &a, UINT64_MAX);
	int e = r < 0 ? -r : resolved_bus_drive(b, &a.done, deadline);
	sd_bus_slot_unref(slot);
	if (e == 0 && sd_bus_message_is_method_error(a.message, NULL)) {
		e = sd_bus_message_get_errno(a.message);
		e = e != 0 ? e : EIO;
		sd_bus_error_copy(ret_error, sd_bus_message_get_error(a.message));
	}
	if (e == 0 && ret_reply != NULL)
		*ret_reply = sd_bus_message_ref(a.message);
	sd_bus_message_unref(a.message);
	return e;
}

int resolved_bus_ask(struct resolved_bus *b, const char *method, const char *argument,
		     uint64_t deadline, sd_bus_message **ret_reply)
{
	sd_bus_message *m = NULL;
	sd_bus_error said = SD_BUS_ERROR_NULL;
	int r = sd_bus_message_new_method_call(b->bus, &m, "org.freedesktop.DBus",
					       "/org/freedesktop/DBus", "org.freedesktop.DBus",
					       method);
	if (r >= 0 && argument != NULL)
		r = sd_bus_message_append(m, "s", argument);
	int e = r < 0 ? -r : resolved_bus_call(b, m, deadline, &said, ret_reply);
	sd_bus_error_free(&said);
	sd_bus_message_unref(m);
	return e;
}

int resolved_bus_ping(struct resolved_bus *b, uint64_t deadline, sd_bus_error *ret_error)
{
	sd_bus_message *m = NULL;
	int r = sd_bus_message_new_method_call(b->bus, &m, RESOLVED_NAME, RESOLVED_PATH,
					       "org.freedesktop.DBus.Peer", "Ping");
	int e = r < 0 ? -r : resolved_bus_call(b, m, deadline, ret_error, NULL);
	sd_bus_message_unref(m);
	return e;
}

/* ---- with the loop ---- */

static void on_ready(void *ctx, int fd, uint32_t events);
static void on_time(void *ctx);

static void detach(struct resolved_bus *b)
{
	if (b->loop == NULL)
		return;
	b->loop->watch(b->loop_inst, b->fd, 0, NULL, NULL);
	b->loop->arm(b->loop_inst, 0, on_time, b);
	b->loop = NULL;
}

static void lose(struct resolved_bus *b, int error)
{
	detach(b);
	b->lost(b->ctx, error);
}

/* Tells the loop what sd-bus waits for now. */
static int wait_on(struct resolved_bus *b)
{
	uint64_t until = 0, now = resolved_bus_now(), at = 0;
	int events = sd_bus_get_events(b->bus);
	if (events < 0)
		return -events;
	int r = sd_bus_get_timeout(b->bus, &until);
	if (r < 0)
		return -r;
	/* what sd-bus says is of CLOCK_MONOTONIC; the host has a clock of its own */
	if (until != UINT64_MAX)
		at = b->host->now_ns(b->host) + (until > now ? until - now : 0) * 1000u;
	uint32_t wanted = ((events & POLLIN) != 0 ? VPN_POLLIN : 0u) |
			  ((events & POLLOUT) != 0 ? VPN_POLLOUT : 0u);
	vpn_status status = b->loop->watch(b->loop_inst, b->fd, wanted, on_ready, b);
	if (status == VPN_OK)
		status = b->loop->arm(b->loop_inst, at, on_time, b);
	return status == VPN_OK ? 0 : ENOMEM;
}

void resolved_bus_update(struct resolved_bus *b)
{
	if (b->loop == NULL)
		return;
	int e = wait_on(b);
	if (e != 0)
		lose(b, e);
}

static void work(struct resolved_bus *b)
{
	int r = 1;
	for (int i = 0; i < MESSAGES && r > 0; i++)
		r = sd_bus_process(b->bus, NULL);
	if (r < 0)
		lose(b, -r);
	else
		resolved_bus_update(b);
}

static void on_ready(void *ctx, int fd, uint32_t events)
{
	(void)fd;
	(void)events;
	work(ctx);
}

static void on_time(void *ctx)
{
	work(ctx);
}

vpn_status resolved_bus_attach(struct resolved_bus *b, const struct vpn_host *host,
			       const struct vpn_loop_ext *loop, void *loop_inst,
			       void (*lost)(void *ctx, int error), void *ctx)
{
	b->host = host;
	b->lost = lost;
	b->ctx = ctx;
	b->fd = sd_bus_get_fd(b->bus);
	if (b->fd < 0)
		return VPN_EIO;
	b->loop = loop;
	b->loop_inst = loop_inst;
	if (wait_on(b) == 0)
		return VPN_OK;
	detach(b);
	return VPN_EIO;
}

void resolved_bus_close(struct resolved_bus *b)
{
	detach(b);
	sd_bus_close_unref(b->bus);
	b->bus = NULL;
}
