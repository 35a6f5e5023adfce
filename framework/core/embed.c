/* SPDX-License-Identifier: BSD-2-Clause */
/* embed: the embedding API of vpncore/vpncore.h over manifest, graph and pipeline. */
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <uv.h>
#include <vpncore/vpncore.h>

#include "control.h"
#include "fault.h"
#include "pipeline.h"
#include "reaper.h"

#define UNNAMED "manifest" /* what a manifest in memory is called in messages */

struct vpncore_pipeline {
	struct loader *loader;
	struct manifest *manifest;
	struct graph graph;
	struct pipeline *pipeline;
	struct vpncore_callbacks callbacks;
	struct log_sink log;
	uv_loop_t loop; /* of [main] */
	/* libuv neither looks for posts nor gives a timeout when a loop has nothing to wait for */
	uv_async_t awaited;
	bool has_loop;
};

const char *vpncore_version(void)
{
	return VPNCORE_VERSION;
}

static void on_problem(void *ctx, const char *line)
{
	struct vpncore_pipeline *p = ctx;
	if (p->callbacks.problem != NULL)
		p->callbacks.problem(p->callbacks.ctx, line);
}

static int read_manifest(struct vpncore_pipeline *p, const char *file, const char *text, size_t len,
			 struct vpn_error *err)
{
	struct problems problems;
	problems_init(&problems, file);
	p->manifest = text != NULL ? manifest_parse(file, text, len, p->loader, &problems)
				   : manifest_load(file, p->loader, &problems);
	bool good = p->manifest != NULL && graph_build(&p->graph, p->manifest, &problems);
	problems_print(&problems, on_problem, p);
	size_t n = problems.n_errors;
	problems_clear(&problems);
	if (!good)
		return fault(err, VPN_EINVAL, 0, "%s has %zu problem%s", file, n,
			     n == 1 ? "" : "s");
	p->log.level = p->manifest->log_level;
	p->log.json = p->manifest->log_json;
	return VPN_OK;
}

/* The program of this installation is the one that waits for our death, where it is installed. */
static vpn_status prepare(struct vpncore_pipeline *p, struct vpn_error *err)
{
	if (access(VPNCORE_PROGRAM, X_OK) == 0)
		reaper_set_program(VPNCORE_PROGRAM);
	int e = uv_loop_init(&p->loop);
	p->has_loop = e == 0;
	if (e == 0)
		e = uv_async_init(&p->loop, &p->awaited, NULL);
	if (e != 0)
		return fault(err, VPN_EIO, -e, "an event loop cannot be made");
	p->loader = loader_new(err);
	return p->loader != NULL ? VPN_OK : err->status;
}

/* Those of the fields that the caller's version has. */
static void take_callbacks(struct vpncore_pipeline *p, const struct vpncore_callbacks *callbacks)
{
	if (callbacks != NULL)
		memcpy(&p->callbacks, callbacks,
		       callbacks->size < sizeof(p->callbacks) ? callbacks->size
							      : sizeof(p->callbacks));
	p->log = (struct log_sink){
		.level = VPN_LOG_INFO, .line = p->callbacks.log, .ctx = p->callbacks.ctx};
}

static vpn_status make_pipeline(struct vpncore_pipeline *p, struct vpn_error *err)
{
	const struct pipeline_events events = {
		.failed = p->callbacks.failed,
		.event = p->callbacks.event,
		.ctx = p->callbacks.ctx,
		.log = &p->log,
		.loop = &p->loop,
	};
	p->pipeline = pipeline_new(&p->graph, &events, err);
	return p->pipeline != NULL ? VPN_OK : err->status;
}

/* What components had on it has been taken away; libuv gives the memory back in its next turn. */
static void close_loop(struct vpncore_pipeline *p)
{
	if (!p->has_loop)
		return;
	if (p->awaited.loop != NULL)
		uv_close((uv_handle_t *)&p->awaited, NULL);
	uv_run(&p->loop, UV_RUN_DEFAULT);
	uv_loop_close(&p->loop);
}

