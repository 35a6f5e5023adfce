/* SPDX-License-Identifier: BSD-2-Clause */
#include "serve.h"

#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>
#include <uv.h>

#include "commands.h"
#include "fault.h"
#include "log.h"
#include "notify.h"
#include "quiet.h"

struct run {
	uv_loop_t loop;
	uv_async_t failed;
	uv_signal_t term, intr, hup, usr1;
	struct quiet quiet;
	struct pipeline *pipeline;
	const struct serve_hooks *hooks; /* NULL = none */
	bool ended;
};

static void say_counters(void *ctx, const char *text)
{
	(void)ctx;
	log_plain(text);
}

static void show_counters(struct run *r)
{
	pipeline_counters(r->pipeline, say_counters, NULL);
}

static void on_stop(uv_signal_t *signal, int number)
{
	struct run *r = signal->data;
	log_printf(VPN_LOG_INFO, "", "%s: stopping", number == SIGINT ? "SIGINT" : "SIGTERM");
	r->ended = true;
	uv_stop(&r->loop);
}

static void on_usr1(uv_signal_t *signal, int number)
{
	(void)number;
	show_counters(signal->data);
}

static void on_hup(uv_signal_t *signal, int number)
{
	(void)signal;
	(void)number;
	log_text(VPN_LOG_WARN, "",
		 "SIGHUP: no component here can reload; restart to apply a changed manifest");
}

static void on_failed_async(uv_async_t *async)
{
	struct run *r = async->data;
	r->ended = true;
	uv_stop(&r->loop);
}

static void on_failed(void *ctx)
{
	struct run *r = ctx;
	uv_async_send(&r->failed);
}

static void on_stirred(void *ctx)
{
	struct run *r = ctx;
	quiet_stir(&r->quiet);
}

static int loop_init(struct run *r)
{
	const struct {
		uv_signal_t *handle;
		uv_signal_cb cb;
		int number;
	} signals[] = {
		{&r->term, on_stop, SIGTERM},
		{&r->intr, on_stop, SIGINT},
		{&r->hup, on_hup, SIGHUP},
		{&r->usr1, on_usr1, SIGUSR1},
	};
	int e = uv_loop_init(&r->loop);
	if (e != 0)
		return e;
	e = uv_async_init(&r->loop, &r->failed, on_failed_async);
	r->failed.data = r;
	if (e == 0)
		e = quiet_init(&r->quiet, &r->loop);
	for (size_t i = 0; i < sizeof(signals) / sizeof(signals[0]) && e == 0; i++) {
		uv_signal_init(&r->loop, signals[i].handle);
		signals[i].handle->data = r;
		e = uv_signal_start(signals[i].handle, signals[i].cb, signals[i].number);
	}
	return e;
}

static void close_handle(uv_handle_t *handle, void *arg)
{
	(void)arg;
	if (!uv_is_closing(handle))
		uv_close(handle, NULL);
}

static void loop_clear(struct run *r)
{
	uv_walk(&r->loop, close_handle, NULL);
	uv_run(&r->loop, UV_RUN_DEFAULT);
	uv_loop_close(&r->loop);
}

static void say_error(const char *name, const struct vpn_error *err)
{
	if (err->os_errno != 0)
		log_printf(VPN_LOG_ERROR, name, "%s (%s)", err->text, strerror(err->os_errno));
	else
		log_text(VPN_LOG_ERROR, name, err->text);
}

static void announce(const struct graph *g)
{
	char state[256];
	log_printf(VPN_LOG_INFO, "", "pipeline %s is up: MTU %u, %u lane%s", g->manifest->name,
		   g->mtu, g->n_lanes, g->n_lanes == 1 ? "" : "s");
	snprintf(state, sizeof(state), "READY=1\nSTATUS=pipeline %.128s is up", g->manifest->name);
	int e = notify_send(state);
	if (e < 0)
		log_printf(VPN_LOG_WARN, "", "cannot tell the service manager: %s", strerror(-e));
}

/* What a failure is worth: the pipeline has said why already. */
static int judge(const struct run *r, const struct vpn_error *err)
{
	if (r->hooks == NULL || r->hooks->failed == NULL)
		return STATUS_FAILED;
	return r->hooks->failed(r->hooks->ctx, err);
}

/* From up to the end. Returns the exit status. */
static int go_on(struct run *r, const struct graph *g)
{
	struct vpn_error err = VPN_ERROR_INIT;
	if (pipeline_error(r->pipeline, &err)) /* while it started: nobody is told that it is up */
		return judge(r, &err);
	if (r->hooks != NULL && !r->hooks->up(r->hooks->ctx, r->pipeline))
		return STATUS_FAILED;
	announce(g);
	quiet_watch(&r->quiet, r->pipeline, QUIET_AFTER_MS);
	while (!r->ended)
		uv_run(&r->loop, UV_RUN_DEFAULT);
	quiet_end(&r->quiet);
	(void)notify_send("STOPPING=1");
	return pipeline_error(r->pipeline, &err) ? judge(r, &err) : STATUS_OK;
}

/* Runs until a signal or a failure. Returns the exit status. */
static int serve(struct run *r, const struct graph *g)
{
	struct vpn_error err = VPN_ERROR_INIT;
	vpn_status status = pipeline_start(r->pipeline, &err);
	if (status != VPN_OK) {
		say_error(g->manifest->name, &err);
		return STATUS_FAILED;
	}
	int result = go_on(r, g);
	if (pipeline_stop(r->pipeline, &err) != VPN_OK) {
		say_error(g->manifest->name, &err);
		result = STATUS_FAILED;
	}
	if (log_level() >= VPN_LOG_INFO)
		show_counters(r);
	return result;
}

int serve_graph(const struct graph *g, const struct serve_hooks *hooks)
{
	struct run r = {.hooks = hooks};
	struct vpn_error err = VPN_ERROR_INIT;
	const struct pipeline_events events = {
		.failed = on_failed, .stirred = on_stirred, .ctx = &r, .loop = &r.loop};
	int e = loop_init(&r);
	if (e != 0) {
		fprintf(stderr, "vpncore: cannot make an event loop: %s\n", uv_strerror(e));
		return STATUS_FAILED;
	}
	int result = STATUS_FAILED;
	bool lookups_left = false;
	r.pipeline = pipeline_new(g, &events, &err);
	if (r.pipeline == NULL)
		say_error(g->manifest->name, &err);
	else
		result = serve(&r, g);
	pipeline_free(r.pipeline, &lookups_left);
	loop_clear(&r);
	if (lookups_left) {
		/* the resolver's thread waits for a name server; leaving by exit() would wait with it */
		fflush(NULL);
		_exit(result);
	}
	return result;
}