static void free_all(struct vpncore_pipeline *p)
{
	pipeline_free(p->pipeline, NULL);
	close_loop(p);
	manifest_free(p->manifest);
	loader_free(p->loader);
}

int vpncore_pipeline_load(struct vpncore_pipeline **ret, const char *file, const char *text,
			  size_t len, const struct vpncore_callbacks *callbacks,
			  struct vpn_error *err)
{
	struct vpn_error why = VPN_ERROR_INIT;
	struct control control;
	*ret = NULL;
	if (file == NULL && text == NULL)
		return fault(err, VPN_EINVAL, 0, "neither the text nor the file of a manifest");
	struct vpncore_pipeline *p = calloc(1, sizeof(*p));
	if (p == NULL)
		return fault(err, VPN_ENOMEM, 0, "out of memory");
	take_callbacks(p, callbacks);
	control_enter(&control, &p->log);
	int status = prepare(p, &why);
	if (status == VPN_OK)
		status = read_manifest(p, file != NULL ? file : UNNAMED, text, len, &why);
	if (status == VPN_OK)
		status = make_pipeline(p, &why);
	if (status != VPN_OK)
		free_all(p);
	control_leave(&control);
	if (status != VPN_OK)
		free(p);
	else
		*ret = p;
	return fault_pass(err, &why, status);
}

int vpncore_pipeline_start(struct vpncore_pipeline *p, struct vpn_error *err)
{
	struct vpn_error why = VPN_ERROR_INIT;
	struct control control;
	control_enter(&control, &p->log);
	int status = pipeline_start(p->pipeline, &why);
	control_leave(&control);
	return fault_pass(err, &why, status);
}

int vpncore_pipeline_stop(struct vpncore_pipeline *p, struct vpn_error *err)
{
	struct vpn_error why = VPN_ERROR_INIT;
	struct control control;
	control_enter(&control, &p->log);
	int status = pipeline_stop(p->pipeline, &why);
	control_leave(&control);
	return fault_pass(err, &why, status);
}

struct vpncore_pipeline *vpncore_pipeline_free(struct vpncore_pipeline *p)
{
	struct control control;
	if (p == NULL)
		return NULL;
	control_enter(&control, &p->log);
	free_all(p);
	control_leave(&control);
	free(p);
	return NULL;
}

int vpncore_pipeline_error(struct vpncore_pipeline *p, struct vpn_error *err)
{
	struct vpn_error why = VPN_ERROR_INIT;
	if (!pipeline_error(p->pipeline, &why))
		return VPN_OK;
	return fault_pass(err, &why, why.status != VPN_OK ? why.status : VPN_EIO);
}

int vpncore_pipeline_device(struct vpncore_pipeline *p, struct vpn_device_info *out)
{
	struct vpn_device_info info;
	struct control control;
	control_enter(&control, &p->log);
	bool there = pipeline_device(p->pipeline, &info);
	control_leave(&control);
	if (!there)
		return VPN_ENOENT;
	/* the caller may have been built when the struct was shorter */
	info.size = out->size;
	memcpy(out, &info, info.size < sizeof(info) ? info.size : sizeof(info));
	return VPN_OK;
}

int vpncore_pipeline_fd(struct vpncore_pipeline *p)
{
	return uv_backend_fd(&p->loop);
}

int vpncore_pipeline_timeout_ms(struct vpncore_pipeline *p)
{
	struct control control;
	control_enter(&control, &p->log);
	uv_update_time(&p->loop);
	int timeout = uv_backend_timeout(&p->loop);
	control_leave(&control);
	return timeout;
}

void vpncore_pipeline_dispatch(struct vpncore_pipeline *p)
{
	struct control control;
	control_enter(&control, &p->log);
	uv_run(&p->loop, UV_RUN_NOWAIT);
	control_leave(&control);
}

void vpncore_pipeline_counters(struct vpncore_pipeline *p,
			       void (*line)(void *ctx, const char *text), void *ctx)
{
	struct control control;
	control_enter(&control, &p->log);
	pipeline_counters(p->pipeline, line, ctx);
	control_leave(&control);
}
